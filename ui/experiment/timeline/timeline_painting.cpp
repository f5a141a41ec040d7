// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/timeline/timeline_view.h"

#include "ui/experiment/stage/stage_painting.h"
#include "ui/experiment/timeline/timeline_lane.h"
#include "ui/experiment/timeline/timeline_legend.h"
#include "ui/shared/theme.h"

#include <QPainter>
#include <QScrollBar>

#include <algorithm>
#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr double tickSpacing = 90;
constexpr int margin = 12;
constexpr int pidLeft = 58;
constexpr int shareRight = 138;
constexpr double dimmedLane = 0.4;
constexpr double crashReach = 9; // Of the mark of a crash to the left.

} // namespace

void TimelineView::paintEvent(QPaintEvent *)
{
    const Theme &theme = Theme::current();
    QPainter painter(this);
    const QRect bars = barsRect();
    for (const QRect &beside : QRegion(rect()).subtracted(bars))
        painter.fillRect(beside, theme.panel);
    const QList<TimeTick> ticks = timeTicks(visibleRange(), bars.width(), tickSpacing);

    painter.setClipRect(lanesRect());
    if (drawsPixels(painter)) {
        bringBarsUp(ticks);
        bringHeadsUp();
        painter.drawPixmap(bars.topLeft(), m_bars.pixmap());
        painter.drawPixmap(0, bars.top(), m_heads);
    } else {
        paintLanes(painter, ticks);
    }
    paintSuccession(painter);
    painter.setClipping(false);

    paintHeader(painter, ticks);
    paintNow(painter);
    paintCursor(painter);
    drawLegend(painter);
    if (m_lanes.isEmpty()) {
        drawText(painter, lanesRect(), Qt::AlignCenter,
                 tr("No data yet: each process gets a lane, each task a bar"),
                 textFont(TextSize::Small), theme.text3);
    }
    if (hasFocus()) {
        painter.setRenderHint(QPainter::Antialiasing, false);
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(theme.accent, 2));
        painter.drawRect(rect().adjusted(1, 1, -1, -1));
    }
}

void TimelineView::paintHeader(QPainter &painter, const QList<TimeTick> &ticks)
{
    const Theme &theme = Theme::current();
    const QRect header(0, 0, width(), barsRect().top());
    const QFont font = textFont(TextSize::Caption);
    drawText(painter, QRectF(margin, 0, pidLeft - margin, header.height()), Qt::AlignVCenter,
             tr("Process"), font, theme.text3);
    drawText(painter, QRectF(pidLeft, 0, 40, header.height()), Qt::AlignVCenter, tr("PID"), font,
             theme.text3);
    drawText(painter, QRectF(pidLeft + 30, 0, shareRight - pidLeft - 30, header.height()),
             Qt::AlignVCenter | Qt::AlignRight, tr("busy"), font, theme.text3);
    const TimeRange range = visibleRange();
    const QFont tickFont = textFont(TextSize::Tick);
    const QRectF chip = chipAt(nowNs());
    const QRectF cursorChip = m_cursorNs ? chipAt(*m_cursorNs) : QRectF();
    for (const TimeTick &tick : ticks) {
        const double x = barsRect().left() + range.pixel(tick.timeNs, barsRect().width());
        const double labelWidth = textWidth(tick.label, tickFont);
        const QRectF label(x + 3, 0, labelWidth + 2, header.height());
        if (label.right() > width() || label.intersects(chip) || label.intersects(cursorChip))
            continue;
        drawText(painter, label, Qt::AlignVCenter, tick.label, tickFont, theme.text3);
    }
    painter.fillRect(QRect(0, header.bottom(), width(), 1), theme.border);
}

std::pair<int, int> TimelineView::lanesInView() const
{
    const int first = m_scrollBar->value() / laneHeight();
    const int shown = lanesRect().height() / laneHeight() + 2;
    return {first, std::min(first + shown, itemCount())};
}

