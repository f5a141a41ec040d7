// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <limits>

namespace proclab::runtime {

/// CLOCK_MONOTONIC in nanoseconds, which is the same in every process of this boot. A call takes
/// about 25 ns.
[[nodiscard]] std::int64_t nowNs();
/// A time that never comes, on that clock.
constexpr std::int64_t noDeadline = std::numeric_limits<std::int64_t>::max();
/// A sleeper wakes at least this often, to notice processes that are gone.
constexpr std::int64_t parkNs = 100'000'000;

/// CPU time of the calling thread in nanoseconds. A system call.
[[nodiscard]] std::int64_t threadCpuNs();
/// CPU time of the calling process, all threads, in nanoseconds. A system call.
[[nodiscard]] std::int64_t processCpuNs();

/// Where most of a stretch of time went.
enum class Spent : std::uint8_t {
    OnCore,
    Ready,  ///< Waiting for a core.
    Asleep, ///< Waiting for something else: a timer, a device.
};
/// The same amounts in any unit, one for all three.
[[nodiscard]] constexpr Spent mostOf(double onCore, double ready, double asleep)
{
    if (onCore >= ready && onCore >= asleep)
        return Spent::OnCore;
    return ready >= asleep ? Spent::Ready : Spent::Asleep;
}

/// How a thread spent a stretch of time: nanoseconds on a core, and nanoseconds ready but without
/// one.
struct ThreadUsage
{
    std::int64_t cpuNs = 0;
    std::int64_t readyNs = 0; ///< 0 where the kernel does not count it.

    /// Where most of the @p lengthNs since @p before went.
    [[nodiscard]] Spent spentSince(const ThreadUsage &before, std::int64_t lengthNs) const
    {
        const auto onCore = static_cast<double>(cpuNs - before.cpuNs);
        const auto ready = static_cast<double>(readyNs - before.readyNs);
        return mostOf(onCore, ready, static_cast<double>(lengthNs) - onCore - ready);
    }
};
/// Of the calling thread so far; about 1.5 us. For the main thread of a process, from one thread at
/// a time.
[[nodiscard]] ThreadUsage threadUsage();

} // namespace proclab::runtime
