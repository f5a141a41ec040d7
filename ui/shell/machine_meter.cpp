// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/machine_meter.h"

#include "ui/shared/draw_text.h"
#include "ui/shared/theme.h"
#include "ui/shell/nav_rail.h"

#include <QHelpEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>
#include <chrono>
#include <cmath>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace proclab {

namespace {

constexpr int sidePadding = 16;
constexpr int compactPadding = 10;
constexpr int topPadding = 12;
constexpr int bottomPadding = 8;
constexpr int lineHeight = 18;
constexpr int memoryGap = 6;
constexpr int gridGap = 4;      // Between the head and the squares.
constexpr int leastForDash = 8; // A square that has room for a dash.

QString percentText(std::optional<double> percent)
{
    return percent ? u"%1 %"_s.arg(std::lround(*percent)) : u"–"_s;
}

QString exactText(std::optional<double> percent)
{
    return percent ? u"%1 %"_s.arg(*percent, 0, 'f', 1) : MachineMeter::tr("not known");
}

/// The mean of those that are known in @p cores from @p begin to @p end.
std::optional<double> meanPercent(const QList<CoreLoad> &cores, qsizetype begin, qsizetype end)
{
    double sum = 0;
    int known = 0;
    for (qsizetype i = begin; i < end; ++i) {
        sum += cores[i].percent.value_or(0);
        known += cores[i].percent ? 1 : 0;
    }
    return known > 0 ? std::optional(sum / known) : std::nullopt;
}

/// "0–3, 8–11"
QString rangesText(const QList<CoreLoad> &cores, qsizetype begin, qsizetype end)
{
    QStringList ranges;
    for (qsizetype first = begin; first < end;) {
        qsizetype last = first;
        while (last + 1 < end && cores[last + 1].core == cores[last].core + 1)
            ++last;
        ranges << (last == first ? QString::number(cores[first].core)
                                 : u"%1–%2"_s.arg(cores[first].core).arg(cores[last].core));
        first = last + 1;
    }
    return ranges.join(u", "_s);
}

/// The colour of a square: an idle core's is close to the ground, a busy one's to the text.
QColor loadColor(double percent)
{
    const Theme &theme = Theme::current();
    return theme.tint(theme.text2, 0.12 + 0.88 * percent / 100);
}

} // namespace

MachineMeter::MachineMeter(QWidget *parent, const QByteArray &folder)
    : QWidget(parent)
    , m_source(folder)
{
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    setAccessibleName(tr("This machine"));
    // A place for each core from the start, so that nothing moves when the first reading comes.
    for (int core = 0; core < std::max(1, QThread::idealThreadCount()); ++core)
        m_load.cores << CoreLoad{core, std::nullopt};
    updateLayout();
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
    updateLayout();
}

void MachineMeter::updateLayout()
{
    const int room = m_compact ? NavRail::compactWidth - 2 * compactPadding
                               : NavRail::fullWidth - 2 * sidePadding;
    m_layout = layoutCores(static_cast<int>(m_load.cores.size()), room,
                           m_compact ? CoreRoom::Narrow : CoreRoom::Wide);
    updateGeometry();
    update();
}

QSize MachineMeter::sizeHint() const
{
    const int cores = m_layout.size().height();
    if (m_compact)
        return {NavRail::compactWidth, topPadding + cores + topPadding};
    const int summary = m_layout.form == CoreLayout::Form::Grid ? gridGap + lineHeight : 0;
    return {NavRail::fullWidth,
            topPadding + lineHeight + cores + summary + memoryGap + lineHeight + bottomPadding};
}

QRect MachineMeter::coresRect() const
{
    const int gap = m_layout.form == CoreLayout::Form::Grid ? gridGap : 0;
    const int top = topPadding + (m_compact ? 0 : lineHeight + gap);
    return {QPoint(m_compact ? compactPadding : sidePadding, top), m_layout.size()};
}

std::optional<double> MachineMeter::percentOf(int cell) const
{
    const qsizetype begin = qsizetype{cell} * m_layout.coresPerCell;
    return meanPercent(m_load.cores, begin,
                       std::min(begin + m_layout.coresPerCell, m_load.cores.size()));
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
        QMetaObject::invokeMethod(this, [this, load] { setLoad(load); });
    });
}

