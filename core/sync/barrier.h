// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/objects/sync_bodies.h"
#include "core/sync/shared_handle.h"

#include <functional>

namespace proclab {

/// A point that a fixed number of parties pass together, as Python's multiprocessing.Barrier. What
/// Python's does not keep: if a party dies while it waits, the barrier breaks, and nobody waits for
/// ever.
///
/// Threads: any. Blocking: wait(). Errors: InvalidArgument, BrokenBarrier, Timeout.
class Barrier : public SharedHandle
{
public:
    static constexpr auto kind = runtime::ObjectKind::Barrier;

    /// @p parties: 1 to 1,024.
    static Result<Barrier> create(int parties);
    static Barrier of(runtime::ObjectRef object) { return Barrier(std::move(object)); }

    /// Waits until all parties are here, and returns a number from 0 to parties - 1, another to
    /// each. The last to come runs @p action before anyone is let through; the action of the others
    /// is not used. Timeout breaks the barrier (but not for one too many, who waits for the round
    /// before to end); so does an action that throws, for which it returns BrokenBarrier.
    Result<int> wait(TimeLimit limit = std::nullopt,
                     const std::function<void()> &action = nullptr) const;
    /// All who wait get BrokenBarrier, and the barrier is as new.
    void reset() const { body().reset(space()); }
    /// Breaks it: all who wait, and all who come, get BrokenBarrier until reset().
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
