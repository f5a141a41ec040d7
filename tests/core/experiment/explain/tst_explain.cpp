// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/explain/explanation.h"

#include "tests/support/made_run.h"

#include <QJsonArray>
#include <QTest>

#include <csignal>

using namespace Qt::StringLiterals;
using namespace proclab;
using test::MadeRun;

namespace {

constexpr int cores = 2;

/// So many workers on two cores for a second, each busy and ready for these parts of its time.
MadeRun poolRun(int workers, double core, double ready, double elapsed = 1)
{
    MadeRun run(u"pool"_s, elapsed);
    run.result.spec.set(u"pool.workers"_s, workers);
    run.result.spec.set(u"tasks.count"_s, workers);
    for (int i = 0; i < workers; ++i)
        run.addChild(core, ready);
    return run;
}

} // namespace

/// The rules that hold for each kind, on runs that are made up.
class tst_Explain : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void waitsForCoresAreToldApart_data();
    void waitsForCoresAreToldApart();
    void parentsTimeIsTheRuns();
    void fewerProcessesAreTried();
    void fullCoresAreTold_data();
    void fullCoresAreTold();
    void slowStartIsTold_data();
    void slowStartIsTold();
    void cheaperStartIsTried_data();
    void cheaperStartIsTried();
    void crashIsToldWithItsCost();
    void endByTheRunIsNoCrash();
    void missingDataIsSaid_data();
    void missingDataIsSaid();
    void mostTellingComesFirst();
    void everyRuleHasWords();
    void trialNamesItsFields();
};

void tst_Explain::waitsForCoresAreToldApart_data()
{
    QTest::addColumn<int>("workers");
    QTest::addColumn<double>("core");
    QTest::addColumn<double>("ready");
    QTest::addColumn<double>("elapsed");
    QTest::addColumn<QStringList>("rules");
    const QString own = u"oversubscribed"_s;
    const QString others = u"cores_taken"_s;
    QTest::newRow("four on two cores") << 4 << 0.5 << 0.5 << 1.0 << QStringList{own};
    QTest::newRow("just enough") << 4 << 0.5 << 0.21 << 1.0 << QStringList{own};
    QTest::newRow("just too little") << 4 << 0.5 << 0.19 << 1.0 << QStringList{u"nothing"_s};
    QTest::newRow("others have the rest") << 4 << 0.2 << 0.8 << 1.0 << QStringList{others};
    QTest::newRow("two of two wait") << 2 << 0.5 << 0.5 << 1.0 << QStringList{others};
    QTest::newRow("one core is left to them")
        << 2 << 0.75 << 0.25 << 1.0 << QStringList{u"nothing"_s};
    QTest::newRow("too short") << 4 << 0.5 << 0.5 << 0.19 << QStringList{u"too_short"_s};
}

void tst_Explain::waitsForCoresAreToldApart()
{
    QFETCH(const int, workers);
    QFETCH(const double, core);
    QFETCH(const double, ready);
    QFETCH(const double, elapsed);
    QFETCH(const QStringList, rules);
    QCOMPARE(poolRun(workers, core, ready, elapsed).rules(cores), rules);
}

/// Who hands over the tasks takes a core as well.
void tst_Explain::parentsTimeIsTheRuns()
{
    MadeRun run = poolRun(4, 0.2, 0.8);
    QCOMPARE(run.rules(cores), QStringList{u"cores_taken"_s});
    run.log->lane(0).samples.append({MadeRun::ns(1), 90, 0, 0, 0});
    QCOMPARE(run.rules(cores), QStringList{u"oversubscribed"_s});
}

void tst_Explain::fewerProcessesAreTried()
{
    const MadeRun run = poolRun(4, 0.5, 0.5);
    const Explanation explanation = run.found(u"oversubscribed"_s);
    QCOMPARE(explanation.trial, (QJsonObject{{u"pool.workers"_s, 2}}));
    QVERIFY(!explanation.isWarning);
    QCOMPARE(explanation.toNs, MadeRun::ns(1));
    const QString text = run.text(u"oversubscribed"_s);
    QVERIFY2(text.contains(u"50\u00A0%") && text.contains(u"4 processes shared 2 cores"),
             qPrintable(text));
    QVERIFY(poolRun(4, 0.2, 0.8).found(u"cores_taken"_s).isWarning);
}

