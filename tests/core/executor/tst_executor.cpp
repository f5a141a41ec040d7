// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/call/remote_error.h"
#include "core/executor/executor.h"
#include "core/process/engine.h"
#include "tests/support/leak_check.h"
#include "tests/support/tasks.h"
#include "tests/support/worker_test_main.h"

#include <QElapsedTimer>
#include <QMutex>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include <sys/sysinfo.h> // get_nprocs()

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;
using namespace proclab::test;

namespace {

/// Tells how many of it live; a decoded one leaves a file at its end.
struct Counted
{
    explicit Counted(std::string file) : path(std::move(file)) { ++living; }
    Counted(const Counted &other) : path(other.path) { ++living; }
    Counted(Counted &&other) noexcept
        : path(other.path)
        , leavesFile(std::exchange(other.leavesFile, false))
    {
        ++living;
    }
    Counted &operator=(const Counted &) = delete;
    ~Counted()
    {
        --living;
        if (leavesFile)
            Folder::makeFile(path);
    }

    std::string path;
    bool leavesFile = false;
    inline static std::atomic<int> living = 0;
};

} // namespace

template<>
struct proclab::Codec<Counted>
{
    static void encode(PayloadWriter &writer, const Counted &value)
    {
        Codec<std::string>::encode(writer, value.path);
    }
    static Counted decode(PayloadReader &reader)
    {
        Counted value(Codec<std::string>::decode(reader));
        value.leavesFile = true;
        return value;
    }
};

namespace {

int difference(int left, int right)
{
    return left - right;
}

/// C++'s named arguments.
struct Named
{
    int base = 2;
    int exponent = 1;
};

int power(Named named)
{
    int value = 1;
    for (int i = 0; i < named.exponent; ++i)
        value *= named.base;
    return value;
}

std::size_t lengthOf(const Counted &value)
{
    return value.path.size();
}

Counted sameAgain(const std::string &path)
{
    return Counted(path);
}

int told = 0;

void tell(int first, int second)
{
    told += first * 100 + second;
}

int whatWasTold()
{
    return told;
}

/// Waits until @p count tasks are in it at once.
int meetAll(const std::string &folder, int own, int count)
{
    Folder::makeFile(folder + "/here" + std::to_string(own));
    for (int i = 0; i < count; ++i)
        waitForFile(folder + "/here" + std::to_string(i));
    return own;
}

/// A worker that has an executor of its own, and so on, @p depth times.
int nest(int depth, int maxNesting)
{
    if (depth == 0)
        return 0;
    auto executor = valueOrThrow(Executor::open({.workers = 1, .maxNesting = maxNesting}));
    const ExecutorScope scope(executor);
    return 1 + valueOrThrow(executor.submit<&nest>(depth - 1, maxNesting).result());
}

quint64 sumOf(const QByteArray &bytes)
{
    quint64 sum = static_cast<quint64>(bytes.size());
    for (const qsizetype i : {qsizetype(0), bytes.size() / 2, bytes.size() - 1})
        sum += static_cast<unsigned char>(bytes[i]);
    return sum;
}

} // namespace

class tst_Executor : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { static_cast<void>(Engine::global()); } // Its thread stays.
    void init() { m_before.emplace(); }
    void cleanup() { QTRY_COMPARE(m_before->leftovers(), QString()); }
    void submitAndMapGiveValues_data() { addPoolStartMethods(); }
    void submitAndMapGiveValues();
    void exceptionArrivesWithItsPlace_data() { addPoolStartMethods(); }
    void exceptionArrivesWithItsPlace();
    void badOptionsAreRefused();
    void hasNoMoreWorkersThanItMay_data() { addPoolStartMethods(); }
    void hasNoMoreWorkersThanItMay();
    void workersAreMadeOnDemand_data() { addPoolStartMethods(); }
    void workersAreMadeOnDemand();
    void workerIsReplacedAfterItsShare_data() { addPoolStartMethods(); }
    void workerIsReplacedAfterItsShare();
    void shareOfOneAndShutdown_data() { addPoolStartMethods(); }
    void shareOfOneAndShutdown();
    void shareWorksBesideThreads_data() { addPoolStartMethods(); }
    void shareWorksBesideThreads();
    void nothingIsKept();
    void initializerRunsBeforeTheFirstTask_data() { addPoolStartMethods(); }
    void initializerRunsBeforeTheFirstTask();
    void asManyRunAtOnceAsThereAreWorkers_data() { addPoolStartMethods(); }
    void asManyRunAtOnceAsThereAreWorkers();
    void executorsNestToALimit_data() { addPoolStartMethods(); }
    void executorsNestToALimit();
    void argumentThatNeverFitsFails();
    void cancelledChunksMakeRoomInOrder();

