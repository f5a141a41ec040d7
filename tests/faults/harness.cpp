// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/faults/harness.h"

#include "tests/support/leak_check.h"

#include <QCoreApplication>
#include <QDeadlineTimer>
#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QProcess>
#include <QRandomGenerator>
#include <QThread>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <optional>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace Qt::StringLiterals;

namespace proclab::test {

namespace {

/// Whom a killed program leaves is gone within a second; the rest is for a busy machine.
constexpr qint64 orphanLimitMs = 1'800;
constexpr int longestLifeMs = 600;
constexpr int longestStopMs = 50;

/// Reaps whoever a killed program left to this one until nobody is there; the time that took.
std::optional<qint64> msUntilAllAreGone()
{
    QElapsedTimer timer;
    timer.start();
    while (!childPids().isEmpty()) {
        if (timer.elapsed() > orphanLimitMs)
            return std::nullopt;
        if (::waitpid(-1, nullptr, WNOHANG) <= 0)
            QThread::yieldCurrentThread();
    }
    return timer.elapsed();
}

/// False: it ended by itself.
bool letItWork(QProcess &program, QRandomGenerator &random)
{
    if (program.waitForFinished(random.bounded(1, longestLifeMs)))
        return false;
    const auto pid = static_cast<pid_t>(program.processId());
    const bool isStopped = random.bounded(4) == 0;
    if (isStopped)
        ::kill(pid, SIGSTOP);
    if (isStopped && program.waitForFinished(random.bounded(1, longestStopMs)))
        return false;
    // Some die while they are stopped.
    if (isStopped && random.bounded(2) == 0) {
        ::kill(pid, SIGCONT);
        return !program.waitForFinished(random.bounded(1, longestStopMs));
    }
    return true;
}

} // namespace

qint64 residentKiB()
{
    QFile status(u"/proc/self/status"_s);
    if (!status.open(QIODevice::ReadOnly))
        return 0;
    const QList<QByteArray> lines = status.readAll().split('\n');
    for (const QByteArray &line : lines) {
        if (line.startsWith("VmRSS:"))
            return line.mid(6).trimmed().split(' ').value(0).toLongLong();
    }
    return 0;
}

QStringList sharedMemoryNames()
{
    return QDir(u"/dev/shm"_s).entryList({u"*proclab*"_s}, QDir::Files | QDir::System);
}

QString childStates()
{
    QStringList states;
    for (const qint64 pid : childPids()) {
        QFile stat(u"/proc/%1/stat"_s.arg(pid));
        QFile wait(u"/proc/%1/wchan"_s.arg(pid));
        if (stat.open(QIODevice::ReadOnly) && wait.open(QIODevice::ReadOnly))
            states.append(
                QString::fromLocal8Bit(stat.readAll().left(40) + " in " + wait.readAll()));
    }
    return states.join(u"\n  "_s);
}

int killParents(quint64 count, quint32 seed, std::chrono::seconds limit,
                const std::function<QStringList(quint64)> &arguments)
{
    ::prctl(PR_SET_CHILD_SUBREAPER, 1); // Orphans come here.
    QRandomGenerator random(seed);
    const QStringList names = sharedMemoryNames();
    const QDeadlineTimer deadline(limit);
    qint64 longest = 0;
    quint64 killed = 0;
    for (; killed < count && !deadline.hasExpired(); ++killed) {
        QProcess program;
        program.setProcessChannelMode(QProcess::ForwardedChannels);
        program.setChildProcessModifier([] {
            // As a program whose orphans come to init: the kernel ends those of them that are
            // stopped, which can't follow their parent, because nobody in their session is left.
            ::setsid();
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        });
        program.start(
            QCoreApplication::applicationFilePath(),
            QStringList{u"--as-parent"_s, u"--seed"_s, QString::number(random.generate())} +
                arguments(killed));
        if (!program.waitForStarted() || !letItWork(program, random)) {
            std::printf("FAIL: seed %u: program %llu ended by itself\n", seed, killed);
            return 1;
        }
        program.kill();
        program.waitForFinished(30'000);
        const std::optional<qint64> elapsed = msUntilAllAreGone();
        if (!elapsed || sharedMemoryNames() != names) {
            std::printf("FAIL: seed %u: program %llu left behind:\n  %s\n", seed, killed,
                        qPrintable(childStates()));
            return 1;
        }
        longest = std::max(longest, *elapsed);
    }
    std::printf("seed %u: %llu programs killed, nothing left; the last worker was gone after %lld "
                "ms at most\n",
                seed, killed, longest);
    return killed > 0 ? 0 : 1;
}

} // namespace proclab::test
