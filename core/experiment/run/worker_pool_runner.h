// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/rate_meter.h"
#include "core/experiment/run/runner.h"
#include "core/experiment/run/worker_pool_figures.h"
#include "core/pool/worker_pool.h"

#include <memory>
#include <optional>
#include <span>

namespace proclab {

/// Base of the runners whose workers take tasks from one queue: a WorkerPool does them, this class
/// feeds it and enters what it reports into the log.
///
/// Threads: functions marked "Sampler" are called in the sampler's thread, all others in the
/// engine's.
class WorkerPoolRunner : public ExperimentRunner
{
    Q_OBJECT

public:
    explicit WorkerPoolRunner(RunnerContext context);

    Result<void> start() override;
    void stop(StopReason reason) override;
    /// Sampler.
    void observe(StageSnapshot &snapshot, GaugeSample &gauges) override;
    [[nodiscard]] GaugeSample gaugesAtGate() const override;
    void complete(RunResult &result) override;

protected:
    /// How the pool is to work: chunks of `tasksPerChunk`, of which `chunks` at most are under way.
    /// Program, seed and input are filled in later.
    [[nodiscard]] virtual WorkerPoolConfig poolConfig() const = 0;
    /// The first tasks have been handed over.
    virtual void gateOpened() {}
    /// Worker @p process, a position in the log, has died, and with OnCrash::Break the pool with
    /// it. The tasks that are lost are told next.
    virtual void poolBroken(int process) { Q_UNUSED(process) }
    /// Task @p task waits for another worker, since @p process has died in it.
    virtual void taskRetried(quint64 task, int process)
    {
        Q_UNUSED(task)
        Q_UNUSED(process)
    }

    /// Cancels the tasks that no worker has taken. The run ends once the others have.
    void cancelWaiting();
    [[nodiscard]] quint64 taskCount() const { return m_count; }
    [[nodiscard]] bool isStopped() const { return m_isStopped; }
    /// Whether what became of each task is in the log.
    [[nodiscard]] bool isAllRecorded() const { return m_context.log.tasks.size() >= m_count; }
    /// Up to 64 waiting tasks, the next first. Any thread; a glance.
    [[nodiscard]] QList<quint32> nextTasks() const;
    /// The worker whose death broke the pool, a position in the log; nullopt: none did.
    [[nodiscard]] std::optional<int> brokenBy() const { return m_brokenBy; }

private:
    void connectPool();
    void openGate();
    void handleBroken(const Error &error);
    [[nodiscard]] quint64 doneIn(const StageSnapshot &snapshot);
    void feed();
    void takeReports(std::span<const TaskReport> reports);
    void record(const TaskReport &report);
    void recordValue(const TaskReport &report, TaskRecord &record);
    void recordUnstarted(quint64 first, quint64 count, TaskStatus status);
    void recordRest();
    [[nodiscard]] qint64 lossNs(qint64 toldNs) const;
    void noteRetry(quint64 task, int worker, qint64 startedNs);
    void noteWorkerEnd(int worker, const ChildExit &exit, bool byPool, quint64 done);

    /// Workers enter the log in the order of their numbers, behind the parent.
    static int processOf(int worker) { return worker < 0 ? -1 : worker + 1; }

    const quint64 m_count;
    const quint32 m_workload;
    WorkerPoolConfig m_config;
    quint64 m_next = 0; ///< The next task to submit.
    quint64 m_reported = 0;
    int m_failureEvents = 0;
    bool m_isStopped = false;
    int m_lastDead = -1; ///< The worker that died last, a position in the log.
    std::optional<int> m_brokenBy;
    qint64 m_brokenNs = 0; ///< When that was, CLOCK_MONOTONIC.
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

} // namespace proclab
