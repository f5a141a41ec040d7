// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/ipc/queue_body.h"

#include "core/runtime/kill_point.h"

#include <algorithm>

namespace proclab::runtime {

/// Completes what the last step has begun, if whoever did it has not.
void QueueBody::bringUp(std::uint64_t word)
{
    std::atomic<std::uint32_t> &doneByLast = done[word >> doneBits & (maxSharers - 1)];
    std::uint32_t known = doneByLast.load(std::memory_order_acquire);
    const std::uint32_t behind = (static_cast<std::uint32_t>(word) - known) & doneMask;
    if (behind != 0 && behind <= ByteRing::maxRecords)
        doneByLast.compare_exchange_strong(known, known + behind, std::memory_order_acq_rel);
}

/// @p count items more of @p sharer are finished, if @p word is still the last step.
bool QueueBody::advance(std::uint64_t word, std::uint32_t sharer, std::uint32_t count)
{
    const std::uint64_t all = (word >> countShift) + count; // What does not fit goes round.
    const std::uint32_t its = done[sharer].load(std::memory_order_acquire) + count;
    const std::uint64_t next =
        all << countShift | std::uint64_t{sharer} << doneBits | std::uint64_t{its & doneMask};
    if (!m_finished.compare_exchange_strong(word, next, std::memory_order_acq_rel))
        return false;
    PROCLAB_KILL_POINT("queue-done.said");
    bringUp(next);
    PROCLAB_KILL_POINT("queue-done.noted");
    return true;
}

bool QueueBody::finish(std::uint32_t sharer)
{
    std::uint64_t word = 0;
    do {
        word = m_finished.load(std::memory_order_acquire);
        if (unfinishedAt(word) == 0)
            return false;
        bringUp(word);
    } while (!advance(word, sharer, 1));
    if (unfinished() == 0)
        joining.notify();
    return true;
}

void QueueBody::sharerDied(ObjectSpace &space, std::uint32_t sharer)
{
    ring.sharerDied(space, sharer);
    for (;;) {
        const std::uint64_t word = m_finished.load(std::memory_order_acquire);
        bringUp(word);
        noteEarlierLoss();
        const std::uint32_t finished = done[sharer].load(std::memory_order_acquire);
        const auto inHand = static_cast<std::int32_t>(taken(sharer) - finished);
        if (inHand <= 0) {
            // Whoever is done with an item need not have got it.
            credit[sharer].fetch_add(static_cast<std::uint32_t>(-inHand));
            break;
        }
        const std::uint32_t step =
            std::min(static_cast<std::uint32_t>(inHand), std::uint32_t{ByteRing::maxRecords});
        m_lostThen.store(lost.load(std::memory_order_relaxed) + step, std::memory_order_relaxed);
        m_losing.store(sharer, std::memory_order_release);
        PROCLAB_KILL_POINT("queue-died.noted");
        static_cast<void>(advance(word, sharer, step));
    }
    joining.notify();
}

/// Completes the last step for a dead sharer, if that has been taken: its items are finished.
void QueueBody::noteEarlierLoss()
{
    const std::uint32_t sharer = m_losing.load(std::memory_order_acquire);
    if (sharer == 0 || taken(sharer) != done[sharer].load())
        return;
    lost.store(m_lostThen.load(std::memory_order_relaxed), std::memory_order_release);
    PROCLAB_KILL_POINT("queue-died.lost");
    m_losing.store(0, std::memory_order_release);
}

void PipeBody::sharerDied(ObjectSpace &space, std::uint32_t sharer)
{
    for (Direction &direction : directions)
        direction.ring.sharerDied(space, sharer);
}

void PipeBody::sideEnded(std::uint32_t side)
{
    isOpen[side].store(0, std::memory_order_seq_cst);
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
