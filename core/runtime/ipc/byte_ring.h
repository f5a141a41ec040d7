// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/kill_point.h"
#include "core/runtime/memory/object_space.h"
#include "core/runtime/sync/wait_point.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace proclab::runtime {

/// First-in, first-out records of any length between any number of producers and consumers.
///
/// A ring of bytes with a lock at each end, so that one producer and one consumer never meet. What
/// is in it is what lies between two words, head and tail, each with a position and a count; one
/// store of one word puts or takes a record, so a process may die anywhere in between: the record
/// is either in or out, and the lock goes on to the next. A record too long for the ring lies in
/// memory of its own, which the ring holds; the ring's own memory grows where it is allowed to.
///
/// Between processes; lives in an ObjectSpace, filled with zeros but for setUp().
class ByteRing
{
public:
    static constexpr std::uint64_t maxRecords = (std::uint64_t{1} << 24) - 1;

    enum class Outcome {
        Done,
        TimedOut,
        Refused, ///< By what the caller asked while waiting.
        NoMemory,
    };
    struct Record
    {
        std::span<const std::byte> bytes;
        std::uint32_t mark = 0; ///< The caller's own, 8 bits.
        /// Whose handles are among the bytes: the ring keeps them.
        std::span<const ObjectRef> objects = {};
    };
    struct Limits
    {
        std::uint64_t records = maxRecords;
        /// The ring grows up to here instead of making a producer wait.
        std::uint64_t bytes = std::uint64_t{1} << 30;
        /// A record that is too large for the ring waits until no more than so many are in it.
        std::uint64_t besideLarge = maxRecords;
    };

    void setUp(const Limits &limits);
    /// When nobody uses it any more.
    void end(ObjectSpace &space);
    /// Also makes the counts of what it put and took exact, if it died while one changed.
    void sharerDied(ObjectSpace &space, std::uint32_t sharer);

    /// Counts records in one step with their coming in or going out: exact also if the process dies
    /// in between. It lies in the same object as the ring, after it.
    using Count = std::atomic<std::uint32_t>;

    /// Appends a record, waiting for room until @p deadlineNs, and counts it in @p putCount, the
    /// caller's. @p refuse() is asked before each wait and says whether to give up.
    template<typename Refuse>
    Outcome put(ObjectSpace &space, Count &putCount, const Record &record, std::int64_t deadlineNs,
                Refuse refuse)
    {
        WaitPoint::Turn turn(room);
        for (;;) {
            if (space.acquire(m_producing, patience(deadlineNs)) == SharedLock::Outcome::GivenUp)
                return Outcome::TimedOut;
            const Room found = turn.mayPass() ? append(space, record, putCount) : Room::Wait;
            m_producing.unlock();
            if (found == Room::Done) {
                PROCLAB_KILL_POINT("ring-put.before-notify");
                items.notify(1);
                return Outcome::Done;
            }
            if (found == Room::NoMemory)
                return Outcome::NoMemory;
            if (refuse())
                return Outcome::Refused;
            const auto mayFit = [this, &record, &refuse, &turn] {
                return (hasRoom(record) && turn.mayPass()) || refuse();
            };
            if (!room.wait(turn, mayFit, deadlineNs, WaitFor::Room))
                return Outcome::TimedOut;
        }
    }
    /// Takes the next record, waiting for one until @p deadlineNs: @p store(bytes, mark) is called
    /// with it, under the lock, and copies it. Counts it in the one of @p takenCounts, the
    /// caller's, that is for its mark: the last one also for higher marks. The objects of its
    /// handles are kept until @p parcel is let go.
    template<typename Refuse, typename Store>
    Outcome get(ObjectSpace &space, std::span<Count *const> takenCounts, std::int64_t deadlineNs,
                Refuse refuse, Store store, ObjectRef *parcel = nullptr)
    {
        WaitPoint::Turn turn(items);
        for (;;) {
            if (space.acquire(m_consuming, patience(deadlineNs)) == SharedLock::Outcome::GivenUp)
                return Outcome::TimedOut;
            const bool isTaken = turn.mayPass() && hasNext();
            if (isTaken) {
                const Found found = first(space);
                PROCLAB_KILL_POINT("ring-get.found");
                store(found.bytes, std::uint32_t{found.header.mark});
                if (parcel && found.header.place == RecordHeader::Packed)
                    *parcel = space.attach(found.apart, ObjectKind::Parcel);
                PROCLAB_KILL_POINT("ring-get.stored");
                take(
                    space, found,
                    *takenCounts[std::min<std::size_t>(found.header.mark, takenCounts.size() - 1)]);
            }
            m_consuming.unlock();
            if (isTaken) {
                PROCLAB_KILL_POINT("ring-get.before-notify");
                room.notify(1);
                return Outcome::Done;
            }
            if (refuse())
                return Outcome::Refused;
            const auto mayTake = [this, &refuse, &turn] {
                return (!isEmpty() && turn.mayPass()) || refuse();
            };
            if (!items.wait(turn, mayTake, deadlineNs, WaitFor::Item))
                return Outcome::TimedOut;
        }
    }

