// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/clock.h"
#include "core/runtime/futex.h"
#include "core/runtime/kill_point.h"

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace proclab::runtime {

/// Bounds how often a waiter is passed over. Who finds a thing free takes it, even though others
/// wait for it, since waking a sleeper costs more than most holders need. A waiter that was woken
/// and came too late, and that has waited for patienceNs by then, closes the gate: whoever began to
/// wait later stands back until it has passed. Those that waited before pass at most once each.
///
/// A waiter that dies or is stopped with the gate closed keeps nobody from passing for longer than
/// leaseNs: the gate is closed only while that waiter says so.
///
/// Between processes; lives in shared memory, zero is open. After the starvation mode of Go's
/// sync.Mutex, with a lease in place of the runtime that knows all waiters.
class NewcomerGate
{
public:
    static constexpr std::int64_t patienceNs = 10'000'000;
    static constexpr std::int64_t leaseNs = 250'000'000;

    /// The bits of futexWait() and futexWake(): those that may pass sleep as Entitled or Anyone.
    static constexpr std::uint32_t entitled = 1;
    static constexpr std::uint32_t heldBack = 2;

    [[nodiscard]] bool isOpen() const { return m_word.load(std::memory_order_relaxed) == 0; }
    /// Whether a thread may pass that began to wait at @p sinceNs; 0: it has not begun.
    [[nodiscard]] bool lets(std::int64_t sinceNs) const
    {
        const std::uint64_t word = m_word.load(std::memory_order_acquire);
        return word == 0 || letsWhileClosed(word, sinceNs);
    }

    /// What one waiting thread knows of its wait.
    struct Waiter
    {
        std::int64_t sinceNs = 0; ///< 0: it does not wait yet.
        std::uint64_t closed = 0; ///< What it closed the gate with; 0: it did not.
    };
    /// A waiter has come too late once more. Closes the gate if it has waited for too long and
    /// nobody else has; says so again if it had closed it.
    void passedOver(Waiter &waiter, std::int64_t now)
    {
        std::uint64_t word = m_word.load(std::memory_order_acquire);
        if (waiter.closed != 0 && word >> leaseBits == waiter.closed) {
            const auto steps = static_cast<std::uint64_t>(now - closedNs(word)) >> leaseShift;
            const std::uint64_t renewed =
                waiter.closed << leaseBits | std::min(steps, maxLeaseSteps);
            m_word.compare_exchange_strong(word, renewed, std::memory_order_acq_rel);
            return;
        }
        waiter.closed = 0;
        if (now - waiter.sinceNs < patienceNs || (word != 0 && !isOver(word, now)))
            return;
        const std::uint64_t mine = static_cast<std::uint64_t>(now) >> timeShift;
        if (m_word.compare_exchange_strong(word, mine << leaseBits, std::memory_order_acq_rel))
            waiter.closed = mine;
        PROCLAB_KILL_POINT("gate.closed");
    }
    /// The waiter has passed or gives up. Whether it had kept the gate closed.
    bool open(Waiter &waiter)
    {
        if (waiter.closed == 0)
            return false;
        std::uint64_t word = m_word.load(std::memory_order_relaxed);
        const bool isMine = word >> leaseBits == waiter.closed &&
                            m_word.compare_exchange_strong(word, 0, std::memory_order_seq_cst);
        waiter.closed = 0;
        return isMine;
    }
    /// Whether somebody other than @p waiter keeps it closed.
    [[nodiscard]] bool isOthers(const Waiter &waiter) const
    {
        const std::uint64_t word = m_word.load(std::memory_order_relaxed);
        return word != 0 && word >> leaseBits != waiter.closed && !isOver(word, nowNs());
    }
    /// Opens it, whoever closed it, for that may have been a process that is dead: if it was not,
    /// it closes the gate again. Whether it was closed.
    bool reset() { return m_word.exchange(0, std::memory_order_seq_cst) != 0; }

private:
    // When it was closed, in 16 us (44 bits, 9 years) | when the waiter said so for the last time,
    // in 16 ms after that (20 bits, 5 hours).
    static constexpr unsigned timeShift = 14;
    static constexpr unsigned leaseShift = 24;
    static constexpr unsigned leaseBits = 20;
    static constexpr std::uint64_t maxLeaseSteps = (1U << leaseBits) - 1;

    [[gnu::noinline]] static bool letsWhileClosed(std::uint64_t word, std::int64_t sinceNs)
    {
        return (sinceNs != 0 && sinceNs <= closedNs(word)) || isOver(word, nowNs());
    }
    static std::int64_t closedNs(std::uint64_t word)
    {
        return static_cast<std::int64_t>(word >> leaseBits << timeShift);
    }
    static bool isOver(std::uint64_t word, std::int64_t now)
    {
        const auto said = static_cast<std::int64_t>((word & maxLeaseSteps) << leaseShift);
        return now > closedNs(word) + said + leaseNs;
    }

    std::atomic<std::uint64_t> m_word;
};

} // namespace proclab::runtime
