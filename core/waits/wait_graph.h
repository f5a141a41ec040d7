// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/trace/wait.h"

#include <chrono>
#include <vector>

namespace proclab {

/// Threads none of which can ever go on: each waits without limit for something that only another
/// of them, or a process that waits for them, could bring.
struct Deadlock
{
    /// The waits that block each other, of several processes or of one that waits for itself.
    QList<Wait> members;
    /// Waits outside the circle that depend on it: if the members went on, so would these.
    QList<Wait> behind;
    /// The position in `members` of the process whose end would undo the deadlock at the least
    /// cost: the one that has waited least, whose wait closed the circle. The library itself ends
    /// none.
    int victim = 0;
    qint64 sinceNs = 0; ///< When the last of them began to wait, on the monotonic clock.

    [[nodiscard]] bool isSameAs(const Deadlock &other) const;
};

/// Several lines: one for each member, and which process to end.
[[nodiscard]] QString deadlockText(const Deadlock &deadlock, qint64 nowNs);

/// All waits of the program and of the processes below it, at one moment.
///
/// A process counts as able to act while any of its threads does not wait, is stopped, waits with a
/// limit or for one of several things, or sleeps outside the library. Then no wait for that process
/// is a deadlock. So every deadlock that is reported is one, but a process whose own threads sleep
/// elsewhere hides its deadlocks.
///
/// Threads: snapshot() from any, in any process of the tree; the snapshot is a value.
/// Blocking: never; deadlocks() reads some files of /proc for each process that may be in one.
class WaitGraph
{
public:
    /// Empty if this process shares nothing with others.
    [[nodiscard]] static WaitGraph snapshot();
    /// Whether some wait of the tree that may belong to a deadlock has lasted for @p age. Cheap.
    [[nodiscard]] static bool hasWaitOfAge(std::chrono::nanoseconds age);

    [[nodiscard]] const QList<Wait> &waits() const { return m_waits; }
    [[nodiscard]] qint64 takenNs() const { return m_takenNs; }
    /// The deadlocks of the snapshot that still exist; connected waits are one deadlock. What two
    /// looks 50 ms apart find is one for sure; see DeadlockWatch.
    [[nodiscard]] QList<Deadlock> deadlocks() const;

private:
    struct Process
    {
        runtime::TreeReader::Sharer sharer;
        QList<int> waits;        ///< Positions in m_waits.
        bool mayBeStuck = false; ///< None of its known waits is sure to end.
    };

    void addWaitsOf(Process &process, const runtime::TreeReader &reader);

    friend class StuckProcesses;

    qint64 m_takenNs = 0;
    QList<Wait> m_waits;
    QList<runtime::NotedWait> m_noted; ///< The notes, in the order of m_waits.
    std::vector<Process> m_processes;
};

} // namespace proclab

Q_DECLARE_METATYPE(proclab::Deadlock)
