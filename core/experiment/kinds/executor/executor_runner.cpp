// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/executor/executor_kind.h"
#include "core/experiment/kinds/executor/executor_state.h"
#include "core/experiment/run/worker_pool_runner.h"

#include <QJsonArray>
#include <QTimer>

#include <algorithm>
#include <mutex>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr quint64 maxFuturesUnderWay = 16'384;
constexpr std::size_t mostRetries = 64;
constexpr quint64 mostListed = 100; ///< Futures whose order of completion a result lists.
constexpr auto timeoutField = "executor.timeout_s"_L1;

OnCrash onCrashOf(const ExperimentSpec &spec)
{
    const QString choice = spec.text(u"executor.on_crash"_s);
    return choice == u"retry"_s  ? OnCrash::Retry
           : choice == u"fail"_s ? OnCrash::Fail
                                 : OnCrash::Break;
}

/// The numbers of the tasks that came to their own end, the first to end first.
QJsonArray orderOfCompletion(const RunLog &log)
{
    std::vector<const TaskRecord *> ended;
    for (std::size_t i = 0, size = log.tasks.size(); i < size; ++i) {
        const TaskRecord &task = log.tasks[i];
        if (task.status == TaskStatus::Done || task.status == TaskStatus::Failed)
            ended.push_back(&task);
    }
    std::ranges::stable_sort(ended, {}, &TaskRecord::finishedNs);
    QJsonArray order;
    for (const TaskRecord *task : ended)
        order.append(static_cast<qint64>(task->index));
    return order;
}

/// Runs `executor` experiments.
class ExecutorRunner final : public WorkerPoolRunner
{
public:
    explicit ExecutorRunner(RunnerContext context);

    void observe(StageSnapshot &snapshot, GaugeSample &gauges) override;
    void complete(RunResult &result) override;

protected:
    [[nodiscard]] WorkerPoolConfig poolConfig() const override;
    void gateOpened() override;
    void poolBroken(int process) override;
    void taskRetried(quint64 task, int process) override;

private:
    void timeOut();
    [[nodiscard]] RunNote notice(const RunTotals &totals) const;

    QTimer m_timeout;
    std::mutex m_mutex;
    ExecutorState m_state; ///< Guarded by m_mutex; without the pending futures.
};

ExecutorRunner::ExecutorRunner(RunnerContext context) : WorkerPoolRunner(context), m_timeout(this)
{
    m_timeout.setSingleShot(true);
    m_timeout.setTimerType(Qt::PreciseTimer); // A coarse one may end it early.
    connect(&m_timeout, &QTimer::timeout, this, &ExecutorRunner::timeOut);
}

/// Each call travels alone, as Python's executor sends them unless it is told otherwise.
WorkerPoolConfig ExecutorRunner::poolConfig() const
{
    const ExperimentSpec &spec = m_context.spec;
    WorkerPoolConfig config;
    config.workers = executorWorkers(spec);
    config.startMethod = *startMethodOf(spec.text(u"executor.start_method"_s));
    config.onCrash = onCrashOf(spec);
    config.tasksPerChunk = 1;
    config.chunks = static_cast<quint32>(std::min(taskCount(), maxFuturesUnderWay));
    return config;
}

void ExecutorRunner::gateOpened()
{
    const double seconds = m_context.spec.number(timeoutField);
    if (seconds > 0)
        m_timeout.start(std::chrono::milliseconds(qRound64(seconds * 1'000)));
}

/// What has not started is cancelled; what runs goes on, as a worker cannot be interrupted.
void ExecutorRunner::timeOut()
{
    if (isAllRecorded() || brokenBy() || isStopped())
        return;
    {
        const std::lock_guard lock(m_mutex);
        m_state.isTimedOut = 1;
    }
    addEvent(RunEvent::Severity::Warning, -1, {"executor.timed_out"_ba});
    cancelWaiting();
}

void ExecutorRunner::poolBroken(int process)
{
    m_timeout.stop();
    {
        const std::lock_guard lock(m_mutex);
        m_state.brokenBy = process;
    }
    addEvent(RunEvent::Severity::Failure, process, {"executor.broke"_ba, {{"by"_L1, process}}});
}

void ExecutorRunner::taskRetried(quint64 task, int process)
{
    addEvent(RunEvent::Severity::Warning, process,
             {"executor.retried"_ba, {{"task"_L1, static_cast<qint64>(task)}, {"by"_L1, process}}});
    const std::lock_guard lock(m_mutex);
    if (m_state.retries.size() < mostRetries)
        m_state.retries.push_back({static_cast<qint64>(task), process});
}

void ExecutorRunner::observe(StageSnapshot &snapshot, GaugeSample &gauges)
{
    WorkerPoolRunner::observe(snapshot, gauges);
    auto state = std::make_shared<ExecutorState>();
    {
        const std::lock_guard lock(m_mutex);
        *state = m_state;
    }
    if (!state->isBroken())
        state->next = nextTasks();
    snapshot.kindState = std::move(state);
}

void ExecutorRunner::complete(RunResult &result)
{
    WorkerPoolRunner::complete(result);
    const bool isTimedOut = m_state.isTimedOut != 0;
    if (isTimedOut)
        result.timeoutField = timeoutField;
    const std::optional<int> breaker = brokenBy();
    QJsonObject outcome{{u"broken"_s, breaker.has_value()}, {u"timed_out"_s, isTimedOut}};
    if (breaker)
        outcome[u"broken_by"_s] = m_context.log.processes().at(*breaker).name;
    if (taskCount() <= mostListed)
        outcome[u"order_of_completion"_s] = orderOfCompletion(m_context.log);
    result.outcome = outcome;
    result.notice = notice(result.totals);
    result.noticeIsGood = result.notice.code == "executor.nothing_lost";
}

RunNote ExecutorRunner::notice(const RunTotals &totals) const
{
    if (const std::optional<int> breaker = brokenBy())
        return {"executor.broken"_ba,
                {{"by"_L1, *breaker}, {"lost"_L1, static_cast<qint64>(totals.lost)}}};
    if (m_state.isTimedOut != 0)
        return {"executor.time_was_up"_ba,
                {{"cancelled"_L1, static_cast<qint64>(totals.cancelled)}}};
    if (totals.retried > 0 && totals.done == totals.tasks)
        return {"executor.nothing_lost"_ba, {{"retried"_L1, static_cast<qint64>(totals.retried)}}};
    return {};
}

} // namespace

std::unique_ptr<ExperimentRunner> makeExecutorRunner(RunnerContext context)
{
    return std::make_unique<ExecutorRunner>(context);
}

} // namespace proclab
