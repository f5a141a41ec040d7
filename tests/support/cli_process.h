// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArray>
#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QList>
#include <QString>

#include <algorithm>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace proclab::test {

inline QString cliProgram()
{
    return QCoreApplication::applicationDirPath() + QStringLiteral("/proclab-cli");
}

/// What stands behind the name in /proc/PID/stat: state, parent, group …; empty: it is gone.
inline QList<QByteArray> statFields(qint64 pid)
{
    QFile stat(QStringLiteral("/proc/%1/stat").arg(pid));
    if (!stat.open(QIODevice::ReadOnly))
        return {};
    const QByteArray line = stat.readAll();
    return line.mid(line.lastIndexOf(')') + 2).split(' ');
}

/// The processes that are children of @p parent now, without zombies.
inline QList<pid_t> childrenOf(qint64 parent)
{
    QList<pid_t> children;
    const QStringList entries =
        QDir(QStringLiteral("/proc")).entryList(QDir::Dirs | QDir::NoDotAndDotDot);
    for (const QString &entry : entries) {
        const QList<QByteArray> fields = statFields(entry.toLongLong());
        if (fields.size() > 2 && fields[1].toLongLong() == parent && fields[0] != "Z")
            children.append(entry.toInt());
    }
    return children;
}

/// Gone, or a zombie that only waits to be reaped.
inline bool hasEnded(pid_t pid)
{
    const QList<QByteArray> fields = statFields(pid);
    return fields.isEmpty() || fields[0] == "Z" || fields[0] == "X";
}

/// Takes what a program left behind, which becomes this one's: it is a subreaper. Only while no
/// QProcess runs.
class OrphanCheck
{
public:
    OrphanCheck() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }
    /// True: whoever was left has ended, too.
    [[nodiscard]] bool isNobodyLeft() const
    {
        while (::waitpid(-1, nullptr, WNOHANG) > 0) {
        }
        return childrenOf(::getpid()).isEmpty();
    }
};

inline bool haveEnded(const QList<pid_t> &pids)
{
    return std::all_of(pids.begin(), pids.end(), hasEnded);
}

/// Of the lab's children only a zygote holds a socket.
inline bool isZygote(pid_t pid)
{
    const QDir folder(QStringLiteral("/proc/%1/fd").arg(pid));
    const QStringList names =
        folder.entryList(QDir::AllEntries | QDir::System | QDir::NoDotAndDotDot);
    return std::any_of(names.begin(), names.end(), [&folder](const QString &name) {
        return QFile::symLinkTarget(folder.filePath(name)).contains(QStringLiteral("socket:"));
    });
}

} // namespace proclab::test
