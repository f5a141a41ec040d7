// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/pipeline/pipeline_state.h"
#include "core/experiment/run/experiment_run.h"
#include "core/process/engine.h"
#include "tests/support/leak_check.h"
#include "tests/support/roles.h"
#include "tests/support/run_to_end.h"

#include <QJsonArray>
#include <QJsonObject>
#include <QTest>

#include <csignal>
#include <map>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

using test::patience;

QList<pid_t> livePids(const RunLog &log, const ProcessRole *role)
{
    QList<pid_t> pids;
    for (const ProcessRecord &process : log.processes()) {
        if (process.role == role && process.endNs < 0)
            pids.append(static_cast<pid_t>(process.pid));
    }
    return pids;
}

/// The numbers of one outcome, as far as a test looks at them.
struct Counts
{
    explicit Counts(const RunResult &result)
    {
        const QJsonObject outcome = result.outcome.toObject();
        produced = outcome[u"produced"_s].toInteger(-1);
        consumed = outcome[u"consumed"_s].toInteger(-1);
        failed = outcome[u"failed_items"_s].toInteger(-1);
        lost = outcome[u"lost_items"_s].toInteger(-1);
        maxDepth = outcome[u"max_depth"_s].toInteger(-1);
        blockedOnFull = outcome[u"blocked_on_full_s"_s].toDouble(-1);
        perProducer = outcome[u"per_producer"_s].toArray();
        perConsumer = outcome[u"per_consumer"_s].toArray();
    }
    static qint64 sum(const QJsonArray &numbers)
    {
        qint64 all = 0;
        for (const QJsonValue &number : numbers)
            all += number.toInteger();
        return all;
    }

    qint64 produced = 0;
    qint64 consumed = 0;
    qint64 failed = 0;
    qint64 lost = 0;
    qint64 maxDepth = 0;
    double blockedOnFull = 0;
    QJsonArray perProducer;
    QJsonArray perConsumer;
};

int eventsWith(const RunLog &log, const QString &text)
{
    int found = 0;
    for (std::size_t i = 0; i < log.events().size(); ++i)
        found += eventText(log, log.events()[i]).contains(text) ? 1 : 0;
    return found;
}

ExperimentSpec pipelineOf(const QJsonObject &block, const QJsonValue &produce = {},
                          const QJsonValue &consume = {})
{
    ExperimentSpec spec(u"pipeline"_s);
    spec.set(u"seed"_s, 7);
    spec.set(u"pipeline"_s, block);
    if (!produce.isNull())
        spec.set(u"produce"_s, produce);
    if (!consume.isNull())
        spec.set(u"consume"_s, consume);
    return spec;
}

/// Not of a wait for room or for an item. On a busy machine an item may wait for a core most of its
/// time.
bool isOfAnItem(const Span &span)
{
    return span.activity == Span::Activity::Running ||
           span.activity == Span::Activity::ReadyToRun || span.activity == Span::Activity::Sleeping;
}

QJsonObject work(const QString &task, const QJsonObject &arguments)
{
    return {{u"task"_s, task}, {u"args"_s, arguments}};
}

} // namespace

class tst_PipelineRun : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init() { m_before = std::make_unique<test::LeakCheck>(); }
    void cleanup() { QTRY_COMPARE_WITH_TIMEOUT(m_before->leftovers(), QString(), patience); }

    void everyItemArrives_data();
    void everyItemArrives();
    void unboundedQueueNeverBlocks();
    void textsArriveInOrder();
    void itemHasOneNumberInTheRun();
    void itemIsInTheQueueOnceThereWasRoom();
    void killedProcessLosesNoCount_data();
    void killedProcessLosesNoCount();
    void failedItemIsCountedOnce_data();
    void failedItemIsCountedOnce();

private:
    void killAtRandom(ExperimentRun &run, const QList<int> &roles, int kills, quint64 items);

    Engine m_engine;
    std::unique_ptr<test::LeakCheck> m_before;
    int m_killed = 0;
};

void tst_PipelineRun::everyItemArrives_data()
{
    QTest::addColumn<int>("producers");
    QTest::addColumn<int>("consumers");
    QTest::addColumn<int>("capacity");
    for (const int capacity : {0, 1, 2, 16}) {
        QTest::addRow("1 to 1, capacity %d", capacity) << 1 << 1 << capacity;
        QTest::addRow("3 to 2, capacity %d", capacity) << 3 << 2 << capacity;
        QTest::addRow("1 to 4, capacity %d", capacity) << 1 << 4 << capacity;
        QTest::addRow("4 to 1, capacity %d", capacity) << 4 << 1 << capacity;
    }
}

