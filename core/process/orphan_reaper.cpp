// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/process/orphan_reaper.h"

#include "core/process/child_calls.h"
#include "core/runtime/clock.h"
#include "core/runtime/memory/object_space.h"
#include "core/runtime/task/worker_process.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

namespace proclab {

namespace {

constexpr int lookAgainMs = 2;

} // namespace

OrphanReaper::OrphanReaper(std::function<Pids()> children) : m_children(std::move(children))
{
    m_again.setInterval(lookAgainMs);
    connect(&m_again, &QTimer::timeout, this, &OrphanReaper::look);
}

void OrphanReaper::endGroupOf(qint64 leader)
{
    if (endGroup(leader))
        return;
    m_groups.push_back(leader);
    if (!m_again.isActive())
        m_again.start();
}

void OrphanReaper::lookForOrphans()
{
    m_mayHaveOrphans = true;
    if (!m_again.isActive())
        m_again.start();
}

void OrphanReaper::look()
{
    std::erase_if(m_groups, endGroup);
    m_mayHaveOrphans = m_mayHaveOrphans && endOrphans();
    if (hasNothingToDo())
        m_again.stop();
    else if (!m_again.isActive())
        m_again.start();
    Q_EMIT looked();
}

bool OrphanReaper::isEndingGroupOf(qint64 leader) const
{
    return std::ranges::find(m_groups, leader) != m_groups.end();
}

/// False if there is none.
bool OrphanReaper::endOrphans()
{
    const Pids known = m_children();
    const QByteArray name(runtime::nestedProcessName(::getpid()).c_str());
    bool hasFound = false;
    for (const pid_t pid : childPids()) {
        if (known.contains(pid) || processName(pid) != name)
            continue;
        hasFound = true;
        const qint64 now = runtime::nowNs();
        if (now - m_foundNs.try_emplace(pid, now).first->second >= m_graceNs)
            ::kill(pid, SIGKILL);
        if (::waitpid(pid, nullptr, WNOHANG) == pid) {
            m_foundNs.erase(pid);
            runtime::ObjectSpace::instance().processEnded(pid);
            endGroupOf(pid); // Those that had no name yet.
        }
    }
    return hasFound;
}

} // namespace proclab
