// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/sync/lock.h"

namespace proclab {

using runtime::LockBody;
using runtime::RLockBody;

Result<Acquired> acquiredOf(runtime::SharedLock::Outcome outcome, LockBody &lock)
{
    if (outcome == runtime::SharedLock::Outcome::GivenUp)
        return Error{ErrorCode::Timeout};
    if (const bool isUntold = lock.takeUntold();
        outcome == runtime::SharedLock::Outcome::Acquired && !isUntold)
        return Acquired();
    return Acquired{true, lock.deadPid.load(std::memory_order_relaxed),
                    lock.diedNs.load(std::memory_order_relaxed)};
}

Result<Lock> Lock::create()
{
    auto object = make(kind, sizeof(LockBody));
    if (!object)
        return object.error();
    return of(std::move(*object));
}

Result<Acquired> Lock::acquire(TimeLimit limit) const
{
    return acquiredOf(body().acquire(space(), deadlineOf(limit)), body());
}

Result<void> Lock::release() const
{
    if (!body().lock.unlock())
        return Error{ErrorCode::InvalidState};
    return {};
}

qint64 Lock::ownerPid() const
{
    const int owner = body().lock.owner();
    return owner < 0 ? 0 : space().pidOf(static_cast<std::uint32_t>(owner));
}

Result<RLock> RLock::create()
{
    auto object = make(kind, sizeof(RLockBody));
    if (!object)
        return object.error();
    return of(std::move(*object));
}

Result<Acquired> RLock::acquire(TimeLimit limit) const
{
    return acquiredOf(body().acquire(space(), deadlineOf(limit)), body().plain);
}

Result<void> RLock::release() const
{
    if (!body().release(space()))
        return Error{ErrorCode::NotOwner};
    return {};
}

} // namespace proclab
