// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/sync/lock.h"

#include <functional>
#include <optional>

namespace proclab {

/// Lets processes that hold a lock sleep until another one notifies them. Like Python's
/// multiprocessing.Condition. A notification wakes the longest sleeper first, and is lost if nobody
/// sleeps; if its sleeper dies, it goes on to the next. Woken, it waits for the lock like all
/// others: see Lock for how long at most.
///
/// Threads: any. Blocking: acquire(), wait(), waitFor().
/// Errors: NotOwner (the lock is not held: by the calling thread, or for a Lock by its process),
/// Timeout, OsError (more than 1,024 sleepers).
class Condition : public SharedHandle
{
public:
    static constexpr auto kind = runtime::ObjectKind::Condition;

    /// With an RLock of its own.
    static Result<Condition> create();
    /// With an existing lock, which it keeps.
    static Result<Condition> create(const Lock &lock);
    static Result<Condition> create(const RLock &lock);
    static Condition of(runtime::ObjectRef object);

    Result<Acquired> acquire(TimeLimit limit = std::nullopt) const;
    Result<void> release() const;

    /// Releases the lock and sleeps until notified. On return it holds the lock again, whatever it
    /// returns. False if no notification came within @p limit. If the previous owner died with the
    /// lock, the next acquire() reports it.
    Result<bool> wait(TimeLimit limit = std::nullopt) const;
    /// Waits until @p predicate holds. Asks it with the lock held, first at once and then after
    /// each notification. What it throws passes through, with the lock held. False if it did not
    /// hold within @p limit.
    Result<bool> waitFor(const std::function<bool()> &predicate,
                         TimeLimit limit = std::nullopt) const;
    /// Wakes up to @p count sleepers.
    Result<void> notify(int count = 1) const;
    Result<void> notifyAll() const;

    [[nodiscard]] const runtime::ObjectRef &lockObject() const { return m_lock; }

private:
    Condition(runtime::ObjectRef object, runtime::ObjectRef lock);
    static Result<Condition> createOn(const runtime::ObjectRef &lock, bool isRecursive);
    [[nodiscard]] bool holdsLock() const;
    [[nodiscard]] runtime::ConditionBody &body() const
    {
        return object()->body<runtime::ConditionBody>();
    }

    runtime::ObjectRef m_lock; ///< A Lock's or an RLock's; the body says which.
};

} // namespace proclab
