// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/kill_point.h"

#include <atomic>
#include <cstdint>
#include <optional>

namespace proclab::runtime {

/// Carries numbers of tasks from one producer to many consumers. A number is a hint, not ownership:
/// a consumer looks at the next number, claims that task by the task's own word, and only then
/// moves the tail. If another consumer has claimed it, this one moves the tail in its place. So no
/// death can lose a number, and a number that comes twice does no harm.
///
/// In shared memory, followed by `capacity` cells; zero-filled and set up, it is empty.
class TaskRing
{
public:
    void setUp(std::uint32_t capacity) { m_mask = capacity - 1; }
    /// Bytes of a ring with @p capacity cells, a power of two.
    static constexpr std::size_t bytes(std::uint32_t capacity)
    {
        return sizeof(TaskRing) + capacity * sizeof(std::atomic<std::uint32_t>);
    }

    /// Called by the producer; false if the ring is full.
    bool push(std::uint32_t number)
    {
        const std::uint64_t head = m_head.load(std::memory_order_relaxed);
        if (head - m_tail.load(std::memory_order_acquire) > m_mask)
            return false;
        cells()[head & m_mask].store(number, std::memory_order_release);
        m_head.store(head + 1, std::memory_order_release);
        return true;
    }

    /// Offers the next numbers to @p claim until it accepts one, and returns that; no value if none
    /// is left.
    template<typename Claim>
    std::optional<std::uint32_t> pop(Claim claim)
    {
        std::uint64_t tail = m_tail.load(std::memory_order_acquire);
        while (tail < m_head.load(std::memory_order_acquire)) {
            // If the tail has moved on since, the cell may hold a later task's number: as good as
            // any to claim.
            const std::uint32_t number = cells()[tail & m_mask].load(std::memory_order_acquire);
            PROCLAB_KILL_POINT("pop.read");
            const bool isMine = claim(number);
            PROCLAB_KILL_POINT("pop.claimed");
            if (m_tail.compare_exchange_strong(tail, tail + 1, std::memory_order_acq_rel,
                                               std::memory_order_acquire))
                ++tail;
            PROCLAB_KILL_POINT("pop.tail-moved");
            if (isMine)
                return number;
        }
        return std::nullopt;
    }

    [[nodiscard]] std::uint64_t size() const
    {
        const std::uint64_t tail = m_tail.load(std::memory_order_acquire);
        const std::uint64_t head = m_head.load(std::memory_order_acquire);
        return head > tail ? head - tail : 0;
    }
    [[nodiscard]] bool isEmpty() const { return size() == 0; }
    /// How many numbers have been popped so far.
    [[nodiscard]] std::uint64_t taken() const { return m_tail.load(std::memory_order_acquire); }

    /// The number @p ahead places after the next to be popped; a glance that may be out of date.
    [[nodiscard]] std::optional<std::uint32_t> peek(std::uint64_t ahead) const
    {
        const std::uint64_t tail = m_tail.load(std::memory_order_acquire);
        if (tail + ahead >= m_head.load(std::memory_order_acquire))
            return std::nullopt;
        return cells()[(tail + ahead) & m_mask].load(std::memory_order_relaxed);
    }

private:
    std::atomic<std::uint32_t> *cells()
    {
        return reinterpret_cast<std::atomic<std::uint32_t> *>(this + 1);
    }
    const std::atomic<std::uint32_t> *cells() const
    {
        return reinterpret_cast<const std::atomic<std::uint32_t> *>(this + 1);
    }

    alignas(64) std::atomic<std::uint64_t> m_head;
    std::uint64_t m_mask;
    alignas(64) std::atomic<std::uint64_t> m_tail;
};

/// The numbers of the tasks that one worker has finished: that worker pushes, the parent pops. As
/// long as it has a cell for every task there is, it can't be full, so a worker never waits to
/// report.
class CompletionRing
{
public:
    void setUp(std::uint32_t capacity) { m_mask = capacity - 1; }
    static constexpr std::size_t bytes(std::uint32_t capacity)
    {
        return sizeof(CompletionRing) + capacity * sizeof(std::atomic<std::uint32_t>);
    }

    void push(std::uint32_t number)
    {
        const std::uint64_t head = m_head.load(std::memory_order_relaxed);
        cells()[head & m_mask].store(number, std::memory_order_relaxed);
        PROCLAB_KILL_POINT("complete.noted");
        m_head.store(head + 1, std::memory_order_release);
        PROCLAB_KILL_POINT("complete.pushed");
    }
    std::optional<std::uint32_t> pop()
    {
        const std::uint64_t tail = m_tail.load(std::memory_order_relaxed);
        if (tail >= m_head.load(std::memory_order_acquire))
            return std::nullopt;
        const std::uint32_t number = cells()[tail & m_mask].load(std::memory_order_relaxed);
        m_tail.store(tail + 1, std::memory_order_release);
        return number;
    }
    [[nodiscard]] bool isEmpty() const
    {
        return m_tail.load(std::memory_order_relaxed) >= m_head.load(std::memory_order_acquire);
    }

private:
    std::atomic<std::uint32_t> *cells()
    {
        return reinterpret_cast<std::atomic<std::uint32_t> *>(this + 1);
    }

    alignas(64) std::atomic<std::uint64_t> m_head;
    std::uint64_t m_mask;
    alignas(64) std::atomic<std::uint64_t> m_tail;
};

} // namespace proclab::runtime
