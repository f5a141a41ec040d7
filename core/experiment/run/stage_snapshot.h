// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QList>
#include <QMetaType>
#include <QString>

#include <memory>

namespace proclab {

enum class ProcessState : quint8 {
    Starting,
    Ready,    ///< At the gate.
    Running,  ///< In a task or item.
    Sleeping, ///< In a task or item, off the core.
    Waiting,  ///< For a task.
    WaitingForLock,
    BlockedOnFull,  ///< In put(), the queue is full.
    WaitingOnEmpty, ///< In get(), the queue is empty.
    Ended,
    Crashed, ///< Ended by a signal, an exit or the lab because of a timeout.
};

/// One process as it is at the snapshot's instant.
struct ProcessLive
{
    int process = 0; ///< Position in RunLog::processes().
    ProcessState state = ProcessState::Starting;
    qint64 currentIndex = -1;  ///< Task or item in hand; -1: none.
    qint64 currentSinceNs = 0; ///< When it began, on the run's axis.
    quint64 done = 0;
    double cpuPercent = -1;  ///< Of one core; below 0: not known yet.
    double waitingShare = 0; ///< 0 … 1 of the time so far blocked on queue or lock.
};

/// One item in the queue of a pipeline, in leaving order.
struct QueuedItem
{
    quint32 index = 0; ///< The producer's own number for it, from 0.
    int producer = -1; ///< Position in RunLog::processes(); -1: the parent (an END).
    bool isEnd = false;
    qint64 ageNs = 0;
};

/// All that a stage draws, at one instant: immutable, made by the sampler, drawn by any view.
struct StageSnapshot
{
    qint64 timeNs = 0;
    QList<ProcessLive> processes; ///< All of the run, ended ones too, in order of
                                  ///< RunLog::processes(); the parent first.

    quint64 total = 0; ///< Tasks, items or increments in all.
    quint64 done = 0;  ///< Ended well.
    quint64 failed = 0;
    quint64 cancelled = 0;
    quint64 lost = 0;
    quint64 queued = 0; ///< Waiting: tasks not yet taken, items in the queue.

    quint64 capacity = 0;     ///< Of the bounded queue; 0: unbounded or none.
    QList<QueuedItem> items;  ///< The next to leave, at most 64.
    QList<quint32> nextTasks; ///< Tasks that wait, the next first, at most 64.

    qint64 counterValue = 0;
    qint64 counterExpected = 0;
    int lockOwner = -1; ///< Position in RunLog::processes(); -1: free.
    int lockWaiters = 0;
};

using StageSnapshotPointer = std::shared_ptr<const StageSnapshot>;

} // namespace proclab

Q_DECLARE_METATYPE(proclab::StageSnapshotPointer)
