// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/objects/tree_reader.h"

#include "core/runtime/ipc/queue_body.h"
#include "core/runtime/memory/object_space_layout.h"

#include <algorithm>

namespace proclab::runtime {

bool TreeReader::canRead()
{
    return ObjectSpace::instance().m_isOpen.load(std::memory_order_acquire);
}

std::vector<TreeReader::Sharer> TreeReader::sharers() const
{
    std::vector<Sharer> sharers;
    if (!canRead())
        return sharers;
    const ObjectSpace::Header &header = m_space.header();
    const std::uint32_t used = header.sharersUsed.load(std::memory_order_acquire);
    for (std::uint32_t number = 1; number < used; ++number) {
        const std::int32_t pid = m_space.pidOf(number);
        if (pid != 0 && header.notes[number].pid() == pid)
            sharers.push_back({number, pid, &header.notes[number]});
    }
    return sharers;
}

bool TreeReader::isAlive(std::uint32_t sharer) const
{
    return m_space.pidOf(sharer) != 0 && !m_space.isDead(sharer);
}

const ProcessNotes *TreeReader::notesOf(std::int32_t pid) const
{
    const ProcessNotes *found = nullptr;
    if (!canRead())
        return found;
    const ObjectSpace::Header &header = m_space.header();
    const std::uint32_t used = header.sharersUsed.load(std::memory_order_acquire);
    for (std::uint32_t number = 1; number < used; ++number) {
        const ProcessNotes &notes = header.notes[number];
        if (notes.pid() == pid && (!found || notes.events.beginNs() > found->events.beginNs()))
            found = &notes;
    }
    return found;
}

/// The entry at @p index and its word; null if there is no object.
const ObjectEntry *TreeReader::liveEntry(std::uint32_t index, std::uint64_t &word) const
{
    const ObjectEntry &entry = m_space.entry(index);
    word = entry.word.load(std::memory_order_acquire);
    return ObjectEntry::isWhole(word) ? &entry : nullptr;
}

std::optional<TreeReader::Place> TreeReader::find(std::uint64_t offset) const
{
    ObjectSpace::Header &header = m_space.header();
    const auto placeOf = [this](std::uint32_t index) -> std::optional<Place> {
        std::uint64_t word = 0;
        if (!liveEntry(index, word))
            return std::nullopt;
        ObjectEntry &entry = m_space.entry(index);
        return Place{{index, ObjectEntry::generationOf(word)},
                     ObjectEntry::kindOf(word),
                     m_space.bodyOf(entry),
                     entry.bornNs.load(std::memory_order_relaxed)};
    };
    const auto begin = static_cast<std::uint64_t>(
        reinterpret_cast<const std::byte *>(header.entries.data()) - m_space.at(0));
    if (offset < begin)
        return std::nullopt;
    if (const std::uint64_t index = (offset - begin) / sizeof(ObjectEntry); index < maxObjects)
        return placeOf(static_cast<std::uint32_t>(index));
    const std::uint32_t count = header.entriesUsed.load(std::memory_order_acquire);
    for (std::uint32_t index = 0; index < count; ++index) {
        const ObjectEntry &entry = header.entries[index];
        const std::uint64_t first = entry.offset.load(std::memory_order_acquire);
        if (first != 0 && offset >= first && offset - first < entry.size)
            return placeOf(index);
    }
    return std::nullopt;
}

FutexWord &TreeReader::word(std::uint64_t offset) const
{
    return *reinterpret_cast<FutexWord *>(m_space.at(offset));
}

void TreeReader::add(const ObjectEntry &entry, Holders &holders)
{
    // Asked before and after: a process holds an object before it ends its flight.
    const bool wasInFlight = entry.inFlight.load(std::memory_order_seq_cst) != 0;
    for (std::uint32_t sharer = 0; sharer < maxSharers; ++sharer) {
        const std::uint64_t bits = entry.holders[sharer / 64].load(std::memory_order_seq_cst);
        if ((bits >> sharer % 64 & 1) != 0)
            holders.sharers.push_back(sharer);
    }
    if (wasInFlight || entry.inFlight.load(std::memory_order_seq_cst) != 0)
        holders.isInFlight = true;
}

TreeReader::Holders TreeReader::holdersOf(ObjectHandle object) const
{
    Holders holders;
    std::uint64_t word = 0;
    const ObjectEntry *entry = liveEntry(object.index, word);
    if (entry && ObjectEntry::generationOf(word) == object.generation)
        add(*entry, holders);
    return holders;
}

TreeReader::Holders TreeReader::holdersOfSide(ObjectHandle pipe, std::uint32_t side) const
{
    Holders holders;
    const std::uint32_t count = m_space.header().entriesUsed.load(std::memory_order_acquire);
    for (std::uint32_t index = 0; index < count; ++index) {
        std::uint64_t word = 0;
        const ObjectEntry *entry = liveEntry(index, word);
        if (!entry || ObjectEntry::kindOf(word) != ObjectKind::PipeEnd)
            continue;
        const auto &end =
            *reinterpret_cast<const PipeEndBody *>(m_space.bodyOf(m_space.entry(index)));
        if (end.pipe == pipe && end.side == side)
            add(*entry, holders);
    }
    return holders;
}

} // namespace proclab::runtime
