// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/pipeline/pipeline_kind.h"
#include "core/experiment/kinds/pipeline/pipeline_state.h"
#include "core/experiment/spec/process_role.h"
#include "ui/experiment/stage/stage_painting.h"
#include "ui/experiment/timeline/timeline_tracks.h"
#include "ui/experiment/timeline/timeline_view.h"
#include "ui/shared/theme.h"

#include <QPainter>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

// The lanes that belong to no process.

/// The queue stands between those who put and those who take; the lock below all.
void TimelineView::arrangeLanes()
{
    const bool hadLock = m_lanes.contains(lockLane);
    m_lanes.removeIf([](int lane) { return lane < 0; });
    const auto firstConsumer = std::find_if(m_lanes.cbegin(), m_lanes.cend(), [this](int process) {
        return m_processes[process].role && m_processes[process].role->name == u"consumer"_s;
    });
    if (firstConsumer != m_lanes.cend())
        m_lanes.insert(firstConsumer - m_lanes.cbegin(), depthLane);
    if (hadLock || hasLock())
        m_lanes.append(lockLane);
}

/// Somebody has waited for a lock.
bool TimelineView::hasLock() const
{
    return std::any_of(m_indexes.begin(), m_indexes.end(),
                       [](const SpanIndex &index) { return index.total().waitingForLock > 0; });
}

/// The scale: the capacity, or without one the deepest so far.
double TimelineView::depthTop()
{
    if (m_snapshot && m_snapshot->state<PipelineState>().capacity > 0)
        return static_cast<double>(m_snapshot->state<PipelineState>().capacity);
    for (const std::size_t size = m_log->gauges.size(); m_depthsSeen < size; ++m_depthsSeen)
        m_deepest =
            std::max(m_deepest, m_log->gauges[m_depthsSeen].values[PipelineGauges::QueueDepth]);
    return std::max(1.0, m_deepest);
}

double TimelineView::depthAt(qint64 timeNs) const
{
    return gaugeAt(m_log->gauges, PipelineGauges::QueueDepth, timeNs).value_or(0);
}

QString TimelineView::depthText(double depth) const
{
    const quint64 capacity = m_snapshot ? m_snapshot->state<PipelineState>().capacity : 0;
    return capacity > 0
               ? QString(shortNumber(depth) % u" / " % shortNumber(static_cast<double>(capacity)))
               : shortNumber(depth);
}

QString TimelineView::trackTip(int lane, qint64 timeNs) const
{
    if (lane == depthLane)
        return tr("%1 items").arg(depthText(depthAt(timeNs)));
    for (int process = 1; process < m_processes.size(); ++process) {
        const AppendLog<Span> &spans = m_log->lane(process).spans;
        const qint64 at =
            spanAt(spans, m_indexes[static_cast<std::size_t>(process)].spanCount(), timeNs);
        if (at >= 0 && spans[static_cast<std::size_t>(at)].kind == Span::Kind::Running)
            return m_processes[process].name;
    }
    return tr("not recorded, or nobody");
}

/// A lane that belongs to no process: the queue's depth, the lock's owner.
void TimelineView::paintTrack(QPainter &painter, const QRect &row, int lane)
{
    const Theme &theme = Theme::current();
    const QRect bars(barsRect().left(), row.top(), barsRect().width(), row.height());
    const TimeRange range = visibleRange();
    const QRectF gutter(12, row.top(), barsRect().left() - 22, row.height());
    drawText(painter, gutter, Qt::AlignVCenter,
             lane == depthLane ? tr("Queue depth") : tr("Lock held by"),
             textFont(isDense() ? TextSize::Tick : TextSize::Caption), theme.text2);
    painter.save();
    painter.setClipRect(bars, Qt::IntersectClip);
    if (lane == depthLane) {
        const double capacity =
            m_snapshot ? static_cast<double>(m_snapshot->state<PipelineState>().capacity) : 0;
        paintCountTrack(
            painter, bars,
            countColumns(m_log->gauges, PipelineGauges::QueueDepth, range, bars.width(), nowNs()),
            depthTop(), capacity);
    } else {
        std::vector<LockHolder> holders;
        for (int process = 1; process < m_processes.size(); ++process)
            holders.push_back({m_processes[process], m_log->lane(process).spans,
                               m_indexes[static_cast<std::size_t>(process)]});
        paintLockTrack(painter, bars, range, holders);
    }
    painter.restore();
    if (lane != depthLane)
        return;
    const qint64 timeNs = m_cursorNs.value_or(nowNs());
    const double depth = depthAt(timeNs);
    const bool isFull =
        m_snapshot && m_snapshot->state<PipelineState>().capacity > 0 &&
        depth >= 0.9 * static_cast<double>(m_snapshot->state<PipelineState>().capacity);
    drawText(painter, gutter, Qt::AlignVCenter | Qt::AlignRight, depthText(depth),
             monoFont(isDense() ? TextSize::Tick : TextSize::Small),
             isFull ? theme.full : theme.text2);
}

} // namespace proclab
