// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/workloads/workload.h"

#include "core/runtime/workloads/pause.h"

#include <csignal>
#include <stdexcept>
#include <string>

#include <unistd.h>

namespace proclab::runtime {

namespace {

constexpr ArgumentInfo everyArgument = {
    "every", ArgumentType::Integer,
    "tasks", "Task i fails when (i + 1) mod this is 0; the others return i.",
    1,       1e9,
    1,       {}};
constexpr ArgumentInfo workArgument = {
    "work_s", ArgumentType::Number, "s", "CPU time that every task uses first.", 0, 1e6, 0, {}};

/// Uses the CPU time asked for; whether this task is one that fails.
bool worksAndFails(const TaskContext &context, std::size_t everyPosition)
{
    burn(context.args.number(everyPosition + 1));
    const auto every = static_cast<std::uint64_t>(context.args.integer(everyPosition));
    return every != 0 && (context.index + 1) % every == 0;
}

TaskValue indexOf(const TaskContext &context)
{
    return TaskValue::ofInteger(static_cast<std::int64_t>(context.index));
}

constexpr ArgumentInfo throwArguments[] = {
    {"message", ArgumentType::Text, "", "What the exception says.", 0, 400, 0, "failed on purpose"},
    everyArgument,
    workArgument,
};

TaskValue throwError(const TaskContext &context)
{
    if (worksAndFails(context, 1))
        throw std::runtime_error(std::string(context.args.text(0)));
    return indexOf(context);
}

constexpr ArgumentInfo exitArguments[] = {
    {"code", ArgumentType::Integer, "", "Exit code of the worker.", 0, 255, 1, {}},
    everyArgument,
    workArgument,
};

TaskValue exitNow(const TaskContext &context)
{
    if (worksAndFails(context, 1))
        ::_exit(static_cast<int>(context.args.integer(0)));
    return indexOf(context);
}

constexpr ArgumentInfo crashArguments[] = {
    {"signal",
     ArgumentType::Integer,
     "",
     "The signal that ends the worker: 11 is SIGSEGV, 9 SIGKILL, 6 SIGABRT.",
     1,
     31,
     SIGSEGV,
     {}},
    everyArgument,
    workArgument,
    {"attempts",
     ArgumentType::Integer,
     "attempts",
     "Only in so many attempts at the task: 1 lets a retry succeed. 0: in each.",
     0,
     2,
     0,
     {}},
};

/// Signals that stop a process do not end it: the task would hang instead.
bool stopsOnly(int signal)
{
    return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

TaskValue crash(const TaskContext &context)
{
    const std::int64_t attempts = context.args.integer(3);
    if (!worksAndFails(context, 1) || (attempts != 0 && context.attempt > attempts))
        return indexOf(context);
    const auto signal = static_cast<int>(context.args.integer(0));
    if (stopsOnly(signal))
        throw std::runtime_error("the signal stops a process and does not end it");
    if (context.ownSignal)
        context.ownSignal->store(signal, std::memory_order_release);
    // A sanitizer's handler, or none that ends the process, must not stand in the way.
    ::signal(signal, SIG_DFL);
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, signal);
    ::sigprocmask(SIG_UNBLOCK, &only, nullptr);
    ::raise(signal);
    // A signal that nobody minds, such as SIGCHLD.
    if (context.ownSignal)
        context.ownSignal->store(0, std::memory_order_release);
    throw std::runtime_error("the signal did not end the process");
}

constexpr ArgumentInfo hangArguments[] = {everyArgument, workArgument};

TaskValue hang(const TaskContext &context)
{
    if (!worksAndFails(context, 0))
        return indexOf(context);
    for (;;)
        ::pause();
}

constexpr WorkloadInfo failTable[] = {
    {"fail.crash", "Crash the worker",
     "Task i ends its worker by a signal that it sends itself, if (i + 1) mod every is 0.",
     "i, the task's number from 0, if it does not fail", crashArguments, crash},
    {"fail.exit", "Exit the worker",
     "Task i ends its worker with an exit code, before it has a result, if (i + 1) mod every is 0.",
     "i, the task's number from 0, if it does not fail", exitArguments, exitNow},
    {"fail.hang", "Hang",
     "Task i never ends, without using a core, if (i + 1) mod every is 0; a time limit must be "
     "set.",
     "i, the task's number from 0, if it does not fail", hangArguments, hang, true},
    {"fail.throw", "Throw an exception",
     "Task i throws std::runtime_error with the message, if (i + 1) mod every is 0.",
     "i, the task's number from 0, if it does not fail", throwArguments, throwError},
};

} // namespace

std::span<const WorkloadInfo> failWorkloads()
{
    return failTable;
}

} // namespace proclab::runtime
