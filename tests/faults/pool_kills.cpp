// SPDX-License-Identifier: GPL-3.0-or-later

// The kill harness for Pool: see tests/faults/README.md.

#include "core/process/engine.h"
#include "tests/faults/batch.h"
#include "tests/faults/harness.h"
#include "tests/support/leak_check.h"

#include "core/process/worker_main.h"

#include <QCommandLineParser>
#include <QCoreApplication>
#include <QDeadlineTimer>
#include <QElapsedTimer>
#include <QThread>

#include <cstdio>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;

namespace {

struct Options
{
    quint64 kills = 1'000;
    quint64 parents = 0;
    quint32 seed = 0;
    StartMethod start = StartMethod::ForkServer;
    std::chrono::seconds limit{3'600};
    bool isParent = false; ///< Goes on until it is killed.
};

constexpr auto taskLimit = 600ms;
constexpr quint64 killsOfAPool = 100;
constexpr auto leftoverLimit = 10s;
/// Pools until the program's memory counts as grown to its usual size.
constexpr int warmUpPools = 10;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr qint64 growthLimitKiB = 1024 * 1024; // What is freed stays in quarantine.
constexpr auto meanPauseOfForks = 8'000us;
constexpr auto meanPauseOfSpawns = 80'000us;
#else
constexpr qint64 growthLimitKiB = 64 * 1024;
constexpr auto meanPauseOfForks = 1'000us;
constexpr auto meanPauseOfSpawns = 6'000us;
#endif

Options parsed(const QStringList &arguments)
{
    QCommandLineParser parser;
    parser.addOptions({{u"kills"_s, u"How many."_s, u"n"_s, u"1000"_s},
                       {u"parents"_s, u"Kill whole programs instead, so many."_s, u"n"_s, u"0"_s},
                       {u"seed"_s, u"Of an earlier run."_s, u"n"_s},
                       {u"start"_s, u"spawn or forkserver."_s, u"method"_s, u"forkserver"_s},
                       {u"seconds"_s, u"End earlier, after so long."_s, u"n"_s, u"3600"_s},
                       {u"as-parent"_s, u"Go on until killed."_s}});
    parser.addHelpOption();
    parser.process(arguments);
    Options options;
    options.kills = parser.value(u"kills"_s).toULongLong();
    options.parents = parser.value(u"parents"_s).toULongLong();
    options.seed = parser.isSet(u"seed"_s) ? parser.value(u"seed"_s).toUInt()
                                           : QRandomGenerator::global()->generate();
    options.start = *startMethodOf(parser.value(u"start"_s));
    options.limit = std::chrono::seconds(parser.value(u"seconds"_s).toInt());
    options.isParent = parser.isSet(u"as-parent"_s);
    return options;
}

class KillRun
{
public:
    explicit KillRun(const Options &options)
        : m_options(options)
        , m_random(options.seed)
        , m_begun(test::beginNotesVariable)
        , m_killer(m_random.generate(),
                   options.start == StartMethod::Spawn ? meanPauseOfSpawns : meanPauseOfForks)
        , m_batches(m_begun, m_killer)
        , m_deadline(options.limit)
    {}

    /// The exit code.
    int run()
    {
        m_timer.start();
        while (goesOn()) {
            if (!runPool() || !checkLeftovers() || !checkGrowth())
                return report(1);
        }
        return report(m_killer.kills() > 0 ? 0 : 1);
    }

private:
    [[nodiscard]] bool goesOn() const
    {
        return m_options.isParent ||
               (m_killer.kills() < m_options.kills && !m_deadline.hasExpired());
    }

    bool runPool()
    {
        test::PoolRules rules;
        rules.onCrash = m_random.bounded(2) == 0 ? OnCrash::Fail : OnCrash::Retry;
        rules.endsOverruns = m_random.bounded(3) == 0;
        const int workers = m_random.bounded(1, 6);
        PoolOptions options;
        options.workers = workers;
        options.startMethod = m_options.start;
        options.onCrash = rules.onCrash;
        options.resultBytesPerWorker = quint64{1} << (m_random.bounded(2) == 0 ? 20 : 28);
        if (rules.endsOverruns)
            options.taskTimeout = taskLimit;
        if (m_random.bounded(6) == 0)
            options.maxTasksPerWorker = m_random.bounded(1, 200);
        m_pool = u"%1 workers, %2, %3"_s.arg(workers).arg(
            rules.onCrash == OnCrash::Fail ? u"fail"_s : u"retry"_s,
            rules.endsOverruns ? u"with a limit"_s : u"without a limit"_s);
        Result<Pool> pool = Pool::open(options);
        if (!pool)
            return fail(errorText(pool.error()));
        ++m_pools;
        m_batches.beginPool(rules);
        m_killer.aimAt([&pool] { return pool->workerPids(); }, rules.endsOverruns);
        const bool isGood = runBatches(*pool);
        m_killer.release();
        return isGood && end(*pool);
    }

