// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/ipc/byte_ring.h"

#include <array>

/// What the library's queues and pipes keep in shared memory, and what becomes of them when a
/// process dies.
namespace proclab::runtime {

struct QueueBody
{
    using Counts = std::array<ByteRing::Count, maxSharers>;

    ByteRing ring;
    // Of each sharer, all going round.
    Counts put;    ///< Items and ENDs that it put.
    Counts got;    ///< Items that it got.
    Counts ends;   ///< ENDs that it got.
    Counts credit; ///< Items of others that it said it is done with, of one that died.
    Counts done;   ///< Items and ENDs that it said it is done with.
    std::atomic<std::uint32_t> lost; ///< Items that sharers had got when they died.
    WaitPoint joining;               ///< For all items to be finished.

    /// Items put and not yet finished.
    [[nodiscard]] std::uint32_t unfinished() const
    {
        return unfinishedAt(m_finished.load(std::memory_order_acquire));
    }
    /// False if nothing is unfinished.
    bool finish(std::uint32_t sharer);
    /// May be repeated, also after a part of it was done.
    void sharerDied(ObjectSpace &space, std::uint32_t sharer);

private:
    // One word, so that a process dies before or after what it says: items of all that are done or
    // lost (24 bits, going round) | the sharer that was last (10) | its `done` by then (the lowest
    // 30). Whoever comes next brings `done` up to it.
    static constexpr std::uint32_t doneBits = 30;
    static constexpr std::uint32_t doneMask = (1U << doneBits) - 1;
    static constexpr std::uint32_t countShift = 40;
    static_assert(maxSharers <= 1U << (countShift - doneBits));

    [[nodiscard]] std::uint32_t unfinishedAt(std::uint64_t word) const
    {
        return static_cast<std::uint32_t>((ring.putCount() - (word >> countShift)) &
                                          ByteRing::maxRecords);
    }
    /// What the sharer may be done with.
    [[nodiscard]] std::uint32_t taken(std::uint32_t sharer) const
    {
        return got[sharer].load() + ends[sharer].load() + credit[sharer].load();
    }
    void bringUp(std::uint64_t word);
    bool advance(std::uint64_t word, std::uint32_t sharer, std::uint32_t count);
    void noteEarlierLoss();

    std::atomic<std::uint64_t> m_finished;
    std::atomic<std::uint32_t> m_losing;   ///< A dead sharer for which m_lostThen holds; 0: none.
    std::atomic<std::uint32_t> m_lostThen; ///< `lost`, once its items are counted.
};

/// Two rings, one for each direction; a side that has no process left closes what it wrote. The
/// pipe stays while an end of it does, which may be on its way.
struct PipeBody
{
    struct Direction
    {
        ByteRing ring;
        // Of each sharer: messages, going round.
        QueueBody::Counts put;
        QueueBody::Counts got;
    };

    std::array<Direction, 2> directions;              ///< By the side that writes.
    std::array<std::atomic<std::uint32_t>, 2> isOpen; ///< A side whose end is there.

    [[nodiscard]] bool isGone(std::uint32_t side) const
    {
        return isOpen[side].load(std::memory_order_acquire) == 0;
    }
    [[nodiscard]] bool hasEnds() const { return !isGone(0) || !isGone(1); }
    void sharerDied(ObjectSpace &space, std::uint32_t sharer);
    void sideEnded(std::uint32_t side);
    void end(ObjectSpace &space);
};

/// One side of a pipe; its holders can use it.
struct PipeEndBody
{
    ObjectHandle pipe;
    std::uint32_t side; ///< 0 or 1.
    bool canRead;
    bool canWrite;
};

} // namespace proclab::runtime
