// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/pool/worker_pool.h"
#include "core/process/engine.h"
#include "tests/support/leak_check.h"

#include <QSemaphore>
#include <QTest>

#include <csignal>
#include <memory>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;

Q_DECLARE_METATYPE(TaskReport::Cause)
namespace {

quint32 numberOf(const char *name)
{
    return static_cast<quint32>(runtime::findWorkload(name) - runtime::workloads().data());
}

/// A pool in the engine's thread, and everything that it reports.
class PoolUnderTest
{
public:
    PoolUnderTest(Engine &engine, WorkerPoolConfig config) : m_engine(engine)
    {
        config.workerProgram = engine.workerProgram();
        call([&] {
            pool = std::make_unique<WorkerPool>(config);
            pool->moveToThread(engine.context()->thread());
            pool->setReportHandler([this](std::span<const TaskReport> batch) {
                const std::lock_guard lock(mutex);
                reports.insert(reports.end(), batch.begin(), batch.end());
            });
            QObject::connect(pool.get(), &WorkerPool::ready, pool.get(), [this] {
                pool->openGate();
                isReady.release();
            });
            QObject::connect(pool.get(), &WorkerPool::closed, pool.get(),
                             [this] { isClosed.release(); });
            QObject::connect(pool.get(), &WorkerPool::broken, pool.get(),
                             [this](const Error &error) { failure = error; });
            QObject::connect(pool.get(), &WorkerPool::workerStarted, pool.get(),
                             [this](int, qint64 pid, int) {
                                 const std::lock_guard lock(mutex);
                                 pids.push_back(pid);
                             });
            opened = pool->open();
        });
    }
    ~PoolUnderTest()
    {
        call([&] { pool.reset(); });
    }

