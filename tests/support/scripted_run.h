// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_source.h"

#include <utility>

namespace proclab::test {

/// A run that goes on as a test says, without a process.
class ScriptedRun final : public RunSource
{
public:
    explicit ScriptedRun(ExperimentSpec spec,
                         std::shared_ptr<RunLog> log = std::make_shared<RunLog>())
        : m_log(std::move(log))
    {
        m_result.spec = std::move(spec);
        m_result.log = m_log;
    }

    [[nodiscard]] State state() const override { return m_state; }
    [[nodiscard]] const ExperimentSpec &spec() const override { return m_result.spec; }
    [[nodiscard]] std::shared_ptr<const RunLog> log() const override { return m_log; }
    [[nodiscard]] double elapsedSeconds() const override { return elapsed; }
    [[nodiscard]] const RunResult &result() const override { return m_result; }

    [[nodiscard]] RunLog &writableLog() { return *m_log; }
    void setState(State state)
    {
        m_state = state;
        Q_EMIT stateChanged(state);
    }
    void end(RunResult result = RunResult())
    {
        result.spec = m_result.spec;
        result.log = m_log;
        m_result = std::move(result);
        setState(State::Ended);
        Q_EMIT ended();
    }

    double elapsed = 0; ///< What elapsedSeconds() says.

private:
    State m_state = State::Idle;
    std::shared_ptr<RunLog> m_log;
    RunResult m_result;
};

} // namespace proclab::test
