// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QSet>
#include <QString>

namespace proclab::test {

/// The children of this process, zombies among them, from /proc.
[[nodiscard]] QSet<qint64> childPids();
/// What this process holds open: "3 -> /memfd:proclab-pool (deleted)", only what a run may leave
/// behind (memfd, socket, pidfd, eventfd, pipe).
[[nodiscard]] QStringList openDescriptors();

/// Takes note when it is made; later says what is there that was not.
class LeakCheck
{
public:
    LeakCheck() : m_children(childPids()), m_descriptors(openDescriptors()) {}
    /// Empty if every child and descriptor of since is gone.
    [[nodiscard]] QString leftovers() const;

private:
    QSet<qint64> m_children;
    QStringList m_descriptors;
};

} // namespace proclab::test
