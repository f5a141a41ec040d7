// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/memory/object_space.h"
#include "core/runtime/trace/process_notes.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace proclab::runtime {

/// Reads what the processes of the tree note of themselves, and on which objects they wait. An
/// answer may be out of date when it is given; a caller that needs facts of one moment looks twice.
///
/// Threads and processes: any. Blocking: never; isAlive() reads /proc.
class TreeReader
{
public:
    /// False if this process shares nothing with others, so that there is nothing to read.
    [[nodiscard]] static bool canRead();

    struct Sharer
    {
        std::uint32_t number = 0;
        std::int32_t pid = 0;
        const ProcessNotes *notes = nullptr;
    };
    /// The sharers of this moment, and dead ones until they are recovered.
    [[nodiscard]] std::vector<Sharer> sharers() const;
    [[nodiscard]] bool isAlive(std::uint32_t sharer) const;
    /// The notes of the last process with this PID, dead or alive; null if none is known any more.
    [[nodiscard]] const ProcessNotes *notesOf(std::int32_t pid) const;

    /// The object that lies at an offset in the tree's memory.
    struct Place
    {
        ObjectHandle object;
        ObjectKind kind = ObjectKind::Lock;
        std::byte *body = nullptr;
        std::int64_t bornNs = 0;
    };
    /// No value if no existing object lies there.
    [[nodiscard]] std::optional<Place> find(std::uint64_t offset) const;
    [[nodiscard]] FutexWord &word(std::uint64_t offset) const;

    /// The sharers that hold an object, and so can use it.
    struct Holders
    {
        std::vector<std::uint32_t> sharers;
        bool isInFlight = false; ///< A handle is on its way, so others may join them.
    };
    [[nodiscard]] Holders holdersOf(ObjectHandle object) const;
    /// The holders of an end of @p side of a pipe.
    [[nodiscard]] Holders holdersOfSide(ObjectHandle pipe, std::uint32_t side) const;

private:
    static void add(const ObjectEntry &entry, Holders &holders);
    [[nodiscard]] const ObjectEntry *liveEntry(std::uint32_t index, std::uint64_t &word) const;

    ObjectSpace &m_space = ObjectSpace::instance();
};

} // namespace proclab::runtime
