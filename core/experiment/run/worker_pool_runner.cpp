// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/worker_pool_runner.h"

#include "core/experiment/run/run_means.h"
#include "core/experiment/run/task_input.h"
#include "core/experiment/spec/kind.h"
#include "core/process/engine.h"

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

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

} // namespace

WorkerPoolRunner::WorkerPoolRunner(RunnerContext context)
    : ExperimentRunner(context)
    , m_count(static_cast<quint64>(context.spec.bigInteger(u"tasks.count"_s)))
    , m_workload(workloadNumber(context.spec, u"tasks"_s))
{}

Result<void> WorkerPoolRunner::start()
{
    noteParentsThread();
    TaskInput input;
    m_args = input.addArguments(m_context.spec, u"tasks"_s);
    auto segment = input.makeSegment();
    if (!segment)
        return segment.error();
    m_input = std::move(*segment);
    m_config = poolConfig();
    m_config.workerProgram = m_context.engine.workerProgram();
    m_config.seed = static_cast<quint64>(m_context.spec.bigInteger(u"seed"_s));
    m_config.input = &m_input;
    m_pool = std::make_unique<WorkerPool>(m_config);
    connectPool();
    if (const auto opened = m_pool->open(); !opened)
        return opened.error();
    return {};
}

void WorkerPoolRunner::connectPool()
{
    WorkerPool *pool = m_pool.get();
    pool->setReportHandler([this](std::span<const TaskReport> reports) { takeReports(reports); });
    connect(pool, &WorkerPool::ready, this, &WorkerPoolRunner::openGate);
    connect(pool, &WorkerPool::closed, this, [this] {
        recordRest();
        Q_EMIT finished();
    });
    connect(pool, &WorkerPool::workerStarted, this, [this](int worker, qint64 pid, int replaces) {
        const ProcessRole &role = kind().roles.front();
        addProcess(role, role.processName(worker + 1), pid, processOf(replaces));
    });
    connect(pool, &WorkerPool::workerEnded, this, &WorkerPoolRunner::noteWorkerEnd);
    connect(pool, &WorkerPool::taskRetried, this, &WorkerPoolRunner::noteRetry);
    connect(pool, &WorkerPool::workerMissing, this, [this](const Error &error) {
        addEvent(RunEvent::Severity::Warning, -1, errorNote("worker_missing"_ba, error));
    });
    connect(pool, &WorkerPool::broken, this, &WorkerPoolRunner::handleBroken);
}

void WorkerPoolRunner::stop(StopReason)
{
    m_isStopped = true;
    if (m_pool)
        m_pool->terminate();
}

void WorkerPoolRunner::openGate()
{
    Q_EMIT aboutToOpen();
    noteGate(m_pool->openGate());
    feed();
    gateOpened();
}

/// By a death that breaks it, once it works; else the engine has failed.
void WorkerPoolRunner::handleBroken(const Error &error)
{
    if (m_config.onCrash == OnCrash::Break && gateNs() != 0 && m_lastDead >= 0) {
        m_brokenBy = m_lastDead;
        m_brokenNs = runtime::nowNs();
        poolBroken(m_lastDead);
        return;
    }
    m_engineError = error;
    addEvent(RunEvent::Severity::Failure, -1, errorNote("engine_failed"_ba, error));
}

