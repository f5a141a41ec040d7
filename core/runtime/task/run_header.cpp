// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/task/run_header.h"

#include "core/base/version.h"
#include "core/runtime/ipc/bounded_queue.h"
#include "core/runtime/memory/result_arena.h"

#include <cstddef>
#include <string_view>
#include <type_traits>

namespace proclab::runtime {

static_assert(std::is_standard_layout_v<RunHeader> && std::is_standard_layout_v<ProcessSlot>);
static_assert(std::is_trivially_copyable_v<TaskOutcome> && std::is_trivially_copyable_v<TraceSpan>);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

std::uint64_t layoutHash()
{
    std::uint64_t hash = 0xcbf29ce484222325; // FNV-1a, 64 bits
    const auto add = [&hash](std::uint64_t value) {
        for (int i = 0; i < 8; ++i)
            hash = (hash ^ (value >> (8 * i) & 0xff)) * 0x100000001b3;
    };
    const auto addText = [&add](std::string_view text) {
        for (const char letter : text)
            add(static_cast<unsigned char>(letter));
    };
    for (const std::size_t size : {sizeof(RunHeader),
                                   sizeof(ProcessSlot),
                                   sizeof(TaskDescriptor),
                                   sizeof(TaskOutcome),
                                   sizeof(PoolHeader),
                                   sizeof(PipelineHeader),
                                   sizeof(CounterHeader),
                                   sizeof(TraceRing),
                                   sizeof(TaskRing),
                                   sizeof(CompletionRing),
                                   sizeof(ResultArena),
                                   sizeof(BoundedQueue),
                                   sizeof(QueueCell),
                                   offsetof(ProcessSlot, progress),
                                   offsetof(ProcessSlot, park),
                                   offsetof(ProcessSlot, trace),
                                   offsetof(TaskDescriptor, inlineArgs),
                                   offsetof(TaskDescriptor, result),
                                   offsetof(PoolHeader, parentArmed),
                                   offsetof(CounterHeader, values),
                                   offsetof(RunHeader, gate)})
        add(size);
    addText(PROCLAB_VERSION);
    addText(__VERSION__);
    for (const WorkloadInfo &workload : workloads()) {
        addText(workload.name);
        add(workload.arguments.size());
    }
    return hash;
}

void clearForNextProcess(ProcessSlot &slot)
{
    slot.phase.store(Phase::Starting, std::memory_order_relaxed);
    slot.pid.store(0, std::memory_order_relaxed);
    slot.wait.store(WaitKind::None, std::memory_order_relaxed);
    for (auto *number :
         {&slot.progress, &slot.current, &slot.failedItems, &slot.putPosition, &slot.maxDepth})
        number->store(0, std::memory_order_relaxed);
    for (auto *time :
         {&slot.currentSinceNs, &slot.waitSinceNs, &slot.waitedNs, &slot.waitedEmptyNs,
          &slot.firstOperationNs, &slot.lastOperationNs, &slot.cpuNs, &slot.maxResidentKiB})
        time->store(0, std::memory_order_relaxed);
    for (auto *mark : {&slot.ownSignal, &slot.recycled})
        mark->store(0, std::memory_order_relaxed);
    slot.failure = {};
    slot.leave.store(0, std::memory_order_relaxed);
    slot.gotEnd.store(0, std::memory_order_relaxed);
    slot.park.store(0, std::memory_order_release);
}

} // namespace proclab::runtime
