// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/run_status.h"

#include "tests/support/scripted_run.h"

#include <QTest>

using namespace Qt::StringLiterals;
using namespace proclab;
using proclab::test::ScriptedRun;
using State = RunSource::State;

class tst_RunStatus : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void idleHasTheStartMethodAlone();
    void runningIsToldFromTheNewestPicture();
    void endedIsToldFromTheResult();
    void unitStaysTheSameAtTheEnd();
    void samplingIsToldOnceItMeansSomething();
    void stateHasItsWord_data();
    void stateHasItsWord();
    void progressNamesOnlyWhatThereIs_data();
    void progressNamesOnlyWhatThereIs();
};

void tst_RunStatus::idleHasTheStartMethodAlone()
{
    ExperimentSpec spec(u"pool"_s);
    spec.set(u"pool.start_method"_s, u"spawn"_s);
    RunStatus expected;
    expected.startMethod = u"spawn"_s;
    QCOMPARE(idleStatus(spec), expected);
    QVERIFY(!idleStatus(spec).isActive());
    QCOMPARE(statusOf(ScriptedRun(spec)), expected); // Not started yet.
}

void tst_RunStatus::runningIsToldFromTheNewestPicture()
{
    ScriptedRun run(ExperimentSpec(u"pool"_s));
    run.setState(State::Starting);
    StageSnapshot picture;
    picture.processes = {{.process = 0, .state = ProcessState::Waiting},
                         {.process = 1, .state = ProcessState::Starting},
                         {.process = 2, .state = ProcessState::AtGate},
                         {.process = 3, .state = ProcessState::Crashed}};
    picture.timeNs = 2'000'000'000;
    picture.total = 24;
    picture.done = 11;
    picture.failed = 1;
    picture.cancelled = 2;
    picture.lost = 3;
    run.elapsed = 2.04; // A moment later.
    run.writableLog().snapshots.append(std::make_shared<StageSnapshot>());
    run.writableLog().snapshots.append(std::make_shared<StageSnapshot>(picture));
    run.writableLog().addEvent({});
    run.writableLog().droppedSpans = 7;
    const RunStatus status = statusOf(run);
    QVERIFY(status.isActive());
    QCOMPARE(status.elapsedSeconds, 2.0);
    QCOMPARE(status.processes, 3);
    QCOMPARE(status.startedProcesses, 2);
    QCOMPARE(status.total, quint64{24});
    QCOMPARE(status.done, quint64{11});
    QCOMPARE(status.failedTasks, quint64{1});
    QCOMPARE(status.cancelled, quint64{2});
    QCOMPARE(status.lost, quint64{3});
    QCOMPARE(status.events, quint64{1});
    QCOMPARE(status.droppedSpans, quint64{7});
    // A view that draws an older one tells of that.
    QCOMPARE(statusOf(run, run.snapshotAt(0)).done, quint64{0});
}

void tst_RunStatus::endedIsToldFromTheResult()
{
    ScriptedRun run(ExperimentSpec(u"pool"_s));
    StageSnapshot picture;
    picture.done = 3; // Older than the result.
    run.writableLog().snapshots.append(std::make_shared<StageSnapshot>(picture));
    RunResult result;
    result.spec = run.spec();
    result.totals = {.tasks = 24, .done = 20, .failed = 1, .cancelled = 2, .lost = 1};
    run.end(result);
    RunStatus status = statusOf(run);
    QCOMPARE(status.state, State::Ended);
    QVERIFY(!status.failed);
    QCOMPARE(status.total, quint64{24});
    QCOMPARE(status.done, quint64{20});
    QCOMPARE(status.failedTasks, quint64{1});
    QCOMPARE(status.cancelled, quint64{2});
    QCOMPARE(status.lost, quint64{1});
    result.engineError = Error{};
    run.end(result);
    QVERIFY(statusOf(run).failed);
}

/// Two processes have ended well, which took eight items through a queue.
void tst_RunStatus::unitStaysTheSameAtTheEnd()
{
    ScriptedRun run(ExperimentSpec(u"pipeline"_s));
    StageSnapshot picture;
    picture.total = 8;
    picture.done = 7;
    picture.failed = 1;
    run.writableLog().snapshots.append(std::make_shared<StageSnapshot>(picture));
    RunResult result;
    result.spec = run.spec();
    result.log = run.log();
    result.totals = {.tasks = 2, .done = 2};
    run.end(result);
    const RunStatus status = statusOf(run);
    QCOMPARE(status.total, quint64{8});
    QCOMPARE(status.done, quint64{7});
    QCOMPARE(status.failedTasks, quint64{1});
}

void tst_RunStatus::samplingIsToldOnceItMeansSomething()
{
    ScriptedRun run(ExperimentSpec(u"pool"_s));
    run.writableLog().samplerCpuNs = 5'432'100;
    run.elapsed = 0.2;
    QCOMPARE(statusOf(run).samplingPercent, -1.0);
    run.elapsed = 1;
    QCOMPARE(statusOf(run).samplingPercent, 0.5);
}

void tst_RunStatus::stateHasItsWord_data()
{
    QTest::addColumn<State>("state");
    QTest::addColumn<bool>("failed");
    QTest::addColumn<QString>("word");
    QTest::newRow("idle") << State::Idle << false << u"Ready"_s;
    QTest::newRow("starting") << State::Starting << false << u"Starting"_s;
    QTest::newRow("running") << State::Running << false << u"Running"_s;
    QTest::newRow("stopping") << State::Stopping << false << u"Stopping"_s;
    QTest::newRow("ended") << State::Ended << false << u"Ended"_s;
    QTest::newRow("failed") << State::Ended << true << u"Failed"_s;
}

void tst_RunStatus::stateHasItsWord()
{
    QFETCH(const State, state);
    QFETCH(const bool, failed);
    QFETCH(const QString, word);
    RunStatus status;
    status.state = state;
    status.failed = failed;
    QCOMPARE(stateText(status), word);
}

void tst_RunStatus::progressNamesOnlyWhatThereIs_data()
{
    QTest::addColumn<quint64>("failed");
    QTest::addColumn<quint64>("lost");
    QTest::addColumn<QString>("text");
    QTest::newRow("all well") << quint64{0} << quint64{0} << u"12\u202F345 of 20\u202F000 done"_s;
    QTest::newRow("failed") << quint64{2} << quint64{0}
                            << u"12\u202F345 of 20\u202F000 done, 2 failed"_s;
    QTest::newRow("lost") << quint64{0} << quint64{3}
                          << u"12\u202F345 of 20\u202F000 done, 3 lost"_s;
    QTest::newRow("both") << quint64{2} << quint64{3}
                          << u"12\u202F345 of 20\u202F000 done, 2 failed, 3 lost"_s;
}

void tst_RunStatus::progressNamesOnlyWhatThereIs()
{
    QFETCH(const quint64, failed);
    QFETCH(const quint64, lost);
    QFETCH(const QString, text);
    QCOMPARE(progressText(12'345, 20'000, failed, lost), text);
}

QTEST_GUILESS_MAIN(tst_RunStatus)
#include "tst_run_status.moc"
