// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFile>

#include <unistd.h>

namespace proclab::test {

/// The letter of the state in which the kernel has a thread or process: R, S, D, T, Z; 0: it is
/// gone.
inline char kernelState(pid_t thread)
{
    QFile file(QStringLiteral("/proc/%1/stat").arg(thread));
    if (thread == 0 || !file.open(QIODevice::ReadOnly))
        return 0;
    const QByteArray stat = file.readAll();
    const qsizetype place = stat.lastIndexOf(')') + 2;
    return place < stat.size() ? stat[place] : '\0';
}

/// Whether a thread waits in the kernel. It may wake up for a moment at any time: QTRY_VERIFY(),
/// which asks once more after the first yes, is not for this; QTest::qWaitFor() is.
inline bool isAsleep(pid_t thread)
{
    return kernelState(thread) == 'S';
}

} // namespace proclab::test
