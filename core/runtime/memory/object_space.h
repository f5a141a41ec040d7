// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/memory/segment.h"
#include "core/runtime/memory/shared_object.h"
#include "core/runtime/sync/shared_lock.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

/// The memory that a program and all the processes below it share for the objects they hand to each
/// other: locks, queues, pipes, values. One for the whole tree of processes, so an object's handle
/// is two numbers, which may travel anywhere a value may.
namespace proclab::runtime {

/// Most processes that use shared objects of one tree at a time.
constexpr std::uint32_t maxSharers = 1024;
/// Most shared objects of one tree at a time.
constexpr std::uint32_t maxObjects = 65'536;

/// What the tree's memory knows of one object. Its state is one word, so that a process may die at
/// any instant: an entry that a dead process had claimed is free again, a live one loses that
/// holder.
struct alignas(64) ObjectEntry
{
    enum State : std::uint64_t {
        Free,
        Claimed,
        Live,
        Doubted,  ///< Nobody seems to hold it; its owner looks once more. Live if the owner dies.
        Ending,   ///< Its end is under way, and can be repeated while its memory is whole.
        Clearing, ///< It has ended.
    };

    std::atomic<std::uint64_t> word; ///< generation (32) | owner, unless Live (16) | kind | state
    std::atomic<std::uint32_t>
        inFlight; ///< Its generation while it is a payload on its way; else 0.
    std::atomic<std::uint32_t> wasPacked; ///< Its handle has been in a Parcel.
    std::atomic<std::uint64_t> offset;    ///< Of the storage, in the segment; 0: `small`.
    std::atomic<std::uint64_t> size;
    std::atomic<std::int64_t> bornNs; ///< Notes from before belong to an earlier object here.
    std::array<std::atomic<std::uint64_t>, maxSharers / 64> holders; ///< A bit for each sharer.
    alignas(64) std::array<std::byte, 192> small;

    static constexpr std::uint64_t make(std::uint32_t generation, std::uint32_t owner,
                                        ObjectKind kind, State state)
    {
        return std::uint64_t{generation} << 32 | std::uint64_t{owner & 0xffff} << 16 |
               std::uint64_t{static_cast<std::uint8_t>(kind)} << 8 | state;
    }
    static constexpr std::uint32_t generationOf(std::uint64_t word)
    {
        return static_cast<std::uint32_t>(word >> 32);
    }
    static constexpr std::uint32_t ownerOf(std::uint64_t word) { return word >> 16 & 0xffff; }
    static constexpr ObjectKind kindOf(std::uint64_t word)
    {
        return static_cast<ObjectKind>(word >> 8 & 0xff);
    }
    static constexpr State stateOf(std::uint64_t word) { return static_cast<State>(word & 0xff); }
    /// Whether its memory is whole, perhaps not for long.
    static constexpr bool isWhole(std::uint64_t word)
    {
        return stateOf(word) == Live || stateOf(word) == Doubted || stateOf(word) == Ending;
    }

    [[nodiscard]] bool isHeld() const;
};

/// How a Parcel begins; its payload follows the handles.
struct ParcelBody
{
    std::atomic<std::uint64_t> count; ///< Of handles, once all are there.

    static constexpr std::size_t bytesBefore(std::size_t handles)
    {
        return sizeof(ParcelBody) + handles * sizeof(std::uint64_t);
    }
    [[nodiscard]] std::atomic<std::uint64_t> *handles()
    {
        return reinterpret_cast<std::atomic<std::uint64_t> *>(this + 1);
    }
    [[nodiscard]] std::byte *payload()
    {
        return reinterpret_cast<std::byte *>(this) + bytesBefore(count);
    }
};

class ProcessNotes;

/// What objects of one kind do when a sharer dies, and when nobody holds them any more.
struct ObjectKindActions
{
    /// @p body may be held by others and in use.
    void (*sharerDied)(ObjectSpace &space, std::byte *body, std::uint32_t sharer, std::int32_t pid);
    /// Nobody uses @p body any more; its memory is freed next.
    void (*ended)(ObjectSpace &space, std::byte *body);
    /// Whether the object must stay without a holder because other objects need it. When the answer
    /// becomes no, ObjectSpace::freeIfUnheld() must be called.
    bool (*isNeeded)(const std::byte *body);
};
[[nodiscard]] const ObjectKindActions &actionsOf(ObjectKind kind);

/// The shared objects of this tree of processes. The first process makes the memory at first use;
/// the others inherit a descriptor of it, and the kernel frees it with the last process.
///
/// The holds of a dead process are dropped by the first that notices its death: its parent's engine
/// at once, a process that waits for it within 100 ms. Locks then report that to their next owner,
/// and pipes and queues go on without the dead process.
///
/// Threads and processes: any.
class ObjectSpace
{
public:
    /// This process's.
    [[nodiscard]] static ObjectSpace &instance();
    /// Called first in a worker's main(): @p fd is the inherited descriptor, mapped at first use.
    static void inherit(int fd);
    /// The descriptor for a child to inherit; -1 and errno if the memory cannot be made.
    [[nodiscard]] int descriptor();

