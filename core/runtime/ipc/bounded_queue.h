// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/kill_point.h"
#include "core/runtime/sync/wait_set.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace proclab::runtime {

/// What comes with an item.
struct QueueItem
{
    std::uint32_t producer = 0; ///< Slot of the process that put it.
    bool isEnd = false;         ///< The sentinel: no item follows for the consumer that gets it.
    std::uint32_t bytes = 0;    ///< Of the payload.
    std::uint64_t index = 0;    ///< The producer's own number for it.
    std::int64_t putNs = 0;     ///< About when it was put.
};

struct alignas(64) QueueCell
{
    std::atomic<std::uint64_t> word; ///< turn (40) | owner's slot + 1 (16) | phase (8)
    // Glanced at by others than the owner, for the picture of the queue.
    std::atomic<std::uint64_t> index;
    std::atomic<std::int64_t> putNs;
    std::atomic<std::uint32_t> producer;
    std::atomic<std::uint32_t> bytesAndEnd;

    [[nodiscard]] std::byte *payload() { return reinterpret_cast<std::byte *>(this + 1); }
};

/// A bounded queue of many producers and many consumers in shared memory, first in, first out.
///
/// An array of cells, each with one word that says whose it is and in which turn of the ring: a
/// producer takes a cell by one exchange that names it, so no cell is ever taken by nobody known;
/// head and tail only say where to look, and whoever finds them late moves them on. The parent
/// turns a cell that a dead producer left half written into a tombstone, which consumers skip.
/// Turns as in Vyukov's "Bounded MPMC queue" (2010), with ownership added.
///
/// Between processes; followed by its cells. Zero-filled but for setUp() is empty.
class BoundedQueue
{
public:
    /// Bytes of a queue of @p capacity cells for payloads of up to @p itemBytes.
    static constexpr std::size_t bytes(std::uint64_t capacity, std::uint32_t itemBytes)
    {
        return sizeof(BoundedQueue) + capacity * stride(itemBytes);
    }
    void setUp(std::uint64_t capacity, std::uint32_t itemBytes)
    {
        m_capacity = capacity;
        m_stride = stride(itemBytes);
        m_itemBytes = itemBytes;
    }

    /// A place that a producer has taken and must fill().
    struct Slot
    {
        QueueCell *cell = nullptr;
        std::uint64_t position = 0;
        explicit operator bool() const { return cell != nullptr; }
    };

    /// Takes the next free place for @p owner (its slot); none if the queue is full.
    Slot claim(std::uint32_t owner)
    {
        std::uint64_t position = m_head.load(std::memory_order_acquire);
        for (;;) {
            QueueCell &cell = cellAt(position);
            const std::uint64_t turn = position / m_capacity;
            std::uint64_t word = cell.word.load(std::memory_order_acquire);
            if (word == make(turn, 0, Free)) {
                if (!cell.word.compare_exchange_strong(word, make(turn, owner + 1, Writing),
                                                       std::memory_order_acq_rel))
                    continue;
                PROCLAB_KILL_POINT("put.claimed");
                advance(m_head, position);
                PROCLAB_KILL_POINT("put.head-moved");
                return {&cell, position};
            }
            if (turnOf(word) >= turn) {
                advance(m_head, position); // Taken already: somebody has not moved the head yet.
                position = m_head.load(std::memory_order_acquire);
                continue;
            }
            const std::uint64_t again = m_head.load(std::memory_order_acquire);
            if (again == position)
                return {}; // Still holds an item of the turn before: full.
            position = again;
        }
    }
    /// Publishes what the owner has put into the place: consumers see it from here on.
    void publish(const Slot &slot, const QueueItem &item)
    {
        QueueCell &cell = *slot.cell;
        PROCLAB_KILL_POINT("put.filled");
        cell.index.store(item.index, std::memory_order_relaxed);
        cell.putNs.store(item.putNs, std::memory_order_relaxed);
        cell.producer.store(item.producer, std::memory_order_relaxed);
        cell.bytesAndEnd.store(item.bytes << 1 | (item.isEnd ? 1U : 0U), std::memory_order_relaxed);
        PROCLAB_KILL_POINT("put.described");
        cell.word.store(make(slot.position / m_capacity, 0, Full), std::memory_order_release);
        PROCLAB_KILL_POINT("put.published");
    }

    /// Takes the next item for @p owner; nothing if there is none yet. The payload stays valid
    /// until release().
    Slot take(std::uint32_t owner, QueueItem &item)
    {
        std::uint64_t position = m_tail.load(std::memory_order_acquire);
        for (;;) {
            QueueCell &cell = cellAt(position);
            const std::uint64_t turn = position / m_capacity;
            std::uint64_t word = cell.word.load(std::memory_order_acquire);
            if (word == make(turn, 0, Full)) {
                if (!cell.word.compare_exchange_strong(word, make(turn, owner + 1, Reading),
                                                       std::memory_order_acq_rel))
                    continue;
                PROCLAB_KILL_POINT("get.claimed");
                item = itemOf(cell);
                advance(m_tail, position);
                PROCLAB_KILL_POINT("get.tail-moved");
                return {&cell, position};
            }
            if (word == make(turn, 0, Tombstone)) {
                PROCLAB_KILL_POINT("get.tombstone-seen");
                cell.word.compare_exchange_strong(word, make(turn + 1, 0, Free),
                                                  std::memory_order_acq_rel);
                PROCLAB_KILL_POINT("get.tombstone-freed");
                advance(m_tail, position);
            } else if (turnOf(word) > turn || (turnOf(word) == turn && phaseOf(word) == Reading)) {
                // Of the turn before, it is no item yet: a slow reader holds the cell.
                advance(m_tail, position);
            } else {
                const std::uint64_t again = m_tail.load(std::memory_order_acquire);
                if (again == position)
                    return {}; // Free, or being written.
                position = again;
                continue;
            }
            position = m_tail.load(std::memory_order_acquire);
        }
    }
    /// Gives the place back to producers.
    void release(const Slot &slot)
    {
        PROCLAB_KILL_POINT("get.read");
        slot.cell->word.store(make(slot.position / m_capacity + 1, 0, Free),
                              std::memory_order_release);
        PROCLAB_KILL_POINT("get.freed");
    }

