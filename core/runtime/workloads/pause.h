// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace proclab::runtime {

/// Sleeps @p seconds in full, through signals; 0 or less returns at once.
void pause(double seconds);
/// Uses @p seconds of CPU time of the calling thread.
void burn(double seconds);

} // namespace proclab::runtime
