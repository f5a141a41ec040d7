// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/task_progress.h"
#include "core/runtime/workloads/arguments.h"

#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>

namespace proclab::runtime {

/// Some bytes in a worker's result arena.
struct ResultExtent
{
    std::uint64_t position;
    std::uint64_t size;
};

/// An encoded result with handles in it. The Parcel that holds the bytes keeps what the handles
/// refer to.
struct ResultParcel
{
    std::uint32_t index; ///< With `generation`, the Parcel's ObjectHandle.
    std::uint32_t generation;
    std::uint64_t size;
};

/// What a task returns: nothing, a number or a short text; a registered task returns encoded bytes.
/// Trivially copyable, travels in shared memory.
struct TaskValue
{
    enum class Type : std::uint8_t {
        None,
        Integer,
        Unsigned,
        Number,
        Digest,
        Bytes,
        Extent,
        Parcel
    };
    static constexpr std::size_t inlineBytes = 32;

    Type type = Type::None;
    std::uint8_t size = 0; ///< Used by Bytes.
    union {
        std::int64_t integer = 0;
        std::uint64_t unsignedInteger;
        double number;
        std::uint8_t digest[32]; ///< 32 raw bytes, shown as 64 hexadecimal digits.
        std::byte bytes[inlineBytes];
        ResultExtent extent;
        ResultParcel parcel;
    };

    static TaskValue ofInteger(std::int64_t value);
    static TaskValue ofUnsigned(std::uint64_t value);
    static TaskValue ofNumber(double value);
};

/// What a task knows, and can report, while it runs.
struct TaskContext
{
    const Arguments &args;
    std::uint64_t index = 0; ///< The task's number in its run, from 0.
    std::uint64_t seed = 0;  ///< The run's seed.
    /// Where a task writes the signal it is about to send itself, so that its death counts as its
    /// own doing and not as a kill from outside; null outside a worker.
    std::atomic<std::int32_t> *ownSignal = nullptr;
    TaskProgress *progress = nullptr; ///< Where a task tells how far it is; null: nobody looks.
    int attempt = 1;                  ///< 2: a worker has died in it, and it is tried once more.

    /// u in [0, 1): SplitMix64's finaliser of seed + (index+1)·0x9E3779B97F4A7C15, top 53 bits
    /// (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
    [[nodiscard]] double uniform() const;
};

/// Does the work and returns its value; throws a std::exception to fail.
using TaskFunction = TaskValue (*)(const TaskContext &);

/// A named task that every worker of the lab can run.
struct WorkloadInfo
{
    std::string_view name;        ///< "cpu.primes"
    std::string_view title;       ///< "Count primes"; short, for cards and forms.
    std::string_view description; ///< One sentence with the exact definition.
    std::string_view result;      ///< What is returned, with its unit.
    std::span<const ArgumentInfo> arguments;
    TaskFunction run = nullptr;
    bool needsTimeLimit = false; ///< Never ends by itself.
};

/// All of them, sorted by name. The position is the workload's number on the wire; parent and
/// worker are of one build, which the segment's header proves.
[[nodiscard]] std::span<const WorkloadInfo> workloads();
/// Null if there is none of that name.
[[nodiscard]] const WorkloadInfo *findWorkload(std::string_view name);

/// The families that workloads() joins, one source file each.
[[nodiscard]] std::span<const WorkloadInfo> cpuWorkloads();
[[nodiscard]] std::span<const WorkloadInfo> memoryWorkloads();
[[nodiscard]] std::span<const WorkloadInfo> ioWorkloads();
[[nodiscard]] std::span<const WorkloadInfo> mixedWorkloads();
[[nodiscard]] std::span<const WorkloadInfo> failWorkloads();

} // namespace proclab::runtime
