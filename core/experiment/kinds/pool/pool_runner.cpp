// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/pool/pool_kind.h"
#include "core/experiment/kinds/pool/pool_state.h"
#include "core/experiment/run/rate_meter.h"
#include "core/experiment/run/run_means.h"
#include "core/experiment/run/runner.h"
#include "core/experiment/run/task_input.h"
#include "core/experiment/spec/kind.h"
#include "core/pool/worker_pool.h"
#include "core/process/engine.h"

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr quint64 maxTasksUnderWay = 131'072;
constexpr quint32 maxChunksUnderWay = 16'384;
constexpr int maxFailureEvents = 1'000;
constexpr int glanceTasks = 64;

TaskStatus statusOf(TaskReport::Status status)
{
    switch (status) {
    case TaskReport::Status::Done:
        return TaskStatus::Done;
    case TaskReport::Status::Failed:
        return TaskStatus::Failed;
    case TaskReport::Status::Cancelled:
        return TaskStatus::Cancelled;
    case TaskReport::Status::Lost:
        break;
    }
    return TaskStatus::Lost;
}

TaskError errorOf(TaskReport::Cause cause)
{
    switch (cause) {
    case TaskReport::Cause::None:
        return TaskError::None;
    case TaskReport::Cause::Exception:
        return TaskError::Exception;
    case TaskReport::Cause::Exit:
        return TaskError::Exit;
    case TaskReport::Cause::Signal:
        return TaskError::Signal;
    case TaskReport::Cause::Timeout:
        return TaskError::Timeout;
    case TaskReport::Cause::Lost:
        return TaskError::Lost;
    case TaskReport::Cause::Cancelled:
        break;
    }
    return TaskError::Cancelled;
}

Span::Activity activityOf(runtime::Spent spent)
{
    switch (spent) {
    case runtime::Spent::OnCore:
        break;
    case runtime::Spent::Ready:
        return Span::Activity::ReadyToRun;
    case runtime::Spent::Asleep:
        return Span::Activity::Sleeping;
    }
    return Span::Activity::Running;
}

/// Fills state, task in hand, how far that is, and count of @p live from a worker's slot, on an
/// axis that begins at @p gateNs.
void observeWorker(const runtime::ProcessSlot &slot, qint64 gateNs, ProcessLive &live)
{
    const runtime::Phase phase = slot.phase.load(std::memory_order_acquire);
    const bool hasTask = slot.hasItem();
    live.done = slot.done();
    live.currentIndex =
        hasTask ? static_cast<qint64>(slot.current.load(std::memory_order_relaxed)) : -1;
    live.currentSinceNs = slot.currentSinceNs.load(std::memory_order_relaxed) - gateNs;
    live.progressPercent = hasTask ? progressPercent(slot.taskProgress.fraction()) : -1;
    if (phase <= runtime::Phase::Starting)
        live.state = ProcessState::Starting;
    else if (phase == runtime::Phase::Ready)
        live.state = ProcessState::AtGate;
    else
        live.state = hasTask ? ProcessState::Running : ProcessState::Waiting;
}

/// Runs `pool` experiments on core/pool/worker_pool.h.
class PoolRunner final : public ExperimentRunner
{
public:
    explicit PoolRunner(RunnerContext context)
        : ExperimentRunner(context)
        , m_count(static_cast<quint64>(context.spec.bigInteger(u"tasks.count"_s)))
        , m_workload(workloadNumber(context.spec, u"tasks"_s))
    {}

    Result<void> start() override;
    void stop(StopReason) override
    {
        m_isStopped = true;
        if (m_pool)
            m_pool->terminate();
    }
    void observe(StageSnapshot &snapshot, GaugeSample &gauges) override;
    [[nodiscard]] GaugeSample gaugesAtGate() const override;
    void complete(RunResult &result) override;

private:
    WorkerPoolConfig makeConfig();
    void openGate();
    quint64 doneIn(const StageSnapshot &snapshot);
    void feed();
    void takeReports(std::span<const TaskReport> reports);
    void record(const TaskReport &report);
    void recordValue(const TaskReport &report, TaskRecord &record);
    void recordRest();
    void noteWorkerEnd(int worker, const ChildExit &exit, bool byPool, quint64 done);