void tst_Explain::fullCoresAreTold_data()
{
    QTest::addColumn<int>("workers");
    QTest::addColumn<double>("core");
    QTest::addColumn<bool>("isTold");
    QTest::newRow("two at 90 %") << 2 << 0.9 << true;
    QTest::newRow("two at 86 %") << 2 << 0.86 << true;
    QTest::newRow("two at 84 %") << 2 << 0.84 << false;
    QTest::newRow("one") << 1 << 1.0 << false;
}

void tst_Explain::fullCoresAreTold()
{
    QFETCH(const int, workers);
    QFETCH(const double, core);
    QFETCH(const bool, isTold);
    QCOMPARE(poolRun(workers, core, 0).rules(cores).contains(u"cpu_bound"_s), isTold);
}

void tst_Explain::slowStartIsTold_data()
{
    QTest::addColumn<double>("startup");
    QTest::addColumn<double>("elapsed");
    QTest::addColumn<bool>("isTold");
    QTest::newRow("longer than the work") << 0.6 << 0.5 << true;
    QTest::newRow("a quarter of all") << 0.2 << 0.6 << true;
    QTest::newRow("below a quarter") << 0.19 << 0.6 << false;
    QTest::newRow("not noticed") << 0.049 << 0.01 << false;
}

void tst_Explain::slowStartIsTold()
{
    QFETCH(const double, startup);
    QFETCH(const double, elapsed);
    QFETCH(const bool, isTold);
    MadeRun run = poolRun(1, 0, 0, elapsed);
    run.result.startupSeconds = startup;
    QCOMPARE(run.rules(cores).contains(u"startup"_s), isTold);
}

void tst_Explain::cheaperStartIsTried_data()
{
    QTest::addColumn<QJsonObject>("costs");
    QTest::addColumn<QJsonObject>("trial");
    const QString path = u"process.start_method"_s;
    QTest::newRow("fork") << QJsonObject{{u"spawn"_s, 0.01}, {u"fork"_s, 0.001}}
                          << QJsonObject{{path, u"fork"_s}};
    QTest::newRow("hardly cheaper")
        << QJsonObject{{u"spawn"_s, 0.01}, {u"fork"_s, 0.008}} << QJsonObject();
    QTest::newRow("not measured") << QJsonObject{{u"spawn"_s, 0.01}, {u"fork"_s, QJsonValue()}}
                                  << QJsonObject();
}

void tst_Explain::cheaperStartIsTried()
{
    QFETCH(const QJsonObject, costs);
    QFETCH(const QJsonObject, trial);
    MadeRun run(u"process"_s, 0.1);
    run.addChild();
    run.result.startupSeconds = 0.1;
    run.result.outcome = QJsonObject{{u"start_method_s"_s, costs}};
    QCOMPARE(run.found(u"startup"_s).trial, trial);
}

void tst_Explain::crashIsToldWithItsCost()
{
    MadeRun run(u"pool"_s, 2);
    run.result.spec.set(u"tasks.count"_s, 8);
    const int dead = run.addChildUntil(1.5);
    run.addTask(dead, 1.1, 1.5, TaskError::Signal);
    const int next = run.addChild();
    run.log->updateProcess(dead, [](ProcessRecord &record) { record.signal = SIGSEGV; });
    run.log->updateProcess(next, [dead](ProcessRecord &record) {
        record.replaces = dead;
        record.startNs = MadeRun::ns(1.512);
    });
    const Explanation crash = run.explained().first();
    QCOMPARE(crash.note.code, "crash"_ba);
    QCOMPARE(crash.processes, QList<int>{dead});
    QCOMPARE(crash.fromNs, MadeRun::ns(1.1));
    QCOMPARE(crash.toNs, MadeRun::ns(1.512));
    QVERIFY(crash.isWarning);
    const QString text = explanationText(run.result, crash);
    for (const QString &part :
         {u"worker-1 was ended by SIGSEGV after 1.50\u00A0s, 400\u00A0ms into its task."_s,
          u"Task #0 failed with it."_s, u"worker-2 took its place 12\u00A0ms later."_s})
        QVERIFY2(text.contains(part), qPrintable(text));
    QCOMPARE(run.found(u"pool.not_retried"_s).trial,
             (QJsonObject{{u"pool.on_crash"_s, u"retry"_s}}));
    run.result.spec.set(u"pool.on_crash"_s, u"retry"_s);
    QVERIFY(!run.rules().contains(u"pool.not_retried"_s));
}

