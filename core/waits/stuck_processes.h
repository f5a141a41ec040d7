// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/waits/wait_graph.h"

#include <map>
#include <vector>

namespace proclab {

/// Finds the stuck processes of a snapshot: the largest set whose threads can be woken only by
/// processes of the set. It begins with all and removes those that can go on, until none can. One
/// waker is enough for a thread (OR), so it is stuck only if all its wakers are; a process is stuck
/// only if all its threads are (AND).
///
/// Used in one call, by one thread.
class StuckProcesses
{
public:
    explicit StuckProcesses(const WaitGraph &graph);

    /// One for each group of stuck processes that are connected.
    [[nodiscard]] QList<Deadlock> deadlocks() const;

private:
    struct Process
    {
        const WaitGraph::Process *seen = nullptr;
        bool isStuck = false;
        bool hasIdleEngine = false;
        bool hasUnknownChild = false;
        std::vector<std::size_t> children; ///< Those that share objects.
        std::optional<std::size_t> parent;
    };

    void takeOut();
    [[nodiscard]] bool canBeWoken(const Process &process) const;
    [[nodiscard]] bool canBeEnded(const Process &process, const Wait &wait) const;
    [[nodiscard]] bool isStuck(qint64 pid) const;
    [[nodiscard]] bool hasStuckUsers() const;
    void askSystem(Process &process);
    void askForThreads(Process &process) const;
    [[nodiscard]] bool areSleepingOn(const Process &process) const;
    [[nodiscard]] std::vector<std::size_t> wakersOf(const Process &process) const;
    [[nodiscard]] Deadlock deadlockOf(const std::vector<std::size_t> &group,
                                      const std::vector<std::vector<bool>> &reaches) const;

    const WaitGraph &m_graph;
    std::vector<Process> m_processes;
    std::map<qint64, std::size_t> m_byPid;
};

} // namespace proclab
