// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/program/program_tree.h"

#include "core/process/child_calls.h"

#include <QDeadlineTimer>
#include <QFile>
#include <QThread>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace proclab {

namespace {

constexpr auto treeEndLimit = 500ms;
constexpr int deepest = 64; ///< Of a tree that is followed.

/// The value of the mark in the environment of process @p pid; empty: it has none.
QByteArray markIn(pid_t pid)
{
    QFile file(u"/proc/%1/environ"_s.arg(pid));
    if (!file.open(QIODevice::ReadOnly))
        return {};
    const QByteArray begin = ProgramTree::markName() + '=';
    for (const QByteArray &variable : file.readAll().split('\0')) {
        if (variable.startsWith(begin))
            return variable.sliced(begin.size());
    }
    return {};
}

void addBelow(pid_t parent, std::size_t instance, int depth,
              std::vector<ProgramState::Descendant> &found)
{
    if (depth > deepest)
        return;
    for (const pid_t pid : childPids(parent)) {
        found.push_back({pid, parent, static_cast<qint64>(instance), processName(pid)});
        addBelow(pid, instance, depth + 1, found);
    }
}

QByteArray newMark()
{
    static std::atomic<int> runs{0};
    return QByteArray::number(::getpid()) + '-' + QByteArray::number(++runs) + '-';
}

} // namespace

ProgramTree::ProgramTree() : m_mark(newMark()) {}

QByteArray ProgramTree::markName()
{
    return "PROCLAB_PROGRAM";
}

QByteArray ProgramTree::markOf(std::size_t instance) const
{
    return m_mark + QByteArray::number(static_cast<qint64>(instance));
}

std::vector<ProgramState::Descendant>
ProgramTree::descendants(const std::vector<pid_t> &programs) const
{
    std::vector<ProgramState::Descendant> found;
    for (std::size_t i = 0; i < programs.size(); ++i) {
        if (programs[i] != 0)
            addBelow(programs[i], i, 0, found);
    }
    // Those that have lost their parent are children of this process.
    for (const pid_t pid : childPids()) {
        if (std::ranges::find(programs, pid) != programs.end())
            continue;
        const QByteArray mark = markIn(pid);
        if (!mark.startsWith(m_mark))
            continue;
        const auto instance = mark.sliced(m_mark.size()).toULongLong();
        found.push_back({pid, ::getpid(), static_cast<qint64>(instance), processName(pid)});
        addBelow(pid, instance, 0, found);
    }
    return found;
}

std::vector<pid_t> ProgramTree::leftBy(std::size_t instance, pid_t program) const
{
    const QByteArray mark = markOf(instance);
    std::vector<pid_t> left;
    for (const pid_t pid : childPids()) {
        if (pid != program && (::getpgid(pid) == program || markIn(pid) == mark))
            left.push_back(pid);
    }
    return left;
}

int ProgramTree::endLeftovers(std::size_t instance, pid_t program) const
{
    std::set<pid_t> killed;
    std::set<pid_t> unreaped; // A zombie has no environment any more by which it is found.
    const QDeadlineTimer limit(treeEndLimit);
    do {
        // Also the children of those that are gone, which have become children of this process.
        for (const pid_t pid : leftBy(instance, program)) {
            unreaped.insert(pid);
            if (::kill(pid, SIGKILL) == 0)
                killed.insert(pid);
        }
        // What somebody else has reaped is no child of this process any more.
        std::erase_if(unreaped, [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; });
        if (!unreaped.empty())
            QThread::usleep(500);
    } while ((!unreaped.empty() || !leftBy(instance, program).empty()) && !limit.hasExpired());
    return static_cast<int>(killed.size());
}

} // namespace proclab
