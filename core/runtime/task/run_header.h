// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/futex.h"
#include "core/runtime/ipc/task_ring.h"
#include "core/runtime/kill_point.h"
#include "core/runtime/memory/segment.h"
#include "core/runtime/sync/idle_workers.h"
#include "core/runtime/task/task_registry.h"
#include "core/runtime/task_progress.h"
#include "core/runtime/workloads/workload.h"

#include <array>
#include <atomic>
#include <cstdint>

/// What parent and worker processes find in the run's segment. Everything is trivially copyable or
/// an atomic, refers to others by offset, and is valid when filled with zeros.
namespace proclab::runtime {

enum class Role : std::uint32_t { PoolWorker, Process };

enum class Phase : std::uint32_t {
    Empty,
    Starting,
    Ready,   ///< Attached, at the gate.
    Working, ///< Past the gate.
    Leaving, ///< Has done all its work and ends with 0.
    Refused, ///< Of another build than the parent.
};

/// Exit code of a worker that does not fit the segment it was given.
constexpr int refusedExitCode = 86;
/// Exit code of a worker whose initializer failed; what it threw is in ProcessSlot::failure.
constexpr int initializerExitCode = 87;

/// A place for one process. A later process in the same slot has a higher generation.
struct alignas(64) ProcessSlot
{
    // Written by the parent before the process starts.
    std::atomic<std::uint32_t> generation;
    Role role;
    std::uint32_t ordinal;            ///< Among those of its role, from 0.
    std::uint64_t start;              ///< Process: the handle of what it is started with.
    std::atomic<std::uint32_t> leave; ///< Pool worker: ends after the chunk in hand.

    // Written by the process.
    alignas(64) std::atomic<Phase> phase;
    std::atomic<std::int32_t> pid;
    // Of a pool's worker:
    /// Tasks done, times two, plus one while one is in hand: a single word, so that a death between
    /// two steps is never counted twice or not at all.
    std::atomic<std::uint64_t> progress;
    std::atomic<std::uint64_t> current;       ///< The task in hand, valid while progress is odd.
    std::atomic<std::int64_t> currentSinceNs; ///< Since when it has that, or waits for one.
    std::atomic<std::uint32_t> isIdle;        ///< It waits for a task.
    std::atomic<std::uint32_t> chunk;         ///< The descriptor that it claimed last.
    TaskProgress taskProgress;                ///< Of the task in hand, valid while progress is odd.
    // What became of it.
    std::atomic<std::int32_t> ownSignal; ///< A fatal signal of its own doing.
    /// Leaves: has done its share of tasks, had none, or was told to.
    std::atomic<std::int32_t> recycled;
    std::atomic<std::int64_t> cpuNs; ///< At a normal end.
    std::atomic<std::int64_t> maxResidentKiB;
    ResultExtent failure; ///< What its initializer threw, encoded.

    alignas(64) FutexWord park;

    [[nodiscard]] bool hasItem() const
    {
        return (progress.load(std::memory_order_acquire) & 1) != 0;
    }
    [[nodiscard]] std::uint64_t done() const
    {
        return progress.load(std::memory_order_acquire) / 2;
    }
    void begin(std::uint64_t number, std::int64_t sinceNs)
    {
        PROCLAB_KILL_POINT("begin.first");
        current.store(number, std::memory_order_relaxed);
        PROCLAB_KILL_POINT("begin.numbered");
        currentSinceNs.store(sinceNs, std::memory_order_relaxed);
        PROCLAB_KILL_POINT("begin.timed");
        taskProgress.reset();
        progress.store(progress.load(std::memory_order_relaxed) | 1, std::memory_order_release);
        PROCLAB_KILL_POINT("begin.marked");
    }
    void finish()
    {
        progress.store(progress.load(std::memory_order_relaxed) + 1, std::memory_order_release);
        PROCLAB_KILL_POINT("finish.marked");
    }
    void beginIdling(std::int64_t sinceNs)
    {
        currentSinceNs.store(sinceNs, std::memory_order_relaxed);
        PROCLAB_KILL_POINT("wait.timed");
        isIdle.store(1, std::memory_order_relaxed);
        PROCLAB_KILL_POINT("wait.named");
    }
    void endIdling()
    {
        isIdle.store(0, std::memory_order_relaxed);
        PROCLAB_KILL_POINT("wait.ended");
    }
};

/// Empties @p slot, which no process uses, for its next process.
void clearForNextProcess(ProcessSlot &slot);

/// A task's arguments: a range of the input segment, which workers can only read; `stride` 0: the
/// same for each task, else one range a task, `stride` bytes apart, from task 0 on or, with
/// TaskDescriptor::ownArguments, from the chunk's first. Offset 0: the descriptor's inline bytes.
/// `stride` eachOwn: the range holds those of a chunk's tasks one after the other, behind a table
/// of `count + 1` 64-bit offsets from its beginning.
struct ArgumentRange
{
    static constexpr std::uint32_t eachOwn = ~std::uint32_t{0};