void MachineMeter::setLoad(const MachineLoad &load)
{
    const bool resized = load.cores.size() != m_load.cores.size();
    m_load = load;
    Shown shown;
    for (const CoreLoad &core : load.cores) {
        shown.cores.push_back(core.core);
        shown.percents.push_back(core.percent ? static_cast<int>(std::lround(*core.percent)) : -1);
    }
    shown.memory = memoryText();
    if (shown == m_shown)
        return;
    m_shown = std::move(shown);
    setAccessibleDescription(machineTip());
    if (resized)
        updateLayout();
    update();
}

QString MachineMeter::memoryText() const
{
    if (m_load.memoryBytes == 0)
        return u"–"_s;
    constexpr double gibibyte = 1024.0 * 1024 * 1024;
    return tr("%1 / %2 GiB")
        .arg(static_cast<double>(m_load.memoryUsedBytes) / gibibyte, 0, 'f', 1)
        .arg(static_cast<double>(m_load.memoryBytes) / gibibyte, 0, 'f', 1);
}

QString MachineMeter::machineTip() const
{
    const QList<CoreLoad> &cores = m_load.cores;
    QStringList lines;
    if (!cores.isEmpty()) {
        lines << tr("Cores %1: %2 busy on average")
                     .arg(rangesText(cores, 0, cores.size()),
                          percentText(meanPercent(cores, 0, cores.size())));
        const auto busiest =
            std::max_element(cores.cbegin(), cores.cend(), [](const auto &a, const auto &b) {
                return a.percent.value_or(-1) < b.percent.value_or(-1);
            });
        if (cores.size() > 1 && busiest->percent)
            lines << tr("Busiest: core %1, %2")
                         .arg(QString::number(busiest->core), percentText(busiest->percent));
    }
    if (m_load.memoryBytes > 0)
        lines << tr("Memory: %1 of %2 in use")
                     .arg(bytesText(m_load.memoryUsedBytes), bytesText(m_load.memoryBytes));
    return lines.join(u'\n');
}

QString MachineMeter::tipAt(const QPoint &position) const
{
    const int cell = m_layout.cellAt(position - coresRect().topLeft());
    if (cell < 0)
        return machineTip();
    const QList<CoreLoad> &cores = m_load.cores;
    const qsizetype begin = qsizetype{cell} * m_layout.coresPerCell;
    const qsizetype end = std::min(begin + m_layout.coresPerCell, cores.size());
    const QString text = exactText(percentOf(cell));
    if (end - begin == 1)
        return tr("Core %1: %2").arg(QString::number(cores[begin].core), text);
    return tr("Cores %1: %2 on average").arg(rangesText(cores, begin, end), text);
}

bool MachineMeter::event(QEvent *event)
{
    if (event->type() != QEvent::ToolTip)
        return QWidget::event(event);
    const auto *help = static_cast<QHelpEvent *>(event);
    QToolTip::showText(help->globalPos(), tipAt(help->pos()), this);
    return true;
}

void MachineMeter::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    painter.fillRect(QRect(0, 0, width(), 1), Theme::current().border);
    if (!m_compact) {
        paintHead(painter);
        paintMemory(painter);
    }
    painter.translate(coresRect().topLeft());
    switch (m_layout.form) {
    case CoreLayout::Form::Rows:
        paintRows(painter);
        break;
    case CoreLayout::Form::Columns:
        paintColumns(painter);
        break;
    case CoreLayout::Form::Grid:
        paintGrid(painter);
        if (!m_compact)
            paintSummary(painter);
        break;
    }
}

void MachineMeter::paintHead(QPainter &painter) const
{
    const Theme &theme = Theme::current();
    const QRect head(sidePadding, topPadding, width() - 2 * sidePadding, lineHeight);
    drawText(painter, head, Qt::AlignLeft | Qt::AlignVCenter, tr("This machine"),
             textFont(TextSize::Small, QFont::Medium), theme.text);
    const qsizetype cores = m_load.cores.size();
    drawText(painter, head, Qt::AlignRight | Qt::AlignVCenter,
             cores == 1 ? tr("1 core") : tr("%1 cores").arg(groupedNumber(cores)),
             textFont(TextSize::Small), theme.text3);
}

