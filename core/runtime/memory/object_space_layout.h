// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/memory/object_space.h"

#include <optional>

/// What lies at the beginning of an ObjectSpace's memory, for its own sources.
namespace proclab::runtime {

/// A process that uses shared objects. Its number is given again once all it held is let go.
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
    SharedLock allocating; ///< Held by whoever looks for room: one at a time.
    alignas(64)
        SharedLock recovering; ///< One at a time, so that no number is given again too soon.
    alignas(64) std::atomic<std::uint32_t> entriesUsed; ///< All above were never used.
    std::array<Sharer, maxSharers> sharers;
    std::array<ObjectEntry, maxObjects> entries;
};

struct ProcessState
{
    std::uint64_t startTicks = 0; ///< 0: not known.
    bool isZombie = false;
};

/// What /proc says of a process; nothing: there is none.
[[nodiscard]] std::optional<ProcessState> processStateOf(std::int32_t pid);

} // namespace proclab::runtime