void tst_PipelineRun::everyItemArrives()
{
    QFETCH(const int, producers);
    QFETCH(const int, consumers);
    QFETCH(const int, capacity);
    constexpr int each = 200;
    ExperimentRun run(m_engine, pipelineOf({{u"producers"_s, producers},
                                            {u"consumers"_s, consumers},
                                            {u"capacity"_s, capacity},
                                            {u"items_per_producer"_s, each}}));
    QVERIFY(test::runToEnd(run));
    const Counts counts(run.result());
    QCOMPARE(counts.produced, producers * each);
    QCOMPARE(counts.consumed, producers * each);
    QCOMPARE(counts.failed + counts.lost, 0);
    QCOMPARE(counts.perProducer.size(), producers);
    for (const QJsonValue &share : counts.perProducer)
        QCOMPARE(share.toInt(), each);
    QCOMPARE(counts.perConsumer.size(), consumers);
    QCOMPARE(Counts::sum(counts.perConsumer), counts.consumed);
    if (capacity > 0)
        QVERIFY(counts.maxDepth <= capacity);
    // Every process ended by itself, a consumer through its END.
    QCOMPARE(run.result().totals.tasks, static_cast<quint64>(producers + consumers));
    QCOMPARE(run.result().totals.done, run.result().totals.tasks);
    QCOMPARE(run.result().work().total, static_cast<quint64>(producers * each)); // Items.
    QCOMPARE(run.result().work().done, run.result().work().total);
    QCOMPARE(eventsWith(*run.log(), u"put %1 END"_s.arg(consumers)), 1);
    QCOMPARE(run.result().exitStatus(), 0);
}

void tst_PipelineRun::unboundedQueueNeverBlocks()
{
    ExperimentRun run(
        m_engine, pipelineOf({{u"producers"_s, 2},
                              {u"consumers"_s, 1},
                              {u"capacity"_s, 0},
                              {u"items_per_producer"_s, 100}},
                             {}, work(u"io.sleep"_s, {{u"min_s"_s, 0.002}, {u"max_s"_s, 0.002}})));
    QVERIFY(test::runToEnd(run));
    const Counts counts(run.result());
    QCOMPARE(counts.produced, 200);
    QCOMPARE(counts.consumed, 200);
    QCOMPARE(counts.blockedOnFull, 0.0);
    QVERIFY(counts.maxDepth <= 200);
}

void tst_PipelineRun::textsArriveInOrder()
{
    const QJsonArray texts{u"apple"_s, u""_s, u"Äpfel"_s, u"d"_s, u"date and more"_s, u"fig"_s};
    ExperimentRun run(m_engine,
                      pipelineOf({{u"capacity"_s, 2}, {u"items"_s, texts}}, {},
                                 work(u"io.sleep"_s, {{u"min_s"_s, 0.002}, {u"max_s"_s, 0.004}})));
    QVERIFY(test::runToEnd(run));
    const Counts counts(run.result());
    QCOMPARE(counts.produced, texts.size());
    QCOMPARE(counts.consumed, texts.size());
    QList<quint32> order;
    const QList<ProcessRecord> processes = run.log()->processes();
    for (int process = 0; process < processes.size(); ++process) {
        const auto &spans = run.log()->lane(process).spans;
        for (std::size_t i = 0; processes[process].role == test::consumer() && i < spans.size();
             ++i) {
            if (isOfAnItem(spans[i]))
                order.append(spans[i].index);
        }
    }
    QCOMPARE(order, (QList<quint32>{0, 1, 2, 3, 4, 5}));
}

/// Kills @p kills processes of @p roles, each after a drawn number of items more.
void tst_PipelineRun::killAtRandom(ExperimentRun &run, const QList<int> &roles, int kills,
                                   quint64 items)
{
    QRandomGenerator random = test::drawnGenerator();
    m_killed = 0;
    quint64 next = 0;
    for (int i = 0; i < kills; ++i) {
        const int position = roles[random.bounded(roles.size())];
        const ProcessRole *role = &run.spec().kindInfo()->roles[static_cast<std::size_t>(position)];
        next += random.bounded(static_cast<quint32>(items) / static_cast<quint32>(kills));
        QList<pid_t> victims;
        const bool isTime = QTest::qWaitFor(
            [&] {
                const StageSnapshotPointer now = run.snapshot();
                victims = livePids(*run.log(), role);
                return run.state() == ExperimentRun::State::Ended ||
                       (now && now->done >= next && !victims.isEmpty());
            },
            patience);
        QVERIFY(isTime);
        if (run.state() == ExperimentRun::State::Ended)
            return;
        m_killed += ::kill(victims[random.bounded(victims.size())], SIGKILL) == 0 ? 1 : 0;
    }
}

