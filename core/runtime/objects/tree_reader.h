// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/memory/object_space.h"
#include "core/runtime/trace/process_notes.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace proclab::runtime {

/// Reads what the processes of the tree note of themselves, and which objects they wait at. What it
/// says may be over when it is said: who needs it to be true at one moment looks twice.
///
/// Threads and processes: any. Blocking: never; isAlive() asks /proc.
class TreeReader
{
public:
    /// False: this process shares nothing with others, and there is nothing to read.
    [[nodiscard]] static bool canRead();

    struct Sharer
    {
        std::uint32_t number = 0;
        std::int32_t pid = 0;
        const ProcessNotes *notes = nullptr;
    };
    /// Those that are there now; a dead one is among them until it is recovered.
    [[nodiscard]] std::vector<Sharer> sharers() const;
    [[nodiscard]] bool isAlive(std::uint32_t sharer) const;
    /// Of the last process with this PID, dead or alive; null: none is known, or not any more.
    [[nodiscard]] const ProcessNotes *notesOf(std::int32_t pid) const;

    /// An object, and what lies at an offset in the tree's memory.
    struct Place
    {
        ObjectHandle object;
        ObjectKind kind = ObjectKind::Lock;
        std::byte *body = nullptr;
        std::int64_t bornNs = 0;
    };
    /// None: it belongs to no object that is there now.
    [[nodiscard]] std::optional<Place> find(std::uint64_t offset) const;
    [[nodiscard]] FutexWord &word(std::uint64_t offset) const;

    /// Who can use an object: the sharers that hold it.
    struct Holders
    {
        std::vector<std::uint32_t> sharers;
        bool isInFlight = false; ///< Others may come.
    };
    [[nodiscard]] Holders holdersOf(ObjectHandle object) const;
    /// Who holds an end of @p side of a pipe.
    [[nodiscard]] Holders holdersOfSide(ObjectHandle pipe, std::uint32_t side) const;

private:
    static void add(const ObjectEntry &entry, Holders &holders);
    [[nodiscard]] const ObjectEntry *liveEntry(std::uint32_t index, std::uint64_t &word) const;

    ObjectSpace &m_space = ObjectSpace::instance();
};

} // namespace proclab::runtime
