// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/ipc/byte_ring.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace proclab::runtime {

void ByteRing::note(Passing &passing, Passing::Place place, std::uint64_t end, ObjectHandle memory,
                    const Count &count)
{
    passing.end = end;
    passing.memory = memory;
    passing.countAt = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(&count) -
                                                 reinterpret_cast<std::uintptr_t>(this));
    passing.countBefore = count.load(std::memory_order_relaxed);
    PROCLAB_KILL_POINT("ring-note.before-place");
    passing.place.store(place, std::memory_order_release);
}

void ByteRing::settle(const Passing &passing, bool isDone)
{
    if (passing.noted() == Passing::None)
        return;
    auto &count = *reinterpret_cast<Count *>(reinterpret_cast<std::byte *>(this) + passing.countAt);
    count.store(passing.countBefore + (isDone ? 1 : 0), std::memory_order_release);
}

void ByteRing::setUp(const Limits &limits)
{
    m_limits = limits;
}

/// May be repeated, for whoever does it may die in it.
void ByteRing::release(ObjectSpace &space, Memory &memory)
{
    if (memory.capacity.load(std::memory_order_acquire) == 0)
        return;
    space.endFlight(memory.handle); // Only once, for the object is gone then.
    PROCLAB_KILL_POINT("ring-release.let-go");
    memory.capacity.store(0, std::memory_order_release);
}

void ByteRing::end(ObjectSpace &space)
{
    while (!isEmpty()) {
        const Found found = first(space);
        if (found.header.isApart())
            space.endFlight(found.apart);
        PROCLAB_KILL_POINT("ring-end.let-go");
        m_head.store(moved(m_head.load(std::memory_order_relaxed), found.length),
                     std::memory_order_release);
    }
    for (Memory &memory : m_memory)
        release(space, memory);
}

void ByteRing::sharerDied(ObjectSpace &space, std::uint32_t sharer)
{
    const auto isOwner = [sharer](const SharedLock &lock) {
        return lock.owner() == static_cast<int>(sharer);
    };
    if (isOwner(m_producing)) {
        const bool isIn = m_entering.end != m_tail.load(std::memory_order_acquire);
        settle(m_entering, isIn);
        PROCLAB_KILL_POINT("ring-died.put-counted");
        if (m_entering.noted() == Passing::Apart && !isIn)
            space.endFlight(m_entering.memory);
        PROCLAB_KILL_POINT("ring-died.entering");
        m_entering.clear();
        release(space, m_memory[1 - m_current.load(std::memory_order_acquire)]);
    }
    if (isOwner(m_consuming)) {
        const bool isTaken = m_leaving.end != m_head.load(std::memory_order_acquire);
        settle(m_leaving, isTaken);
        PROCLAB_KILL_POINT("ring-died.counted");
        if (m_leaving.noted() == Passing::Apart && isTaken)
            space.endFlight(m_leaving.memory); // It went with its consumer.
        PROCLAB_KILL_POINT("ring-died.leaving");
        m_leaving.clear();
    }
    m_consuming.recover(sharer);
    PROCLAB_KILL_POINT("ring-died.one-lock");
    m_producing.recover(sharer);
    PROCLAB_KILL_POINT("ring-died.before-notify");
    items.sleeperDied();
    room.sleeperDied();
}

bool ByteRing::hasRoom(const Record &record) const
{
    if (isFull())
        return false;
    const std::uint64_t capacity = memory().capacity.load(std::memory_order_acquire);
    std::uint64_t length = lengthOf(record);
    if (length > capacity / 4) {
        if (size() > m_limits.besideLarge)
            return false;
        length = lengthApart;
    }
    return usedBytes(m_head.load(std::memory_order_acquire)) + skippedBefore(length) + length <=
           capacity;
}