/// All of them anew, with their heads.
void TimelineView::paintLanes(QPainter &painter, const QList<TimeTick> &ticks)
{
    const auto [first, end] = lanesInView();
    for (int lane = first; lane < end; ++lane) {
        if (const int process = m_lanes[lane]; process >= 0)
            m_indexes[static_cast<std::size_t>(process)].update(m_log->lane(process).spans);
        paintBars(painter, lane, {0, barsRect().width()}, ticks);
        paintLaneHead(painter, lane);
    }
}

/// Makes the picture of the bars one of the present: moves it, and paints what is new.
void TimelineView::bringBarsUp(const QList<TimeTick> &ticks)
{
    BarsLook look{m_lanes, m_scrollBar->value(), m_selected, 0};
    for (const ProcessRecord &process : std::as_const(m_processes))
        look.lifeTimes += process.startNs + process.endNs;
    if (look != m_barsLook) {
        m_bars.clear();
        m_heads = {};
    }
    m_barsLook = look;
    const QRect bars = barsRect();
    const TimeRange range = visibleRange();
    const int kept = m_bars.moveTo(range, bars.size(), devicePixelRatioF());
    m_finalUntilNs.resize(static_cast<std::size_t>(m_processes.size()), 0);

    QPainter painter(&m_bars.pixmap());
    painter.translate(-bars.topLeft());
    const auto [first, end] = lanesInView();
    if (kept == 0)
        painter.fillRect(bars, Theme::current().panel);
    for (int lane = first; lane < end; ++lane) {
        const int process = m_lanes[lane];
        if (process >= 0)
            m_indexes[static_cast<std::size_t>(process)].update(m_log->lane(process).spans);
        for (const PixelSpan &part : newPixels(lane, range, kept))
            paintBars(painter, lane, part, ticks);
        if (process < 0)
            continue;
        const AppendLog<Span> &spans = m_log->lane(process).spans;
        const std::size_t count = m_indexes[static_cast<std::size_t>(process)].spanCount();
        m_finalUntilNs[static_cast<std::size_t>(process)] =
            count > 0 ? std::min(spans[count - 1].endNs, nowNs()) : 0;
    }
}

/// What of a lane is to be painted, if its picture moved on and is good up to column @p kept.
QList<PixelSpan> TimelineView::newPixels(int lane, const TimeRange &range, int kept) const
{
    const int width = barsRect().width();
    const int process = m_lanes[lane];
    if (process <= 0 || kept <= 0) // The parent's marks and the tracks may change anywhere.
        return {{0, width}};
    const ProcessRecord &record = m_processes[process];
    const auto at = static_cast<std::size_t>(process);
    constexpr double reach = 3; // Of a bar's edge into the columns beside it.
    double right = range.pixel(m_finalUntilNs[at], width) - reach;
    if (hasCrashed(record)) // The words beside its end have more room now.
        right = std::min(right, range.pixel(record.endNs, width) - crashReach);
    const int begin = std::clamp(static_cast<int>(std::floor(right)), 0, kept);
    if (kept == width)
        return {{begin, width}};
    // A bar that leaves the view at the left keeps its label in view.
    const AppendLog<Span> &spans = m_log->lane(process).spans;
    const qint64 leaving = spanAt(spans, m_indexes[at].spanCount(), range.fromNs);
    if (leaving < 0)
        return {{begin, width}};
    const qint64 endNs = spans[static_cast<std::size_t>(leaving)].endNs;
    const double end = std::ceil(range.pixel(endNs, width) + reach);
    if (end >= begin)
        return {{0, width}};
    return {{0, static_cast<int>(end)}, {begin, width}};
}