    std::uint64_t offset;
    std::uint32_t size;
    std::uint32_t stride;
};

enum class TaskState : std::uint8_t {
    Free,
    Ready,
    Running,
    Done,
    Withdrawn, ///< Cancelled while it was Ready: the worker that comes to it makes it Done.
};

/// One word that says what a descriptor is and whose: generation (40) | owner's slot (16) | state
/// (8). The claim is one exchange Ready -> Running that also writes the owner: there is no instant
/// at which a task is taken but by nobody known.
struct TaskWord
{
    static constexpr std::uint64_t make(std::uint64_t generation, std::uint32_t owner,
                                        TaskState state)
    {
        return generation << 24 | std::uint64_t{owner & 0xffff} << 8 |
               static_cast<std::uint64_t>(state);
    }
    static constexpr TaskState state(std::uint64_t word)
    {
        return static_cast<TaskState>(word & 0xff);
    }
    static constexpr std::uint32_t owner(std::uint64_t word)
    {
        return static_cast<std::uint32_t>(word >> 8 & 0xffff);
    }
    static constexpr std::uint64_t generation(std::uint64_t word) { return word >> 24; }
};

/// A chunk of tasks: `count` tasks from number `first` on, of one workload.
struct alignas(64) TaskDescriptor
{
    static constexpr std::size_t inlineBytes = 48;

    /// Results all have `resultBytes` bytes: a chunk's are in its PackedResults, that of a single
    /// task in `result`. Only of a task that failed there is an outcome.
    static constexpr std::uint8_t packsResults = 1;
    static constexpr std::uint8_t ownArguments = 2; ///< See ArgumentRange.
    /// A worker has died in the next task to be done: it is tried once more.
    static constexpr std::uint8_t isRetry = 4;

