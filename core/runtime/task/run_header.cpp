// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/task/run_header.h"

#include "core/base/version.h"
#include "core/runtime/sources.h"

#include <string_view>
#include <type_traits>

namespace proclab::runtime {

static_assert(std::is_standard_layout_v<RunHeader> && std::is_standard_layout_v<ProcessSlot>);
static_assert(std::is_trivially_copyable_v<TaskOutcome>);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

std::uint64_t layoutHash()
{
    std::uint64_t hash = 0xcbf29ce484222325; // FNV-1a, 64 bits
    const auto addText = [&hash](std::string_view text) {
        for (const char letter : text)
            hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
    };
    addText(PROCLAB_RUNTIME_SOURCES);
    addText(PROCLAB_VERSION);
    addText(__VERSION__);
    return hash;
}

void clearForNextProcess(ProcessSlot &slot)
{
    slot.phase.store(Phase::Starting, std::memory_order_relaxed);
    slot.pid.store(0, std::memory_order_relaxed);
    slot.progress.store(0, std::memory_order_relaxed);
    slot.current.store(0, std::memory_order_relaxed);
    slot.taskProgress.reset();
    for (auto *time : {&slot.currentSinceNs, &slot.cpuNs, &slot.maxResidentKiB})
        time->store(0, std::memory_order_relaxed);
    slot.isIdle.store(0, std::memory_order_relaxed);
    for (auto *mark : {&slot.ownSignal, &slot.recycled})
        mark->store(0, std::memory_order_relaxed);
    slot.failure = {};
    slot.leave.store(0, std::memory_order_relaxed);
    slot.park.store(0, std::memory_order_release);
}

} // namespace proclab::runtime
