// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <cstdint>

namespace proclab::runtime {

inline std::atomic<std::uint32_t> forksCounted = 0;

/// How many forks this process has come through since it was a fresh program: what was made at
/// another count belongs to a process that this one was forked from. Any thread.
[[nodiscard]] inline std::uint32_t forkCount()
{
    return forksCounted.load(std::memory_order_relaxed);
}

} // namespace proclab::runtime