    /// Hands up to @p most records that wait, the next first, to @p see(bytes, mark), under the
    /// consumers' lock. False: that was held for all of @p patienceNs, nothing is seen.
    template<typename See>
    bool glance(ObjectSpace &space, std::uint64_t most, std::int64_t patienceNs, See see)
    {
        if (space.acquire(m_consuming, nowNs() + patienceNs) == SharedLock::Outcome::GivenUp)
            return false;
        std::uint64_t at = m_head.load(std::memory_order_relaxed);
        const std::uint64_t end = m_tail.load(std::memory_order_acquire);
        for (; at != end && most > 0; --most) {
            const Found found = recordAt(space, at);
            see(found.bytes, std::uint32_t{found.header.mark});
            at = moved(at, found.length);
        }
        m_consuming.unlock();
        return true;
    }

    [[nodiscard]] std::uint64_t size() const
    {
        // The head first: in the other order it may have passed the tail that was read.
        const std::uint64_t head = m_head.load(std::memory_order_acquire);
        const std::uint64_t tail = m_tail.load(std::memory_order_acquire);
        return std::min((countOf(tail) - countOf(head)) & maxRecords, m_limits.records);
    }
    [[nodiscard]] bool isEmpty() const
    {
        return m_head.load(std::memory_order_acquire) == m_tail.load(std::memory_order_acquire);
    }
    [[nodiscard]] bool isFull() const { return size() >= m_limits.records; }
    /// From now on mostRecords() is noted. Each put() looks at the consumers' end then while the
    /// ring is nearly empty, which makes a round trip about 15 % slower.
    void noteMostRecords() { m_notesMost.store(true, std::memory_order_relaxed); }
    /// The most records that have waited when one of mark 0 came in, with that.
    [[nodiscard]] std::uint64_t mostRecords() const
    {
        return m_mostRecords.load(std::memory_order_relaxed);
    }
    /// Records ever put, modulo maxRecords + 1.
    [[nodiscard]] std::uint64_t putCount() const
    {
        return countOf(m_tail.load(std::memory_order_acquire));
    }

    WaitPoint items; ///< For one to take.
    WaitPoint room;  ///< For one more.

private:
    enum class Room { Done, Wait, NoMemory };
    /// Before each record in the ring, in one word; what fills the ring up to its end, where the
    /// next record has no room, is one too.
    struct RecordHeader
    {
        enum Place : std::uint8_t {
            Inline,
            Apart,
            Skip,
            Packed, ///< Apart too, in a Parcel.
        };

        std::uint64_t size = 0; ///< Below 2^48. Of a Skip, with its header.
        Place place = Inline;
        std::uint8_t mark = 0;

