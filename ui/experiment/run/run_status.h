// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/experiment_run.h"

#include <QString>

namespace proclab {

/// What the top bar, the rail and the status bar show of a page's run: a few numbers, cheap to
/// compare.
struct RunStatus
{
    ExperimentRun::State state = ExperimentRun::State::Idle;
    bool failed = false;      ///< Ended, since the engine could not go on.
    QString blockedBy;        ///< Why it can't be started, in one line; empty: it can.
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
        return state == ExperimentRun::State::Starting || state == ExperimentRun::State::Running ||
               state == ExperimentRun::State::Stopping;
    }
    bool operator==(const RunStatus &) const = default;
};

} // namespace proclab
