// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/machine_meter.h"

#include "ui/shared/theme.h"

#include <QPainter>
#include <QPainterPath>

#include <algorithm>
#include <chrono>
#include <cmath>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace proclab {

namespace {

constexpr int meterPadding = 16;
constexpr int meterRowHeight = 14;
constexpr int mostRows = 8;
constexpr int numberWidth = 40;
constexpr int columnsHeight = 32;

QString percentText(std::optional<double> percent)
{
    return percent ? u"%1 %"_s.arg(std::lround(*percent)) : u"–"_s;
}

} // namespace

MachineMeter::MachineMeter(QWidget *parent) : QWidget(parent)
{
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    setAccessibleName(tr("This machine"));
    // A place for each core from the start, so that nothing moves when the first reading comes.
    m_load.corePercent.resize(std::max(1, QThread::idealThreadCount()));
    m_reader.moveToThread(&m_thread);
    m_thread.setObjectName(u"machine-load"_s);
    m_thread.start(QThread::LowPriority);
    m_timer.setInterval(1s);
    connect(&m_timer, &QTimer::timeout, this, &MachineMeter::requestSample);
}

MachineMeter::~MachineMeter()
{
    m_thread.quit();
    m_thread.wait();
}

void MachineMeter::setCompact(bool compact)
{
    m_compact = compact;
    updateGeometry();
    update();
}

bool MachineMeter::drawsColumns() const
{
    return m_compact || m_load.corePercent.size() > mostRows;
}

QSize MachineMeter::sizeHint() const
{
    const int cores = static_cast<int>(m_load.corePercent.size());
    if (m_compact)
        return {48, columnsHeight + 2 * 12};
    const int bars = drawsColumns() ? columnsHeight : cores * meterRowHeight;
    return {200, 12 + 18 + bars + 6 + 18 + 8};
}

void MachineMeter::showEvent(QShowEvent *event)
{
    QWidget::showEvent(event);
    requestSample();
    m_timer.start();
    // The first reading only begins to count; the second follows soon, so that no one waits for a
    // bar.
    QTimer::singleShot(200ms, this, &MachineMeter::requestSample);
}

void MachineMeter::hideEvent(QHideEvent *event)
{
    QWidget::hideEvent(event);
    m_timer.stop();
}

void MachineMeter::requestSample()
{
    QMetaObject::invokeMethod(&m_reader, [this] {
        const MachineLoad load = m_source.sample();
        QMetaObject::invokeMethod(this, [this, load] { takeLoad(load); });
    });
}

void MachineMeter::takeLoad(const MachineLoad &load)
{
    const bool resized = load.corePercent.size() != m_load.corePercent.size();
    m_load = load;
    if (resized)
        updateGeometry();
    QStringList cores;
    for (const std::optional<double> percent : load.corePercent)
        cores << percentText(percent);
    const QString text =
        tr("CPU: %1. Memory: %2 of %3")
            .arg(cores.join(u", "_s), bytesText(load.memoryUsedBytes), bytesText(load.memoryBytes));
    setAccessibleDescription(text);
    setToolTip(text);
    update();
}

void MachineMeter::paintEvent(QPaintEvent *)
{
    const Theme &theme = Theme::current();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.fillRect(QRect(0, 0, width(), 1), theme.border);
    if (m_compact) {
        paintColumns(painter, QRect(10, 12, width() - 20, columnsHeight));
        return;
    }
    const QRect head(meterPadding, 12, width() - 2 * meterPadding, 18);
    painter.setFont(textFont(TextSize::Small, QFont::Medium));
    painter.setPen(theme.text);
    painter.drawText(head, Qt::AlignLeft | Qt::AlignVCenter, tr("This machine"));
    painter.setFont(textFont(TextSize::Small));
    painter.setPen(theme.text3);
    painter.drawText(head, Qt::AlignRight | Qt::AlignVCenter,
                     m_load.corePercent.size() == 1
                         ? tr("1 core")
                         : tr("%1 cores").arg(m_load.corePercent.size()));
    if (drawsColumns())
        paintColumns(painter, QRect(meterPadding, 32, width() - 2 * meterPadding, columnsHeight));
    else
        paintRows(painter);

    const QRect memory(meterPadding, height() - 8 - 18, width() - 2 * meterPadding, 18);
    painter.setFont(textFont(TextSize::Caption));
    painter.setPen(theme.text3);
    painter.drawText(memory, Qt::AlignLeft | Qt::AlignVCenter, tr("Memory"));
    painter.setFont(monoFont(TextSize::Caption));
    painter.setPen(theme.text2);
    constexpr double gibibyte = 1024.0 * 1024 * 1024;
    painter.drawText(
        memory, Qt::AlignRight | Qt::AlignVCenter,
        u"%1 / %2 GiB"_s.arg(static_cast<double>(m_load.memoryUsedBytes) / gibibyte, 0, 'f', 1)
            .arg(static_cast<double>(m_load.memoryBytes) / gibibyte, 0, 'f', 1));
}

void MachineMeter::paintRows(QPainter &painter) const
{
    const Theme &theme = Theme::current();
    painter.setFont(monoFont(TextSize::Caption));
    int top = 32;
    for (const std::optional<double> percent : m_load.corePercent) {
        const QRectF track(meterPadding, top + 5, width() - 2 * meterPadding - numberWidth, 4);
        QPainterPath path;
        path.addRoundedRect(track, 2, 2);
        painter.fillPath(path, theme.hover);
        const qreal filled = std::max(track.width() * percent.value_or(0) / 100, 4.0);
        QPainterPath fill;
        fill.addRoundedRect(QRectF(track.topLeft(), QSizeF(filled, track.height())), 2, 2);
        painter.fillPath(fill, theme.text3);
        painter.setPen(theme.text2);
        painter.drawText(QRect(0, top, width() - meterPadding, meterRowHeight),
                         Qt::AlignRight | Qt::AlignVCenter, percentText(percent));
        top += meterRowHeight;
    }
}

void MachineMeter::paintColumns(QPainter &painter, const QRect &room) const
{
    const Theme &theme = Theme::current();
    const qsizetype cores = m_load.corePercent.size();
    if (cores == 0)
        return;
    const double pitch =
        std::min(8.0, static_cast<double>(room.width()) / static_cast<double>(cores));
    const double barWidth = std::max(1.0, pitch - (pitch > 3 ? 2 : 0));
    double left = room.left();
    for (const std::optional<double> percent : m_load.corePercent) {
        const QRectF track(left, room.top(), barWidth, room.height());
        painter.fillRect(track, theme.hover);
        const double filled = track.height() * percent.value_or(0) / 100;
        painter.fillRect(track.adjusted(0, track.height() - filled, 0, 0), theme.text3);
        left += pitch;
    }
}

} // namespace proclab
