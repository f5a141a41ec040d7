// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <limits>

namespace proclab::runtime {

/// CLOCK_MONOTONIC in nanoseconds: the same axis in every process of this boot. About 25 ns a call.
[[nodiscard]] std::int64_t nowNs();
/// A time that never comes, on that clock.
constexpr std::int64_t noDeadline = std::numeric_limits<std::int64_t>::max();
/// A sleeper looks up this often, whatever happens: it notices a process that is gone.
constexpr std::int64_t parkNs = 100'000'000;

/// CPU time of the calling thread in nanoseconds. A system call.
[[nodiscard]] std::int64_t threadCpuNs();
/// CPU time of the calling process, all threads, in nanoseconds. A system call.
[[nodiscard]] std::int64_t processCpuNs();

/// How a thread spent a stretch of time: nanoseconds on a core, and nanoseconds ready but without
/// one.
struct ThreadUsage
{
    std::int64_t cpuNs = 0;
    std::int64_t readyNs = 0; ///< 0 where the kernel keeps no such account.

    /// Whether a stretch of @p lengthNs that began at @p before was mostly neither: asleep, or
    /// waiting for a device.
    [[nodiscard]] bool sleptSince(const ThreadUsage &before, std::int64_t lengthNs) const
    {
        return (cpuNs - before.cpuNs + readyNs - before.readyNs) * 2 < lengthNs;
    }
};
/// Of the calling thread so far; about 1.5 us. For the main thread of a process, from one thread at
/// a time.
[[nodiscard]] ThreadUsage threadUsage();

} // namespace proclab::runtime
