// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/kinds/program/program_state.h"

#include <QByteArray>

#include <set>
#include <vector>

#include <sys/types.h>

namespace proclab {

/// Finds the processes that a run's programs have started, also those that have left their parents
/// and process groups: each carries a mark in its environment, which is inherited. (A process that
/// clears its environment and leaves its group and its parents is not found.)
///
/// Threads: each function from one thread at a time.
class ProgramTree
{
public:
    ProgramTree();

    /// The variable that marks program @p instance.
    [[nodiscard]] static QByteArray markName();
    [[nodiscard]] QByteArray markOf(std::size_t instance) const;

    /// The processes below the programs with the PIDs @p programs; 0: none there.
    [[nodiscard]] std::vector<ProgramState::Descendant>
    descendants(const std::vector<pid_t> &programs) const;
    /// Kills what program @p instance, which has ended and had the PID @p program, has left behind,
    /// and waits for its end, for half a second at most. Returns how many there were.
    int endLeftovers(std::size_t instance, pid_t program) const;

private:
    [[nodiscard]] std::vector<pid_t> leftBy(std::size_t instance, pid_t program) const;

    const QByteArray m_mark;
};

} // namespace proclab
