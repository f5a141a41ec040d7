// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/kill_point.h"
#include "core/runtime/sync/wait_set.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

namespace proclab::runtime {

/// The workers of a pool that have no task. Some search: they look for a task without sleeping, or
/// have just been woken for that. The others sleep. No more search than cores could serve, so that
/// many workers are no slower than a few. A task wakes a sleeper only if too few search, and a
/// searcher that finds a task wakes others for those that still wait.
///
/// The bits of the searchers are hints. A missing bit costs a needless wake-up. A bit that a killed
/// or stopped process left is cleared by forgetSearches(); until then sleepers wake up by
/// themselves, and the parent wakes them for tasks that nobody takes.
///
/// Between processes, in shared memory; zero-filled and set up, it is empty.
class IdleWorkers
{
public:
    /// Called before the first worker starts; lets at most @p mostSearching search at a time.
    void setUp(std::uint32_t mostSearching) { m_mostSearching = mostSearching; }

    /// The worker in @p slot searches from now on; false if enough do already. A worker also calls
    /// it before it reports its last task, for the parent may submit the next one at once.
    bool beginSearch(std::uint32_t slot)
    {
        auto &bits = m_searching[slot / 64];
        if ((bits.load(std::memory_order_relaxed) & bitOf(slot)) != 0)
            return true;
        if (searching() >= m_mostSearching)
            return false;
        bits.fetch_or(bitOf(slot), std::memory_order_relaxed);
        PROCLAB_KILL_POINT("search.announced");
        return true;
    }
    /// The worker in @p slot waits until @p ready() holds; see waitIn(). It searches if there is
    /// room for one more, else it sleeps at once. Once it has a task or leaves, endSearch() must
    /// follow.
    template<typename ParkOf, typename Ready, typename GoOn>
    bool wait(std::uint32_t slot, ParkOf parkOf, Ready ready, GoOn goOn, std::int64_t lookUpNs)
    {
        if (beginSearch(slot) && looksShortly(ready))
            return true;
        FutexWord &park = parkOf(slot);
        for (;;) {
            m_sleeping.announce(slot, park);
            endSearch(slot);
            // Pairs with the fence in wakeFor(): either the waker sees that this worker does not
            // search any more, or this worker sees the task.
            std::atomic_thread_fence(std::memory_order_seq_cst);
            const bool done = ready();
            if (done || !goOn()) {
                // A wake-up that was meant for a sleeper goes on to the next one.
                if (!m_sleeping.withdraw(slot, park) && !done)
                    m_sleeping.wake(1, parkOf);
                return done;
            }
            PROCLAB_KILL_POINT("park.before-sleep");
            futexWait(park, 1, lookUpNs);
            PROCLAB_KILL_POINT("park.after-sleep");
        }
    }
    /// The worker in @p slot has a task, or leaves, while @p waiting others are in the queue.
    template<typename ParkOf>
    void endSearch(std::uint32_t slot, std::uint64_t waiting, ParkOf parkOf)
    {
        endSearch(slot);
        PROCLAB_KILL_POINT("search.ended");
        wakeFor(waiting, parkOf);
    }

    /// Called after tasks were added; @p waiting tasks are in the queue. Makes sure that enough
    /// workers search, and returns whether it woke any for that.
    template<typename ParkOf>
    bool wakeFor(std::uint64_t waiting, ParkOf parkOf)
    {
        std::atomic_thread_fence(std::memory_order_seq_cst);
        if (waiting == 0 || m_sleeping.isEmpty())
            return false;
        const std::uint64_t wanted = std::min<std::uint64_t>(waiting, m_mostSearching);
        bool hasWoken = false;
        for (std::uint64_t found = searching(); found < wanted; ++found) {
            if (!m_sleeping.wakeOne(parkOf, [this](std::uint32_t slot, bool begins) {
                    if (begins)
                        m_searching[slot / 64].fetch_or(bitOf(slot), std::memory_order_relaxed);
                    else
                        endSearch(slot);
                }))
                break;
            hasWoken = true;
        }
        return hasWoken;
    }
    /// Wakes up to @p count sleepers, no matter how many search.
    template<typename ParkOf>
    void wake(std::uint32_t count, ParkOf parkOf)
    {
        m_sleeping.wake(count, parkOf);
    }
    template<typename ParkOf>
    void wakeAll(ParkOf parkOf)
    {
        m_sleeping.wakeAll(parkOf);
    }
    /// Called by the parent after a death.
    void forgetSearches()
    {
        for (auto &bits : m_searching)
            bits.store(0, std::memory_order_relaxed);
    }

private:
    static std::uint64_t bitOf(std::uint32_t slot) { return std::uint64_t{1} << (slot % 64); }
    void endSearch(std::uint32_t slot)
    {
        m_searching[slot / 64].fetch_and(~bitOf(slot), std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint32_t searching() const
    {
        int count = 0;
        for (const auto &bits : m_searching)
            count += std::popcount(bits.load(std::memory_order_relaxed));
        return static_cast<std::uint32_t>(count);
    }

    WaitSet m_sleeping;
    alignas(64) std::array<std::atomic<std::uint64_t>, maxSlots / 64> m_searching;
    std::uint32_t m_mostSearching;
};

} // namespace proclab::runtime
