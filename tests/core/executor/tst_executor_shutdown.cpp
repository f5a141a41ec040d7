// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/call/remote_error.h"
#include "core/executor/executor.h"
#include "core/process/engine.h"
#include "tests/support/leak_check.h"
#include "tests/support/tasks.h"
#include "tests/support/worker_test_main.h"

#include <QElapsedTimer>

#include <algorithm>
#include <atomic>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;
using namespace proclab::test;

namespace {

/// Its argument has no bytes.
struct Unsendable
{
    int number = 0;
};

/// Takes its time to be encoded.
struct Slow
{
    int number = 0;
    int milliseconds = 0;
};

} // namespace

template<>
struct proclab::Codec<Unsendable>
{
    static void encode(PayloadWriter &, const Unsendable &)
    {
        throw std::runtime_error("this one stays here");
    }
    static Unsendable decode(PayloadReader &) { return {}; }
};

template<>
struct proclab::Codec<Slow>
{
    static void encode(PayloadWriter &writer, const Slow &value)
    {
        sleepFor(value.milliseconds);
        Codec<int>::encode(writer, value.number);
    }
    static Slow decode(PayloadReader &reader) { return {Codec<int>::decode(reader), 0}; }
};

namespace {

int numberOf(const Unsendable &value)
{
    return value.number;
}

int squareOf(const Slow &value)
{
    return value.number * value.number;
}

int refuseToTerminate(const std::string &here)
{
    ::signal(SIGTERM, SIG_IGN);
    return meet(here, "/nowhere/at all");
}

/// Executors in workers of executors, @p depth deep; the innermost is busy. Each tells who it is.
int busyBelow(int depth, const std::string &folder)
{
    Folder::makeFile(folder + "/pid" + std::to_string(::getpid()));
    if (depth == 0)
        return meet(folder + "/busy", "/nowhere/at all");
    auto executor = valueOrThrow(Executor::open({.workers = 1}));
    const ExecutorScope scope(executor);
    return valueOrThrow(executor.submit<&busyBelow>(depth - 1, folder).result());
}

int threadCount()
{
    return static_cast<int>(
        QDir(u"/proc/self/task"_s).entryList(QDir::Dirs | QDir::NoDotAndDotDot).size());
}

} // namespace

class tst_ExecutorShutdown : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { static_cast<void>(Engine::global()); } // Its thread stays.
    void init() { m_before.emplace(); }
    void cleanup() { QTRY_COMPARE(m_before->leftovers(), QString()); }
    void submitAfterShutdownIsShutDown_data() { addPoolStartMethods(); }
    void submitAfterShutdownIsShutDown();
    void shutdownWaitsForAllResults_data() { addPoolStartMethods(); }
    void shutdownWaitsForAllResults();
    void shutdownCancelsWhatWaits_data() { addPoolStartMethods(); }
    void shutdownCancelsWhatWaits();
    void scopeLeavesNoWorker_data() { addPoolStartMethods(); }
    void scopeLeavesNoWorker();
    void droppedExecutorFinishesItsMap_data() { addPoolStartMethods(); }
    void droppedExecutorFinishesItsMap();
    void shutdownWithoutWaitingReturnsAtOnce_data() { addPoolStartMethods(); }
    void shutdownWithoutWaitingReturnsAtOnce();
    void unreadMapDoesNotHoldUp_data() { addPoolStartMethods(); }
    void unreadMapDoesNotHoldUp();
    void unsendableTaskAndShutdown();
    void shutdownWithAShareOfOne_data();
    void shutdownWithAShareOfOne();
    void forcedStopEndsABlockedTask_data();
    void forcedStopEndsABlockedTask();
    void forcedStopIsHarmlessAtAnyTime_data();
    void forcedStopIsHarmlessAtAnyTime();
    void forcedStopLeavesNoReaderWaiting_data() { addPoolStartMethods(); }
    void forcedStopLeavesNoReaderWaiting();
    void forcedStopReachesNestedExecutors_data() { addPoolStartMethods(); }
    void forcedStopReachesNestedExecutors();
    void idleWorkersLeave_data() { addPoolStartMethods(); }
    void idleWorkersLeave();
    void shortIdleLimitAndSlowArguments_data() { addPoolStartMethods(); }
    void shortIdleLimitAndSlowArguments();
    void callbackCannotWaitForItsExecutor();

