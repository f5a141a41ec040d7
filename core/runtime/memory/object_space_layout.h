// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/memory/object_space.h"
#include "core/runtime/trace/process_notes.h"

#include <optional>

/// What lies at the beginning of an ObjectSpace's memory, for its own sources.
namespace proclab::runtime {

/// A process that uses shared objects. Its number is free once all its holds are dropped, and is
/// given to another process as late as possible, because the notes stay until then.
struct ObjectSpace::Sharer
{
    std::atomic<std::int32_t> pid; ///< 0: nobody.
    /// When it started, in clock ticks since the boot, to distinguish it from a later process with
    /// its PID; 0 if not noted yet.
    std::atomic<std::uint64_t> startTicks;
    FutexWord forks; ///< How many of its forked children have taken over its holds.
};

struct ObjectSpace::Header
{
    /// Whether events take their time from the processor's counter.
    enum Clock : std::uint32_t { Unknown, Counter, System };

    SharedLock allocating; ///< Held by the process that looks for room.
    alignas(64)
        SharedLock recovering; ///< One recovery at a time, so that no number is reused too soon.
    alignas(64) std::atomic<std::uint32_t> entriesUsed; ///< All above were never used.
    std::atomic<std::uint32_t> freeHint;                ///< Few entries below it are free.
    std::atomic<std::uint32_t> sharersUsed;             ///< Sharers from here on were never used.
    std::atomic<std::uint32_t> lastSharer;              ///< The number that was given last.
    std::atomic<std::uint32_t> clock;
    std::array<Sharer, maxSharers> sharers;
    std::array<ObjectEntry, maxObjects> entries;
    alignas(4096) std::array<ProcessNotes, maxSharers> notes;
};

struct ProcessState
{
    std::uint64_t startTicks = 0; ///< 0 if not known.
    bool isZombie = false;
};

/// What /proc says of a process; no value if there is none.
[[nodiscard]] std::optional<ProcessState> processStateOf(std::int32_t pid);

} // namespace proclab::runtime
