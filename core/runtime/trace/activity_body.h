// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/kill_point.h"
#include "core/runtime/task_progress.h"
#include "core/runtime/trace/span_ring.h"
#include "core/runtime/trace/wait_observer.h"

#include <array>
#include <atomic>
#include <cstdint>

namespace proclab::runtime {

/// What one process tells observers of its work, in shared memory: readable while it works and
/// after its SIGKILL. Zero-filled is new.
///
/// One writing thread, any number of readers in any process; one of them drains the spans.
struct ActivityBody
{
    enum class Phase : std::uint32_t {
        New,
        Ready,   ///< The process is there, and waits to begin.
        Working, ///< It has begun.
        Done,    ///< It has said that it has done all its work.
    };

    std::atomic<Phase> phase;
    std::atomic<std::int32_t> pid;
    std::atomic<std::uint32_t> sharer; ///< The process's number in the ObjectSpace.
    TaskProgress itemProgress;         ///< Of the item in hand, valid while progress is odd.
    /// Items done, times two, plus one while one is in hand: a single word, so that a death between
    /// two steps is never counted twice or not at all.
    std::atomic<std::uint64_t> progress;
    std::atomic<std::uint64_t> current; ///< The item in hand, valid while progress is odd.
    std::atomic<std::int64_t> currentSinceNs;
    std::atomic<std::uint64_t> failed;
    std::atomic<std::uint32_t> wait; ///< 1 + WaitFor; 0: it does not wait.
    std::atomic<std::int64_t> waitSinceNs;
    std::array<std::atomic<std::int64_t>, waitForCount> waitedNs; ///< Of waits that have ended.
    std::atomic<std::int64_t> firstOperationNs;
    std::atomic<std::int64_t> lastOperationNs;
    alignas(64) SpanRing spans;

    void begin(std::uint64_t item, std::int64_t sinceNs)
    {
        current.store(item, std::memory_order_relaxed);
        PROCLAB_KILL_POINT("activity-begin.numbered");
        currentSinceNs.store(sinceNs, std::memory_order_relaxed);
        itemProgress.reset();
        progress.store(progress.load(std::memory_order_relaxed) | 1, std::memory_order_release);
        PROCLAB_KILL_POINT("activity-begin.marked");
    }
    /// The item in hand is done, and @p count - 1 more with it.
    void finish(std::uint64_t count = 1)
    {
        const std::uint64_t done = progress.load(std::memory_order_relaxed) & ~std::uint64_t{1};
        progress.store(done + 2 * count, std::memory_order_release);
        PROCLAB_KILL_POINT("activity-finish.marked");
    }
    /// The item in hand does not count as done.
    void drop()
    {
        progress.store(progress.load(std::memory_order_relaxed) & ~std::uint64_t{1},
                       std::memory_order_release);
    }
};

} // namespace proclab::runtime
