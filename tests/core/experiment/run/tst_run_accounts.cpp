// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/cores.h"
#include "core/experiment/run/experiment_run.h"
#include "core/process/engine.h"
#include "tests/support/leak_check.h"
#include "tests/support/run_to_end.h"

#include <QHash>
#include <QJsonArray>
#include <QJsonObject>
#include <QSet>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

using test::patience;

ExperimentSpec poolOf(const QString &task, const QJsonObject &arguments, int count)
{
    ExperimentSpec spec(u"pool"_s);
    spec.set(u"pool.workers"_s, 4);
    spec.set(u"tasks"_s,
             QJsonObject{{u"task"_s, task}, {u"args"_s, arguments}, {u"count"_s, count}});
    return spec;
}

/// The u of task @p index, as the file format defines it.
double drawnShare(quint64 seed, quint64 index)
{
    quint64 z = seed + (index + 1) * 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    z ^= z >> 31;
    return static_cast<double>(z >> 11) * 0x1p-53;
}

QList<double> valuesOf(const QJsonObject &result)
{
    QList<double> values;
    for (const QJsonValue &line : result[u"results"_s].toArray())
        values.append(line[u"value"_s].toDouble(-1));
    return values;
}

} // namespace

class tst_RunAccounts : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init() { m_before = std::make_unique<test::LeakCheck>(); }
    void cleanup() { QTRY_COMPARE_WITH_TIMEOUT(m_before->leftovers(), QString(), patience); }

    void valuesFollowTheSeed_data();
    void valuesFollowTheSeed();
    void drawnSeedIsReportedAndRepeats();
    void resultsStandInTheirOrder_data();
    void resultsStandInTheirOrder();
    void samplesAddUpToTheKernelsAccount_data();
    void samplesAddUpToTheKernelsAccount();
    void workersWithoutACoreAreReady();
    void sharesOfWaitsStandAfterTheEnd_data();
    void sharesOfWaitsStandAfterTheEnd();
    void everyResultNamesItsWorker_data();
    void everyResultNamesItsWorker();

private:
    Engine m_engine;
    std::unique_ptr<test::LeakCheck> m_before;
};

void tst_RunAccounts::valuesFollowTheSeed_data()
{
    QTest::addColumn<double>("seed");
    QTest::addColumn<QString>("method");
    QTest::addColumn<int>("workers");
    for (const double seed : {1.0, 7.0, 0x1p53 - 1}) {
        QTest::addRow("%.0f, one worker", seed) << seed << u"apply_async"_s << 1;
        QTest::addRow("%.0f, map", seed) << seed << u"map"_s << 4;
        QTest::addRow("%.0f, imap", seed) << seed << u"imap"_s << 3;
    }
}

void tst_RunAccounts::valuesFollowTheSeed()
{
    QFETCH(const double, seed);
    QFETCH(const QString, method);
    QFETCH(const int, workers);
    constexpr double least = 0.001;
    constexpr double most = 0.003;
    ExperimentSpec spec = poolOf(u"io.sleep"_s, {{u"min_s"_s, least}, {u"max_s"_s, most}}, 25);
    spec.set(u"seed"_s, seed);
    spec.set(u"pool.method"_s, method);
    spec.set(u"pool.workers"_s, workers);
    ExperimentRun run(m_engine, spec);
    QVERIFY(test::runToEnd(run));
    QCOMPARE(run.result().seed, static_cast<quint64>(seed));
    const QList<double> values = valuesOf(test::resultJson(run.result()));
    QCOMPARE(values.size(), 25);
    for (qsizetype i = 0; i < values.size(); ++i) {
        const double share = drawnShare(static_cast<quint64>(seed), static_cast<quint64>(i));
        QCOMPARE(values[i], least + share * (most - least));
    }
}