    /// A new object of @p size zero-filled bytes, held by this process; null (and errno ENOMEM) if
    /// there is no room for it.
    ObjectRef create(ObjectKind kind, std::size_t size);
    /// This process's hold on an object that another process has made; null if no object of that
    /// kind is there (any more).
    ObjectRef attach(ObjectHandle handle, ObjectKind kind);
    /// A Parcel with room for @p size bytes, which keeps @p objects while it exists; null as by
    /// create().
    ObjectRef pack(std::span<const ObjectRef> objects, std::size_t size);
    /// Makes process @p sharer hold @p object too, which it then takes by attach(). For what one
    /// process hands to another that waits for it: the giver's death leaves the object there.
    void holdFor(std::uint32_t sharer, const SharedObject &object);
    /// A payload on its way holds itself, so its sender need not keep it. Ending the flight twice
    /// does nothing more.
    void beginFlight(const SharedObject &object);
    void endFlight(ObjectHandle handle);
    /// The memory of an object that is surely held, or on its way.
    [[nodiscard]] std::byte *bodyOf(ObjectHandle handle) const
    {
        return bodyOf(entry(handle.index));
    }
    /// Whether any process of the tree still holds the object.
    [[nodiscard]] bool isHeld(ObjectHandle handle) const;
    /// Ends the object if no process holds it.
    void freeIfUnheld(ObjectHandle handle);

    /// This process's number among the sharers, by which objects know their owners; the first call
    /// takes one.
    [[nodiscard]] std::uint32_t self()
    {
        const std::uint32_t self = m_self.load(std::memory_order_relaxed);
        return self != 0 ? self : takeSelf();
    }
    /// The same for a process that has opened the memory; 0 if no number is left.
    std::uint32_t tryTakeSelf();
    /// Takes a lock that lies in this memory, and releases it in place of an owner that is dead.
    SharedLock::Outcome acquire(SharedLock &lock, std::int64_t deadlineNs = noDeadline);
    /// The PID of a sharer; 0 if that number is free.
    [[nodiscard]] std::int32_t pidOf(std::uint32_t sharer) const;
    /// Drops the holds of @p sharer if it is dead; true if it was. Waiters call it for owners.
    bool recover(std::uint32_t sharer);
    /// The same by its PID, for the process that has reaped it.
    void processEnded(std::int32_t pid);

    /// Where an object's bytes lie behind descriptor(), on pages of their own. The offset is 0 for
    /// an object that is too small for that.
    struct Storage
    {
        std::uint64_t offset = 0;
        std::uint64_t size = 0;
    };
    [[nodiscard]] Storage storageOf(const SharedObject &object) const
    {
        const ObjectEntry &held = entry(object.handle().index);
        return {held.offset, held.size};
    }
    [[nodiscard]] std::byte *at(std::uint64_t offset) const { return m_segment.data() + offset; }
    /// No value if @p address is elsewhere, or this process has not opened the memory.
    [[nodiscard]] std::optional<std::uint64_t> offsetOf(const void *address) const;
    /// The notes of this process, which takes a number for them. Null if it has not opened the
    /// memory, or no number is left.
    [[nodiscard]] ProcessNotes *ownNotes();
    /// How many objects exist, and the size of their storage.
    struct Usage
    {
        std::uint32_t objects = 0;
        std::uint64_t bytes = 0;
    };
    [[nodiscard]] Usage usage() const;

private:
    friend class SharedObject;
    friend class TreeReader;
    struct Sharer;
    struct Header;

    ObjectSpace() = default;
    bool open();
    std::uint32_t takeSelf();
    [[nodiscard]] bool hasNumbersToSpare() const;
    [[nodiscard]] Header &header() const;
    [[nodiscard]] ObjectEntry &entry(std::uint32_t index) const;
    ObjectRef hold(ObjectHandle handle);
    bool reserve(ObjectEntry &entry, std::size_t size);
    [[nodiscard]] std::byte *bodyOf(ObjectEntry &entry) const;
    [[nodiscard]] bool isHeld(ObjectEntry &entry, std::uint64_t word) const;
    [[nodiscard]] bool isPacked(ObjectHandle handle) const;
    void unpack(ParcelBody &parcel);
    void end(ObjectEntry &entry, std::uint64_t word);
    void clear(ObjectEntry &entry, std::uint64_t word);
    void release(ObjectEntry &entry);
    void dropHold(ObjectHandle handle);
    void freeIfUnheld(std::uint32_t index);
    void tellOfDeath(ObjectEntry &entry, std::uint64_t word, std::uint32_t sharer,
                     std::int32_t pid);
    void settleDoubt(ObjectEntry &entry, std::uint64_t word);
    void dropHoldsOf(std::uint32_t sharer);
    [[nodiscard]] bool isDead(std::uint32_t sharer) const;
    static void beforeFork();
    static void afterForkInParent();
    static void afterForkInChild();

    Segment m_segment;
    int m_inheritedFd = -1;
    std::atomic<std::uint32_t> m_self{0};
    std::atomic<bool> m_isOpen{false};
    std::recursive_mutex m_mutex;
    // Guarded by m_mutex.
    struct Hold
    {
        SharedObject *object = nullptr;
        std::weak_ptr<SharedObject> shared;
    };
    std::map<std::uint32_t, Hold> m_held; ///< By index.
    std::uint32_t m_forks = 0;            ///< Its value before the fork that is under way.
};

} // namespace proclab::runtime
