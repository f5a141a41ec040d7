// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/cores.h"
#include "core/experiment/kinds/counter/counter_state.h"
#include "core/experiment/run/experiment_run.h"
#include "core/experiment/run/starting_line.h"
#include "core/process/engine.h"
#include "tests/support/leak_check.h"
#include "tests/support/run_to_end.h"

#include <QFile>
#include <QJsonObject>
#include <QTest>

#include <algorithm>
#include <csignal>
#include <thread>
#include <vector>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

using test::patience;

/// Stopped by a signal, or gone.
bool standsStill(pid_t pid)
{
    QFile stat(u"/proc/%1/stat"_s.arg(pid));
    if (!stat.open(QIODevice::ReadOnly))
        return true;
    const QByteArray line = stat.readAll();
    return QByteArray("TZX").contains(line.at(line.lastIndexOf(')') + 2));
}

bool hasEvent(const RunLog &log, RunEvent::Severity severity, int process)
{
    for (std::size_t i = 0; i < log.events().size(); ++i) {
        if (log.events()[i].severity == severity && log.events()[i].process == process)
            return true;
    }
    return false;
}

ExperimentSpec counterOf(const QJsonObject &block)
{
    ExperimentSpec spec(u"counter"_s);
    spec.set(u"counter"_s, block);
    return spec;
}

} // namespace

class tst_CounterRun : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init() { m_before = std::make_unique<test::LeakCheck>(); }
    void cleanup() { QTRY_COMPARE_WITH_TIMEOUT(m_before->leftovers(), QString(), patience); }

    void figuresAreExact_data();
    void figuresAreExact();
    void ownerKilledWithTheLockHandsItOn_data();
    void ownerKilledWithTheLockHandsItOn();
    void killedProcessEndsNobodyElse_data();
    void killedProcessEndsNobodyElse();
    void startingLineIsLeftSideBySide_data() { updatesAreLostWithoutALock_data(); }
    void startingLineIsLeftSideBySide();
    void updatesAreLostWithoutALock_data();
    void updatesAreLostWithoutALock();

private:
    int stopTheOwner(ExperimentRun &run);

    Engine m_engine;
    std::unique_ptr<test::LeakCheck> m_before;
};

void tst_CounterRun::figuresAreExact_data()
{
    QTest::addColumn<QString>("mode");
    QTest::addColumn<QString>("type");
    QTest::addColumn<int>("processes");
    QTest::addColumn<int>("gap");
    for (const char *mode : {"none", "lock", "atomic", "local"}) {
        for (const char *type : {"value", "array"}) {
            for (const int processes : {1, 2, 5})
                QTest::addRow("%s, %s, %d", mode, type, processes)
                    << QString::fromLatin1(mode) << QString::fromLatin1(type) << processes << 0;
        }
        QTest::addRow("%s with a gap", mode)
            << QString::fromLatin1(mode) << u"value"_s << 3 << 2'000;
    }
}

void tst_CounterRun::figuresAreExact()
{
    QFETCH(const QString, mode);
    QFETCH(const QString, type);
    QFETCH(const int, processes);
    QFETCH(const int, gap);
    constexpr int increments = 3'000;
    ExperimentRun run(m_engine, counterOf({{u"processes"_s, processes},
                                           {u"increments"_s, increments},
                                           {u"mode"_s, mode},
                                           {u"type"_s, type},
                                           {u"gap_ns"_s, gap}}));
    QVERIFY(test::runToEnd(run));
    const RunResult &result = run.result();
    const QJsonObject outcome = result.outcome.toObject();
    const qint64 expected = outcome[u"expected"_s].toInteger();
    const qint64 final = outcome[u"final"_s].toInteger();
    QCOMPARE(expected, processes * increments);
    QCOMPARE(outcome[u"lost_updates"_s].toInteger(-1), expected - final);
    if (mode == u"none"_s && processes > 1)
        QVERIFY(final > 0 && final <= expected);
    else
        QCOMPARE(final, expected);
    QCOMPARE(result.totals.done, static_cast<quint64>(processes));
    QVERIFY(test::addsUp(result.totals));
    QCOMPARE(result.exitStatus(), 0); // Lost updates are a shown effect.
    QCOMPARE(result.noticeIsGood, mode != u"none"_s || processes == 1);
    QVERIFY(!result.notice.isEmpty());
    for (const ProcessRecord &process : run.log()->processes()) {
        if (!process.isParent())
            QCOMPARE(process.done, quint64{increments});
    }
}