void tst_RunAccounts::drawnSeedIsReportedAndRepeats()
{
    ExperimentSpec spec = poolOf(u"io.sleep"_s, {{u"min_s"_s, 0}, {u"max_s"_s, 0.002}}, 20);
    spec.set(u"seed"_s, 0);
    ExperimentRun first(m_engine, spec);
    QVERIFY(test::runToEnd(first));
    const QJsonObject before = test::resultJson(first.result());
    const qint64 seed = before[u"seed"_s].toInteger();
    QVERIFY(seed > 0 && seed < qint64{1} << 53);
    QCOMPARE(before[u"spec"_s][u"seed"_s], QJsonValue(seed));

    ExperimentRun other(m_engine, spec);
    QVERIFY(test::runToEnd(other));
    QVERIFY(other.result().seed != static_cast<quint64>(seed));
    QVERIFY(valuesOf(test::resultJson(other.result())) != valuesOf(before));

    // The experiment as the result tells it gives the same values once more.
    QList<Error> faults;
    const auto reported = ExperimentSpec::parse(
        QJsonDocument(before[u"spec"_s].toObject()).toJson(), u"spec"_s, &faults);
    QVERIFY(reported && faults.isEmpty());
    ExperimentRun again(m_engine, *reported);
    QVERIFY(test::runToEnd(again));
    QCOMPARE(valuesOf(test::resultJson(again.result())), valuesOf(before));
}

void tst_RunAccounts::resultsStandInTheirOrder_data()
{
    QTest::addColumn<QString>("method");
    QTest::addColumn<QJsonValue>("chunk");
    for (const char *method :
         {"apply", "apply_async", "map", "imap", "imap_unordered", "starmap"}) {
        QTest::addRow("%s, single tasks", method) << QString::fromLatin1(method) << QJsonValue(1);
        QTest::addRow("%s, chunks", method) << QString::fromLatin1(method) << QJsonValue(7);
    }
}

void tst_RunAccounts::resultsStandInTheirOrder()
{
    QFETCH(const QString, method);
    QFETCH(const QJsonValue, chunk);
    constexpr int count = 60;
    ExperimentSpec spec = poolOf(u"io.sleep"_s, {{u"min_s"_s, 0}, {u"max_s"_s, 0.01}}, count);
    spec.set(u"seed"_s, 7);
    spec.set(u"pool.method"_s, method);
    spec.set(u"pool.chunk_size"_s, chunk);
    ExperimentRun run(m_engine, spec);
    QVERIFY(test::runToEnd(run));
    QCOMPARE(run.result().totals.done, quint64{count});
    const QJsonArray results = test::resultJson(run.result())[u"results"_s].toArray();
    QCOMPARE(results.size(), count);
    const bool byCompletion = method == u"imap_unordered"_s;
    QSet<int> seen;
    double last = -1;
    bool isSubmissionOrder = true;
    for (int i = 0; i < count; ++i) {
        const double key = results[i][byCompletion ? u"finished_s"_s : u"index"_s].toDouble();
        QVERIFY2(key > last || (byCompletion && key >= last),
                 qPrintable(u"%1: %2 after %3"_s.arg(i).arg(key).arg(last)));
        last = key;
        isSubmissionOrder = isSubmissionOrder && results[i][u"index"_s].toInt() == i;
        seen.insert(results[i][u"index"_s].toInt());
        QVERIFY(results[i][u"worker"_s].toString().startsWith(u"worker-"_s));
        QVERIFY(results[i][u"pid"_s].toInt() > 1);
        QVERIFY(results[i][u"submitted_s"_s].toDouble() <= results[i][u"started_s"_s].toDouble());
        QVERIFY(results[i][u"started_s"_s].toDouble() <= results[i][u"finished_s"_s].toDouble());
    }
    QCOMPARE(seen.size(), count);
    QCOMPARE(isSubmissionOrder, !byCompletion);
}

void tst_RunAccounts::samplesAddUpToTheKernelsAccount_data()
{
    QTest::addColumn<QString>("start");
    QTest::addColumn<int>("share");
    QTest::newRow("spawn") << u"spawn"_s << 0;
    QTest::newRow("forkserver") << u"forkserver"_s << 0;
    QTest::newRow("replaced workers") << u"forkserver"_s << 3;
}

