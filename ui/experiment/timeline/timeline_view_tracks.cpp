// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/spec/kind.h"
#include "ui/experiment/stage/stage_painting.h"
#include "ui/experiment/timeline/timeline_tracks.h"
#include "ui/experiment/timeline/timeline_view.h"
#include "ui/shared/theme.h"

#include <QPainter>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

// The lanes that belong to no process.

void TimelineView::arrangeLanes()
{
    m_lanes.removeIf([](int lane) { return lane < 0; });
    for (qsizetype i = 0; i < m_tracks.size(); ++i) {
        const TimelineTrack &track = m_tracks[i];
        if (!isShown(track))
            continue;
        const auto *role =
            track.aboveRole < 0
                ? nullptr
                : &m_spec.kindInfo()->roles[static_cast<std::size_t>(track.aboveRole)];
        const auto below = std::find_if(m_lanes.cbegin(), m_lanes.cend(), [&](int lane) {
            return role && lane >= 0 && m_processes[lane].role == role;
        });
        if (!role || below != m_lanes.cend())
            m_lanes.insert(below - m_lanes.cbegin(), laneOfTrack(i));
    }
}

/// A count always is; the holder of a lock once somebody has waited for one.
bool TimelineView::isShown(const TimelineTrack &track) const
{
    return track.type != TimelineTrack::Type::LockHolder ||
           std::any_of(m_indexes.begin(), m_indexes.end(),
                       [](const SpanIndex &index) { return index.total().waitingForLock > 0; });
}

/// One that is there below all processes, but has no lane yet.
bool TimelineView::lacksTrack() const
{
    for (qsizetype i = 0; i < m_tracks.size(); ++i) {
        if (m_tracks[i].aboveRole < 0 && !m_lanes.contains(laneOfTrack(i)) && isShown(m_tracks[i]))
            return true;
    }
    return false;
}

double TimelineView::limitOf(const TimelineTrack &track) const
{
    return track.limitField.isEmpty() ? 0 : m_spec.number(track.limitField);
}

/// The scale: the limit, or without one the most so far.
double TimelineView::topOf(qsizetype track)
{
    if (const double limit = limitOf(m_tracks[track]); limit > 0)
        return limit;
    const auto gauge = static_cast<std::size_t>(m_tracks[track].gauge);
    Peak &peak = m_peaks[static_cast<std::size_t>(track)];
    for (const std::size_t size = m_log->gauges.size(); peak.samples < size; ++peak.samples)
        peak.largest = std::max(peak.largest, m_log->gauges[peak.samples].values[gauge]);
    return std::max(1.0, peak.largest);
}

double TimelineView::countAt(const TimelineTrack &track, qint64 timeNs) const
{
    return gaugeAt(m_log->gauges, track.gauge, timeNs).value_or(0);
}

QString TimelineView::countText(const TimelineTrack &track, double count) const
{
    const double limit = limitOf(track);
    return limit > 0 ? QString(shortNumber(count) % u" / " % shortNumber(limit))
                     : shortNumber(count);
}

QString TimelineView::trackTip(const TimelineTrack &track, qint64 timeNs) const
{
    if (track.type == TimelineTrack::Type::Count)
        return countText(track, countAt(track, timeNs)) % u' ' % track.unit;
    for (int process = 1; process < m_processes.size(); ++process) {
        const AppendLog<Span> &spans = m_log->lane(process).spans;
        const qint64 at =
            spanAt(spans, m_indexes[static_cast<std::size_t>(process)].spanCount(), timeNs);
        if (at >= 0 && spans[static_cast<std::size_t>(at)].activity == Span::Activity::Running)
            return m_processes[process].name;
    }
    return tr("not recorded, or nobody");
}

void TimelineView::paintTrackBars(QPainter &painter, const QRect &bars, qsizetype track)
{
    const TimelineTrack &row = m_tracks[track];
    if (row.type != TimelineTrack::Type::Count)
        return paintHolders(painter, bars);
    paintCountTrack(painter, bars,
                    countColumns(m_log->gauges, row.gauge, visibleRange(), bars.width(), nowNs()),
                    topOf(track), limitOf(row));
}

void TimelineView::paintTrackHead(QPainter &painter, const QRect &row, qsizetype track)
{
    const Theme &theme = Theme::current();
    const TimelineTrack &info = m_tracks[track];
    const QRectF gutter(12, row.top(), barsRect().left() - 22, row.height());
    drawText(painter, gutter, Qt::AlignVCenter, info.title,
             textFont(isDense() ? TextSize::Tick : TextSize::Caption), theme.text2);
    if (info.type != TimelineTrack::Type::Count)
        return;
    const double limit = limitOf(info);
    const double count = countAt(info, m_cursorNs.value_or(nowNs()));
    const bool isFull = limit > 0 && count >= 0.9 * limit;
    drawText(painter, gutter, Qt::AlignVCenter | Qt::AlignRight, countText(info, count),
             monoFont(isDense() ? TextSize::Tick : TextSize::Small),
             isFull ? theme.full : theme.text2);
}

void TimelineView::paintHolders(QPainter &painter, const QRect &bars)
{
    std::vector<LockHolder> holders;
    for (int process = 1; process < m_processes.size(); ++process)
        holders.push_back({m_processes[process], m_log->lane(process).spans,
                           m_indexes[static_cast<std::size_t>(process)]});
    paintLockTrack(painter, bars, visibleRange(), holders);
}

} // namespace proclab
