// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/task/process_start.h"

#include "core/runtime/task/task_registry.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace proclab::runtime {

namespace {

/// For who waits on its parent to see that this has gone, before the process goes too; a daemon
/// has none.
constexpr long graceNs = 500'000'000;

timer_t afterParent = nullptr; // Of the signal handler's.
long graceAfterParentNs = 0;   // The same.

void endSoon(int /*signal*/)
{
    // Also comes when only the thread ended that started this process.
    if (::getppid() == currentProcess().parentPid)
        return;
    itimerspec grace = {};
    grace.it_value.tv_nsec = graceAfterParentNs;
    ::timer_settime(afterParent, 0, &grace, nullptr);
}

/// Ends the process @p afterNs after its parent.
void followParent(long afterNs)
{
    graceAfterParentNs = afterNs;
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

bool becomeProcess(ObjectHandle handle)
{
    const ObjectRef object = ObjectSpace::instance().attach(handle, ObjectKind::Start);
    if (!object)
        return false;
    const auto &start = object->body<ProcessStart>();
    CurrentProcess &current = currentProcess();
    if (current.parentFd >= 0)
        ::close(current.parentFd);
    current.name = start.name();
    current.isDaemon = start.isDaemon != 0;
    current.startMethod = start.startMethod;
    current.parentPid = start.parentPid;
    current.parentName = start.parentName();
    current.parentFd = static_cast<int>(::syscall(SYS_pidfd_open, start.parentPid, 0));
    current.start = object;
    if (ProcessNotes *notes = ownNotes())
        notes->setName(current.name);
    takeEnvironment(start.environment());
    if (!current.isDaemon)
        followParent(graceNs);
    return true;
}

bool becomeForkedProcess(ObjectHandle handle)
{
    if (!becomeProcess(handle))
        return false;
    // PR_SET_PDEATHSIG with SIGKILL would fire too when only the thread ends that forked.
    if (currentProcess().isDaemon)
        followParent(1);
    return true;
}

int runTarget()
{
    const CurrentProcess &current = currentProcess();
    const auto &start = current.start->body<ProcessStart>();
    const auto tasks = registeredTasks();
    if (start.task >= tasks.size())
        return refusedExitCode;
    try {
        std::vector<std::byte> bytes; // Of a target there are none.
        std::vector<ObjectRef> objects;
        TaskResult nothing = {PayloadWriter(bytes), objects};
        tasks[start.task].run(start.arguments(), nothing);
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
