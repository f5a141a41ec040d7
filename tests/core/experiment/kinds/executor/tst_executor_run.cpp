// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/executor/executor_kind.h"
#include "core/experiment/kinds/executor/executor_state.h"
#include "core/experiment/run/experiment_run.h"
#include "core/process/engine.h"
#include "core/process/start_method.h"
#include "tests/support/leak_check.h"
#include "tests/support/run_to_end.h"

#include <QElapsedTimer>
#include <QJsonArray>
#include <QJsonObject>
#include <QTest>

#include <algorithm>
#include <csignal>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

using test::patience;

ExperimentSpec calls(const QString &task, const QJsonObject &arguments, int count,
                     const QJsonObject &block)
{
    ExperimentSpec spec(u"executor"_s);
    spec.set(u"executor"_s, block);
    spec.set(u"tasks"_s,
             QJsonObject{{u"task"_s, task}, {u"args"_s, arguments}, {u"count"_s, count}});
    return spec;
}

QJsonObject sleepOf(double seconds)
{
    return {{u"min_s"_s, seconds}, {u"max_s"_s, seconds}};
}

/// The numbers of the tasks, as the result lists them.
QList<int> listed(const RunResult &result)
{
    QList<int> numbers;
    for (const QJsonValue &one : test::resultJson(result)[u"results"_s].toArray())
        numbers.append(one[u"index"_s].toInt());
    return numbers;
}

QList<int> numbersOf(const QJsonValue &list)
{
    QList<int> numbers;
    for (const QJsonValue &one : list.toArray())
        numbers.append(one.toInt());
    return numbers;
}

bool hasEvent(const ExperimentRun &run, const char *code)
{
    const AppendLog<RunEvent> &events = run.log()->events();
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (events[i].note.code == code)
            return true;
    }
    return false;
}

} // namespace

class tst_ExecutorRun : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init() { m_before = std::make_unique<test::LeakCheck>(); }
    void cleanup() { QTRY_COMPARE_WITH_TIMEOUT(m_before->leftovers(), QString(), patience); }

    void everyCallHasItsResult_data();
    void everyCallHasItsResult();
    void resultsStandInTheirOrder_data();
    void resultsStandInTheirOrder();
    void noMoreWorkersThanCalls();
    void deathTakesWhatItMay_data();
    void deathTakesWhatItMay();
    void killedWorkerIsNamed_data();
    void killedWorkerIsNamed();
    void timeoutCancelsWhatHasNotStarted_data();
    void timeoutCancelsWhatHasNotStarted();
    void stoppedRunHasNoFailure();
    void manyFuturesAreAllTold();
    void badInputIsNamed_data();
    void badInputIsNamed();
    void stateSurvivesPacking();

private:
    Engine m_engine;
    std::unique_ptr<test::LeakCheck> m_before;
};

void tst_ExecutorRun::everyCallHasItsResult_data()
{
    QTest::addColumn<QJsonObject>("block");
    for (const QString &start : startMethodNames()) {
        for (const char *mode : {"submit", "map"}) {
            const QJsonObject block{{u"max_workers"_s, 3},
                                    {u"mode"_s, QString::fromLatin1(mode)},
                                    {u"start_method"_s, start}};
            QTest::addRow("%s, %s", mode, qPrintable(start)) << block;
        }
    }
}

/// An exception fails its own future only.
void tst_ExecutorRun::everyCallHasItsResult()
{
    QFETCH(const QJsonObject, block);
    ExperimentRun run(m_engine, calls(u"fail.throw"_s, {{u"every"_s, 4}}, 10, block));
    QVERIFY(test::runToEnd(run));
    const RunResult &result = run.result();
    QVERIFY(!result.engineError);
    QCOMPARE(result.totals.tasks, 10U);
    QCOMPARE(result.totals.done, 8U);
    QCOMPARE(result.totals.failed, 2U);
    QCOMPARE(result.exitStatus(), 1);
    QCOMPARE(result.outcome[u"broken"_s], QJsonValue(false));
    QCOMPARE(result.outcome[u"timed_out"_s], QJsonValue(false));
    const AppendLog<TaskRecord> &tasks = run.log()->tasks;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        if (tasks[i].status == TaskStatus::Done)
            QCOMPARE(tasks[i].integer, qint64{tasks[i].index});
        else
            QCOMPARE(tasks[i].error, TaskError::Exception);
    }
}

