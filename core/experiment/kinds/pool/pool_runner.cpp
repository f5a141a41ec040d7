// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/pool/pool_kind.h"
#include "core/experiment/kinds/pool/pool_state.h"
#include "core/experiment/run/worker_pool_runner.h"

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr quint64 maxTasksUnderWay = 131'072;
constexpr quint32 maxChunksUnderWay = 16'384;

/// Runs `pool` experiments.
class PoolRunner final : public WorkerPoolRunner
{
public:
    using WorkerPoolRunner::WorkerPoolRunner;

    void observe(StageSnapshot &snapshot, GaugeSample &gauges) override;

protected:
    [[nodiscard]] WorkerPoolConfig poolConfig() const override;
};

WorkerPoolConfig PoolRunner::poolConfig() const
{
    const ExperimentSpec &spec = m_context.spec;
    WorkerPoolConfig config;
    config.workers = spec.integer(u"pool.workers"_s);
    config.startMethod = *startMethodOf(spec.text(u"pool.start_method"_s));
    config.maxTasksPerWorker =
        static_cast<quint64>(spec.bigInteger(u"pool.max_tasks_per_worker"_s));
    config.onCrash = spec.text(u"pool.on_crash"_s) == u"retry"_s ? OnCrash::Retry : OnCrash::Fail;
    config.taskTimeout =
        std::chrono::milliseconds(qRound64(spec.number(u"pool.task_timeout_s"_s) * 1'000));
    const auto workers = static_cast<quint64>(config.workers);
    const QString method = spec.text(u"pool.method"_s);
    const quint64 size = poolChunkSize(spec);
    const quint64 needed = (taskCount() + size - 1) / size;
    quint64 chunks = std::min<quint64>(
        {needed, maxChunksUnderWay, std::max(2 * workers + 2, maxTasksUnderWay / size)});
    if (method == u"apply"_s)
        chunks = 1; // The caller waits for each result before it asks for the next.
    else if (method.startsWith(u"imap"_s))
        // Looks ahead no further than keeps the workers busy.
        chunks = std::min(chunks, 2 * workers + 2);
    config.tasksPerChunk = static_cast<quint32>(size);
    config.chunks = static_cast<quint32>(chunks);
    return config;
}

void PoolRunner::observe(StageSnapshot &snapshot, GaugeSample &gauges)
{
    WorkerPoolRunner::observe(snapshot, gauges);
    auto state = std::make_shared<PoolState>();
    state->nextTasks = nextTasks();
    snapshot.kindState = std::move(state);
}

} // namespace

std::unique_ptr<ExperimentRunner> makePoolRunner(RunnerContext context)
{
    return std::make_unique<PoolRunner>(context);
}

} // namespace proclab
