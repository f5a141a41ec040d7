// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/sync/sync_bodies.h"

#include <array>

namespace proclab::runtime {

namespace {

template<typename Body>
Body &as(std::byte *body)
{
    return *reinterpret_cast<Body *>(body);
}

/// Also of an RLock and of a Value's or Array's memory: they begin with their lock.
void lockOwnerDied(ObjectSpace & /*space*/, std::byte *body, std::uint32_t sharer, std::int32_t pid)
{
    as<LockBody>(body).sharerDied(sharer, pid);
}

void conditionSleeperDied(ObjectSpace & /*space*/, std::byte *body, std::uint32_t sharer,
                          std::int32_t /*pid*/)
{
    as<ConditionBody>(body).sharerDied(sharer);
}

void barrierPartyDied(ObjectSpace &space, std::byte *body, std::uint32_t sharer,
                      std::int32_t /*pid*/)
{
    as<BarrierBody>(body).sharerDied(space, sharer);
}

} // namespace

const ObjectKindActions &actionsOf(ObjectKind kind)
{
    static constexpr ObjectKindActions nothing = {nullptr, nullptr};
    static constexpr ObjectKindActions lock = {lockOwnerDied, nullptr};
    static constexpr ObjectKindActions condition = {conditionSleeperDied, nullptr};
    static constexpr ObjectKindActions barrier = {barrierPartyDied, nullptr};
    switch (kind) {
    case ObjectKind::Lock:
    case ObjectKind::RLock:
    case ObjectKind::Memory:
        return lock;
    case ObjectKind::Condition:
        return condition;
    case ObjectKind::Barrier:
        return barrier;
    default:
        return nothing;
    }
}

} // namespace proclab::runtime
