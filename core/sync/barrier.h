// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/objects/sync_bodies.h"
#include "core/sync/shared_handle.h"

#include <functional>

namespace proclab {

/// A point that a fixed number of parties pass together. Like Python's multiprocessing.Barrier.
/// Unlike there, the barrier breaks if a party dies while it waits, so nobody waits forever.
///
/// Threads: any. Blocking: wait(). Errors: InvalidArgument, BrokenBarrier, Timeout.
class Barrier : public SharedHandle
{
public:
    static constexpr auto kind = runtime::ObjectKind::Barrier;

    /// @p parties: 1 to 1,024.
    static Result<Barrier> create(int parties);
    static Barrier of(runtime::ObjectRef object) { return Barrier(std::move(object)); }

    /// Waits until all parties are here, and returns a number from 0 to parties - 1, a different
    /// one to each. The last to arrive runs its @p action before anyone passes; the other actions
    /// are not used. A Timeout breaks the barrier, unless the caller is a surplus party that waits
    /// for the previous round to end. An action that throws breaks it too; its caller gets
    /// BrokenBarrier.
    Result<int> wait(TimeLimit limit = std::nullopt,
                     const std::function<void()> &action = nullptr) const;
    /// Gives BrokenBarrier to all that wait; then the barrier is like new.
    void reset() const { body().reset(space()); }
    /// Breaks the barrier: all that wait or arrive get BrokenBarrier until reset().
    void abort() const { body().abort(space()); }

    [[nodiscard]] int parties() const { return static_cast<int>(body().parties); }
    [[nodiscard]] int waiting() const { return static_cast<int>(body().waiters(space())); }
    [[nodiscard]] bool isBroken() const { return body().isBroken(); }

private:
    explicit Barrier(runtime::ObjectRef object) : SharedHandle(std::move(object)) {}
    [[nodiscard]] runtime::BarrierBody &body() const
    {
        return object()->body<runtime::BarrierBody>();
    }
};

} // namespace proclab