/// Stops processes until one stands still with the lock in its hands; its position in the log, -1:
/// the run ended before.
int tst_CounterRun::stopTheOwner(ExperimentRun &run)
{
    const auto hasEnded = [&run] { return run.state() == ExperimentRun::State::Ended; };
    for (int process = 1; !hasEnded(); process = process == 1 ? 2 : 1) {
        const auto pid = static_cast<pid_t>(run.log()->processes().at(process).pid);
        ::kill(pid, SIGSTOP);
        if (!QTest::qWaitFor([&] { return standsStill(pid) || hasEnded(); }, patience))
            return -1;
        // The first picture that was made since.
        const double stopped = run.elapsedSeconds();
        StageSnapshotPointer now;
        const bool isSeen = QTest::qWaitFor(
            [&] {
                now = run.snapshot();
                return hasEnded() || (now && static_cast<double>(now->timeNs) / 1e9 > stopped);
            },
            patience);
        if (!isSeen)
            return -1;
        if (now && now->state<CounterState>().lockOwner == process)
            return process;
        ::kill(pid, SIGCONT);
    }
    return -1;
}

void tst_CounterRun::ownerKilledWithTheLockHandsItOn_data()
{
    QTest::addColumn<QString>("start");
    QTest::newRow("spawn") << u"spawn"_s;
    QTest::newRow("forkserver") << u"forkserver"_s;
    QTest::newRow("fork") << u"fork"_s;
}

void tst_CounterRun::ownerKilledWithTheLockHandsItOn()
{
    QFETCH(const QString, start);
    constexpr int increments = 600;
    ExperimentRun run(m_engine, counterOf({{u"processes"_s, 2},
                                           {u"increments"_s, increments},
                                           {u"mode"_s, u"lock"_s},
                                           {u"gap_ns"_s, 1'000'000},
                                           {u"start_method"_s, start}}));
    QSignalSpy ended(&run, &ExperimentRun::ended);
    QVERIFY(run.start());
    QTRY_COMPARE_WITH_TIMEOUT(run.state(), ExperimentRun::State::Running, patience);
    const int owner = stopTheOwner(run);
    QVERIFY(owner > 0);
    QCOMPARE(::kill(static_cast<pid_t>(run.log()->processes().at(owner).pid), SIGKILL), 0);
    QVERIFY(!ended.isEmpty() || ended.wait(patience));

    const RunResult &result = run.result();
    QCOMPARE(result.totals.tasks, 2U);
    QCOMPARE(result.totals.done, 1U);
    QCOMPARE(result.totals.lost, 1U);
    QCOMPARE(result.exitStatus(), 1);
    QVERIFY(hasEvent(*run.log(), RunEvent::Severity::Warning, owner)); // The lock was handed on.
    QVERIFY(hasEvent(*run.log(), RunEvent::Severity::Failure, owner));
    const QList<ProcessRecord> processes = run.log()->processes();
    QCOMPARE(processes.at(owner).signal, SIGKILL);
    QCOMPARE(processes.at(3 - owner).done, quint64{increments});
    const QJsonObject outcome = result.outcome.toObject();
    const qint64 final = outcome[u"final"_s].toInteger();
    // The survivor did all of its own; the dead one's last may or may not be written.
    QVERIFY(final >= increments && final < 2 * increments);
    QCOMPARE(outcome[u"lost_updates"_s].toInteger(), 0); // Not made is not lost.
    QVERIFY(!result.noticeIsGood && noticeText(result).contains(u"not every process"_s));
}

