// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/clock.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

namespace proclab::runtime {

enum class EventKind : std::uint8_t {
    None,
    TaskBegan,      ///< Subject: the task's number; value: that of the first call of the chunk.
    TaskEnded,      ///< The same.
    WaitBegan,      ///< Subject: a WaitSubject; value: the thread.
    WaitEnded,      ///< The same.
    ProcessStarted, ///< Subject: its PID.
    ProcessEnded,   ///< Subject: its PID; value: its exit code, or the signal and a high bit.
};

struct TraceEvent
{
    std::int64_t timeNs = 0; ///< CLOCK_MONOTONIC.
    EventKind kind = EventKind::None;
    std::uint64_t subject = 0;
    std::uint64_t value = 0;
};

/// The last events of one process, always written, in shared memory: readable after its SIGKILL.
/// record() never waits and costs about 12 ns where the processor's counter can be used, else 36
/// ns. A writer that another thread laps in the middle of an event gives its event up; a reader
/// skips what is being overwritten.
///
/// Any number of writing threads, any number of readers in any process. Zero-filled is empty, and
/// takes its time from CLOCK_MONOTONIC.
class EventRing
{
public:
    static constexpr std::uint64_t capacity = 256;

    /// For a new process, before it writes. @p usesCounter: whether the time is the processor's
    /// counter, which readers turn into nanoseconds.
    void restart(bool usesCounter)
    {
        if (m_head.load(std::memory_order_relaxed) != 0) {
            for (Cell &cell : m_cells)
                cell[0].store(0, std::memory_order_relaxed);
        }
        m_usesCounter.store(usesCounter ? 1 : 0, std::memory_order_relaxed);
        m_beginNs.store(nowNs(), std::memory_order_relaxed);
        m_beginTicks.store(ticks(), std::memory_order_relaxed);
        m_head.store(0, std::memory_order_release);
    }

    void record(EventKind kind, std::uint64_t subject, std::uint64_t value)
    {
        const std::uint64_t ticket = m_head.fetch_add(1, std::memory_order_relaxed);
        Cell &cell = m_cells[ticket % capacity];
        std::uint64_t before = cell[0].load(std::memory_order_relaxed);
        if (before == beingWritten ||
            !cell[0].compare_exchange_strong(before, beingWritten, std::memory_order_acquire,
                                             std::memory_order_relaxed))
            return;
        std::atomic_thread_fence(std::memory_order_release);
        cell[1].store(ticks(), std::memory_order_relaxed);
        cell[2].store(subject, std::memory_order_relaxed);
        cell[3].store(value, std::memory_order_relaxed);
        cell[0].store(stamp(ticket, kind), std::memory_order_release);
    }

    /// The last events, at most @p most, oldest first.
    [[nodiscard]] std::vector<TraceEvent> last(std::uint64_t most) const
    {
        std::vector<TraceEvent> events;
        const std::int64_t nowNs = runtime::nowNs();
        const std::uint64_t nowTicks = ticks();
        const std::uint64_t head = m_head.load(std::memory_order_acquire);
        for (std::uint64_t at = head - std::min({head, most, capacity}); at < head; ++at) {
            const Cell &cell = m_cells[at % capacity];
            const std::uint64_t written = cell[0].load(std::memory_order_acquire);
            TraceEvent event;
            event.kind = static_cast<EventKind>(written & 0xff);
            event.timeNs = toNs(cell[1].load(std::memory_order_relaxed), nowTicks, nowNs);
            event.subject = cell[2].load(std::memory_order_relaxed);
            event.value = cell[3].load(std::memory_order_relaxed);
            std::atomic_thread_fence(std::memory_order_acquire);
            if (written == stamp(at, event.kind) &&
                cell[0].load(std::memory_order_relaxed) == written)
                events.push_back(event);
        }
        return events;
    }

    /// When it was restarted.
    [[nodiscard]] std::int64_t beginNs() const { return m_beginNs.load(std::memory_order_relaxed); }

private:
    /// 1 + number (56 bits) | kind; time; subject; value.
    using Cell = std::array<std::atomic<std::uint64_t>, 4>;
    static constexpr std::uint64_t beingWritten = ~std::uint64_t{0};

    static constexpr std::uint64_t stamp(std::uint64_t ticket, EventKind kind)
    {
        return (ticket + 1) << 8 | static_cast<std::uint8_t>(kind);
    }
    [[nodiscard]] std::uint64_t ticks() const
    {
#if defined(__x86_64__)
        if (m_usesCounter.load(std::memory_order_relaxed) != 0)
            return __builtin_ia32_rdtsc();
#endif
        return static_cast<std::uint64_t>(nowNs());
    }
    /// Between two moments of which both clocks are known, the ring's beginning and now.
    [[nodiscard]] std::int64_t toNs(std::uint64_t at, std::uint64_t nowTicks,
                                    std::int64_t nowNs) const
    {
        const std::uint64_t begin = m_beginTicks.load(std::memory_order_relaxed);
        const std::int64_t beginNs = m_beginNs.load(std::memory_order_relaxed);
        if (m_usesCounter.load(std::memory_order_relaxed) == 0 || nowTicks <= begin)
            return static_cast<std::int64_t>(at);
        const double share = static_cast<double>(static_cast<std::int64_t>(at - begin)) /
                             static_cast<double>(nowTicks - begin);
        return beginNs + static_cast<std::int64_t>(share * static_cast<double>(nowNs - beginNs));
    }

    std::atomic<std::uint64_t> m_head;
    std::atomic<std::uint32_t> m_usesCounter;
    std::atomic<std::int64_t> m_beginNs;
    std::atomic<std::uint64_t> m_beginTicks;
    alignas(64) std::array<Cell, capacity> m_cells;
};

} // namespace proclab::runtime
