// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/executor/executor.h"
#include "core/ipc/queue.h"
#include "core/memory/shared_bytes.h"
#include "core/memory/value.h"
#include "core/pool/pool.h"
#include "tests/support/leak_check.h"
#include "tests/support/results.h"
#include "tests/support/worker_test_main.h"

#include <algorithm>
#include <csignal>
#include <thread>

#include <unistd.h>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;
using test::made;

namespace {

constexpr std::size_t large = std::size_t{1} << 30;
constexpr int limitMs = 30'000;

SharedBytes filled(std::size_t size, int with)
{
    const SharedBytes bytes = made(SharedBytes::allocate(size));
    std::ranges::fill(bytes.writable(), std::byte(with));
    return bytes;
}

bool isFilled(const SharedBytes &bytes, std::size_t size, int with)
{
    return bytes.size() == size && std::ranges::all_of(bytes.bytes(), [with](std::byte one) {
               return one == std::byte(with);
           });
}

/// Only its two ends are written.
SharedBytes ends(std::size_t size)
{
    const SharedBytes bytes = made(SharedBytes::allocate(size));
    bytes.writable().front() = std::byte(1);
    bytes.writable().back() = std::byte(2);
    return bytes;
}

Queue<int> queueOf(int count)
{
    const auto queue = made(Queue<int>::create());
    for (int i = 0; i < count; ++i)
        (void)queue.put(i);
    return queue;
}

std::vector<std::pair<std::string, Value<int>>> namedValues(int count)
{
    std::vector<std::pair<std::string, Value<int>>> values;
    for (int i = 0; i < count; ++i)
        values.emplace_back("number " + std::to_string(i), made(Value<int>::create(i)));
    return values;
}

/// From a pool of its own, in which the bytes were made.
SharedBytes nestedBytes(std::size_t size)
{
    Pool pool = made(Pool::open({.workers = 1}));
    const SharedBytes bytes = made(pool.apply<&filled>(size, 3));
    pool.close();
    (void)pool.join();
    return bytes;
}

/// Its worker ends a moment later, whatever it does then.
SharedBytes filledByTheDying(std::size_t size, int microseconds)
{
    const SharedBytes bytes = filled(size, 5);
    std::thread([microseconds] {
        const std::int64_t end = runtime::nowNs() + microseconds * 1'000;
        while (runtime::nowNs() < end) {
        }
        ::kill(::getpid(), SIGKILL);
    }).detach();
    return bytes;
}

quint32 objects()
{
    return runtime::ObjectSpace::instance().usage().objects;
}

} // namespace

/// Handles in results: what they are of is whole as long as somebody can ask for it, and no longer.
class tst_SharedResults : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void cleanup() { QTRY_COMPARE_WITH_TIMEOUT(objects(), 0U, limitMs); }
    void bytesComeWithoutACopy_data();
    void bytesComeWithoutACopy();
    void resultCanBeAskedForAgain();
    void resultsWithSeveralHandles();
    void mapsAndStreams();
    void futures();
    void nestedPools();
    void deathOfTheWorkerTakesNothing_data();
    void deathOfTheWorkerTakesNothing();
    void resultsThatNobodyAsksForAreFreed();

private:
    const test::LeakCheck m_leaks;
};

void tst_SharedResults::bytesComeWithoutACopy_data()
{
    QTest::addColumn<StartMethod>("method");
    QTest::addColumn<std::size_t>("size");
    QTest::newRow("spawn, 64 MiB") << StartMethod::Spawn << (std::size_t{64} << 20);
    QTest::newRow("forkserver, 1 byte") << StartMethod::ForkServer << std::size_t{1};
    QTest::newRow("forkserver, 1 GiB") << StartMethod::ForkServer << large;
    QTest::newRow("fork, 1 MiB") << StartMethod::Fork << (std::size_t{1} << 20);
}

void tst_SharedResults::bytesComeWithoutACopy()
{
    QFETCH(const StartMethod, method);
    QFETCH(const std::size_t, size);
    Pool pool = made(Pool::open({.workers = 1, .startMethod = method}));
    const SharedBytes bytes = made(pool.apply<&ends>(size));
    QCOMPARE(bytes.size(), size);
    QCOMPARE(int(bytes.bytes().front()), size == 1 ? 2 : 1);
    QCOMPARE(int(bytes.bytes().back()), 2);
    QVERIFY(bytes.writable().empty()); // It is the worker's.
    pool.terminate();
    QVERIFY(pool.join(30s));
    QCOMPARE(int(bytes.bytes().back()), 2); // Its maker is gone, it is not.
}

