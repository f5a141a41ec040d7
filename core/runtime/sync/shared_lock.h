// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/clock.h"
#include "core/runtime/futex.h"
#include "core/runtime/kill_point.h"
#include "core/runtime/sync/newcomer_gate.h"
#include "core/runtime/trace/process_notes.h"

#include <algorithm>
#include <climits>
#include <cstdint>

#include <sched.h>

namespace proclab::runtime {

/// A lock between processes that knows its owner and outlives it. Its word holds the owner's slot,
/// so that the parent can name the owner, and pass the lock on with a mark when the owner is dead.
///
/// In shared memory, zero is free. Not recursive. Whoever comes while it is free takes it, until a
/// waiter has been passed over for too long: see NewcomerGate. After Drepper, "Futexes Are Tricky"
/// (2011), mutex 3, with the owner in place of a plain 1.
class SharedLock
{
public:
    enum class Outcome {
        Acquired,
        Recovered, ///< Acquired; the previous owner died holding it, so the guarded data may be
                   ///< half written.
        GivenUp,   ///< goOn() said so, or the time is over.
    };

    /// Tries once; false also while it is free for those that wait.
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
        } while (!m_word.compare_exchange_weak(word, word & gateBit, std::memory_order_release,
                                               std::memory_order_relaxed));
        PROCLAB_KILL_POINT("unlock.freed");
        // With nobody asleep that may pass, the gate may be that of a dead waiter.
        if ((word & waitersBit) &&
            (!(word & gateBit) || futexWake(m_word, 1, NewcomerGate::entitled) == 0))
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
    /// owner gets Recovered, and this is true. If it waited, nobody waits for it.
    bool recover(std::uint32_t dead)
    {
        if (m_gate.reset())
            openWord();
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
    /// The gate may be closed: only those that have waited look closer.
    static constexpr std::uint32_t gateBit = 0x2000'0000;
    static constexpr std::uint32_t ownerMask = 0xffff;
    static constexpr int hotRounds = 7; ///< Of 1, 2, 4, … pauses.
    static constexpr std::int64_t spinNs = 20'000;

    /// What a thread that waits keeps of its wait.
    struct Wait : NewcomerGate::Waiter
    {
        int round = 0;
        bool hasSlept = false;
    };

    template<typename GoOn>
    Outcome lockSlowly(std::uint32_t slot, GoOn goOn, std::int64_t deadlineNs)
    {
        WaitScope noted;
        for (Wait wait;;) {
            std::uint32_t word = m_word.load(std::memory_order_relaxed);
            if (isFree(word, wait)) {
                if (take(word, slot, wait))
                    return (word & diedBit) ? Outcome::Recovered : Outcome::Acquired;
                continue;
            }
            if (spinsOnce(wait, deadlineNs))
                continue;
            const std::int64_t now = nowNs();
            if (wait.hasSlept)
                m_gate.passedOver(wait, now);
            wait.hasSlept = true;
            const std::uint32_t marked = word | waitersBit | (m_gate.isOpen() ? 0 : gateBit);
            if (word != marked &&
                !m_word.compare_exchange_weak(word, marked, std::memory_order_relaxed))
                continue;
            const std::int64_t leftNs = deadlineNs - now;
            if (leftNs <= 0 || !goOn()) {
                if (m_gate.open(wait))
                    openWord();
                return Outcome::GivenUp;
            }
            noted.sleepsOn(m_word, marked, deadlineNs);
            PROCLAB_KILL_POINT("lock.before-sleep");
            sleep(marked, std::min(leftNs, parkNs), wait);
        }
    }
    void sleep(std::uint32_t marked, std::int64_t lengthNs, const Wait &wait)
    {
        if (!m_gate.lets(wait.sinceNs)) {
            futexWaitIn(NewcomerGate::heldBack, m_word, marked, lengthNs);
            return;
        }
        futexWait(m_word, marked, lengthNs);
        // The gate was closed meanwhile, with an earlier time: the wake-up is for somebody else.
        if (!m_gate.lets(wait.sinceNs))
            futexWake(m_word, 1, NewcomerGate::entitled);
    }
    /// For this waiter.
    [[nodiscard]] bool isFree(std::uint32_t word, const Wait &wait) const
    {
        return (word & ownerMask) == 0 && (!(word & gateBit) || m_gate.lets(wait.sinceNs));
    }
    /// A thread that has slept cannot know whether others still sleep, so it takes the lock with
    /// the bit set. @p word is as it was found.
    bool take(std::uint32_t &word, std::uint32_t slot, Wait &wait)
    {
        std::uint32_t mine = (slot + 1) | (word & waitersBit) | (wait.hasSlept ? waitersBit : 0);
        if ((word & gateBit) && m_gate.isOthers(wait))
            mine |= gateBit;
        PROCLAB_KILL_POINT("lock.seen-free");
        if (!m_word.compare_exchange_weak(word, mine, std::memory_order_acquire))
            return false;
        PROCLAB_KILL_POINT("lock.taken-after-wait");
        m_gate.open(wait); // Those that stood back are woken by unlock(), one after the other.
        return true;
    }
    /// Whether it is too early to sleep; spins once then.
    bool spinsOnce(Wait &wait, std::int64_t deadlineNs)
    {
        // Each look takes the word's cache line from the owner. With ever rarer looks, each of
        // the two does many steps in a row. After Anderson, "The Performance of Spin Lock
        // Alternatives" (1990).
        if (const int round = wait.round++; round < hotRounds) {
            for (int i = 0; i < 1 << round; ++i)
                spinPause();
            return true;
        }
        if (wait.hasSlept)
            return false;
        const std::int64_t now = nowNs();
        if (wait.sinceNs == 0)
            wait.sinceNs = now;
        if (now >= std::min(wait.sinceNs + spinNs, deadlineNs))
            return false;
        ::sched_yield();
        return true;
    }
    /// After the gate was opened by a thread that does not pass.
    void openWord()
    {
        m_word.fetch_and(~gateBit, std::memory_order_relaxed);
        futexWake(m_word, INT_MAX);
    }

    FutexWord m_word;
    NewcomerGate m_gate;
};

} // namespace proclab::runtime
