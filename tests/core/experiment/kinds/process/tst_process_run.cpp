// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/process/process_state.h"
#include "core/experiment/run/experiment_run.h"
#include "core/process/engine.h"
#include "tests/support/kernel_state.h"
#include "tests/support/leak_check.h"
#include "tests/support/run_to_end.h"

#include <QJsonArray>
#include <QJsonObject>
#include <QRandomGenerator>
#include <QTest>

#include <csignal>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

using test::patience;

/// A list of arguments, one a process.
ExperimentSpec processes(const QString &task, const QList<QJsonObject> &arguments,
                         const QJsonObject &block = {})
{
    QJsonArray list;
    for (const QJsonObject &one : arguments)
        list.append(one);
    ExperimentSpec spec(u"process"_s);
    spec.set(u"process"_s, block);
    spec.set(u"tasks"_s, QJsonObject{{u"task"_s, task}, {u"args_list"_s, list}});
    return spec;
}

QJsonObject sleepOf(double seconds)
{
    return {{u"min_s"_s, seconds}, {u"max_s"_s, seconds}};
}

pid_t pidOf(const ExperimentRun &run, int process)
{
    return static_cast<pid_t>(run.log()->processes().at(process).pid);
}

const LivesState &lastLives(const ExperimentRun &run)
{
    return run.log()->snapshots.newest()->state<LivesState>();
}

QList<QByteArray> eventCodes(const ExperimentRun &run)
{
    QList<QByteArray> codes;
    const AppendLog<RunEvent> &events = run.log()->events();
    for (std::size_t i = 0; i < events.size(); ++i)
        codes.append(events[i].note.code);
    return codes;
}

} // namespace

class tst_ProcessRun : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init() { m_before = std::make_unique<test::LeakCheck>(); }
    void cleanup() { QTRY_COMPARE_WITH_TIMEOUT(m_before->leftovers(), QString(), patience); }

    void exitCodesAreAllThatComesBack_data();
    void exitCodesAreAllThatComesBack();
    void livesAreToldInOrder_data();
    void livesAreToldInOrder();
    void joinReturnsAfterItsTimeout();
    void daemonsEndWithTheirParent();
    void processesHaveTheirNames_data();
    void processesHaveTheirNames();
    void killedOneIsNamed_data();
    void killedOneIsNamed();
    void signalsReachAProcess();
    void signalsAfterTheEndHaveNoEffect();
    void stateSurvivesPacking();

private:
    Engine m_engine;
    std::unique_ptr<test::LeakCheck> m_before;
};

