// SPDX-License-Identifier: GPL-3.0-or-later

// Measures the engine and prints one JSON object: what tests/bench/compare.py sets beside Python's
// figures. bench_calls has the calls of a program's own functions.

#include "core/pool/worker_pool.h"
#include "core/process/engine.h"
#include "core/process/worker_main.h"
#include "core/runtime/sync/shared_lock.h"

#include <QCoreApplication>
#include <QSemaphore>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <vector>

using namespace proclab;

namespace {

double seconds(qint64 from)
{
    return static_cast<double>(runtime::nowNs() - from) / 1e9;
}

quint32 workload(const char *name)
{
    return static_cast<quint32>(runtime::findWorkload(name) - runtime::workloads().data());
}

class BenchPool
{
public:
    BenchPool(Engine &engine, WorkerPoolConfig config) : m_engine(engine)
    {
        config.workerProgram = engine.workerProgram();
        call([&] {
            m_pool = std::make_unique<WorkerPool>(config);
            m_pool->setReportHandler([this](std::span<const TaskReport> reports) {
                for (const TaskReport &report : reports)
                    m_good += report.status == TaskReport::Status::Done ? 1 : 0;
                m_reported.fetch_add(reports.size());
            });
            QObject::connect(m_pool.get(), &WorkerPool::ready, m_pool.get(), [this] {
                m_pool->openGate();
                m_ready.release();
            });
            if (!m_pool->open())
                std::exit(1);
        });
        m_ready.acquire();
    }
    ~BenchPool()
    {
        call([this] {
            m_pool->terminate();
            m_pool.reset();
        });
    }
    WorkerPool &pool() { return *m_pool; }

    double runTasks(quint64 count, quint32 chunkSize)
    {
        m_reported = 0;
        TaskChunk chunk;
        chunk.workload = workload("noop");
        const qint64 begin = runtime::nowNs();
        for (chunk.first = 0; chunk.first < count; chunk.first += chunkSize) {
            chunk.count = static_cast<quint32>(std::min<quint64>(chunkSize, count - chunk.first));
            while (!m_pool->submit(chunk))
                QThread::yieldCurrentThread();
        }
        while (m_reported.load() < count)
            QThread::yieldCurrentThread();
        return static_cast<double>(count) / seconds(begin);
    }
    double roundTripUs(int count)
    {
        TaskChunk chunk;
        chunk.workload = workload("noop");
        std::vector<double> times;
        for (int i = 0; i < count; ++i) {
            const qint64 begin = runtime::nowNs();
            m_pool->apply(chunk);
            times.push_back(seconds(begin) * 1e6);
        }
        std::nth_element(times.begin(), times.begin() + count / 2, times.end());
        return times[static_cast<std::size_t>(count) / 2];
    }

private:
    template<typename Function>
    void call(Function function)
    {
        QMetaObject::invokeMethod(m_engine.context(), function, Qt::BlockingQueuedConnection);
    }

    Engine &m_engine;
    std::unique_ptr<WorkerPool> m_pool;
    QSemaphore m_ready;
    std::atomic<quint64> m_reported{0};
    quint64 m_good = 0;
};

/// Workers from the call to "ready at the gate", a second.
double startsPerSecond(Engine &engine, StartMethod method, int workers)
{
    const qint64 begin = runtime::nowNs();
    const BenchPool pool(engine, {.workers = workers, .startMethod = method, .chunks = 16});
    return workers / seconds(begin);
}

} // namespace

int main(int argc, char **argv)
{
    if (const auto code = workerMain(argc, argv))
        return *code;
    QCoreApplication application(argc, argv);
    Engine engine;
    const int cores = QThread::idealThreadCount();
    std::printf("{\"cores\": %d", cores);
    {
        BenchPool pool(engine, {.workers = std::max(1, cores - 1)});
        pool.runTasks(50'000, 1);
        std::printf(", \"pool_single_per_s\": %.0f", pool.runTasks(1'000'000, 1));
        std::printf(", \"round_trip_us\": %.2f", pool.roundTripUs(5'000));
    }
    {
        BenchPool pool(engine, {.workers = 2, .tasksPerChunk = 1'000, .chunks = 256});
        pool.runTasks(1'000'000, 1'000);
        std::printf(", \"pool_chunked_per_s\": %.0f", pool.runTasks(5'000'000, 1'000));
    }
    startsPerSecond(engine, StartMethod::Spawn, 8);
    std::printf(", \"spawn_per_s\": %.0f", startsPerSecond(engine, StartMethod::Spawn, 200));
    std::printf(", \"forkserver_per_s\": %.0f",
                startsPerSecond(engine, StartMethod::ForkServer, 200));
    std::printf("}\n");
    return 0;
}
