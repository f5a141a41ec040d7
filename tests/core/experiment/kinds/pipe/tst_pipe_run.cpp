// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/pipe/pipe_state.h"
#include "core/experiment/run/experiment_run.h"
#include "core/process/engine.h"
#include "tests/support/leak_check.h"
#include "tests/support/run_to_end.h"

#include <QJsonObject>
#include <QTest>

#include <csignal>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

using test::patience;

ExperimentSpec pipeOf(const QJsonObject &block)
{
    ExperimentSpec spec(u"pipe"_s);
    spec.set(u"pipe"_s, block);
    return spec;
}

pid_t childOf(const ExperimentRun &run)
{
    return static_cast<pid_t>(run.log()->processes().at(1).pid);
}

} // namespace

class tst_PipeRun : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init() { m_before = std::make_unique<test::LeakCheck>(); }
    void cleanup() { QTRY_COMPARE_WITH_TIMEOUT(m_before->leftovers(), QString(), patience); }

    void figuresAreExact_data();
    void figuresAreExact();
    void bothEndsAreTraced();
    void whatAKilledChildSentIsReceived_data();
    void whatAKilledChildSentIsReceived();
    void stoppedChildDoesNotHoldTheEnd_data();
    void stoppedChildDoesNotHoldTheEnd();
    void stateSurvivesPacking();

private:
    Engine m_engine;
    std::unique_ptr<test::LeakCheck> m_before;
};

void tst_PipeRun::figuresAreExact_data()
{
    QTest::addColumn<bool>("isDuplex");
    QTest::addColumn<int>("messages");
    QTest::addColumn<int>("bytes");
    QTest::addColumn<QString>("start");
    for (const bool isDuplex : {true, false}) {
        const char *direction = isDuplex ? "duplex" : "one way";
        for (const char *start : {"spawn", "forkserver", "fork"})
            QTest::addRow("%s, %s", direction, start)
                << isDuplex << 2'000 << 64 << QString::fromLatin1(start);
        QTest::addRow("%s, empty", direction) << isDuplex << 500 << 0 << u"forkserver"_s;
        QTest::addRow("%s, one", direction) << isDuplex << 1 << 1 << u"forkserver"_s;
        // Longer than the pipe.
        QTest::addRow("%s, large", direction) << isDuplex << 5 << 3'000'001 << u"forkserver"_s;
    }
}

void tst_PipeRun::figuresAreExact()
{
    QFETCH(const bool, isDuplex);
    QFETCH(const int, messages);
    QFETCH(const int, bytes);
    QFETCH(const QString, start);
    ExperimentRun run(m_engine, pipeOf({{u"duplex"_s, isDuplex},
                                        {u"messages"_s, messages},
                                        {u"message_bytes"_s, bytes},
                                        {u"start_method"_s, start}}));
    QVERIFY(test::runToEnd(run));
    const RunResult &result = run.result();
    QVERIFY(!result.engineError);
    const QJsonObject outcome = result.outcome.toObject();
    QCOMPARE(outcome[u"messages_sent"_s].toInteger(), messages);
    QCOMPARE(outcome[u"messages_received"_s].toInteger(), messages);
    QCOMPARE(outcome[u"bytes"_s].toInteger(), qint64{messages} * bytes);
    QCOMPARE(outcome[u"round_trip_s"_s].isNull(), !isDuplex);
    if (isDuplex)
        QVERIFY(outcome[u"round_trip_s"_s].toDouble() > 0);
    if (messages > 1) {
        const double rate = outcome[u"messages_per_s"_s].toDouble();
        QVERIFY(rate > 0);
        QCOMPARE(outcome[u"bytes_per_s"_s].toDouble(), rate * bytes);
    }
    QCOMPARE(result.totals.tasks, 1U);
    QCOMPARE(result.totals.done, 1U);
    QCOMPARE(result.exitStatus(), 0);
    QVERIFY(result.noticeIsGood);
    QCOMPARE(run.log()->processes().at(1).done, static_cast<quint64>(messages));
    const StageSnapshotPointer last = run.snapshot();
    QVERIFY(last);
    QCOMPARE(last->done, static_cast<quint64>(messages));
    QCOMPARE(last->total, static_cast<quint64>(messages));
    QCOMPARE(last->queued, 0U);
    QCOMPARE(last->state<PipeState>().sent, messages);
}