/// On every lane, and in every picture of the queue and of what is in hand.
void tst_PipelineRun::itemHasOneNumberInTheRun()
{
    constexpr int producers = 3;
    constexpr int each = 12;
    const QJsonObject pause = work(u"io.sleep"_s, {{u"min_s"_s, 0.005}, {u"max_s"_s, 0.02}});
    ExperimentRun run(m_engine, pipelineOf({{u"producers"_s, producers},
                                            {u"consumers"_s, 2},
                                            {u"items_per_producer"_s, each},
                                            {u"capacity"_s, 4}},
                                           pause, pause));
    QVERIFY(test::runToEnd(run));
    const RunLog &log = *run.log();
    const QList<ProcessRecord> processes = log.processes();
    std::map<quint32, int> producerOf;
    std::map<quint32, int> consumerOf;
    for (int process = 1; process < processes.size(); ++process) {
        const AppendLog<Span> &spans = log.lane(process).spans;
        auto &items = processes[process].role == test::producer() ? producerOf : consumerOf;
        for (std::size_t at = 0; at < spans.size(); ++at) {
            if (isOfAnItem(spans[at]))
                QCOMPARE(items.emplace(spans[at].index, process).first->second, process);
        }
    }
    for (const auto &items : {producerOf, consumerOf}) {
        QCOMPARE(items.size(), std::size_t{producers * each});
        QCOMPARE(items.rbegin()->first, quint32{producers * each - 1});
    }
    int queued = 0;
    const qint64 endNs = log.snapshots.newest()->timeNs;
    for (qint64 timeNs = 0; timeNs < endNs; timeNs += 25'000'000) {
        const StageSnapshotPointer picture = log.snapshots.at(timeNs);
        for (const QueuedItem &item : picture->state<PipelineState>().items) {
            if (item.isEnd)
                continue;
            ++queued;
            QCOMPARE(producerOf[item.index], item.producer);
        }
        for (const ProcessLive &live : picture->processes) {
            const auto index = static_cast<quint32>(live.currentIndex);
            const bool produces = processes[live.process].role == test::producer();
            if (live.currentIndex >= 0)
                QCOMPARE((produces ? producerOf : consumerOf)[index], live.process);
        }
    }
    QVERIFY(queued > 0);
}

/// The producer has its items long before the queue has room for them.
void tst_PipelineRun::itemIsInTheQueueOnceThereWasRoom()
{
    constexpr qint64 tolerance = 50'000'000;
    ExperimentRun run(m_engine,
                      pipelineOf({{u"producers"_s, 1},
                                  {u"consumers"_s, 1},
                                  {u"items_per_producer"_s, 8},
                                  {u"capacity"_s, 1}},
                                 {}, work(u"io.sleep"_s, {{u"min_s"_s, 0.2}, {u"max_s"_s, 0.2}})));
    QVERIFY(test::runToEnd(run));
    const RunLog &log = *run.log();
    std::map<quint32, qint64> takenNs; // When the consumer began with an item.
    for (int process = 1; process < log.processCount(); ++process) {
        const AppendLog<Span> &spans = log.lane(process).spans;
        for (std::size_t at = 0; at < spans.size(); ++at) {
            if (log.processes()[process].role == test::consumer() && isOfAnItem(spans[at]))
                takenNs[spans[at].index] = spans[at].startNs;
        }
    }
    QCOMPARE(takenNs.size(), std::size_t{8});
    int seen = 0;
    int tooOld = 0;
    const qint64 endNs = log.snapshots.newest()->timeNs;
    for (qint64 timeNs = 0; timeNs < endNs; timeNs += 25'000'000) {
        const StageSnapshotPointer picture = log.snapshots.at(timeNs);
        for (const QueuedItem &item : picture->state<PipelineState>().items) {
            if (item.isEnd || item.index == 0)
                continue;
            ++seen;
            const qint64 roomNs = takenNs[item.index - 1];
            tooOld += item.ageNs > picture->timeNs - roomNs + tolerance ? 1 : 0;
        }
    }
    QVERIFY2(seen > 8, qPrintable(QString::number(seen)));
    // A picture may fall between the coming in of an item and its producer's word on its wait.
    QVERIFY2(tooOld <= 2, qPrintable(u"%1 of %2"_s.arg(tooOld).arg(seen)));
}

void tst_PipelineRun::killedProcessLosesNoCount_data()
{
    QTest::addColumn<QList<int>>("roles");
    QTest::addColumn<int>("capacity");
    QTest::addColumn<QString>("start");
    const QList<int> producer{PipelineRoles::Producer};
    const QList<int> consumer{PipelineRoles::Consumer};
    for (const QString &start : {u"spawn"_s, u"forkserver"_s, u"fork"_s}) {
        const QByteArray tail = ", " + start.toLatin1();
        QTest::addRow("a producer%s", tail.constData()) << producer << 8 << start;
        QTest::addRow("a consumer%s", tail.constData()) << consumer << 8 << start;
        QTest::addRow("either, capacity 1%s", tail.constData())
            << producer + consumer << 1 << start;
        QTest::addRow("either, no bound%s", tail.constData()) << producer + consumer << 0 << start;
    }
}