void tst_ProcessRun::exitCodesAreAllThatComesBack_data()
{
    QTest::addColumn<QString>("start");
    QTest::addColumn<ExperimentSpec>("spec");
    QTest::addColumn<QJsonArray>("codes");
    struct Case
    {
        const char *name;
        ExperimentSpec spec;
        QJsonArray codes;
    };
    const QJsonObject never{{u"every"_s, 1'000}};
    const Case cases[] = {
        {"sleep", processes(u"io.sleep"_s, {sleepOf(0.01), sleepOf(0.05)}), {0, 0}},
        {"exit codes",
         processes(u"fail.exit"_s, {{{u"code"_s, 0}}, {{u"code"_s, 1}}, {{u"code"_s, 255}}, never}),
         {0, 1, 255, 0}},
        {"exceptions", processes(u"fail.throw"_s, {{}, never}), {1, 0}},
        {"signals", processes(u"fail.crash"_s, {{{u"signal"_s, SIGSEGV}}, never}), {-SIGSEGV, 0}},
    };
    for (const QString &start : startMethodNames()) {
        for (const Case &one : cases) {
            ExperimentSpec spec = one.spec;
            spec.set(u"process.start_method"_s, start);
            QTest::addRow("%s, %s", one.name, qPrintable(start)) << start << spec << one.codes;
        }
    }
}

void tst_ProcessRun::exitCodesAreAllThatComesBack()
{
    QFETCH(const ExperimentSpec, spec);
    QFETCH(const QJsonArray, codes);
    ExperimentRun run(m_engine, spec);
    QVERIFY(test::runToEnd(run));
    const RunResult &result = run.result();
    QVERIFY(!result.engineError);
    QCOMPARE(result.outcome[u"exit_codes"_s].toArray(), codes);
    const auto good = static_cast<quint64>(std::count(codes.begin(), codes.end(), QJsonValue(0)));
    const auto all = static_cast<quint64>(codes.size());
    QCOMPARE(result.totals.tasks, all);
    QCOMPARE(result.totals.done, good);
    QCOMPARE(result.totals.failed, all - good);
    QCOMPARE(result.exitStatus(), good == all ? 0 : 1);
    QCOMPARE(result.noticeIsGood, good == all);
    // Results stand in the order of start, whoever ended first.
    const AppendLog<TaskRecord> &tasks = run.log()->tasks;
    for (std::size_t i = 0; i < tasks.size(); ++i)
        QCOMPARE(tasks[i].process, static_cast<int>(tasks[i].index) + 1);
}

void tst_ProcessRun::livesAreToldInOrder_data()
{
    QTest::addColumn<QString>("start");
    for (const QString &start : startMethodNames())
        QTest::newRow(qPrintable(start)) << start;
}

/// Created, there, at the gate; ended, joined.
void tst_ProcessRun::livesAreToldInOrder()
{
    QFETCH(const QString, start);
    ExperimentRun run(m_engine, processes(u"io.sleep"_s, {sleepOf(0.2), sleepOf(0.1)},
                                          {{u"start_method"_s, start}}));
    QVERIFY(test::runToEnd(run));
    const LivesState &now = lastLives(run);
    for (const StartMethod method :
         {StartMethod::Spawn, StartMethod::ForkServer, StartMethod::Fork})
        QVERIFY(now.startCostOf(method) > 0);
    QCOMPARE(now.lives.size(), 2U);
    qint64 lastCreated = std::numeric_limits<qint64>::min();
    for (std::size_t i = 0; i < 2; ++i) {
        const LivesState::Life &life = now.lives[i];
        const ProcessRecord record = run.log()->processes().at(static_cast<int>(i) + 1);
        QVERIFY(life.createdNs > lastCreated);
        lastCreated = life.createdNs;
        QVERIFY(life.startNs > 0 && life.createdNs + life.startNs <= 0);
        QVERIFY(life.joinedNs >= record.endNs);
        QCOMPARE(life.parentPid, ::getpid());
    }
    // The second had ended by the time at which the first was joined.
    QCOMPARE(now.joins.size(), 2U);
    QCOMPARE(now.joins[0].child, 0);
    QCOMPARE(now.joins[1].child, 1);
    QVERIFY(now.joins[0].endedNs <= now.joins[1].beganNs);
    QVERIFY(!now.currentJoin());
}

void tst_ProcessRun::joinReturnsAfterItsTimeout()
{
    ExperimentRun run(m_engine,
                      processes(u"io.sleep"_s, {sleepOf(1.0)}, {{u"join_timeout_s"_s, 0.1}}));
    QVERIFY(test::runToEnd(run));
    const LivesState &now = lastLives(run);
    QCOMPARE(now.joins.size(), 2U);
    QCOMPARE(now.joins[0].end, LivesState::TimedOut);
    const qint64 waitedNs = now.joins[0].endedNs - now.joins[0].beganNs;
    QVERIFY2(waitedNs >= 100'000'000 && waitedNs < 900'000'000,
             qPrintable(QString::number(waitedNs)));
    // The parent does not end before its child.
    QCOMPARE(now.joins[1].isAtExit, 1);
    QCOMPARE(now.joins[1].end, LivesState::InTime);
    QCOMPARE(run.result().totals.done, 1U);
    QCOMPARE(run.result().outcome[u"joins_timed_out"_s].toInt(), 1);
    QVERIFY(eventCodes(run).contains("process.join_timed_out"));
}

void tst_ProcessRun::daemonsEndWithTheirParent()
{
    const QJsonObject block{{u"join_timeout_s"_s, 0.1}, {u"daemon"_s, true}};
    ExperimentRun run(m_engine, processes(u"io.sleep"_s, {sleepOf(600), sleepOf(0.01)}, block));
    QVERIFY(test::runToEnd(run));
    const RunResult &result = run.result();
    QCOMPARE(result.outcome[u"exit_codes"_s].toArray(), (QJsonArray{-SIGTERM, 0}));
    QCOMPARE(result.totals.failed, 1U);
    QCOMPARE(result.totals.done, 1U);
    const AppendLog<TaskRecord> &tasks = run.log()->tasks;
    const TaskRecord ended = tasks[0].index == 0 ? tasks[0] : tasks[1];
    QCOMPARE(ended.error, TaskError::Timeout);
    QVERIFY(run.log()->processes().at(1).endedByRun);
    QVERIFY(eventCodes(run).contains("process.daemon_ended"));
    for (const LivesState::Life &life : lastLives(run).lives)
        QVERIFY(life.joinedNs > 0);
}

void tst_ProcessRun::processesHaveTheirNames_data()
{
    QTest::addColumn<QString>("name");
    QTest::addColumn<int>("count");
    QTest::addColumn<QStringList>("names");
    QTest::addColumn<QStringList>("shortNames");
    QTest::newRow("none") << QString() << 2 << QStringList{u"process-1"_s, u"process-2"_s}
                          << QStringList{u"P1"_s, u"P2"_s};
    QTest::newRow("one") << u"greeter"_s << 1 << QStringList{u"greeter"_s} << QStringList{u"G"_s};
    QTest::newRow("short") << u"Ada"_s << 1 << QStringList{u"Ada"_s} << QStringList{u"Ada"_s};
    QTest::newRow("several") << u"greeter"_s << 2 << QStringList{u"greeter-1"_s, u"greeter-2"_s}
                             << QStringList{u"G1"_s, u"G2"_s};
    QTest::newRow("a dash") << u"left-handed"_s << 1 << QStringList{u"left-handed"_s}
                            << QStringList{u"L"_s};
}

void tst_ProcessRun::processesHaveTheirNames()
{
    QFETCH(const QString, name);
    QFETCH(const int, count);
    QFETCH(const QStringList, names);
    QFETCH(const QStringList, shortNames);
    ExperimentRun run(m_engine,
                      processes(u"io.sleep"_s, QList<QJsonObject>(count, sleepOf(0.01)),
                                {{u"name"_s, name}, {u"start_method"_s, u"forkserver"_s}}));
    QVERIFY(test::runToEnd(run));
    QStringList found;
    QStringList foundShort;
    for (const ProcessRecord &record : run.log()->processes().mid(1)) {
        found.append(record.name);
        foundShort.append(shortName(record));
    }
    QCOMPARE(found, names);
    QCOMPARE(foundShort, shortNames);
}

void tst_ProcessRun::killedOneIsNamed_data()
{
    livesAreToldInOrder_data();
}

/// At a random instant, before or after the gate: the others go on, and nothing is left.
void tst_ProcessRun::killedOneIsNamed()
{
    QFETCH(const QString, start);
    constexpr int rounds = 5;
    for (int round = 0; round < rounds; ++round) {
        ExperimentRun run(
            m_engine,
            processes(u"mixed"_s, QList<QJsonObject>(3, {{u"cpu_s"_s, 0.005}, {u"sleep_s"_s, 0.5}}),
                      {{u"start_method"_s, start}}));
        QVERIFY(run.start());
        QTRY_VERIFY_WITH_TIMEOUT(run.state() == RunSource::State::Running, patience);
        const int delayMs = QRandomGenerator::global()->bounded(40);
        QElapsedTimer passed;
        passed.start();
        QTRY_VERIFY_WITH_TIMEOUT(passed.elapsed() >= delayMs, patience);
        QCOMPARE(::kill(pidOf(run, 2), SIGKILL), 0);
        QTRY_VERIFY_WITH_TIMEOUT(run.state() == RunSource::State::Ended, patience);
        const RunResult &result = run.result();
        QVERIFY2(!result.engineError, qPrintable(u"after %1 ms"_s.arg(delayMs)));
        QCOMPARE(result.totals.done, 2U);
        QCOMPARE(result.totals.lost, 1U);
        QCOMPARE(result.outcome[u"exit_codes"_s].toArray(), (QJsonArray{0, -SIGKILL, 0}));
        // What it had in hand ends with it on the timeline.
        const auto &spans = run.log()->lane(2).spans;
        QVERIFY(spans.isEmpty() ||
                spans[spans.size() - 1].endNs <= run.log()->processes().at(2).endNs);
    }
}

void tst_ProcessRun::signalsReachAProcess()
{
    ExperimentRun run(m_engine, processes(u"io.sleep"_s, {sleepOf(600)}));
    QVERIFY(run.start());
    QTRY_VERIFY_WITH_TIMEOUT(run.state() == RunSource::State::Running, patience);
    const pid_t pid = pidOf(run, 1);
    run.sendSignal(1, SIGSTOP);
    QTRY_COMPARE_WITH_TIMEOUT(test::kernelState(pid), 'T', patience);
    const auto isSeenStopped = [&run] {
        const StageSnapshotPointer picture = run.snapshot();
        return picture && picture->processes.value(1).state == ProcessState::Stopped;
    };
    QTRY_VERIFY_WITH_TIMEOUT(isSeenStopped(), patience);
    run.sendSignal(1, SIGCONT);
    QTRY_COMPARE_WITH_TIMEOUT(test::kernelState(pid), 'S', patience);
    run.sendSignal(1, SIGTERM);
    QTRY_VERIFY_WITH_TIMEOUT(run.state() == RunSource::State::Ended, patience);
    QCOMPARE(run.result().totals.lost, 1U);
    QCOMPARE(run.log()->processes().at(1).signal, SIGTERM);
}

/// The parent is no child, and a PID that is free again is none of ours.
void tst_ProcessRun::signalsAfterTheEndHaveNoEffect()
{
    ExperimentRun run(m_engine, processes(u"io.sleep"_s, {sleepOf(0.01), sleepOf(0.5)}));
    QVERIFY(run.start());
    QTRY_VERIFY_WITH_TIMEOUT(run.log()->processes().value(1).endNs > 0, patience);
    for (const int process : {-1, 0, 1, 99})
        run.sendSignal(process, SIGKILL);
    QTRY_VERIFY_WITH_TIMEOUT(run.state() == RunSource::State::Ended, patience);
    run.sendSignal(1, SIGKILL);
    QCOMPARE(run.result().totals.done, 2U);
}

void tst_ProcessRun::stateSurvivesPacking()
{
    LivesState state;
    state.startCostNs = {7'000'000, 400'000, 390'000};
    state.lives = {{-5'000, 900, LivesState::notYet, 41}, {-4'000, 0, 77'000, 0}};
    state.joins = {{.child = 1, .beganNs = 10, .endedNs = 77'000, .end = LivesState::InTime},
                   {.child = 0, .beganNs = 78'000, .isAtExit = 1}};
    const auto numbers = state.packed(100'000);
    const auto back = std::dynamic_pointer_cast<const LivesState>(state.unpacked(numbers, 100'000));
    QVERIFY(back);
    QCOMPARE(back->startCostNs, state.startCostNs);
    QCOMPARE(back->lives, state.lives);
    QCOMPARE(back->joins, state.joins);
    QVERIFY(back->currentJoin());
    // Whatever was cut off, what is left has a meaning.
    for (std::size_t size = 0; size < numbers.size(); ++size)
        (void)state.unpacked(std::span(numbers).first(size), 100'000);
}

QTEST_GUILESS_MAIN(tst_ProcessRun)
#include "tst_process_run.moc"