private:
    static Result<Executor> open(int workers, StartMethod method = StartMethod::ForkServer)
    {
        return Executor::open({.workers = workers, .startMethod = method});
    }
    std::optional<LeakCheck> m_before;
};

void tst_Executor::submitAndMapGiveValues() // EX-01
{
    QFETCH(const StartMethod, method);
    auto executor = open(2, method);
    QVERIFY(executor);
    QCOMPARE(executor->submit<&difference>(7, 9).result(60s).value(), -2);
    QCOMPARE(executor->submit<&power>(Named{.exponent = 10}).result(60s).value(), 1024);
    for (const int chunkSize : {1, 3}) {
        auto values = executor->map<&difference>(MapOptions{.chunkSize = chunkSize}, countTo(10),
                                                 std::vector<int>(8, 2));
        for (int i = 0; i < 8; ++i) // The shorter list ends it.
            QCOMPARE(values.next(60s).value(), i - 2);
        QCOMPARE(values.next().error().code, ErrorCode::EndOfStream);
    }
    executor->shutdown();
}

void tst_Executor::exceptionArrivesWithItsPlace() // EX-02
{
    QFETCH(const StartMethod, method);
    auto executor = open(1, method);
    QVERIFY(executor);
    const auto failed = executor->submit<&failAtTwo>(2).result(60s);
    QVERIFY(!failed);
    try {
        valueOrThrow(failed);
        QFAIL("nothing was thrown");
    } catch (const Expired &error) {
        QCOMPARE(error.value, 2);
    }
    const QString trace = failed.error().remote->trace;
    QVERIFY2(trace.contains(u"failAtTwo"_s) && trace.contains(u"PID"_s), qPrintable(trace));
    QCOMPARE(executor->submit<&failAtTwo>(3).result(60s).value(), 30);
    executor->shutdown();
}

void tst_Executor::badOptionsAreRefused() // EX-03
{
    for (const int workers : {0, -1, 257}) {
        const auto refused = open(workers);
        QVERIFY(!refused);
        QCOMPARE(refused.error().code, ErrorCode::InvalidArgument);
    }
    auto executor = open(1);
    QVERIFY(executor);
    for (const int size : {0, -1}) {
        auto values = executor->map<&square>(MapOptions{.chunkSize = size}, countTo(4));
        QCOMPARE(values.next().error().code, ErrorCode::InvalidArgument);
        QCOMPARE(values.next().error().code, ErrorCode::EndOfStream);
    }
    for (const int ahead : {0, -1}) { // EX-09
        auto values = executor->map<&square>(MapOptions{.lookAhead = ahead}, countTo(4));
        QCOMPARE(values.next().error().code, ErrorCode::InvalidArgument);
    }
    executor->shutdown();
}

void tst_Executor::hasNoMoreWorkersThanItMay() // EX-10
{
    QFETCH(const StartMethod, method);
    const Folder folder;
    auto executor = open(3, method);
    QVERIFY(executor);
    std::vector<Future<int>> futures;
    for (int i = 0; i < 15 * 3; ++i) {
        futures.push_back(executor->submit<&waitForFile>(folder.path("go")));
        QVERIFY(executor->workerPids().size() <= 3);
    }
    QTRY_COMPARE(executor->workerPids().size(), 3U);
    folder.make("go");
    for (const auto &future : futures) {
        QCOMPARE(future.result(60s).value(), 1);
        QVERIFY(executor->workerPids().size() <= 3);
    }
    executor->shutdown();
}

