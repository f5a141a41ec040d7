// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/call/remote_error.h"
#include "core/executor/executor.h"
#include "core/pool/pool.h"
#include "core/process/engine.h"
#include "core/runtime/task/worker_process.h"
#include "tests/support/leak_check.h"
#include "tests/support/tasks.h"
#include "tests/support/worker_test_main.h"

#include <QFile>
#include <QRegularExpression>
#include <QSemaphore>

#include <algorithm>
#include <atomic>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;
using namespace proclab::test;

namespace {

enum class Harm { None, Throw, Exit, Crash };

void doHarm(Harm harm)
{
    if (harm == Harm::Throw)
        throw std::out_of_range("no such value");
    if (harm == Harm::Exit)
        ::_exit(5);
    if (harm == Harm::Crash)
        touchForbiddenMemory();
}

/// Does harm when it is decoded in a worker.
struct Arriving
{
    Harm harm = Harm::None;
};

/// Does harm when it is encoded, in whichever process.
struct Leaving
{
    Harm harm = Harm::None;
};

} // namespace

Q_DECLARE_METATYPE(Harm)

template<>
struct proclab::Codec<Arriving>
{
    static void encode(PayloadWriter &writer, const Arriving &value)
    {
        Codec<Harm>::encode(writer, value.harm);
    }
    static Arriving decode(PayloadReader &reader)
    {
        const Harm harm = Codec<Harm>::decode(reader);
        if (runtime::nestingDepth() > 0)
            doHarm(harm);
        return {harm};
    }
};

template<>
struct proclab::Codec<Leaving>
{
    static void encode(PayloadWriter &writer, const Leaving &value)
    {
        doHarm(value.harm);
        Codec<Harm>::encode(writer, value.harm);
    }
    static Leaving decode(PayloadReader &reader) { return {Codec<Harm>::decode(reader)}; }
};

namespace {

int take(const Arriving &)
{
    return 1;
}

int takeLeaving(const Leaving &)
{
    return 1;
}

Leaving give(Harm harm)
{
    return {harm};
}

int crashAfter(const std::string &here, const std::string &goOn)
{
    meet(here, goOn);
    return touchForbiddenMemory();
}

int exitIfThird(int number)
{
    if (number % 3 == 2)
        ::_exit(0);
    return number;
}

/// The first to come tells its PID by the name of a file, and waits.
int waitIfFirst(int number, const std::string &folder)
{
    if (number == 0) {
        Folder::makeFile(folder + "/pid" + std::to_string(::getpid()));
        waitForFile(folder + "/never");
    }
    return number;
}

void failToInitialize(int)
{
    throw std::runtime_error("no such table");
}

/// The zygotes among this program's children; workers that one has forked look as it does.
QSet<qint64> zygotesBeside(const std::vector<qint64> &workers)
{
    QSet<qint64> found;
    for (const qint64 pid : childPids()) {
        QFile line(u"/proc/%1/cmdline"_s.arg(pid));
        if (line.open(QIODevice::ReadOnly) && line.readAll().split('\0').value(1) == "zygote" &&
            std::ranges::find(workers, pid) == workers.end())
            found.insert(pid);
    }
    return found;
}

} // namespace

class tst_ExecutorCrash : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { static_cast<void>(Engine::global()); } // Its thread stays.
    void init() { m_before.emplace(); }
    void cleanup() { QTRY_COMPARE(m_before->leftovers(), QString()); }
    void deathBreaksTheExecutorAndIsTold_data();
    void deathBreaksTheExecutorAndIsTold();
    void workerEndedFromOutsideBreaksTheExecutor_data();
    void workerEndedFromOutsideBreaksTheExecutor();
    void deathCostsOneTaskIfSoAskedFor_data() { addPoolStartMethods(); }
    void deathCostsOneTaskIfSoAskedFor();
    void deadTaskIsTriedAgainIfSoAskedFor_data() { addPoolStartMethods(); }
    void deadTaskIsTriedAgainIfSoAskedFor();
    void unsendableArgumentFailsAlone_data() { addPoolStartMethods(); }
    void unsendableArgumentFailsAlone();
    void harmInTheArgument_data();
    void harmInTheArgument();
    void harmInTheResult_data();
    void harmInTheResult();
    void heldUpEngineHoldsUpNobody();
    void impossibleReplacementBreaksTheExecutor_data() { addPoolStartMethods(); }
    void impossibleReplacementBreaksTheExecutor();
    void failingInitializerBreaksTheExecutor_data() { addPoolStartMethods(); }
    void failingInitializerBreaksTheExecutor();
    void crashAfterTheHandleIsDropped_data() { addPoolStartMethods(); }
    void crashAfterTheHandleIsDropped();
    void callbackMaySubmitACrashOrThrow_data() { addPoolStartMethods(); }
    void callbackMaySubmitACrashOrThrow();
    void poolMapTellsOfALostWorker_data();
    void poolMapTellsOfALostWorker();

