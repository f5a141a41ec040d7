// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/experiment_run.h"
#include "core/experiment/spec/kind.h"
#include "core/process/engine.h"
#include "tests/support/preset_runs.h"
#include "tests/support/run_to_end.h"
#include "tests/support/trace_check.h"

#include <QTest>

using namespace Qt::StringLiterals;
using namespace proclab;

Q_DECLARE_METATYPE(proclab::ExperimentSpec)

/// Traces of real runs: they follow the format's rules and tell what the result tells.
class tst_RunTraces : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void traceTellsTheResult_data();
    void traceTellsTheResult();
    void traceOfACrashTellsIt_data();
    void traceOfACrashTellsIt();
    void traceOfAStoppedRunIsWhole_data();
    void traceOfAStoppedRunIsWhole();
    void runStoppedBeforeTheGateHasATrace();

private:
    static void compare(const test::TraceCheck &trace, const RunResult &result);

    Engine m_engine;
};

/// What holds of every trace.
void tst_RunTraces::compare(const test::TraceCheck &trace, const RunResult &result)
{
    QVERIFY2(trace.faults.isEmpty(), qPrintable(trace.faults.value(0)));
    const QList<ProcessRecord> processes = result.log->processes();
    QCOMPARE(trace.processes.size(), processes.size());
    qint64 bars = 0;
    for (const ProcessRecord &process : processes) {
        const auto told = trace.processes.value(process.pid);
        QCOMPARE(told.name, process.name);
        QCOMPARE(told.done, process.endNs < 0 ? -1 : static_cast<qint64>(process.done));
        bars += told.count;
    }
    if (result.spec.kindInfo()->hasTasks)
        QCOMPARE(bars, static_cast<qint64>(result.totals.done));
}

void tst_RunTraces::traceTellsTheResult_data()
{
    QTest::addColumn<ExperimentSpec>("spec");
    for (const test::NamedSpec &run : test::runsToCompare())
        QTest::newRow(qPrintable(run.name)) << run.spec;
}

void tst_RunTraces::traceTellsTheResult()
{
    QFETCH(const ExperimentSpec, spec);
    ExperimentRun run(m_engine, spec);
    QVERIFY(test::runToEnd(run));
    const RunResult &result = run.result();
    const test::TraceCheck trace = test::traceOf(result);
    compare(trace, result);
    const Kind &kind = *spec.kindInfo();
    for (const ProcessRecord &process : result.log->processes()) {
        const bool isWhole =
            process.endNs >= 0 && !hasCrashed(process) && result.log->droppedSpans.load() == 0;
        if (!kind.hasTasks && isWhole)
            QCOMPARE(trace.processes[process.pid].count, static_cast<qint64>(process.done));
    }
    QVERIFY(trace.codes.contains(u"gate_open"_s));
    QVERIFY(trace.counters.contains(u"CPU (%)"_s) && trace.counters.contains(u"Memory (bytes)"_s));
    for (const GaugeChart &chart : kind.charts) {
        const bool isShown = chart.flagField.isEmpty() || spec.flag(chart.flagField);
        for (const GaugeChart::Series &series : chart.series) {
            const QString title =
                series.name.isEmpty() ? chart.title : QString(chart.title % u' ' % series.name);
            QCOMPARE(trace.counters.contains(QString(title % u" (" % chart.unit % u')')), isShown);
        }
    }
    if (spec.kind() == u"pipeline"_s)
        QVERIFY(!trace.waits.isEmpty());
    for (const QString &wait : trace.waits)
        QCOMPARE(wait.contains(u"pipe"), spec.kind() == u"pipe"_s);
}

void tst_RunTraces::traceOfACrashTellsIt_data()
{
    QTest::addColumn<ExperimentSpec>("spec");
    QTest::addColumn<QString>("task"); ///< Where it is set.
    const auto row = [](const QString &kind, const QString &task) {
        ExperimentSpec spec(kind);
        spec.set(task % u".task", u"fail.crash"_s);
        spec.set(task % u".args.every", 5);
        if (kind == u"pool"_s)
            spec.set(u"tasks.count"_s, 12);
        else
            spec.set(u"pipeline.items_per_producer"_s, 12);
        QTest::newRow(qPrintable(QString(kind % u", " % task))) << spec << task;
    };
    row(u"pool"_s, u"tasks"_s);
    row(u"pipeline"_s, u"produce"_s);
    row(u"pipeline"_s, u"consume"_s);
}

void tst_RunTraces::traceOfACrashTellsIt()
{
    QFETCH(const ExperimentSpec, spec);
    ExperimentRun run(m_engine, spec);
    QVERIFY(test::runToEnd(run));
    const test::TraceCheck trace = test::traceOf(run.result());
    compare(trace, run.result());
    QVERIFY(trace.codes.contains(u"process_signalled"_s));
    QVERIFY(trace.codes.contains(u"process_replaced"_s));
    QVERIFY(trace.categories.contains(u"failure"_s));
    if (spec.kind() == u"pool"_s)
        QVERIFY(trace.categories.contains(u"failed"_s));
}

void tst_RunTraces::traceOfAStoppedRunIsWhole_data()
{
    QTest::addColumn<ExperimentSpec>("spec");
    ExperimentSpec pool(u"pool"_s);
    pool.set(u"tasks.task"_s, u"io.sleep"_s);
    pool.set(u"tasks.args.max_s"_s, 0.01);
    pool.set(u"tasks.count"_s, 1'000'000);
    QTest::newRow("pool") << pool;
    ExperimentSpec pipeline(u"pipeline"_s);
    pipeline.set(u"pipeline.items_per_producer"_s, 10'000'000);
    QTest::newRow("pipeline") << pipeline;
    ExperimentSpec pipe(u"pipe"_s);
    pipe.set(u"pipe.messages"_s, 10'000'000);
    QTest::newRow("pipe") << pipe;
    ExperimentSpec counter(u"counter"_s);
    counter.set(u"counter.increments"_s, 1'000'000'000);
    QTest::newRow("counter") << counter;
}

void tst_RunTraces::traceOfAStoppedRunIsWhole()
{
    QFETCH(const ExperimentSpec, spec);
    ExperimentRun run(m_engine, spec);
    QVERIFY(run.start());
    QTRY_VERIFY_WITH_TIMEOUT(run.snapshot() && run.snapshot()->done > 0, test::patience);
    run.stop();
    QTRY_COMPARE_WITH_TIMEOUT(run.state(), RunSource::State::Ended, test::patience);
    const test::TraceCheck trace = test::traceOf(run.result());
    compare(trace, run.result());
    for (const ProcessRecord &process : run.log()->processes()) {
        if (!process.isParent())
            QVERIFY(trace.processes[process.pid].done >= 0);
    }
}

void tst_RunTraces::runStoppedBeforeTheGateHasATrace()
{
    ExperimentSpec spec(u"counter"_s);
    spec.set(u"counter.processes"_s, 64);
    ExperimentRun run(m_engine, spec);
    QVERIFY(run.start());
    run.stop();
    QTRY_COMPARE_WITH_TIMEOUT(run.state(), RunSource::State::Ended, test::patience);
    const test::TraceCheck trace = test::traceOf(run.result());
    compare(trace, run.result());
    QVERIFY2(trace.head.contains("\"gate_us\":null"), trace.head.constData());
}

QTEST_GUILESS_MAIN(tst_RunTraces)
#include "tst_run_traces.moc"
