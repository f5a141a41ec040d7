// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/trace/wait.h"

#include <chrono>
#include <vector>

namespace proclab {

/// Threads of which none can ever go on: each waits without limit for something that only another
/// of them, or a process that waits for them, could bring.
struct Deadlock
{
    /// The waits that hold each other up, of several processes or of one that waits for itself.
    QList<Wait> members;
    /// Waits that only hang on them: if the members went on, so would these.
    QList<Wait> behind;
    /// Whose end would undo it at the least cost, by position in `members`: the one that has waited
    /// least, whose wait made it a deadlock. Nobody is ended by the library itself.
    int victim = 0;
    qint64 sinceNs = 0; ///< When the last of them began to wait, on the monotonic clock.

    [[nodiscard]] bool isSameAs(const Deadlock &other) const;
};

/// In some lines: one for each member, and whose end is proposed.
[[nodiscard]] QString deadlockText(const Deadlock &deadlock, qint64 nowNs);

/// All waits of the program and of the processes below it, at one moment.
///
/// A process counts as able to act while any of its threads does not wait, is stopped, waits with a
/// limit or for one of several things, or is none of the library's and sleeps in some other way:
/// then nobody who waits for that process is in a deadlock. So what is reported is one, but a
/// process with threads of its own that sleep elsewhere hides it.
///
/// Threads: snapshot() from any, in any process of the tree; the snapshot is a value.
/// Blocking: never; deadlocks() reads some files of /proc for each process that may be in one.
class WaitGraph
{
public:
    /// Empty, if this process shares nothing with others.
    [[nodiscard]] static WaitGraph snapshot();
    /// Whether a wait of the tree has lasted for @p age that can be one of a deadlock. Cheap.
    [[nodiscard]] static bool hasWaitOfAge(std::chrono::nanoseconds age);

    [[nodiscard]] const QList<Wait> &waits() const { return m_waits; }
    [[nodiscard]] qint64 takenNs() const { return m_takenNs; }
    /// The deadlocks among them that are still there; a group that is connected is one. What is
    /// found by two looks 50 ms apart is one for sure, see DeadlockWatch.
    [[nodiscard]] QList<Deadlock> deadlocks() const;

private:
    struct Process
    {
        runtime::TreeReader::Sharer sharer;
        QList<int> waits;        ///< Positions in m_waits.
        bool mayBeStuck = false; ///< All waits known of it may be without end.
    };

    void addWaitsOf(Process &process, const runtime::TreeReader &reader);

    friend class StuckProcesses;

    qint64 m_takenNs = 0;
    QList<Wait> m_waits;
    QList<runtime::NotedWait> m_noted; ///< As m_waits.
    std::vector<Process> m_processes;
};

} // namespace proclab

Q_DECLARE_METATYPE(proclab::Deadlock)