    bool runBatches(Pool &pool)
    {
        const quint64 enough = m_killer.kills() + killsOfAPool;
        while (goesOn() && m_killer.kills() < enough) {
            ++m_batchCount;
            if (!m_batches.run(pool, m_random))
                return fail(m_batches.finding());
        }
        if (m_random.bounded(3) == 0 && !m_batches.runAndTerminate(pool, m_random))
            return fail(m_batches.finding());
        return true;
    }

    bool end(Pool &pool)
    {
        pool.close();
        if (const auto joined = pool.join(test::batchLimit); !joined)
            return fail(u"the pool does not end: "_s % errorText(joined.error()));
        if (!pool.workerPids().empty())
            return fail(u"the pool has ended and has workers"_s);
        return true;
    }

    bool checkLeftovers()
    {
        const QDeadlineTimer deadline(leftoverLimit);
        QString left = m_leaks.leftovers();
        while (!left.isEmpty() && !deadline.hasExpired()) {
            QThread::yieldCurrentThread();
            left = m_leaks.leftovers();
        }
        if (!left.isEmpty())
            return fail(u"left behind: "_s % left);
        if (const QStringList names = test::sharedMemoryNames(); names != m_names)
            return fail(u"in /dev/shm: "_s % names.join(u", "_s));
        return true;
    }

    bool checkGrowth()
    {
        const qint64 now = test::residentKiB();
        if (m_pools <= warmUpPools)
            m_usualKiB = std::max(m_usualKiB, now);
        else if (now > m_usualKiB + growthLimitKiB)
            return fail(u"grown from %1 to %2 KiB"_s.arg(m_usualKiB).arg(now));
        m_lastKiB = now;
        return true;
    }

    bool fail(const QString &what)
    {
        m_failure = what;
        return false;
    }

    int report(int code) const
    {
        const test::Killer::Counts kills = m_killer.counts();
        const test::CallCounts &calls = m_batches.counts();
        const double seconds = static_cast<double>(m_timer.nsecsElapsed()) / 1e9;
        std::printf("seed %u, %s: %llu kills (%llu of zygotes) in %.1f s, %.0f/s; %llu paused, "
                    "%llu left stopped; %d pools, %llu batches; calls: %llu done, %llu lost, "
                    "%llu timed out, %llu cancelled; memory %lld -> %lld KiB\n",
                    m_options.seed, m_options.start == StartMethod::Spawn ? "spawn" : "forkserver",
                    kills.kills(), kills.zygotes, seconds,
                    static_cast<double>(kills.kills()) / seconds, kills.paused, kills.leftStopped,
                    m_pools, m_batchCount, calls.done, calls.lost, calls.timedOut, calls.cancelled,
                    m_usualKiB, m_lastKiB);
        if (!m_failure.isEmpty())
            std::printf("FAIL: %s\n  in batch %llu of pool %d: %s; %s\n  %s\n",
                        qPrintable(m_failure), m_batchCount, m_pools, qPrintable(m_pool),
                        qPrintable(m_batches.description()), qPrintable(test::childStates()));
        std::fflush(stdout);
        // What hangs would hang here once more; the workers die with this program.
        if (code != 0)
            std::_Exit(code);
        return code;
    }

    const Options m_options;
    QRandomGenerator m_random;
    test::SharedNote<test::BeginNotes> m_begun;
    test::Killer m_killer;
    test::BatchRunner m_batches;
    test::LeakCheck m_leaks;
    const QStringList m_names = test::sharedMemoryNames();
    QDeadlineTimer m_deadline;
    QElapsedTimer m_timer;
    QString m_pool;
    QString m_failure;
    int m_pools = 0;
    quint64 m_batchCount = 0;
    qint64 m_usualKiB = 0;
    qint64 m_lastKiB = 0;
};

} // namespace

int main(int argc, char **argv)
{
    if (const auto code = workerMain(argc, argv))
        return *code;
    QCoreApplication app(argc, argv);
    const Options options = parsed(QCoreApplication::arguments());
    if (options.parents > 0)
        return test::killParents(options.parents, options.seed, options.limit, [](quint64 number) {
            return QStringList{u"--start"_s, number % 3 == 0 ? u"spawn"_s : u"forkserver"_s};
        });
    static_cast<void>(Engine::global()); // Its thread stays.
    return KillRun(options).run();
}
