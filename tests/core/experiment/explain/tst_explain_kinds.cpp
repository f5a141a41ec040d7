// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/pipeline/pipeline_kind.h"
#include "tests/support/made_run.h"

#include <QJsonArray>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace proclab;
using test::MadeRun;

namespace {

MadeRun poolRun(int workers, qint64 tasks, double elapsed)
{
    MadeRun run(u"pool"_s, elapsed);
    run.result.spec.set(u"pool.workers"_s, workers);
    run.result.spec.set(u"tasks.count"_s, tasks);
    return run;
}

/// A queue of 16 for a second; its sides waited for each other in these parts of the time.
MadeRun pipelineRun(int producers, int consumers, double full, double empty,
                    double consumersCore = 0.1)
{
    MadeRun run(u"pipeline"_s, 1);
    run.result.spec.set(u"pipeline.producers"_s, producers);
    run.result.spec.set(u"pipeline.consumers"_s, consumers);
    for (int i = 0; i < producers; ++i)
        run.addChild(0, 0, PipelineRoles::Producer);
    for (int i = 0; i < consumers; ++i)
        run.addChild(consumersCore, 0, PipelineRoles::Consumer);
    const QString slow = full > empty   ? u"consumers"_s
                         : empty > full ? u"producers"_s
                                        : u"balanced"_s;
    run.result.outcome = QJsonObject{{u"bottleneck"_s, slow},
                                     {u"blocked_on_full_s"_s, full * producers},
                                     {u"blocked_on_empty_s"_s, empty * consumers},
                                     {u"consumed"_s, 0}};
    return run;
}

} // namespace

/// The rules of the single kinds, on runs that are made up.
class tst_ExplainKinds : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void applyIsSerial_data();
    void applyIsSerial();
    void largeChunksLeaveWorkersIdle_data();
    void largeChunksLeaveWorkersIdle();
    void idleTailNamesTheLast_data();
    void idleTailNamesTheLast();
    void smallChunksCostHandOvers_data();
    void smallChunksCostHandOvers();
    void moreWorkersAreTried_data();
    void moreWorkersAreTried();
    void retriesAreTold();
    void slowSideOfAPipelineIsNamed_data();
    void slowSideOfAPipelineIsNamed();
    void littlesLawIsChecked_data();
    void littlesLawIsChecked();
    void lostUpdatesAreTold_data();
    void lostUpdatesAreTold();
    void lockWaitIsTold_data();
    void lockWaitIsTold();
    void pipeWaitsAreTold_data();
    void pipeWaitsAreTold();
    void joinsAndDaemonsAreTold_data();
    void joinsAndDaemonsAreTold();
};

void tst_ExplainKinds::applyIsSerial_data()
{
    QTest::addColumn<QString>("method");
    QTest::addColumn<int>("workers");
    QTest::addColumn<bool>("isTold");
    QTest::newRow("apply") << u"apply"_s << 2 << true;
    QTest::newRow("one worker") << u"apply"_s << 1 << false;
    QTest::newRow("map") << u"map"_s << 2 << false;
}

void tst_ExplainKinds::applyIsSerial()
{
    QFETCH(const QString, method);
    QFETCH(const int, workers);
    QFETCH(const bool, isTold);
    MadeRun run = poolRun(workers, 2, 1);
    run.result.spec.set(u"pool.method"_s, method);
    const int first = run.addChild();
    run.addTask(first, 0, 0.5);
    run.addTask(workers > 1 ? run.addChild() : first, 0.5, 1);
    QCOMPARE(run.rules().contains(u"pool.serial"_s), isTold);
    if (!isTold)
        return;
    QCOMPARE(run.found(u"pool.serial"_s).trial,
             (QJsonObject{{u"pool.method"_s, u"apply_async"_s}}));
    QVERIFY(run.text(u"pool.serial"_s).contains(u"of 2 workers 1.00 were busy"));
}

void tst_ExplainKinds::largeChunksLeaveWorkersIdle_data()
{
    QTest::addColumn<int>("chunk");
    QTest::addColumn<bool>("isTold");
    QTest::newRow("three chunks for four") << 40 << true;
    QTest::newRow("one chunk") << 100 << true;
    QTest::newRow("four chunks for four") << 25 << false;
}

