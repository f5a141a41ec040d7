// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/memory/object_space.h"
#include "core/runtime/trace/process_notes.h"

#include <optional>

/// What lies at the beginning of an ObjectSpace's memory, for its own sources.
namespace proclab::runtime {

/// A process that uses shared objects. Its number is given again once all it held is let go, as
/// late as can be: its notes stay until then.
struct ObjectSpace::Sharer
{
    std::atomic<std::int32_t> pid; ///< 0: nobody.
    /// When it started, in clock ticks since the boot, which tells it from a later process of its
    /// PID; 0: not noted yet.
    std::atomic<std::uint64_t> startTicks;
    FutexWord forks; ///< Its forked children that hold what it held.
};

struct ObjectSpace::Header
{
    /// Whether events take their time from the processor's counter.
    enum Clock : std::uint32_t { Unknown, Counter, System };

    SharedLock allocating; ///< Held by whoever looks for room: one at a time.
    alignas(64)
        SharedLock recovering; ///< One at a time, so that no number is given again too soon.
    alignas(64) std::atomic<std::uint32_t> entriesUsed; ///< All above were never used.
    std::atomic<std::uint32_t> freeHint;                ///< Below it few are free, mostly none.
    std::atomic<std::uint32_t> sharersUsed;             ///< The same, of numbers.
    std::atomic<std::uint32_t> lastSharer;              ///< The number that was given last.
    std::atomic<std::uint32_t> clock;
    std::array<Sharer, maxSharers> sharers;
    std::array<ObjectEntry, maxObjects> entries;
    alignas(4096) std::array<ProcessNotes, maxSharers> notes;
};

struct ProcessState
{
    std::uint64_t startTicks = 0; ///< 0: not known.
    bool isZombie = false;
};

/// What /proc says of a process; nothing: there is none.
[[nodiscard]] std::optional<ProcessState> processStateOf(std::int32_t pid);

} // namespace proclab::runtime
