// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/process/child_calls.h"

#include <QDir>
#include <QFile>

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int descriptorsOfAStart = 10; ///< What QProcess opens for a moment, and a little more.

} // namespace

int openPidFd(qint64 pid)
{
    return static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0));
}

bool waitPidFd(int pidFd, int options, siginfo_t &info, rusage &usage)
{
    info = {};
    constexpr int pidFdType = 3; // P_PIDFD
    while (::syscall(SYS_waitid, pidFdType, pidFd, &info, options, &usage) != 0) {
        if (errno != EINTR)
            return false;
    }
    return info.si_pid != 0;
}

ChildExit exitOf(const siginfo_t &info, const rusage &usage)
{
    ChildExit exit;
    exit.pid = info.si_pid;
    if (info.si_code == CLD_EXITED)
        exit.exitCode = info.si_status;
    else
        exit.signal = info.si_status;
    const auto nanoseconds = [](const timeval &time) {
        return qint64{time.tv_sec} * 1'000'000'000 + qint64{time.tv_usec} * 1'000;
    };
    exit.cpuNs = nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime);
    exit.peakResidentBytes = static_cast<quint64>(usage.ru_maxrss) * 1024;
    return exit;
}

int whyNoDescriptors()
{
    int open[descriptorsOfAStart];
    int count = 0;
    int code = 0;
    while (count < descriptorsOfAStart && code == 0) {
        open[count] = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
        code = open[count] < 0 ? errno : 0;
        count += code == 0 ? 1 : 0;
    }
    while (count > 0)
        ::close(open[--count]);
    return code == EMFILE || code == ENFILE ? code : 0;
}

bool isChild(qint64 pid)
{
    siginfo_t info = {};
    return pid > 0 &&
           ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

bool endGroup(qint64 group)
{
    const auto number = static_cast<pid_t>(group);
    // A group without a child of ours is not ours: its number may have been given again.
    const auto isEmpty = [number] {
        siginfo_t info = {};
        return number <= 0 ||
               ::waitid(P_PGID, static_cast<id_t>(number), &info, WEXITED | WNOHANG | WNOWAIT) != 0;
    };
    if (isEmpty())
        return true;
    ::kill(-number, SIGKILL);
    while (::waitpid(-number, nullptr, WNOHANG) > 0) {
    }
    return isEmpty();
}

std::vector<pid_t> childPids(pid_t parent)
{
    std::vector<pid_t> pids;
    const QString process = parent == 0 ? u"self"_s : QString::number(parent);
    const QDir threads(u"/proc/%1/task"_s.arg(process));
    for (const QString &thread : threads.entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
        QFile list(threads.filePath(thread) % u"/children"_s);
        if (!list.open(QIODevice::ReadOnly))
            continue;
        for (const QByteArray &pid : list.readAll().split(' ')) {
            if (!pid.trimmed().isEmpty())
                pids.push_back(pid.toInt());
        }
    }
    return pids;
}

QByteArray processName(pid_t pid)
{
    QFile file(u"/proc/%1/comm"_s.arg(pid));
    return file.open(QIODevice::ReadOnly) ? file.readAll().trimmed() : QByteArray();
}

} // namespace proclab
