// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace proclab {

/// How many cores this process may use (sched_getaffinity), at least 1.
[[nodiscard]] int usableCores();

} // namespace proclab