void tst_ExecutorRun::resultsStandInTheirOrder_data()
{
    QTest::addColumn<QJsonObject>("block");
    QTest::addColumn<bool>("asCompleted");
    QTest::newRow("submit") << QJsonObject() << true;
    QTest::newRow("submit, as submitted") << QJsonObject{{u"order"_s, u"submitted"_s}} << false;
    QTest::newRow("map") << QJsonObject{{u"mode"_s, u"map"_s}} << false;
    QTest::newRow("map has one order")
        << QJsonObject{{u"mode"_s, u"map"_s}, {u"order"_s, u"as_completed"_s}} << false;
}

void tst_ExecutorRun::resultsStandInTheirOrder()
{
    QFETCH(QJsonObject, block);
    QFETCH(const bool, asCompleted);
    block[u"max_workers"_s] = 3;
    ExperimentSpec spec = calls(u"io.sleep"_s, {}, 3, block);
    spec.set(u"tasks"_s,
             QJsonObject{{u"task"_s, u"io.sleep"_s},
                         {u"args_list"_s, QJsonArray{sleepOf(0.6), sleepOf(0.3), sleepOf(0.01)}}});
    ExperimentRun run(m_engine, spec);
    QVERIFY(test::runToEnd(run));
    const QList<int> completed{2, 1, 0};
    QCOMPARE(numbersOf(run.result().outcome[u"order_of_completion"_s]), completed);
    QCOMPARE(listed(run.result()), asCompleted ? completed : (QList<int>{0, 1, 2}));
    QCOMPARE(run.result().exitStatus(), 0);
}

void tst_ExecutorRun::noMoreWorkersThanCalls()
{
    ExperimentRun run(m_engine, calls(u"noop"_s, {}, 2, {{u"max_workers"_s, 8}}));
    QVERIFY(test::runToEnd(run));
    QCOMPARE(run.log()->processCount(), 3);
    QCOMPARE(executorWorkers(run.spec()), 2);
}

void tst_ExecutorRun::deathTakesWhatItMay_data()
{
    QTest::addColumn<QJsonObject>("block");
    QTest::addColumn<RunTotals>("totals");
    for (const QString &start : startMethodNames()) {
        const auto row = [&start](const char *onCrash, const RunTotals &totals) {
            QTest::addRow("%s, %s", onCrash, qPrintable(start))
                << QJsonObject{{u"max_workers"_s, 1},
                               {u"on_crash"_s, QString::fromLatin1(onCrash)},
                               {u"start_method"_s, start}}
                << totals;
        };
        row("break", {.tasks = 8, .done = 3, .failed = 1, .lost = 4});
        row("fail", {.tasks = 8, .done = 6, .failed = 2});
        row("retry", {.tasks = 8, .done = 8, .retried = 2});
    }
}

/// Calls 3 and 7 end their worker, at the first attempt.
void tst_ExecutorRun::deathTakesWhatItMay()
{
    QFETCH(const QJsonObject, block);
    QFETCH(const RunTotals, totals);
    ExperimentRun run(m_engine,
                      calls(u"fail.crash"_s, {{u"every"_s, 4}, {u"attempts"_s, 1}}, 8, block));
    QVERIFY(test::runToEnd(run));
    const RunResult &result = run.result();
    QVERIFY(!result.engineError);
    QCOMPARE(result.totals.done, totals.done);
    QCOMPARE(result.totals.failed, totals.failed);
    QCOMPARE(result.totals.lost, totals.lost);
    QCOMPARE(result.totals.retried, totals.retried);
    QVERIFY(test::addsUp(result.totals));
    const bool isBroken = block[u"on_crash"_s] == u"break"_s;
    QCOMPARE(result.outcome[u"broken"_s].toBool(), isBroken);
    QCOMPARE(hasEvent(run, "executor.broke"), isBroken);
    QCOMPARE(result.outcome[u"broken_by"_s].toString(), isBroken ? u"worker-1"_s : QString());
    QCOMPARE(hasEvent(run, "executor.retried"), totals.retried > 0);
    QCOMPARE(result.exitStatus(), totals.failed + totals.lost > 0 ? 1 : 0);
    QCOMPARE(result.noticeIsGood, totals.retried > 0);
    const auto &state = run.log()->snapshots.newest()->state<ExecutorState>();
    QCOMPARE(state.isBroken(), isBroken);
    QCOMPARE(state.retries.size(), totals.retried);
}

