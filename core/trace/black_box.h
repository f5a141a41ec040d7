// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/trace/wait.h"

#include <QByteArray>
#include <QList>
#include <QString>

#include <optional>

namespace proclab {

/// Something that a process did, from its own notes.
struct TraceEntry
{
    enum class Event { TaskBegan, TaskEnded, WaitBegan, WaitEnded, ProcessStarted, ProcessEnded };

    qint64 timeNs = 0; ///< Monotonic clock.
    Event event = Event::TaskBegan;
    QString task;     ///< A task's name.
    quint64 call = 0; ///< A task's number among the calls of its pool, from 0.
    Wait wait;        ///< What a wait was for, without thread and owner.
    qint64 pid = 0;   ///< The process that started or ended.
    int status = 0;   ///< How it ended: its exit code, or below 0 the signal.
};

/// What a process has left: the last things that it did, and its waits when it ended.
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

    /// The notes of the process that has, or last had, @p pid, dead or alive. No value if it noted
    /// nothing, or more than a thousand processes have come since. Any thread of any process of the
    /// tree.
    [[nodiscard]] static std::optional<BlackBox> of(qint64 pid);
};

/// In one line: "12 ms before: took task square; 10 ms before: waited for lock 3, held by PID 9".
/// Empty if it noted neither task nor wait.
[[nodiscard]] QString lastWords(const BlackBox &box);
/// One entry in one line.
[[nodiscard]] QString entryText(const TraceEntry &entry);

} // namespace proclab

Q_DECLARE_METATYPE(proclab::BlackBox)
