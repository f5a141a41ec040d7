// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/leak_check.h"

#include <QDir>
#include <QFile>

#include <unistd.h>

using namespace Qt::StringLiterals;

namespace proclab::test {

QSet<qint64> childPids()
{
    QSet<qint64> pids;
    const QStringList entries = QDir(u"/proc"_s).entryList(QDir::Dirs);
    for (const QString &entry : entries) {
        bool isPid = false;
        const qint64 pid = entry.toLongLong(&isPid);
        QFile stat(u"/proc/%1/stat"_s.arg(pid));
        if (!isPid || !stat.open(QIODevice::ReadOnly))
            continue;
        const QByteArray line = stat.readAll();
        // The name may itself contain ") ", so the fields begin after the last one.
        const QList<QByteArray> fields = line.mid(line.lastIndexOf(')') + 2).split(' ');
        if (fields.size() > 1 && fields[1].toLongLong() == ::getpid())
            pids.insert(pid);
    }
    return pids;
}

QStringList openDescriptors()
{
    QStringList open;
    const QDir folder(u"/proc/self/fd"_s);
    for (const QString &name :
         folder.entryList(QDir::AllEntries | QDir::System | QDir::NoDotAndDotDot)) {
        char target[256] = {};
        if (::readlink(QFile::encodeName(folder.filePath(name)).constData(), target,
                       sizeof target - 1) < 0)
            continue;
        const QString what = QString::fromLocal8Bit(target);
        if (what.contains(u"memfd:proclab-objects"_s))
            continue; // Of the program, for as long as it lives.
        for (const auto &kind : {u"memfd:"_s, u"socket:"_s, u"pidfd"_s, u"eventfd"_s, u"pipe:"_s}) {
            if (what.contains(kind))
                open.append(name % u" -> "_s % what);
        }
    }
    open.sort();
    return open;
}

QString LeakCheck::leftovers() const
{
    QStringList left;
    for (const qint64 pid : childPids() - m_children) {
        QFile stat(u"/proc/%1/stat"_s.arg(pid)); // Number, name, state, parent, group …
        if (!stat.open(QIODevice::ReadOnly))
            continue; // Gone meanwhile.
        left.append(u"child "_s % QString::fromLocal8Bit(stat.readAll().left(60)));
    }
    for (const QString &descriptor : openDescriptors()) {
        if (!m_descriptors.contains(descriptor))
            left.append(descriptor);
    }
    return left.join(u", "_s);
}

} // namespace proclab::test