void TimelineView::paintBars(QPainter &painter, int lane, const PixelSpan &part,
                             const QList<TimeTick> &ticks)
{
    const Theme &theme = Theme::current();
    const int process = m_lanes[lane];
    const QRect row = itemRect(lane);
    const QRect bars(barsRect().left(), row.top(), barsRect().width(), row.height());
    const QRect fresh(bars.left() + part.begin, row.top(), part.end - part.begin, row.height());
    painter.save();
    painter.setClipRect(fresh, Qt::IntersectClip);
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.fillRect(fresh, theme.panel);
    if (process == m_selected)
        painter.fillRect(fresh, theme.accentTint);
    painter.fillRect(QRect(fresh.left(), row.bottom(), fresh.width(), 1), theme.grid);
    const TimeRange range = visibleRange();
    const double ratio = devicePixelRatioF();
    for (const TimeTick &tick : ticks) {
        const double x = bars.left() + range.wholePixel(tick.timeNs, bars.width(), ratio);
        if (x + 1 > fresh.left() && x <= fresh.right() + 1)
            painter.fillRect(QRectF(x, row.top(), 1, row.height()), theme.grid);
    }
    if (process < 0) {
        paintTrackBars(painter, bars, trackOfLane(process));
    } else {
        painter.setOpacity(m_selected >= 0 && process != m_selected ? dimmedLane : 1);
        paintTimelineLane(painter, bars, range, part,
                          {m_processes[process], m_log->lane(process).spans,
                           m_indexes[static_cast<std::size_t>(process)], m_itemNames,
                           openSpanOf(process), nowNs(), isDense()});
        if (process == 0)
            paintStarts(painter, bars);
    }
    painter.restore();
}

int TimelineView::busyPercent(int process) const
{
    return static_cast<int>(std::lround(100 * busyShare(process)));
}

/// Makes the picture of the lanes' heads one of the present.
void TimelineView::bringHeadsUp()
{
    const QRect heads(0, barsRect().top(), barsRect().left(), barsRect().height());
    const double ratio = devicePixelRatioF();
    const bool isNew = m_heads.size() != heads.size() * ratio;
    if (isNew) {
        m_heads = QPixmap(heads.size() * ratio);
        m_heads.setDevicePixelRatio(ratio);
        m_heads.fill(Theme::current().panel);
    }
    m_headPercent.resize(static_cast<std::size_t>(m_processes.size()), 0);
    QPainter painter(&m_heads);
    painter.translate(-heads.topLeft());
    const auto [first, end] = lanesInView();
    for (int lane = first; lane < end; ++lane) {
        const int process = m_lanes[lane];
        if (process >= 0) {
            const int percent = busyPercent(process);
            const auto at = static_cast<std::size_t>(process);
            if (std::exchange(m_headPercent[at], percent) == percent && !isNew)
                continue;
        }
        paintLaneHead(painter, lane);
    }
}

/// What stands beside the bars.
void TimelineView::paintLaneHead(QPainter &painter, int lane)
{
    const Theme &theme = Theme::current();
    const int process = m_lanes[lane];
    const QRect row = itemRect(lane);
    const QRect head(row.left(), row.top(), barsRect().left(), row.height());
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.fillRect(head, theme.panel);
    if (process == m_selected)
        painter.fillRect(head, theme.accentTint);
    painter.fillRect(QRect(0, row.bottom(), head.width(), 1), theme.grid);
    if (process < 0)
        return paintTrackHead(painter, row, trackOfLane(process));
    painter.setOpacity(m_selected >= 0 && process != m_selected ? dimmedLane : 1);
    paintGutter(painter, row, process);
    painter.setOpacity(1);
}

void TimelineView::paintGutter(QPainter &painter, const QRect &row, int process)
{
    const Theme &theme = Theme::current();
    const ProcessRecord &record = m_processes[process];
    const double height = isDense() ? 13 : 18;
    const QRectF badge(margin, row.center().y() - height / 2 + 0.5, 38, height);
    drawBadge(painter, badge, shortName(record), record.colorIndex, hasCrashed(record),
              isDense() ? TextSize::Tick : TextSize::Caption);
    const QFont font = monoFont(isDense() ? TextSize::Tick : TextSize::Small);
    drawText(painter, QRectF(pidLeft, row.top(), 50, row.height()), Qt::AlignVCenter,
             QString::number(record.pid), font, theme.text3);
    const QString share = tr("%1\u00A0%").arg(busyPercent(process));
    if (process != 0)
        drawText(painter, QRectF(pidLeft + 40, row.top(), shareRight - pidLeft - 40, row.height()),
                 Qt::AlignVCenter | Qt::AlignRight, share, font, theme.text2);
}

