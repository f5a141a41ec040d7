// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

namespace proclab::runtime {

/// CLOCK_MONOTONIC in nanoseconds: the same axis in every process of this boot. About 25 ns a call.
[[nodiscard]] std::int64_t nowNs();
/// CPU time of the calling thread in nanoseconds. A system call.
[[nodiscard]] std::int64_t threadCpuNs();
/// CPU time of the calling process, all threads, in nanoseconds. A system call.
[[nodiscard]] std::int64_t processCpuNs();

} // namespace proclab::runtime
