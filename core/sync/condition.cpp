// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/sync/condition.h"

#include <algorithm>
#include <limits>

namespace proclab {

using runtime::ConditionBody;
using runtime::LockBody;
using runtime::RLockBody;

Condition::Condition(runtime::ObjectRef object, runtime::ObjectRef lock)
    : SharedHandle(std::move(object))
    , m_lock(std::move(lock))
{}

Condition Condition::of(runtime::ObjectRef object)
{
    const auto &body = object->body<ConditionBody>();
    auto lock = space().attach(body.lock, body.isRecursive ? RLock::kind : Lock::kind);
    if (!lock)
        throw DecodeError("the condition's lock is gone");
    return Condition(std::move(object), std::move(lock));
}

Result<Condition> Condition::create()
{
    const auto lock = RLock::create();
    if (!lock)
        return lock.error();
    return create(*lock);
}

Result<Condition> Condition::create(const Lock &lock)
{
    return createOn(lock.object(), false);
}

Result<Condition> Condition::create(const RLock &lock)
{
    return createOn(lock.object(), true);
}

Result<Condition> Condition::createOn(const runtime::ObjectRef &lock, bool isRecursive)
{
    auto object = make(kind, sizeof(ConditionBody));
    if (!object)
        return object.error();
    auto &body = (*object)->body<ConditionBody>();
    body.lock = lock->handle();
    body.isRecursive = isRecursive;
    return Condition(std::move(*object), lock);
}

Result<Acquired> Condition::acquire(TimeLimit limit) const
{
    return body().isRecursive ? RLock::of(m_lock).acquire(limit) : Lock::of(m_lock).acquire(limit);
}

Result<void> Condition::release() const
{
    return body().isRecursive ? RLock::of(m_lock).release() : Lock::of(m_lock).release();
}

bool Condition::holdsLock() const
{
    if (body().isRecursive)
        return m_lock->body<RLockBody>().isMine(space());
    return m_lock->body<LockBody>().lock.owner() == static_cast<int>(space().self());
}

Result<bool> Condition::wait(TimeLimit limit) const
{
    if (!holdsLock())
        return Error{ErrorCode::NotOwner};
    const std::int64_t deadline = deadlineOf(limit);
    const std::uint32_t place = body().enter(space());
    if (place == ConditionBody::maxSleepers)
        return osError({}, EAGAIN, ErrorText::tr("wait on a condition"));
    if (body().isRecursive) {
        auto &lock = m_lock->body<RLockBody>();
        const std::uint32_t depth = lock.giveUp();
        body().sleep(place, deadline);
        lock.plain.keepUntold(lock.takeBackAt(space(), depth, runtime::noDeadline));
    } else {
        auto &lock = m_lock->body<LockBody>();
        lock.lock.unlock();
        body().sleep(place, deadline);
        lock.keepUntold(lock.acquire(space(), runtime::noDeadline));
    }
    return body().leave(place);
}

Result<bool> Condition::waitFor(const std::function<bool()> &predicate, TimeLimit limit) const
{
    if (!holdsLock())
        return Error{ErrorCode::NotOwner};
    const std::int64_t deadline = deadlineOf(limit);
    while (!predicate()) {
        TimeLimit left;
        if (limit)
            left = std::chrono::nanoseconds(deadline - runtime::nowNs());
        if (left && left->count() <= 0)
            return false;
        if (const auto woken = wait(left); !woken)
            return woken.error();
    }
    return true;
}

Result<void> Condition::notify(int count) const
{
    if (!holdsLock())
        return Error{ErrorCode::NotOwner};
    body().notify(static_cast<std::uint32_t>(std::max(count, 0)));
    return {};
}

Result<void> Condition::notifyAll() const
{
    return notify(std::numeric_limits<int>::max());
}

} // namespace proclab
