// SPDX-License-Identifier: GPL-3.0-or-later

// Who holds an object of an ObjectSpace, and what ends when nobody does.

#include "core/runtime/kill_point.h"
#include "core/runtime/memory/object_space_layout.h"

#include <algorithm>

namespace proclab::runtime {

bool ObjectEntry::isHeld() const
{
    return inFlight.load(std::memory_order_seq_cst) != 0 ||
           std::any_of(holders.begin(), holders.end(),
                       [](const auto &bits) { return bits.load(std::memory_order_seq_cst) != 0; });
}

SharedObject::~SharedObject()
{
    const std::lock_guard lock(m_space.m_mutex);
    const auto found = m_space.m_held.find(m_handle.index);
    if (found == m_space.m_held.end() || found->second.object != this)
        return; // Somebody in this process has taken hold of it again.
    m_space.m_held.erase(found);
    m_space.dropHold(m_handle);
}

ObjectRef ObjectSpace::hold(ObjectHandle handle)
{
    const std::lock_guard lock(m_mutex);
    ObjectEntry &entry = this->entry(handle.index);
    auto object = std::make_shared<SharedObject>(*this, handle, bodyOf(entry));
    m_held[handle.index] = {object.get(), object};
    return object;
}

/// Waits for the process that looks once more whether @p entry is held. If that process is dead the
/// entry counts as held, and whoever drops the dead one's holds looks again.
void ObjectSpace::settleDoubt(ObjectEntry &entry, std::uint64_t word)
{
    if (isDead(ObjectEntry::ownerOf(word))) {
        (void)entry.word.compare_exchange_strong(
            word, ObjectEntry::make(ObjectEntry::generationOf(word), 0, ObjectEntry::kindOf(word),
                                    ObjectEntry::Live));
        PROCLAB_KILL_POINT("space-doubt.settled");
    }
    spinPause();
}

ObjectRef ObjectSpace::attach(ObjectHandle handle, ObjectKind kind)
{
    if (handle.index >= maxObjects || !open())
        return nullptr;
    const std::lock_guard lock(m_mutex);
    ObjectEntry &entry = this->entry(handle.index);
    const auto found = m_held.find(handle.index);
    const ObjectRef known = found != m_held.end() ? found->second.shared.lock() : nullptr;
    const bool isKnown = known && known->handle() == handle;
    const std::uint32_t self = this->self();
    const std::uint64_t bit = std::uint64_t{1} << self % 64;
    PROCLAB_KILL_POINT("space-attach.before");
    const bool wasHeld = (entry.holders[self / 64].fetch_or(bit) & bit) != 0;
    PROCLAB_KILL_POINT("space-attach.held");
    for (;;) {
        const std::uint64_t word = entry.word.load(std::memory_order_seq_cst);
        const bool isSame = ObjectEntry::generationOf(word) == handle.generation &&
                            ObjectEntry::kindOf(word) == kind;
        if (isSame && ObjectEntry::stateOf(word) == ObjectEntry::Live)
            return isKnown ? known : hold(handle);
        if (isSame && ObjectEntry::stateOf(word) == ObjectEntry::Doubted) {
            settleDoubt(entry, word);
            continue;
        }
        if (!wasHeld) {
            entry.holders[self / 64].fetch_and(~bit);
            freeIfUnheld(handle.index); // What is there now may have ended meanwhile.
        }
        return nullptr;
    }
}

void ObjectSpace::holdFor(std::uint32_t sharer, const SharedObject &object)
{
    entry(object.handle().index).holders[sharer / 64].fetch_or(std::uint64_t{1} << sharer % 64);
}

void ObjectSpace::beginFlight(const SharedObject &object)
{
    PROCLAB_KILL_POINT("space-flight.before-begin");
    entry(object.handle().index)
        .inFlight.store(object.handle().generation, std::memory_order_seq_cst);
    PROCLAB_KILL_POINT("space-flight.begun");
}

void ObjectSpace::endFlight(ObjectHandle handle)
{
    if (handle.index >= maxObjects || !open())
        return;
    PROCLAB_KILL_POINT("space-flight.before-end");
    std::uint32_t mine = handle.generation;
    if (mine == 0 ||
        !entry(handle.index).inFlight.compare_exchange_strong(mine, 0, std::memory_order_seq_cst))
        return;
    PROCLAB_KILL_POINT("space-flight.ended");
    freeIfUnheld(handle.index);
}

bool ObjectSpace::isHeld(ObjectHandle handle) const
{
    ObjectEntry &entry = this->entry(handle.index);
    const std::uint64_t word = entry.word.load(std::memory_order_acquire);
    return ObjectEntry::generationOf(word) == handle.generation && ObjectEntry::isWhole(word) &&
           isHeld(entry, word);
}

/// Asks the holders before the parcels: a process that takes the handle out of a parcel is a holder
/// by then, or waits for the answer.
bool ObjectSpace::isHeld(ObjectEntry &entry, std::uint64_t word) const
{
    if (entry.isHeld())
        return true;
    const auto isNeeded = actionsOf(ObjectEntry::kindOf(word)).isNeeded;
    const auto index = static_cast<std::uint32_t>(&entry - header().entries.data());
    return (isNeeded && isNeeded(bodyOf(entry))) ||
           (entry.wasPacked.load(std::memory_order_seq_cst) != 0 &&
            isPacked({index, ObjectEntry::generationOf(word)}));
}

void ObjectSpace::freeIfUnheld(ObjectHandle handle)
{
    if (ObjectEntry::generationOf(entry(handle.index).word.load(std::memory_order_acquire)) ==
        handle.generation)
        freeIfUnheld(handle.index);
}

void ObjectSpace::dropHold(ObjectHandle handle)
{
    const std::uint32_t self = this->self();
    entry(handle.index)
        .holders[self / 64]
        .fetch_and(~(std::uint64_t{1} << self % 64), std::memory_order_seq_cst);
    PROCLAB_KILL_POINT("space-let.done");
    freeIfUnheld(handle.index);
}

void ObjectSpace::freeIfUnheld(std::uint32_t index)
{
    ObjectEntry &entry = this->entry(index);
    std::uint64_t word = entry.word.load(std::memory_order_seq_cst);
    const std::uint32_t generation = ObjectEntry::generationOf(word);
    const ObjectKind kind = ObjectEntry::kindOf(word);
    if (ObjectEntry::stateOf(word) != ObjectEntry::Live || isHeld(entry, word))
        return;
    // A process that attached before this is seen below; a later one waits for the answer.
    std::uint64_t doubted = ObjectEntry::make(generation, self(), kind, ObjectEntry::Doubted);
    if (!entry.word.compare_exchange_strong(word, doubted))
        return; // Another process was faster.
    PROCLAB_KILL_POINT("space-free.doubted");
    const bool isStillHeld = isHeld(entry, doubted);
    const auto decided = isStillHeld
                             ? ObjectEntry::make(generation, 0, kind, ObjectEntry::Live)
                             : ObjectEntry::make(generation, self(), kind, ObjectEntry::Ending);
    if (!entry.word.compare_exchange_strong(doubted, decided))
        return;
    PROCLAB_KILL_POINT("space-free.decided");
    if (isStillHeld) {
        freeIfUnheld(index);
        return;
    }
    end(entry, decided);
    clear(entry, decided);
}

/// Ends an Ending entry, as its owner or in the owner's place: first what its kind does, then its
/// memory.
void ObjectSpace::end(ObjectEntry &entry, std::uint64_t word)
{
    const ObjectKind kind = ObjectEntry::kindOf(word);
    if (const auto ended = actionsOf(kind).ended)
        ended(*this, bodyOf(entry));
    PROCLAB_KILL_POINT("space-free.ended");
    entry.word.store(ObjectEntry::make(ObjectEntry::generationOf(word), ObjectEntry::ownerOf(word),
                                       kind, ObjectEntry::Clearing),
                     std::memory_order_release);
    PROCLAB_KILL_POINT("space-free.clearing");
    if (kind == ObjectKind::Parcel)
        unpack(*reinterpret_cast<ParcelBody *>(bodyOf(entry)));
}

/// Frees an entry that nobody uses, as its owner or in the owner's place.
void ObjectSpace::clear(ObjectEntry &entry, std::uint64_t word)
{
    release(entry);
    PROCLAB_KILL_POINT("space-free.released");
    entry.word.store(ObjectEntry::make(ObjectEntry::generationOf(word), 0,
                                       ObjectEntry::kindOf(word), ObjectEntry::Free),
                     std::memory_order_release);
    PROCLAB_KILL_POINT("space-free.done");
    const auto index = static_cast<std::uint32_t>(&entry - header().entries.data());
    if (index < header().freeHint.load(std::memory_order_relaxed))
        header().freeHint.store(index, std::memory_order_relaxed);
}

} // namespace proclab::runtime
