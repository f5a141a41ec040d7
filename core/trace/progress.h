// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/task_progress.h"

namespace proclab {

/// Tells observers how far the calling thread's task is: the task that it runs as a pool's worker,
/// or the item that its ActivityReport has in hand. @p fraction of its work, 0 to 1, is done; what
/// lies outside counts as the nearer end. The next task or item begins with nothing told.
///
/// Costs some nanoseconds, and no message. Without effect where nobody looks: in the program
/// itself, in a thread that the task has started, in a process that it has forked.
inline void setTaskProgress(double fraction)
{
    if (runtime::TaskProgress *progress = runtime::TaskProgress::current())
        progress->tell(fraction);
}

} // namespace proclab
