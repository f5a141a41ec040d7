// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/clock.h"
#include "core/runtime/futex.h"
#include "core/runtime/kill_point.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

#include <sched.h>

namespace proclab::runtime {

constexpr std::uint32_t maxSlots = 320;

/// How long a waiter looks for work before it sleeps: short, since waking a sleeper on another core
/// costs 40 to 50 us on virtual machines, and yielding, so that more processes than cores do not
/// collapse.
constexpr std::int64_t spinNs = 40'000;

/// The processes that sleep until one condition may hold: a bit for each slot, and a futex word of
/// each slot's own. A dead sleeper leaves a bit, never a wrong count; who wakes it wakes nobody,
/// which the parent mends by wakeAll() when it recovers the slot.
///
/// Between processes; lives in shared memory, zero-filled is empty.
class SleepingWorkers
{
public:
    /// Announces slot @p slot; the caller then looks at its condition once more before it sleeps.
    void announce(std::uint32_t slot, FutexWord &park)
    {
        park.store(1, std::memory_order_relaxed);
        PROCLAB_KILL_POINT("park.word-set");
        m_bits[slot / 64].fetch_or(std::uint64_t{1} << (slot % 64), std::memory_order_seq_cst);
        PROCLAB_KILL_POINT("park.announced");
        // Pairs with the fence in wake(): either the waker sees the bit or the waiter sees the
        // change.
        std::atomic_thread_fence(std::memory_order_seq_cst);
    }
    /// Takes the announcement back; false: somebody has already spent a wake-up on it.
    bool withdraw(std::uint32_t slot, FutexWord &park)
    {
        const std::uint64_t mask = std::uint64_t{1} << (slot % 64);
        const std::uint64_t before = m_bits[slot / 64].fetch_and(~mask, std::memory_order_seq_cst);
        PROCLAB_KILL_POINT("park.withdrawn");
        park.store(0, std::memory_order_relaxed);
        return (before & mask) != 0;
    }

    [[nodiscard]] bool isEmpty() const
    {
        for (const auto &bits : m_bits) {
            if (bits.load(std::memory_order_relaxed) != 0)
                return false;
        }
        return true;
    }

    /// Wakes up to @p count sleepers after the condition was changed. @p parkOf gives a slot's
    /// futex word.
    template<typename ParkOf>
    void wake(std::uint32_t count, ParkOf parkOf)
    {
        std::atomic_thread_fence(std::memory_order_seq_cst);
        while (count > 0 && wakeOne(parkOf, [](std::uint32_t, bool) {}))
            --count;
    }
    /// Wakes the sleeper with the lowest slot, behind a fence of the caller's; false: there is
    /// none. @p tell is told its slot, and true, before it can know that it is woken; and false, if
    /// somebody else came first.
    template<typename ParkOf, typename Tell>
    bool wakeOne(ParkOf parkOf, Tell tell)
    {
        for (std::uint32_t word = 0; word < m_bits.size(); ++word) {
            std::uint64_t bits = m_bits[word].load(std::memory_order_relaxed);
            while (bits != 0) {
                const int bit = std::countr_zero(bits);
                const std::uint64_t mask = std::uint64_t{1} << bit;
                const std::uint32_t slot = word * 64 + static_cast<std::uint32_t>(bit);
                bits &= ~mask;
                tell(slot, true);
                if ((m_bits[word].fetch_and(~mask, std::memory_order_acq_rel) & mask) == 0) {
                    tell(slot, false); // Somebody else wakes it.
                    continue;
                }
                PROCLAB_KILL_POINT("wake.bit-taken");
                FutexWord &park = parkOf(slot);
                park.store(0, std::memory_order_release);
                PROCLAB_KILL_POINT("wake.word-cleared");
                futexWake(park, 1);
                return true;
            }
        }
        return false;
    }
    template<typename ParkOf>
    void wakeAll(ParkOf parkOf)
    {
        wake(maxSlots, parkOf);
    }

private:
    std::array<std::atomic<std::uint64_t>, maxSlots / 64> m_bits;
};

/// Whether @p ready() holds soon: for so long it is not worth while to sleep.
template<typename Ready>
bool looksShortly(Ready ready)
{
    for (int i = 0; i < 64; ++i) {
        if (ready())
            return true;
        spinPause();
    }
    const std::int64_t spinEnd = nowNs() + spinNs;
    do {
        ::sched_yield();
        if (ready())
            return true;
    } while (nowNs() < spinEnd);
    return false;
}

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
    /// The worker in @p slot waits until @p ready() holds; @p goOn() is asked each
    /// time before it sleeps, each @p lookUpNs, and false ends the wait. Searches if there is room
    /// for one more, else sleeps at once. Once it has a task or leaves, endSearch() follows.
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

    SleepingWorkers m_sleeping;
    alignas(64) std::array<std::atomic<std::uint64_t>, maxSlots / 64> m_searching;
    std::uint32_t m_mostSearching;
};

} // namespace proclab::runtime