void tst_PipelineRun::killedProcessLosesNoCount()
{
    QFETCH(const QList<int>, roles);
    QFETCH(const int, capacity);
    QFETCH(const QString, start);
    constexpr int each = 100;
    const QJsonObject pause = work(u"io.sleep"_s, {{u"min_s"_s, 0}, {u"max_s"_s, 0.004}});
    ExperimentRun run(m_engine, pipelineOf({{u"producers"_s, 3},
                                            {u"consumers"_s, 2},
                                            {u"capacity"_s, capacity},
                                            {u"items_per_producer"_s, each},
                                            {u"start_method"_s, start}},
                                           pause, pause));
    QSignalSpy ended(&run, &ExperimentRun::ended);
    QVERIFY(run.start());
    killAtRandom(run, roles, 6, 3 * each);
    QVERIFY(!ended.isEmpty() || ended.wait(patience));

    QVERIFY(m_killed > 0);
    const RunResult &result = run.result();
    const Counts counts(result);
    QCOMPARE(counts.produced, 3 * each); // What a killed producer had in hand is made again.
    QCOMPARE(counts.consumed + counts.lost, counts.produced);
    QCOMPARE(counts.failed, 0);
    QVERIFY(counts.lost <= m_killed);
    for (const QJsonValue &share : counts.perProducer)
        QCOMPARE(share.toInt(), each);
    QCOMPARE(Counts::sum(counts.perConsumer), counts.consumed);
    QCOMPARE(eventsWith(*run.log(), u"was lost with the process"_s), static_cast<int>(counts.lost));

    QVERIFY(test::addsUp(result.totals));
    QVERIFY(result.totals.lost <= static_cast<quint64>(m_killed));
    QCOMPARE(result.totals.done + result.totals.lost, result.totals.tasks);
    quint64 signalled = 0;
    for (const ProcessRecord &process : run.log()->processes())
        signalled += process.signal == SIGKILL ? 1 : 0;
    QCOMPARE(signalled, result.totals.lost);
    QCOMPARE(result.exitStatus(), result.totals.lost > 0 ? 1 : 0);
    QVERIFY(counts.lost == 0 || (!result.noticeIsGood && !result.notice.isEmpty()));
    QCOMPARE(eventsWith(*run.log(), u"put 2 END"_s), 1);
}

void tst_PipelineRun::failedItemIsCountedOnce_data()
{
    QTest::addColumn<QString>("task");
    QTest::addColumn<bool>("isProducing");
    QTest::addColumn<bool>("endsProcess");
    for (const bool isProducing : {false, true}) {
        const char *side = isProducing ? "produce" : "consume";
        QTest::addRow("%s throws", side) << u"fail.throw"_s << isProducing << false;
        QTest::addRow("%s crashes", side) << u"fail.crash"_s << isProducing << true;
        QTest::addRow("%s exits", side) << u"fail.exit"_s << isProducing << true;
    }
}

void tst_PipelineRun::failedItemIsCountedOnce()
{
    QFETCH(const QString, task);
    QFETCH(const bool, isProducing);
    QFETCH(const bool, endsProcess);
    constexpr int each = 50;
    const QJsonObject failing = work(task, {{u"every"_s, 10}});
    ExperimentRun run(m_engine, pipelineOf({{u"producers"_s, 2},
                                            {u"consumers"_s, 2},
                                            {u"capacity"_s, 4},
                                            {u"items_per_producer"_s, each}},
                                           isProducing ? QJsonValue(failing) : QJsonValue(),
                                           isProducing ? QJsonValue() : QJsonValue(failing)));
    QVERIFY(test::runToEnd(run));
    const Counts counts(run.result());
    const qint64 failures = 2 * each / 10;
    QCOMPARE(counts.failed, failures);
    QCOMPARE(counts.lost, 0);
    QCOMPARE(counts.produced, isProducing ? 2 * each - failures : 2 * each);
    QCOMPARE(counts.consumed, 2 * each - failures);
    const RunTotals &totals = run.result().totals;
    QVERIFY(test::addsUp(totals));
    QCOMPARE(totals.failed, static_cast<quint64>(endsProcess ? failures : 0));
    QCOMPARE(totals.lost, 0U);
    QCOMPARE(run.result().exitStatus(), 1);
    QVERIFY(!run.result().noticeIsGood);
}

QTEST_GUILESS_MAIN(tst_PipelineRun)
#include "tst_pipeline_run.moc"