private:
    static Executor open(int workers, StartMethod method = StartMethod::ForkServer)
    {
        return Executor::open({.workers = workers, .startMethod = method}).value();
    }
    static void addStartMethodsAndHarm()
    {
        QTest::addColumn<StartMethod>("method");
        QTest::addColumn<Harm>("harm");
        for (const auto method : {StartMethod::Spawn, StartMethod::ForkServer}) {
            const char *name = method == StartMethod::Spawn ? "spawn" : "forkserver";
            QTest::addRow("%s, throws", name) << method << Harm::Throw;
            QTest::addRow("%s, exits", name) << method << Harm::Exit;
            QTest::addRow("%s, crashes", name) << method << Harm::Crash;
        }
    }

    std::optional<LeakCheck> m_before;
};

void tst_ExecutorCrash::deathBreaksTheExecutorAndIsTold_data() // SC-11, SC-12, SC-13
{
    QTest::addColumn<StartMethod>("method");
    QTest::addColumn<int>("exitCode"); // -1: touches forbidden memory.
    QTest::addColumn<int>("signal");
    QTest::addColumn<QString>("reason");
    for (const auto method : {StartMethod::Spawn, StartMethod::ForkServer}) {
        const char *name = method == StartMethod::Spawn ? "spawn" : "forkserver";
        for (const int code : {0, 42, 99})
            QTest::addRow("%s, exit code %d", name, code)
                << method << code << 0 << u"exit code %1"_s.arg(code);
        QTest::addRow("%s, SIGTERM", name) << method << 0 << SIGTERM << u"SIGTERM"_s;
        QTest::addRow("%s, SIGKILL", name) << method << 0 << SIGKILL << u"SIGKILL"_s;
        QTest::addRow("%s, SIGSEGV", name) << method << 0 << SIGSEGV << u"SIGSEGV"_s;
        QTest::addRow("%s, invalid memory", name) << method << -1 << 0 << u"SIGSEGV"_s;
    }
}

void tst_ExecutorCrash::deathBreaksTheExecutorAndIsTold()
{
    QFETCH(const StartMethod, method);
    QFETCH(const int, exitCode);
    QFETCH(const int, signal);
    QFETCH(const QString, reason);
    auto executor = open(1, method);
    QCOMPARE(executor.submit<&square>(3).result(60s).value(), 9);
    const auto dying = exitCode < 0  ? executor.submit<&touchForbiddenMemory>()
                       : signal != 0 ? executor.submit<&endBySignal>(signal)
                                     : executor.submit<&exitWith>(exitCode);
    std::vector<Future<int>> others;
    for (int i = 0; i < 5; ++i)
        others.push_back(executor.submit<&square>(i));
    others.push_back(dying);
    for (const auto &future : others) {
        const auto result = future.result(60s);
        QVERIFY(!result);
        QCOMPARE(result.error().code, ErrorCode::BrokenPool);
        QVERIFY2(result.error().found.contains(reason) && result.error().subject.contains(u"PID"_s),
                 qPrintable(errorText(result.error())));
    }
    QVERIFY2(dying.result().error().subject.contains(u"attempt 1"_s),
             qPrintable(errorText(dying.result().error()))); // An error of its own.
    QCOMPARE(executor.submit<&square>(3).result(60s).error().code, ErrorCode::BrokenPool);
    executor.shutdown();
}

void tst_ExecutorCrash::workerEndedFromOutsideBreaksTheExecutor_data() // SC-10
{
    QTest::addColumn<StartMethod>("method");
    QTest::addColumn<int>("signal");
    for (const auto method : {StartMethod::Spawn, StartMethod::ForkServer}) {
        const char *name = method == StartMethod::Spawn ? "spawn" : "forkserver";
        QTest::addRow("%s, SIGKILL", name) << method << SIGKILL;
        QTest::addRow("%s, SIGTERM", name) << method << SIGTERM;
        QTest::addRow("%s, SIGSEGV", name) << method << SIGSEGV;
    }
}

