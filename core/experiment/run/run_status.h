// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_source.h"

#include <QString>

namespace proclab {

/// How far a run has come: a few numbers, cheap to compare, for whatever stands beside a view of
/// it.
struct RunStatus
{
    RunSource::State state = RunSource::State::Idle;
    bool failed = false;      ///< Ended, since the engine could not go on.
    QString startMethod;      ///< "forkserver"; empty if the kind has none.
    int startedProcesses = 0; ///< While starting: at the gate.
    int processes = 0;        ///< While starting: in all; 0: not known yet.
    double elapsedSeconds = 0;
    quint64 total = 0;
    quint64 done = 0;
    quint64 failedTasks = 0;
    quint64 cancelled = 0;
    quint64 lost = 0;
    quint64 events = 0;
    quint64 droppedSpans = 0;
    double samplingPercent =
        -1; ///< What sampling costs, in percent of one core; below 0: not known.

    [[nodiscard]] bool isActive() const
    {
        return state == RunSource::State::Starting || state == RunSource::State::Running ||
               state == RunSource::State::Stopping;
    }
    bool operator==(const RunStatus &) const = default;
};

/// Of @p run at the instant of @p picture, also its time; once it has ended from its result.
/// Without a picture (null) of now.
[[nodiscard]] RunStatus statusOf(const RunSource &run, const StageSnapshotPointer &picture);
/// The same at its newest picture.
[[nodiscard]] RunStatus statusOf(const RunSource &run);
/// Before a run of @p spec.
[[nodiscard]] RunStatus idleStatus(const ExperimentSpec &spec);

/// "Running", "Failed"; translated.
[[nodiscard]] QString stateText(const RunStatus &status);
/// "12 of 24 done, 1 lost"
[[nodiscard]] QString progressText(quint64 done, quint64 total, quint64 failed, quint64 lost);

} // namespace proclab
