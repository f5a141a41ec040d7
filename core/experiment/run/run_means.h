// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_log.h"
#include "core/experiment/spec/gauge_chart.h"

#include <optional>
#include <vector>

namespace proclab {

/// The value below which @p share (0 … 1) of @p sorted lies, between two entries by their distance:
/// 0 is the smallest, 0.5 the median, 1 the largest. @p sorted has entries, in rising order.
[[nodiscard]] double quantile(const std::vector<double> &sorted, double share);

/// When the work of a run that has ended was done; its last samples may be later, since processes
/// take a while to leave. 0: there are no samples. Looks at each task.
[[nodiscard]] qint64 workEndNs(const RunLog &log);

/// The mean of a rate from where rates count (RunLog::workBeginNs) to @p endNs; nullopt: nothing is
/// known yet. @p gauge is a position in GaugeSample::totals, @p maximum GaugeChart::maximum.
[[nodiscard]] std::optional<double> meanRate(const RunLog &log, int gauge, double maximum,
                                             qint64 endNs);

struct RatePoint
{
    qint64 timeNs = 0;
    double value = 0;
};
/// A rate in a run that has ended, as series number @p series of @p chart shows it: it counts from
/// RunLog::workBeginNs on, and there is none before. The work was done at @p endNs, between two
/// samples, so the last rate is of the time up to then, and there is none after.
[[nodiscard]] std::vector<RatePoint> ratesUntil(const RunLog &log, const GaugeChart &chart,
                                                qsizetype series, qint64 endNs);

/// Of @p rates as ratesUntil() gives them: the one that holds at @p timeNs, the mean up to its own
/// time; nullopt before the first and after the last.
[[nodiscard]] std::optional<double> rateAt(const std::vector<RatePoint> &rates, qint64 timeNs);

/// Percent of one core that all children together used, from the gate to the end of the last; 0:
/// none has ended.
[[nodiscard]] double meanCpuPercent(const RunLog &log);

/// Of the time from @p beginNs to @p endNs of a process, as the monitor saw it: on a core or ready
/// to run, 0 … 1; 1 without a sample. Of a task that did not end well nobody else tells.
[[nodiscard]] float workShare(const AppendLog<ProcessSample> &samples, qint64 beginNs,
                              qint64 endNs);

} // namespace proclab
