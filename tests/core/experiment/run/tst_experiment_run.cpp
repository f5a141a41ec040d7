// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/counter/counter_kind.h"
#include "core/experiment/kinds/pipeline/pipeline_kind.h"
#include "core/experiment/kinds/pool/pool_kind.h"
#include "core/experiment/run/experiment_run.h"
#include "core/process/engine.h"
#include "tests/support/leak_check.h"

#include <QJsonArray>
#include <QJsonObject>
#include <QSignalSpy>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

constexpr int patience = 60'000;

ExperimentSpec poolOf(const QString &task, const QJsonObject &arguments, int count)
{
    ExperimentSpec spec(u"pool"_s);
    spec.set(u"seed"_s, 7);
    spec.set(u"pool.workers"_s, 2);
    spec.set(u"tasks"_s,
             QJsonObject{{u"task"_s, task}, {u"args"_s, arguments}, {u"count"_s, count}});
    return spec;
}

bool runToEnd(ExperimentRun &run)
{
    QSignalSpy ended(&run, &ExperimentRun::ended);
    return run.start() && (!ended.isEmpty() || ended.wait(patience));
}

bool addsUp(const RunTotals &totals)
{
    return totals.tasks == totals.done + totals.failed + totals.cancelled + totals.lost;
}

} // namespace

class tst_ExperimentRun : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init() { m_before = std::make_unique<test::LeakCheck>(); }
    void cleanup() { QTRY_COMPARE_WITH_TIMEOUT(m_before->leftovers(), QString(), patience); }

    void everyMethodGivesEveryResult_data();
    void everyMethodGivesEveryResult();
    void failureHasItsTypeAndTheRunGoesOn_data();
    void failureHasItsTypeAndTheRunGoesOn();
    void timeLimitEndsTheRun();
    void stopCancelsTheRest();
    void destroyedRunLeavesNoChild();
    void pipelineTakesWhatItPuts();
    void counterLosesNothing_data();
    void counterLosesNothing();
    void shortRunIsSampledAtBothEnds_data();
    void shortRunIsSampledAtBothEnds();

private:
    Engine m_engine;
    std::unique_ptr<test::LeakCheck> m_before;
};

void tst_ExperimentRun::everyMethodGivesEveryResult_data()
{
    QTest::addColumn<QString>("method");
    QTest::addColumn<QString>("start");
    for (const char *method :
         {"apply", "apply_async", "map", "imap", "imap_unordered", "starmap"}) {
        for (const char *start : {"spawn", "forkserver", "fork"})
            QTest::addRow("%s, %s", method, start)
                << QString::fromLatin1(method) << QString::fromLatin1(start);
    }
}

void tst_ExperimentRun::everyMethodGivesEveryResult()
{
    QFETCH(const QString, method);
    QFETCH(const QString, start);
    // Task i does not fail here: it returns i.
    ExperimentSpec spec = poolOf(u"fail.throw"_s, {{u"every"_s, 1000}}, 200);
    spec.set(u"pool.method"_s, method);
    spec.set(u"pool.start_method"_s, start);
    ExperimentRun run(m_engine, spec);
    QVERIFY(runToEnd(run));
    QCOMPARE(run.result().totals.done, 200U);
    QCOMPARE(run.result().exitStatus(), 0);
    QSet<quint32> seen;
    for (std::size_t i = 0; i < run.log()->tasks.size(); ++i) {
        const TaskRecord &task = run.log()->tasks[i];
        QCOMPARE(taskValueText(*run.log(), task), QString::number(task.index));
        seen.insert(task.index);
    }
    QCOMPARE(run.log()->tasks.size(), std::size_t{200});
    QCOMPARE(seen.size(), 200);
}