    std::atomic<std::uint64_t> word;
    std::atomic<std::uint32_t>
        progress; ///< Tasks of the chunk that are finished, their outcomes written.
    std::uint32_t count;
    std::uint64_t first;
    ArgumentRange args;
    std::uint32_t workload;
    std::uint8_t flags;
    std::uint8_t inlineSize;
    std::uint8_t resultBytes;
    std::uint8_t hasFailed; ///< The single task whose result would be in `result`.
    std::array<std::byte, inlineBytes> inlineArgs;
    std::array<std::byte, packedResultRoom> result;
};
static_assert(sizeof(TaskDescriptor) == 128);

/// Results of a chunk side by side: for each task first a byte that says whether it failed, then,
/// behind all of these, its result.
struct PackedResults
{
    static constexpr std::uint64_t bytes(std::uint64_t tasks)
    {
        return (tasks * (1 + packedResultRoom) + 63) / 64 * 64;
    }
};

enum class OutcomeError : std::uint8_t { None, Exception };

/// What one task came to; the worker writes it before the descriptor's progress says so.
struct alignas(64) TaskOutcome
{
    std::int64_t startedNs;
    std::int64_t finishedNs;
    TaskValue value; ///< 40 bytes.
    OutcomeError error;
    Spent spent;            ///< Where most of its time went.
    std::uint16_t textSize; ///< Bytes of the exception's message in the task's text.
};
static_assert(sizeof(TaskOutcome) == 64);

/// Room for an exception's type and message; a longer one ends in "…". Touched only by failing
/// tasks.
constexpr std::size_t outcomeTextBytes = 448;
using OutcomeText = std::array<char, outcomeTextBytes>;

/// The part of a pool in the segment.
struct PoolHeader
{
    std::uint32_t descriptorCount;
    std::uint32_t tasksPerDescriptor; ///< Outcomes that each descriptor owns.
    std::uint32_t completionCapacity;
    std::uint64_t maxTasksPerWorker; ///< 0: none.
    std::uint32_t timesTasks;        ///< Each task's beginning is noted, not only each chunk's.
    std::int64_t idleLimitNs;        ///< A worker that waits longer for a task leaves; 0: never.
    std::uint64_t ringOffset;
    std::uint64_t descriptorsOffset;
    std::uint64_t outcomesOffset;
    std::uint64_t textsOffset;
    std::uint64_t packedOffset; ///< PackedResults of each descriptor.
    std::uint64_t completionsOffset;
    std::uint64_t completionBytes; ///< Of one slot's ring.
    std::uint64_t arenasOffset;    ///< A ResultArena for each slot.
    std::uint64_t resultsOffset;   ///< The memory of all arenas, one after the other.
    std::uint32_t initializer;     ///< A task that each worker runs first; noTask: none.
    ArgumentRange initializerArgs;
    std::uint32_t parentSharer;   ///< The parent's number in the ObjectSpace; 0: it has none.
    ArgumentRange environment;    ///< What is special in each worker's; see takeEnvironment().
    alignas(64) IdleWorkers idle; ///< Workers that wait for a task.
    alignas(64) std::atomic<std::uint32_t> parentArmed; ///< The parent sleeps: write its eventfd.
};

/// The beginning of every run's segment.
struct RunHeader
{
    static constexpr std::uint64_t magicNumber = 0x3142414c434f5250; // "PROCLAB1"

    std::uint64_t magic;
    std::uint64_t layoutHash;
    std::uint64_t tasksHash; ///< Of the registered tasks; 0: the run has none.
    std::int32_t parentPid;
    std::uint32_t
        nesting; ///< How many workers stand one in another here; 1: of the program itself.
    std::int32_t programPid; ///< Of the outermost parent.
    std::uint32_t slotCount;
    std::uint64_t seed;
    std::uint64_t slotsOffset;
    std::uint64_t partOffset;   ///< Of the PoolHeader.
    alignas(64) FutexWord gate; ///< 1: open.
    std::atomic<std::int64_t> gateNs;
    std::atomic<std::uint32_t> closing; ///< Workers that find nothing to do leave.

    [[nodiscard]] ProcessSlot &slot(std::uint32_t index)
    {
        return reinterpret_cast<ProcessSlot *>(reinterpret_cast<std::byte *>(this) +
                                               slotsOffset)[index];
    }
    template<typename Part>
    [[nodiscard]] Part &part()
    {
        return *reinterpret_cast<Part *>(reinterpret_cast<std::byte *>(this) + partOffset);
    }
    template<typename T>
    [[nodiscard]] T *at(std::uint64_t offset)
    {
        return reinterpret_cast<T *>(reinterpret_cast<std::byte *>(this) + offset);
    }
    [[nodiscard]] auto parkOf()
    {
        return [this](std::uint32_t index) -> FutexWord & { return slot(index).park; };
    }
};

/// Of all the sources of core/runtime, the version and the compiler: two programs with the same
/// value can share a segment.
[[nodiscard]] std::uint64_t layoutHash();

/// Gives out places in a segment that is not made yet, each on a cache line of its own.
class LayoutPlan
{
public:
    std::uint64_t take(std::size_t bytes, std::size_t alignment = 64)
    {
        m_end = (m_end + alignment - 1) / alignment * alignment;
        const std::uint64_t offset = m_end;
        m_end += bytes;
        return offset;
    }
    [[nodiscard]] std::size_t size() const { return m_end; }

private:
    std::uint64_t m_end = 0;
};

} // namespace proclab::runtime
