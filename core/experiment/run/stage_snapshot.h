// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/clock.h"

#include <QList>
#include <QMetaType>
#include <QString>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace proclab {

enum class ProcessState : quint8 {
    Starting,
    AtGate,     ///< Waiting for the run to begin.
    Running,    ///< In a task or item, on a core.
    ReadyToRun, ///< In a task or item, waiting for a core.
    Sleeping,   ///< In a task or item, waiting for something else: a timer, a device.
    Waiting,    ///< For a task.
    WaitingForLock,
    BlockedOnFull,  ///< In put(), the queue is full.
    WaitingOnEmpty, ///< In get(), the queue is empty.
    Ended,
    Stopped, ///< By a signal, such as SIGSTOP; SIGCONT lets it go on.
    Crashed, ///< Ended by a signal, an exit or the lab because of a timeout.
};

/// The state of a process in a task or item, by where most of its time went: on a core, waiting for
/// one, or neither. Percent of one core, over the same time.
[[nodiscard]] constexpr ProcessState stateInTask(double cpuPercent, double readyPercent)
{
    switch (runtime::mostOf(cpuPercent, readyPercent, 100 - cpuPercent - readyPercent)) {
    case runtime::Spent::OnCore:
        break;
    case runtime::Spent::Ready:
        return ProcessState::ReadyToRun;
    case runtime::Spent::Asleep:
        return ProcessState::Sleeping;
    }
    return ProcessState::Running;
}

[[nodiscard]] constexpr bool isOver(ProcessState state)
{
    return state == ProcessState::Ended || state == ProcessState::Crashed;
}

/// ProcessLive::progressPercent of a fraction that a process tells.
[[nodiscard]] inline int progressPercent(std::optional<double> fraction)
{
    return fraction ? static_cast<int>(std::lround(100 * *fraction)) : -1;
}

/// One process as it is at the snapshot's instant.
struct ProcessLive
{
    int process = 0; ///< Position in RunLog::processes().
    ProcessState state = ProcessState::Starting;
    qint64 currentIndex = -1;  ///< Task or item in hand; -1: none.
    qint64 currentSinceNs = 0; ///< When it began, on the run's axis.
    int progressPercent = -1;  ///< How far the task or item in hand is; below 0: not told.
    quint64 done = 0;
    double cpuPercent = -1;  ///< Of one core; below 0: not known yet.
    double waitingShare = 0; ///< 0 … 1 of the time so far blocked on queue or lock.
    double readyShare = 0;   ///< 0 … 1 of the time so far waiting for a core.

    bool operator==(const ProcessLive &) const = default;
};

/// What a stage draws beyond the figures that all kinds have. Each kind has one of its own.
///
/// A run keeps every state as numbers, of which it stores the differences from the state before: a
/// number that often stays as it was, at its place in the list, costs nearly nothing. Times are
/// kept as microseconds on the run's axis.
struct KindState
{
    KindState() = default;
    KindState(const KindState &) = default;
    KindState &operator=(const KindState &) = default;
    virtual ~KindState() = default;

    /// All of it, at the instant @p timeNs.
    [[nodiscard]] virtual std::vector<qint64> packed(qint64 timeNs) const = 0;
    /// What packed() had put into @p numbers.
    [[nodiscard]] virtual std::shared_ptr<const KindState> unpacked(std::span<const qint64> numbers,
                                                                    qint64 timeNs) const = 0;
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

    std::shared_ptr<const KindState> kindState; ///< Null: there is none.

    /// Whether a process has to wait for a core: what the lab itself uses is taken from it.
    [[nodiscard]] bool waitsForCores() const
    {
        return std::any_of(processes.begin(), processes.end(), [](const ProcessLive &live) {
            return live.state == ProcessState::ReadyToRun;
        });
    }

    /// How many processes are there, beside the parent.
    [[nodiscard]] qsizetype aliveCount() const
    {
        return std::count_if(processes.begin(), processes.end(), [](const ProcessLive &live) {
            return live.process > 0 && !isOver(live.state);
        });
    }

    /// The kind's own part; one with nothing in it if there is none, or another kind's.
    template<typename State>
    [[nodiscard]] const State &state() const
    {
        static const State empty;
        const auto *own = dynamic_cast<const State *>(kindState.get());
        return own ? *own : empty;
    }
};

using StageSnapshotPointer = std::shared_ptr<const StageSnapshot>;

} // namespace proclab

Q_DECLARE_METATYPE(proclab::StageSnapshotPointer)