void tst_ExperimentRun::failureHasItsTypeAndTheRunGoesOn_data()
{
    QTest::addColumn<QString>("task");
    QTest::addColumn<int>("error");
    QTest::newRow("exception") << u"fail.throw"_s << static_cast<int>(TaskError::Exception);
    QTest::newRow("exit") << u"fail.exit"_s << static_cast<int>(TaskError::Exit);
    QTest::newRow("signal") << u"fail.crash"_s << static_cast<int>(TaskError::Signal);
    QTest::newRow("timeout") << u"fail.hang"_s << static_cast<int>(TaskError::Timeout);
}

void tst_ExperimentRun::failureHasItsTypeAndTheRunGoesOn()
{
    QFETCH(const QString, task);
    QFETCH(const int, error);
    ExperimentSpec spec = poolOf(task, {{u"every"_s, 3}}, 9);
    if (task == u"fail.hang"_s)
        spec.set(u"pool.task_timeout_s"_s, 1);
    ExperimentRun run(m_engine, spec);
    QVERIFY(runToEnd(run));
    QCOMPARE(run.result().totals.failed, 3U);
    QCOMPARE(run.result().totals.done, 6U);
    QVERIFY(addsUp(run.result().totals));
    QCOMPARE(run.result().exitStatus(), 1);
    for (std::size_t i = 0; i < run.log()->tasks.size(); ++i) {
        const TaskRecord &record = run.log()->tasks[i];
        QCOMPARE(static_cast<int>(record.error),
                 (record.index + 1) % 3 == 0 ? error : static_cast<int>(TaskError::None));
    }
}

void tst_ExperimentRun::timeLimitEndsTheRun()
{
    ExperimentSpec spec = poolOf(u"io.sleep"_s, {{u"min_s"_s, 3600}, {u"max_s"_s, 3600}}, 5);
    spec.set(u"time_limit_s"_s, 0.2);
    ExperimentRun run(m_engine, spec);
    QVERIFY(runToEnd(run));
    QVERIFY(run.result().timeLimitReached);
    QCOMPARE(run.result().totals.cancelled, 5U);
    QCOMPARE(run.result().exitStatus(), 1);
}

void tst_ExperimentRun::stopCancelsTheRest()
{
    ExperimentRun run(m_engine,
                      poolOf(u"io.sleep"_s, {{u"min_s"_s, 3600}, {u"max_s"_s, 3600}}, 50));
    QVERIFY(run.start());
    QTRY_COMPARE_WITH_TIMEOUT(run.state(), ExperimentRun::State::Running, patience);
    const RunLog::Lane &lane = std::as_const(*run.log()).lane(1);
    QTRY_VERIFY_WITH_TIMEOUT(lane.samples.size() >= 4, patience);
    run.stop();
    QTRY_COMPARE_WITH_TIMEOUT(run.state(), ExperimentRun::State::Ended, patience);
    QVERIFY(run.result().stopped);
    const Span &cutOff = lane.spans[lane.spans.size() - 1];
    QCOMPARE(cutOff.activity, Span::Activity::Failed);
    QVERIFY(cutOff.busy < 0.5F); // It slept.
    QCOMPARE(run.result().totals.cancelled, 50U);
    QVERIFY(addsUp(run.result().totals));
}

void tst_ExperimentRun::destroyedRunLeavesNoChild()
{
    ExperimentRun run(m_engine, poolOf(u"io.sleep"_s, {{u"min_s"_s, 3600}, {u"max_s"_s, 3600}}, 5));
    QVERIFY(run.start());
    QTRY_COMPARE_WITH_TIMEOUT(run.state(), ExperimentRun::State::Running, patience);
} // cleanup() sees what is left.

