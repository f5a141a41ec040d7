// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/workloads/loop_progress.h"

namespace proclab::runtime {

/// Sleeps @p seconds in full, through signals; 0 or less returns at once. If somebody looks at
/// @p progress it wakes up to tell, at most 20 times a second and a hundred times in all.
void pause(double seconds, ProgressRange progress = {});
/// Uses @p seconds of CPU time of the calling thread.
void burn(double seconds, ProgressRange progress = {});

} // namespace proclab::runtime
