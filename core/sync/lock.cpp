// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/sync/lock.h"

namespace proclab {

using runtime::LockBody;
using runtime::RLockBody;

Result<Lock> Lock::create()
{
    auto object = make(kind, sizeof(LockBody));
    if (!object)
        return object.error();
    return of(std::move(*object));
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

} // namespace proclab