ByteRing::Room ByteRing::append(ObjectSpace &space, const Record &record, Count &putCount)
{
    const std::uint64_t tail = m_tail.load(std::memory_order_relaxed);
    if (!hasAtMost(m_limits.records - 1))
        return Room::Wait;
    const std::uint64_t length = lengthOf(record);
    std::uint64_t capacity = memory().capacity.load(std::memory_order_relaxed);
    if (length > capacity / 4 && capacity < largestForARecord) {
        const std::uint64_t wanted =
            std::clamp(std::bit_ceil(length * 4), smallest, largestForARecord);
        if (wanted > capacity && !grow(space, wanted))
            return Room::NoMemory;
        capacity = memory().capacity.load(std::memory_order_relaxed);
    }
    if (length > capacity / 4 && !hasAtMost(m_limits.besideLarge))
        return Room::Wait;
    const bool isApart = !record.objects.empty() || length > capacity / 4;
    const std::uint64_t needed = isApart ? lengthApart : length;
    while (!holdsForHead([&](std::uint64_t head) {
        return usedBytes(head) + skippedBefore(needed) + needed <= capacity;
    })) {
        if (capacity * 2 > m_limits.bytes)
            return Room::Wait;
        if (!grow(space, capacity * 2))
            return Room::NoMemory;
        capacity *= 2;
    }
    if (isApart)
        return appendApart(space, record, putCount);
    note(m_entering, Passing::Inline, tail, {}, putCount);
    PROCLAB_KILL_POINT("ring-put.noted");
    write(space, needed,
          {record.bytes.size(), RecordHeader::Inline, static_cast<std::uint8_t>(record.mark)},
          record.bytes, putCount);
    m_entering.clear();
    return Room::Done;
}

ByteRing::Room ByteRing::appendApart(ObjectSpace &space, const Record &record, Count &putCount)
{
    const bool isPacked = !record.objects.empty();
    const ObjectRef memory = isPacked ? space.pack(record.objects, record.bytes.size())
                                      : space.create(ObjectKind::Blob, record.bytes.size());
    if (!memory)
        return Room::NoMemory;
    std::memcpy(isPacked ? memory->body<ParcelBody>().payload() : &memory->body<std::byte>(),
                record.bytes.data(), record.bytes.size());
    PROCLAB_KILL_POINT("ring-put.apart-filled");
    note(m_entering, Passing::Apart, m_tail.load(std::memory_order_relaxed), memory->handle(),
         putCount);
    PROCLAB_KILL_POINT("ring-put.apart-noted");
    space.beginFlight(*memory);
    PROCLAB_KILL_POINT("ring-put.apart-in-flight");
    const ObjectHandle handle = memory->handle();
    write(space, lengthApart,
          {record.bytes.size(), isPacked ? RecordHeader::Packed : RecordHeader::Apart,
           static_cast<std::uint8_t>(record.mark)},
          std::as_bytes(std::span(&handle, 1)), putCount);
    PROCLAB_KILL_POINT("ring-put.apart-in");
    m_entering.clear();
    return Room::Done;
}

