// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/objects/sync_bodies.h"
#include "core/sync/shared_handle.h"

namespace proclab {

/// A number of units that processes take and give. Like Python's multiprocessing.Semaphore. Units
/// belong to nobody: a process may release without having acquired, so units that a dead process
/// had taken stay taken. Use Lock where a death must be noticed.
///
/// As with Lock nobody is passed over for long: once a caller has waited for 10 ms and comes too
/// late again, which it notices within 0.1 s, each other thread gets at most one unit before it,
/// and those that come later wait, or fail in tryAcquire(), even if the value is above 0. A waiter
/// that is stopped or killed meanwhile makes others wait for at most 0.25 s.
///
/// Threads: any. Blocking: acquire(). Errors: InvalidArgument, Timeout.
class Semaphore : public SharedHandle
{
public:
    static constexpr auto kind = runtime::ObjectKind::Semaphore;

    /// InvalidArgument if @p value is below 0.
    static Result<Semaphore> create(int value = 1) { return createLimited(value, 0); }
    static Semaphore of(runtime::ObjectRef object) { return Semaphore(std::move(object)); }

    /// Takes a unit. Timeout if there is none within @p limit.
    Result<void> acquire(TimeLimit limit = std::nullopt) const;
    /// Without waiting.
    [[nodiscard]] bool tryAcquire() const { return body().tryAcquire(); }
    /// Gives @p count units. InvalidState, without any change, if that would exceed the limit.
    Result<void> release(int count = 1) const;
    [[nodiscard]] int value() const { return body().value.load(std::memory_order_acquire); }

protected:
    static Result<Semaphore> createLimited(int value, int limit);
    explicit Semaphore(runtime::ObjectRef object) : SharedHandle(std::move(object)) {}

private:
    [[nodiscard]] runtime::SemaphoreBody &body() const
    {
        return object()->body<runtime::SemaphoreBody>();
    }
};

/// A Semaphore whose value never exceeds its first value.
class BoundedSemaphore : public Semaphore
{
public:
    /// InvalidArgument if @p value is below 0.
    static Result<BoundedSemaphore> create(int value = 1);
    static BoundedSemaphore of(runtime::ObjectRef object)
    {
        return BoundedSemaphore(std::move(object));
    }

private:
    explicit BoundedSemaphore(runtime::ObjectRef object) : Semaphore(std::move(object)) {}
};

} // namespace proclab
