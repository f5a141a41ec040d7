// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/process/process_group.h"

#include <csignal>

namespace proclab {

/// Says when a program's processes cannot be started: several in a row end of their own doing
/// before they are ready. One that was killed says nothing about the program, so that somebody who
/// kills each as soon as it is seen breaks nothing; after 10 s of only such deaths there is no use
/// in going on either.
///
/// Threads: one.
class StartDeaths
{
public:
    /// Notes the end of one of @p processes at @p nowNs; true: further starts are of no use.
    [[nodiscard]] bool noteEnd(const ChildExit &exit, bool wasReady, int processes, qint64 nowNs)
    {
        if (wasReady) {
            *this = {};
            return false;
        }
        m_firstNs = m_all++ == 0 ? nowNs : m_firstNs;
        m_ownDoing += exit.signal == SIGKILL || exit.signal == SIGTERM ? 0 : 1;
        const int most = mostInARow + processes;
        return m_ownDoing > most || (m_all > most && nowNs - m_firstNs > patienceNs);
    }

private:
    /// Beside one for each process.
    static constexpr int mostInARow = 3;
    static constexpr qint64 patienceNs = 10'000'000'000;

    int m_all = 0;
    int m_ownDoing = 0;
    qint64 m_firstNs = 0;
};

} // namespace proclab
