// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/ipc/queue_body.h"

namespace proclab::runtime {

bool QueueBody::finish(std::uint32_t sharer)
{
    if (unfinished() == 0)
        return false;
    done[sharer].fetch_add(1, std::memory_order_relaxed);
    finished.fetch_add(1, std::memory_order_acq_rel);
    if (unfinished() == 0)
        joining.notify();
    return true;
}

void QueueBody::sharerDied(ObjectSpace &space, std::uint32_t sharer)
{
    ring.sharerDied(space, sharer, taken[sharer]);
    // Whoever is done with an item need not have got it, so the difference may be below 0.
    const auto inHand =
        static_cast<std::int32_t>(taken[sharer].exchange(0) - done[sharer].exchange(0));
    if (inHand <= 0)
        return;
    lost.fetch_add(static_cast<std::uint32_t>(inHand), std::memory_order_relaxed);
    finished.fetch_add(static_cast<std::uint32_t>(inHand), std::memory_order_acq_rel);
    joining.notify();
}

void PipeBody::sharerDied(ObjectSpace &space, std::uint32_t sharer)
{
    for (Direction &direction : directions)
        direction.ring.sharerDied(space, sharer, direction.taken[sharer]);
}

void PipeBody::sideEnded(std::uint32_t side)
{
    isGone[side].store(1, std::memory_order_release);
    for (Direction &direction : directions) {
        direction.ring.items.notify();
        direction.ring.room.notify();
    }
}

void PipeBody::end(ObjectSpace &space)
{
    for (Direction &direction : directions)
        direction.ring.end(space);
}

} // namespace proclab::runtime
