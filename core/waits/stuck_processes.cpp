// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/waits/stuck_processes.h"

#include "core/process/child_calls.h"

#include <QDir>
#include <QFile>

#include <algorithm>
#include <set>

#include <unistd.h>

using namespace Qt::StringLiterals;

namespace proclab {

using Reason = Wait::Reason;
using runtime::WaitSubject;

namespace {

/// 'S' if the thread sleeps, 'R' if it runs or could run; 0 if there is no such thread.
char stateOf(qint64 pid, const QString &thread)
{
    QFile file(u"/proc/%1/task/%2/stat"_s.arg(pid).arg(thread));
    if (!file.open(QIODevice::ReadOnly))
        return 0;
    const QByteArray line = file.readAll();
    const qsizetype name = line.lastIndexOf(')'); // A name may itself contain one.
    return name >= 0 && name + 2 < line.size() ? line.at(name + 2) : '\0';
}

bool isGone(char state)
{
    return state == 0 || state == 'Z' || state == 'X';
}

qint64 parentOf(qint64 pid)
{
    QFile file(u"/proc/%1/stat"_s.arg(pid));
    if (!file.open(QIODevice::ReadOnly))
        return 0;
    const QByteArray line = file.readAll();
    return line.mid(line.lastIndexOf(')') + 4).split(' ').value(0).toLongLong();
}

/// A zygote acts only when its parent asks it to.
bool isZygote(qint64 pid)
{
    QFile file(u"/proc/%1/cmdline"_s.arg(pid));
    return file.open(QIODevice::ReadOnly) && file.readAll().split('\0').value(1) == "zygote";
}

bool isOfPeople(Reason reason)
{
    return reason != Reason::Calls && reason != Reason::Task;
}

} // namespace

StuckProcesses::StuckProcesses(const WaitGraph &graph) : m_graph(graph)
{
    for (const auto &seen : graph.m_processes) {
        m_byPid[seen.sharer.pid] = m_processes.size();
        m_processes.push_back({&seen, seen.mayBeStuck, false, false, {}, std::nullopt});
    }
    // The notes come first, which cost little and mostly leave no process. Children and parents are
    // not known yet, and so do not count as able to act.
    takeOut();
    if (!hasStuckUsers())
        return;
    for (Process &process : m_processes) {
        if (process.isStuck)
            askSystem(process);
    }
    for (std::size_t i = 0; i < m_processes.size(); ++i) {
        for (const std::size_t child : m_processes[i].children)
            m_processes[child].parent = i;
    }
    takeOut();
    for (Process &process : m_processes)
        process.isStuck = process.isStuck && areSleepingOn(process);
    takeOut();
}

/// A process that can be woken by one that is not stuck is not stuck either.
void StuckProcesses::takeOut()
{
    for (bool isChanged = true; isChanged;) {
        isChanged = false;
        for (Process &process : m_processes) {
            if (process.isStuck && canBeWoken(process)) {
                process.isStuck = false;
                isChanged = true;
            }
        }
    }
}

bool StuckProcesses::canBeWoken(const Process &process) const
{
    const auto isFree = [this](std::size_t other) { return !m_processes[other].isStuck; };
    if (process.hasIdleEngine &&
        (process.hasUnknownChild || std::ranges::any_of(process.children, isFree)))
        return true;
    return std::ranges::any_of(
        process.seen->waits, [&](int wait) { return canBeEnded(process, m_graph.m_waits[wait]); });
}

bool StuckProcesses::canBeEnded(const Process &process, const Wait &wait) const
{
    switch (wait.reason) {
    case Reason::Calls: // By another thread of the process, or by its engine: see canBeWoken().
        return false;
    case Reason::Task:
        return process.parent && !m_processes[*process.parent].isStuck;
    default:
        return wait.hasUnknownWaker ||
               std::ranges::any_of(wait.wakers, [this](qint64 pid) { return !isStuck(pid); });
    }
}

bool StuckProcesses::isStuck(qint64 pid) const
{
    const auto found = m_byPid.find(pid);
    return found != m_byPid.end() && m_processes[found->second].isStuck;
}

bool StuckProcesses::hasStuckUsers() const
{
    return std::ranges::any_of(m_processes, [this](const Process &process) {
        return process.isStuck && std::ranges::any_of(process.seen->waits, [this](int wait) {
                   return isOfPeople(m_graph.m_waits[wait].reason);
               });
    });
}

void StuckProcesses::askSystem(Process &process)
{
    askForThreads(process);
    const qint64 pid = process.seen->sharer.pid;
    for (const qint64 child : childPids(static_cast<pid_t>(pid))) {
        if (const auto known = m_byPid.find(child); known != m_byPid.end())
            process.children.push_back(known->second);
        else if (!isZygote(child))
            process.hasUnknownChild = true;
    }
    // A worker that waits for a task waits for its parent.
    const auto parent = m_byPid.find(parentOf(pid));
    if (parent == m_byPid.end() || !m_processes[parent->second].isStuck) {
        for (const int wait : process.seen->waits) {
            if (m_graph.m_waits[wait].reason == Reason::Task)
                process.isStuck = false;
        }
    }
}

/// Every thread must sleep in a noted wait, except the engine's, which sleeps until others give it
/// work, and may be the one that looks.
void StuckProcesses::askForThreads(Process &process) const
{
    const auto &sharer = process.seen->sharer;
    std::set<qint64> waiting;
    for (const int wait : process.seen->waits)
        waiting.insert(m_graph.m_waits[wait].thread);
    const QDir threads(u"/proc/%1/task"_s.arg(sharer.pid));
    const QStringList names = threads.entryList(QDir::Dirs | QDir::NoDotAndDotDot);
    process.isStuck = process.isStuck && !names.isEmpty() && !sharer.notes->isInCallback();
    for (const QString &name : names) {
        const qint64 thread = name.toLongLong();
        const char state = stateOf(sharer.pid, name);
        if (isGone(state) || !process.isStuck)
            continue;
        const bool isEngine = thread == sharer.notes->engineThread();
        process.hasIdleEngine = process.hasIdleEngine || isEngine;
        const bool looks = sharer.pid == ::getpid() && thread == ::gettid();
        process.isStuck =
            (state == 'S' && waiting.contains(thread)) || (isEngine && (state == 'S' || looks));
    }
}

/// Whether all waits are still the same, and the threads have not been woken.
bool StuckProcesses::areSleepingOn(const Process &process) const
{
    const auto &sharer = process.seen->sharer;
    const runtime::TreeReader reader;
    std::vector<runtime::NotedWait> now;
    for (std::uint32_t place = 0; place < runtime::ProcessNotes::maxWaits; ++place) {
        if (const auto noted = sharer.notes->wait(place))
            now.push_back(*noted);
    }
    return sharer.notes->pid() == sharer.pid &&
           std::ranges::all_of(process.seen->waits, [&](int wait) {
               const runtime::NotedWait &then = m_graph.m_noted[wait];
               const bool isWord = then.subject.type == WaitSubject::Type::Word;
               return std::ranges::any_of(now,
                                          [&then](const auto &one) {
                                              return one.sequence == then.sequence &&
                                                     one.thread == then.thread &&
                                                     one.seen == then.seen;
                                          }) &&
                      (!isWord || reader.word(then.subject.number).load() == then.seen);
           });
}

/// The stuck processes that could wake @p process. Leaves out the parent of an idle worker, which
/// does not wait for anything of its user's.
std::vector<std::size_t> StuckProcesses::wakersOf(const Process &process) const
{
    std::vector<std::size_t> wakers;
    for (const int wait : process.seen->waits) {
        if (m_graph.m_waits[wait].reason == Reason::Calls)
            wakers.insert(wakers.end(), process.children.begin(), process.children.end());
        for (const qint64 pid : m_graph.m_waits[wait].wakers)
            wakers.push_back(m_byPid.at(pid)); // Known, for otherwise the wait could end.
    }
    std::erase_if(wakers, [this](std::size_t one) { return !m_processes[one].isStuck; });
    return wakers;
}

QList<Deadlock> StuckProcesses::deadlocks() const
{
    QList<Deadlock> deadlocks;
    std::vector<std::size_t> stuck;
    for (std::size_t i = 0; i < m_processes.size(); ++i) {
        if (m_processes[i].isStuck)
            stuck.push_back(i);
    }
    if (stuck.empty() || !hasStuckUsers())
        return deadlocks;
    // reaches[a][b]: a depends on b, in one step or more.
    std::vector<std::vector<bool>> reaches(m_processes.size(),
                                           std::vector<bool>(m_processes.size()));
    for (const std::size_t from : stuck) {
        std::vector<std::size_t> next = wakersOf(m_processes[from]);
        while (!next.empty()) {
            const std::size_t to = next.back();
            next.pop_back();
            if (reaches[from][to])
                continue;
            reaches[from][to] = true;
            const auto further = wakersOf(m_processes[to]);
            next.insert(next.end(), further.begin(), further.end());
        }
    }
    std::set<std::size_t> left(stuck.begin(), stuck.end());
    while (!left.empty()) {
        // A group is all that is connected with one process, in either direction.
        std::vector<std::size_t> group = {*left.begin()};
        left.erase(left.begin());
        for (std::size_t i = 0; i < group.size(); ++i) {
            std::erase_if(left, [&](std::size_t other) {
                const bool isConnected = reaches[group[i]][other] || reaches[other][group[i]];
                if (isConnected)
                    group.push_back(other);
                return isConnected;
            });
        }
        const Deadlock deadlock = deadlockOf(group, reaches);
        if (!deadlock.members.isEmpty())
            deadlocks.append(deadlock);
    }
    return deadlocks;
}

Deadlock StuckProcesses::deadlockOf(const std::vector<std::size_t> &group,
                                    const std::vector<std::vector<bool>> &reaches) const
{
    Deadlock deadlock;
    for (const std::size_t one : group) {
        for (const int position : m_processes[one].seen->waits) {
            const Wait &wait = m_graph.m_waits[position];
            if (wait.reason == Reason::Task)
                continue;
            // A wait is a member if it depends on its own process in the end.
            const bool isMember =
                wait.reason == Reason::Calls
                    ? reaches[one][one]
                    : std::ranges::any_of(wait.wakers, [&](qint64 pid) {
                          return m_byPid.at(pid) == one || reaches[m_byPid.at(pid)][one];
                      });
            (isMember ? deadlock.members : deadlock.behind).append(wait);
        }
    }
    const auto isUsers = [](const Wait &wait) { return isOfPeople(wait.reason); };
    if (std::ranges::none_of(deadlock.members, isUsers))
        return {};
    for (int i = 0; i < deadlock.members.size(); ++i) {
        const Wait &wait = deadlock.members.at(i);
        deadlock.sinceNs = std::max(deadlock.sinceNs, wait.sinceNs);
        const Wait &victim = deadlock.members.at(deadlock.victim);
        if (isUsers(wait) && (!isUsers(victim) || wait.sinceNs > victim.sinceNs))
            deadlock.victim = i;
    }
    return deadlock;
}

} // namespace proclab
