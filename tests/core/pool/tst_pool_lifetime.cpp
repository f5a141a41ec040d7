// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/codec.h"
#include "core/call/remote_error.h"
#include "core/pool/pool.h"
#include "core/process/engine.h"
#include "tests/support/leak_check.h"
#include "tests/support/worker_test_main.h"

#include <QElapsedTimer>
#include <QProcess>
#include <QRandomGenerator>
#include <QRegularExpression>
#include <QTemporaryDir>

#include <atomic>
#include <csignal>
#include <cstring>
#include <numeric>
#include <set>

#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;

namespace {

int initializedBy = 0;
int initializations = 0;

void initialize(int value)
{
    initializedBy = value;
    ++initializations;
}

void failToInitialize(int)
{
    throw std::runtime_error("no such table");
}

/// Process, what the initializer was given, and how often it ran there.
std::tuple<qint64, int, int> report(int)
{
    return {::getpid(), initializedBy, initializations};
}

int square(int x)
{
    return x * x;
}

/// Counts those that are alive in this process.
struct Counted
{
    int value = 0;

    explicit Counted(int number) : value(number) { ++alive; }
    Counted(const Counted &other) : value(other.value) { ++alive; }
    Counted(Counted &&other) noexcept : value(other.value) { ++alive; }
    Counted &operator=(const Counted &) = default;
    ~Counted() { --alive; }

    inline static std::atomic<int> alive = 0;
};

Counted doubled(Counted number)
{
    return Counted(2 * number.value);
}

int sleepFor(int milliseconds)
{
    ::poll(nullptr, 0, milliseconds);
    return milliseconds;
}

int failLoudly(int milliseconds)
{
    sleepFor(milliseconds);
    throw std::runtime_error(std::string(1 << 20, 'x'));
}

int failAt(int number, int bad)
{
    if (number == bad || bad < 0)
        throw std::runtime_error("as asked for");
    return number;
}

int endBySignal(int signal)
{
    ::raise(signal);
    return 0;
}

int exitWith(int code)
{
    ::_exit(code);
}

std::vector<int> numbers(int count)
{
    std::vector<int> all(static_cast<std::size_t>(count));
    std::iota(all.begin(), all.end(), 0);
    return all;
}

std::optional<Pool> globalPool; // Outlives main(), in a process of its own: see main() below.

/// For globalPoolEndsWithTheProgram(): a program that leaves main() while it owns a pool.
int programWithGlobalPool()
{
    Result<Pool> pool = Pool::open({.workers = 2});
    if (!pool || pool->map<&square>(numbers(3)).value() != std::vector<int>{0, 1, 4})
        return 3;
    globalPool.emplace(std::move(*pool));
    return 0;
}

} // namespace

template<>
struct proclab::Codec<Counted>
{
    static void encode(PayloadWriter &writer, const Counted &value)
    {
        Codec<int>::encode(writer, value.value);
    }
    static Counted decode(PayloadReader &reader) { return Counted(Codec<int>::decode(reader)); }
};

class tst_PoolLifetime : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { static_cast<void>(Engine::global()); } // Its thread stays.
    void init() { m_before.emplace(); }
    void cleanup() { QTRY_COMPARE(m_before->leftovers(), QString()); }
    void badOptionsAreRefused_data();
    void badOptionsAreRefused();
    void hasAsManyWorkersAsAskedFor();
    void terminateEndsLongTasks();
    void callAfterCloseIsShutDown();
    void mapWaitsForItsSlowestFailure();
    void openPoolIsReportedWhenDropped();
    void workersAreReplacedAfterTheirShare();
    void globalPoolEndsWithTheProgram();
    void initializerRunsOnceInEachWorker();
    void failingInitializerBreaksThePool();
    void fewDescriptorsAreOneError();
    void overrunningTaskFailsAlone();
    void errorsAreCarriedHowEverManyTasksAWorkerMayDo_data();
    void errorsAreCarriedHowEverManyTasksAWorkerMayDo();
    void deathCostsItsTaskOnly_data();
    void deathCostsItsTaskOnly();
    void killedWorkersLoseNothingButTheirTasks();
    void nothingOfAMapIsKept();

private:
    std::optional<test::LeakCheck> m_before;
};