void tst_ExplainKinds::largeChunksLeaveWorkersIdle()
{
    QFETCH(const int, chunk);
    QFETCH(const bool, isTold);
    MadeRun run = poolRun(4, 100, 1);
    run.result.spec.set(u"pool.chunk_size"_s, chunk);
    run.addTask(run.addChild(), 0, 1);
    const int idle = run.addChild();
    const Explanation found = run.found(u"pool.large_chunks"_s);
    QCOMPARE(!found.note.isEmpty(), isTold);
    if (!isTold)
        return;
    QCOMPARE(found.processes, QList<int>{idle});
    QCOMPARE(found.trial, (QJsonObject{{u"pool.chunk_size"_s, 6}}));
    QVERIFY(run.text(u"pool.large_chunks"_s).contains(u"of 4 workers"));
}

void tst_ExplainKinds::idleTailNamesTheLast_data()
{
    QTest::addColumn<double>("firstEnds");
    QTest::addColumn<int>("chunk");
    QTest::addColumn<bool>("isTold");
    QTest::addColumn<QString>("advice");
    QTest::newRow("chunks") << 0.6 << 8 << true << u"Smaller chunks than 8 tasks"_s;
    QTest::newRow("long task last") << 0.6 << 1 << true << u"Its last task took 700\u00A0ms"_s;
    QTest::newRow("just enough") << 0.69 << 1 << true << QString();
    QTest::newRow("just too little") << 0.71 << 1 << false << QString();
}

void tst_ExplainKinds::idleTailNamesTheLast()
{
    QFETCH(const double, firstEnds);
    QFETCH(const int, chunk);
    QFETCH(const bool, isTold);
    QFETCH(const QString, advice);
    MadeRun run = poolRun(2, 32, 1);
    run.result.spec.set(u"pool.chunk_size"_s, chunk);
    const int first = run.addChild();
    const int last = run.addChild();
    run.addTask(last, 0, 0.3);
    for (int i = 0; i < 4; ++i)
        run.addTask(first, i * firstEnds / 4, (i + 1) * firstEnds / 4);
    run.addTask(last, 0.3, 1);
    const Explanation found = run.found(u"pool.idle_tail"_s);
    QCOMPARE(!found.note.isEmpty(), isTold);
    if (!isTold)
        return;
    QCOMPARE(found.processes, QList<int>{last});
    QCOMPARE(found.fromNs, MadeRun::ns(firstEnds));
    QCOMPARE(found.toNs, MadeRun::ns(1));
    QCOMPARE(found.trial.isEmpty(), chunk == 1);
    const QString text = run.text(u"pool.idle_tail"_s);
    QVERIFY2(text.contains(u"while worker-2 worked"_s) && text.contains(advice), qPrintable(text));
}

void tst_ExplainKinds::smallChunksCostHandOvers_data()
{
    QTest::addColumn<int>("count");
    QTest::addColumn<double>("taskUs");
    QTest::addColumn<double>("gapUs");
    QTest::addColumn<QJsonValue>("better");
    QTest::newRow("a third") << 4'000 << 20.0 << 10.0 << QJsonValue(50);
    QTest::newRow("just enough") << 4'000 << 20.0 << 8.7 << QJsonValue(50);
    QTest::newRow("just too little") << 4'000 << 20.0 << 8.4 << QJsonValue();
    QTest::newRow("four chunks a worker") << 1'200 << 1.0 << 9.0 << QJsonValue(150);
    QTest::newRow("too few tasks") << 900 << 20.0 << 20.0 << QJsonValue();
    QTest::newRow("long tasks") << 1'200 << 600.0 << 600.0 << QJsonValue();
}

void tst_ExplainKinds::smallChunksCostHandOvers()
{
    QFETCH(const int, count);
    QFETCH(const double, taskUs);
    QFETCH(const double, gapUs);
    QFETCH(const QJsonValue, better);
    const double each = (taskUs + gapUs) / 1e6;
    MadeRun run = poolRun(2, count, count * each / 2);
    const int workers[] = {run.addChild(), run.addChild()};
    for (int i = 0; i < count; ++i)
        run.addTask(workers[i % 2], (i / 2) * each, (i / 2) * each + taskUs / 1e6);
    const Explanation found = run.found(u"pool.small_chunks"_s);
    QCOMPARE(found.trial.value(u"pool.chunk_size"_s),
             better.isNull() ? QJsonValue(QJsonValue::Undefined) : better);
    QVERIFY(better.isNull() || run.text(u"pool.small_chunks"_s).contains(u"handing over was "));
}

