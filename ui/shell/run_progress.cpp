// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/run_progress.h"

#include "ui/shared/draw_text.h"
#include "ui/shared/theme.h"

#include <QPainter>
#include <QPainterPath>

#include <algorithm>
#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int widthHint = 224;
constexpr int narrowest = 72; // The clock alone.
constexpr int widestBar = 320;
constexpr int textHeight = 20;
constexpr int progressHeight = 8;

} // namespace

QString elapsedClock(double seconds)
{
    const auto hundredths = std::llround(std::max(seconds, 0.0) * 100);
    const qint64 minutes = hundredths / 6000;
    const QString rest = u"%1:%2.%3"_s.arg(minutes % 60, 2, 10, QChar(u'0'))
                             .arg(hundredths / 100 % 60, 2, 10, QChar(u'0'))
                             .arg(hundredths % 100, 2, 10, QChar(u'0'));
    return minutes < 60 ? rest : QString(QString::number(minutes / 60) % u':' % rest);
}

RunProgress::RunProgress(QWidget *parent) : QWidget(parent)
{
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setMaximumWidth(widestBar);
    setStatus({});
}

void RunProgress::setStatus(const RunStatus &status)
{
    m_status = status;
    const QString elapsed = elapsedClock(status.elapsedSeconds);
    QString count;
    if (status.state == RunSource::State::Idle)
        count = tr("Not run yet");
    else if (status.state == RunSource::State::Starting)
        count = tr("Starting");
    else
        count = progressText(status.done, status.total, status.failedTasks, status.lost);
    if (elapsed == m_elapsed && count == m_count)
        return;
    if (count != m_count) {
        setAccessibleName(tr("Progress: %1").arg(count));
        setToolTip(count);
    }
    m_elapsed = elapsed;
    m_count = count;
    update();
}

QSize RunProgress::sizeHint() const
{
    return {widthHint, textHeight + progressHeight + 4};
}

QSize RunProgress::minimumSizeHint() const
{
    return {narrowest, textHeight + progressHeight + 4};
}

void RunProgress::paintEvent(QPaintEvent *)
{
    const Theme &theme = Theme::current();
    QPainter painter(this);
    const QRectF texts(0, 0, width(), textHeight);
    const double clockWidth = drawText(
        painter, texts, Qt::AlignLeft | Qt::AlignVCenter, m_elapsed, monoFont(TextSize::Small),
        m_status.state == RunSource::State::Idle ? theme.text3 : theme.text);
    const bool bad = m_status.failedTasks + m_status.lost > 0;
    const QRectF room = texts.adjusted(clockWidth + 8, 0, 0, 0);
    const QFont font = textFont(TextSize::Small);
    drawText(painter, room, Qt::AlignRight | Qt::AlignVCenter, countFor(room.width(), font), font,
             bad ? theme.crash : theme.text2);
    paintBar(painter, QRectF(0, textHeight + 2, width(), progressHeight));
}

/// How far the run is, in as many words as have room.
QString RunProgress::countFor(double room, const QFont &font) const
{
    const auto done = static_cast<double>(m_status.done);
    const auto total = static_cast<double>(m_status.total);
    QStringList texts{m_count};
    if (total > 0)
        texts << tr("%1 of %2").arg(shortNumber(done), shortNumber(total))
              << tr("%1\u00A0%").arg(QString::number(std::floor(1000 * done / total) / 10));
    for (const QString &text : std::as_const(texts)) {
        if (textWidth(text, font) <= room)
            return text;
    }
    return {};
}

void RunProgress::paintBar(QPainter &painter, const QRectF &bar) const
{
    const Theme &theme = Theme::current();
    painter.setRenderHint(QPainter::Antialiasing);
    QPainterPath outline;
    outline.addRoundedRect(bar, 2, 2);
    painter.fillPath(outline, theme.hover);
    if (m_status.total == 0)
        return;
    painter.setClipPath(outline);
    qreal left = bar.left();
    const auto part = [&](quint64 count, const QColor &color) {
        const qreal share = static_cast<qreal>(count) / static_cast<qreal>(m_status.total);
        // What went wrong is never too thin to see.
        const qreal width = count == 0 ? 0 : std::max(share * bar.width(), 2.0);
        painter.fillRect(QRectF(left, bar.top(), width, bar.height()), color);
        left += width;
    };
    part(m_status.done, theme.ok);
    part(m_status.failedTasks, theme.crash);
    part(m_status.lost, theme.full);
    part(m_status.cancelled, theme.idle);
}

} // namespace proclab
