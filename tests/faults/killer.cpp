// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/faults/killer.h"

#include "core/runtime/clock.h"
#include "tests/support/leak_check.h"

#include <QFile>

#include <algorithm>
#include <csignal>
#include <utility>

#include <sys/syscall.h>
#include <unistd.h>

using namespace Qt::StringLiterals;

namespace proclab::test {

namespace {

/// Of 1,000 strikes.
constexpr quint32 zygoteShare = 8;
constexpr quint32 allWorkersShare = 10;
constexpr quint32 pauseShare = 60;
constexpr quint32 leaveStoppedShare = 4;
constexpr int maxYoungInARow = 3;
constexpr qint64 longestPauseNs = 20'000'000;
/// Longer than any task may take, so that a task in such a worker overruns.
constexpr qint64 leftStoppedNs = 1'300'000'000;

bool isChild(qint64 pid)
{
    QFile stat(u"/proc/%1/stat"_s.arg(pid)); // Number, (name), state, parent …
    if (!stat.open(QIODevice::ReadOnly))
        return false;
    const QByteArray line = stat.readAll();
    const QList<QByteArray> fields = line.mid(line.lastIndexOf(')') + 2).split(' ');
    return fields.size() > 1 && fields[1].toLongLong() == ::getpid();
}

} // namespace

bool hasZygotesCommandLine(qint64 pid)
{
    QFile commandLine(u"/proc/%1/cmdline"_s.arg(pid));
    return commandLine.open(QIODevice::ReadOnly) &&
           commandLine.readAll().split('\0').value(1) == "zygote";
}

Victim::Victim(qint64 pid)
    : m_pid(pid)
    , m_fd(static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0)))
{
    if (m_fd >= 0 && !isChild(pid)) {
        ::close(m_fd);
        m_fd = -1;
    }
}

Victim::Victim(Victim &&other) noexcept : m_pid(other.m_pid), m_fd(std::exchange(other.m_fd, -1)) {}

Victim &Victim::operator=(Victim &&other) noexcept
{
    std::swap(m_pid, other.m_pid);
    std::swap(m_fd, other.m_fd);
    return *this;
}

Victim::~Victim()
{
    if (m_fd >= 0)
        ::close(m_fd);
}

bool Victim::send(int signal) const
{
    return m_fd >= 0 && ::syscall(SYS_pidfd_send_signal, m_fd, signal, nullptr, 0) == 0;
}

Killer::Killer(quint32 seed, std::chrono::microseconds meanPause)
    : m_meanPause(meanPause)
    , m_random(seed)
    , m_thread([this] { run(); })
{}

Killer::~Killer()
{
    {
        const std::lock_guard lock(m_mutex);
        m_isToEnd = true;
    }
    m_changed.notify_all();
    m_thread.join();
}

void Killer::aimAt(Targets targets, bool mayLeaveStopped)
{
    const std::lock_guard lock(m_mutex);
    m_targets = std::move(targets);
    m_mayLeaveStopped = mayLeaveStopped;
    m_killsOf.clear();
    m_stopsOf.clear();
    m_seenSince.clear();
    m_youngInARow = 0;
    m_changed.notify_all();
}

void Killer::release()
{
    const std::lock_guard lock(m_mutex);
    m_targets = nullptr;
    for (const Stopped &one : m_stopped)
        one.victim.send(SIGCONT);
    m_stopped.clear();
}

Killer::Counts Killer::counts() const
{
    const std::lock_guard lock(m_mutex);
    return m_counts;
}

int Killer::killsOf(qint64 pid) const
{
    const std::lock_guard lock(m_mutex);
    const auto found = m_killsOf.find(pid);
    return found == m_killsOf.end() ? 0 : found->second;
}

int Killer::stopsOf(qint64 pid) const
{
    const std::lock_guard lock(m_mutex);
    const auto found = m_stopsOf.find(pid);
    return found == m_stopsOf.end() ? 0 : found->second;
}

void Killer::run()
{
    std::unique_lock lock(m_mutex);
    while (!m_isToEnd) {
        if (!m_targets) {
            m_changed.wait(lock, [this] { return m_targets || m_isToEnd; });
            continue;
        }
        const auto pause = std::chrono::microseconds(
            m_random.bounded(static_cast<quint32>(2 * m_meanPause.count()) + 1));
        m_changed.wait_for(lock, pause, [this] { return m_isToEnd; });
        if (m_targets && !m_isToEnd)
            strike();
    }
}

