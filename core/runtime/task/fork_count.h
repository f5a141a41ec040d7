// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <cstdint>

namespace proclab::runtime {

inline std::atomic<std::uint32_t> forksCounted = 0;

/// How many forks lie between this process and the program that was started afresh. What was made
/// at another count belongs to a process from which this one was forked. Any thread.
[[nodiscard]] inline std::uint32_t forkCount()
{
    return forksCounted.load(std::memory_order_relaxed);
}

} // namespace proclab::runtime