/// Puts a record behind the tail and moves that beyond it: until then there is none.
void ByteRing::write(ObjectSpace &space, std::uint64_t length, const RecordHeader &header,
                     std::span<const std::byte> bytes, Count &putCount)
{
    const std::uint64_t tail = m_tail.load(std::memory_order_relaxed);
    const std::uint64_t skipped = skippedBefore(length);
    const auto putWord = [this, &space](std::uint64_t position, const RecordHeader &put) {
        const std::uint64_t word = put.word();
        std::memcpy(at(space, position), &word, sizeof word);
    };
    if (skipped > 0)
        putWord(positionOf(tail), {skipped, RecordHeader::Skip});
    PROCLAB_KILL_POINT("ring-put.skipped");
    putWord(positionOf(tail) + skipped, header);
    if (!bytes.empty())
        std::memcpy(at(space, positionOf(tail) + skipped) + headerBytes, bytes.data(),
                    bytes.size());
    PROCLAB_KILL_POINT("ring-put.written");
    m_tail.store(moved(tail, skipped + length), std::memory_order_release);
    PROCLAB_KILL_POINT("ring-put.tail-moved");
    putCount.store(putCount.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    PROCLAB_KILL_POINT("ring-put.counted");
    if (header.mark == 0 && m_notesMost.load(std::memory_order_relaxed))
        noteDepth();
}

/// By a producer, with its lock, after a record came in. By the head that was seen last at most so
/// many wait: the head itself is of interest only where that were more than ever.
void ByteRing::noteDepth()
{
    const std::uint64_t tail = m_tail.load(std::memory_order_relaxed);
    const auto depth = [tail](std::uint64_t head) {
        return static_cast<std::uint32_t>((countOf(tail) - countOf(head)) & maxRecords);
    };
    const std::uint32_t most = m_mostRecords.load(std::memory_order_relaxed);
    if (depth(m_headSeen.load(std::memory_order_relaxed)) <= most)
        return;
    const std::uint64_t head = m_head.load(std::memory_order_acquire);
    m_headSeen.store(head, std::memory_order_relaxed);
    if (depth(head) > most)
        m_mostRecords.store(depth(head), std::memory_order_relaxed);
}

/// By a producer, with its lock. Positions stay what they are, and records in one piece: a multiple
/// of the new capacity is one of the old.
bool ByteRing::grow(ObjectSpace &space, std::uint64_t capacity)
{
    const ObjectRef memory = space.create(ObjectKind::Blob, capacity);
    if (!memory)
        return false;
    PROCLAB_KILL_POINT("ring-grow.made");
    (void)space.acquire(m_consuming);
    PROCLAB_KILL_POINT("ring-grow.locked");
    const std::uint32_t current = m_current.load(std::memory_order_relaxed);
    Memory &old = m_memory[current];
    Memory &grown = m_memory[1 - current];
    grown.handle = memory->handle();
    grown.offset = static_cast<std::uint64_t>(&memory->body<std::byte>() - space.at(0));
    PROCLAB_KILL_POINT("ring-grow.placed");
    grown.capacity.store(capacity, std::memory_order_release);
    PROCLAB_KILL_POINT("ring-grow.noted");
    space.beginFlight(*memory);
    PROCLAB_KILL_POINT("ring-grow.in-flight");
    const std::uint64_t was = old.capacity.load(std::memory_order_relaxed);
    const std::uint64_t head = m_head.load(std::memory_order_relaxed);
    std::uint64_t position = positionOf(head);
    for (std::uint64_t left = usedBytes(head); left > 0;) {
        const std::uint64_t length = std::min(left, was - (position & (was - 1)));
        std::memcpy(space.at(grown.offset) + (position & (capacity - 1)), at(space, position),
                    length);
        position += length;
        left -= length;
    }
    PROCLAB_KILL_POINT("ring-grow.copied");
    m_current.store(1 - current, std::memory_order_release);
    PROCLAB_KILL_POINT("ring-grow.current");
    release(space, old);
    PROCLAB_KILL_POINT("ring-grow.released");
    m_consuming.unlock();
    return true;
}

ByteRing::Found ByteRing::recordAt(ObjectSpace &space, std::uint64_t head) const
{
    const auto headerAt = [this, &space](std::uint64_t place) {
        std::uint64_t word = 0;
        std::memcpy(&word, at(space, place), sizeof word);
        return RecordHeader::of(word);
    };
    std::uint64_t position = positionOf(head);
    Found found;
    found.header = headerAt(position);
    if (found.header.place == RecordHeader::Skip) {
        found.length = found.header.size;
        position += found.length;
        found.header = headerAt(position);
    }
    const std::byte *bytes = at(space, position) + headerBytes;
    if (found.header.isApart()) {
        std::memcpy(&found.apart, bytes, sizeof found.apart);
        std::byte *body = space.bodyOf(found.apart);
        bytes = found.header.place == RecordHeader::Packed
                    ? reinterpret_cast<ParcelBody *>(body)->payload()
                    : body;
        found.length += lengthApart;
    } else {
        found.length += lengthInRing(found.header.size);
    }
    found.bytes = {bytes, found.header.size};
    return found;
}

void ByteRing::take(ObjectSpace &space, const Found &found, Count &takenCount)
{
    const bool isApart = found.header.isApart();
    const std::uint64_t head = m_head.load(std::memory_order_relaxed);
    const std::uint32_t taken = takenCount.load(std::memory_order_relaxed);
    note(m_leaving, isApart ? Passing::Apart : Passing::Inline, head, found.apart, takenCount);
    PROCLAB_KILL_POINT("ring-get.noted");
    m_head.store(moved(head, found.length), std::memory_order_release);
    PROCLAB_KILL_POINT("ring-get.head-moved");
    takenCount.store(taken + 1, std::memory_order_release);
    PROCLAB_KILL_POINT("ring-get.counted");
    if (isApart)
        space.endFlight(found.apart);
    PROCLAB_KILL_POINT("ring-get.let-go");
    m_leaving.clear();
}

} // namespace proclab::runtime
