// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_result.h"
#include "core/experiment/run/stage_snapshot.h"

#include <QObject>

#include <memory>

namespace proclab {

/// What a view of a run reads: a run in progress, one that is over, or one that was recorded. A
/// view that shows no run has no source.
///
/// Threads: use it only from the thread it was created in; the log can be read from any.
class RunSource : public QObject
{
    Q_OBJECT

public:
    enum class State { Idle, Starting, Running, Stopping, Ended };
    Q_ENUM(State)

    using QObject::QObject;

    [[nodiscard]] virtual State state() const = 0;
    [[nodiscard]] virtual const ExperimentSpec &spec() const = 0;
    /// Never null; grows while the run goes on.
    [[nodiscard]] virtual std::shared_ptr<const RunLog> log() const = 0;
    /// Seconds since the gate opened, until the end; 0 before.
    [[nodiscard]] virtual double elapsedSeconds() const = 0;
    /// Once Ended.
    [[nodiscard]] virtual const RunResult &result() const = 0;

    /// Starting, Running or Stopping.
    [[nodiscard]] bool isActive() const;
    /// The newest picture of the processes, at most 50 ms old; null before the first.
    [[nodiscard]] StageSnapshotPointer snapshot() const { return log()->snapshots.newest(); }
    /// The picture at @p timeNs on the run's axis: the newest one that is no later.
    [[nodiscard]] StageSnapshotPointer snapshotAt(qint64 timeNs) const
    {
        return log()->snapshots.at(timeNs);
    }

Q_SIGNALS:
    void stateChanged(proclab::RunSource::State state);
    /// The last signal of a run.
    void ended();
};

/// A run that is over, from what it left.
class FinishedRun final : public RunSource
{
    Q_OBJECT

public:
    /// @p result has its log.
    explicit FinishedRun(RunResult result, QObject *parent = nullptr)
        : RunSource(parent)
        , m_result(std::move(result))
    {}

    [[nodiscard]] State state() const override { return State::Ended; }
    [[nodiscard]] const ExperimentSpec &spec() const override { return m_result.spec; }
    [[nodiscard]] std::shared_ptr<const RunLog> log() const override { return m_result.log; }
    [[nodiscard]] double elapsedSeconds() const override { return m_result.elapsedSeconds; }
    [[nodiscard]] const RunResult &result() const override { return m_result; }

private:
    RunResult m_result;
};

} // namespace proclab
