// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/sync/lock.h"

#include <functional>
#include <optional>

namespace proclab {

/// Lets processes that hold a lock sleep until another notifies them, as Python's
/// multiprocessing.Condition. A notification wakes who is there, the longest sleeper first, and is
/// not remembered; one for a sleeper that dies goes on to the next.
///
/// Threads: any. Blocking: acquire(), wait(), waitFor().
/// Errors: NotOwner (the lock is not held: by the calling thread, or for a Lock by its process),
/// Timeout, OsError (more than 1,024 sleepers).
class Condition : public SharedHandle
{
public:
    static constexpr auto kind = runtime::ObjectKind::Condition;

    /// On an RLock of its own.
    static Result<Condition> create();
    /// On a lock that is there, which it keeps.
    static Result<Condition> create(const Lock &lock);
    static Result<Condition> create(const RLock &lock);
    static Condition of(runtime::ObjectRef object);

    Result<Acquired> acquire(TimeLimit limit = std::nullopt) const;
    Result<void> release() const;

    /// Lets the lock go and sleeps until notified; the lock is held again on return, whatever comes
    /// back. False: not within @p limit. If the lock's owner before died with it, the next
    /// acquire() tells.
    Result<bool> wait(TimeLimit limit = std::nullopt) const;
    /// Waits until @p predicate holds, which is asked with the lock held, first at once and then
    /// after each notification; what it throws comes out, with the lock held. False: not within
    /// @p limit.
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

    runtime::ObjectRef m_lock; ///< Of a Lock or an RLock, as the body says.
};

} // namespace proclab
