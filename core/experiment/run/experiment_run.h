// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_source.h"

#include <memory>

namespace proclab {

class Engine;

/// One run of one experiment, from start to result: what a page and proclab-cli hold.
///
/// Threads: use it only from the thread it was created in, which needs an event loop.
/// Blocking: never; the destructor of a run that has not ended kills its children and waits for
/// their end, at most 2 s.
/// Errors: a spec with faults is returned by start(); what goes wrong later stands in the result.
class ExperimentRun final : public RunSource
{
    Q_OBJECT

public:
    /// @p engine must outlive the run.
    ExperimentRun(Engine &engine, ExperimentSpec spec, QObject *parent = nullptr);
    ~ExperimentRun() override;

    /// Before start(): somebody can type into the run's programs, by type(), so that their standard
    /// inputs stay open where the spec gives no text for them.
    void setCanType(bool canType) { m_canType = canType; }
    /// Idle -> Starting. InvalidArgument, with nothing started, if the spec has a fault.
    Result<void> start();
    /// Starting, Running -> Stopping -> Ended: every child is killed, what was measured is kept,
    /// tasks not yet finished are cancelled.
    void stop();

    /// Sends @p signal to child @p process, a position in the log; without effect unless both the
    /// run and the process go on.
    void sendSignal(int process, int signal);
    /// Writes @p text to the standard input of program @p process, or closes that; without effect
    /// unless the program runs and its input is open.
    void type(int process, const QString &text);
    void endInput(int process);

    [[nodiscard]] State state() const override { return m_state; }
    [[nodiscard]] const ExperimentSpec &spec() const override { return m_spec; }
    [[nodiscard]] std::shared_ptr<const RunLog> log() const override { return m_log; }
    [[nodiscard]] double elapsedSeconds() const override;
    [[nodiscard]] const RunResult &result() const override { return m_result; }

private:
    class Session; // What lives in the engine's thread.

    void setState(State state);
    [[nodiscard]] bool goesOn() const;

    Engine &m_engine;
    ExperimentSpec m_spec;
    State m_state = State::Idle;
    bool m_canType = false;
    std::shared_ptr<RunLog> m_log;
    std::shared_ptr<Session> m_session;
    RunResult m_result;
};

} // namespace proclab
