// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_log.h"
#include "ui/experiment/timeline/timeline_layout.h"

#include <QPainter>
#include <QRect>

#include <optional>
#include <vector>

namespace proclab {

/// Lanes of the timeline that belong to no process: what lies between the processes.

/// The smallest and largest value of a count in each pixel column; a column without has a largest
/// below 0.
struct CountColumn
{
    float smallest = -1;
    float largest = -1;
};

/// Gauge number @p gauge of @p samples in @p range, on a lane of @p width pixels. A count holds
/// until the next sample, the last until @p nowNs.
[[nodiscard]] std::vector<CountColumn> countColumns(const AppendLog<GaugeSample> &samples,
                                                    int gauge, const TimeRange &range, int width,
                                                    qint64 nowNs);

/// Paints @p columns as a filled curve that reaches the top of @p area at @p top. @p limit: a line
/// there; 0: none.
void paintCountTrack(QPainter &painter, const QRect &area, const std::vector<CountColumn> &columns,
                     double top, double limit);

/// Who held the lock: the increments of a process that were recorded singly.
struct LockHolder
{
    const ProcessRecord &process;
    const AppendLog<Span> &spans;
    const SpanIndex &index;
};
void paintLockTrack(QPainter &painter, const QRect &area, const TimeRange &range,
                    const std::vector<LockHolder> &holders);

} // namespace proclab