void Killer::strike()
{
    const qint64 now = runtime::nowNs();
    sendOn(now);
    const std::vector<qint64> pids = m_targets();
    for (const qint64 pid : pids)
        m_seenSince.try_emplace(pid, now);
    std::erase_if(m_seenSince, [this, &pids](const auto &seen) {
        const bool isGone = std::ranges::find(pids, seen.first) == pids.end();
        if (isGone && !m_killsOf.contains(seen.first))
            m_youngInARow = 0; // It ended by itself, so it was ready.
        return isGone;
    });
    const quint32 kind = m_random.bounded(1'000U);
    const quint32 which = m_random.generate();
    const qint64 pauseNs = m_random.bounded(1, static_cast<int>(longestPauseNs));
    if (pids.empty())
        return;
    const qint64 pid = pids[which % pids.size()];
    if (isLeftStopped(pid))
        return; // Its end is left to the pool.
    if (m_youngInARow == maxYoungInARow) {
        // Nothing else, which would keep it young.
        m_counts.workers += killWorker(pid, now) ? 1 : 0;
    } else if (kind < zygoteShare) {
        killZygote(now);
    } else if (kind < zygoteShare + allWorkersShare) {
        for (const qint64 each : pids)
            m_counts.workers += killWorker(each, now) ? 1 : 0;
    } else if (kind < zygoteShare + allWorkersShare + pauseShare) {
        m_counts.paused += stop(pid, now + pauseNs, StopKind::Pause) ? 1 : 0;
    } else if (kind < zygoteShare + allWorkersShare + pauseShare + leaveStoppedShare) {
        if (m_mayLeaveStopped)
            m_counts.leftStopped += stop(pid, now + leftStoppedNs, StopKind::LeaveToPool) ? 1 : 0;
    } else {
        m_counts.workers += killWorker(pid, now) ? 1 : 0;
    }
}

bool Killer::kill(qint64 pid)
{
    ++m_kills; // First: who learns of the death may ask at once.
    if (!Victim(pid).send(SIGKILL)) {
        --m_kills;
        return false;
    }
    ++m_killsOf[pid];
    return true;
}

/// Workers are given the time to get ready again and again, so that some work is done.
bool Killer::killWorker(qint64 pid, qint64 now)
{
    const bool isYoung = now - m_seenSince[pid] < youngNs();
    if (isYoung && m_youngInARow == maxYoungInARow)
        return false;
    if (!kill(pid))
        return false;
    m_youngInARow = isYoung ? m_youngInARow + 1 : 0;
    return true;
}

void Killer::killZygote(qint64 now)
{
    // As with workers: a zygote is given the time to make one.
    if (m_youngInARow == maxYoungInARow || now - m_zygoteStruckNs < youngNs())
        return;
    const std::vector<qint64> workers = m_targets();
    for (const qint64 pid : childPids()) {
        if (std::ranges::find(workers, pid) != workers.end() || !hasZygotesCommandLine(pid))
            continue;
        // It may also be a worker that the pool has not told of.
        ++m_youngInARow;
        m_zygoteStruckNs = now;
        m_counts.zygotes += kill(pid) ? 1 : 0;
        return;
    }
}

bool Killer::isLeftStopped(qint64 pid) const
{
    return std::ranges::any_of(m_stopped, [pid](const Stopped &one) {
        return one.victim.pid() == pid && one.kind == StopKind::LeaveToPool;
    });
}

bool Killer::stop(qint64 pid, qint64 untilNs, StopKind kind)
{
    Victim victim(pid);
    if (!victim.send(SIGSTOP))
        return false;
    ++m_stopsOf[pid];
    m_seenSince[pid] = untilNs; // It grows no older meanwhile.
    m_stopped.push_back({std::move(victim), untilNs, kind});
    return true;
}

void Killer::sendOn(qint64 now)
{
    std::erase_if(m_stopped, [now](const Stopped &one) {
        if (one.untilNs > now)
            return false;
        one.victim.send(SIGCONT);
        return true;
    });
}

} // namespace proclab::test
