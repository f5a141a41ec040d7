// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/cli_process.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QRandomGenerator>
#include <QSet>
#include <QTest>

#include <csignal>

using namespace Qt::StringLiterals;
using namespace proclab::test;

namespace {

constexpr int patience = 60'000;

/// A run of proclab-cli whose result goes to standard output.
class PoolRun
{
public:
    explicit PoolRun(const QStringList &settings)
    {
        QStringList arguments{u"run"_s, u"pool"_s, u"--quiet"_s, u"--json"_s, u"-"_s};
        for (const QString &setting : settings)
            arguments << u"--set"_s << setting;
        m_process.start(cliProgram(), arguments);
    }

    [[nodiscard]] qint64 pid() const { return m_process.processId(); }
    /// Also takes its output, so that it never waits for a reader.
    [[nodiscard]] bool hasEnded()
    {
        if (m_process.state() != QProcess::NotRunning)
            m_process.waitForFinished(0);
        return m_process.state() == QProcess::NotRunning;
    }
    /// Waits for its end; false: it did not end by itself in time.
    [[nodiscard]] bool waitForEnd()
    {
        if (!hasEnded() && !m_process.waitForFinished(patience))
            return false;
        m_result = QJsonDocument::fromJson(m_process.readAllStandardOutput()).object();
        m_errors = m_process.readAllStandardError();
        return m_process.exitStatus() == QProcess::NormalExit;
    }
    [[nodiscard]] int exitCode() const { return m_process.exitCode(); }
    [[nodiscard]] const QJsonObject &result() const { return m_result; }
    [[nodiscard]] const QByteArray &errors() const { return m_errors; }
    [[nodiscard]] qint64 total(const char *key) const
    {
        return m_result[u"totals"_s][QString::fromLatin1(key)].toInteger(-1);
    }
    [[nodiscard]] QList<pid_t> workers() const
    {
        QList<pid_t> pids = childrenOf(pid());
        pids.removeIf(isZygote);
        return pids;
    }

private:
    QProcess m_process;
    QJsonObject m_result;
    QByteArray m_errors;
};

/// Each of @p count tasks stands in the results exactly once.
bool isEachTaskThereOnce(const QJsonArray &results, int count)
{
    QSet<int> seen;
    for (const QJsonValue &result : results)
        seen.insert(result[u"index"_s].toInt(-1));
    return results.size() == count && seen.size() == count && !seen.contains(-1) &&
           *std::max_element(seen.begin(), seen.end()) == count - 1;
}

QString sleeping(double seconds, int count)
{
    return u"tasks={\"task\":\"io.sleep\",\"count\":%1,\"args\":{\"min_s\":%2,\"max_s\":%2}}"_s
        .arg(count)
        .arg(seconds);
}

} // namespace

class tst_CliKills : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void cleanup() { QTRY_VERIFY_WITH_TIMEOUT(m_orphans.isNobodyLeft(), patience); }

    void killedWorkersLoseNoAccount_data();
    void killedWorkersLoseNoAccount();
    void stoppedWorkerTimesOut_data();
    void stoppedWorkerTimesOut();
    void stoppedIdleWorkerDoesNotHoldTheEnd();
    void killedZygoteIsReplaced();

private:
    OrphanCheck m_orphans;
};

void tst_CliKills::killedWorkersLoseNoAccount_data()
{
    QTest::addColumn<QString>("onCrash");
    QTest::addColumn<QString>("start");
    QTest::addColumn<int>("chunk");
    QTest::newRow("fail, spawn, single tasks") << u"fail"_s << u"spawn"_s << 1;
    QTest::newRow("fail, forkserver, chunks") << u"fail"_s << u"forkserver"_s << 5;
    QTest::newRow("retry, spawn, chunks") << u"retry"_s << u"spawn"_s << 5;
    QTest::newRow("retry, forkserver, single tasks") << u"retry"_s << u"forkserver"_s << 1;
}