void tst_ExecutorCrash::workerEndedFromOutsideBreaksTheExecutor()
{
    QFETCH(const StartMethod, method);
    QFETCH(const int, signal);
    const Folder folder;
    auto executor = open(1, method);
    const auto running = executor.submit<&meet>(folder.path("runs"), folder.path("never"));
    QTRY_VERIFY(folder.has("runs"));
    std::atomic<int> seenByCallback = 0;
    running.onDone([&executor, &seenByCallback](const auto &) {
        const auto late = executor.submit<&square>(3).result(60s);
        seenByCallback = !late && late.error().code == ErrorCode::BrokenPool ? 1 : 2;
    });
    QTRY_COMPARE(executor.workerPids().size(), 1U);
    QCOMPARE(::kill(static_cast<pid_t>(executor.workerPids()[0]), signal), 0);
    const auto lost = running.result(60s);
    QCOMPARE(lost.error().code, ErrorCode::BrokenPool);
    const QString name = signal == SIGKILL   ? u"SIGKILL"_s
                         : signal == SIGTERM ? u"SIGTERM"_s
                                             : u"SIGSEGV"_s;
    QVERIFY2(lost.error().found.contains(name), qPrintable(errorText(lost.error())));
    QCOMPARE(executor.submit<&square>(3).result(60s).error().code, ErrorCode::BrokenPool);
    QTRY_COMPARE(seenByCallback.load(), 1); // No later submit is accepted, however soon it comes.
    executor.shutdown();
}

void tst_ExecutorCrash::deathCostsOneTaskIfSoAskedFor()
{
    QFETCH(const StartMethod, method);
    auto executor =
        Executor::open({.workers = 1, .startMethod = method, .onCrash = OnCrash::Fail}).value();
    const auto dying = executor.submit<&exitWith>(42);
    const auto after = executor.submit<&square>(3);
    QCOMPARE(dying.result(60s).error().code, ErrorCode::WorkerDied);
    QCOMPARE(after.result(60s).value(), 9);
    executor.shutdown();
}

void tst_ExecutorCrash::deadTaskIsTriedAgainIfSoAskedFor()
{
    QFETCH(const StartMethod, method);
    const Folder folder;
    auto executor =
        Executor::open({.workers = 1, .startMethod = method, .onCrash = OnCrash::Retry}).value();
    const auto retried = executor.submit<&meet>(folder.path("runs"), folder.path("go"));
    QTRY_VERIFY(folder.has("runs"));
    QTRY_COMPARE(executor.workerPids().size(), 1U);
    QCOMPARE(::kill(static_cast<pid_t>(executor.workerPids()[0]), SIGKILL), 0);
    folder.make("go");
    QCOMPARE(retried.result(60s).value(), 1);
    const auto twice = executor.submit<&exitWith>(1).result(60s);
    QCOMPARE(twice.error().code, ErrorCode::WorkerDied);
    QVERIFY2(twice.error().subject.contains(u"attempt 2"_s), qPrintable(errorText(twice.error())));
    executor.shutdown();
}

void tst_ExecutorCrash::unsendableArgumentFailsAlone() // SC-14
{
    QFETCH(const StartMethod, method);
    for (int round = 0; round < 5; ++round) {
        auto executor = open(1, method);
        const ExecutorScope scope(executor);
        const auto failed = executor.submit<&takeLeaving>(Leaving{Harm::Throw});
        QCOMPARE(failed.result(60s).error().code, ErrorCode::EncodeError);
        QVERIFY2(failed.result().error().found.contains(u"no such value"_s),
                 qPrintable(errorText(failed.result().error())));
        QCOMPARE(executor.submit<&square>(3).result(60s).value(), 9);
        const auto last = executor.submit<&takeLeaving>(Leaving{Harm::Throw});
        QCOMPARE(last.result(60s).error().code, ErrorCode::EncodeError);
    }
}

void tst_ExecutorCrash::harmInTheArgument_data() // SC-15
{
    addStartMethodsAndHarm();
}

void tst_ExecutorCrash::harmInTheArgument()
{
    QFETCH(const StartMethod, method);
    QFETCH(const Harm, harm);
    auto executor = open(1, method);
    const auto failed = executor.submit<&take>(Arriving{harm}).result(60s);
    QVERIFY(!failed);
    if (harm == Harm::Throw) {
        QCOMPARE(failed.error().code, ErrorCode::RemoteError);
        QVERIFY2(failed.error().found.contains(u"std::out_of_range: no such value"_s),
                 qPrintable(errorText(failed.error())));
        QCOMPARE(executor.submit<&take>(Arriving()).result(60s).value(), 1);
    } else {
        QCOMPARE(failed.error().code, ErrorCode::BrokenPool);
    }
    executor.shutdown();
}

