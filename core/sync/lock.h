// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/objects/sync_bodies.h"
#include "core/sync/shared_handle.h"

#include <concepts>

namespace proclab {

/// How a lock came to its new owner.
struct Acquired
{
    /// The previous owner died with it: what the lock guards may be half written.
    bool isRecovered = false;
    qint64 deadPid = 0; ///< The PID of that owner.
    qint64 diedNs = 0;  ///< When its death was noticed, on the monotonic clock.
};

/// The result of a wait for @p lock; for handles that contain a lock.
[[nodiscard]] inline Result<Acquired> acquiredOf(runtime::SharedLock::Outcome outcome,
                                                 runtime::LockBody &lock)
{
    if (outcome == runtime::SharedLock::Outcome::GivenUp)
        return Error{ErrorCode::Timeout};
    if (!lock.takeUntold() && outcome == runtime::SharedLock::Outcome::Acquired)
        return Acquired();
    return Acquired{true, lock.deadPid.load(std::memory_order_relaxed),
                    lock.diedNs.load(std::memory_order_relaxed)};
}

/// A lock between processes. Like Python's multiprocessing.Lock: not recursive, and anyone may
/// release it. Unlike there, if its owner dies the next one gets it, and learns of that.
///
/// Whoever finds it free takes it, but nobody is passed over for long: once a caller has waited for
/// 10 ms and comes too late again, which it notices within 0.1 s, each other thread gets the lock
/// at most once before it, and those that come later wait; tryAcquire() fails then. A waiter that
/// is stopped or killed meanwhile makes others wait for at most 0.25 s.
///
/// Threads: any. Blocking: acquire(). Cost: about 5 ns each way while nobody contends.
/// Errors: Timeout (it was not free in time), InvalidState (released while free).
class Lock : public SharedHandle
{
public:
    static constexpr auto kind = runtime::ObjectKind::Lock;

    static Result<Lock> create();
    static Lock of(runtime::ObjectRef object) { return Lock(std::move(object)); }

    Result<Acquired> acquire(TimeLimit limit = std::nullopt) const
    {
        return acquiredOf(body().acquire(space(), deadlineOf(limit)), body());
    }
    /// Without waiting; does not report a dead owner.
    [[nodiscard]] bool tryAcquire() const { return acquire(TimeLimit::value_type(0)).has_value(); }
    Result<void> release() const
    {
        if (!body().lock.unlock())
            return Error{ErrorCode::InvalidState};
        return {};
    }
    [[nodiscard]] bool isLocked() const { return body().lock.owner() >= 0; }
    /// The PID of the process that holds it; 0 if it is free.
    [[nodiscard]] qint64 ownerPid() const;

private:
    explicit Lock(runtime::ObjectRef object) : SharedHandle(std::move(object)) {}
    [[nodiscard]] runtime::LockBody &body() const { return object()->body<runtime::LockBody>(); }
};

/// A lock that its owner, a thread, may take again. Like Python's multiprocessing.RLock: it is free
/// once its owner has released it as often as it took it. Reports a dead owner and lets waiters
/// pass like Lock.
///
/// Threads: any. Blocking: acquire(). Errors: Timeout, NotOwner.
class RLock : public SharedHandle
{
public:
    static constexpr auto kind = runtime::ObjectKind::RLock;

    static Result<RLock> create();
    static RLock of(runtime::ObjectRef object) { return RLock(std::move(object)); }

    Result<Acquired> acquire(TimeLimit limit = std::nullopt) const
    {
        return acquiredOf(body().acquire(space(), deadlineOf(limit)), body().plain);
    }
    /// Without waiting.
    [[nodiscard]] bool tryAcquire() const { return acquire(TimeLimit::value_type(0)).has_value(); }
    /// NotOwner: the calling thread does not hold it.
    Result<void> release() const
    {
        if (!body().release(space()))
            return Error{ErrorCode::NotOwner};
        return {};
    }
    [[nodiscard]] bool isLocked() const { return body().plain.lock.owner() >= 0; }
    [[nodiscard]] bool isMine() const { return body().isMine(space()); }

private:
    explicit RLock(runtime::ObjectRef object) : SharedHandle(std::move(object)) {}
    [[nodiscard]] runtime::RLockBody &body() const { return object()->body<runtime::RLockBody>(); }
};

/// Holds a lock, or a unit of a semaphore, until the end of the scope.
///
///     if (const ScopedLock held(lock); held) …
template<typename T>
class ScopedLock
{
public:
    explicit ScopedLock(const T &lock, TimeLimit limit = std::nullopt)
        : m_lock(lock)
        , m_acquired(lock.acquire(limit))
    {}
    ~ScopedLock()
    {
        if (m_acquired)
            (void)m_lock.release();
    }
    ScopedLock(const ScopedLock &) = delete;
    ScopedLock &operator=(const ScopedLock &) = delete;

    explicit operator bool() const { return m_acquired.has_value(); }
    [[nodiscard]] const auto &acquired() const { return m_acquired; }

private:
    const T m_lock;
    decltype(std::declval<const T &>().acquire()) m_acquired;
};

} // namespace proclab
