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
/// zygotes and workers of dead workers, which have become children of this process by that. Those
/// die with their parent, but nobody else reaps them.
///
/// Threads: lives in the engine's thread. Blocking: never.
class OrphanReaper final : public QObject
{
    Q_OBJECT

public:
    using Pids = std::set<qint64>;

    /// @p children tells which children are no orphans.
    explicit OrphanReaper(std::function<Pids()> children);

    /// Ends who is left in a process group whose leader is gone, now or as soon as it can be done.
    void endGroupOf(qint64 leader);
    /// A child has ended: it may have left orphans.
    void lookForOrphans();
    /// Orphans are killed when they are found. Else they have a second: a Process may outlive its
    /// parent by half of it, and then ends by itself.
    void giveNoGrace() { m_graceNs = 0; }
    /// What it does many times a second while there is something to do; looked() follows.
    void look();

    /// Whether somebody may be left in the group of @p leader.
    [[nodiscard]] bool isEndingGroupOf(qint64 leader) const;
    [[nodiscard]] bool hasNothingToDo() const { return m_groups.empty() && !m_mayHaveOrphans; }

Q_SIGNALS:
    void looked();

private:
    bool endOrphans();

    const std::function<Pids()> m_children;
    std::vector<qint64> m_groups;       ///< Whose leader is gone.
    bool m_mayHaveOrphans = false;      ///< A child has ended since the last look for such.
    std::map<qint64, qint64> m_foundNs; ///< When an orphan was seen first, by PID.
    qint64 m_graceNs = 1'000'000'000;
    QTimer m_again;
};

} // namespace proclab