void tst_Executor::workersAreMadeOnDemand() // EX-11
{
    QFETCH(const StartMethod, method);
    const Folder folder;
    auto executor = open(4, method);
    QVERIFY(executor);
    QCOMPARE(executor->workerPids().size(), 0U);
    std::set<qint64> pids;
    for (int i = 0; i < 3; ++i)
        pids.insert(executor->submit<&ownPid>().result(60s).value());
    QCOMPARE(pids.size(), 1U);
    for (int i = 0; i < 3; ++i) { // Six, two at once.
        const std::string path = folder.path(std::to_string(i).c_str());
        const auto waiting = executor->submit<&waitForFile>(path);
        const auto opening = executor->submit<&leaveFile>(path);
        QCOMPARE(waiting.result(60s).value(), 1);
        QCOMPARE(opening.result(60s).value(), 1);
    }
    QVERIFY(executor->workerPids().size() <= 3);
    executor->shutdown();
}

void tst_Executor::workerIsReplacedAfterItsShare() // EX-12
{
    QFETCH(const StartMethod, method);
    auto executor = Executor::open({.workers = 1, .startMethod = method, .maxTasksPerWorker = 3});
    QVERIFY(executor);
    std::vector<qint64> pids;
    for (int i = 0; i < 4; ++i) {
        pids.push_back(executor->submit<&ownPid>().result(60s).value());
        QVERIFY(executor->workerPids().size() <= 1);
    }
    QCOMPARE(pids[0], pids[1]);
    QCOMPARE(pids[0], pids[2]);
    QVERIFY(pids[3] != pids[0]);
    QCOMPARE(::kill(static_cast<pid_t>(pids[0]), 0), -1);
    QCOMPARE(errno, ESRCH); // Gone, and reaped.
    executor->shutdown();
}

void tst_Executor::shareOfOneAndShutdown() // EX-13
{
    QFETCH(const StartMethod, method);
    auto executor = Executor::open({.workers = 3, .startMethod = method, .maxTasksPerWorker = 1});
    QVERIFY(executor);
    std::vector<Future<int>> futures;
    for (int i = 0; i < 6; ++i)
        futures.push_back(executor->submit<&square>(i));
    executor->shutdown();
    for (int i = 0; i < 6; ++i)
        QCOMPARE(futures[std::size_t(i)].result(0s).value(), i * i);
}

/// Both ways fork only from a process without threads, so that a share is always safe.
void tst_Executor::shareWorksBesideThreads() // EX-14
{
    QFETCH(const StartMethod, method);
    std::atomic<bool> goesOn = true;
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i)
        threads.emplace_back([&goesOn] {
            while (goesOn)
                delete[] new char[1024];
        });
    auto executor = Executor::open({.workers = 2, .startMethod = method, .maxTasksPerWorker = 1});
    QVERIFY(executor);
    auto values = executor->map<&square>(countTo(20));
    for (int i = 0; i < 20; ++i)
        QCOMPARE(values.next(60s).value(), i * i);
    executor->shutdown();
    goesOn = false;
    for (std::thread &thread : threads)
        thread.join();
}