void tst_PipeRun::bothEndsAreTraced()
{
    ExperimentRun run(m_engine, pipeOf({{u"messages"_s, 20'000}}));
    QVERIFY(test::runToEnd(run));
    for (const int process : {0, 1}) {
        const auto &spans = run.log()->lane(process).spans;
        QVERIFY(!spans.isEmpty());
        for (std::size_t i = 0; i < spans.size(); ++i)
            QVERIFY(spans[i].startNs >= 0 && spans[i].endNs >= spans[i].startNs);
    }
}

void tst_PipeRun::whatAKilledChildSentIsReceived_data()
{
    QTest::addColumn<bool>("isDuplex");
    QTest::addColumn<int>("bytes");
    QTest::newRow("duplex") << true << 64;
    QTest::newRow("one way") << false << 64;
    QTest::newRow("one way, long") << false << 100'000;
}

void tst_PipeRun::whatAKilledChildSentIsReceived()
{
    QFETCH(const bool, isDuplex);
    QFETCH(const int, bytes);
    ExperimentRun run(m_engine, pipeOf({{u"duplex"_s, isDuplex},
                                        {u"messages"_s, 10'000'000},
                                        {u"message_bytes"_s, bytes}}));
    QSignalSpy ended(&run, &ExperimentRun::ended);
    QVERIFY(run.start());
    const quint64 least = test::drawnGenerator().bounded(1U, 2'000U);
    QTRY_VERIFY_WITH_TIMEOUT(run.snapshot() && run.snapshot()->done >= least, patience);
    QCOMPARE(::kill(childOf(run), SIGKILL), 0);
    QVERIFY(!ended.isEmpty() || ended.wait(patience));
    const RunResult &result = run.result();
    QCOMPARE(result.totals.lost, 1U);
    QCOMPARE(result.exitStatus(), 1);
    QVERIFY(!result.noticeIsGood);
    const QJsonObject outcome = result.outcome.toObject();
    QVERIFY(outcome[u"messages_received"_s].toInteger() >= static_cast<qint64>(least));
    QCOMPARE(outcome[u"messages_received"_s], outcome[u"messages_sent"_s]);
    QCOMPARE(result.failedItems, 0U);
}

void tst_PipeRun::stoppedChildDoesNotHoldTheEnd_data()
{
    QTest::addColumn<bool>("isDuplex");
    QTest::newRow("duplex") << true;
    QTest::newRow("one way") << false;
}

void tst_PipeRun::stoppedChildDoesNotHoldTheEnd()
{
    QFETCH(const bool, isDuplex);
    ExperimentRun run(m_engine, pipeOf({{u"duplex"_s, isDuplex}, {u"messages"_s, 10'000'000}}));
    QSignalSpy ended(&run, &ExperimentRun::ended);
    QVERIFY(run.start());
    QTRY_COMPARE_WITH_TIMEOUT(run.state(), ExperimentRun::State::Running, patience);
    QCOMPARE(::kill(childOf(run), SIGSTOP), 0);
    run.stop();
    QVERIFY(!ended.isEmpty() || ended.wait(patience));
    QCOMPARE(run.result().totals.cancelled, 1U);
}

void tst_PipeRun::stateSurvivesPacking()
{
    PipeState state;
    state.toParent = 3;
    state.toChild = 1;
    state.sent = 1'000'000;
    state.meanRoundTripNs = 1'234;
    const auto numbers = state.packed(0);
    const auto again = state.unpacked(numbers, 0);
    QCOMPARE(again->packed(0), numbers);
    const auto &same = dynamic_cast<const PipeState &>(*again);
    QCOMPARE(same.toParent, 3);
    QCOMPARE(same.toChild, 1);
    QCOMPARE(same.sent, 1'000'000);
    QCOMPARE(same.meanRoundTripNs, 1'234);
}

QTEST_GUILESS_MAIN(tst_PipeRun)
#include "tst_pipe_run.moc"
