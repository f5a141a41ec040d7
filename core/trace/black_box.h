// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/trace/wait.h"

#include <QByteArray>
#include <QList>
#include <QString>

#include <optional>

namespace proclab {

/// Something that a process did, as it noted it itself.
struct TraceEntry
{
    enum class Event { TaskBegan, TaskEnded, WaitBegan, WaitEnded, ProcessStarted, ProcessEnded };

    qint64 timeNs = 0; ///< Monotonic clock.
    Event event = Event::TaskBegan;
    QString task;     ///< Of a task: its name.
    quint64 call = 0; ///< Of a task: the number of the call in its pool, from 0.
    Wait wait;        ///< Of a wait: for what; without thread and owner.
    qint64 pid = 0;   ///< Of a process.
    int status = 0;   ///< Of a process that ended: its exit code, or below 0 the signal.
};

/// What a process left: the last things that it did, and in which waits it was when it ended.
///
/// Every process that uses the library's shared objects, or runs tasks of its own program, notes
/// this all the time in the memory of its tree, so a SIGKILL loses nothing.
struct BlackBox
{
    static constexpr int maxEntries = 64;

    qint64 pid = 0;
    QString process;   ///< Its name.
    qint64 readNs = 0; ///< When this was read, on the monotonic clock; soon after its end.
    QList<Wait> waits;
    QList<TraceEntry> entries; ///< Oldest first; the last maxEntries.

    /// Of the process that has, or last had, @p pid, dead or alive; nothing: it noted none, or more
    /// than a thousand processes have come since. Any thread, of any process of the tree.
    [[nodiscard]] static std::optional<BlackBox> of(qint64 pid);
};

/// In one line: "12 ms before: took task square; 10 ms before: waited for lock 3, held by PID 9".
/// Empty: it noted nothing of the kind.
[[nodiscard]] QString lastWords(const BlackBox &box);
/// One entry in one line.
[[nodiscard]] QString entryText(const TraceEntry &entry);

} // namespace proclab

Q_DECLARE_METATYPE(proclab::BlackBox)
