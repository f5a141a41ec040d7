// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/ipc/bounded_queue.h"
#include "core/runtime/memory/segment.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace proclab::test {

/// A queue in shared memory, each slot's futex word, and room for what the processes of a test note
/// down.
class SharedQueue
{
public:
    static constexpr std::uint32_t itemBytes = 48;
    static constexpr std::int64_t patienceNs = 20'000'000'000;

    explicit SharedQueue(std::uint64_t capacity, std::size_t notes = 0)
        : m_parkOffset((runtime::BoundedQueue::bytes(capacity, itemBytes) + 63) / 64 * 64)
        , m_segment(runtime::Segment::create("proclab-test-queue",
                                             m_parkOffset + (runtime::maxSlots + notes) *
                                                                sizeof(runtime::FutexWord)))
    {
        queue().setUp(capacity, itemBytes);
    }

    runtime::BoundedQueue &queue() { return *m_segment.at<runtime::BoundedQueue>(0); }
    /// Counters that all processes share, zero at first.
    runtime::FutexWord &note(std::size_t position)
    {
        return m_segment.at<runtime::FutexWord>(m_parkOffset)[runtime::maxSlots + position];
    }
    auto parkOf()
    {
        runtime::FutexWord *parks = m_segment.at<runtime::FutexWord>(m_parkOffset);
        return [parks](std::uint32_t slot) -> runtime::FutexWord & { return parks[slot]; };
    }

    runtime::BoundedQueue::Slot claim(std::uint32_t slot)
    {
        const std::int64_t end = runtime::nowNs() + patienceNs;
        for (;;) {
            if (const runtime::BoundedQueue::Slot place = queue().claim(slot))
                return place;
            if (!runtime::waitIn(
                    queue().producersWaiting, slot, parkOf(), [this] { return queue().hasRoom(); },
                    [end] { return runtime::nowNs() < end; }))
                return {};
        }
    }
    void publish(const runtime::BoundedQueue::Slot &place, const runtime::QueueItem &item)
    {
        queue().publish(place, item);
        queue().consumersWaiting.wake(1, parkOf());
    }
    /// Waits for room and puts an item whose bytes tell its producer and number.
    bool put(std::uint32_t slot, std::uint64_t index, bool isEnd = false)
    {
        const runtime::BoundedQueue::Slot place = claim(slot);
        if (!place)
            return false;
        std::fill_n(place.cell->payload(), itemBytes, byteOf(slot, index));
        publish(place, {slot, isEnd, itemBytes, index, runtime::nowNs()});
        return true;
    }

    runtime::BoundedQueue::Slot take(std::uint32_t slot, runtime::QueueItem &item)
    {
        const std::int64_t end = runtime::nowNs() + patienceNs;
        for (;;) {
            if (const runtime::BoundedQueue::Slot place = queue().take(slot, item))
                return place;
            if (!runtime::waitIn(
                    queue().consumersWaiting, slot, parkOf(), [this] { return queue().hasItem(); },
                    [end] { return runtime::nowNs() < end; }))
                return {};
        }
    }
    void release(const runtime::BoundedQueue::Slot &place)
    {
        queue().release(place);
        queue().producersWaiting.wake(1, parkOf());
    }

    static bool isWhole(const runtime::BoundedQueue::Slot &place, const runtime::QueueItem &item)
    {
        const std::byte *begin = place.cell->payload();
        return item.bytes == itemBytes && std::all_of(begin, begin + itemBytes,
                                                      [byte = byteOf(item.producer, item.index)](
                                                          std::byte b) { return b == byte; });
    }

private:
    static std::byte byteOf(std::uint32_t slot, std::uint64_t index)
    {
        return static_cast<std::byte>(slot * 31 + index * 7);
    }

    std::size_t m_parkOffset;
    runtime::Segment m_segment;
};

} // namespace proclab::test
