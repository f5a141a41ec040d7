// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/stage_snapshot.h"

namespace proclab {

struct CounterState final : KindState
{
    qint64 value = 0;
    qint64 expected = 0;
    int lockOwner = -1; ///< Position in RunLog::processes(); -1: free.
    int lockWaiters = 0;
};

} // namespace proclab