/// On the parent's lane: when it started others.
void TimelineView::paintStarts(QPainter &painter, const QRect &area)
{
    const Theme &theme = Theme::current();
    const TimeRange range = visibleRange();
    const QFont font = textFont(TextSize::Tick);
    painter.save();
    painter.setClipRect(area, Qt::IntersectClip);
    struct StartMark
    {
        double x;
        int child; // The first one.
        int count;
    };
    QList<StartMark> marks;
    int child = 1;
    while (child < m_processes.size()) {
        // Those that start within 8 px of the first share a mark.
        const double x =
            area.left() + std::max(0.0, range.pixel(m_processes[child].startNs, area.width()));
        int next = child + 1;
        while (next < m_processes.size() &&
               area.left() + range.pixel(m_processes[next].startNs, area.width()) < x + 8)
            ++next;
        marks.append({std::floor(x), child, next - child});
        child = next;
    }
    for (const StartMark &mark : std::as_const(marks))
        painter.fillRect(QRectF(mark.x, area.top() + 5, 2, area.height() - 10), theme.parent);
    if (isDense())
        return painter.restore();
    // Beside a mark stands what it is, if the next one leaves room; else beside that one, for both.
    int started = 0;
    for (qsizetype i = 0; i < marks.size(); ++i) {
        started += marks[i].count;
        const QString text = started > 1
                                 ? tr("starts %1 processes").arg(started)
                                 : tr("starts %1").arg(shortName(m_processes[marks[i].child]));
        const QRectF place(marks[i].x + 5, area.top() + 4, textWidth(text, font) + 6,
                           area.height() - 8);
        if (i + 1 < marks.size() && marks[i + 1].x <= place.right())
            continue;
        if (isParentAtWork(range.timeAt(place.left() - area.left(), area.width()),
                           range.timeAt(place.right() - area.left(), area.width())))
            continue; // Its bars have labels too.
        painter.fillRect(place, m_selected == 0 ? theme.accentTint : theme.panel);
        drawText(painter, place.adjusted(2, 0, 0, 0), Qt::AlignVCenter, text, font, theme.text3);
        started = 0;
    }
    painter.restore();
}

/// Whether a bar of the parent is drawn between two instants.
bool TimelineView::isParentAtWork(qint64 fromNs, qint64 toNs) const
{
    const AppendLog<Span> &spans = m_log->lane(0).spans;
    std::size_t at = 0;
    for (std::size_t end = m_indexes[0].spanCount(); at < end;) {
        const std::size_t middle = at + (end - at) / 2;
        if (spans[middle].endNs <= fromNs)
            at = middle + 1;
        else
            end = middle;
    }
    for (; at < m_indexes[0].spanCount() && spans[at].startNs < toNs; ++at) {
        if (spans[at].activity != Span::Activity::WaitingOnEmpty)
            return true;
    }
    const auto open = openSpanOf(0);
    return open && open->startNs < toNs && open->activity != Span::Activity::WaitingOnEmpty;
}

/// From the end of a process down to the start of the one that took its place.
void TimelineView::paintSuccession(QPainter &painter)
{
    if (isDense())
        return;
    const Theme &theme = Theme::current();
    const TimeRange range = visibleRange();
    const QRect bars = barsRect();
    QPen pen(theme.crash, 1);
    pen.setDashPattern({2, 2});
    for (int lane = 1; lane < itemCount(); ++lane) {
        if (m_lanes[lane] < 0)
            continue;
        const ProcessRecord &record = m_processes[m_lanes[lane]];
        const int before = record.replaces;
        if (before < 0 || before != m_lanes[lane - 1] || !hasCrashed(m_processes[before]))
            continue;
        const double x = bars.left() + range.pixel(m_processes[before].endNs, bars.width());
        if (x < bars.left() || x > bars.right())
            continue;
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(pen);
        painter.drawLine(QPointF(x, itemRect(lane - 1).center().y() + 8),
                         QPointF(x, itemRect(lane).center().y()));
    }
}