    /// Workers enter the log in the order of their numbers, behind the parent.
    static int processOf(int worker) { return worker < 0 ? -1 : worker + 1; }

    const quint64 m_count;
    const quint32 m_workload;
    quint64 m_chunk = 1;
    quint64 m_lookAhead = 0; ///< The most tasks under way.
    quint64 m_next = 0;      ///< The next task to submit.
    quint64 m_reported = 0;
    int m_failureEvents = 0;
    bool m_isStopped = false;
    std::optional<Error> m_engineError;
    runtime::ArgumentRange m_args{};
    runtime::Segment m_input;
    std::unique_ptr<WorkerPool> m_pool;
    // Read by the sampler's thread.
    std::atomic<quint64> m_done{0};
    std::atomic<quint64> m_failed{0};
    std::atomic<quint64> m_raised{
        0}; ///< Of these: by an exception, after which the worker goes on.
    std::atomic<quint64> m_cancelled{0};
    std::atomic<quint64> m_lost{0};
    // Of the sampler's thread.
    RateMeter m_rate;
    quint64 m_doneShown = 0; ///< The sampler's: it only grows.
};

WorkerPoolConfig PoolRunner::makeConfig()
{
    const ExperimentSpec &spec = m_context.spec;
    WorkerPoolConfig config;
    config.workerProgram = m_context.engine.workerProgram();
    config.workers = spec.integer(u"pool.workers"_s);
    config.startMethod = *startMethodOf(spec.text(u"pool.start_method"_s));
    config.maxTasksPerWorker =
        static_cast<quint64>(spec.bigInteger(u"pool.max_tasks_per_worker"_s));
    config.onCrash = spec.text(u"pool.on_crash"_s) == u"retry"_s ? OnCrash::Retry : OnCrash::Fail;
    config.taskTimeout =
        std::chrono::milliseconds(qRound64(spec.number(u"pool.task_timeout_s"_s) * 1'000));
    config.seed = static_cast<quint64>(spec.bigInteger(u"seed"_s));
    const auto workers = static_cast<quint64>(config.workers);
    const QString method = spec.text(u"pool.method"_s);
    m_chunk = poolChunkSize(spec);
    const quint64 needed = (m_count + m_chunk - 1) / m_chunk;
    quint64 chunks = std::min<quint64>(
        {needed, maxChunksUnderWay, std::max(2 * workers + 2, maxTasksUnderWay / m_chunk)});
    if (method == u"apply"_s)
        chunks = 1; // The caller waits for each result before it asks for the next.
    else if (method.startsWith(u"imap"_s))
        // Looks ahead no further than keeps the workers busy.
        chunks = std::min(chunks, 2 * workers + 2);
    config.tasksPerChunk = static_cast<quint32>(m_chunk);
    config.chunks = static_cast<quint32>(chunks);
    m_lookAhead = chunks * m_chunk;
    return config;
}

Result<void> PoolRunner::start()
{
    noteParentsThread();
    TaskInput input;
    m_args = input.addArguments(m_context.spec, u"tasks"_s);
    auto segment = input.makeSegment();
    if (!segment)
        return segment.error();
    m_input = std::move(*segment);
    WorkerPoolConfig config = makeConfig();
    config.input = &m_input;
    m_pool = std::make_unique<WorkerPool>(config);
    m_pool->setReportHandler([this](std::span<const TaskReport> reports) { takeReports(reports); });
    connect(m_pool.get(), &WorkerPool::ready, this, &PoolRunner::openGate);
    connect(m_pool.get(), &WorkerPool::closed, this, [this] {
        recordRest();
        Q_EMIT finished();
    });
    connect(m_pool.get(), &WorkerPool::workerStarted, this,
            [this](int worker, qint64 pid, int replaces) {
                const ProcessRole &role = kind().roles[PoolRoles::Worker];
                addProcess(role, role.processName(worker + 1), pid, processOf(replaces));
            });
    connect(m_pool.get(), &WorkerPool::workerEnded, this, &PoolRunner::noteWorkerEnd);
    connect(m_pool.get(), &WorkerPool::workerMissing, this, [this](const Error &error) {
        addEvent(RunEvent::Severity::Warning, -1, errorNote("pool.worker_missing"_ba, error));
    });
    connect(m_pool.get(), &WorkerPool::broken, this, [this](const Error &error) {
        m_engineError = error;
        addEvent(RunEvent::Severity::Failure, -1, errorNote("engine_failed"_ba, error));
    });
    if (const auto opened = m_pool->open(); !opened)
        return opened.error();
    return {};
}

void PoolRunner::openGate()
{
    Q_EMIT aboutToOpen();
    noteGate(m_pool->openGate());
    feed();
}

void PoolRunner::feed()
{
    if (m_isStopped)
        return;
    while (m_next < m_count && m_next - m_reported < m_lookAhead) {
        const quint64 size = std::min(m_chunk, m_count - m_next);
        TaskChunk chunk;
        chunk.workload = m_workload;
        chunk.first = m_next;
        chunk.count = static_cast<quint32>(size);
        chunk.args = m_args;
        if (!m_pool->submit(chunk))
            return;
        m_next += size;
    }
}

void PoolRunner::takeReports(std::span<const TaskReport> reports)
{
    for (const TaskReport &report : reports)
        record(report);
    m_reported += reports.size();
    feed();
    if (m_next == m_count)
        m_pool->close(); // Which waits for what is still under way.
}

void PoolRunner::record(const TaskReport &report)
{
    RunLog &log = m_context.log;
    TaskRecord record;
    record.index = static_cast<quint32>(report.index);
    record.process = processOf(report.worker);
    record.status = statusOf(report.status);
    record.error = errorOf(report.cause);
    record.attempts = static_cast<quint8>(report.attempts);
    record.code = static_cast<qint16>(report.code);
    record.submittedNs = sinceGate(report.submittedNs);
    record.startedNs = report.startedNs > 0 ? sinceGate(report.startedNs) : -1;
    record.finishedNs = sinceGate(report.finishedNs);
    recordValue(report, record);
    auto &counter = record.status == TaskStatus::Done     ? m_done
                    : record.status == TaskStatus::Failed ? m_failed
                    : record.status == TaskStatus::Lost   ? m_lost
                                                          : m_cancelled;
    counter.fetch_add(1, std::memory_order_relaxed);
    if (record.error == TaskError::Exception)
        m_raised.fetch_add(1, std::memory_order_relaxed);
    if (record.process >= 0 && record.startedNs >= 0) {
        RunLog::Lane &lane = log.lane(record.process);
        const bool isDone = record.status == TaskStatus::Done;
        lane.spans.append(
            {record.startedNs, record.finishedNs, record.index, 1,
             isDone ? activityOf(report.spent) : Span::Activity::Failed,
             isDone ? 1.0F : workShare(lane.samples, record.startedNs, record.finishedNs)});
    }
    const std::size_t position = log.tasks.size();
    log.tasks.append(record);
    if (record.error != TaskError::None && record.error != TaskError::Cancelled) {
        if (++m_failureEvents <= maxFailureEvents)
            addEvent(RunEvent::Severity::Failure, record.process,
                     {"task_failed"_ba, {{"task"_L1, static_cast<qint64>(position)}}});
        else if (m_failureEvents == maxFailureEvents + 1)
            addEvent(RunEvent::Severity::Warning, -1, {"pool.more_failures"_ba});
    }
}

void PoolRunner::recordValue(const TaskReport &report, TaskRecord &record)
{
    using Type = runtime::TaskValue::Type;
    RunLog &log = m_context.log;
    if (!report.message.empty()) {
        record.message = static_cast<qint64>(log.texts.size());
        log.texts.append(QByteArray::fromStdString(report.message));
    }
    switch (report.value.type) {
    case Type::None:
        break;
    case Type::Integer:
        record.valueType = TaskRecord::ValueType::Integer;
        record.integer = report.value.integer;
        break;
    case Type::Unsigned:
        record.valueType = TaskRecord::ValueType::Unsigned;
        record.unsignedInteger = report.value.unsignedInteger;
        break;
    case Type::Number:
        record.valueType = TaskRecord::ValueType::Number;
        record.number = report.value.number;
        break;
    case Type::Digest:
        record.valueType = TaskRecord::ValueType::Digest;
        record.text = log.texts.size();
        log.texts.append(QByteArray(reinterpret_cast<const char *>(report.value.digest),
                                    sizeof report.value.digest));
        break;
    case Type::Bytes:
    case Type::Extent:
    case Type::Parcel: // Of registered tasks, which no experiment has.
        break;
    }
}

void PoolRunner::noteWorkerEnd(int worker, const ChildExit &exit, bool byPool, quint64 done)
{
    if (worker >= 0)
        noteExit(processOf(worker), exit, byPool, done);
}

/// What the pool never got to see is accounted for as well.
void PoolRunner::recordRest()
{
    const bool isLost = m_engineError || !m_isStopped;
    for (; m_next < m_count; ++m_next) {
        TaskRecord record;
        record.index = static_cast<quint32>(m_next);
        record.status = isLost ? TaskStatus::Lost : TaskStatus::Cancelled;
        record.error = isLost ? TaskError::Lost : TaskError::Cancelled;
        record.finishedNs = gateNs() != 0 ? sinceGate(runtime::nowNs()) : 0;
        (isLost ? m_lost : m_cancelled).fetch_add(1, std::memory_order_relaxed);
        m_context.log.tasks.append(record);
    }
}

void PoolRunner::observe(StageSnapshot &snapshot, GaugeSample &gauges)
{
    snapshot.total = m_count;
    snapshot.failed = m_failed.load(std::memory_order_relaxed);
    snapshot.cancelled = m_cancelled.load(std::memory_order_relaxed);
    snapshot.lost = m_lost.load(std::memory_order_relaxed);
    quint64 running = 0;
    for (int slot = 0; slot < m_pool->slotCount(); ++slot) {
        const int process = processOf(m_pool->workerIn(static_cast<quint32>(slot)));
        if (process < 0 || process >= snapshot.processes.size())
            continue;
        ProcessLive &live = snapshot.processes[process];
        if (isOver(live.state))
            continue;
        observeWorker(m_pool->header().slot(static_cast<quint32>(slot)), gateNs(), live);
        running += live.currentIndex >= 0 ? 1 : 0;
    }
    snapshot.done = doneIn(snapshot);
    const quint64 ended = snapshot.done + snapshot.failed + snapshot.cancelled + snapshot.lost;
    snapshot.queued = m_count > ended + running ? m_count - ended - running : 0;
    auto state = std::make_shared<PoolState>();
    state->nextTasks = m_pool->nextTasks(glanceTasks);
    snapshot.kindState = std::move(state);
    m_rate.add(gauges, PoolGauges::Throughput, static_cast<double>(snapshot.done));
    gauges.values[PoolGauges::QueueDepth] = static_cast<double>(snapshot.queued);
}

/// By the workers' own counts, as their cards show them: reports of many small tasks come late.
quint64 PoolRunner::doneIn(const StageSnapshot &snapshot)
{
    quint64 performed = 0;
    for (const ProcessLive &live : snapshot.processes)
        performed += live.done;
    const quint64 others = snapshot.failed + snapshot.cancelled + snapshot.lost;
    const quint64 reported = m_done.load(std::memory_order_relaxed);
    const quint64 raised = m_raised.load(std::memory_order_relaxed);
    const quint64 counted = performed > raised ? performed - raised : 0;
    // A worker that died may have done one that is done again.
    const quint64 most = m_count > others ? m_count - others : 0;
    m_doneShown = std::max({m_doneShown, reported, std::min(counted, most)});
    return std::min(m_doneShown, most);
}

GaugeSample PoolRunner::gaugesAtGate() const
{
    GaugeSample gauges = noGauges();
    gauges.values[PoolGauges::QueueDepth] = static_cast<double>(m_count);
    return gauges;
}

void PoolRunner::complete(RunResult &result)
{
    recordRest(); // A pool that did not open was never closed.
    RunTotals &totals = result.totals;
    totals.tasks = m_count;
    totals.done = m_done;
    totals.failed = m_failed;
    totals.cancelled = m_cancelled;
    totals.lost = m_lost;
    totals.retried = m_pool ? m_pool->retriedCount() : 0;
    result.elapsedSeconds = static_cast<double>(lastFinishNs(m_context.log)) / 1e9;
    result.engineError = m_engineError;
    result.outcome = QJsonObject();
}

} // namespace

std::unique_ptr<ExperimentRunner> makePoolRunner(RunnerContext context)
{
    return std::make_unique<PoolRunner>(context);
}

} // namespace proclab