void tst_PoolLifetime::badOptionsAreRefused_data() // PL-08
{
    QTest::addColumn<int>("workers");
    QTest::addColumn<int>("share");
    QTest::addColumn<QString>("subject");
    QTest::newRow("no worker") << 0 << 1 << u"workers"_s;
    QTest::newRow("less than none") << -1 << 1 << u"workers"_s;
    QTest::newRow("too many") << 257 << 1 << u"workers"_s;
    QTest::newRow("no task for each worker") << 1 << 0 << u"maxTasksPerWorker"_s;
    QTest::newRow("less than none each") << 1 << -1 << u"maxTasksPerWorker"_s;
}

void tst_PoolLifetime::badOptionsAreRefused()
{
    QFETCH(const int, workers);
    QFETCH(const int, share);
    QFETCH(const QString, subject);
    const Result<Pool> pool = Pool::open({.workers = workers, .maxTasksPerWorker = share});
    QVERIFY(!pool);
    QCOMPARE(pool.error().code, ErrorCode::InvalidArgument);
    QCOMPARE(pool.error().subject, subject);
}

void tst_PoolLifetime::hasAsManyWorkersAsAskedFor() // PL-08
{
    Result<Pool> pool = Pool::open({.workers = 3});
    QVERIFY(pool);
    const auto pids = pool->workerPids();
    QCOMPARE(pids.size(), 3U);
    for (const qint64 pid : pids)
        QCOMPARE(::kill(static_cast<pid_t>(pid), 0), 0);
    QCOMPARE(pool->join(0s).error().code, ErrorCode::InvalidState); // PL-14: it is still open.
    pool->close();
    QVERIFY(pool->join(60s));
    QVERIFY(pool->workerPids().empty());
}

