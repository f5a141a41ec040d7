// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/clock.h"
#include "core/runtime/futex.h"
#include "core/runtime/sync/newcomer_gate.h"
#include "core/runtime/trace/process_notes.h"
#include "core/runtime/trace/wait_observer.h"

#include <algorithm>
#include <atomic>
#include <climits>
#include <cstdint>

#include <sched.h>

namespace proclab::runtime {

/// Where any number of threads of any processes sleep until others have made a condition true. A
/// dead sleeper leaves a count too high, which costs its wakers a system call but nobody a wake-up:
/// every sleeper wakes by itself ten times a second.
///
/// Where each change lets only some pass, a call has a Turn, so that nobody is passed over for
/// long.
///
/// Between processes; lives in shared memory, zero-filled is empty.
class WaitPoint
{
public:
    /// The turn of one call, which may wait several times before it passes.
    class Turn
    {
    public:
        explicit Turn(WaitPoint &point) : m_point(point) {}
        /// The call has passed or gives up.
        ~Turn()
        {
            if (m_waiter.closed != 0)
                m_point.open(m_waiter);
        }
        Turn(const Turn &) = delete;
        Turn &operator=(const Turn &) = delete;

        /// False: one that has waited for longer comes first.
        [[nodiscard]] bool mayPass() const
        {
            return m_point.m_gate.isOpen() || m_point.m_gate.lets(m_waiter.sinceNs);
        }

    private:
        friend WaitPoint;

        void beginWait(std::int64_t now)
        {
            if (m_waiter.sinceNs != 0)
                return;
            m_waiter.sinceNs = now;
            m_firstSeen = m_point.m_changes.load(std::memory_order_relaxed);
        }
        /// Before each sleep, with the count of changes that it sleeps on.
        void sleepOn(std::uint32_t seen, std::int64_t now)
        {
            if (seen != m_firstSeen) // Else nobody else can have passed.
                m_point.m_gate.passedOver(m_waiter, now);
        }

        WaitPoint &m_point;
        NewcomerGate::Waiter m_waiter;
        std::uint32_t m_firstSeen = 0;
    };

    /// Spins shortly, then sleeps, until @p ready() holds; false: it did not before @p deadlineNs.
    /// @p lookUp() is called at least ten times a second while sleeping. The thread's observer is
    /// told of a wait for @p subject that outlasts the first spins, a microsecond or two.
    template<typename Ready, typename LookUp>
    bool wait(Ready ready, std::int64_t deadlineNs, LookUp lookUp,
              WaitFor subject = WaitFor::Signal, Turn *turn = nullptr)
    {
        for (int i = 0; i < 64; ++i) {
            if (ready())
                return true;
            spinPause();
        }
        return waitLonger(ready, deadlineNs, lookUp, subject, turn);
    }
    template<typename Ready>
    bool wait(Ready ready, std::int64_t deadlineNs, WaitFor subject = WaitFor::Signal)
    {
        return wait(
            ready, deadlineNs, [] {}, subject);
    }
    /// The same for a call whose @p ready() asks its @p turn too.
    template<typename Ready>
    bool wait(Turn &turn, Ready ready, std::int64_t deadlineNs, WaitFor subject = WaitFor::Signal)
    {
        return wait(
            ready, deadlineNs, [] {}, subject, &turn);
    }

    /// After the change: wakes up to @p count sleepers, those that have slept longest.
    void notify(int count = INT_MAX)
    {
        std::atomic_thread_fence(std::memory_order_seq_cst);
        if (m_sleepers.load(std::memory_order_relaxed) == 0)
            return;
        m_changes.fetch_add(1, std::memory_order_release);
        // With nobody there that may pass, the gate may be that of a dead waiter.
        if (count == INT_MAX || m_gate.isOpen() ||
            futexWake(m_changes, count, NewcomerGate::entitled) == 0)
            futexWake(m_changes, count);
    }
    /// Called once a process is known to be gone that may have slept here.
    void sleeperDied()
    {
        m_gate.reset();
        notify();
    }

    /// What a sleeper on several points at once waits on; see futexWaitAny().
    [[nodiscard]] const FutexWord &changes() const { return m_changes; }
    void addSleeper() { m_sleepers.fetch_add(1, std::memory_order_seq_cst); }
    void removeSleeper() { m_sleepers.fetch_sub(1, std::memory_order_relaxed); }

private:
    static constexpr std::int64_t spinNs = 40'000;

    /// Beyond the first spins. Apart, so that those stay a short loop: a round trip takes no more
    /// than a few of them. Nor is the observer told before: that makes it a tenth slower.
    template<typename Ready, typename LookUp>
    [[gnu::noinline]] bool waitLonger(Ready &ready, std::int64_t deadlineNs, LookUp &lookUp,
                                      WaitFor subject, Turn *turn)
    {
        const ObservedWait observed(subject);
        const std::int64_t beganNs = nowNs();
        if (turn)
            turn->beginWait(beganNs);
        const std::int64_t spinEnd = std::min(beganNs + spinNs, deadlineNs);
        while (nowNs() < spinEnd) {
            ::sched_yield();
            if (ready())
                return true;
        }
        WaitScope noted;
        for (;;) {
            const std::uint32_t seen = m_changes.load(std::memory_order_acquire);
            m_sleepers.fetch_add(1, std::memory_order_seq_cst);
            // Pairs with the fence in notify(): either the change is seen here or the sleeper
            // there.
            std::atomic_thread_fence(std::memory_order_seq_cst);
            const bool isReady = ready();
            const std::int64_t now = nowNs();
            const std::int64_t leftNs = isReady ? 0 : deadlineNs - now;
            if (leftNs > 0) {
                if (turn)
                    turn->sleepOn(seen, now);
                noted.sleepsOn(m_changes, seen, deadlineNs);
                sleep(seen, std::min(leftNs, parkNs), turn);
            }
            m_sleepers.fetch_sub(1, std::memory_order_relaxed);
            if (isReady || leftNs <= 0)
                return isReady;
            lookUp();
        }
    }

    void sleep(std::uint32_t seen, std::int64_t lengthNs, const Turn *turn)
    {
        if (turn && !turn->mayPass()) {
            futexWaitIn(NewcomerGate::heldBack, m_changes, seen, lengthNs);
            return;
        }
        futexWait(m_changes, seen, lengthNs);
        // The gate was closed meanwhile, with an earlier time: the wake-up is for somebody else.
        if (turn && !turn->mayPass())
            notify(1);
    }
    /// Wakes those that stood back for @p waiter.
    [[gnu::noinline]] void open(NewcomerGate::Waiter &waiter)
    {
        if (!m_gate.open(waiter) || m_sleepers.load(std::memory_order_seq_cst) == 0)
            return;
        m_changes.fetch_add(1, std::memory_order_release);
        futexWake(m_changes, INT_MAX, NewcomerGate::heldBack);
    }

    FutexWord m_changes;
    std::atomic<std::uint32_t> m_sleepers;
    NewcomerGate m_gate;
};

} // namespace proclab::runtime
