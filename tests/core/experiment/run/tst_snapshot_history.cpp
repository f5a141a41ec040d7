// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/snapshot_history.h"

#include "core/experiment/kinds/counter/counter_state.h"
#include "core/experiment/kinds/pipeline/pipeline_state.h"
#include "core/experiment/kinds/pool/pool_state.h"
#include "tests/support/run_to_end.h"

#include <QTest>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <thread>

using namespace proclab;

namespace {

constexpr qint64 ms = 1'000'000;
constexpr qint64 interval = 50 * ms;

/// A made-up run of which no two pictures are alike.
class Pictures
{
public:
    Pictures(int processes, int items, quint32 seed) : m_items(items), m_random(seed)
    {
        m_next.processes.resize(processes);
        for (int i = 0; i < processes; ++i)
            m_next.processes[i].process = i;
        m_next.total = 1'000'000'000;
    }

    /// Each process has another task, each place of the queue another item.
    StageSnapshotPointer next()
    {
        m_next.timeNs += interval + drawn(ms);
        for (ProcessLive &live : m_next.processes) {
            const qint64 tasks = 1 + drawn(12);
            live.state = static_cast<ProcessState>(drawn(8));
            live.currentIndex += tasks * m_next.processes.size();
            live.currentSinceNs = m_next.timeNs - drawn(interval);
            live.progressPercent = static_cast<int>(drawn(102)) - 1;
            live.done += static_cast<quint64>(tasks);
            live.cpuPercent = static_cast<double>(drawn(10'000)) / 100;
            // A share of the whole time does not jump.
            live.waitingShare = std::clamp(
                live.waitingShare + static_cast<double>(drawn(11) - 5) / 1'000, 0.0, 1.0);
            live.readyShare =
                std::clamp(live.readyShare + static_cast<double>(drawn(11) - 5) / 1'000, 0.0, 1.0);
            m_next.done += static_cast<quint64>(tasks);
        }
        auto queue = std::make_shared<PipelineState>();
        queue->capacity = static_cast<quint64>(m_items);
        for (int i = 0; i < m_items; ++i)
            queue->items.append({static_cast<quint32>(m_next.done) + static_cast<quint32>(i),
                                 static_cast<int>(1 + drawn(8)), drawn(64) == 0,
                                 (m_items - i) * drawn(ms)});
        m_next.kindState = queue;
        m_next.queued = static_cast<quint64>(m_items);
        return std::make_shared<StageSnapshot>(m_next);
    }

private:
    qint64 drawn(qint64 below) { return static_cast<qint64>(m_random.bounded(quint64(below))); }

    int m_items;
    QRandomGenerator m_random;
    StageSnapshot m_next;
};

/// What differs between two pictures beyond what packing rounds; empty: nothing.
QString difference(const StageSnapshot &a, const StageSnapshot &b)
{
    const bool sameNumbers = a.timeNs == b.timeNs && a.total == b.total && a.done == b.done &&
                             a.failed == b.failed && a.cancelled == b.cancelled &&
                             a.lost == b.lost && a.queued == b.queued;
    const auto &queueA = a.state<PipelineState>();
    const auto &queueB = b.state<PipelineState>();
    if (!sameNumbers || a.processes.size() != b.processes.size() ||
        queueA.capacity != queueB.capacity || queueA.items.size() != queueB.items.size())
        return QStringLiteral("numbers or sizes");
    for (qsizetype i = 0; i < a.processes.size(); ++i) {
        const ProcessLive &one = a.processes[i];
        const ProcessLive &other = b.processes[i];
        if (one.process != other.process || one.state != other.state ||
            one.currentIndex != other.currentIndex || one.done != other.done ||
            one.progressPercent != other.progressPercent ||
            std::abs(one.currentSinceNs - other.currentSinceNs) > 1'000 ||
            std::abs(one.cpuPercent - other.cpuPercent) > 0.06 ||
            std::abs(one.waitingShare - other.waitingShare) > 0.0006 ||
            std::abs(one.readyShare - other.readyShare) > 0.0006)
            return QStringLiteral("process %1").arg(i);
    }
    for (qsizetype i = 0; i < queueA.items.size(); ++i) {
        const QueuedItem &one = queueA.items[i];
        const QueuedItem &other = queueB.items[i];
        if (one.index != other.index || one.producer != other.producer ||
            one.isEnd != other.isEnd || std::abs(one.ageNs - other.ageNs) > 1'000)
            return QStringLiteral("item %1").arg(i);
    }
    return {};
}

} // namespace

class tst_SnapshotHistory : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void emptyHistoryHasNone();
    void everyInstantHasItsPicture();
    void timesBetweenPicturesHaveTheOneBefore();
    void picturesBeforeTheGateShareTheirTime();
    void processesMayJoin();
    void extremeNumbersSurvive();
    void eachKindsPartIsKept();
    void hourOfManyProcessesStaysSmall();
    void readersMeetTheWriter();
};

void tst_SnapshotHistory::emptyHistoryHasNone()
{
    const SnapshotHistory history;
    QVERIFY(!history.newest());
    QVERIFY(!history.at(0));
    QCOMPARE(history.size(), std::size_t{0});
}

void tst_SnapshotHistory::everyInstantHasItsPicture()
{
    Pictures pictures(9, 20, test::drawnGenerator().generate());
    SnapshotHistory history;
    std::vector<StageSnapshotPointer> all;
    for (int i = 0; i < 500; ++i) {
        all.push_back(pictures.next());
        history.append(all.back());
        QCOMPARE(history.newest(), all.back());
        QCOMPARE(history.size(), all.size());
    }
    QVERIFY(history.packedBytes() > 0);
    // Also against the order of time, as somebody scrubs.
    for (std::size_t i = 0; i < all.size(); ++i) {
        for (const std::size_t at : {i, all.size() - 1 - i}) {
            const StageSnapshotPointer found = history.at(all[at]->timeNs);
            QVERIFY(found);
            QCOMPARE(difference(*found, *all[at]), QString());
        }
    }
}

void tst_SnapshotHistory::timesBetweenPicturesHaveTheOneBefore()
{
    SnapshotHistory history;
    for (int i = 1; i <= 200; ++i) {
        StageSnapshot snapshot;
        snapshot.timeNs = i * interval;
        history.append(std::make_shared<StageSnapshot>(snapshot));
    }
    const auto timeAt = [&history](qint64 ns) { return history.at(ns)->timeNs; };
    QCOMPARE(timeAt(std::numeric_limits<qint64>::min()), interval);
    QCOMPARE(timeAt(0), interval);
    QCOMPARE(timeAt(10 * interval - 1), 9 * interval);
    QCOMPARE(timeAt(10 * interval), 10 * interval);
    QCOMPARE(timeAt(190 * interval + 1), 190 * interval);
    QCOMPARE(timeAt(std::numeric_limits<qint64>::max()), 200 * interval);
}

void tst_SnapshotHistory::picturesBeforeTheGateShareTheirTime()
{
    SnapshotHistory history;
    for (int i = 0; i < 100; ++i) {
        StageSnapshot snapshot;
        snapshot.timeNs = i < 90 ? 0 : i * interval;
        snapshot.queued = static_cast<quint64>(i);
        history.append(std::make_shared<StageSnapshot>(snapshot));
    }
    QCOMPARE(history.at(0)->queued, quint64{89}); // The last of them.
    QCOMPARE(history.at(90 * interval)->queued, quint64{90});
}

void tst_SnapshotHistory::processesMayJoin()
{
    SnapshotHistory history;
    for (int i = 0; i < 100; ++i) {
        StageSnapshot snapshot;
        snapshot.timeNs = i * interval;
        for (int process = 0; process <= i; ++process)
            snapshot.processes.append({.process = process, .done = quint64(i)});
        history.append(std::make_shared<StageSnapshot>(snapshot));
    }
    for (int i = 0; i < 100; ++i) {
        const StageSnapshotPointer found = history.at(i * interval);
        QCOMPARE(found->processes.size(), qsizetype{i + 1});
        QCOMPARE(found->processes.back().process, i);
        QCOMPARE(found->processes.back().done, quint64(i));
        QCOMPARE(found->processes.back().cpuPercent, -1.0); // Not known.
        QCOMPARE(found->processes.back().progressPercent, -1);
    }
}

void tst_SnapshotHistory::extremeNumbersSurvive()
{
    SnapshotHistory history;
    for (int i = 0; i < 100; ++i) {
        StageSnapshot snapshot;
        snapshot.timeNs = i * interval;
        snapshot.total = i % 2 == 0 ? std::numeric_limits<quint64>::max() : 0;
        auto counter = std::make_shared<CounterState>();
        counter->value =
            i % 2 == 0 ? std::numeric_limits<qint64>::min() : std::numeric_limits<qint64>::max();
        snapshot.kindState = counter;
        history.append(std::make_shared<StageSnapshot>(snapshot));
    }
    QCOMPARE(history.at(0)->total, std::numeric_limits<quint64>::max());
    QCOMPARE(history.at(0)->state<CounterState>().value, std::numeric_limits<qint64>::min());
    QCOMPARE(history.at(interval)->state<CounterState>().value, std::numeric_limits<qint64>::max());
}

void tst_SnapshotHistory::eachKindsPartIsKept()
{
    const auto unpacked = [](const KindState &state) {
        const std::vector<qint64> numbers = state.packed(interval);
        return state.unpacked(numbers, interval);
    };
    PoolState pool;
    pool.nextTasks = {7, 4'294'967'295U, 0};
    const auto tasks = unpacked(pool);
    QCOMPARE(dynamic_cast<const PoolState &>(*tasks).nextTasks, pool.nextTasks);
    CounterState counter;
    counter.value = -3;
    counter.expected = 20'000;
    counter.lockOwner = 2;
    counter.lockWaiters = 5;
    const auto counted = unpacked(counter);
    const auto &found = dynamic_cast<const CounterState &>(*counted);
    QCOMPARE(found.value, counter.value);
    QCOMPARE(found.expected, counter.expected);
    QCOMPARE(found.lockOwner, counter.lockOwner);
    QCOMPARE(found.lockWaiters, counter.lockWaiters);
    const auto queue = unpacked(PipelineState());
    QVERIFY(dynamic_cast<const PipelineState &>(*queue).items.isEmpty());
}

void tst_SnapshotHistory::hourOfManyProcessesStaysSmall()
{
    // Two minutes, thirty times of which are an hour.
    Pictures pictures(65, 64, test::drawnGenerator().generate());
    SnapshotHistory history;
    for (int i = 0; i < 2'400; ++i)
        history.append(pictures.next());
    const std::size_t anHour = history.packedBytes() * 30;
    qInfo("%zu MB an hour", anHour / 1'000'000);
    QVERIFY2(anHour < 70'000'000, qPrintable(QString::number(anHour)));
}

void tst_SnapshotHistory::readersMeetTheWriter()
{
    Pictures pictures(5, 4, test::drawnGenerator().generate());
    SnapshotHistory history;
    history.append(pictures.next());
    std::atomic<bool> isDone = false;
    std::atomic<bool> isOrdered = true;
    std::vector<std::thread> readers;
    for (int reader = 0; reader < 2; ++reader)
        readers.emplace_back([&, reader] {
            while (!isDone) {
                const qint64 newest = history.newest()->timeNs;
                const qint64 wanted = reader == 0 ? newest / 2 : newest;
                const StageSnapshotPointer found = history.at(wanted);
                if (found->timeNs > wanted && found->timeNs > 2 * interval)
                    isOrdered = false;
            }
        });
    for (int i = 0; i < 3'000; ++i)
        history.append(pictures.next());
    isDone = true;
    for (std::thread &reader : readers)
        reader.join();
    QVERIFY(isOrdered);
    QCOMPARE(history.size(), std::size_t{3'001});
}

QTEST_GUILESS_MAIN(tst_SnapshotHistory)
#include "tst_snapshot_history.moc"