void tst_CliKills::killedWorkersLoseNoAccount()
{
    QFETCH(const QString, onCrash);
    QFETCH(const QString, start);
    QFETCH(const int, chunk);
    constexpr int count = 500;
    constexpr int kills = 50;
    const quint32 seed = qEnvironmentVariableIsSet("PROCLAB_TEST_SEED")
                             ? qEnvironmentVariable("PROCLAB_TEST_SEED").toUInt()
                             : QRandomGenerator::global()->generate();
    qInfo("PROCLAB_TEST_SEED=%u", seed);
    QRandomGenerator random(seed);
    PoolRun run({sleeping(0.02, count), u"pool.workers=4"_s, u"pool.on_crash="_s + onCrash,
                 u"pool.start_method="_s + start, u"pool.chunk_size=%1"_s.arg(chunk)});
    QTRY_COMPARE_WITH_TIMEOUT(run.workers().size(), 4, patience);
    QSet<qint64> victims;
    while (victims.size() < kills && !run.hasEnded()) {
        const QList<pid_t> workers = run.workers();
        if (workers.isEmpty())
            continue;
        const pid_t victim = workers[random.bounded(workers.size())];
        if (!victims.contains(victim) && ::kill(victim, SIGKILL) == 0)
            victims.insert(victim);
    }
    QVERIFY(run.waitForEnd());
    QCOMPARE(victims.size(), kills);

    QCOMPARE(run.total("tasks"), count);
    QCOMPARE(run.total("done") + run.total("lost"), count);
    QCOMPARE(run.total("failed") + run.total("cancelled"), 0);
    const QJsonArray results = run.result()[u"results"_s].toArray();
    QVERIFY(isEachTaskThereOnce(results, count));
    int lost = 0;
    for (const QJsonValue &result : results) {
        if (result[u"error"_s].isNull())
            continue;
        ++lost;
        QCOMPARE(result[u"error"_s][u"type"_s], QJsonValue(u"lost"_s));
        QCOMPARE(result[u"error"_s][u"signal"_s], QJsonValue(SIGKILL));
        QVERIFY(victims.contains(result[u"pid"_s].toInteger()));
        QVERIFY(
            result[u"error"_s][u"message"_s].toString().contains(result[u"worker"_s].toString()));
    }
    QCOMPARE(lost, run.total("lost"));
    QCOMPARE(run.exitCode(), lost > 0 ? 1 : 0);
    if (onCrash == u"fail"_s)
        QVERIFY(lost > 0 && lost <= kills && run.total("retried") == 0);
    else
        QVERIFY(run.total("retried") > 0 && run.total("retried") + lost <= kills);
    int signalled = 0;
    for (const QJsonValue &worker : run.result()[u"workers"_s].toArray()) {
        signalled += worker[u"signal"_s].toInt() == SIGKILL ? 1 : 0;
        QVERIFY(::kill(worker[u"pid"_s].toInt(), 0) != 0);
    }
    QVERIFY(signalled <= kills && signalled >= lost);
    for (const qint64 victim : std::as_const(victims))
        QVERIFY(hasEnded(static_cast<pid_t>(victim)));
}

void tst_CliKills::stoppedWorkerTimesOut_data()
{
    QTest::addColumn<QString>("start");
    QTest::newRow("spawn") << u"spawn"_s;
    QTest::newRow("forkserver") << u"forkserver"_s;
}

void tst_CliKills::stoppedWorkerTimesOut()
{
    QFETCH(const QString, start);
    constexpr int count = 12;
    PoolRun run({sleeping(0.2, count), u"pool.workers=3"_s, u"pool.task_timeout_s=1"_s,
                 u"pool.start_method="_s + start});
    QTRY_COMPARE_WITH_TIMEOUT(run.workers().size(), 3, patience);
    QCOMPARE(::kill(run.workers().constFirst(), SIGSTOP), 0);
    QVERIFY(run.waitForEnd());
    QVERIFY(isEachTaskThereOnce(run.result()[u"results"_s].toArray(), count));
    QCOMPARE(run.total("done") + run.total("failed"), count);
    QVERIFY(run.total("failed") <= 1);
    for (const QJsonValue &result : run.result()[u"results"_s].toArray()) {
        if (!result[u"error"_s].isNull())
            QCOMPARE(result[u"error"_s][u"type"_s], QJsonValue(u"timeout"_s));
    }
    QCOMPARE(run.exitCode(), run.total("failed") > 0 ? 1 : 0);
}

void tst_CliKills::stoppedIdleWorkerDoesNotHoldTheEnd()
{
    // Two of three workers never get a task; if the third is stopped, its task times out.
    PoolRun run({sleeping(1, 1), u"pool.workers=3"_s, u"pool.task_timeout_s=2"_s});
    QTRY_COMPARE_WITH_TIMEOUT(run.workers().size(), 3, patience);
    const QList<pid_t> workers = run.workers();
    for (const pid_t worker : workers.first(2))
        QCOMPARE(::kill(worker, SIGSTOP), 0);
    QVERIFY(run.waitForEnd());
    QVERIFY(haveEnded(workers));
}

void tst_CliKills::killedZygoteIsReplaced()
{
    constexpr int count = 60;
    PoolRun run({sleeping(0.05, count), u"pool.workers=4"_s, u"pool.max_tasks_per_worker=3"_s,
                 u"pool.start_method=forkserver"_s});
    int killed = 0;
    while (killed < 3 && !run.hasEnded()) {
        const QList<pid_t> children = childrenOf(run.pid());
        const auto zygote = std::find_if(children.begin(), children.end(), isZygote);
        if (zygote == children.end() || children.size() < 3 || ::kill(*zygote, SIGKILL) != 0)
            continue;
        ++killed;
        QTRY_VERIFY_WITH_TIMEOUT(hasEnded(*zygote), patience);
    }
    QVERIFY(run.waitForEnd());
    QVERIFY(killed > 0);
    QVERIFY(isEachTaskThereOnce(run.result()[u"results"_s].toArray(), count));
    QCOMPARE(run.total("done"), count);
    QCOMPARE(run.exitCode(), 0);
    for (const QJsonValue &worker : run.result()[u"workers"_s].toArray())
        QVERIFY(::kill(worker[u"pid"_s].toInt(), 0) != 0);
}

QTEST_GUILESS_MAIN(tst_CliKills)
#include "tst_cli_kills.moc"