void tst_ExecutorRun::killedWorkerIsNamed_data()
{
    QTest::addColumn<QString>("start");
    QTest::addColumn<QString>("onCrash");
    for (const QString &start : startMethodNames()) {
        for (const QString &onCrash : {u"break"_s, u"fail"_s, u"retry"_s})
            QTest::addRow("%s, %s", qPrintable(onCrash), qPrintable(start)) << start << onCrash;
    }
}

/// From outside, at a random instant.
void tst_ExecutorRun::killedWorkerIsNamed()
{
    QFETCH(const QString, start);
    QFETCH(const QString, onCrash);
    QRandomGenerator random = test::drawnGenerator();
    for (int round = 0; round < 4; ++round) {
        ExperimentRun run(
            m_engine,
            calls(u"io.sleep"_s, sleepOf(0.03), 24,
                  {{u"max_workers"_s, 3}, {u"on_crash"_s, onCrash}, {u"start_method"_s, start}}));
        QVERIFY(run.start());
        QTRY_VERIFY_WITH_TIMEOUT(run.state() == RunSource::State::Running, patience);
        const int delayMs = random.bounded(120);
        QElapsedTimer passed;
        passed.start();
        QTRY_VERIFY_WITH_TIMEOUT(passed.elapsed() >= delayMs, patience);
        run.sendSignal(2, SIGKILL);
        QTRY_VERIFY_WITH_TIMEOUT(run.state() == RunSource::State::Ended, patience);
        const RunResult &result = run.result();
        QVERIFY2(!result.engineError, qPrintable(u"after %1 ms"_s.arg(delayMs)));
        QVERIFY(test::addsUp(result.totals));
        QCOMPARE(result.totals.failed, 0U); // A kill from outside is no doing of a call.
        const bool wasKilled = run.log()->processes().at(2).signal == SIGKILL;
        if (onCrash == u"retry"_s || !wasKilled)
            QCOMPARE(result.totals.lost, 0U);
        else if (onCrash == u"fail"_s)
            QVERIFY(result.totals.lost <= 1);
        else if (result.totals.lost > 0)
            QCOMPARE(result.outcome[u"broken_by"_s].toString(), u"worker-2"_s);
        QCOMPARE(result.exitStatus(), result.totals.lost > 0 ? 1 : 0);
    }
}

void tst_ExecutorRun::timeoutCancelsWhatHasNotStarted_data()
{
    QTest::addColumn<double>("seconds");
    QTest::addColumn<int>("count");
    QTest::addColumn<quint64>("cancelled");
    QTest::addColumn<bool>("isTimedOut");
    QTest::newRow("some wait") << 0.1 << 6 << quint64{4} << true;
    QTest::newRow("all run") << 0.1 << 2 << quint64{0} << true;
    QTest::newRow("in time") << 50.0 << 4 << quint64{0} << false;
    QTest::newRow("more than are under way") << 0.1 << 40'000 << quint64{39'998} << true;
}

void tst_ExecutorRun::timeoutCancelsWhatHasNotStarted()
{
    QFETCH(const double, seconds);
    QFETCH(const int, count);
    QFETCH(const quint64, cancelled);
    QFETCH(const bool, isTimedOut);
    // So long that no second call begins before the time is up, also on a busy machine.
    const double length = isTimedOut ? 1.5 : 0.01;
    ExperimentRun run(m_engine, calls(u"io.sleep"_s, sleepOf(length), count,
                                      {{u"max_workers"_s, 2}, {u"timeout_s"_s, seconds}}));
    QVERIFY(test::runToEnd(run));
    const RunResult &result = run.result();
    QCOMPARE(result.totals.cancelled, cancelled);
    QCOMPARE(result.totals.done, static_cast<quint64>(count) - cancelled);
    QCOMPARE(result.outcome[u"timed_out"_s].toBool(), isTimedOut);
    QCOMPARE(result.timeoutField, isTimedOut ? u"executor.timeout_s"_s : QString());
    QCOMPARE(result.exitStatus(), isTimedOut ? 1 : 0);
    QCOMPARE(hasEvent(run, "executor.timed_out"), isTimedOut);
    QCOMPARE(listed(result).size(), count);
}