void tst_CounterRun::killedProcessEndsNobodyElse_data()
{
    QTest::addColumn<QString>("mode");
    for (const char *mode : {"none", "lock", "atomic", "local"})
        QTest::newRow(mode) << QString::fromLatin1(mode);
}

void tst_CounterRun::killedProcessEndsNobodyElse()
{
    QFETCH(const QString, mode);
    constexpr int increments = 600;
    ExperimentRun run(m_engine, counterOf({{u"processes"_s, 4},
                                           {u"increments"_s, increments},
                                           {u"mode"_s, mode},
                                           {u"gap_ns"_s, 1'000'000}}));
    QSignalSpy ended(&run, &ExperimentRun::ended);
    QVERIFY(run.start());
    QTRY_COMPARE_WITH_TIMEOUT(run.state(), ExperimentRun::State::Running, patience);
    QRandomGenerator random = test::drawnGenerator();
    const int victim = static_cast<int>(random.bounded(1, 5));
    QCOMPARE(::kill(static_cast<pid_t>(run.log()->processes().at(victim).pid), SIGKILL), 0);
    QVERIFY(!ended.isEmpty() || ended.wait(patience));
    QCOMPARE(run.result().totals.done, 3U);
    QCOMPARE(run.result().totals.lost, 1U);
    QCOMPARE(run.result().exitStatus(), 1);
    const qint64 final = run.result().outcome[u"final"_s].toInteger();
    const qint64 least = mode == u"none"_s ? 1 : 3 * increments;
    QVERIFY2(final >= least && final < 4 * increments, qPrintable(QString::number(final)));
    const qint64 lost = run.result().outcome[u"lost_updates"_s].toInteger(-1);
    QVERIFY2(mode == u"none"_s ? lost >= 0 && lost < 4 * increments - final : lost == 0,
             qPrintable(QString::number(lost)));
}

void tst_CounterRun::updatesAreLostWithoutALock_data()
{
    QTest::addColumn<int>("processes");
    QTest::newRow("2") << 2;
    QTest::newRow("4") << 4;
}

void tst_CounterRun::startingLineIsLeftSideBySide()
{
    QFETCH(const int, processes);
    if (usableCores() < 2)
        QSKIP("Processes on one core take turns.");
    const auto line = StartingLine::create(static_cast<quint32>(processes));
    QVERIFY(line);
    std::vector<std::jthread> threads; // What one does, by itself, is what a process does.
    for (int i = 0; i < processes; ++i)
        threads.emplace_back([&line] { line->leave(); });
    threads.clear();
    QCOMPARE(line->start(), StartingLine::Start::SideBySide);
}

void tst_CounterRun::updatesAreLostWithoutALock()
{
    QFETCH(const int, processes);
    if (usableCores() < 2)
        QSKIP("Processes on one core take turns.");
    // Each run shows it where cores are free; where others use them all, one in a hundred does not.
    constexpr int mostRuns = 10;
    int shown = 0;
    for (int i = 0; i < mostRuns && shown < 3; ++i) {
        ExperimentRun run(m_engine, counterOf({{u"processes"_s, processes},
                                               {u"increments"_s, 10'000},
                                               {u"mode"_s, u"none"_s},
                                               {u"gap_ns"_s, 100}}));
        QVERIFY(test::runToEnd(run));
        const RunResult &result = run.result();
        const qint64 lost = result.outcome[u"lost_updates"_s].toInteger(-1);
        QCOMPARE(lost, processes * 10'000 - result.outcome[u"final"_s].toInteger());
        shown += lost > 0 ? 1 : 0;
        QVERIFY(!result.noticeIsGood);
    }
    QCOMPARE(shown, 3);
}

QTEST_GUILESS_MAIN(tst_CounterRun)
#include "tst_counter_run.moc"