QRectF TimelineView::chipAt(qint64 timeNs) const
{
    const QRectF bars = barsRect();
    const double x = std::round(bars.left() + visibleRange().pixel(timeNs, bars.width()));
    if (timeNs <= 0 || x < bars.left() || x > bars.right())
        return {};
    const QString text = durationText(static_cast<double>(timeNs) / 1e9);
    const double labelWidth = textWidth(text, textFont(TextSize::Tick, QFont::DemiBold)) + 12;
    const double rightmost = std::max(bars.right() - labelWidth, bars.left());
    return {std::clamp(x - labelWidth / 2, bars.left(), rightmost), 3, labelWidth, 17};
}

void TimelineView::paintNow(QPainter &painter)
{
    const QRectF chip = chipAt(nowNs());
    if (chip.isEmpty())
        return;
    const Theme &theme = Theme::current();
    const QRect bars = barsRect();
    const double x = std::round(bars.left() + visibleRange().pixel(nowNs(), bars.width()));
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.fillRect(QRectF(x, bars.top() - 2, 1, bars.height() + 2), theme.text3);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(theme.hover);
    painter.drawRoundedRect(chip, 3, 3);
    drawText(painter, chip, Qt::AlignCenter, durationText(static_cast<double>(nowNs()) / 1e9),
             textFont(TextSize::Tick, QFont::DemiBold), theme.text);
}

void TimelineView::paintCursor(QPainter &painter)
{
    if (!m_cursorNs)
        return;
    const Theme &theme = Theme::current();
    const QRect bars = barsRect();
    const double x = std::round(bars.left() + visibleRange().pixel(*m_cursorNs, bars.width()));
    if (x < bars.left() || x > bars.right())
        return;
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.fillRect(QRectF(x, bars.top() - 2, 1, bars.height() + 2), theme.text2);
    const QRectF chip = chipAt(*m_cursorNs);
    if (chip.isEmpty())
        return;
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(theme.borderStrong);
    painter.setBrush(theme.raised);
    painter.drawRoundedRect(chip.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3);
    drawText(painter, chip, Qt::AlignCenter, durationText(static_cast<double>(*m_cursorNs) / 1e9),
             textFont(TextSize::Tick, QFont::DemiBold), theme.text);
}

QRect TimelineView::legendRect() const
{
    const int top = lanesRect().bottom() + 1;
    return {0, top, width(), height() - top};
}

bool TimelineView::hasDropped() const
{
    return m_log && m_log->droppedSpans.load(std::memory_order_relaxed) > 0;
}

void TimelineView::drawLegend(QPainter &painter)
{
    const QRect legend = legendRect();
    if (!drawsPixels(painter))
        return paintLegend(painter, legend);
    const double ratio = devicePixelRatioF();
    if (m_legend.size() != legend.size() * ratio || hasDropped() != m_legendHasDropped) {
        m_legendHasDropped = hasDropped();
        m_legend = QPixmap(legend.size() * ratio);
        m_legend.setDevicePixelRatio(ratio);
        QPainter once(&m_legend);
        once.translate(-legend.topLeft());
        paintLegend(once, legend);
    }
    painter.drawPixmap(legend.topLeft(), m_legend);
}

void TimelineView::paintLegend(QPainter &painter, const QRect &legend)
{
    const Theme &theme = Theme::current();
    painter.fillRect(legend, theme.panel);
    painter.fillRect(QRect(0, legend.top(), width(), 1), theme.border);
    const auto entries = layoutLegend(m_spec.kindInfo(), hasDropped(), width());
    for (const LegendEntry &entry : entries)
        paintLegendEntry(painter, entry, legend);
}

QString TimelineView::legendTipAt(int x) const
{
    const auto entries = layoutLegend(m_spec.kindInfo(), hasDropped(), width());
    for (const LegendEntry &entry : entries) {
        if (x >= entry.left && x <= entry.right)
            return entry.tip;
    }
    return {};
}

} // namespace proclab
