// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/sync/semaphore.h"

#include <limits>

namespace proclab {

Result<Semaphore> Semaphore::createLimited(int value, int limit)
{
    if (value < 0)
        return invalidArgument(QStringLiteral("value"), QString::number(value),
                               ErrorText::tr("at least %1").arg(0));
    auto object = make(kind, sizeof(runtime::SemaphoreBody));
    if (!object)
        return object.error();
    const Semaphore semaphore(std::move(*object));
    semaphore.body().limit = limit;
    semaphore.body().value.store(value, std::memory_order_release);
    return semaphore;
}

Result<void> Semaphore::acquire(TimeLimit limit) const
{
    if (!body().tryAcquire() && !body().acquire(deadlineOf(limit)))
        return Error{ErrorCode::Timeout};
    return {};
}

Result<void> Semaphore::release(int count) const
{
    if (count < 1)
        return invalidArgument(QStringLiteral("count"), QString::number(count),
                               ErrorText::tr("at least %1").arg(1));
    if (!body().release(count))
        return Error{ErrorCode::InvalidState};
    return {};
}

Result<BoundedSemaphore> BoundedSemaphore::create(int value)
{
    // A limit of 0 means none, so a semaphore without any unit gets a limit below 0.
    auto semaphore = createLimited(value, value > 0 ? value : -1);
    if (!semaphore)
        return semaphore.error();
    return of(semaphore->object());
}

} // namespace proclab