private:
    static Executor open(int workers, StartMethod method)
    {
        return Executor::open({.workers = workers, .startMethod = method}).value();
    }
    static QString nameOf(StartMethod method)
    {
        return method == StartMethod::Spawn ? u"spawn"_s : u"forkserver"_s;
    }

    std::optional<LeakCheck> m_before;
};

void tst_ExecutorShutdown::submitAfterShutdownIsShutDown() // SC-01
{
    QFETCH(const StartMethod, method);
    auto executor = open(2, method);
    QCOMPARE(executor.submit<&square>(3).result(60s).value(), 9);
    QCOMPARE(executor.join(0s).error().code, ErrorCode::InvalidState);
    executor.shutdown();
    QCOMPARE(executor.submit<&square>(3).result(60s).error().code, ErrorCode::ShutDown);
    QCOMPARE(executor.map<&square>(countTo(3)).next().error().code, ErrorCode::ShutDown);
    executor.shutdown(); // Once more does no harm.
}

void tst_ExecutorShutdown::shutdownWaitsForAllResults() // SC-03
{
    QFETCH(const StartMethod, method);
    auto executor = open(5, method);
    std::vector<Future<int>> futures;
    for (int i = 0; i < 50; ++i)
        futures.push_back(executor.submit<&square>(i));
    executor.shutdown();
    for (int i = 0; i < 50; ++i)
        QCOMPARE(futures[std::size_t(i)].result(0s).value(), i * i);
}

void tst_ExecutorShutdown::shutdownCancelsWhatWaits() // SC-04
{
    QFETCH(const StartMethod, method);
    const Folder folder;
    auto executor = open(5, method);
    std::vector<Future<int>> futures;
    futures.push_back(executor.submit<&meet>(folder.path("runs"), folder.path("runs")));
    QTRY_VERIFY(folder.has("runs")); // One at least has run, how slow the machine may be.
    for (int i = 1; i < 50; ++i)
        futures.push_back(executor.submit<&sleepFor>(100));
    executor.shutdown(Executor::Wait::Yes, Executor::Pending::Cancel);
    const auto cancelled = std::count_if(futures.begin(), futures.end(),
                                         [](const auto &future) { return future.isCancelled(); });
    QVERIFY2(cancelled > 20 && cancelled < 50, qPrintable(QString::number(cancelled)));
    for (const auto &future : futures)
        QVERIFY(future.isCancelled() || future.isSuccessful().value());
}

void tst_ExecutorShutdown::scopeLeavesNoWorker() // SC-06
{
    QFETCH(const StartMethod, method);
    std::vector<qint64> pids;
    std::vector<Future<int>> futures;
    {
        auto executor = open(3, method);
        const ExecutorScope scope(executor);
        for (int i = 0; i < 30; ++i)
            futures.push_back(executor.submit<&square>(i));
        QTRY_VERIFY(!executor.workerPids().empty());
        pids = executor.workerPids();
    }
    for (const qint64 pid : pids)
        QCOMPARE(::kill(static_cast<pid_t>(pid), 0), -1);
    for (int i = 0; i < 30; ++i)
        QCOMPARE(futures[std::size_t(i)].result(0s).value(), i * i);
}

