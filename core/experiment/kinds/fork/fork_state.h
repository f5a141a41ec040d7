// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/stage_snapshot.h"

#include <vector>

namespace proclab {

/// What a fork's stage draws: the memory of parent and children in cells, the values of the
/// variable, and what the call returned on both sides.
struct ForkState final : KindState
{
    static constexpr qint64 notKnown = -1;

    struct Child
    {
        qint64 pid = 0; ///< What fork() returned to the parent; 0: it has not yet.
        qint64 returned = notKnown;
        qint64 value = notKnown;
        qint64 writtenPages = 0;
        qint64 copiedBytes = notKnown; ///< As the kernel counts.
        qint64 sharedBytes = notKnown;
        qint64 forkNs = 0;
        qint64 endedByDeadline = 0;
        qint64 waitsForLock = 0; ///< Of a thread that is not in it.

        bool operator==(const Child &) const = default;
    };

    qint64 pages = 0; ///< Of the parent's memory.
    qint64 cells = 0; ///< That it is drawn in.
    qint64 valueBefore = notKnown;
    qint64 valueAfter = notKnown;
    qint64 countsPages = notKnown; ///< 0: the kernel does not tell of single pages.
    qint64 lockIsFree = 0;         ///< In the parent.
    std::vector<Child> children;
    /// Of each cell the pages that are no one else's: of the parent, then of each child.
    std::vector<qint64> ownPages;

    /// The pages of @p cell.
    [[nodiscard]] qint64 pagesOf(qint64 cell) const
    {
        return cells > 0 ? pages * (cell + 1) / cells - pages * cell / cells : 0;
    }
    /// Of process @p process: 0 the parent, then the children.
    [[nodiscard]] qint64 ownPagesOf(std::size_t process, qint64 cell) const
    {
        const std::size_t place =
            process * static_cast<std::size_t>(cells) + static_cast<std::size_t>(cell);
        return place < ownPages.size() ? ownPages[place] : 0;
    }
    [[nodiscard]] bool isForked() const;
    /// Pages of the parent's memory that a child has too; 0 before the first fork.
    [[nodiscard]] qint64 parentsSharedPages() const;
    /// Bytes that were copied for all children; notKnown: of none it is known.
    [[nodiscard]] qint64 copiedBytes() const;
    /// Bytes that a child shares: the largest share, since all have it of the same pages.
    [[nodiscard]] qint64 sharedBytes() const;

    [[nodiscard]] std::vector<qint64> packed(qint64 timeNs) const override;
    [[nodiscard]] std::shared_ptr<const KindState> unpacked(std::span<const qint64> numbers,
                                                            qint64 timeNs) const override;
};

} // namespace proclab
