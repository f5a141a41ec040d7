// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/executor/executor.h"
#include "core/pool/pool.h"
#include "core/process/engine.h"
#include "tests/support/leak_check.h"
#include "tests/support/worker_test_main.h"

#include <QRandomGenerator>

#include <csignal>
#include <numeric>
#include <set>
#include <thread>

#include <poll.h>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;

namespace {

int square(int x)
{
    return x * x;
}

std::string textOf(int x)
{
    return std::to_string(x) + std::string(100, '.');
}

int sleepFor(int milliseconds)
{
    ::poll(nullptr, 0, milliseconds);
    return milliseconds;
}

std::vector<int> numbers(int count)
{
    std::vector<int> all(static_cast<std::size_t>(count));
    std::iota(all.begin(), all.end(), 0);
    return all;
}

/// What a thread that calls a pool all the time has seen.
struct Tally
{
    int calls = 0;
    int died = 0;
    int wrong = 0;

    template<typename T>
    void note(const Result<T> &result, const T &expected)
    {
        ++calls;
        if (!result && result.error().code == ErrorCode::WorkerDied)
            ++died;
        else if (!result || *result != expected)
            ++wrong;
    }
};

/// Single calls, with packed and other results, and maps; each result is judged.
Tally callUntil(Pool &pool, const std::atomic<bool> &isOver)
{
    const std::vector<int> inputs = numbers(2'000);
    std::vector<int> squares;
    std::ranges::transform(inputs, std::back_inserter(squares), square);
    Tally tally;
    while (!isOver) {
        const auto mapped = pool.mapAsync<&square>(inputs, 100);
        std::vector<AsyncResult<int>> single;
        std::vector<AsyncResult<std::string>> texts;
        for (int i = 0; i < 200; ++i) {
            single.push_back(pool.applyAsync<&square>(i));
            texts.push_back(pool.applyAsync<&textOf>(i));
        }
        for (int i = 0; i < 200; ++i) {
            tally.note(single[std::size_t(i)].result(60s), i * i);
            tally.note(texts[std::size_t(i)].result(60s), textOf(i));
        }
        tally.note(mapped.result(60s), squares);
    }
    return tally;
}

} // namespace

class tst_PoolResize : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { static_cast<void>(Engine::global()); } // Its thread stays.
    void init() { m_before.emplace(); }
    void cleanup() { QTRY_COMPARE(m_before->leftovers(), QString()); }
    void badSizesAreRefused_data();
    void badSizesAreRefused();
    void workersFollow();
    void busyWorkersLeaveWithTheirCalls();
    void growthIsUsedAtOnce();
    void executorStartsNoMoreThanItMay();
    void nothingIsLostInAStormOfCallsAndKills();

private:
    std::optional<test::LeakCheck> m_before;
};

void tst_PoolResize::badSizesAreRefused_data()
{
    QTest::addColumn<int>("workers");
    QTest::newRow("none") << 0;
    QTest::newRow("less than none") << -1;
    QTest::newRow("more than were reserved") << 5;
}

void tst_PoolResize::badSizesAreRefused()
{
    QFETCH(const int, workers);
    Result<Pool> pool = Pool::open({.workers = 1, .maxWorkers = 4});
    QVERIFY(pool);
    QCOMPARE(pool->resize(workers).error().code, ErrorCode::InvalidArgument);
    QCOMPARE(pool->workerCount(), 1);
    pool->close();
    QCOMPARE(pool->resize(2).error().code, ErrorCode::ShutDown);
    QVERIFY(pool->join(60s));
    QCOMPARE(Pool::open({.workers = 2, .maxWorkers = 1}).error().subject, u"maxWorkers"_s);
    QCOMPARE(Pool::open({.workers = 2, .maxWorkers = 257}).error().subject, u"maxWorkers"_s);
}

