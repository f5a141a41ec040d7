// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/objects/tree_reader.h"

#include <QList>
#include <QMetaType>
#include <QString>

#include <optional>

namespace proclab {

/// One thread of the program or of a process below it that waits: where, since when, and for whom.
/// A value.
struct Wait
{
    /// What it waits for.
    enum class Reason {
        Lock, ///< A Lock, an RLock, or that of a Value, an Array or a Condition.
        Semaphore,
        Event,
        Condition,
        Barrier,
        QueueEmpty, ///< An item of a queue.
        QueueFull,  ///< Room in a queue.
        QueueDone,  ///< Queue::join().
        PipeEmpty,  ///< A message.
        PipeFull,   ///< Room in a pipe.
        Internal,   ///< A lock that guards an object for some microseconds.
        ProcessEnd, ///< Process::join().
        Calls,      ///< A future, or the end of a pool or an executor.
        Task,       ///< A pool's worker that has nothing to do.
        Several,    ///< Connection::wait(): any of several.
        Gone,       ///< An object that is not there any more.
    };

    qint64 pid = 0;
    qint64 thread = 0;
    QString process; ///< Its name.
    Reason reason = Reason::Gone;
    std::optional<quint32> object;    ///< The number of the lock, queue, …
    qint64 sinceNs = 0;               ///< Monotonic clock.
    std::optional<qint64> deadlineNs; ///< None: it waits without limit.
    /// The processes that could end the wait: a lock's owner, a process that is joined, or all that
    /// have the object.
    QList<qint64> wakers;
    /// Somebody who is no known process may end it too.
    bool hasUnknownWaker = false;
    quint64 sequence = 0; ///< Tells it from the thread's other waits.

    [[nodiscard]] bool isSameAs(const Wait &other) const
    {
        return pid == other.pid && thread == other.thread && sequence == other.sequence;
    }
};

/// "lock 3, held by PID 7".
[[nodiscard]] QString subjectText(const Wait &wait);
/// "Process-1 (PID 7, thread 7) has waited for lock 3, held by PID 9, for 60 ms".
[[nodiscard]] QString waitText(const Wait &wait, qint64 nowNs);
/// "PID 7" by the name that its notes have: "Process-1"; empty: it has none.
[[nodiscard]] QString notedName(qint64 pid);

namespace waits_detail {

/// What @p noted is about: reason, object and wakers. @p reader: of a tree that can be read.
[[nodiscard]] Wait waitOf(const runtime::TreeReader &reader, const runtime::NotedWait &noted);

} // namespace waits_detail

} // namespace proclab

Q_DECLARE_METATYPE(proclab::Wait)
