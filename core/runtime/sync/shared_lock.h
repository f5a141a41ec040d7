// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/clock.h"
#include "core/runtime/futex.h"
#include "core/runtime/kill_point.h"
#include "core/runtime/trace/process_notes.h"

#include <algorithm>
#include <cstdint>

#include <sched.h>

namespace proclab::runtime {

/// A lock between processes that knows its owner and outlives it. Its word holds the owner's slot,
/// so that the parent can name the owner, and pass the lock on with a mark when the owner is dead.
///
/// One word of shared memory, zero is free. Not recursive. Not fair. After Drepper, "Futexes Are
/// Tricky" (2011), mutex 3, with the owner in place of a plain 1.
class SharedLock
{
public:
    enum class Outcome {
        Acquired,
        Recovered, ///< Acquired; the previous owner died holding it, so the guarded data may be
                   ///< half written.
        GivenUp, ///< goOn() said so, or the time is over.
    };

    /// Tries once.
    [[nodiscard]] bool tryLock(std::uint32_t slot)
    {
        std::uint32_t free = 0;
        return m_word.compare_exchange_strong(free, slot + 1, std::memory_order_acquire,
                                              std::memory_order_relaxed);
    }

    /// Waits for the lock, until @p deadlineNs on the clock of nowNs(). @p goOn() is asked at least
    /// ten times a second while waiting.
    template<typename GoOn>
    Outcome lock(std::uint32_t slot, GoOn goOn, std::int64_t deadlineNs = noDeadline)
    {
        if (tryLock(slot)) {
            PROCLAB_KILL_POINT("lock.taken");
            return Outcome::Acquired;
        }
        return lockSlowly(slot, goOn, deadlineNs);
    }

    /// Called by its owner, or in its place; false if it is free.
    bool unlock()
    {
        PROCLAB_KILL_POINT("unlock.before");
        std::uint32_t word = m_word.load(std::memory_order_relaxed);
        do {
            if ((word & ownerMask) == 0)
                return false;
        } while (!m_word.compare_exchange_weak(word, 0, std::memory_order_release,
                                               std::memory_order_relaxed));
        PROCLAB_KILL_POINT("unlock.freed");
        if (word & waitersBit)
            futexWake(m_word, 1);
        return true;
    }

    /// The owner's slot; -1 if it is free.
    [[nodiscard]] int owner() const { return ownerIn(m_word.load(std::memory_order_relaxed)); }
    /// The owner in a word that a waiter has seen.
    [[nodiscard]] static int ownerIn(std::uint32_t word)
    {
        return static_cast<int>(word & ownerMask) - 1;
    }

    /// Called once the process of slot @p dead is known to be gone. If it held the lock, the next
    /// owner gets Recovered.
    bool recover(std::uint32_t dead)
    {
        std::uint32_t word = m_word.load(std::memory_order_acquire);
        while ((word & ownerMask) == dead + 1) {
            if (m_word.compare_exchange_weak(word, diedBit | waitersBit,
                                             std::memory_order_acq_rel)) {
                futexWake(m_word, 1);
                return true;
            }
        }
        return false;
    }

private:
    static constexpr std::uint32_t waitersBit = 0x8000'0000;
    static constexpr std::uint32_t diedBit = 0x4000'0000;
    static constexpr std::uint32_t ownerMask = 0xffff;
    static constexpr int hotRounds = 7; ///< Of 1, 2, 4, … pauses.

    template<typename GoOn>
    Outcome lockSlowly(std::uint32_t slot, GoOn goOn, std::int64_t deadlineNs)
    {
        WaitScope noted;
        std::int64_t spinUntil = 0;
        for (int round = 0;; ++round) {
            std::uint32_t word = m_word.load(std::memory_order_relaxed);
            if ((word & ownerMask) == 0) {
                // A thread that has slept cannot know whether others still sleep, so it takes the
                // lock with the bit set.
                const std::uint32_t mine =
                    (slot + 1) | (word & waitersBit) | (spinUntil < 0 ? waitersBit : 0);
                PROCLAB_KILL_POINT("lock.seen-free");
                if (m_word.compare_exchange_weak(word, mine, std::memory_order_acquire)) {
                    PROCLAB_KILL_POINT("lock.taken-after-wait");
                    return (word & diedBit) ? Outcome::Recovered : Outcome::Acquired;
                }
                continue;
            }
            // Each look takes the word's cache line from the owner. With ever rarer looks, each of
            // the two does many steps in a row. After Anderson, "The Performance of Spin Lock
            // Alternatives" (1990).
            if (round < hotRounds) {
                for (int i = 0; i < 1 << round; ++i)
                    spinPause();
                continue;
            }
            if (spinUntil == 0)
                spinUntil = std::min(nowNs() + 20'000, deadlineNs);
            if (spinUntil > 0 && nowNs() < spinUntil) {
                ::sched_yield();
                continue;
            }
            spinUntil = -1;
            if (!(word & waitersBit) &&
                !m_word.compare_exchange_weak(word, word | waitersBit, std::memory_order_relaxed))
                continue;
            const std::int64_t leftNs = deadlineNs - nowNs();
            if (leftNs <= 0 || !goOn())
                return Outcome::GivenUp;
            noted.sleepsOn(m_word, word | waitersBit, deadlineNs);
            PROCLAB_KILL_POINT("lock.before-sleep");
            futexWait(m_word, word | waitersBit, std::min(leftNs, parkNs));
        }
    }

    FutexWord m_word;
};

} // namespace proclab::runtime
