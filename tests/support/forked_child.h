// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cerrno>
#include <csignal>
#include <exception>

#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

namespace proclab::test {

/// Forks a throw-away child that runs @p body and exits with the code it returns (120: it threw),
/// without any clean-up of the test program. It dies with the test.
template<typename Body>
pid_t forkChild(Body body)
{
    const pid_t pid = ::fork();
    if (pid != 0)
        return pid;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    int code = 120;
    try {
        code = body();
    } catch (const std::exception &) {
    }
    ::_exit(code);
}

/// Waits for the end of child @p pid and returns its status as waitpid() gives it; -1: no such
/// child.
inline int waitForChild(pid_t pid)
{
    int status = -1;
    while (::waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return -1;
    }
    return status;
}

} // namespace proclab::test