void tst_PoolLifetime::terminateEndsLongTasks() // PL-09
{
    Result<Pool> pool = Pool::open({.workers = 3});
    QVERIFY(pool);
    const auto values = pool->mapAsync<&sleepFor>(std::vector<int>(10'000, 300'000), 1);
    QCOMPARE(values.result(200ms).error().code, ErrorCode::Timeout);
    QElapsedTimer timer;
    timer.start();
    pool->terminate();
    QVERIFY(pool->join(60s));
    QVERIFY(timer.elapsed() < 10'000);
    QCOMPARE(values.result(10s).error().code, ErrorCode::Cancelled);
}

void tst_PoolLifetime::callAfterCloseIsShutDown() // PL-10
{
    Result<Pool> pool = Pool::open({.workers = 2});
    QVERIFY(pool);
    const auto last = pool->applyAsync<&square>(4);
    pool->close();
    QCOMPARE(pool->apply<&square>(3).error().code, ErrorCode::ShutDown);
    QCOMPARE(pool->map<&square>(numbers(3)).error().code, ErrorCode::ShutDown);
    QCOMPARE(pool->imap<&square>(numbers(3)).next().error().code, ErrorCode::ShutDown);
    QVERIFY(pool->join(60s));
    QCOMPARE(last.result(0s).value(), 16);
}

void tst_PoolLifetime::mapWaitsForItsSlowestFailure() // PL-12
{
    Result<Pool> pool = Pool::open({.workers = 2});
    QVERIFY(pool);
    QElapsedTimer timer;
    timer.start();
    const auto failed = pool->map<&failLoudly>(std::vector<int>{0, 1000}, 1);
    pool->close();
    QVERIFY(pool->join(60s));
    QVERIFY(timer.elapsed() >= 900);
    QCOMPARE(failed.error().code, ErrorCode::RemoteError);
    QCOMPARE(failed.error().remote->message.size(), qsizetype{1 << 20});
}

void tst_PoolLifetime::openPoolIsReportedWhenDropped() // PL-14
{
    QTest::ignoreMessage(QtWarningMsg, "A pool was left open: its 2 workers are ended");
    Result<Pool> pool = Pool::open({.workers = 2});
    QVERIFY(pool);
    QVERIFY(pool->map<&square>(numbers(10)));
}

void tst_PoolLifetime::workersAreReplacedAfterTheirShare() // PL-16
{
    Result<Pool> pool = Pool::open({.workers = 3, .maxTasksPerWorker = 10});
    QVERIFY(pool);
    const auto first = pool->workerPids();
    for (int i = 0; i < 100; ++i)
        QCOMPARE(pool->apply<&square>(i).value(), i * i);
    QTRY_COMPARE_WITH_TIMEOUT(pool->workerPids().size(), 3U, 20'000);
    const auto last = pool->workerPids();
    // 100 tasks are more than three workers may do, so at least nine are no longer there.
    const std::set<qint64> before(first.begin(), first.end());
    QVERIFY(std::count_if(last.begin(), last.end(),
                          [&](qint64 pid) { return before.contains(pid); }) < 3);
    pool->close();
    QVERIFY(pool->join(60s));
}

void tst_PoolLifetime::globalPoolEndsWithTheProgram() // PL-17
{
    QProcess program;
    program.start(QCoreApplication::applicationFilePath(), {u"--with-global-pool"_s});
    QVERIFY(program.waitForFinished(60'000));
    QCOMPARE(program.exitStatus(), QProcess::NormalExit);
    QCOMPARE(program.exitCode(), 0);
}

void tst_PoolLifetime::initializerRunsOnceInEachWorker() // PL-18
{
    Result<Pool> pool = Pool::openWith<&initialize>({.workers = 2, .maxTasksPerWorker = 5}, 1234);
    QVERIFY(pool);
    std::set<qint64> pids;
    const auto reports = pool->map<&report>(numbers(40), 1);
    QVERIFY(reports);
    for (const auto &[pid, value, times] : *reports) {
        QCOMPARE(value, 1234);
        QCOMPARE(times, 1);
        pids.insert(pid);
    }
    QVERIFY(pids.size() >= 8);
    pool->close();
    QVERIFY(pool->join(60s));
}

void tst_PoolLifetime::failingInitializerBreaksThePool() // PL-19
{
    QTest::ignoreMessage(QtWarningMsg, QRegularExpression(u"initializer.*no such table"_s));
    Result<Pool> pool = Pool::openWith<&failToInitialize>({.workers = 2}, 0);
    // It may fail before open() returns or after.
    const Error error = pool ? pool->map<&square>(numbers(10)).error() : pool.error();
    QCOMPARE(error.code, ErrorCode::BrokenPool);
    QVERIFY2(error.found.contains(u"no such table"_s), qPrintable(errorText(error)));
    if (pool) {
        QCOMPARE(pool->apply<&square>(1).error().code, ErrorCode::BrokenPool);
        QVERIFY(pool->join(60s));
    }
}

void tst_PoolLifetime::fewDescriptorsAreOneError() // PL-20
{
    rlimit before = {};
    QCOMPARE(::getrlimit(RLIMIT_NOFILE, &before), 0);
    // Room for the pool itself and for a few of the workers.
    const int next = ::dup(0);
    ::close(next);
    rlimit few = {static_cast<rlim_t>(next + 14), before.rlim_max};
    QCOMPARE(::setrlimit(RLIMIT_NOFILE, &few), 0);
    const Result<Pool> pool = Pool::open({.workers = 40, .startMethod = StartMethod::Spawn});
    QCOMPARE(::setrlimit(RLIMIT_NOFILE, &before), 0);
    QVERIFY(!pool);
}

void tst_PoolLifetime::overrunningTaskFailsAlone() // PL-22
{
    Result<Pool> pool = Pool::open({.workers = 2, .taskTimeout = 300ms});
    QVERIFY(pool);
    const auto slow = pool->applyAsync<&sleepFor>(600'000);
    const auto fast = pool->mapAsync<&sleepFor>(std::vector<int>(20, 1), 1);
    QCOMPARE(slow.result(60s).error().code, ErrorCode::Timeout);
    QCOMPARE(fast.result(60s).value(), std::vector<int>(20, 1));
    QCOMPARE(pool->apply<&square>(3).value(), 9);
    pool->close();
    QVERIFY(pool->join(60s));
}

void tst_PoolLifetime::errorsAreCarriedHowEverManyTasksAWorkerMayDo_data() // PL-24
{
    QTest::addColumn<int>("workers");
    QTest::addColumn<int>("share");
    QTest::addColumn<int>("bad");
    for (const int workers : {1, 3}) {
        for (const int share : {1, 1'000'000}) {
            for (const int bad : {5, -1})
                QTest::addRow("%d workers, %d tasks each, %d fails", workers, share, bad)
                    << workers << share << bad;
        }
    }
}

void tst_PoolLifetime::errorsAreCarriedHowEverManyTasksAWorkerMayDo()
{
    QFETCH(const int, workers);
    QFETCH(const int, share);
    QFETCH(const int, bad);
    Result<Pool> pool = Pool::open({.workers = workers, .maxTasksPerWorker = share});
    QVERIFY(pool);
    std::vector<std::tuple<int, int>> calls;
    for (int i = 0; i < 20; ++i)
        calls.emplace_back(i, bad);
    for (int round = 0; round < 2; ++round) {
        const auto failed = pool->starmap<&failAt>(calls);
        QVERIFY(!failed);
        QCOMPARE(failed.error().remote->message, u"as asked for"_s);
    }
    QCOMPARE(pool->map<&square>(numbers(5)).value(), (std::vector<int>{0, 1, 4, 9, 16}));
    pool->close();
    QVERIFY(pool->join(60s));
}

void tst_PoolLifetime::deathCostsItsTaskOnly_data()
{
    QTest::addColumn<bool>("bySignal");
    QTest::addColumn<int>("number");
    QTest::addColumn<QString>("reason");
    QTest::newRow("crash") << true << SIGSEGV << u"SIGSEGV"_s;
    QTest::newRow("kill") << true << SIGKILL << u"SIGKILL"_s;
    QTest::newRow("exit 0") << false << 0 << u"exit code 0"_s;
    QTest::newRow("exit 42") << false << 42 << u"exit code 42"_s;
}

void tst_PoolLifetime::deathCostsItsTaskOnly()
{
    QFETCH(const bool, bySignal);
    QFETCH(const int, number);
    QFETCH(const QString, reason);
    Result<Pool> pool = Pool::open({.workers = 1});
    QVERIFY(pool);
    const auto before = pool->applyAsync<&square>(2);
    const auto dying =
        bySignal ? pool->applyAsync<&endBySignal>(number) : pool->applyAsync<&exitWith>(number);
    const auto after = pool->mapAsync<&square>(numbers(10), 3);
    QCOMPARE(before.result(60s).value(), 4);
    const auto death = dying.result(60s);
    QVERIFY(!death);
    QCOMPARE(death.error().code, ErrorCode::WorkerDied);
    QVERIFY2(death.error().found.contains(reason) && death.error().subject.contains(u"PID"_s) &&
                 death.error().subject.contains(u"attempt 1"_s),
             qPrintable(errorText(death.error())));
    QCOMPARE(after.result(60s).value().size(), 10U);
    pool->close();
    QVERIFY(pool->join(60s));
}

void tst_PoolLifetime::killedWorkersLoseNothingButTheirTasks()
{
    const quint32 seed = QRandomGenerator::global()->generate();
    qInfo("seed %u", seed);
    QRandomGenerator random(seed);
    Result<Pool> pool = Pool::open({.workers = 4});
    QVERIFY(pool);
    constexpr int count = 4'000;
    std::vector<AsyncResult<int>> handles;
    handles.reserve(count);
    for (int i = 0; i < count; ++i)
        handles.push_back(pool->applyAsync<&square>(i));
    int kills = 0;
    for (int i = 0; i < count; ++i) {
        if (i % 80 == 0) {
            const auto pids = pool->workerPids();
            if (!pids.empty())
                kills += ::kill(static_cast<pid_t>(pids[random.bounded(quint32(pids.size()))]),
                                SIGKILL) == 0;
        }
        const auto value = handles[std::size_t(i)].result(60s);
        if (value)
            QCOMPARE(*value, i * i);
        else
            QCOMPARE(value.error().code, ErrorCode::WorkerDied);
    }
    const auto lost = std::count_if(handles.begin(), handles.end(), [](const auto &handle) {
        return !handle.isSuccessful().value();
    });
    QVERIFY2(lost <= kills, qPrintable(u"%1 lost by %2 kills"_s.arg(lost).arg(kills)));
    QCOMPARE(pool->apply<&square>(9).value(), 81);
    pool->close();
    QVERIFY(pool->join(60s));
}

// PL-13
void tst_PoolLifetime::nothingOfAMapIsKept()
{
    auto pool = Pool::open({.workers = 2});
    {
        const std::vector<Counted> inputs{Counted(1), Counted(2), Counted(3)};
        auto handle = pool->mapAsync<&doubled>(inputs);
        {
            const auto results = handle.result(60s);
            QVERIFY(results);
            QCOMPARE(results->at(2).value, 6);
        }
        QCOMPARE(Counted::alive.load(), 3); // The handle has bytes only.
    }
    QCOMPARE(Counted::alive.load(), 0);
    QTRY_COMPARE(pool->memoryInUse().arguments, 0U);
    QCOMPARE(pool->memoryInUse().results, 0U);
    pool->close();
    QVERIFY(pool->join(60s));
}

int main(int argc, char **argv)
{
    if (const auto code = workerMain(argc, argv))
        return *code;
    QCoreApplication app(argc, argv);
    if (argc == 2 && std::strcmp(argv[1], "--with-global-pool") == 0)
        return programWithGlobalPool();
    tst_PoolLifetime test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_pool_lifetime.moc"
