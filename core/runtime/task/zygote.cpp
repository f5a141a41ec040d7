// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/task/worker_process.h"

#include "core/runtime/kill_point.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace proclab::runtime {

namespace {

enum class Forked { InWorker, Answered, Lost };

/// The last exit handler that a worker runs. The ones before it, which include destructors of
/// static objects, belong to the zygote; running them in each worker would cost as much as the
/// fork.
void endWorker(int status, void * /*argument*/)
{
    std::cout.flush();
    std::clog.flush();
    std::fflush(nullptr);
    ::_exit(status);
}

/// Forks twice: the process in between ends at once, so that the worker becomes a child of the
/// parent, a subreaper, which then gets its exit status. The process in between works in this one's
/// memory, since copying that is most of the cost of a fork. The worker comes from fork(), so it
/// has a copy, and everything that the C library sets right in a copy. Answered: @p answer is
/// filled. Lost: the process in between was killed, so nobody knows whether there is a worker.
/// InWorker:
/// @p betweenPid is filled.
Forked forkWorker(RunHeader &header, ForkAnswer &answer, std::int32_t &betweenPid)
{
    ProcessSlot &slot = header.slot(answer.slot);
    PROCLAB_KILL_POINT("zygote.asked");
    const pid_t between = ::vfork();
    if (between < 0) {
        answer.error = errno;
        return Forked::Answered;
    }
    if (between == 0) {
        betweenPid = ::getpid();
        PROCLAB_KILL_POINT("between.before-fork");
        const pid_t worker = ::fork();
        if (worker == 0)
            return Forked::InWorker;
        // The worker does the same itself, in this order; here it is done before the answer goes
        // out, so that no worker that was announced is in the zygote's group.
        if (worker > 0) {
            PROCLAB_KILL_POINT("between.forked");
            slot.pid.store(worker, std::memory_order_release);
            PROCLAB_KILL_POINT("between.pid-noted");
            ::setpgid(worker, worker);
        }
        ::_exit(worker > 0 ? 0 : errno & 0x7f);
    }
    PROCLAB_KILL_POINT("zygote.forked");
    int status = 0;
    while (::waitpid(between, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status))
        return Forked::Lost;
    answer.error = WEXITSTATUS(status);
    answer.pid = answer.error == 0 ? slot.pid.load(std::memory_order_acquire) : 0;
    return Forked::Answered;
}

} // namespace

bool serveForks(int socket, RunHeader &header, WorkerArguments &worker)
{
    for (;;) {
        ForkRequest request = {};
        const ssize_t size = ::recv(socket, &request, sizeof request, 0);
        if (size < 0 && errno == EINTR)
            continue;
        if (size != static_cast<ssize_t>(sizeof request) || request.slot >= header.slotCount)
            return false; // Closed: the parent does not need this zygote any more.
        ForkAnswer answer = {request.slot, request.generation, 0, 0};
        const Forked forked = forkWorker(header, answer, worker.betweenPid);
        if (forked == Forked::Lost)
            return false; // The parent cleans up after a dead zygote, and asks the next one.
        if (forked == Forked::InWorker) {
            ::close(socket);
            worker.slot = request.slot;
            worker.generation = request.generation;
            ::on_exit(endWorker, nullptr);
            return true;
        }
        PROCLAB_KILL_POINT("zygote.before-answer");
        ::send(socket, &answer, sizeof answer, MSG_NOSIGNAL);
        PROCLAB_KILL_POINT("zygote.answered");
    }
}

} // namespace proclab::runtime
