// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_log.h"
#include "core/experiment/spec/spec.h"

#include <map>
#include <memory>
#include <optional>

namespace proclab {

/// What a page says while the run goes on about the process that died last.
struct DeathNotice
{
    QString title;  ///< "W4 crashed in task #12 (SIGSEGV). W5 took its place 18 ms later."
    QString detail; ///< What became of the task; may be empty.
    int deaths = 0; ///< Processes that have died so far.

    bool operator==(const DeathNotice &) const = default;
};

/// Looks through the log of a run for processes that ended otherwise than as planned: by a signal,
/// by an exit code or because their task overran its time. Says only what stands in the log.
class DeathWatch
{
public:
    void setRun(std::shared_ptr<const RunLog> log, const ExperimentSpec &spec);
    /// Reads what is new in the log; nullopt: no process has died yet.
    [[nodiscard]] std::optional<DeathNotice> advance();

private:
    void readTasks();
    [[nodiscard]] const TaskRecord *lastTaskOf(int process) const;
    [[nodiscard]] QString whatHappened(const ProcessRecord &process, const TaskRecord *task) const;

    std::shared_ptr<const RunLog> m_log;
    ExperimentSpec m_spec;
    std::size_t m_tasksRead = 0;
    std::map<int, std::size_t> m_fatalTasks; ///< By process: the task that it died in.
};

} // namespace proclab
