// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/objects/tree_reader.h"

#include <QList>
#include <QMetaType>
#include <QString>

#include <optional>

namespace proclab {

/// A thread that waits, in the program or in a process below it: for what, since when, and for
/// which processes. A value.
struct Wait
{
    /// What it waits for.
    enum class Reason {
        Lock, ///< A Lock, an RLock, or the lock of a Value, an Array or a Condition.
        Semaphore,
        Event,
        Condition,
        Barrier,
        QueueEmpty, ///< For an item of a queue.
        QueueFull,  ///< For room in a queue.
        QueueDone,  ///< In Queue::join().
        PipeEmpty,  ///< For a message.
        PipeFull,   ///< For room in a pipe.
        Internal,   ///< For a lock that guards an object for some microseconds.
        ProcessEnd, ///< In Process::join().
        Calls,      ///< For a future, or the end of a pool or an executor.
        Task,       ///< A pool's worker that has nothing to do.
        Several,    ///< In Connection::wait(), for any of several.
        Gone,       ///< For an object that does not exist any more.
    };

    qint64 pid = 0;
    qint64 thread = 0;
    QString process; ///< The name of the process.
    Reason reason = Reason::Gone;
    std::optional<quint32> object;    ///< The number of the lock, queue, …
    qint64 sinceNs = 0;               ///< Monotonic clock.
    std::optional<qint64> deadlineNs; ///< No value: it waits without limit.
    /// The processes that could end the wait: a lock's owner, a process that is joined, or all that
    /// have the object.
    QList<qint64> wakers;
    /// Whether something other than a known process may end the wait too.
    bool hasUnknownWaker = false;
    quint64 sequence = 0; ///< Distinguishes it from the thread's other waits.

    [[nodiscard]] bool isSameAs(const Wait &other) const
    {
        return pid == other.pid && thread == other.thread && sequence == other.sequence;
    }
};

/// "lock 3, held by PID 7".
[[nodiscard]] QString subjectText(const Wait &wait);
/// "Process-1 (PID 7, thread 7) has waited for lock 3, held by PID 9, for 60 ms".
[[nodiscard]] QString waitText(const Wait &wait, qint64 nowNs);
/// The name that a process has noted of itself, such as "Process-1"; empty if it has none.
[[nodiscard]] QString notedName(qint64 pid);

namespace waits_detail {

/// The wait that @p noted describes: reason, object and wakers. The tree of @p reader must be
/// readable.
[[nodiscard]] Wait waitOf(const runtime::TreeReader &reader, const runtime::NotedWait &noted);

} // namespace waits_detail

} // namespace proclab

Q_DECLARE_METATYPE(proclab::Wait)
