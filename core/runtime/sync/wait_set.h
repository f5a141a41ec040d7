// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/clock.h"
#include "core/runtime/futex.h"
#include "core/runtime/kill_point.h"

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
class WaitSet
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

/// Waits until @p ready() holds: spins shortly, then sleeps in @p set. @p goOn() is asked each time
/// before sleeping on, each @p lookUpNs; false ends the wait. Returns whether ready() held.
template<typename ParkOf, typename Ready, typename GoOn>
bool waitIn(WaitSet &set, std::uint32_t slot, ParkOf parkOf, Ready ready, GoOn goOn,
            std::int64_t lookUpNs = parkNs)
{
    FutexWord &park = parkOf(slot);
    if (looksShortly(ready))
        return true;
    for (;;) {
        set.announce(slot, park);
        const bool done = ready();
        if (done || !goOn()) {
            // A wake-up that was meant for a sleeper goes on to the next one.
            if (!set.withdraw(slot, park))
                set.wake(1, parkOf);
            return done;
        }
        PROCLAB_KILL_POINT("park.before-sleep");
        futexWait(park, 1, lookUpNs);
        PROCLAB_KILL_POINT("park.after-sleep");
    }
}

} // namespace proclab::runtime