void tst_PoolResize::workersFollow()
{
    Result<Pool> pool = Pool::open({.workers = 2});
    QVERIFY(pool);
    for (const int workers : {7, 1, 3, 2, 12, 12, 1}) {
        QVERIFY(pool->resize(workers));
        QCOMPARE(pool->workerCount(), workers);
        QTRY_COMPARE_WITH_TIMEOUT(int(pool->workerPids().size()), workers, 60'000);
        QCOMPARE(pool->map<&square>(numbers(4), 1).value(), (std::vector<int>{0, 1, 4, 9}));
        QCOMPARE(int(pool->workerPids().size()), workers);
    }
    pool->close();
    QVERIFY(pool->join(60s));
}

void tst_PoolResize::busyWorkersLeaveWithTheirCalls()
{
    Result<Pool> pool = Pool::open({.workers = 4});
    QVERIFY(pool);
    std::vector<AsyncResult<int>> calls;
    for (int i = 0; i < 12; ++i)
        calls.push_back(pool->applyAsync<&sleepFor>(100 + i));
    QTRY_VERIFY_WITH_TIMEOUT(calls[3].isRunning() || calls[3].isDone(), 60'000);
    const auto before = pool->workerPids();
    QVERIFY(pool->resize(1));
    for (int i = 0; i < 12; ++i)
        QCOMPARE(calls[std::size_t(i)].result(60s).value(), 100 + i);
    QTRY_COMPARE_WITH_TIMEOUT(pool->workerPids().size(), 1U, 60'000);
    QVERIFY(std::ranges::count(before, pool->workerPids().front()) == 1); // One of the first.
    pool->close();
    QVERIFY(pool->join(60s));
}

void tst_PoolResize::growthIsUsedAtOnce()
{
    Result<Pool> pool = Pool::open({.workers = 1});
    QVERIFY(pool);
    const auto endless = pool->applyAsync<&sleepFor>(600'000);
    const auto next = pool->applyAsync<&square>(3); // Waits behind it.
    QTRY_VERIFY_WITH_TIMEOUT(endless.isRunning(), 60'000);
    QVERIFY(!next.wait(0s));
    QVERIFY(pool->resize(2));
    QCOMPARE(next.result(60s).value(), 9);
    QVERIFY(!endless.isDone());
    pool->terminate();
    QVERIFY(pool->join(60s));
    QVERIFY(endless.isCancelled());
}

void tst_PoolResize::executorStartsNoMoreThanItMay()
{
    auto executor = Executor::open({.workers = 1});
    QVERIFY(executor);
    QVERIFY(executor->resize(3));
    std::vector<Future<int>> calls;
    for (int i = 0; i < 6; ++i)
        calls.push_back(executor->submit<&sleepFor>(50));
    QTRY_COMPARE_WITH_TIMEOUT(executor->workerPids().size(), 3U, 60'000);
    QVERIFY(executor->resize(1));
    for (const Future<int> &call : calls)
        QCOMPARE(call.result(60s).value(), 50);
    QTRY_COMPARE_WITH_TIMEOUT(executor->workerPids().size(), 1U, 60'000);
    executor->shutdown();
}

void tst_PoolResize::nothingIsLostInAStormOfCallsAndKills()
{
    const quint32 seed = QRandomGenerator::global()->generate();
    qInfo("seed %u", seed);
    QRandomGenerator random(seed);
    Result<Pool> pool = Pool::open({.workers = 2, .maxWorkers = 16});
    QVERIFY(pool);
    std::atomic<bool> isOver{false};
    std::array<Tally, 2> tallies;
    std::vector<std::thread> callers;
    for (Tally &tally : tallies)
        callers.emplace_back([&] { tally = callUntil(*pool, isOver); });
    int kills = 0;
    bool areAllAccepted = true;
    for (int step = 0; step < 60; ++step) {
        areAllAccepted = areAllAccepted && pool->resize(1 + int(random.bounded(16)));
        const auto pids = pool->workerPids();
        if (random.bounded(3) == 0 && !pids.empty())
            kills += ::kill(static_cast<pid_t>(pids[random.bounded(quint32(pids.size()))]),
                            SIGKILL) == 0;
        // Each step beside other calls than the one before.
        static_cast<void>(pool->apply<&sleepFor>(1 + int(random.bounded(10))));
    }
    isOver = true;
    for (std::thread &caller : callers)
        caller.join();
    QVERIFY(areAllAccepted);
    Tally all;
    for (const Tally &tally : tallies) {
        QVERIFY(tally.calls > 0);
        QCOMPARE(tally.wrong, 0);
        all.died += tally.died;
    }
    QVERIFY2(all.died <= kills, qPrintable(u"%1 lost by %2 kills"_s.arg(all.died).arg(kills)));
    QVERIFY(pool->resize(3));
    QTRY_COMPARE_WITH_TIMEOUT(pool->workerPids().size(), 3U, 60'000);
    QCOMPARE(pool->apply<&square>(9).value(), 81);
    QTRY_COMPARE(pool->memoryInUse().arguments, 0U);
    QCOMPARE(pool->memoryInUse().results, 0U);
    pool->close();
    QVERIFY(pool->join(60s));
}

PROCLAB_WORKER_TEST_MAIN(tst_PoolResize)

#include "tst_pool_resize.moc"