void tst_Executor::nothingIsKept() // EX-15
{
    const Folder folder;
    auto executor = open(1);
    QVERIFY(executor);
    std::weak_ptr<FutureState> state;
    {
        const auto future = executor->submit<&lengthOf>(Counted(folder.path("destroyed")));
        state = future.state();
    } // Dropped before or while it runs.
    QTRY_VERIFY_WITH_TIMEOUT(folder.has("destroyed"), 1'000 + 30'000); // Start of the worker.
    QTRY_VERIFY(state.expired());
    QCOMPARE(Counted::living.load(), 0);
    // An idle worker has destroyed its argument within a second of the task's end.
    QCOMPARE(executor->submit<&lengthOf>(Counted(folder.path("again"))).result(60s).value(),
             folder.path("again").size());
    QTRY_VERIFY_WITH_TIMEOUT(folder.has("again"), 1'000);
    auto values = executor->map<&sameAgain>(std::vector<std::string>(3, "/dev/null"));
    for (int i = 0; i < 3; ++i) {
        const auto value = values.next(60s);
        QVERIFY(value);
        QCOMPARE(Counted::living.load(), 1);
    }
    std::vector<Future<int>> futures = {executor->submit<&square>(1), executor->submit<&square>(2)};
    auto completed = asCompleted(futures);
    futures.clear();
    for (int i = 0; i < 2; ++i) {
        {
            const auto done = completed.next();
            QVERIFY(done);
            state = done->state();
        }
        QTRY_VERIFY(state.expired());
    }
    executor->shutdown();
}

void tst_Executor::initializerRunsBeforeTheFirstTask() // EX-27
{
    QFETCH(const StartMethod, method);
    auto executor = Executor::openWith<&tell>(
        {.workers = 2, .startMethod = method, .maxTasksPerWorker = 2}, 7, 42);
    QVERIFY(executor);
    std::vector<Future<int>> futures;
    for (int i = 0; i < 12; ++i)
        futures.push_back(executor->submit<&whatWasTold>());
    for (const auto &future : futures)
        QCOMPARE(future.result(60s).value(), 742);
    executor->shutdown();
}

void tst_Executor::asManyRunAtOnceAsThereAreWorkers() // EX-28
{
    QFETCH(const StartMethod, method);
    const int count = 2 * ::get_nprocs() + 2;
    const Folder folder;
    auto executor = open(count, method);
    QVERIFY(executor);
    std::vector<Future<int>> futures;
    for (int i = 0; i < count; ++i)
        futures.push_back(executor->submit<&meetAll>(folder.path(), i, count));
    for (int i = 0; i < count; ++i)
        QCOMPARE(futures[std::size_t(i)].result(60s).value(), i);
    executor->shutdown();
}

void tst_Executor::executorsNestToALimit() // EX-29
{
    QFETCH(const StartMethod, method);
    auto executor = open(1, method);
    QVERIFY(executor);
    QCOMPARE(executor->submit<&nest>(2, 3).result(60s).value(), 2);
    const auto tooDeep = executor->submit<&nest>(3, 3).result(60s);
    QVERIFY(!tooDeep);
    QCOMPARE(tooDeep.error().code, ErrorCode::RemoteError);
    QVERIFY2(tooDeep.error().remote->message.contains(u"nested too deep"_s),
             qPrintable(tooDeep.error().remote->message));
    executor->shutdown();
}

void tst_Executor::argumentThatNeverFitsFails()
{
    auto executor = Executor::open({.workers = 1, .argumentBytes = 1 << 20});
    QVERIFY(executor);
    const auto tooLarge = executor->submit<&sumOf>(QByteArray(2 << 20, 'x'));
    QCOMPARE(tooLarge.result(60s).error().code, ErrorCode::EncodeError);
    QCOMPARE(executor->submit<&sumOf>(QByteArray(1 << 19, 'x')).result(60s).value(),
             (quint64{1} << 19) + 3 * quint64{'x'});
    executor->shutdown();
}

/// More than the workers' queue holds, most of it cancelled there: what is left runs, in order.
void tst_Executor::cancelledChunksMakeRoomInOrder()
{
    const Folder folder;
    auto executor = open(1);
    QVERIFY(executor);
    const auto busy = executor->submit<&meet>(folder.path("runs"), folder.path("go"));
    QTRY_VERIFY(folder.has("runs"));
    std::vector<Future<int>> futures;
    for (int i = 0; i < 10'000; ++i)
        futures.push_back(executor->submit<&square>(i));
    for (std::size_t i = 0; i < futures.size(); ++i) {
        if (i % 2'500 != 0)
            QVERIFY(futures[i].cancel());
    }
    const auto last = executor->submit<&square>(7);
    std::vector<int> order;
    QMutex mutex;
    for (std::size_t i = 0; i < futures.size(); i += 2'500)
        futures[i].onDone([&order, &mutex, i](const auto &) {
            const QMutexLocker lock(&mutex);
            order.push_back(static_cast<int>(i));
        });
    folder.make("go");
    QCOMPARE(last.result(60s).value(), 49);
    executor->shutdown();
    QCOMPARE(order, (std::vector<int>{0, 2'500, 5'000, 7'500}));
    QCOMPARE(std::count_if(futures.begin(), futures.end(),
                           [](const auto &future) { return future.isCancelled(); }),
             9'996);
}

PROCLAB_WORKER_TEST_MAIN(tst_Executor)
#include "tst_executor.moc"
