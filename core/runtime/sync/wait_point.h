// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/clock.h"
#include "core/runtime/futex.h"
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
/// Between processes; lives in shared memory, zero-filled is empty.
class WaitPoint
{
public:
    /// Spins shortly, then sleeps, until @p ready() holds; false: it did not before @p deadlineNs.
    /// @p lookUp() is called at least ten times a second while sleeping. The thread's observer is
    /// told of a wait for @p subject that outlasts the first spins, a microsecond or two.
    template<typename Ready, typename LookUp>
    bool wait(Ready ready, std::int64_t deadlineNs, LookUp lookUp,
              WaitFor subject = WaitFor::Signal)
    {
        for (int i = 0; i < 64; ++i) {
            if (ready())
                return true;
            spinPause();
        }
        // Not before: it makes a hot round trip a tenth slower.
        const ObservedWait observed(subject);
        const std::int64_t spinEnd = std::min(nowNs() + spinNs, deadlineNs);
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
            const std::int64_t leftNs = isReady ? 0 : deadlineNs - nowNs();
            if (leftNs > 0) {
                noted.sleepsOn(m_changes, seen, deadlineNs);
                futexWait(m_changes, seen, std::min(leftNs, parkNs));
            }
            m_sleepers.fetch_sub(1, std::memory_order_relaxed);
            if (isReady || leftNs <= 0)
                return isReady;
            lookUp();
        }
    }
    template<typename Ready>
    bool wait(Ready ready, std::int64_t deadlineNs, WaitFor subject = WaitFor::Signal)
    {
        return wait(
            ready, deadlineNs, [] {}, subject);
    }

    /// After the change: wakes up to @p count sleepers.
    void notify(int count = INT_MAX)
    {
        std::atomic_thread_fence(std::memory_order_seq_cst);
        if (m_sleepers.load(std::memory_order_relaxed) == 0)
            return;
        m_changes.fetch_add(1, std::memory_order_release);
        futexWake(m_changes, count);
    }

    /// What a sleeper on several points at once waits on; see futexWaitAny().
    [[nodiscard]] const FutexWord &changes() const { return m_changes; }
    void addSleeper() { m_sleepers.fetch_add(1, std::memory_order_seq_cst); }
    void removeSleeper() { m_sleepers.fetch_sub(1, std::memory_order_relaxed); }

private:
    static constexpr std::int64_t spinNs = 40'000;

    FutexWord m_changes;
    std::atomic<std::uint32_t> m_sleepers;
};

} // namespace proclab::runtime
