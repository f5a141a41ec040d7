// SPDX-License-Identifier: GPL-3.0-or-later

// The kill harness for Pool: see tests/faults/README.md.

#include "tests/faults/batch.h"
#include "tests/support/leak_check.h"

#include "core/process/worker_main.h"

#include <QCommandLineParser>
#include <QCoreApplication>
#include <QDeadlineTimer>
#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QProcess>
#include <QThread>

#include <cstdio>

#include <sys/prctl.h>
#include <sys/wait.h>

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
/// Whom a killed program leaves is gone within a second; the rest is for a busy machine.
constexpr auto orphanLimit = 1'800ms;
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

qint64 residentKiB()
{
    QFile status(u"/proc/self/status"_s);
    if (!status.open(QIODevice::ReadOnly))
        return 0;
    const QList<QByteArray> lines = status.readAll().split('\n');
    for (const QByteArray &line : lines) {
        if (line.startsWith("VmRSS:"))
            return line.mid(6).trimmed().split(' ').value(0).toLongLong();
    }
    return 0;
}

QStringList sharedMemoryNames()
{
    return QDir(u"/dev/shm"_s).entryList({u"*proclab*"_s}, QDir::Files | QDir::System);
}

/// Each child's name and state, for who looks into a hang.
QString childStates()
{
    QStringList states;
    for (const qint64 pid : test::childPids()) {
        QFile stat(u"/proc/%1/stat"_s.arg(pid));
        QFile wait(u"/proc/%1/wchan"_s.arg(pid));
        if (stat.open(QIODevice::ReadOnly) && wait.open(QIODevice::ReadOnly))
            states.append(
                QString::fromLocal8Bit(stat.readAll().left(40) + " in " + wait.readAll()));
    }
    return states.join(u"\n  "_s);
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
        m_killer.aimAt(*pool, rules.endsOverruns);
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
        if (const QStringList names = sharedMemoryNames(); names != m_names)
            return fail(u"in /dev/shm: "_s % names.join(u", "_s));
        return true;
    }

    bool checkGrowth()
    {
        const qint64 now = residentKiB();
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
                        qPrintable(m_batches.description()), qPrintable(childStates()));
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
    const QStringList m_names = sharedMemoryNames();
    QDeadlineTimer m_deadline;
    QElapsedTimer m_timer;
    QString m_pool;
    QString m_failure;
    int m_pools = 0;
    quint64 m_batchCount = 0;
    qint64 m_usualKiB = 0;
    qint64 m_lastKiB = 0;
};

/// Reaps whoever a killed program left to this one until nobody is there; the time that took.
std::optional<qint64> msUntilAllAreGone()
{
    QElapsedTimer timer;
    timer.start();
    while (!test::childPids().isEmpty()) {
        if (timer.elapsed() > orphanLimit.count())
            return std::nullopt;
        if (::waitpid(-1, nullptr, WNOHANG) <= 0)
            QThread::yieldCurrentThread();
    }
    return timer.elapsed();
}

/// Starts this program with pools and kills it at a random time: whom it leaves must end by
/// themselves.
int killParents(const Options &options)
{
    ::prctl(PR_SET_CHILD_SUBREAPER, 1); // Orphans come here.
    QRandomGenerator random(options.seed);
    const QStringList names = sharedMemoryNames();
    const QDeadlineTimer deadline(options.limit);
    qint64 longest = 0;
    quint64 killed = 0;
    for (; killed < options.parents && !deadline.hasExpired(); ++killed) {
        QProcess program;
        program.setProcessChannelMode(QProcess::ForwardedChannels);
        program.setChildProcessModifier([] { ::prctl(PR_SET_PDEATHSIG, SIGKILL); });
        program.start(QCoreApplication::applicationFilePath(),
                      {u"--as-parent"_s, u"--seed"_s, QString::number(random.generate()),
                       u"--start"_s, killed % 3 == 0 ? u"spawn"_s : u"forkserver"_s});
        if (program.waitForFinished(random.bounded(1, 600))) {
            std::printf("FAIL: seed %u: program %llu ended by itself\n", options.seed, killed);
            return 1;
        }
        program.kill();
        program.waitForFinished(30'000);
        const std::optional<qint64> elapsed = msUntilAllAreGone();
        if (!elapsed || sharedMemoryNames() != names) {
            std::printf("FAIL: seed %u: program %llu left behind:\n  %s\n", options.seed, killed,
                        qPrintable(childStates()));
            return 1;
        }
        longest = std::max(longest, *elapsed);
    }
    std::printf("seed %u: %llu programs killed, nothing left; the last worker was gone after %lld "
                "ms at most\n",
                options.seed, killed, longest);
    return killed > 0 ? 0 : 1;
}

} // namespace

int main(int argc, char **argv)
{
    if (const auto code = workerMain(argc, argv))
        return *code;
    QCoreApplication app(argc, argv);
    const Options options = parsed(QCoreApplication::arguments());
    if (options.parents > 0)
        return killParents(options);
    static_cast<void>(Engine::global()); // Its thread stays.
    return KillRun(options).run();
}
