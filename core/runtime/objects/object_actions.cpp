// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/ipc/queue_body.h"
#include "core/runtime/kill_point.h"
#include "core/runtime/objects/sync_bodies.h"
#include "core/runtime/task/process_start.h"

#include <array>

namespace proclab::runtime {

namespace {

template<typename Body>
Body &as(std::byte *body)
{
    return *reinterpret_cast<Body *>(body);
}

void lockOwnerDied(ObjectSpace & /*space*/, std::byte *body, std::uint32_t sharer, std::int32_t pid)
{
    as<LockBody>(body).sharerDied(sharer, pid);
}

void rlockOwnerDied(ObjectSpace & /*space*/, std::byte *body, std::uint32_t sharer,
                    std::int32_t pid)
{
    as<RLockBody>(body).sharerDied(sharer, pid);
}

void semaphoreUserDied(ObjectSpace & /*space*/, std::byte *body, std::uint32_t /*sharer*/,
                       std::int32_t /*pid*/)
{
    as<SemaphoreBody>(body).sharerDied();
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

void queueUserDied(ObjectSpace &space, std::byte *body, std::uint32_t sharer, std::int32_t /*pid*/)
{
    as<QueueBody>(body).sharerDied(space, sharer);
}

void queueEnded(ObjectSpace &space, std::byte *body)
{
    as<QueueBody>(body).ring.end(space);
}

void pipeUserDied(ObjectSpace &space, std::byte *body, std::uint32_t sharer, std::int32_t /*pid*/)
{
    as<PipeBody>(body).sharerDied(space, sharer);
}

void pipeEnded(ObjectSpace &space, std::byte *body)
{
    as<PipeBody>(body).end(space);
}

void pipeEndEnded(ObjectSpace &space, std::byte *body)
{
    const auto &end = as<PipeEndBody>(body);
    // Held until all who wait there are told: it may be free, and something else, as soon as it has
    // no ends.
    const ObjectRef pipe = space.attach(end.pipe, ObjectKind::Pipe);
    if (!pipe)
        return;
    pipe->body<PipeBody>().sideEnded(end.side);
    PROCLAB_KILL_POINT("space-pipe.side-ended");
}

void startEnded(ObjectSpace &space, std::byte *body)
{
    as<ProcessStart>(body).releaseParcel(space);
}

bool pipeHasEnds(const std::byte *body)
{
    return reinterpret_cast<const PipeBody *>(body)->hasEnds();
}

} // namespace

const ObjectKindActions &actionsOf(ObjectKind kind)
{
    static constexpr ObjectKindActions nothing = {nullptr, nullptr, nullptr};
    static constexpr ObjectKindActions lock = {lockOwnerDied, nullptr, nullptr};
    static constexpr ObjectKindActions rlock = {rlockOwnerDied, nullptr, nullptr};
    static constexpr ObjectKindActions semaphore = {semaphoreUserDied, nullptr, nullptr};
    static constexpr ObjectKindActions condition = {conditionSleeperDied, nullptr, nullptr};
    static constexpr ObjectKindActions barrier = {barrierPartyDied, nullptr, nullptr};
    static constexpr ObjectKindActions queue = {queueUserDied, queueEnded, nullptr};
    static constexpr ObjectKindActions pipe = {pipeUserDied, pipeEnded, pipeHasEnds};
    static constexpr ObjectKindActions pipeEnd = {nullptr, pipeEndEnded, nullptr};
    static constexpr ObjectKindActions start = {nullptr, startEnded, nullptr};
    switch (kind) {
    case ObjectKind::Lock:
        return lock;
    case ObjectKind::RLock:
        return rlock;
    case ObjectKind::Semaphore:
        return semaphore;
    case ObjectKind::Condition:
        return condition;
    case ObjectKind::Barrier:
        return barrier;
    case ObjectKind::Queue:
        return queue;
    case ObjectKind::Pipe:
        return pipe;
    case ObjectKind::PipeEnd:
        return pipeEnd;
    case ObjectKind::Start:
        return start;
    default:
        return nothing;
    }
}

} // namespace proclab::runtime