void tst_SharedResults::resultCanBeAskedForAgain()
{
    Pool pool = made(Pool::open({.workers = 1}));
    const auto call = pool.applyAsync<&filled>(10'000, 7);
    QVERIFY(isFilled(made(call.result()), 10'000, 7));
    pool.terminate();
    QVERIFY(pool.join(30s));
    QVERIFY(isFilled(made(call.result()), 10'000, 7));
}

void tst_SharedResults::resultsWithSeveralHandles()
{
    Pool pool = made(Pool::open({.workers = 2}));
    const auto values = made(pool.apply<&namedValues>(20));
    const auto queue = made(pool.apply<&queueOf>(100));
    pool.terminate();
    QVERIFY(pool.join(30s));
    QCOMPARE(values.size(), 20U);
    for (int i = 0; i < 20; ++i) {
        QCOMPARE(values[std::size_t(i)].first, "number " + std::to_string(i));
        QCOMPARE(values[std::size_t(i)].second.get(), i);
    }
    for (int i = 0; i < 100; ++i)
        QCOMPARE(queue.get(0s).value(), i);
}

void tst_SharedResults::mapsAndStreams()
{
    Pool pool = made(Pool::open({.workers = 3}));
    const std::vector<int> counts = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const auto queues = made(pool.map<&queueOf>(counts, 4));
    QCOMPARE(queues.size(), counts.size());
    for (std::size_t i = 0; i < queues.size(); ++i)
        QCOMPARE(queues[i].size(), counts[i]);
    auto stream = pool.imap<&queueOf>(counts);
    for (const int count : counts)
        QCOMPARE(made(stream.next(30s)).size(), count);
    pool.terminate();
    QVERIFY(pool.join(30s));
}

void tst_SharedResults::futures()
{
    Executor executor = made(Executor::open({.workers = 2}));
    const Future<SharedBytes> one = executor.submit<&filled>(5'000, 1);
    const Future<Queue<int>> two = executor.submit<&queueOf>(3);
    QVERIFY(isFilled(made(one.result(30s)), 5'000, 1));
    QCOMPARE(made(two.result(30s)).size(), 3);
    executor.shutdown();
}

void tst_SharedResults::nestedPools()
{
    Pool pool = made(Pool::open({.workers = 1}));
    QVERIFY(isFilled(made(pool.apply<&nestedBytes>(200'000)), 200'000, 3));
    pool.terminate();
    QVERIFY(pool.join(30s));
}

void tst_SharedResults::deathOfTheWorkerTakesNothing_data()
{
    QTest::addColumn<OnCrash>("onCrash");
    QTest::newRow("fail") << OnCrash::Fail;
    QTest::newRow("retry") << OnCrash::Retry;
}

/// Each worker is killed about when its result is ready: before, behind, and in the middle.
void tst_SharedResults::deathOfTheWorkerTakesNothing()
{
    QFETCH(const OnCrash, onCrash);
    Pool pool = made(Pool::open({.workers = 2, .onCrash = onCrash}));
    int whole = 0;
    constexpr int calls = 200;
    for (int i = 0; i < calls; ++i) {
        const auto call = pool.applyAsync<&filledByTheDying>(20'000, i % 100);
        const auto result = call.result(30s);
        if (result) {
            QVERIFY(isFilled(*result, 20'000, 5));
            ++whole;
        } else {
            QCOMPARE(result.error().code, ErrorCode::WorkerDied);
        }
    }
    qInfo("%d of %d results came", whole, calls);
    QVERIFY(whole > 0);
    pool.terminate();
    QVERIFY(pool.join(30s));
}

void tst_SharedResults::resultsThatNobodyAsksForAreFreed()
{
    Pool pool = made(Pool::open({.workers = 2}));
    for (int i = 0; i < 50; ++i)
        (void)pool.applyAsync<&filled>(100'000, i);
    {
        auto stream = pool.imap<&queueOf>(std::vector<int>(100, 2));
        QCOMPARE(made(stream.next(30s)).size(), 2);
    }
    (void)pool.mapAsync<&queueOf>(std::vector<int>(100, 2));
    QVERIFY(pool.apply<&queueOf>(1));
    QTRY_COMPARE_WITH_TIMEOUT(objects(), 0U, limitMs);
    // Also if the pool is ended before its results have been told.
    for (int i = 0; i < 50; ++i)
        (void)pool.applyAsync<&filled>(100'000, i);
    pool.terminate();
    QVERIFY(pool.join(30s));
}

PROCLAB_WORKER_TEST_MAIN(tst_SharedResults)
#include "tst_shared_results.moc"