        [[nodiscard]] bool isApart() const { return place == Apart || place == Packed; }
        [[nodiscard]] std::uint64_t word() const
        {
            return size << 16 | std::uint64_t{mark} << 8 | place;
        }
        static RecordHeader of(std::uint64_t word)
        {
            return {word >> 16, static_cast<Place>(word & 0xff),
                    static_cast<std::uint8_t>(word >> 8 & 0xff)};
        }
    };
    struct Found
    {
        RecordHeader header;
        std::uint64_t length = 0; ///< In the ring, with what is skipped before it.
        ObjectHandle apart;       ///< Of an Apart record.
        std::span<const std::byte> bytes;
    };
    /// One index says which of two is in use, so that growing is one store as well.
    struct Memory
    {
        ObjectHandle handle;
        std::uint64_t offset;                ///< In the segment.
        std::atomic<std::uint64_t> capacity; ///< A power of two; 0: none.
    };
    /// A record on its way into or out of the ring, for whoever recovers a death.
    struct Passing
    {
        enum Place : std::uint32_t { None, Inline, Apart };

        std::uint64_t end;         ///< The tail or head before.
        ObjectHandle memory;       ///< Of a record that lies apart.
        std::uint32_t countAt;     ///< Where the process's count lies, in bytes behind the ring's
                                   ///< beginning.
        std::uint32_t countBefore; ///< What it was.
        std::atomic<Place> place;  ///< Written last: before that there is no note.

        [[nodiscard]] Place noted() const { return place.load(std::memory_order_acquire); }
        void clear() { place.store(None, std::memory_order_release); }
    };

    // A word of either end: count (24 bits) | position (40 bits), both going round.
    static constexpr std::uint64_t positionBits = 40;
    static constexpr std::uint64_t positionMask = (std::uint64_t{1} << positionBits) - 1;
    static constexpr std::uint64_t headerBytes = sizeof(std::uint64_t);
    static constexpr std::uint64_t lengthApart = headerBytes + sizeof(ObjectHandle);
    static constexpr std::uint64_t smallest = 65'536;
    /// A record of up to a quarter of the ring goes into it; for one record it grows up to here.
    static constexpr std::uint64_t largestForARecord = std::uint64_t{8} << 20;

    static constexpr std::uint64_t countOf(std::uint64_t word) { return word >> positionBits; }
    static constexpr std::uint64_t positionOf(std::uint64_t word) { return word & positionMask; }
    static constexpr std::uint64_t moved(std::uint64_t word, std::uint64_t bytes)
    {
        return ((countOf(word) + 1) & maxRecords) << positionBits |
               ((positionOf(word) + bytes) & positionMask);
    }
    static constexpr std::uint64_t lengthInRing(std::uint64_t bytes)
    {
        return headerBytes + (bytes + 7) / 8 * 8;
    }