void tst_Explain::endByTheRunIsNoCrash()
{
    MadeRun run(u"counter"_s, 1);
    const int child = run.addChild();
    run.log->updateProcess(child, [](ProcessRecord &record) {
        record.signal = SIGTERM;
        record.endedByRun = true;
    });
    QCOMPARE(run.rules(), QStringList{u"nothing"_s});
}

void tst_Explain::missingDataIsSaid_data()
{
    QTest::addColumn<double>("elapsed");
    QTest::addColumn<bool>("hasChild");
    QTest::addColumn<bool>("hasSamples");
    QTest::addColumn<bool>("isStopped");
    QTest::addColumn<QStringList>("rules");
    QTest::newRow("no process") << 1.0 << false << false << false << QStringList{u"no_data"_s};
    QTest::newRow("no work") << 0.0 << true << false << true
                             << QStringList{u"no_data"_s, u"cut_short"_s};
    QTest::newRow("short") << 0.1 << true << true << false << QStringList{u"too_short"_s};
    QTest::newRow("no samples") << 1.0 << true << false << false << QStringList{u"no_samples"_s};
    QTest::newRow("stopped") << 1.0 << true << true << true << QStringList{u"cut_short"_s};
    QTest::newRow("all there") << 1.0 << true << true << false << QStringList{u"nothing"_s};
}

void tst_Explain::missingDataIsSaid()
{
    QFETCH(const double, elapsed);
    QFETCH(const bool, hasChild);
    QFETCH(const bool, hasSamples);
    QFETCH(const bool, isStopped);
    QFETCH(const QStringList, rules);
    MadeRun run(u"counter"_s, elapsed);
    if (hasChild && hasSamples)
        run.addChild();
    else if (hasChild)
        run.log->addProcess({.name = u"process-1"_s,
                             .role = &run.result.spec.kindInfo()->roles.front(),
                             .endNs = MadeRun::ns(elapsed)});
    run.result.stopped = isStopped;
    QCOMPARE(run.rules(), rules);
    QVERIFY(explain(RunResult()).isEmpty());
}

void tst_Explain::mostTellingComesFirst()
{
    MadeRun run = poolRun(4, 0.5, 0.5);
    run.result.startupSeconds = 3;
    run.log->updateProcess(1, [](ProcessRecord &record) { record.exitCode = 3; });
    QCOMPARE(run.rules(), (QStringList{u"crash"_s, u"startup"_s, u"oversubscribed"_s}));
}

void tst_Explain::everyRuleHasWords()
{
    MadeRun crowded = poolRun(4, 0.5, 0.5);
    crowded.result.startupSeconds = 3;
    crowded.result.stopped = true;
    MadeRun taken = poolRun(4, 0.2, 0.8);
    MadeRun full = poolRun(2, 0.9, 0, 1);
    for (const MadeRun &run :
         {crowded, taken, full, poolRun(1, 0, 0, 0.1), MadeRun(u"pool"_s, 1)}) {
        for (const Explanation &explanation : run.explained()) {
            const QString text = explanationText(run.result, explanation);
            QVERIFY2(text.endsWith(u'.') && text.contains(u' ') && !text.contains(u'%' % u"1"_s),
                     qPrintable(text));
        }
    }
    // Of a newer program.
    QCOMPARE(explanationText(full.result, {.note = {"later"_ba}}), u"later"_s);
    QCOMPARE(explanationText(full.result, {.note = {"pool.later"_ba}}), u"pool.later"_s);
}

void tst_Explain::trialNamesItsFields()
{
    ExperimentSpec spec(u"pool"_s);
    spec.set(u"pool.workers"_s, 4);
    QCOMPARE(trialText(spec, {{u"pool.workers"_s, 2}, {u"pool.method"_s, u"map"_s}}),
             u"Workers 2 instead of 4, Method map instead of apply_async"_s);
    QCOMPARE(trialText(ExperimentSpec(u"pipe"_s), {{u"pipe.duplex"_s, false}}),
             u"Duplex off instead of on"_s);
}

QTEST_GUILESS_MAIN(tst_Explain)
#include "tst_explain.moc"