void tst_ExperimentRun::pipelineTakesWhatItPuts()
{
    ExperimentSpec spec(u"pipeline"_s);
    spec.set(u"pipeline"_s, QJsonObject{{u"producers"_s, 3},
                                        {u"consumers"_s, 2},
                                        {u"capacity"_s, 4},
                                        {u"items_per_producer"_s, 500}});
    ExperimentRun run(m_engine, spec);
    QVERIFY(runToEnd(run));
    const QJsonObject outcome = run.result().outcome.toObject();
    QCOMPARE(outcome[u"produced"_s], QJsonValue(1500));
    QCOMPARE(outcome[u"consumed"_s], QJsonValue(1500));
    QCOMPARE(outcome[u"per_producer"_s].toArray(), (QJsonArray{500, 500, 500}));
    const QJsonArray taken = outcome[u"per_consumer"_s].toArray();
    QCOMPARE(taken[0].toInt() + taken[1].toInt(), 1500);
    QVERIFY(outcome[u"max_depth"_s].toInt() <= 4);
    QCOMPARE(run.result().exitStatus(), 0);
}

void tst_ExperimentRun::counterLosesNothing_data()
{
    QTest::addColumn<QString>("mode");
    for (const char *mode : {"lock", "atomic", "local"})
        QTest::newRow(mode) << QString::fromLatin1(mode);
}

void tst_ExperimentRun::counterLosesNothing()
{
    QFETCH(const QString, mode);
    ExperimentSpec spec(u"counter"_s);
    spec.set(u"counter"_s,
             QJsonObject{{u"processes"_s, 2}, {u"increments"_s, 10'000}, {u"mode"_s, mode}});
    ExperimentRun run(m_engine, spec);
    QVERIFY(runToEnd(run));
    QCOMPARE(run.result().outcome[u"final"_s], QJsonValue(20'000));
    QCOMPARE(run.result().outcome[u"lost_updates"_s], QJsonValue(0));
}

void tst_ExperimentRun::shortRunIsSampledAtBothEnds_data()
{
    QTest::addColumn<ExperimentSpec>("spec");
    QTest::addColumn<int>("gauge");
    QTest::addColumn<double>("total");
    ExperimentSpec counter(u"counter"_s);
    counter.set(u"counter"_s, QJsonObject{{u"processes"_s, 2}, {u"increments"_s, 10'000}});
    QTest::newRow("counter") << counter << int{CounterGauges::IncrementRate} << 20'000.0;
    QTest::newRow("pool") << poolOf(u"noop"_s, {}, 200) << int{PoolGauges::Throughput} << 200.0;
    ExperimentSpec pipeline(u"pipeline"_s);
    pipeline.set(u"pipeline"_s, QJsonObject{{u"producers"_s, 2}, {u"items_per_producer"_s, 50}});
    QTest::newRow("pipeline") << pipeline << int{PipelineGauges::GetRate} << 100.0;
}

/// However short the run, its gauges begin at the gate with nothing done and end with everything.
void tst_ExperimentRun::shortRunIsSampledAtBothEnds()
{
    QFETCH(const ExperimentSpec, spec);
    QFETCH(const int, gauge);
    const auto at = static_cast<std::size_t>(gauge);
    ExperimentRun run(m_engine, spec);
    QVERIFY(runToEnd(run));
    const AppendLog<GaugeSample> &gauges = run.log()->gauges;
    QVERIFY(gauges.size() >= 2);
    QCOMPARE(gauges[0].timeNs, qint64{0});
    QCOMPARE(gauges[0].totals[at], 0.0);
    for (std::size_t i = 1; i < gauges.size(); ++i) {
        QVERIFY(gauges[i].timeNs > gauges[i - 1].timeNs);
        QVERIFY(gauges[i].totals[at] >= gauges[i - 1].totals[at]);
    }
    const GaugeSample &last = gauges[gauges.size() - 1];
    QTEST(last.totals[at], "total");
    QVERIFY(last.timeNs >= lastFinishNs(*run.log()));
    if (gauges.size() == 2) {
        const double rate = last.totals[at] * 1e9 / static_cast<double>(last.timeNs);
        QCOMPARE(last.values[at], rate);
    }
}

QTEST_GUILESS_MAIN(tst_ExperimentRun)
#include "tst_experiment_run.moc"
