// SPDX-License-Identifier: GPL-3.0-or-later

// One worker, or the zygote, ends between any two steps of a small batch: see README.md.

#include "core/memory/shared_bytes.h"
#include "core/pool/pool.h"
#include "core/process/engine.h"
#include "core/process/worker_main.h"
#include "core/runtime/memory/object_space.h"
#include "tests/faults/fault_tasks.h"
#include "tests/faults/kill_points.h"
#include "tests/support/kernel_state.h"
#include "tests/support/leak_check.h"

#include <QCoreApplication>
#include <QDeadlineTimer>
#include <QSet>
#include <QTest>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <memory>
#include <mutex>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;

namespace {

constexpr const char *planVariable = "PROCLAB_FAULTS_PLAN";
constexpr auto callLimit = 30s;
/// So many runs in a row in which nobody came to the n-th point, and all points have been visited.
constexpr int runsBeyond = 3;
constexpr int maxRepeats = 100;

int refuse(int number)
{
    throw std::runtime_error("as asked for: " + std::to_string(number));
}

/// A result that travels in a parcel.
SharedBytes answerShared(std::uint64_t call)
{
    const SharedBytes bytes = SharedBytes::allocate(3'000).value();
    std::ranges::copy(test::patternOf(call, 3'000), bytes.writable().begin());
    return bytes;
}

using Small = std::tuple<std::uint64_t, std::uint64_t>;

/// Some calls of each form. Their numbers: 0 and 1 small, 2 large, 3 to 8 a map in three chunks;
/// one call throws, one has a handle in its result.
struct Batch
{
    explicit Batch(Pool &pool)
    {
        for (std::uint64_t call = 0; call < 2; ++call)
            small.push_back(watched(pool.applyAsync<&test::answerSmall>(test::SmallJob(call, 0))));
        large.push_back(watched(pool.applyAsync<&test::answerLarge>(
            test::LargeJob(2, 3'000, test::patternOf(2, 500)))));
        shared.push_back(watched(pool.applyAsync<&answerShared>(2)));
        thrown.push_back(watched(pool.applyAsync<&refuse>(7)));
        std::vector<test::SmallJob> jobs;
        for (std::uint64_t call = 3; call < 9; ++call)
            jobs.emplace_back(call, 0);
        mapped.push_back(watched(pool.mapAsync<&test::answerSmall>(jobs, 2)));
    }
    /// Waits until no more than @p most() calls are under way, and helps none of them, as waiting
    /// for a result would. False: too long.
    template<typename Most>
    bool waitForAllBut(Most most)
    {
        const QDeadlineTimer deadline(callLimit);
        std::unique_lock lock(m_progress->mutex);
        while (m_progress->pending > most() && !deadline.hasExpired())
            m_progress->oneEnded.wait_for(lock, 5ms);
        return m_progress->pending <= most();
    }

    std::vector<AsyncResult<Small>> small;
    std::vector<AsyncResult<std::vector<std::byte>>> large;
    std::vector<AsyncResult<SharedBytes>> shared;
    std::vector<AsyncResult<int>> thrown;
    std::vector<AsyncResult<std::vector<Small>>> mapped;

private:
    struct Progress
    {
        std::mutex mutex;
        std::condition_variable oneEnded;
        int pending = 0; // Guarded by mutex.
    };

    template<typename T>
    AsyncResult<T> watched(AsyncResult<T> handle)
    {
        {
            const std::lock_guard lock(m_progress->mutex);
            ++m_progress->pending;
        }
        handle.onDone([progress = m_progress](const auto &) {
            const std::lock_guard lock(progress->mutex);
            --progress->pending;
            progress->oneEnded.notify_all();
        });
        return handle;
    }

    const std::shared_ptr<Progress> m_progress = std::make_shared<Progress>(); // Outlives it.
};
constexpr std::uint64_t batchCalls = 9;

/// Judges what a batch has come to.
class Judgement
{
public:
    explicit Judgement(qint64 victim) : m_victim(victim) {}

    void see(const Batch &batch)
    {
        for (std::uint64_t call = 0; call < batch.small.size(); ++call) {
            if (const auto value = take(batch.small[call]))
                expect(*value == Small(call, test::answerOf(call)), "a wrong small answer");
        }
        for (const auto &one : batch.large) {
            if (const auto value = take(one))
                expect(*value == test::patternOf(2, 3'000), "a wrong large answer");
        }
        for (const auto &one : batch.shared) {
            if (const auto value = take(one))
                expect(std::ranges::equal(value->bytes(), test::patternOf(2, 3'000)),
                       "wrong shared bytes");
        }
        for (const auto &one : batch.thrown)
            seeThrown(one);
        for (const auto &one : batch.mapped) {
            if (const auto values = take(one))
                seeMapped(*values);
        }
    }
    [[nodiscard]] int lost() const { return m_lost; }
    /// Empty: none.
    [[nodiscard]] const QString &finding() const { return m_finding; }

private:
    /// Its value; nothing, if the victim's death explains that there is none.
    template<typename T>
    std::optional<T> take(const AsyncResult<T> &handle)
    {
        const Result<T> result = handle.result(callLimit);
        if (result)
            return *result;
        seeError(result.error());
        return std::nullopt;
    }
    void seeThrown(const AsyncResult<int> &handle)
    {
        const auto result = handle.result(callLimit);
        if (!result && result.error().code == ErrorCode::RemoteError)
            expect(result.error().remote->message == u"as asked for: 7"_s, "a wrong exception");
        else if (!result)
            seeError(result.error());
        else
            expect(false, "a call that throws has a value");
    }
    void seeMapped(const std::vector<Small> &values)
    {
        expect(values.size() == 6, "a map of another length");
        for (std::uint64_t i = 0; i < values.size(); ++i)
            expect(values[i] == Small(3 + i, test::answerOf(3 + i)), "a wrong answer in the map");
    }
    void seeError(const Error &error)
    {
        ++m_lost;
        expect(error.code == ErrorCode::WorkerDied &&
                   error.subject.contains(u"PID %1 "_s.arg(m_victim)) &&
                   error.found.contains(u"SIGKILL"_s),
               qPrintable(u"an error that nothing explains: "_s % errorText(error)));
    }
    void expect(bool holds, const char *otherwise)
    {
        if (!holds && m_finding.isEmpty())
            m_finding = QString::fromUtf8(otherwise);
    }

    const qint64 m_victim;
    int m_lost = 0;
    QString m_finding;
};

} // namespace

class tst_KillPoints : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { static_cast<void>(Engine::global()); } // Its thread stays.
    void init() { m_before.emplace(); }
    void cleanup()
    {
        QTRY_COMPARE_WITH_TIMEOUT(m_before->leftovers(), QString(), 20'000);
        QTRY_COMPARE_WITH_TIMEOUT(runtime::ObjectSpace::instance().usage().objects, 0U, 20'000);
    }
    void deathCostsOneCallAtMost_data();
    void deathCostsOneCallAtMost();
    void stoppedWorkerHoldsNothingBut_data();
    void stoppedWorkerHoldsNothingBut();
    void everyPointWasVisited();

private:
    void dieAt(std::uint64_t n, const PoolOptions &options, const QString &only = {});
    void stopAt(std::uint64_t n, const PoolOptions &options);
    void checkBegins(OnCrash onCrash);
    [[nodiscard]] QStringList missed() const;
    [[nodiscard]] QString place(std::uint64_t n) const
    {
        return u"point %1, %2: "_s.arg(n).arg(m_plan->pointName());
    }

    test::SharedNote<test::KillPlan> m_plan{planVariable};
    test::SharedNote<test::BeginNotes> m_begun{test::beginNotesVariable};
    QSet<QString> m_visited;
    std::optional<test::LeakCheck> m_before;
};

void tst_KillPoints::deathCostsOneCallAtMost_data()
{
    QTest::addColumn<StartMethod>("method");
    QTest::addColumn<int>("workers");
    QTest::addColumn<OnCrash>("onCrash");
    QTest::addColumn<int>("share");
    using enum StartMethod;
    QTest::newRow("forkserver, one worker") << ForkServer << 1 << OnCrash::Fail << 0;
    QTest::newRow("forkserver, one worker, retry") << ForkServer << 1 << OnCrash::Retry << 0;
    QTest::newRow("forkserver, two workers") << ForkServer << 2 << OnCrash::Fail << 0;
    QTest::newRow("forkserver, replaced after three calls")
        << ForkServer << 1 << OnCrash::Fail << 3;
    QTest::newRow("spawn, two workers, retry") << Spawn << 2 << OnCrash::Retry << 0;
}

void tst_KillPoints::deathCostsOneCallAtMost()
{
    QFETCH(const StartMethod, method);
    QFETCH(const int, workers);
    QFETCH(const OnCrash, onCrash);
    QFETCH(const int, share);
    PoolOptions options;
    options.workers = workers;
    options.startMethod = method;
    options.onCrash = onCrash;
    if (share != 0)
        options.maxTasksPerWorker = share;
    std::uint64_t n = 0;
    for (int beyond = 0; beyond < runsBeyond;) {
        dieAt(++n, options);
        if (QTest::currentTestFailed())
            return;
        beyond = m_plan->hasStruck() ? 0 : beyond + 1;
    }
    qInfo("%llu points", static_cast<unsigned long long>(n - runsBeyond));
    QVERIFY(n > 20 + runsBeyond); // Points there were.
}

void tst_KillPoints::dieAt(std::uint64_t n, const PoolOptions &options, const QString &only)
{
    m_plan->begin(n, SIGKILL, only);
    for (auto &times : std::span(m_begun->times).first(batchCalls))
        times.store(0, std::memory_order_relaxed);
    Result<Pool> pool = Pool::open(options);
    QVERIFY2(pool, qPrintable(place(n) % (pool ? QString() : errorText(pool.error()))));
    Batch batch(*pool);
    QVERIFY2(batch.waitForAllBut([] { return 0; }), qPrintable(place(n)));
    pool->close();
    QVERIFY2(pool->join(callLimit), qPrintable(place(n)));
    Judgement judgement(m_plan->victim.load());
    judgement.see(batch);
    QVERIFY2(judgement.finding().isEmpty(), qPrintable(place(n) % judgement.finding()));
    const OnCrash onCrash = options.onCrash.value_or(OnCrash::Fail);
    const int most = onCrash == OnCrash::Fail && m_plan->hasStruck() ? 1 : 0;
    QVERIFY2(judgement.lost() <= most, qPrintable(place(n)));
    checkBegins(onCrash);
    const PoolMemory memory = pool->memoryInUse();
    QVERIFY2(memory.arguments == 0 && memory.results == 0, qPrintable(place(n)));
    if (m_plan->hasStruck())
        m_visited.insert(m_plan->pointName());
}

void tst_KillPoints::checkBegins(OnCrash onCrash)
{
    int again = 0;
    for (const auto &times : std::span(m_begun->times).first(batchCalls))
        again += times.load() > 1 ? static_cast<int>(times.load()) - 1 : 0;
    // One death, so one call at most was begun anew.
    QVERIFY2(again <= (onCrash == OnCrash::Retry && m_plan->hasStruck() ? 1 : 0),
             qPrintable(place(m_plan->at)));
}

void tst_KillPoints::stoppedWorkerHoldsNothingBut_data()
{
    QTest::addColumn<StartMethod>("method");
    QTest::newRow("forkserver") << StartMethod::ForkServer;
}

// A worker that stops, wherever it is, keeps one call (or chunk) from ending; it is not dead, and
// once it goes on all is well.
void tst_KillPoints::stoppedWorkerHoldsNothingBut()
{
    QFETCH(const StartMethod, method);
    std::uint64_t n = 0;
    for (int beyond = 0; beyond < runsBeyond;) {
        stopAt(++n, {.workers = 2, .startMethod = method});
        if (QTest::currentTestFailed())
            return;
        beyond = m_plan->hasStruck() ? 0 : beyond + 1;
    }
    qInfo("%llu points", static_cast<unsigned long long>(n - runsBeyond));
}

void tst_KillPoints::stopAt(std::uint64_t n, const PoolOptions &options)
{
    m_plan->begin(0, SIGSTOP); // Not before the pool is open, which waits for all workers.
    Result<Pool> pool = Pool::open(options);
    QVERIFY(pool);
    m_plan->begin(n, SIGSTOP);
    Batch batch(*pool);
    // Nobody helps by waiting for a result.
    const bool isGood = batch.waitForAllBut([this] { return m_plan->hasStruck() ? 1 : 0; });
    QVERIFY2(isGood, qPrintable(place(n) % u"others wait too"_s));
    m_plan->at.store(0);
    if (m_plan->hasStruck()) {
        m_visited.insert(m_plan->pointName());
        // Still this program's child: the pool is open. It told its number before it stopped.
        const pid_t victim = m_plan->victim.load();
        QVERIFY(QTest::qWaitFor([=] { return test::kernelState(victim) == 'T'; }, 30'000));
        ::kill(victim, SIGCONT);
    }
    Judgement judgement(0);
    judgement.see(batch);
    QVERIFY2(judgement.finding().isEmpty(), qPrintable(place(n) % judgement.finding()));
    QCOMPARE(judgement.lost(), 0);
    pool->close();
    QVERIFY2(pool->join(callLimit), qPrintable(place(n)));
}

/// Those that a pool's workers pass: tst_kill_points_sync and tst_kill_points_sharing have locks,
/// queues, shared objects and activities, which pools do not use, and who wakes another, which a
/// worker does only if it is woken and finds its task at the same instant.
QStringList tst_KillPoints::missed() const
{
    QStringList names = test::allKillPoints();
    names.removeIf([this](const QString &name) {
        const QString group = name.section(u'.', 0, 0);
        return m_visited.contains(name) || group == u"lock" || group == u"unlock" ||
               group == u"put" || group == u"get" || group == u"wake" || group == u"gate" ||
               group.startsWith(u"ring-") || group.startsWith(u"queue-") ||
               group.startsWith(u"space-") || group.startsWith(u"activity-");
    });
    return names;
}

void tst_KillPoints::everyPointWasVisited()
{
    QVERIFY(test::allKillPoints().size() > 40);
    // What is passed once or twice in a run, at varying places, was perhaps no run's n-th point.
    const PoolOptions options = {.workers = 1, .maxTasksPerWorker = 3};
    for (int i = 0; i < maxRepeats && !missed().isEmpty(); ++i) {
        dieAt(1, options, missed().at(i % missed().size()));
        if (QTest::currentTestFailed())
            return;
    }
    QCOMPARE(missed().join(u' '), QString());
}

int main(int argc, char **argv)
{
    const bool isOurs =
        argc > 1 && (std::strcmp(argv[1], "worker") == 0 || std::strcmp(argv[1], "zygote") == 0);
    if (isOurs)
        test::followKillPlan(test::SharedNote<test::KillPlan>::find(planVariable));
    if (const auto code = workerMain(argc, argv))
        return *code;
    QCoreApplication app(argc, argv);
    tst_KillPoints test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_kill_points.moc"