    /// Whether a put could succeed now, a get could succeed now.
    [[nodiscard]] bool hasRoom() const
    {
        const std::uint64_t position = m_head.load(std::memory_order_acquire);
        return turnOf(cellAt(position).word.load(std::memory_order_acquire)) >=
               position / m_capacity;
    }
    [[nodiscard]] bool hasItem() const
    {
        const std::uint64_t position = m_tail.load(std::memory_order_acquire);
        const std::uint64_t word = cellAt(position).word.load(std::memory_order_acquire);
        const std::uint64_t turn = position / m_capacity;
        // A later turn, or one that somebody is taking: the tail is about to move on, look again.
        return turnOf(word) > turn ||
               (turnOf(word) == turn && phaseOf(word) != Free && phaseOf(word) != Writing);
    }

    [[nodiscard]] std::uint64_t size() const
    {
        const std::uint64_t tail = m_tail.load(std::memory_order_acquire);
        const std::uint64_t head = m_head.load(std::memory_order_acquire);
        const std::uint64_t size = head > tail ? head - tail : 0;
        return size < m_capacity ? size : m_capacity;
    }
    [[nodiscard]] std::uint64_t capacity() const { return m_capacity; }

    /// Hands up to @p most items, the next to leave first, to @p see: a glance, not a snapshot.
    template<typename See>
    void glance(std::uint64_t most, See see) const
    {
        const std::uint64_t tail = m_tail.load(std::memory_order_acquire);
        for (std::uint64_t i = 0; i < most && i < m_capacity; ++i) {
            const QueueCell &cell = cellAt(tail + i);
            const std::uint64_t word = cell.word.load(std::memory_order_acquire);
            if (word != make((tail + i) / m_capacity, 0, Full))
                break;
            see(itemOf(cell));
        }
    }

    /// What the parent finds of a process that is gone.
    struct Recovered
    {
        bool wasWriting = false; ///< Its item was not published.
        bool wasReading = false; ///< It had taken `item` and not yet given the place back.
        QueueItem item;
    };
    /// The parent, once the process of slot @p dead is known to be gone: frees what it held.
    Recovered recover(std::uint32_t dead)
    {
        Recovered found;
        // Cells beyond the head were never touched: an unbounded queue is mostly untouched memory.
        const std::uint64_t touched = m_head.load(std::memory_order_acquire) + 1;
        for (std::uint64_t i = 0; i < m_capacity && i < touched; ++i) {
            QueueCell &cell = cellAt(i);
            const std::uint64_t word = cell.word.load(std::memory_order_acquire);
            if (ownerOf(word) != dead + 1)
                continue;
            const std::uint64_t turn = turnOf(word);
            if (phaseOf(word) == Writing) {
                found.wasWriting = true;
                cell.word.store(make(turn, 0, Tombstone), std::memory_order_release);
            } else if (phaseOf(word) == Reading) {
                found.wasReading = true;
                found.item = itemOf(cell);
                cell.word.store(make(turn + 1, 0, Free), std::memory_order_release);
            }
        }
        return found;
    }

    WaitSet producersWaiting; ///< For room.
    WaitSet consumersWaiting; ///< For an item.

private:
    enum Phase : std::uint64_t { Free, Writing, Full, Reading, Tombstone };

    static constexpr std::uint64_t make(std::uint64_t turn, std::uint64_t owner, Phase phase)
    {
        return turn << 24 | owner << 8 | phase;
    }
    static constexpr std::uint64_t turnOf(std::uint64_t word) { return word >> 24; }
    static constexpr std::uint64_t ownerOf(std::uint64_t word) { return word >> 8 & 0xffff; }
    static constexpr std::uint64_t phaseOf(std::uint64_t word) { return word & 0xff; }
    static constexpr std::size_t stride(std::uint32_t itemBytes)
    {
        return (sizeof(QueueCell) + itemBytes + 63) / 64 * 64;
    }

    static void advance(std::atomic<std::uint64_t> &end, std::uint64_t from)
    {
        end.compare_exchange_strong(from, from + 1, std::memory_order_acq_rel);
    }
    [[nodiscard]] QueueCell &cellAt(std::uint64_t position)
    {
        return *reinterpret_cast<QueueCell *>(reinterpret_cast<std::byte *>(this + 1) +
                                              position % m_capacity * m_stride);
    }
    [[nodiscard]] const QueueCell &cellAt(std::uint64_t position) const
    {
        return const_cast<BoundedQueue *>(this)->cellAt(position);
    }
    [[nodiscard]] static QueueItem itemOf(const QueueCell &cell)
    {
        QueueItem item;
        item.index = cell.index.load(std::memory_order_relaxed);
        item.putNs = cell.putNs.load(std::memory_order_relaxed);
        item.producer = cell.producer.load(std::memory_order_relaxed);
        const std::uint32_t packed = cell.bytesAndEnd.load(std::memory_order_relaxed);
        item.bytes = packed >> 1;
        item.isEnd = (packed & 1) != 0;
        return item;
    }

    std::uint64_t m_capacity;
    std::uint64_t m_stride;
    std::uint32_t m_itemBytes;
    alignas(64) std::atomic<std::uint64_t> m_head;
    alignas(64) std::atomic<std::uint64_t> m_tail;
};

} // namespace proclab::runtime
