// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_log.h"
#include "core/experiment/run/stage_snapshot.h"

#include <QList>
#include <QString>

#include <cmath>
#include <optional>
#include <vector>

namespace proclab {

/// Plain functions that turn a lane's spans into what is drawn: no widget, no painter.

/// What is in view, in nanoseconds of the run's axis.
struct TimeRange
{
    qint64 fromNs = 0;
    qint64 toNs = 1;

    [[nodiscard]] qint64 length() const { return toNs - fromNs; }
    [[nodiscard]] double nsPerPixel(double width) const
    {
        return static_cast<double>(length()) / width;
    }
    /// The pixel of @p timeNs on a lane of @p width pixels.
    [[nodiscard]] double pixel(qint64 timeNs, double width) const
    {
        return static_cast<double>(timeNs - fromNs) / nsPerPixel(width);
    }
    [[nodiscard]] qint64 timeAt(double pixel, double width) const
    {
        return fromNs + static_cast<qint64>(pixel * nsPerPixel(width));
    }
    /// The same in whole device pixels, in logical ones again. Ranges that are apart by whole
    /// pixels give the same, although no computed position is exact.
    [[nodiscard]] double wholePixel(qint64 timeNs, double width, double devicePixelRatio) const
    {
        constexpr double nearly = 1e-3;
        return std::floor(pixel(timeNs, width) * devicePixelRatio + nearly) / devicePixelRatio;
    }
    bool operator==(const TimeRange &) const = default;
};

/// Columns of a lane, from the first to the one before @p end.
struct PixelSpan
{
    int begin = 0;
    int end = 0;
};

/// Nanoseconds spent in each way.
struct TimeShares
{
    double work = 0;
    double readyToRun = 0;
    double sleeping = 0;
    double blockedOnFull = 0;
    double waitingForLock = 0;
    double failed = 0; ///< Part of work.
    double dropped = 0;
    double single = 0; ///< Part of work: in bars of one task, item or increment.

    void add(const Span &span, double ns);
    void add(const TimeShares &other);
    [[nodiscard]] TimeShares scaled(double factor) const;
    /// In a task or item, whether on a core or not.
    [[nodiscard]] double busy() const { return work + readyToRun + sleeping; }
};

/// Sums over 16, 256, 4,096 … spans of a lane, so that what is narrower than a pixel is drawn
/// without looking at its spans. Reads each span once.
class SpanIndex
{
public:
    struct Node
    {
        qint64 startNs = 0;
        qint64 endNs = 0;
        quint64 count = 0; ///< Tasks or items.
        TimeShares shares;
    };
    static constexpr std::size_t fanOut = 16;

    /// Takes in what @p spans got since the last call.
    void update(const AppendLog<Span> &spans);

    [[nodiscard]] std::size_t spanCount() const { return m_count; }
    /// 0: of 16 spans each. The last level has at most 16 nodes.
    [[nodiscard]] std::size_t levelCount() const { return m_levels.size(); }
    [[nodiscard]] const std::vector<Node> &level(std::size_t level) const
    {
        return m_levels[level];
    }
    /// Of the whole lane.
    [[nodiscard]] const TimeShares &total() const { return m_total; }

private:
    void addToLevel(std::size_t level, const Span &span, std::size_t index);

    std::size_t m_count = 0;
    TimeShares m_total;
    std::vector<std::vector<Node>> m_levels;
};

/// A span wide enough to be seen, in pixels of the lane.
struct TimelineBar
{
    double left = 0;
    double right = 0;
    std::size_t span = 0; ///< Its position in the lane.
};

/// Narrower spans, merged in one pixel column: shares (0 … 1) of its time.
struct TimelineColumn
{
    int x = 0;
    quint64 count = 0; ///< Tasks or items that began in it.
    TimeShares shares;
    bool used = false;
};

struct LaneLayout
{
    std::vector<TimelineBar> bars;       ///< From left to right.
    std::vector<TimelineColumn> columns; ///< From left to right, one a pixel at most.
};

/// What of @p spans is in @p range, on a lane of @p width pixels. Looks at a number of spans and
/// nodes that grows with the width, not with the spans.
[[nodiscard]] LaneLayout layoutLane(const AppendLog<Span> &spans, const SpanIndex &index,
                                    const TimeRange &range, int width);

/// The position of the span at @p timeNs among the first @p count of @p spans, by binary search;
/// -1: none.
[[nodiscard]] qint64 spanAt(const AppendLog<Span> &spans, std::size_t count, qint64 timeNs);

/// What @p process is doing at @p nowNs, as a span that is still open, after its last span that
/// ended at
/// @p lastEndNs; its count is 0 if it holds no task. nullopt: nothing to draw.
[[nodiscard]] std::optional<Span> openSpan(const ProcessLive &live, const ProcessRecord &process,
                                           qint64 lastEndNs, qint64 nowNs);

struct TimeTick
{
    qint64 timeNs = 0;
    QString label; ///< "1.5 s"
    bool operator==(const TimeTick &) const = default;
};
/// Ticks at round times in @p range, at least @p spacing pixels apart.
[[nodiscard]] QList<TimeTick> timeTicks(const TimeRange &range, double width, double spacing);

/// How much time a view of a run that is at @p nowNs shows at most: four times what fits.
[[nodiscard]] qint64 longestRangeNs(qint64 nowNs);
/// @p range zoomed by @p factor (below 1: closer) around @p aroundNs, which stays where it is.
/// Between 1 µs and @p longestNs long.
[[nodiscard]] TimeRange zoomed(const TimeRange &range, double factor, qint64 aroundNs,
                               qint64 longestNs);
/// What following shows at @p nowNs: all of it while it fits in @p lengthNs, then its end with a
/// little room.
[[nodiscard]] TimeRange followingRange(qint64 nowNs, qint64 lengthNs);
/// @p range moved to the left by less than one of @p pixels, so that all such ranges of its length
/// have their pixels at the same times: a picture of one can be moved to be one of another.
[[nodiscard]] TimeRange onWholePixels(const TimeRange &range, double pixels);
/// All of a run of @p nowNs, with the axis moving in round steps.
[[nodiscard]] TimeRange fittingRange(qint64 nowNs);

} // namespace proclab