void tst_ExecutorShutdown::droppedExecutorFinishesItsMap() // SC-07
{
    QFETCH(const StartMethod, method);
    const Folder folder;
    Engine engine(QCoreApplication::applicationFilePath());
    const int threads = threadCount();
    std::optional<Executor> executor =
        Executor::open({.workers = 2, .startMethod = method, .engine = &engine}).value();
    std::vector<std::string> paths(10, folder.path("go"));
    auto values = executor->map<&waitForFile>(paths);
    QTRY_COMPARE(executor->workerPids().size(), 2U);
    const auto pids = executor->workerPids();
    executor.reset();
    folder.make("go");
    for (int i = 0; i < 10; ++i)
        QCOMPARE(values.next(60s).value(), 1);
    QCOMPARE(values.next().error().code, ErrorCode::EndOfStream);
    for (const qint64 pid : pids)
        QTRY_VERIFY(::kill(static_cast<pid_t>(pid), 0) != 0);
    QTRY_VERIFY(threadCount() <= threads);
}

void tst_ExecutorShutdown::shutdownWithoutWaitingReturnsAtOnce() // SC-08
{
    QFETCH(const StartMethod, method);
    const Folder folder;
    auto executor = open(2, method);
    std::vector<Future<int>> futures;
    for (int i = 0; i < 10; ++i)
        futures.push_back(executor.submit<&waitForFile>(folder.path("go")));
    QElapsedTimer timer;
    timer.start();
    executor.shutdown(Executor::Wait::No);
    QVERIFY(timer.elapsed() < 5'000);
    QCOMPARE(executor.submit<&square>(3).result(60s).error().code, ErrorCode::ShutDown);
    for (const auto &future : futures)
        QVERIFY(!future.isDone());
    folder.make("go");
    for (const auto &future : futures)
        QCOMPARE(future.result(60s).value(), 1);
    QVERIFY(executor.join(60s));
    QVERIFY(executor.workerPids().empty());
}

void tst_ExecutorShutdown::unreadMapDoesNotHoldUp() // SC-09
{
    QFETCH(const StartMethod, method);
    for (int round = 0; round < 5; ++round) {
        auto executor = open(3, method);
        static_cast<void>(executor.map<&square>(countTo(4)));
        executor.shutdown(Executor::Wait::No);
        QVERIFY(executor.join(60s));
    }
}

void tst_ExecutorShutdown::unsendableTaskAndShutdown() // SC-17
{
    const int threads = threadCount();
    {
        Engine engine(QCoreApplication::applicationFilePath());
        auto executor = Executor::open({.workers = 1, .engine = &engine}).value();
        const auto failed = executor.submit<&numberOf>(Unsendable());
        executor.shutdown(Executor::Wait::No);
        QCOMPARE(failed.result(60s).error().code, ErrorCode::EncodeError);
        QVERIFY(executor.join(60s));
    }
    QTRY_VERIFY(threadCount() <= threads);
}

void tst_ExecutorShutdown::shutdownWithAShareOfOne_data() // SC-20
{
    QTest::addColumn<StartMethod>("method");
    QTest::addColumn<bool>("isDropped");
    for (const auto method : {StartMethod::Spawn, StartMethod::ForkServer}) {
        for (const bool isDropped : {false, true})
            QTest::addRow("%s, handle %s", qPrintable(nameOf(method)),
                          isDropped ? "dropped" : "kept")
                << method << isDropped;
    }
}

void tst_ExecutorShutdown::shutdownWithAShareOfOne()
{
    QFETCH(const StartMethod, method);
    QFETCH(const bool, isDropped);
    const Folder folder;
    std::optional<Executor> executor =
        Executor::open({.workers = 1, .startMethod = method, .maxTasksPerWorker = 1}).value();
    const auto first = executor->submit<&meet>(folder.path("runs"), folder.path("go"));
    const auto second = executor->submit<&square>(1);
    const auto third = executor->submit<&square>(2);
    QTRY_VERIFY(folder.has("runs"));
    executor->shutdown(Executor::Wait::No);
    if (isDropped)
        executor.reset();
    folder.make("go");
    QCOMPARE(first.result(60s).value(), 1);
    QCOMPARE(second.result(60s).value(), 1);
    QCOMPARE(third.result(60s).value(), 4);
    if (executor)
        QVERIFY(executor->join(60s));
}

void tst_ExecutorShutdown::forcedStopEndsABlockedTask_data() // SC-21
{
    QTest::addColumn<StartMethod>("method");
    QTest::addColumn<bool>("kills");
    QTest::addColumn<bool>("refuses");
    for (const auto method : {StartMethod::Spawn, StartMethod::ForkServer}) {
        const QByteArray name = nameOf(method).toLatin1();
        QTest::addRow("terminate, %s", name.data()) << method << false << false;
        QTest::addRow("terminate, which the task refuses, %s", name.data())
            << method << false << true;
        QTest::addRow("kill, %s", name.data()) << method << true << true;
    }
}

void tst_ExecutorShutdown::forcedStopEndsABlockedTask()
{
    QFETCH(const StartMethod, method);
    QFETCH(const bool, kills);
    QFETCH(const bool, refuses);
    const Folder folder;
    auto executor = open(1, method);
    const auto blocked = refuses
                             ? executor.submit<&refuseToTerminate>(folder.path("runs"))
                             : executor.submit<&meet>(folder.path("runs"), folder.path("never"));
    const auto waiting = executor.submit<&leaveFile>(folder.path("ran"));
    QTRY_VERIFY(folder.has("runs"));
    const auto pids = executor.workerPids();
    if (kills)
        executor.killWorkers();
    else
        executor.terminateWorkers();
    QCOMPARE(executor.submit<&square>(3).result(60s).error().code, ErrorCode::ShutDown);
    QVERIFY(executor.join(60s));
    for (const qint64 pid : pids)
        QCOMPARE(::kill(static_cast<pid_t>(pid), 0), -1);
    QCOMPARE(blocked.result(0s).error().code, ErrorCode::ShutDown);
    QCOMPARE(waiting.result(0s).error().code, ErrorCode::ShutDown);
    QVERIFY(!folder.has("ran"));
}

void tst_ExecutorShutdown::forcedStopIsHarmlessAtAnyTime_data() // SC-21
{
    QTest::addColumn<bool>("kills");
    QTest::newRow("terminate") << false;
    QTest::newRow("kill") << true;
}

void tst_ExecutorShutdown::forcedStopIsHarmlessAtAnyTime()
{
    QFETCH(const bool, kills);
    const auto stop = [kills](Executor &executor) {
        if (kills)
            executor.killWorkers();
        else
            executor.terminateWorkers();
        executor.shutdown();
        return executor.submit<&square>(3).result(60s).error().code;
    };
    auto unused = open(2, StartMethod::ForkServer); // Has no worker yet.
    QCOMPARE(stop(unused), ErrorCode::ShutDown);
    auto broken = open(2, StartMethod::ForkServer);
    QCOMPARE(broken.submit<&exitWith>(3).result(60s).error().code, ErrorCode::BrokenPool);
    QCOMPARE(stop(broken), ErrorCode::BrokenPool);
    auto ended = open(2, StartMethod::ForkServer);
    ended.shutdown();
    QCOMPARE(stop(ended), ErrorCode::ShutDown);
    // While workers end all the time: none is replaced.
    auto changing = Executor::open({.workers = 2, .maxTasksPerWorker = 1}).value();
    std::vector<Future<int>> futures;
    for (int i = 0; i < 1'000; ++i)
        futures.push_back(changing.submit<&square>(i));
    QVERIFY(futures[5].wait(60s));
    QCOMPARE(stop(changing), ErrorCode::ShutDown);
    QVERIFY(changing.workerPids().empty());
    for (const auto &future : futures)
        QVERIFY(future.isDone());
    QCOMPARE(futures.back().result(0s).error().code, ErrorCode::ShutDown);
}

void tst_ExecutorShutdown::forcedStopLeavesNoReaderWaiting() // SC-23
{
    QFETCH(const StartMethod, method);
    auto executor = open(5, method);
    auto quick = executor.map<&square>(countTo(100));
    auto slow = executor.map<&sleepFor>(std::vector<int>(100, 1'000));
    for (int i = 0; i < 100; ++i)
        QCOMPARE(quick.next(60s).value(), i * i);
    QElapsedTimer timer;
    timer.start();
    executor.killWorkers();
    executor.shutdown();
    QVERIFY(timer.elapsed() < 5'000);
    int stopped = 0;
    for (int i = 0; i < 100; ++i) {
        const auto value = slow.next(60s);
        if (!value) {
            QCOMPARE(value.error().code, ErrorCode::ShutDown);
            ++stopped;
        }
    }
    QVERIFY2(stopped > 50, qPrintable(QString::number(stopped)));
    QCOMPARE(slow.next().error().code, ErrorCode::EndOfStream);
}

void tst_ExecutorShutdown::forcedStopReachesNestedExecutors() // SC-24
{
    QFETCH(const StartMethod, method);
    const Folder folder;
    auto executor = open(1, method);
    const auto future = executor.submit<&busyBelow>(2, folder.path());
    QTRY_VERIFY_WITH_TIMEOUT(folder.has("busy"), 60'000);
    QCOMPARE(folder.count(u"pid*"_s), 3);
    QElapsedTimer timer;
    timer.start();
    executor.killWorkers();
    executor.shutdown();
    QVERIFY(timer.elapsed() < 5'000);
    QCOMPARE(future.result(0s).error().code, ErrorCode::ShutDown);
    for (const QString &name : QDir(QString::fromStdString(folder.path())).entryList({u"pid*"_s}))
        QTRY_VERIFY(::kill(name.mid(3).toInt(), 0) != 0); // Not even a zombie is left.
}

void tst_ExecutorShutdown::idleWorkersLeave() // SC-28
{
    QFETCH(const StartMethod, method);
    auto executor =
        Executor::open({.workers = 2, .startMethod = method, .idleLimit = 50ms}).value();
    for (int round = 0; round < 5; ++round) {
        auto values = executor.map<&square>(countTo(10));
        for (int i = 0; i < 10; ++i)
            QCOMPARE(values.next(60s).value(), i * i);
        QTRY_VERIFY(executor.workerPids().empty());
    }
    executor.shutdown();
}

void tst_ExecutorShutdown::shortIdleLimitAndSlowArguments() // SC-28
{
    QFETCH(const StartMethod, method);
    auto executor = Executor::open({.workers = 3, .startMethod = method, .idleLimit = 1ms}).value();
    std::vector<Future<int>> futures;
    for (int i = 0; i < 5; ++i)
        futures.push_back(executor.submit<&squareOf>(Slow{i, i == 2 ? 300 : 100}));
    for (int i = 5; i < 300; ++i)
        futures.push_back(executor.submit<&squareOf>(Slow{i, 0}));
    for (int i = 0; i < 300; ++i)
        QCOMPARE(futures[std::size_t(i)].result(60s).value(), i * i);
    executor.shutdown(Executor::Wait::No);
    QVERIFY(executor.join(60s));
}

void tst_ExecutorShutdown::callbackCannotWaitForItsExecutor()
{
    const Folder folder;
    auto executor = open(1, StartMethod::ForkServer);
    std::atomic<int> refused = 0;
    const auto future = executor.submit<&waitForFile>(folder.path("go"));
    future.onDone([&](const auto &) {
        executor.shutdown(); // Returns without waiting for itself.
        refused = executor.join(60s).error().code == ErrorCode::InvalidState ? 1 : 2;
    });
    folder.make("go");
    QTRY_COMPARE(refused.load(), 1);
    QVERIFY(executor.join(60s));
}

PROCLAB_WORKER_TEST_MAIN(tst_ExecutorShutdown)
#include "tst_executor_shutdown.moc"