void tst_ExecutorRun::stoppedRunHasNoFailure()
{
    ExperimentRun run(m_engine, calls(u"io.sleep"_s, sleepOf(600), 9, {{u"max_workers"_s, 3}}));
    QVERIFY(run.start());
    QTRY_VERIFY_WITH_TIMEOUT(run.snapshot() && run.snapshot()->queued == 6, patience);
    run.stop();
    QTRY_VERIFY_WITH_TIMEOUT(run.state() == RunSource::State::Ended, patience);
    const RunResult &result = run.result();
    QCOMPARE(result.totals.cancelled, 9U);
    QCOMPARE(result.outcome[u"broken"_s], QJsonValue(false));
    QVERIFY(result.stopped);
}

void tst_ExecutorRun::manyFuturesAreAllTold()
{
    constexpr int count = 30'000;
    ExperimentRun run(m_engine, calls(u"noop"_s, {}, count, {{u"max_workers"_s, 2}}));
    QVERIFY(test::runToEnd(run));
    QCOMPARE(run.result().totals.done, quint64{count});
    QVERIFY(!run.result().outcome.toObject().contains(u"order_of_completion"_s));
    QList<int> numbers = listed(run.result());
    std::sort(numbers.begin(), numbers.end());
    QCOMPARE(numbers.size(), count);
    for (int i = 0; i < count; ++i)
        QCOMPARE(numbers[i], i);
}

void tst_ExecutorRun::badInputIsNamed_data()
{
    QTest::addColumn<QString>("path");
    QTest::addColumn<QJsonValue>("value");
    const auto row = [](const QString &path, const QJsonValue &value) {
        QTest::addRow("%s %s", qPrintable(path), qPrintable(value.toVariant().toString()))
            << path << value;
    };
    row(u"executor.max_workers"_s, 0);
    row(u"executor.max_workers"_s, 257);
    row(u"executor.max_workers"_s, u"four"_s);
    row(u"executor.mode"_s, u"apply"_s);
    row(u"executor.order"_s, u"random"_s);
    row(u"executor.on_crash"_s, u"ignore"_s);
    row(u"executor.timeout_s"_s, -1);
    row(u"executor.timeout_s"_s, 1e-5);
    row(u"tasks.task"_s, u"fail.hang"_s); // A timeout of results does not end it.
}

void tst_ExecutorRun::badInputIsNamed()
{
    QFETCH(const QString, path);
    QFETCH(const QJsonValue, value);
    ExperimentSpec spec = calls(u"noop"_s, {}, 4, {{u"timeout_s"_s, 1}});
    QVERIFY(spec.check().isEmpty());
    spec.set(path, value);
    const QList<Error> faults = spec.check();
    QCOMPARE(faults.size(), 1);
    QCOMPARE(faults.first().subject, path);
}

void tst_ExecutorRun::stateSurvivesPacking()
{
    ExecutorState state;
    state.brokenBy = 3;
    state.isTimedOut = 1;
    state.retries = {{8, 2}, {11, 4}};
    state.next = {12, 13, 14};
    const auto numbers = state.packed(100'000);
    const auto back =
        std::dynamic_pointer_cast<const ExecutorState>(state.unpacked(numbers, 100'000));
    QVERIFY(back);
    QCOMPARE(back->brokenBy, state.brokenBy);
    QCOMPARE(back->isTimedOut, state.isTimedOut);
    QCOMPARE(back->retries, state.retries);
    QCOMPARE(back->next, state.next);
    // Whatever was cut off, what is left has a meaning.
    for (std::size_t size = 0; size < numbers.size(); ++size)
        (void)state.unpacked(std::span(numbers).first(size), 100'000);
}

QTEST_GUILESS_MAIN(tst_ExecutorRun)
#include "tst_executor_run.moc"
