// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/task/process_start.h"

#include "core/runtime/task/task_registry.h"

#include <csignal>
#include <cstdio>
#include <ctime>

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace proclab::runtime {

namespace {

/// For who waits on its parent to see that this has gone, before the process goes too.
constexpr long graceNs = 500'000'000;

timer_t afterParent = nullptr; // Of the signal handler's.

void endSoon(int /*signal*/)
{
    // Also comes when only the thread ended that started this process.
    if (::getppid() == currentProcess().parentPid)
        return;
    itimerspec grace = {};
    grace.it_value.tv_nsec = graceNs;
    ::timer_settime(afterParent, 0, &grace, nullptr);
}

/// Lets the process outlive its parent for a moment.
void outliveParent()
{
    sigevent kill = {};
    kill.sigev_notify = SIGEV_SIGNAL;
    kill.sigev_signo = SIGKILL;
    if (::timer_create(CLOCK_MONOTONIC, &kill, &afterParent) != 0)
        return; // Then it goes with its parent.
    struct sigaction action = {};
    action.sa_handler = endSoon;
    action.sa_flags = SA_RESTART;
    const int signal = SIGRTMIN + 3;
    ::sigaction(signal, &action, nullptr);
    ::prctl(PR_SET_PDEATHSIG, signal);
    endSoon(signal);
}

} // namespace

CurrentProcess &currentProcess()
{
    static CurrentProcess current;
    return current;
}

int runProcess(WorkerProcess &process)
{
    const std::uint64_t number = process.slot().firstItem;
    const ObjectHandle handle = {static_cast<std::uint32_t>(number >> 32),
                                 static_cast<std::uint32_t>(number)};
    const ObjectRef object = ObjectSpace::instance().attach(handle, ObjectKind::Start);
    if (!object)
        return 0; // Whoever started it is gone, and so is it in a moment.
    auto &start = object->body<ProcessStart>();
    CurrentProcess &current = currentProcess();
    current.name = start.name();
    current.isDaemon = start.isDaemon != 0;
    current.parentPid = start.parentPid;
    current.parentName = start.parentName();
    current.parentFd = static_cast<int>(::syscall(SYS_pidfd_open, start.parentPid, 0));
    current.start = &start;
    if (!current.isDaemon)
        outliveParent();
    const auto tasks = registeredTasks();
    if (start.task >= tasks.size())
        return refusedExitCode;
    try {
        std::vector<std::byte> result;
        tasks[start.task].run(start.arguments(), result);
        return 0;
    } catch (...) {
        const RemoteException thrown = describeCurrentException(tasks[start.task].name);
        std::fprintf(stderr, "%s ended with %s: %s\n", current.name.c_str(), thrown.type.c_str(),
                     thrown.message.c_str());
        for (const std::string &nested : thrown.nested)
            std::fprintf(stderr, "  caused by %s\n", nested.c_str());
        return 1;
    }
}

} // namespace proclab::runtime
