// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>
#include <QTimer>

#include <functional>
#include <map>
#include <set>
#include <vector>

namespace proclab {

/// Ends and reaps what dead children leave behind: the rest of their process groups, and the
/// zygotes and workers of dead workers. These die with their parent, which makes them children of
/// this process, and nobody else reaps them.
///
/// Threads: lives in the engine's thread. Blocking: never.
class OrphanReaper final : public QObject
{
    Q_OBJECT

public:
    using Pids = std::set<qint64>;

    /// @p children returns the children that are no orphans.
    explicit OrphanReaper(std::function<Pids()> children);

    /// Ends whoever is left in a process group whose leader is gone, now or as soon as possible.
    void endGroupOf(qint64 leader);
    /// To be called when a child has ended, which may have left orphans.
    void lookForOrphans();
    /// Has orphans killed when they are found, instead of after a second. A Process may outlive its
    /// parent by half a second, and then ends by itself.
    void giveNoGrace() { m_graceNs = 0; }
    /// Does what can be done now; looked() follows. Runs many times a second while anything is left
    /// to do.
    void look();

    /// Whether a process may be left in the group of @p leader.
    [[nodiscard]] bool isEndingGroupOf(qint64 leader) const;
    [[nodiscard]] bool hasNothingToDo() const { return m_groups.empty() && !m_mayHaveOrphans; }

Q_SIGNALS:
    void looked();

private:
    bool endOrphans();

    const std::function<Pids()> m_children;
    std::vector<qint64> m_groups;       ///< Process groups whose leader is gone.
    bool m_mayHaveOrphans = false;      ///< A child has ended since the last look for orphans.
    std::map<qint64, qint64> m_foundNs; ///< By PID, when an orphan was first seen.
    qint64 m_graceNs = 1'000'000'000;
    QTimer m_again;
};

} // namespace proclab