void WorkerPoolRunner::feed()
{
    if (m_isStopped)
        return;
    const quint64 lookAhead = quint64{m_config.chunks} * m_config.tasksPerChunk;
    while (m_next < m_count && m_next - m_reported < lookAhead) {
        const quint64 size = std::min<quint64>(m_config.tasksPerChunk, m_count - m_next);
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

void WorkerPoolRunner::cancelWaiting()
{
    for (const WithdrawnChunk &chunk : m_pool->withdrawAll()) {
        recordUnstarted(chunk.first, chunk.count, TaskStatus::Cancelled);
        m_reported += chunk.count;
    }
    recordUnstarted(m_next, m_count - m_next, TaskStatus::Cancelled);
    m_next = m_count;
    m_pool->close(); // Which waits for those that run.
}

QList<quint32> WorkerPoolRunner::nextTasks() const
{
    return m_pool->nextTasks(glanceTasks);
}

void WorkerPoolRunner::takeReports(std::span<const TaskReport> reports)
{
    for (const TaskReport &report : reports)
        record(report);
    m_reported += reports.size();
    feed();
    if (m_next == m_count)
        m_pool->close(); // Which waits for what is still under way.
}

void WorkerPoolRunner::record(const TaskReport &report)
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
    if (record.status == TaskStatus::Lost) // One may have begun between the break and the kill.
        record.finishedNs = std::max(record.startedNs, sinceGate(lossNs(report.finishedNs)));
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
            addEvent(RunEvent::Severity::Warning, -1, {"more_failures"_ba});
    }
}

void WorkerPoolRunner::recordValue(const TaskReport &report, TaskRecord &record)
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

void WorkerPoolRunner::noteWorkerEnd(int worker, const ChildExit &exit, bool byPool, quint64 done)
{
    if (worker < 0)
        return;
    noteExit(processOf(worker), exit, byPool, done);
    if (!byPool)
        m_lastDead = processOf(worker);
}

/// The attempt is no task of the result, but it was what the worker did.
void WorkerPoolRunner::noteRetry(quint64 task, int worker, qint64 startedNs)
{
    const int process = processOf(worker);
    RunLog::Lane &lane = m_context.log.lane(process);
    const qint64 fromNs = sinceGate(startedNs);
    const qint64 toNs = m_context.log.processes().at(process).endNs;
    lane.spans.append({fromNs, toNs, static_cast<quint32>(task), 1, Span::Activity::Failed,
                       workShare(lane.samples, fromNs, toNs)});
    taskRetried(task, process);
}

/// What is lost with a pool is lost when that breaks, not when its last worker is gone.
qint64 WorkerPoolRunner::lossNs(qint64 toldNs) const
{
    return m_brokenBy ? std::min(toldNs, m_brokenNs) : toldNs;
}

void WorkerPoolRunner::recordUnstarted(quint64 first, quint64 count, TaskStatus status)
{
    const bool isLost = status == TaskStatus::Lost;
    (isLost ? m_lost : m_cancelled).fetch_add(count, std::memory_order_relaxed);
    for (quint64 task = first; task < first + count; ++task) {
        TaskRecord record;
        record.index = static_cast<quint32>(task);
        record.status = status;
        record.error = isLost ? TaskError::Lost : TaskError::Cancelled;
        if (gateNs() != 0)
            record.finishedNs = sinceGate(isLost ? lossNs(runtime::nowNs()) : runtime::nowNs());
        m_context.log.tasks.append(record);
    }
}

/// What the pool never got to see is accounted for as well.
void WorkerPoolRunner::recordRest()
{
    const bool isLost = m_engineError || m_brokenBy || !m_isStopped;
    recordUnstarted(m_next, m_count - m_next, isLost ? TaskStatus::Lost : TaskStatus::Cancelled);
    m_next = m_count;
}

void WorkerPoolRunner::observe(StageSnapshot &snapshot, GaugeSample &gauges)
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
    m_rate.add(gauges, WorkerPoolGauges::Throughput, static_cast<double>(snapshot.done));
    gauges.values[WorkerPoolGauges::QueueDepth] = static_cast<double>(snapshot.queued);
}

/// By the workers' own counts, as their cards show them: reports of many small tasks come late.
quint64 WorkerPoolRunner::doneIn(const StageSnapshot &snapshot)
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

GaugeSample WorkerPoolRunner::gaugesAtGate() const
{
    GaugeSample gauges = noGauges();
    gauges.values[WorkerPoolGauges::QueueDepth] = static_cast<double>(m_count);
    return gauges;
}

void WorkerPoolRunner::complete(RunResult &result)
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

} // namespace proclab