    template<typename Function>
    void call(Function function)
    {
        QMetaObject::invokeMethod(m_engine.context(), function, Qt::BlockingQueuedConnection);
    }
    bool waitReady() { return isReady.tryAcquire(1, 20'000); }
    bool close()
    {
        call([&] { pool->close(); });
        return isClosed.tryAcquire(1, 60'000);
    }
    bool submit(const char *workload, const std::vector<runtime::ArgumentValue> &arguments,
                quint64 first, quint32 count = 1)
    {
        const std::vector<std::byte> bytes = runtime::encodeArguments(arguments);
        TaskChunk chunk;
        chunk.workload = numberOf(workload);
        chunk.first = first;
        chunk.count = count;
        chunk.inlineArgs = bytes;
        return pool->submit(chunk).has_value();
    }
    std::vector<TaskReport> sorted()
    {
        const std::lock_guard lock(mutex);
        std::vector<TaskReport> all = reports;
        std::sort(all.begin(), all.end(),
                  [](const auto &a, const auto &b) { return a.index < b.index; });
        return all;
    }
    std::size_t reportCount()
    {
        const std::lock_guard lock(mutex);
        return reports.size();
    }
    std::vector<qint64> allPids()
    {
        const std::lock_guard lock(mutex);
        return pids;
    }

    std::unique_ptr<WorkerPool> pool;
    Result<void> opened;
    std::optional<Error> failure;
    QSemaphore isReady;
    QSemaphore isClosed;
    std::mutex mutex;
    std::vector<TaskReport> reports;
    std::vector<qint64> pids;

private:
    Engine &m_engine;
};

} // namespace

namespace {

/// Kills the children of this process that the pool has not told of: its zygote, and who is just
/// being forked. Returns how many.
int killTheUntold(PoolUnderTest &pool)
{
    const QSet<qint64> children = test::childPids();
    const auto told = pool.allPids();
    int killed = 0;
    for (const qint64 pid : children) {
        if (std::find(told.begin(), told.end(), pid) == told.end())
            killed += ::kill(static_cast<pid_t>(pid), SIGKILL) == 0 ? 1 : 0;
    }
    return killed;
}

} // namespace

class tst_WorkerPool : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyTaskIsReportedOnce_data();
    void everyTaskIsReportedOnce();
    void failedTaskIsReportedOnce_data();
    void failedTaskIsReportedOnce();
    void deathInChunkCostsOneTask();
    void killedWorkerLosesOnlyItsTask();
    void progressIsOfTheTaskInHand();
    void retriedTaskSucceedsOrFailsAfterTwo();
    void retryIsToldToTheTask();
    void waitingTasksAreWithdrawn();
    void workerIsReplacedAfterItsShare();
    void terminateCancelsTheRest();
    void applyReturnsTheResult();
    void missingProgramIsOneError();
    void killedZygoteIsReplaced();
    void zygotesKilledAtAnyTimeLeaveNothing();

private:
    Engine m_engine;
};

void tst_WorkerPool::everyTaskIsReportedOnce_data()
{
    QTest::addColumn<StartMethod>("method");
    QTest::addColumn<quint32>("chunk");
    QTest::newRow("spawn, single") << StartMethod::Spawn << 1U;
    QTest::newRow("forkserver, single") << StartMethod::ForkServer << 1U;
    QTest::newRow("spawn, chunks") << StartMethod::Spawn << 100U;
    QTest::newRow("forkserver, chunks") << StartMethod::ForkServer << 100U;
}

void tst_WorkerPool::everyTaskIsReportedOnce()
{
    QFETCH(const StartMethod, method);
    QFETCH(const quint32, chunk);
    const test::LeakCheck before;
    constexpr quint64 count = 20'000;
    {
        PoolUnderTest pool(
            m_engine,
            {.workers = 3, .startMethod = method, .tasksPerChunk = chunk, .chunks = 1024});
        QVERIFY(pool.opened);
        QVERIFY(pool.waitReady());
        for (quint64 first = 0; first < count; first += chunk)
            QVERIFY(QTest::qWaitFor(
                [&] { return pool.submit("math.square", {std::int64_t{7}}, first, chunk); },
                20'000));
        QVERIFY(pool.close());
        const auto reports = pool.sorted();
        QCOMPARE(reports.size(), count);
        for (quint64 i = 0; i < count; ++i) {
            QCOMPARE(reports[i].index, i);
            QCOMPARE(reports[i].status, TaskReport::Status::Done);
            QCOMPARE(reports[i].value.integer, 49);
            QVERIFY(reports[i].submittedNs <= reports[i].finishedNs);
            QVERIFY(reports[i].startedNs <= reports[i].finishedNs);
        }
    }
    QTRY_COMPARE(before.leftovers(), QString());
}

void tst_WorkerPool::failedTaskIsReportedOnce_data()
{
    QTest::addColumn<QByteArray>("workload");
    QTest::addColumn<TaskReport::Cause>("cause");
    QTest::addColumn<int>("code");
    QTest::newRow("throws") << QByteArray("fail.throw") << TaskReport::Cause::Exception << 0;
    QTest::newRow("exits") << QByteArray("fail.exit") << TaskReport::Cause::Exit << 1;
    QTest::newRow("crashes") << QByteArray("fail.crash") << TaskReport::Cause::Signal << SIGSEGV;
    QTest::newRow("never ends") << QByteArray("fail.hang") << TaskReport::Cause::Timeout << SIGKILL;
}

void tst_WorkerPool::failedTaskIsReportedOnce()
{
    QFETCH(const QByteArray, workload);
    QFETCH(const TaskReport::Cause, cause);
    QFETCH(const int, code);
    const test::LeakCheck before;
    {
        PoolUnderTest pool(m_engine, {.workers = 2, .taskTimeout = 500ms});
        QVERIFY(pool.opened);
        QVERIFY(pool.waitReady());
        std::vector<runtime::ArgumentValue> arguments;
        for (const runtime::ArgumentInfo &info :
             runtime::findWorkload(workload.constData())->arguments) {
            if (info.type == runtime::ArgumentType::Text)
                arguments.emplace_back(std::string("told so"));
            else if (info.type == runtime::ArgumentType::Number)
                arguments.emplace_back(info.defaultNumber);
            else if (info.name == "every")
                arguments.emplace_back(std::int64_t{3});
            else
                arguments.emplace_back(static_cast<std::int64_t>(info.defaultNumber));
        }
        for (quint64 i = 0; i < 9; ++i)
            QVERIFY(pool.submit(workload.constData(), arguments, i));
        QVERIFY(pool.close());
        const auto reports = pool.sorted();
        QCOMPARE(reports.size(), 9U);
        for (const TaskReport &report : reports) {
            if ((report.index + 1) % 3 != 0) {
                QCOMPARE(report.status, TaskReport::Status::Done);
                QCOMPARE(report.value.integer, static_cast<qint64>(report.index));
                continue;
            }
            QCOMPARE(report.status, TaskReport::Status::Failed);
            QCOMPARE(report.cause, cause);
            QCOMPARE(report.code, code);
            if (cause == TaskReport::Cause::Exception)
                QCOMPARE(QString::fromStdString(report.message), u"std::runtime_error: told so"_s);
        }
    }
    QTRY_COMPARE(before.leftovers(), QString());
}

void tst_WorkerPool::deathInChunkCostsOneTask()
{
    PoolUnderTest pool(m_engine, {.workers = 2, .tasksPerChunk = 10});
    QVERIFY(pool.opened);
    QVERIFY(pool.waitReady());
    std::vector<runtime::ArgumentValue> arguments;
    for (const runtime::ArgumentInfo &info : runtime::findWorkload("fail.crash")->arguments) {
        if (info.type == runtime::ArgumentType::Number)
            arguments.emplace_back(info.defaultNumber);
        else
            arguments.emplace_back(info.name == "every"
                                       ? std::int64_t{5}
                                       : static_cast<std::int64_t>(info.defaultNumber));
    }
    QVERIFY(pool.submit("fail.crash", arguments, 0, 10));
    QVERIFY(pool.submit("fail.crash", arguments, 10, 10));
    QVERIFY(pool.close());
    const auto reports = pool.sorted();
    QCOMPARE(reports.size(), 20U);
    for (const TaskReport &report : reports)
        QCOMPARE(report.status, (report.index + 1) % 5 == 0 ? TaskReport::Status::Failed
                                                            : TaskReport::Status::Done);
    // Deaths with nothing left to do need no replacement.
    QVERIFY(pool.allPids().size() >= 2U + 2U);
}

void tst_WorkerPool::killedWorkerLosesOnlyItsTask()
{
    PoolUnderTest pool(m_engine, {.workers = 2});
    QVERIFY(pool.opened);
    QVERIFY(pool.waitReady());
    for (quint64 i = 0; i < 8; ++i)
        QVERIFY(pool.submit("io.sleep", {0.3, 0.3}, i));
    runtime::ProcessSlot &slot = pool.pool->header().slot(0);
    QTRY_VERIFY_WITH_TIMEOUT(slot.hasItem(), 10'000);
    const quint64 victim = slot.current.load();
    QCOMPARE(::kill(slot.pid.load(), SIGKILL), 0);
    QVERIFY(pool.close());
    const auto reports = pool.sorted();
    QCOMPARE(reports.size(), 8U);
    for (const TaskReport &report : reports) {
        if (report.index == victim) {
            QCOMPARE(report.status, TaskReport::Status::Lost);
            QCOMPARE(report.code, SIGKILL);
        } else {
            QCOMPARE(report.status, TaskReport::Status::Done);
        }
    }
    QCOMPARE(pool.allPids().size(), 3U);
}

void tst_WorkerPool::progressIsOfTheTaskInHand()
{
    PoolUnderTest pool(m_engine, {.workers = 1});
    QVERIFY(pool.opened);
    QVERIFY(pool.waitReady());
    QVERIFY(pool.submit("io.sleep", {0.5, 0.5}, 0));
    QVERIFY(pool.submit("fail.hang", {std::int64_t{1}, 0.0}, 1)); // It tells nothing.
    const runtime::ProcessSlot &slot = pool.pool->header().slot(0);
    QTRY_VERIFY_WITH_TIMEOUT(slot.taskProgress.fraction().value_or(0) > 0, 10'000);
    QTRY_VERIFY_WITH_TIMEOUT(slot.current.load() == 1 && slot.hasItem(), 10'000);
    QVERIFY(!slot.taskProgress.fraction());
    QCOMPARE(::kill(slot.pid.load(), SIGKILL), 0);
    QVERIFY(pool.close());
}

void tst_WorkerPool::retriedTaskSucceedsOrFailsAfterTwo()
{
    PoolUnderTest pool(m_engine, {.workers = 1, .onCrash = OnCrash::Retry});
    QVERIFY(pool.opened);
    QVERIFY(pool.waitReady());
    std::vector<runtime::ArgumentValue> arguments;
    for (const runtime::ArgumentInfo &info : runtime::findWorkload("fail.exit")->arguments) {
        if (info.type == runtime::ArgumentType::Number)
            arguments.emplace_back(info.defaultNumber);
        else
            arguments.emplace_back(static_cast<std::int64_t>(info.defaultNumber));
    }
    QVERIFY(pool.submit("fail.exit", arguments, 0));
    QVERIFY(pool.submit("math.square", {std::int64_t{3}}, 1));
    QVERIFY(pool.close());
    const auto reports = pool.sorted();
    QCOMPARE(reports.size(), 2U);
    QCOMPARE(reports[0].status, TaskReport::Status::Failed);
    QCOMPARE(reports[0].attempts, 2);
    QCOMPARE(reports[1].value.integer, 9);
    QCOMPARE(pool.pool->retriedCount(), 1U);
}

void tst_WorkerPool::retryIsToldToTheTask()
{
    PoolUnderTest pool(m_engine, {.workers = 1, .tasksPerChunk = 4, .onCrash = OnCrash::Retry});
    QVERIFY(pool.opened);
    std::vector<std::tuple<quint64, int, qint64>> retried;
    pool.call([&] {
        QObject::connect(pool.pool.get(), &WorkerPool::taskRetried, pool.pool.get(),
                         [&](quint64 task, int worker, qint64 startedNs) {
                             retried.emplace_back(task, worker, startedNs);
                         });
    });
    QVERIFY(pool.waitReady());
    // Numbers 1 and 3 end their worker at the first attempt only.
    QVERIFY(pool.submit("fail.crash",
                        {std::int64_t{SIGSEGV}, std::int64_t{2}, 0.0, std::int64_t{1}}, 0, 4));
    QVERIFY(pool.close());
    const auto reports = pool.sorted();
    QCOMPARE(reports.size(), 4U);
    for (const TaskReport &report : reports) {
        QCOMPARE(report.status, TaskReport::Status::Done);
        QCOMPARE(report.attempts, report.index % 2 == 1 ? 2 : 1);
    }
    QCOMPARE(retried.size(), 2U);
    for (std::size_t i = 0; i < retried.size(); ++i) {
        const auto &[task, worker, startedNs] = retried[i];
        QCOMPARE(task, 2 * i + 1);
        QCOMPARE(worker, static_cast<int>(i));
        QVERIFY(startedNs > 0 && startedNs <= reports[task].startedNs);
    }
}

/// Without a sink, too: the caller tells itself.
void tst_WorkerPool::waitingTasksAreWithdrawn()
{
    PoolUnderTest pool(m_engine, {.workers = 1});
    QVERIFY(pool.opened);
    QVERIFY(pool.waitReady());
    QVERIFY(pool.submit("io.sleep", {0.5, 0.5}, 0));
    const runtime::ProcessSlot &slot = pool.pool->header().slot(0);
    QTRY_VERIFY_WITH_TIMEOUT(slot.hasItem(), 10'000);
    for (quint64 i = 1; i < 4; ++i)
        QVERIFY(pool.submit("noop", {}, i));
    std::vector<quint64> withdrawn;
    for (const WithdrawnChunk &chunk : pool.pool->withdrawAll()) {
        QVERIFY(!chunk.sink);
        QCOMPARE(chunk.count, 1U);
        withdrawn.push_back(chunk.first);
    }
    std::ranges::sort(withdrawn);
    QCOMPARE(withdrawn, (std::vector<quint64>{1, 2, 3}));
    QVERIFY(pool.pool->withdrawAll().empty());
    QVERIFY(pool.close());
    QCOMPARE(pool.reportCount(), 1U);
}

void tst_WorkerPool::workerIsReplacedAfterItsShare()
{
    PoolUnderTest pool(m_engine, {.workers = 1, .tasksPerChunk = 4, .maxTasksPerWorker = 3});
    QVERIFY(pool.opened);
    QVERIFY(pool.waitReady());
    for (quint64 i = 0; i < 12; i += 4)
        QVERIFY(pool.submit("math.square", {std::int64_t{2}}, i, 4));
    QVERIFY(pool.close());
    QCOMPARE(pool.sorted().size(), 12U);
    QCOMPARE(pool.allPids().size(), 4U); // Three tasks each, also within a chunk.
}

void tst_WorkerPool::terminateCancelsTheRest()
{
    PoolUnderTest pool(m_engine, {.workers = 2});
    QVERIFY(pool.opened);
    QVERIFY(pool.waitReady());
    for (quint64 i = 0; i < 100; ++i)
        QVERIFY(pool.submit("io.sleep", {300.0, 300.0}, i));
    QTRY_VERIFY_WITH_TIMEOUT(pool.pool->header().slot(0).hasItem(), 10'000);
    pool.call([&] { pool.pool->terminate(); });
    QVERIFY(pool.isClosed.tryAcquire(1, 20'000));
    const auto reports = pool.sorted();
    QCOMPARE(reports.size(), 100U);
    for (const TaskReport &report : reports)
        QCOMPARE(report.status, TaskReport::Status::Cancelled);
}

void tst_WorkerPool::applyReturnsTheResult()
{
    PoolUnderTest pool(m_engine, {.workers = 2});
    QVERIFY(pool.opened);
    QVERIFY(pool.waitReady());
    const std::vector<std::byte> bytes =
        runtime::encodeArguments(std::vector<runtime::ArgumentValue>{std::int64_t{12}});
    TaskChunk chunk;
    chunk.workload = numberOf("math.square");
    chunk.inlineArgs = bytes;
    for (chunk.first = 0; chunk.first < 1'000; ++chunk.first) {
        const TaskReport report = pool.pool->apply(chunk);
        QCOMPARE(report.index, chunk.first);
        QCOMPARE(report.value.integer, 144);
    }
    QVERIFY(pool.close());
    QCOMPARE(pool.reportCount(), 0U); // Their callers have them.
}

void tst_WorkerPool::missingProgramIsOneError()
{
    const test::LeakCheck before;
    Engine engine(u"/nowhere/proclab-worker"_s);
    {
        PoolUnderTest pool(engine, {.workers = 2});
        QVERIFY(!pool.opened);
        QCOMPARE(pool.opened.error().code, ErrorCode::OsError);
        QVERIFY(errorText(pool.opened.error()).startsWith(u"/nowhere/proclab-worker: "_s));
    }
}

void tst_WorkerPool::killedZygoteIsReplaced()
{
    const test::LeakCheck before;
    {
        PoolUnderTest pool(m_engine, {.workers = 2});
        QVERIFY(pool.opened);
        QVERIFY(pool.waitReady());
        const auto workers = pool.allPids();
        QCOMPARE(killTheUntold(pool), 1);
        // Only a new zygote can replace this worker.
        QCOMPARE(::kill(static_cast<pid_t>(workers[0]), SIGKILL), 0);
        QTRY_COMPARE_WITH_TIMEOUT(pool.allPids().size(), 3U, 20'000);
        for (quint64 i = 0; i < 50; ++i)
            QVERIFY(pool.submit("math.square", {std::int64_t{4}}, i));
        QVERIFY(pool.close());
        QCOMPARE(pool.sorted().size(), 50U);
    }
    QTRY_COMPARE(before.leftovers(), QString());
}

void tst_WorkerPool::zygotesKilledAtAnyTimeLeaveNothing()
{
    const test::LeakCheck before;
    {
        // Each task ends its worker, so that a zygote is in the middle of a fork most of the time.
        PoolUnderTest pool(m_engine, {.workers = 4});
        QVERIFY(pool.opened);
        QVERIFY(pool.waitReady());
        constexpr quint64 count = 300;
        for (quint64 i = 0; i < count; ++i)
            QVERIFY(pool.submit("fail.exit", {std::int64_t{1}, std::int64_t{1}, 0.0}, i));
        int killed = 0;
        for (std::size_t next = 20; next < count; next += 20) {
            QTRY_VERIFY_WITH_TIMEOUT(pool.reportCount() >= next, 30'000);
            killed += killTheUntold(pool);
        }
        QVERIFY(killed > 5);
        QVERIFY(pool.close());
        const auto reports = pool.sorted();
        QCOMPARE(reports.size(), count);
        for (quint64 i = 0; i < count; ++i) {
            QCOMPARE(reports[i].index, i);
            // A worker that was just being forked may be hit in its first task.
            QVERIFY(reports[i].cause == TaskReport::Cause::Exit ||
                    reports[i].cause == TaskReport::Cause::Lost);
            QVERIFY(reports[i].worker >= 0);
        }
    }
    QTRY_COMPARE(before.leftovers(), QString());
}

QTEST_GUILESS_MAIN(tst_WorkerPool)
#include "tst_worker_pool.moc"
