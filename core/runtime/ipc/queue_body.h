// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/ipc/byte_ring.h"

#include <array>

/// What the library's queues and pipes keep in shared memory, and what becomes of them when a
/// process dies.
namespace proclab::runtime {

struct QueueBody
{
    ByteRing ring;
    /// Of each sharer: items it got, and items it said it is done with, both going round.
    std::array<std::atomic<std::uint32_t>, maxSharers> taken;
    std::array<std::atomic<std::uint32_t>, maxSharers> done;
    std::atomic<std::uint32_t> finished; ///< Items of all, done or lost, going round.
    std::atomic<std::uint32_t> lost;     ///< Items in the hands of sharers that died.
    WaitPoint joining;                   ///< For all items to be finished.

    /// Items put and not yet finished.
    [[nodiscard]] std::uint32_t unfinished() const
    {
        return static_cast<std::uint32_t>(
            (ring.putCount() - finished.load(std::memory_order_acquire)) & ByteRing::maxRecords);
    }
    /// False: there is nothing that is not finished.
    bool finish(std::uint32_t sharer);
    void sharerDied(ObjectSpace &space, std::uint32_t sharer);
};

/// Two rings, one for each direction; a side that has no process left closes what it wrote.
struct PipeBody
{
    struct Direction
    {
        ByteRing ring;
        std::array<std::atomic<std::uint32_t>, maxSharers> taken; ///< Of each sharer.
    };

    std::array<Direction, 2> directions;              ///< By the side that writes.
    std::array<std::atomic<std::uint32_t>, 2> isGone; ///< A side that nobody has any more.

    void sharerDied(ObjectSpace &space, std::uint32_t sharer);
    void sideEnded(std::uint32_t side);
    void end(ObjectSpace &space);
};

/// One side of a pipe: who holds it can use it.
struct PipeEndBody
{
    ObjectHandle pipe;
    std::uint32_t side; ///< 0 or 1.
    bool canRead;
    bool canWrite;
};

} // namespace proclab::runtime
