// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/process/fork.h"

#include "core/process/engine.h"
#include "core/process/finalizer.h"
#include "core/process/process_host.h"
#include "core/runtime/task/fork_count.h"
#include "core/runtime/task/worker_process.h"

#include <QSemaphore>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <mutex>
#include <ranges>
#include <vector>

#include <pthread.h>
#include <stdio_ext.h>
#include <unistd.h>

namespace proclab {

namespace {

constexpr int longestWayToRestMs = 10'000;

std::atomic<bool> isAllowed = false;

/// Held from the first hook to the last, so that forks come one after the other.
std::mutex forkMutex;
std::vector<ForkHooks> allHooks; // Guarded by it.

/// Keeps the engine's thread between two events, where it holds no lock, until the end of its
/// scope.
class EngineAtRest
{
public:
    explicit EngineAtRest(Engine *engine)
    {
        if (!engine || engine->context()->thread() == QThread::currentThread())
            return;
        m_rest = std::make_shared<Rest>();
        QMetaObject::invokeMethod(
            engine->context(),
            [rest = m_rest] {
                rest->begun.release();
                rest->over.acquire();
            },
            Qt::QueuedConnection);
    }
    ~EngineAtRest()
    {
        if (m_rest)
            m_rest->over.release();
    }
    EngineAtRest(const EngineAtRest &) = delete;
    EngineAtRest &operator=(const EngineAtRest &) = delete;

    [[nodiscard]] bool hasBegun() const
    {
        return !m_rest || m_rest->begun.tryAcquire(1, longestWayToRestMs);
    }

private:
    struct Rest
    {
        QSemaphore begun;
        QSemaphore over;
    };
    std::shared_ptr<Rest> m_rest;
};

/// The last exit handler that a forked process runs; the ones before it belong to its parent.
void endForked(int status, void * /*argument*/)
{
    Engine::endCurrent();
    std::cout.flush();
    std::fflush(stdout);
    ::_exit(status);
}

/// Flushes streams before a fork; otherwise both processes would write what is still in a buffer.
void writeBuffers()
{
    std::cout.flush();
    std::clog.flush();
    // Except those of a thread that is stuck in writing; the child drops them in dropBuffers().
    if (::ftrylockfile(stdout) == 0) {
        ::fflush_unlocked(stdout);
        ::funlockfile(stdout);
    }
}

void dropBuffers()
{
    ::__fpurge(stdout);
}

void startAnew(std::int32_t parent)
{
    // Other threads may have held them; nobody does here.
    new (&forkMutex) std::mutex;
    Engine::forget();
    ProcessHost::forget();
    process_detail::forgetFinalizers();
    runtime::standBelow(parent);
    dropBuffers();
    ::on_exit(endForked, nullptr);
}

} // namespace

void allowForkHere()
{
    isAllowed = true;
}

bool isForkAllowed()
{
    return isAllowed;
}

Result<void> addForkHooks(ForkHooks hooks)
{
    if (!hooks.before && !hooks.inParent && !hooks.inChild)
        return invalidArgument({}, ErrorText::tr("fork hooks of which none is set"),
                               ErrorText::tr("at least one of before, inParent and inChild"));
    const std::lock_guard lock(forkMutex);
    allHooks.push_back(std::move(hooks));
    return {};
}

void process_detail::countForks()
{
    [[maybe_unused]] static const int registered = ::pthread_atfork(
        nullptr, nullptr, [] { runtime::forksCounted.fetch_add(1, std::memory_order_relaxed); });
}

Result<pid_t> process_detail::forkCaller()
{
    std::unique_lock lock(forkMutex);
    for (const ForkHooks &hooks : allHooks | std::views::reverse) {
        if (hooks.before)
            hooks.before();
    }
    pid_t pid = -1;
    int code = 0;
    bool isAtRest = false;
    const std::int32_t parent = ::getpid();
    {
        const EngineAtRest rest(Engine::current());
        isAtRest = rest.hasBegun();
        writeBuffers();
        if (isAtRest) {
            pid = ::fork();
            code = errno;
        }
    }
    if (pid == 0) {
        lock.release();
        startAnew(parent);
    }
    for (const ForkHooks &hooks : allHooks) {
        if (const auto &after = pid == 0 ? hooks.inChild : hooks.inParent)
            after();
    }
    if (!isAtRest)
        return Error{ErrorCode::Timeout};
    if (pid < 0)
        return osError({}, code, ErrorText::tr("fork"));
    return pid;
}

} // namespace proclab
