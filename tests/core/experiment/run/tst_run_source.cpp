// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/experiment_run.h"
#include "core/process/engine.h"
#include "tests/support/leak_check.h"
#include "tests/support/run_to_end.h"
#include "tests/support/scripted_run.h"

#include <QTest>

#include <csignal>

using namespace Qt::StringLiterals;
using namespace proclab;
using proclab::test::patience;
using proclab::test::ScriptedRun;

namespace {

constexpr qint64 second = 1'000'000'000;

StageSnapshot pictureOf(qint64 timeNs, const QList<ProcessState> &states)
{
    StageSnapshot picture;
    picture.timeNs = timeNs;
    for (const ProcessState state : states)
        picture.processes.append({.process = int(picture.processes.size()), .state = state});
    return picture;
}

} // namespace

class tst_RunSource : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void activeIsBetweenStartAndEnd();
    void processesAreThoseOfThePicture();
    void crashIsNoEndByTheLab();
    void whatWasUsedLaterIsTakenBack();
    void allHaveEndedOnceTheLastHas();
    void samplesAreCountedUntilAnInstant();
    void liveRunKeepsEveryInstant();
};

void tst_RunSource::activeIsBetweenStartAndEnd()
{
    ScriptedRun run{ExperimentSpec(u"pool"_s)};
    QVERIFY(!run.isActive());
    for (const auto state :
         {RunSource::State::Starting, RunSource::State::Running, RunSource::State::Stopping}) {
        run.setState(state);
        QVERIFY(run.isActive());
    }
    run.end();
    QVERIFY(!run.isActive());
    const FinishedRun finished(run.result());
    QVERIFY(!finished.isActive());
    QCOMPARE(finished.state(), RunSource::State::Ended);
    QCOMPARE(finished.log(), run.log());
    QCOMPARE(finished.spec().kind(), u"pool"_s);
    QVERIFY(!finished.snapshotAt(0));
}

void tst_RunSource::processesAreThoseOfThePicture()
{
    RunLog log;
    for (int i = 0; i < 4; ++i)
        log.addProcess({});
    log.updateProcess(1, [](ProcessRecord &process) {
        process.endNs = second;
        process.signal = SIGSEGV;
    });
    log.updateProcess(2, [](ProcessRecord &process) {
        process.endNs = 3 * second;
        process.exitCode = 3;
    });
    using enum ProcessState;
    const QList<ProcessRecord> earlier =
        processesAt(log, pictureOf(second / 2, {Waiting, Running}));
    QCOMPARE(earlier.size(), qsizetype{2});
    QVERIFY(!hasCrashed(earlier[1]));
    QCOMPARE(earlier[1].signal, 0);
    const QList<ProcessRecord> later =
        processesAt(log, pictureOf(2 * second, {Waiting, Crashed, Sleeping, Running}));
    QCOMPARE(later.size(), qsizetype{4});
    QVERIFY(hasCrashed(later[1]));
    QCOMPARE(later[1].endNs, second);
    QCOMPARE(later[2].endNs, -1);
    QCOMPARE(later[2].exitCode, 0);
}

void tst_RunSource::whatWasUsedLaterIsTakenBack()
{
    RunLog log;
    ProcessRecord record;
    record.cpuSeconds = 1.5;
    record.readySeconds = 0.5;
    log.addProcess(record);
    for (const qint64 at : {second, 2 * second, 3 * second})
        log.lane(0).samples.append({at, 50, 10, 0, 0});
    const auto usedAt = [&log](qint64 timeNs) {
        return processesAt(log, pictureOf(timeNs, {ProcessState::Running})).first();
    };
    QCOMPARE(usedAt(3 * second).cpuSeconds, 1.5);
    QCOMPARE(usedAt(2 * second).cpuSeconds, 1.0);
    QCOMPARE(usedAt(second).cpuSeconds, 0.5);
    QCOMPARE(usedAt(second).readySeconds, 0.3);
    QCOMPARE(usedAt(0).cpuSeconds, 0.0);
}

void tst_RunSource::crashIsNoEndByTheLab()
{
    ProcessRecord process;
    QVERIFY(!hasCrashed(process));
    process.endNs = second;
    QVERIFY(!hasCrashed(process));
    process.exitCode = 1;
    QVERIFY(hasCrashed(process));
    process.exitCode = 0;
    process.signal = SIGKILL;
    QVERIFY(hasCrashed(process));
    process.endedByRun = true;
    QVERIFY(!hasCrashed(process));
}

void tst_RunSource::allHaveEndedOnceTheLastHas()
{
    QVERIFY(!haveEnded({}));
    QList<ProcessRecord> processes(3); // The parent is no child.
    QVERIFY(!haveEnded(processes.first(1)));
    processes[1].endNs = second;
    QVERIFY(!haveEnded(processes));
    processes[2].endNs = 0;
    QVERIFY(haveEnded(processes));
}

void tst_RunSource::samplesAreCountedUntilAnInstant()
{
    AppendLog<ProcessSample> samples;
    QCOMPARE(sampleCountUntil(samples, second), std::size_t{0});
    for (const qint64 timeNs : {second, 2 * second, 2 * second, 3 * second})
        samples.append({timeNs, 0, 0, 0});
    QCOMPARE(sampleCountUntil(samples, second - 1), std::size_t{0});
    QCOMPARE(sampleCountUntil(samples, second), std::size_t{1});
    QCOMPARE(sampleCountUntil(samples, 2 * second), std::size_t{3});
    QCOMPARE(sampleCountUntil(samples, 9 * second), std::size_t{4});
}

void tst_RunSource::liveRunKeepsEveryInstant()
{
    Engine engine;
    const test::LeakCheck before;
    ExperimentSpec spec(u"pool"_s);
    spec.set(u"pool.workers"_s, 2);
    spec.set(u"tasks"_s, QJsonObject{{u"task"_s, u"io.sleep"_s},
                                     {u"args"_s, QJsonObject{{u"min_s"_s, 0.1}, {u"max_s"_s, 0.1}}},
                                     {u"count"_s, 20}});
    ExperimentRun run(engine, spec);
    QVERIFY(!run.snapshot());
    QVERIFY(!run.snapshotAt(0));
    QVERIFY(test::runToEnd(run));
    const SnapshotHistory &kept = run.log()->snapshots;
    QVERIFY(kept.size() >= 5); // A second of work, and before it the start.
    QCOMPARE(run.snapshot()->done, quint64{20});
    QCOMPARE(run.snapshotAt(run.snapshot()->timeNs), run.snapshot());
    const StageSnapshotPointer first = run.snapshotAt(0);
    quint64 done = 0;
    for (qint64 timeNs = 0; timeNs <= run.snapshot()->timeNs; timeNs += second / 100) {
        const StageSnapshotPointer picture = run.snapshotAt(timeNs);
        QVERIFY(picture->timeNs <= std::max(timeNs, first->timeNs));
        QVERIFY(picture->done >= done);
        done = picture->done;
        const bool isRunning = picture->done < 18 && picture->done > 0;
        QVERIFY(!isRunning || !haveEnded(processesAt(*run.log(), *picture)));
    }
    QVERIFY(haveEnded(processesAt(*run.log(), *run.snapshot())));
    QVERIFY(run.snapshotAt(second / 2)->done < 20);
    QTRY_COMPARE_WITH_TIMEOUT(before.leftovers(), QString(), patience);
}

QTEST_GUILESS_MAIN(tst_RunSource)
#include "tst_run_source.moc"
