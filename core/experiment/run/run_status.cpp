// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/run_status.h"

#include "core/base/number_text.h"

#include <QCoreApplication>

#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

class RunStatusText
{
    Q_DECLARE_TR_FUNCTIONS(RunStatus)
};

/// Below it the share of sampling means little.
constexpr double shortestRated = 0.2;

void addPicture(RunStatus &status, const StageSnapshot &snapshot)
{
    status.total = snapshot.total;
    status.done = snapshot.done;
    status.failedTasks = snapshot.failed;
    status.cancelled = snapshot.cancelled;
    status.lost = snapshot.lost;
    for (const ProcessLive &process : snapshot.processes.mid(1)) {
        ++status.processes;
        if (process.state != ProcessState::Starting)
            ++status.startedProcesses;
    }
}

void addResult(RunStatus &status, const RunResult &result)
{
    status.failed = result.engineError.has_value();
    const WorkCounts work = result.work();
    status.total = work.total;
    status.done = work.done;
    status.failedTasks = work.failed;
    status.cancelled = work.cancelled;
    status.lost = work.lost;
}

} // namespace

RunStatus idleStatus(const ExperimentSpec &spec)
{
    RunStatus status;
    status.startMethod = spec.text(spec.kind() % u".start_method"_s);
    return status;
}

RunStatus statusOf(const RunSource &run)
{
    return statusOf(run, run.snapshot());
}

RunStatus statusOf(const RunSource &run, const StageSnapshotPointer &picture)
{
    RunStatus status = idleStatus(run.spec());
    const RunLog &log = *run.log();
    status.state = run.state();
    const bool isOfPicture =
        status.state != RunSource::State::Ended && picture && picture->timeNs > 0;
    status.elapsedSeconds =
        isOfPicture ? static_cast<double>(picture->timeNs) / 1e9 : run.elapsedSeconds();
    status.events = log.events().size();
    status.droppedSpans = log.droppedSpans.load(std::memory_order_relaxed);
    const double sampling =
        static_cast<double>(log.samplerCpuNs.load(std::memory_order_relaxed)) / 1e9;
    if (status.elapsedSeconds > shortestRated)
        status.samplingPercent = std::round(1000 * sampling / status.elapsedSeconds) / 10;
    if (picture)
        addPicture(status, *picture);
    if (status.state == RunSource::State::Ended)
        addResult(status, run.result());
    return status;
}

QString stateText(const RunStatus &status)
{
    using State = RunSource::State;
    switch (status.state) {
    case State::Idle:
        return RunStatusText::tr("Ready");
    case State::Starting:
        return RunStatusText::tr("Starting");
    case State::Running:
        return RunStatusText::tr("Running");
    case State::Stopping:
        return RunStatusText::tr("Stopping");
    case State::Ended:
        return status.failed ? RunStatusText::tr("Failed") : RunStatusText::tr("Ended");
    }
    return {};
}

QString progressText(quint64 done, quint64 total, quint64 failed, quint64 lost)
{
    const auto grouped = [](quint64 number) { return groupedNumber(static_cast<qint64>(number)); };
    QString text = RunStatusText::tr("%1 of %2 done").arg(grouped(done), grouped(total));
    if (failed > 0)
        text += RunStatusText::tr(", %1 failed").arg(grouped(failed));
    if (lost > 0)
        text += RunStatusText::tr(", %1 lost").arg(grouped(lost));
    return text;
}

} // namespace proclab
