// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/task/worker_process.h"

#include <cerrno>

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace proclab::runtime {

namespace {

/// Forks twice: the process in between ends at once, so that the worker becomes a child of the
/// parent, a subreaper, which then gets its exit status. Returns 0 in the worker, else 1 with @p
/// answer filled.
int forkWorker(RunHeader &header, ForkAnswer &answer)
{
    ProcessSlot &slot = header.slot(answer.slot);
    const pid_t between = ::fork();
    if (between < 0) {
        answer.error = errno;
        return 1;
    }
    if (between == 0) {
        const pid_t worker = ::fork();
        if (worker == 0)
            return 0;
        // The worker writes the same number itself; here it stands before the answer goes out.
        if (worker > 0)
            slot.pid.store(worker, std::memory_order_release);
        ::_exit(worker > 0 ? 0 : errno & 0x7f);
    }
    int status = 0;
    while (::waitpid(between, &status, 0) < 0 && errno == EINTR) {
    }
    answer.pid = slot.pid.load(std::memory_order_acquire);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || answer.pid <= 0) {
        answer.pid = 0;
        answer.error = WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : EAGAIN;
    }
    return 1;
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
            return false; // Closed: the parent has no more use for this zygote.
        ForkAnswer answer = {request.slot, request.generation, 0, 0};
        if (forkWorker(header, answer) == 0) {
            ::close(socket);
            worker.slot = request.slot;
            worker.generation = request.generation;
            return true;
        }
        ::send(socket, &answer, sizeof answer, MSG_NOSIGNAL);
    }
}

} // namespace proclab::runtime