    /// Even a call that does not block waits briefly for this lock, which is held for microseconds
    /// unless its owner has been stopped.
    static std::int64_t patience(std::int64_t deadlineNs)
    {
        return deadlineNs == noDeadline ? noDeadline : std::max(deadlineNs, nowNs() + parkNs);
    }
    [[nodiscard]] const Memory &memory() const
    {
        return m_memory[m_current.load(std::memory_order_acquire)];
    }
    /// Between the @p head and the tail.
    [[nodiscard]] std::uint64_t usedBytes(std::uint64_t head) const
    {
        return (positionOf(m_tail.load(std::memory_order_acquire)) - positionOf(head)) &
               positionMask;
    }
    /// Whether @p isTrue of the head that a producer saw last, with its lock; if not, of the head
    /// as it is. What is true stays true while consumers move it on.
    template<typename IsTrue>
    bool holdsForHead(IsTrue isTrue)
    {
        if (isTrue(m_headSeen.load(std::memory_order_relaxed)))
            return true;
        const std::uint64_t head = m_head.load(std::memory_order_acquire);
        m_headSeen.store(head, std::memory_order_relaxed);
        return isTrue(head);
    }
    /// By a consumer, with its lock.
    bool hasNext()
    {
        const std::uint64_t head = m_head.load(std::memory_order_relaxed);
        if (head != m_tailSeen.load(std::memory_order_relaxed))
            return true;
        m_tailSeen.store(m_tail.load(std::memory_order_acquire), std::memory_order_relaxed);
        return head != m_tailSeen.load(std::memory_order_relaxed);
    }
    /// What a record takes in the ring, unless it is too long for that.
    static std::uint64_t lengthOf(const Record &record)
    {
        return record.objects.empty() ? lengthInRing(record.bytes.size()) : lengthApart;
    }
    void note(Passing &passing, Passing::Place place, std::uint64_t end, ObjectHandle memory,
              const Count &count);
    /// The count of a dead process as it is after what @p passing says, which is done or not.
    void settle(const Passing &passing, bool isDone);
    [[nodiscard]] bool hasRoom(const Record &record) const;
    /// By a producer, with its lock: whether at most @p most records wait.
    [[nodiscard]] bool hasAtMost(std::uint64_t most)
    {
        const std::uint64_t tail = m_tail.load(std::memory_order_relaxed);
        return holdsForHead([tail, most](std::uint64_t head) {
            return ((countOf(tail) - countOf(head)) & maxRecords) <= most;
        });
    }
    /// Where a record of @p length bytes goes: at the tail, or beyond what is left before the end
    /// of the ring, which is then skipped.
    [[nodiscard]] std::uint64_t skippedBefore(std::uint64_t length) const
    {
        const std::uint64_t capacity = memory().capacity.load(std::memory_order_acquire);
        if (capacity == 0)
            return 0;
        const std::uint64_t tail = m_tail.load(std::memory_order_acquire);
        const std::uint64_t left = capacity - (positionOf(tail) & (capacity - 1));
        return left < length ? left : 0;
    }
    Room append(ObjectSpace &space, const Record &record, Count &putCount);
    Room appendApart(ObjectSpace &space, const Record &record, Count &putCount);
    void noteDepth();
    bool grow(ObjectSpace &space, std::uint64_t capacity);
    void release(ObjectSpace &space, Memory &memory);
    void write(ObjectSpace &space, std::uint64_t length, const RecordHeader &header,
               std::span<const std::byte> bytes, Count &putCount);
    [[nodiscard]] std::byte *at(ObjectSpace &space, std::uint64_t position) const
    {
        const Memory &ring = memory();
        const std::uint64_t capacity = ring.capacity.load(std::memory_order_relaxed);
        return space.at(ring.offset) + (position & (capacity - 1));
    }
    /// The record at @p head, which is there.
    [[nodiscard]] Found recordAt(ObjectSpace &space, std::uint64_t head) const;
    [[nodiscard]] Found first(ObjectSpace &space) const
    {
        return recordAt(space, m_head.load(std::memory_order_relaxed));
    }
    void take(ObjectSpace &space, const Found &found, Count &takenCount);

    Limits m_limits;
    std::atomic<bool> m_notesMost;
    // Changed under both locks.
    std::array<Memory, 2> m_memory;
    std::atomic<std::uint32_t> m_current;
    // The producers'. Each end notes what it last saw of the other, and looks there only when that
    // does not do: the word's cache line comes over once for many records. After Lee, Bu and
    // Chandranmenon, "A Lock-Free, Cache-Efficient Shared Ring Buffer" (2009).
    alignas(64) SharedLock m_producing;
    Passing m_entering;
    std::atomic<std::uint64_t> m_headSeen;
    std::atomic<std::uint32_t> m_mostRecords;
    alignas(64) std::atomic<std::uint64_t> m_tail;
    // The consumers'.
    alignas(64) SharedLock m_consuming;
    Passing m_leaving;
    std::atomic<std::uint64_t> m_tailSeen;
    alignas(64) std::atomic<std::uint64_t> m_head;
};

} // namespace proclab::runtime
