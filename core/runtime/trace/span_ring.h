// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace proclab::runtime {

enum class TraceKind : std::uint8_t {
    Running,
    Ready,
    Sleeping,
    BlockedOnFull,
    WaitingOnEmpty,
    WaitingForLock,
    Busy, ///< A summary: `count` short spans of work.
    Failed,
};

/// What a process did from start to end, nanoseconds of CLOCK_MONOTONIC.
struct TraceSpan
{
    std::int64_t startNs = 0;
    std::int64_t endNs = 0;
    std::uint32_t index = 0;
    std::uint32_t count = 1;
    TraceKind kind = TraceKind::Running;
    std::uint8_t busyPercent = 100;
};

/// The last spans of one process, in shared memory: readable after its SIGKILL. The writer never
/// waits; a reader that is too slow learns how many it missed.
///
/// One writing process, one reading thread. Zero-filled is empty.
class SpanRing
{
public:
    static constexpr std::uint64_t capacity = 4096;

    void push(const TraceSpan &span)
    {
        const std::uint64_t at = m_head.load(std::memory_order_relaxed);
        Cell &cell = m_cells[at % capacity];
        // A reader that is a whole ring behind sees this before it sees new words in the cell.
        m_writing.store(at + 1, std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_release);
        cell[0].store(static_cast<std::uint64_t>(span.startNs), std::memory_order_relaxed);
        cell[1].store(static_cast<std::uint64_t>(span.endNs), std::memory_order_relaxed);
        cell[2].store(std::uint64_t{span.index} << 32 | span.count, std::memory_order_relaxed);
        cell[3].store(static_cast<std::uint64_t>(span.kind) << 8 | span.busyPercent,
                      std::memory_order_relaxed);
        m_head.store(at + 1, std::memory_order_release);
    }

    /// Hands every span since @p cursor to @p take and moves the cursor; returns how many were
    /// overwritten.
    template<typename Take>
    std::uint64_t drain(std::uint64_t &cursor, Take take) const
    {
        std::uint64_t missed = 0;
        const std::uint64_t head = m_head.load(std::memory_order_acquire);
        while (cursor < head) {
            if (head - cursor > capacity) {
                missed += head - capacity - cursor;
                cursor = head - capacity;
            }
            const Cell &cell = m_cells[cursor % capacity];
            std::array<std::uint64_t, 4> words{};
            for (std::size_t i = 0; i < words.size(); ++i)
                words[i] = cell[i].load(std::memory_order_relaxed);
            std::atomic_thread_fence(std::memory_order_acquire);
            if (m_writing.load(std::memory_order_relaxed) > cursor + capacity)
                ++missed; // Overwritten while it was read.
            else
                take(spanOf(words));
            ++cursor;
        }
        return missed;
    }

private:
    using Cell = std::array<std::atomic<std::uint64_t>, 4>;

    static TraceSpan spanOf(const std::array<std::uint64_t, 4> &words)
    {
        TraceSpan span;
        span.startNs = static_cast<std::int64_t>(words[0]);
        span.endNs = static_cast<std::int64_t>(words[1]);
        span.index = static_cast<std::uint32_t>(words[2] >> 32);
        span.count = static_cast<std::uint32_t>(words[2]);
        span.kind = static_cast<TraceKind>(words[3] >> 8 & 0xff);
        span.busyPercent = static_cast<std::uint8_t>(words[3]);
        return span;
    }

    std::atomic<std::uint64_t> m_head;
    std::atomic<std::uint64_t> m_writing;
    std::array<Cell, capacity> m_cells;
};

/// Writes spans while there are few and summaries while there are many. Of each window of 10 ms it
/// keeps at most 64 single spans; all further ones become one Busy span. Process-private.
class SpanWriter
{
public:
    explicit SpanWriter(SpanRing &ring) : m_ring(ring) {}
    ~SpanWriter() { flush(); }
    SpanWriter(const SpanWriter &) = delete;
    SpanWriter &operator=(const SpanWriter &) = delete;

    /// A span of @p count items from number @p index on, @p waitedNs of it at no work; waits are
    /// spans with a count of their own.
    void add(TraceKind kind, std::uint32_t index, std::int64_t startNs, std::int64_t endNs,
             std::uint32_t count = 1, std::int64_t waitedNs = 0)
    {
        if (endNs - m_windowStart > windowNs) {
            flush();
            m_windowStart = endNs;
            m_wasCrowded = m_inWindow > spansPerWindow;
            m_inWindow = 0;
        }
        m_inWindow += count;
        if (m_inWindow <= spansPerWindow || endNs - startNs > windowNs) {
            flush();
            m_ring.push({startNs, endNs, index, count, count > 1 ? TraceKind::Busy : kind,
                         busyPercent(endNs - startNs - waitedNs, endNs - startNs)});
            return;
        }
        if (!m_hasSummary) {
            m_hasSummary = true;
            m_summary = {startNs, endNs, index, 0, TraceKind::Busy, 0};
            m_busyNs = 0;
        }
        if (kind == TraceKind::Running || kind == TraceKind::Ready || kind == TraceKind::Sleeping ||
            kind == TraceKind::Failed) {
            if (m_summary.count == 0)
                m_summary.index = index;
            m_summary.count += count;
            m_busyNs += endNs - startNs - waitedNs;
        }
        m_summary.endNs = endNs;
    }

    /// Whether spans come faster than they are kept: the caller may then time several items at
    /// once.
    [[nodiscard]] bool isCrowded() const { return m_wasCrowded && m_inWindow > spansPerWindow; }

    void flush()
    {
        if (!m_hasSummary)
            return;
        m_summary.busyPercent = busyPercent(m_busyNs, m_summary.endNs - m_summary.startNs);
        m_ring.push(m_summary);
        m_hasSummary = false;
    }

private:
    static constexpr std::int64_t windowNs = 10'000'000;
    static constexpr std::uint32_t spansPerWindow = 64;

    static std::uint8_t busyPercent(std::int64_t busyNs, std::int64_t lengthNs)
    {
        if (busyNs >= lengthNs)
            return 100;
        return static_cast<std::uint8_t>(busyNs <= 0 ? 0 : busyNs * 100 / lengthNs);
    }

    SpanRing &m_ring;
    TraceSpan m_summary{0, 0, 0, 0, TraceKind::Busy, 0};
    std::int64_t m_windowStart = 0;
    std::int64_t m_busyNs = 0;
    std::uint32_t m_inWindow = 0;
    bool m_wasCrowded = false;
    bool m_hasSummary = false;
};

} // namespace proclab::runtime