void tst_ExecutorCrash::harmInTheResult_data() // SC-16
{
    addStartMethodsAndHarm();
}

void tst_ExecutorCrash::harmInTheResult()
{
    QFETCH(const StartMethod, method);
    QFETCH(const Harm, harm);
    auto executor = open(1, method);
    const qint64 pid = executor.submit<&ownPid>().result(60s).value();
    const auto failed = executor.submit<&give>(harm).result(60s);
    QVERIFY(!failed);
    if (harm == Harm::Throw) {
        QCOMPARE(failed.error().code, ErrorCode::EncodeError);
        QCOMPARE(executor.submit<&ownPid>().result(60s).value(), pid); // It lives on.
    } else {
        QCOMPARE(failed.error().code, ErrorCode::BrokenPool);
    }
    executor.shutdown();
}

void tst_ExecutorCrash::heldUpEngineHoldsUpNobody() // SC-18
{
    auto executor = open(2);
    QCOMPARE(executor.submit<&square>(3).result(60s).value(), 9);
    QSemaphore goOn;
    QSemaphore isHeldUp;
    const auto holdUp = [&] {
        isHeldUp.release();
        goOn.acquire();
    };
    QMetaObject::invokeMethod(Engine::global().context(), holdUp, Qt::QueuedConnection);
    QVERIFY(isHeldUp.tryAcquire(1, 60'000));
    std::vector<Future<int>> futures;
    for (int i = 0; i < 100; ++i) // All come back while the engine does not.
        futures.push_back(executor.submit<&square>(i));
    goOn.release();
    for (int i = 0; i < 100; ++i)
        QCOMPARE(futures[std::size_t(i)].result(60s).value(), i * i);
    executor.shutdown();
}

void tst_ExecutorCrash::impossibleReplacementBreaksTheExecutor() // SC-19
{
    QFETCH(const StartMethod, method);
    const Folder folder;
    const QString program = QString::fromStdString(folder.path("program"));
    QVERIFY(QFile::copy(QCoreApplication::applicationFilePath(), program));
    Engine engine(program);
    const QSet<qint64> zygotesBefore = zygotesBeside({});
    auto executor =
        Executor::open(
            {.workers = 1, .startMethod = method, .maxTasksPerWorker = 1, .engine = &engine})
            .value();
    const auto first = executor.submit<&meet>(folder.path("runs"), folder.path("go"));
    std::vector<Future<int>> queued;
    for (int i = 0; i < 3; ++i)
        queued.push_back(executor.submit<&square>(i));
    QTRY_VERIFY(folder.has("runs"));
    QVERIFY(QFile::remove(program));
    QTRY_COMPARE(executor.workerPids().size(), 1U);
    const auto workers = executor.workerPids();
    for (const qint64 zygote :
         zygotesBeside(workers) - zygotesBefore) // It could fork others without.
        QCOMPARE(::kill(static_cast<pid_t>(zygote), SIGKILL), 0);
    QTRY_COMPARE(zygotesBeside(workers), zygotesBefore);
    folder.make("go");
    QCOMPARE(first.result(60s).value(), 1);
    for (const auto &future : queued) {
        const auto result = future.result(60s);
        QCOMPARE(result.error().code, ErrorCode::BrokenPool);
        QVERIFY2(errorText(result.error()).contains(u"worker program"_s),
                 qPrintable(errorText(result.error())));
    }
    executor.shutdown();
}

void tst_ExecutorCrash::failingInitializerBreaksTheExecutor() // SC-22
{
    QFETCH(const StartMethod, method);
    QTest::ignoreMessage(QtWarningMsg, QRegularExpression(u"initializer.*no such table"_s));
    auto executor =
        Executor::openWith<&failToInitialize>({.workers = 2, .startMethod = method}, 0).value();
    std::vector<Future<int>> queued;
    for (int i = 0; i < 5; ++i)
        queued.push_back(executor.submit<&square>(i));
    for (const auto &future : queued)
        QCOMPARE(future.result(60s).error().code, ErrorCode::BrokenPool);
    QCOMPARE(executor.submit<&square>(3).result(60s).error().code, ErrorCode::BrokenPool);
    executor.shutdown();
}

void tst_ExecutorCrash::crashAfterTheHandleIsDropped() // SC-25
{
    QFETCH(const StartMethod, method);
    const Folder folder;
    std::optional<Executor> executor = open(2, method);
    const auto crashing = executor->submit<&crashAfter>(folder.path("runs"), folder.path("go"));
    const auto earlier = executor->submit<&square>(5);
    QTRY_VERIFY(folder.has("runs"));
    QTRY_VERIFY(earlier.isDone());
    const auto pids = executor->workerPids();
    QVERIFY(!pids.empty());
    executor.reset();
    folder.make("go");
    QCOMPARE(earlier.result(60s).value(), 25);
    const auto crashed = crashing.result(60s);
    QCOMPARE(crashed.error().code, ErrorCode::BrokenPool);
    QVERIFY2(crashed.error().found.contains(u"SIGSEGV"_s), qPrintable(errorText(crashed.error())));
    for (const qint64 pid : pids)
        QTRY_VERIFY(::kill(static_cast<pid_t>(pid), 0) != 0);
}

void tst_ExecutorCrash::callbackMaySubmitACrashOrThrow() // SC-26
{
    QFETCH(const StartMethod, method);
    const Folder folder;
    auto executor = open(1, method);
    auto other = open(1, method);
    QTest::ignoreMessage(QtWarningMsg, "A callback of a future threw: on purpose");
    std::atomic<bool> isSubmitted = false;
    std::optional<Future<int>> crashing;
    const auto first = executor.submit<&waitForFile>(folder.path("go"));
    first.onDone([](const auto &) { throw std::runtime_error("on purpose"); });
    first.onDone([&](const auto &) {
        crashing = executor.submit<&touchForbiddenMemory>();
        isSubmitted = true;
    });
    folder.make("go");
    QTRY_VERIFY(isSubmitted);
    QCOMPARE(first.result(60s).value(), 1);
    QCOMPARE(crashing->result(60s).error().code, ErrorCode::BrokenPool);
    QCOMPARE(other.submit<&square>(3).result(60s).value(), 9); // By the same thread.
    executor.shutdown();
    other.shutdown();
}

void tst_ExecutorCrash::poolMapTellsOfALostWorker_data() // SC-29
{
    QTest::addColumn<StartMethod>("method");
    QTest::addColumn<int>("workers");
    QTest::addColumn<int>("share");
    QTest::addColumn<bool>("isFromOutside");
    for (const auto method : {StartMethod::Spawn, StartMethod::ForkServer}) {
        for (const int workers : {1, 3}) {
            for (const int share : {0, 5}) {
                for (const bool isFromOutside : {false, true})
                    QTest::addRow("%s, %d workers, share %d, %s",
                                  method == StartMethod::Spawn ? "spawn" : "forkserver", workers,
                                  share, isFromOutside ? "ended from outside" : "ends itself")
                        << method << workers << share << isFromOutside;
            }
        }
    }
}

void tst_ExecutorCrash::poolMapTellsOfALostWorker()
{
    QFETCH(const StartMethod, method);
    QFETCH(const int, workers);
    QFETCH(const int, share);
    QFETCH(const bool, isFromOutside);
    const Folder folder;
    PoolOptions options = {.workers = workers, .startMethod = method};
    if (share > 0)
        options.maxTasksPerWorker = share;
    Result<Pool> pool = Pool::open(options);
    QVERIFY(pool);
    if (isFromOutside) {
        std::vector<std::tuple<int, std::string>> calls;
        for (int i = 0; i < 100; ++i)
            calls.emplace_back(i, folder.path());
        const auto values = pool->starmapAsync<&waitIfFirst>(calls, 1);
        QTRY_COMPARE(folder.count(u"pid*"_s), 1);
        const QDir files(QString::fromStdString(folder.path()));
        const pid_t pid = files.entryList({u"pid*"_s}).first().mid(3).toInt();
        QCOMPARE(::kill(pid, SIGKILL), 0);
        const auto result = values.result(60s);
        QVERIFY(!result);
        QCOMPARE(result.error().code, ErrorCode::WorkerDied);
    } else {
        const auto result = pool->map<&exitIfThird>(countTo(100));
        QVERIFY(!result);
        QCOMPARE(result.error().code, ErrorCode::WorkerDied);
    }
    pool->close();
    QVERIFY(pool->join(60s));
}

PROCLAB_WORKER_TEST_MAIN(tst_ExecutorCrash)
#include "tst_executor_crash.moc"
