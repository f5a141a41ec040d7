// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/workloads/workload.h"

#include "core/runtime/workloads/loop_progress.h"

#include <cstring>
#include <vector>

namespace proclab::runtime {

namespace {

constexpr ArgumentInfo streamArguments[] = {
    {"bytes",
     ArgumentType::Integer,
     "bytes",
     "Length of each block; larger than the caches to measure memory.",
     1,
     4e9,
     16 << 20,
     {}},
    {"passes", ArgumentType::Integer, "", "How often the block is copied.", 1, 1e6, 8, {}},
};

TaskValue stream(const TaskContext &context)
{
    const auto bytes = static_cast<std::size_t>(context.args.integer(0));
    const std::int64_t passes = context.args.integer(1);
    std::vector<char> from(bytes, 1);
    std::vector<char> to(bytes);
    LoopProgress progress({context.progress}, passes);
    for (std::int64_t pass = 0; pass < passes; ++pass) {
        progress.at(pass);
        std::memcpy(to.data(), from.data(), bytes);
        asm volatile("" : : "r"(to.data()) : "memory"); // The copy counts, though nobody reads it.
    }
    return TaskValue::ofInteger(static_cast<std::int64_t>(bytes) * passes);
}

constexpr WorkloadInfo memTable[] = {
    {"mem.stream", "Copy memory",
     "Copies a block of so many bytes, all 1, to another block, passes times.",
     "bytes × passes: the bytes moved", streamArguments, stream},
};

} // namespace

std::span<const WorkloadInfo> memoryWorkloads()
{
    return memTable;
}

} // namespace proclab::runtime
