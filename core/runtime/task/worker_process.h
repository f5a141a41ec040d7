// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/task/run_header.h"

#include <cstdint>
#include <span>
#include <string>

namespace proclab::runtime {

/// What a worker or zygote is told on its command line:
/// `PROGRAM worker|zygote SEGMENT_FD INPUT_FD EVENT_FD OBJECTS_FD PARENT_PID (SLOT GENERATION |
/// SOCKET_FD)`.
struct WorkerArguments
{
    bool isZygote = false;
    int segmentFd = -1;
    int inputFd = -1;   ///< Read-only arguments; -1: none.
    int eventFd = -1;   ///< Wakes the parent; -1: none.
    int objectsFd = -1; ///< The tree's ObjectSpace; -1: none.
    std::int32_t parentPid = 0;
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;
    /// Forked: the process in between, whose child it is at first. Not on the command line.
    std::int32_t betweenPid = 0;
    int socketFd = -1; ///< Zygote: requests and answers.

    /// False if @p arguments are not of that form.
    static bool parse(std::span<char *const> arguments, WorkerArguments &parsed);
    [[nodiscard]] std::string text() const;
};

/// What a role's loop works with.
class WorkerProcess
{
public:
    WorkerProcess(Segment segment, Segment input, int eventFd, std::uint32_t slot);

    [[nodiscard]] RunHeader &header() { return *m_header; }
    [[nodiscard]] ProcessSlot &slot() { return m_header->slot(m_slot); }
    [[nodiscard]] std::uint32_t slotIndex() const { return m_slot; }
    /// The argument bytes of task @p position of a range; empty if the range lies outside the
    /// input.
    [[nodiscard]] std::span<const std::byte> input(const ArgumentRange &range,
                                                   std::uint64_t position) const;
    [[nodiscard]] const Segment &inputSegment() const { return m_input; }
    /// Whether the parent is still there and the run not closing.
    [[nodiscard]] bool goesOn() const;
    void wakeParent() const;
    /// Runs workload number @p workload, no registered task; a task that throws gives false and its
    /// type and message in @p text.
    bool run(std::uint32_t workload, std::span<const std::byte> arguments, std::uint64_t index,
             int attempt, TaskValue &value, std::string &text);

private:
    Segment m_segment;
    Segment m_input;
    RunHeader *m_header;
    int m_eventFd;
    std::uint32_t m_slot;
};

/// A pool worker's loop, until it has nothing more to do.
int runPoolWorker(WorkerProcess &process); ///< The exit code: 0, or initializerExitCode.

/// Where a task of this process writes the signal it is about to send itself, see
/// TaskContext::ownSignal; null: nobody looks.
[[nodiscard]] std::atomic<std::int32_t> *ownSignalPlace();

/// Sets variables of this process's environment: "NAME=value" for each, with a 0 behind it.
void takeEnvironment(std::span<const std::byte> entries);

/// How many workers this process stands in, one in another: 0 in a program, 1 in its workers.
[[nodiscard]] std::uint32_t nestingDepth();
/// The process in which all this stands: the program.
[[nodiscard]] std::int32_t programPid();
/// What zygotes and workers are called that a worker of @p program has started: if that worker
/// dies the program inherits them, and knows them by it.
[[nodiscard]] std::string nestedProcessName(std::int32_t program);
/// In a process that was forked from process @p parentPid: it stands one deeper, and has no slot.
void standBelow(std::int32_t parentPid);

/// The whole life of a worker from attaching to its end; returns the exit code.
int runWorker(const WorkerArguments &arguments);
/// Serves fork requests until the parent is gone or closes the socket; in a forked child, that
/// worker's life.
int runZygote(const WorkerArguments &arguments);

/// A request to the zygote, and its answer, over a SOCK_SEQPACKET socket.
struct ForkRequest
{
    std::uint32_t slot;
    std::uint32_t generation;
};
struct ForkAnswer
{
    std::uint32_t slot;
    std::uint32_t generation;
    std::int32_t pid; ///< Above 0: the worker, which becomes a child of the subreaper, the parent.
    std::int32_t error; ///< errno if pid is not.
};

/// The zygote's loop: forks a worker for each request that comes over @p socket. False, in the
/// zygote, once the parent is gone; true, in a forked worker, whose slot and generation are then in
/// @p worker.
bool serveForks(int socket, RunHeader &header, WorkerArguments &worker);

/// Whether the process that @p arguments describes runs tasks of a program's own, which
/// proclab-worker has none of.
[[nodiscard]] bool runsRegisteredTasks(const WorkerArguments &arguments);

/// The scheme that both forms of a program that can be its own worker follow: if the command line
/// is a worker's or a zygote's, lives that life and returns true with its exit code in @p exitCode.
bool becomeWorker(int argc, char **argv, int &exitCode);

} // namespace proclab::runtime