void tst_ExplainKinds::moreWorkersAreTried_data()
{
    QTest::addColumn<double>("core");
    QTest::addColumn<int>("tasks");
    QTest::addColumn<double>("elapsed");
    QTest::addColumn<QString>("rule");
    QTest::addColumn<int>("workers");
    const QString io = u"pool.io_bound"_s;
    const QString idle = u"pool.idle_cores"_s;
    QTest::newRow("asleep") << 0.1 << 12 << 1.0 << io << 4;
    QTest::newRow("few tasks") << 0.1 << 3 << 1.0 << io << 3;
    QTest::newRow("half asleep") << 0.49 << 12 << 1.0 << io << 4;
    QTest::newRow("not quite half asleep") << 0.51 << 12 << 1.0 << QString() << 0;
    QTest::newRow("one task each") << 0.1 << 2 << 1.0 << QString() << 0;
    QTest::newRow("too short") << 0.1 << 12 << 0.1 << QString() << 0;
    QTest::newRow("on the core") << 0.95 << 12 << 1.0 << idle << 8;
    QTest::newRow("nearly on the core") << 0.79 << 12 << 1.0 << QString() << 0;
}

void tst_ExplainKinds::moreWorkersAreTried()
{
    QFETCH(const double, core);
    QFETCH(const int, tasks);
    QFETCH(const double, elapsed);
    QFETCH(const QString, rule);
    QFETCH(const int, workers);
    MadeRun run = poolRun(2, tasks, elapsed);
    for (int i = 0; i < 2; ++i)
        run.addTask(run.addChild(core), 0, elapsed);
    for (const QString &one : {u"pool.io_bound"_s, u"pool.idle_cores"_s})
        QCOMPARE(run.rules(8).contains(one), one == rule);
    if (rule.isEmpty())
        return;
    QCOMPARE(run.found(rule, 8).trial, (QJsonObject{{u"pool.workers"_s, workers}}));
    QVERIFY(run.text(rule, 8).contains(u" of 8 cores"));
}

void tst_ExplainKinds::retriesAreTold()
{
    MadeRun run = poolRun(2, 4, 1);
    run.addTask(run.addChild(), 0, 1);
    QVERIFY(!run.rules().contains(u"pool.retried"_s));
    run.result.totals.retried = 1;
    QVERIFY(run.text(u"pool.retried"_s).startsWith(u"1 task was tried again"));
    run.result.totals.retried = 2;
    QVERIFY(run.text(u"pool.retried"_s).startsWith(u"2 tasks were tried again"));
}

void tst_ExplainKinds::slowSideOfAPipelineIsNamed_data()
{
    QTest::addColumn<double>("full");
    QTest::addColumn<double>("empty");
    QTest::addColumn<double>("consumersCore");
    QTest::addColumn<QString>("rule");
    QTest::addColumn<QJsonObject>("trial");
    QTest::addColumn<QString>("text");
    const QString rule = u"pipeline.bottleneck"_s;
    QTest::newRow("consumers") << 0.6 << 0.0 << 0.1 << rule
                               << QJsonObject{{u"pipeline.consumers"_s, 5}}
                               << u"The consumers set the pace: producers waited for room in the "
                                  u"queue 60\u00A0%"_s;
    QTest::newRow("consumers, few cores")
        << 0.6 << 0.0 << 0.7 << rule << QJsonObject{{u"pipeline.consumers"_s, 3}} << u"More"_s;
    QTest::newRow("consumers, no core")
        << 0.6 << 0.0 << 0.95 << rule << QJsonObject() << u"no free core"_s;
    QTest::newRow("producers") << 0.0 << 0.5 << 0.1 << rule
                               << QJsonObject{{u"pipeline.producers"_s, 6}}
                               << u"The producers set the pace: consumers waited for items "
                                  u"50\u00A0%"_s;
    QTest::newRow("neither") << 0.1 << 0.1 << 0.1 << u"pipeline.balanced"_s << QJsonObject()
                             << u"Balanced"_s;
}

