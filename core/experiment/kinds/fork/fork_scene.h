// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/scene.h"
#include "core/memory/array.h"
#include "core/memory/value.h"
#include "core/process/process.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

namespace proclab::forking {

class LockHolder;

/// How long a child may wait for a lock that nobody in it will ever release.
constexpr auto deadline = std::chrono::seconds(2);
/// How long a child takes for all of its memory, so that one can look on.
constexpr auto passTime = std::chrono::milliseconds(2'400);
/// The variable of the parent. Child number i, from 1, adds i to its copy.
constexpr qint64 firstValue = 10;
constexpr qint64 notTold = -1;

/// What parent and children are to do.
struct Plan
{
    quint64 pages = 0;        ///< That the parent fills.
    quint64 writtenPages = 0; ///< Of each child, from the first one on; it reads the others.
    quint32 children = 1;
    quint32 cells = 1;        ///< Blocks of pages that are counted one by one, of each process.
    quint32 besideThread = 0; ///< Another thread of the parent holds a lock during the fork.

    /// The first page of @p cell; that of the next one is its end.
    [[nodiscard]] quint64 firstPage(quint64 cell) const { return pages * cell / cells; }
};

/// What the parent tells, in shared memory: nothing of it is lost with a process. Written and read
/// by tell() and told().
struct Parent
{
    qint64 valueBefore = notTold;
    qint64 valueAfter = notTold;  ///< Once it has waited for all children.
    qint64 forkError = 0;         ///< The errno of a fork() that failed.
    qint64 lockIsFree = 0;        ///< Its thread has released the lock.
    qint64 countsPages = notTold; ///< Whether the kernel tells whose pages are: 0 or 1.
};

/// What one child tells, and the parent of it.
struct Child
{
    // The parent's: of the call, and of the end.
    qint64 pid = 0;      ///< What fork() returned to the parent; 0: it has not yet.
    qint64 forkedNs = 0; ///< When, CLOCK_MONOTONIC.
    qint64 forkNs = 0;   ///< How long it took.
    qint64 hasEnded = 0;
    qint64 exitCode = 0;
    qint64 signal = 0;
    qint64 isOwnSignal = 0;
    qint64 cpuNs = notTold;
    qint64 peakResidentBytes = notTold;
    qint64 endedByDeadline = 0;
    // The child's own.
    qint64 returned = notTold; ///< What fork() returned to it: 0.
    qint64 value = notTold;    ///< Of its copy of the variable, once it has changed it.
    qint64 writtenPages = 0;
    qint64 isThrough = 0; ///< It has done its part, and only waits for leave.
    /// As the kernel counts: of its memory, what is its own by now, and what it shares.
    qint64 copiedBytes = notTold;
    qint64 sharedBytes = notTold;
};

/// Any process.
inline void tell(qint64 &number, qint64 value)
{
    std::atomic_ref(number).store(value, std::memory_order_release);
}
inline qint64 told(qint64 &number)
{
    return std::atomic_ref(number).load(std::memory_order_acquire);
}

/// Fills its memory, forks its children, and waits for them. A process of its own, since a copy has
/// only the thread that forks.
struct Forker
{
    Cue cue;
    Plan plan;
    Value<Parent> parent;
    Array<Child> children;
    std::vector<Activity> activities; ///< The children's.
    /// Pages of each cell: of the parent, those that it shares with nobody (any more); then of
    /// each child those that are copies of its own.
    Array<qint64> ownPages;
    Event leave; ///< Set once all children are through and all is counted.

    void run() const;
    [[nodiscard]] auto parts() const
    {
        return std::tie(cue, plan, parent, children, activities, ownPages, leave);
    }

private:
    using Memory = std::span<std::byte>;

    /// False: it could not be forked.
    bool forkChild(quint32 number, const Memory &memory, LockHolder *holder,
                   std::vector<Process> &forked) const;
    /// A child's life.
    [[noreturn]] void live(quint32 number, const Memory &memory, LockHolder *holder) const;
    void goThrough(quint32 number, const Memory &memory, ActivityReport &report) const;
    void countAll(Child &child, const Memory &memory) const;
    void lookAfter(const std::vector<Process> &forked, const Memory &memory) const;
    /// Whether all of them have ended.
    bool noteEnds(const std::vector<Process> &forked) const;
    /// Counts the parent's own pages, and lets the children go once they all are through.
    void countUntilAllAreThrough(const std::vector<Process> &forked, const Memory &memory) const;
    /// False: this kernel does not tell.
    bool countCell(quint32 process, quint32 cell, const Memory &memory) const;
};

} // namespace proclab::forking
