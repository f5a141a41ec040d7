// SPDX-License-Identifier: GPL-3.0-or-later

// What an ObjectSpace keeps while handles are on their way.

#include "core/runtime/kill_point.h"
#include "core/runtime/memory/object_space_layout.h"

#include <algorithm>

namespace proclab::runtime {

namespace {

std::uint64_t packedHandle(ObjectHandle handle)
{
    return std::uint64_t{handle.index} << 32 | handle.generation;
}

} // namespace

/// Asks the parcels themselves what they keep: a count could be left wrong by a death.
bool ObjectSpace::isPacked(ObjectHandle handle) const
{
    const std::uint64_t packed = packedHandle(handle);
    const auto isThere = [](std::uint64_t word) {
        return ObjectEntry::kindOf(word) == ObjectKind::Parcel && ObjectEntry::isWhole(word);
    };
    const std::uint32_t used = header().entriesUsed.load(std::memory_order_acquire);
    for (std::uint32_t index = 0; index < used; ++index) {
        ObjectEntry &entry = this->entry(index);
        const std::uint64_t word = entry.word.load(std::memory_order_seq_cst);
        if (!isThere(word))
            continue;
        auto &parcel = *reinterpret_cast<ParcelBody *>(bodyOf(entry));
        const std::uint64_t room =
            std::min<std::uint64_t>(entry.size / sizeof(std::uint64_t), maxObjects);
        const std::uint64_t count = std::min(parcel.count.load(std::memory_order_seq_cst), room);
        const auto *handles = parcel.handles();
        const bool isIn = std::any_of(handles, handles + count, [packed](const auto &one) {
            return one.load(std::memory_order_relaxed) == packed;
        });
        // Otherwise the parcel has ended meanwhile, and these were other bytes.
        const std::uint64_t after = entry.word.load(std::memory_order_seq_cst);
        if (isIn && isThere(after) &&
            ObjectEntry::generationOf(after) == ObjectEntry::generationOf(word))
            return true;
    }
    return false;
}

/// Frees those objects of an ended parcel that nobody holds any more.
void ObjectSpace::unpack(ParcelBody &parcel)
{
    const std::uint64_t count = parcel.count.load(std::memory_order_acquire);
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t packed = parcel.handles()[i].load(std::memory_order_relaxed);
        freeIfUnheld(ObjectHandle{static_cast<std::uint32_t>(packed >> 32),
                                  static_cast<std::uint32_t>(packed)});
        PROCLAB_KILL_POINT("space-unpack.one");
    }
}

ObjectRef ObjectSpace::pack(std::span<const ObjectRef> objects, std::size_t size)
{
    auto parcel = create(ObjectKind::Parcel, ParcelBody::bytesBefore(objects.size()) + size);
    if (!parcel)
        return nullptr;
    auto &body = parcel->body<ParcelBody>();
    std::size_t position = 0;
    for (const ObjectRef &object : objects) {
        entry(object->handle().index).wasPacked.store(1, std::memory_order_seq_cst);
        body.handles()[position++].store(packedHandle(object->handle()), std::memory_order_relaxed);
    }
    PROCLAB_KILL_POINT("space-pack.filled");
    body.count.store(objects.size(), std::memory_order_seq_cst);
    PROCLAB_KILL_POINT("space-pack.done");
    return parcel;
}

} // namespace proclab::runtime
