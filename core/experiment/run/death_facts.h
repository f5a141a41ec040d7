// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_log.h"
#include "core/experiment/spec/spec.h"

namespace proclab {

/// A process that died in a run, as far as the log tells by now.
struct DeathFacts
{
    const RunLog &log;
    const ExperimentSpec &spec;
    int process = -1;                 ///< Position in RunLog::processes().
    const TaskRecord *task = nullptr; ///< That it died in; null: none that is known.
    bool isReplaced = false;
};

} // namespace proclab
