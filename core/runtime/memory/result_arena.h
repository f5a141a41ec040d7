// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/kill_point.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>

namespace proclab::runtime {

/// Keeps account of the memory into which one worker writes its results. The worker allocates, and
/// the parent gives back in the order of allocation. Once everything is given back, allocation
/// begins at the front again, so that little work touches little memory. When the arena is full the
/// worker waits for the parent. reset() frees what a dead worker had allocated but not reported.
///
/// Positions never start over; the offset of a position is its remainder by the capacity, and no
/// extent crosses the end. In shared memory; zero-filled and set up, it is empty.
class ResultArena
{
public:
    void setUp(std::uint64_t capacity) { m_capacity = capacity; }
    [[nodiscard]] std::uint64_t capacity() const { return m_capacity; }
    [[nodiscard]] std::uint64_t offsetOf(std::uint64_t position) const
    {
        return position % m_capacity;
    }

    /// Called by the worker: the position of @p size bytes, at most capacity(), or no value if
    /// there is no room now.
    std::optional<std::uint64_t> allocate(std::uint64_t size)
    {
        const std::uint64_t head = m_head.load(std::memory_order_relaxed);
        const std::uint64_t tail = m_tail.load(std::memory_order_acquire);
        const std::uint64_t place = head % m_capacity;
        const bool startsOver = head == tail || place + size > m_capacity;
        const std::uint64_t position = startsOver && place != 0 ? head - place + m_capacity : head;
        if (head == tail)
            m_start = position; // What is skipped here is not in use.
        PROCLAB_KILL_POINT("result.placed");
        if (position + size - std::max(tail, m_start) > m_capacity)
            return std::nullopt;
        m_head.store((position + size + alignment - 1) / alignment * alignment,
                     std::memory_order_release);
        PROCLAB_KILL_POINT("result.allocated");
        return position;
    }

    /// Called by the parent, in order: everything before the end of this extent is free.
    void giveBack(std::uint64_t position, std::uint64_t size)
    {
        m_tail.store((position + size + alignment - 1) / alignment * alignment,
                     std::memory_order_release);
    }
    /// The bytes that are allocated and not given back; a glance.
    [[nodiscard]] std::uint64_t usedBytes() const
    {
        const std::uint64_t tail = m_tail.load(std::memory_order_acquire);
        const std::uint64_t head = m_head.load(std::memory_order_acquire);
        return head > tail ? head - tail : 0;
    }
    /// Called by the parent while there is no worker.
    void reset()
    {
        m_tail.store(m_head.load(std::memory_order_acquire), std::memory_order_release);
    }

private:
    static constexpr std::uint64_t alignment = 64;

    std::uint64_t m_capacity; ///< A multiple of the alignment.
    alignas(64) std::atomic<std::uint64_t> m_head;
    std::uint64_t m_start; ///< Written by the worker; nothing before it is in use.
    alignas(64) std::atomic<std::uint64_t> m_tail;
};

} // namespace proclab::runtime