void tst_RunAccounts::samplesAddUpToTheKernelsAccount()
{
    QFETCH(const QString, start);
    QFETCH(const int, share);
    // Each worker has more than a second to work, in short tasks, so that it is seldom waiting.
    ExperimentSpec spec = poolOf(u"fail.throw"_s, {{u"every"_s, 1'000}, {u"work_s"_s, 0.1}}, 24);
    spec.set(u"pool.workers"_s, 2);
    spec.set(u"pool.start_method"_s, start);
    spec.set(u"pool.max_tasks_per_worker"_s, share);
    ExperimentRun run(m_engine, spec);
    QVERIFY(test::runToEnd(run));
    QCOMPARE(run.result().totals.done, 24U);
    const double length = run.result().elapsedSeconds;
    QVERIFY(length > 1);
    double total = 0;
    const QList<ProcessRecord> processes = run.log()->processes();
    for (int process = 1; process < processes.size(); ++process) {
        const auto &samples = run.log()->lane(process).samples;
        QVERIFY(!samples.isEmpty());
        double sampled = 0;
        for (std::size_t i = 1; i < samples.size(); ++i)
            sampled += samples[i].cpuPercent / 100.0 *
                       static_cast<double>(samples[i].timeNs - samples[i - 1].timeNs) / 1e9;
        // A process that was replaced begins with its first sample's stretch. Of one that started
        // before the gate some CPU time came before the first reading, and is in no sample: at most
        // all of the time up to there.
        const qint64 began = processes[process].startNs;
        const double firstSeconds = static_cast<double>(samples[0].timeNs - began) / 1e9;
        if (began >= 0)
            sampled += samples[0].cpuPercent / 100.0 * firstSeconds;
        const double most = began >= 0 ? sampled : sampled + firstSeconds;
        const double accounted = processes[process].cpuSeconds;
        const double margin = 0.02 * length;
        QVERIFY2(sampled <= accounted + margin && most >= accounted - margin,
                 qPrintable(u"%1: sampled %2 to %3 s, accounted %4 s, run %5 s"_s
                                .arg(processes[process].name)
                                .arg(sampled)
                                .arg(most)
                                .arg(accounted)
                                .arg(length)));
        total += accounted;
    }
    QVERIFY2(total >= 24 * 0.1, qPrintable(QString::number(total)));
}

void tst_RunAccounts::workersWithoutACoreAreReady()
{
    // Four for each core: each has a quarter of one, and does not sleep.
    const int workers = std::min(4 * usableCores(), 64);
    // Of each the first task is not timed, since it might have been a short one.
    ExperimentSpec spec =
        poolOf(u"fail.throw"_s, {{u"every"_s, 1'000}, {u"work_s"_s, 0.2}}, 3 * workers);
    spec.set(u"pool.workers"_s, workers);
    ExperimentRun run(m_engine, spec);
    QVERIFY(test::runToEnd(run));
    int ready = 0;
    int asleep = 0;
    for (int process = 1; process <= workers; ++process) {
        const AppendLog<Span> &spans = run.log()->lane(process).spans;
        for (std::size_t i = 0; i < spans.size(); ++i) {
            ready += spans[i].activity == Span::Activity::ReadyToRun ? 1 : 0;
            asleep += spans[i].activity == Span::Activity::Sleeping ? 1 : 0;
        }
    }
    QVERIFY2(ready > asleep, qPrintable(u"%1 ready, %2 asleep"_s.arg(ready).arg(asleep)));
    double share = 0;
    double seconds = 0;
    for (const ProcessLive &live : run.log()->snapshots.newest()->processes)
        share += live.process > 0 ? live.readyShare : 0;
    for (const ProcessRecord &process : run.log()->processes())
        seconds += process.isParent() ? 0 : process.readySeconds;
    QVERIFY2(share / workers > 0.3, qPrintable(QString::number(share / workers)));
    QVERIFY2(seconds > 0.3 * run.result().elapsedSeconds, qPrintable(QString::number(seconds)));
}

void tst_RunAccounts::sharesOfWaitsStandAfterTheEnd_data()
{
    QTest::addColumn<ExperimentSpec>("spec");
    ExperimentSpec pipeline(u"pipeline"_s);
    pipeline.set(u"pipeline.producers"_s, 2);
    pipeline.set(u"pipeline.consumers"_s, 1);
    pipeline.set(u"pipeline.capacity"_s, 2);
    pipeline.set(u"pipeline.items_per_producer"_s, 40);
    pipeline.set(u"consume.task"_s, u"io.sleep"_s);
    pipeline.set(u"consume.args"_s, QJsonObject{{u"min_s"_s, 0.005}, {u"max_s"_s, 0.005}});
    QTest::newRow("queue") << pipeline;
    pipeline.set(u"pipeline.items_per_producer"_s, 100'000);
    pipeline.set(u"time_limit_s"_s, 0.3);
    QTest::newRow("queue, cut short") << pipeline;
    ExperimentSpec pipe(u"pipe"_s);
    pipe.set(u"pipe.messages"_s, 5'000);
    QTest::newRow("pipe") << pipe;
    ExperimentSpec counter(u"counter"_s);
    counter.set(u"counter.mode"_s, u"lock"_s);
    counter.set(u"counter.increments"_s, 1'000);
    counter.set(u"counter.gap_ns"_s, 200'000); // With the lock in hand.
    QTest::newRow("lock") << counter;
}

/// Of each process from the gate to its own end; what it had reached before is not lost.
void tst_RunAccounts::sharesOfWaitsStandAfterTheEnd()
{
    QFETCH(const ExperimentSpec, spec);
    ExperimentRun run(m_engine, spec);
    QVERIFY(test::runToEnd(run));
    const QList<ProcessRecord> processes = run.log()->processes();
    const StageSnapshotPointer last = run.log()->snapshots.newest();
    QCOMPARE(last->processes.size(), processes.size());
    double waited = 0;
    for (int process = 1; process < processes.size(); ++process) {
        const ProcessRecord &record = processes[process];
        const ProcessLive &live = last->processes[process];
        QVERIFY(isOver(live.state));
        QCOMPARE(live.done, record.done);
        QCOMPARE(live.waitingShare,
                 record.waitingSeconds * 1e9 / static_cast<double>(record.endNs));
        waited += record.waitingSeconds;
    }
    QVERIFY(waited > 0);
}

void tst_RunAccounts::everyResultNamesItsWorker_data()
{
    QTest::addColumn<QString>("task");
    QTest::addColumn<QString>("start");
    for (const char *task : {"fail.exit", "fail.crash", "fail.throw"}) {
        for (const char *start : {"spawn", "forkserver"})
            QTest::addRow("%s, %s", task, start)
                << QString::fromLatin1(task) << QString::fromLatin1(start);
    }
}

void tst_RunAccounts::everyResultNamesItsWorker()
{
    QFETCH(const QString, task);
    QFETCH(const QString, start);
    ExperimentSpec spec = poolOf(task, {{u"every"_s, 5}}, 60);
    spec.set(u"pool.start_method"_s, start);
    ExperimentRun run(m_engine, spec);
    QVERIFY(test::runToEnd(run));
    QCOMPARE(run.result().totals.failed, 12U);
    const QJsonObject result = test::resultJson(run.result());
    QHash<QString, int> pids;
    for (const QJsonValue &worker : result[u"workers"_s].toArray())
        pids.insert(worker[u"name"_s].toString(), worker[u"pid"_s].toInt());
    QHash<QString, int> failures;
    const QJsonArray lines = result[u"results"_s].toArray();
    QCOMPARE(lines.size(), 60);
    for (const QJsonValue &line : lines) {
        const QString worker = line[u"worker"_s].toString();
        QVERIFY2(pids.contains(worker), qPrintable(QString::number(line[u"index"_s].toInt())));
        QCOMPARE(line[u"pid"_s].toInt(), pids[worker]);
        failures[worker] += line[u"error"_s].isNull() ? 0 : 1;
    }
    // A worker ends with its first crash.
    for (const int count : failures)
        QVERIFY(count <= 1 || task == u"fail.throw"_s);
}

QTEST_GUILESS_MAIN(tst_RunAccounts)
#include "tst_run_accounts.moc"