void MachineMeter::paintRows(QPainter &painter) const
{
    const Theme &theme = Theme::current();
    const QFont font = monoFont(TextSize::Caption);
    double numberWidth = 0;
    for (const CoreLoad &core : m_load.cores)
        numberWidth = std::max(numberWidth, textWidth(QString::number(core.core), font));
    const double shareWidth = textWidth(percentText(100), font);
    painter.setRenderHint(QPainter::Antialiasing);
    for (int i = 0; i < m_layout.cells; ++i) {
        const CoreLoad &core = m_load.cores[i];
        const CoreRow row =
            layoutCoreRow(m_layout.cell(i), static_cast<int>(std::ceil(numberWidth)),
                          static_cast<int>(std::ceil(shareWidth)));
        drawText(painter, row.number, Qt::AlignRight | Qt::AlignVCenter, QString::number(core.core),
                 font, theme.text3);
        drawText(painter, row.share, Qt::AlignRight | Qt::AlignVCenter, percentText(core.percent),
                 font, theme.text2);
        if (!core.percent)
            continue; // A track without a bar would be 0 %.
        painter.setPen(Qt::NoPen);
        painter.setBrush(theme.hover);
        painter.drawRoundedRect(row.bar, 2, 2);
        QRectF filled = row.bar;
        filled.setWidth(filled.width() * *core.percent / 100);
        painter.setBrush(theme.text3);
        painter.drawRoundedRect(filled, 2, 2);
    }
}

void MachineMeter::paintColumns(QPainter &painter) const
{
    const Theme &theme = Theme::current();
    for (int i = 0; i < m_layout.cells; ++i) {
        const QRect track = m_layout.cell(i);
        const std::optional<double> percent = m_load.cores[i].percent;
        if (!percent) {
            painter.fillRect(track.left(), track.center().y(), track.width(), 1, theme.text3);
            continue;
        }
        painter.fillRect(track, theme.hover);
        const double filled = track.height() * *percent / 100;
        painter.fillRect(QRectF(track).adjusted(0, track.height() - filled, 0, 0), theme.text3);
    }
}

void MachineMeter::paintGrid(QPainter &painter) const
{
    const Theme &theme = Theme::current();
    for (int i = 0; i < m_layout.cells; ++i) {
        const QRect cell = m_layout.cell(i);
        if (const std::optional<double> percent = percentOf(i))
            painter.fillRect(cell, loadColor(*percent));
        else if (cell.width() >= leastForDash)
            painter.fillRect(cell.left() + 2, cell.center().y(), cell.width() - 4, 1, theme.text3);
        else
            painter.fillRect(cell.left(), cell.center().y(), cell.width(), 1, theme.text3);
    }
}

void MachineMeter::paintSummary(QPainter &painter) const
{
    const Theme &theme = Theme::current();
    const QList<CoreLoad> &cores = m_load.cores;
    const QRect line(0, m_layout.size().height(), width() - 2 * sidePadding, lineHeight);
    const double used =
        drawText(painter, line, Qt::AlignLeft | Qt::AlignVCenter,
                 tr("%1 busy").arg(percentText(meanPercent(cores, 0, cores.size()))),
                 monoFont(TextSize::Caption), theme.text2);
    drawText(painter, line.adjusted(static_cast<int>(used) + 8, 0, 0, 0),
             Qt::AlignRight | Qt::AlignVCenter,
             tr("cores %1").arg(rangesText(cores, 0, cores.size())), textFont(TextSize::Caption),
             theme.text3);
}

void MachineMeter::paintMemory(QPainter &painter) const
{
    const Theme &theme = Theme::current();
    const QRect line(sidePadding, height() - bottomPadding - lineHeight, width() - 2 * sidePadding,
                     lineHeight);
    drawText(painter, line, Qt::AlignLeft | Qt::AlignVCenter, tr("Memory"),
             textFont(TextSize::Caption), theme.text3);
    drawText(painter, line, Qt::AlignRight | Qt::AlignVCenter, memoryText(),
             monoFont(TextSize::Caption), theme.text2);
}

} // namespace proclab