void tst_ExplainKinds::slowSideOfAPipelineIsNamed()
{
    QFETCH(const double, full);
    QFETCH(const double, empty);
    QFETCH(const double, consumersCore);
    QFETCH(const QString, rule);
    QFETCH(const QJsonObject, trial);
    QFETCH(const QString, text);
    MadeRun run = pipelineRun(3, 2, full, empty, consumersCore);
    const Explanation found = run.found(rule);
    QCOMPARE(found.trial, trial);
    QCOMPARE(found.processes.isEmpty(), rule == u"pipeline.balanced"_s);
    QVERIFY2(run.text(rule).contains(text), qPrintable(run.text(rule)));
    run.result.elapsedSeconds = 0.1;
    QVERIFY(!run.rules().contains(rule)); // Too short.
}

void tst_ExplainKinds::littlesLawIsChecked_data()
{
    QTest::addColumn<int>("items");
    QTest::addColumn<int>("consumed");
    QTest::addColumn<double>("waits");
    QTest::addColumn<double>("error");
    QTest::newRow("holds") << 40 << 40 << 0.1 << 0.0;
    QTest::newRow("off by a half") << 40 << 40 << 0.05 << 0.5;
    QTest::newRow("too few") << 29 << 29 << 0.1 << -1.0;
    QTest::newRow("some were not followed") << 40 << 46 << 0.1 << -1.0;
}

/// The queue holds 4 items at any time, and one leaves it 40 times a second.
void tst_ExplainKinds::littlesLawIsChecked()
{
    QFETCH(const int, items);
    QFETCH(const int, consumed);
    QFETCH(const double, waits);
    QFETCH(const double, error);
    MadeRun run = pipelineRun(1, 1, 0.1, 0.1);
    QJsonObject outcome = run.result.outcome.toObject();
    outcome[u"consumed"_s] = consumed;
    run.result.outcome = outcome;
    for (const double at : {0.0, 0.5, 1.0}) {
        GaugeSample sample(run.result.spec.kindInfo()->gauges.size());
        sample.timeNs = MadeRun::ns(at);
        sample.values[PipelineGauges::QueueDepth] = 4;
        run.log->gauges.append(sample);
    }
    for (int i = 0; i < items; ++i) {
        const qint64 putNs = MadeRun::ns(i * 0.01);
        const auto item = static_cast<quint32>(i);
        run.log->lane(1).spans.append({putNs - 1'000, putNs, item});
        const qint64 gotNs = putNs + MadeRun::ns(waits);
        run.log->lane(2).spans.append({gotNs, gotNs + 1'000, item});
    }
    const Explanation found = run.found(u"pipeline.little"_s);
    QCOMPARE(found.note.isEmpty(), error < 0);
    if (error < 0)
        return;
    QVERIFY(qAbs(found.note.number("error"_L1) - error) < 0.01);
    QVERIFY(run.text(u"pipeline.little"_s).contains(u"On average 4.0 items waited"));
}

void tst_ExplainKinds::lostUpdatesAreTold_data()
{
    QTest::addColumn<int>("lost");
    QTest::addColumn<QString>("text");
    QTest::newRow("many") << 6'518 << u"6\u202F518 of 20\u202F000 updates were lost (33\u00A0%)"_s;
    QTest::newRow("one") << 1 << u"1 of 20\u202F000 updates was lost"_s;
    QTest::newRow("none") << 0 << QString();
}

void tst_ExplainKinds::lostUpdatesAreTold()
{
    QFETCH(const int, lost);
    QFETCH(const QString, text);
    MadeRun run(u"counter"_s, 0.02); // How short it was does not matter.
    run.result.outcome = QJsonObject{{u"expected"_s, 20'000}, {u"lost_updates"_s, lost}};
    const Explanation found = run.found(u"counter.updates_lost"_s);
    QCOMPARE(found.note.isEmpty(), lost == 0);
    if (lost == 0)
        return;
    QVERIFY2(run.text(u"counter.updates_lost"_s).startsWith(text),
             qPrintable(run.text(u"counter.updates_lost"_s)));
    QCOMPARE(found.trial, (QJsonObject{{u"counter.mode"_s, u"lock"_s}}));
    QVERIFY(found.isWarning);
}

void tst_ExplainKinds::lockWaitIsTold_data()
{
    QTest::addColumn<double>("elapsed");
    QTest::addColumn<double>("share");
    QTest::addColumn<bool>("isTold");
    QTest::newRow("half") << 0.1 << 0.5 << true;
    QTest::newRow("just enough") << 0.1 << 0.21 << true;
    QTest::newRow("just too little") << 0.1 << 0.19 << false;
    QTest::newRow("too short") << 0.0019 << 0.5 << false;
}

void tst_ExplainKinds::lockWaitIsTold()
{
    QFETCH(const double, elapsed);
    QFETCH(const double, share);
    QFETCH(const bool, isTold);
    MadeRun run(u"counter"_s, elapsed);
    run.result.outcome =
        QJsonObject{{u"expected"_s, 20'000}, {u"lock_wait_s"_s, 2 * elapsed * share}};
    const Explanation found = run.found(u"counter.contention"_s);
    QCOMPARE(!found.note.isEmpty(), isTold);
    if (isTold)
        QCOMPARE(found.trial, (QJsonObject{{u"counter.mode"_s, u"local"_s}}));
}

void tst_ExplainKinds::pipeWaitsAreTold_data()
{
    QTest::addColumn<bool>("isDuplex");
    QTest::addColumn<double>("waited");
    QTest::addColumn<QString>("rule");
    QTest::newRow("full") << false << 0.21 << u"pipe.full"_s;
    QTest::newRow("hardly full") << false << 0.19 << QString();
    QTest::newRow("answers") << true << 0.51 << u"pipe.round_trips"_s;
    QTest::newRow("few waits for answers") << true << 0.49 << QString();
}

void tst_ExplainKinds::pipeWaitsAreTold()
{
    QFETCH(const bool, isDuplex);
    QFETCH(const double, waited);
    QFETCH(const QString, rule);
    MadeRun run(u"pipe"_s, 1);
    run.result.spec.set(u"pipe.duplex"_s, isDuplex);
    run.result.spec.set(u"pipe.message_bytes"_s, 65'536);
    run.result.outcome = QJsonObject{{u"round_trip_s"_s, 12e-6}};
    run.log->updateProcess(run.addChild(),
                           [waited](ProcessRecord &child) { child.waitingSeconds = waited; });
    for (const QString &one : {u"pipe.full"_s, u"pipe.round_trips"_s})
        QCOMPARE(run.rules().contains(one), one == rule);
    if (rule.isEmpty())
        return;
    QCOMPARE(run.found(rule).processes, QList<int>{1});
    QVERIFY(run.text(rule).contains(isDuplex ? u"12\u00A0µs"_s : u"64\u00A0KiB"_s));
}

void tst_ExplainKinds::joinsAndDaemonsAreTold_data()
{
    QTest::addColumn<QByteArray>("event");
    QTest::addColumn<QString>("rule");
    QTest::addColumn<QJsonObject>("trial");
    QTest::newRow("joins") << "process.join_timed_out"_ba << u"process.joins_timed_out"_s
                           << QJsonObject{{u"process.join_timeout_s"_s, 0}};
    QTest::newRow("daemons") << "process.daemon_ended"_ba << u"process.daemons_ended"_s
                             << QJsonObject{{u"process.daemon"_s, false}};
}

void tst_ExplainKinds::joinsAndDaemonsAreTold()
{
    QFETCH(const QByteArray, event);
    QFETCH(const QString, rule);
    QFETCH(const QJsonObject, trial);
    MadeRun run(u"process"_s, 3);
    for (int i = 0; i < 3; ++i)
        run.addChild();
    QCOMPARE(run.rules(), QStringList{u"nothing"_s});
    for (const int process : {3, 1})
        run.log->addEvent({MadeRun::ns(2), RunEvent::Severity::Warning, process, {event}});
    const Explanation found = run.found(rule);
    QCOMPARE(found.processes, (QList<int>{3, 1}));
    QCOMPARE(found.toNs, MadeRun::ns(2));
    QCOMPARE(found.trial, trial);
    QVERIFY(run.text(rule).contains(u'2'));
}

QTEST_GUILESS_MAIN(tst_ExplainKinds)
#include "tst_explain_kinds.moc"
