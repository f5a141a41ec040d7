// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/forked_child.h"
#include "tests/support/shared_queue.h"

#include <QRandomGenerator>
#include <QTest>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

using namespace proclab::runtime;
using proclab::test::forkChild;
using proclab::test::SharedQueue;
using proclab::test::waitForChild;

namespace {

/// What one consumer thread got.
struct Haul
{
    std::vector<QueueItem> items;
    bool allWhole = true;
    bool sawEnd = false;
};

Haul consume(SharedQueue &shared, std::uint32_t slot)
{
    Haul haul;
    QueueItem item;
    while (const BoundedQueue::Slot place = shared.take(slot, item)) {
        haul.allWhole = haul.allWhole && SharedQueue::isWhole(place, item);
        shared.release(place);
        if (item.isEnd) {
            haul.sawEnd = true;
            break;
        }
        haul.items.push_back(item);
    }
    return haul;
}

} // namespace

class tst_BoundedQueue : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void placesGoRound_data();
    void placesGoRound();
    void unpublishedItemIsNotGivenOut();
    void placeStillReadIsNotPassedOver_data();
    void placeStillReadIsNotPassedOver();
    void glanceShowsTheNextToLeave();
    void deadProducersPlaceIsSkipped_data();
    void deadProducersPlaceIsSkipped();
    void deadConsumersPlaceIsFreed();
    void recoveryLeavesOthersAlone();
    void threadsLoseAndRepeatNothing_data();
    void threadsLoseAndRepeatNothing();
    void killedProcessTakesAtMostItsOwnItem_data();
    void killedProcessTakesAtMostItsOwnItem();
};

void tst_BoundedQueue::placesGoRound_data()
{
    QTest::addColumn<quint64>("capacity");
    for (const quint64 capacity : {1, 2, 3, 16})
        QTest::addRow("capacity %llu", capacity) << capacity;
}

void tst_BoundedQueue::placesGoRound()
{
    QFETCH(const quint64, capacity);
    SharedQueue shared(capacity);
    BoundedQueue &queue = shared.queue();
    QCOMPARE(queue.capacity(), capacity);
    QueueItem item;
    for (quint64 turn = 0; turn < 5; ++turn) {
        QVERIFY(queue.hasRoom());
        QVERIFY(!queue.hasItem());
        QVERIFY(!queue.take(9, item));
        for (quint64 i = 0; i < capacity; ++i) {
            QCOMPARE(queue.size(), i);
            QVERIFY(shared.put(1, turn * capacity + i));
        }
        QCOMPARE(queue.size(), capacity);
        QVERIFY(!queue.hasRoom());
        QVERIFY(!queue.claim(1));
        for (quint64 i = 0; i < capacity; ++i) {
            QVERIFY(queue.hasItem());
            const BoundedQueue::Slot place = queue.take(9, item);
            QVERIFY(place);
            QVERIFY(SharedQueue::isWhole(place, item));
            QCOMPARE(item.index, turn * capacity + i);
            QCOMPARE(item.producer, 1U);
            QVERIFY(!item.isEnd);
            queue.release(place);
        }
    }
}

void tst_BoundedQueue::unpublishedItemIsNotGivenOut()
{
    SharedQueue shared(2);
    BoundedQueue &queue = shared.queue();
    const BoundedQueue::Slot first = queue.claim(1);
    QVERIFY(first);
    QVERIFY(shared.put(2, 0));
    QueueItem item;
    QVERIFY(!queue.hasItem());
    QVERIFY(!queue.take(9, item)); // The second waits for the first: first in, first out.
    queue.publish(first, {1, true, 0, 7, 0});
    QVERIFY(queue.take(9, item));
    QCOMPARE(item.producer, 1U);
    QCOMPARE(item.index, 7U);
    QVERIFY(item.isEnd);
    QVERIFY(queue.take(9, item));
    QCOMPARE(item.producer, 2U);
}

void tst_BoundedQueue::placeStillReadIsNotPassedOver_data()
{
    placesGoRound_data();
}

// A consumer that is slow to give its place back, while others have emptied the rest of the ring.
void tst_BoundedQueue::placeStillReadIsNotPassedOver()
{
    QFETCH(const quint64, capacity);
    SharedQueue shared(capacity);
    BoundedQueue &queue = shared.queue();
    for (quint64 i = 0; i < capacity; ++i)
        QVERIFY(shared.put(1, i));
    QueueItem item;
    const BoundedQueue::Slot slow = queue.take(8, item);
    QVERIFY(slow);
    for (quint64 i = 1; i < capacity; ++i)
        queue.release(queue.take(9, item));
    QVERIFY(!queue.claim(1)); // The next place is the one still read.
    QVERIFY(!queue.hasItem());
    QVERIFY(!queue.take(9, item));
    QCOMPARE(queue.size(), 0U);
    queue.release(slow);
    QVERIFY(shared.put(1, capacity));
    QVERIFY(queue.hasItem());
    const BoundedQueue::Slot next = queue.take(9, item);
    QVERIFY(next);
    QCOMPARE(item.index, capacity);
}

void tst_BoundedQueue::glanceShowsTheNextToLeave()
{
    SharedQueue shared(8);
    for (quint64 i = 0; i < 5; ++i)
        QVERIFY(shared.put(3, i));
    QueueItem item;
    shared.queue().release(shared.queue().take(9, item));
    std::vector<std::uint64_t> seen;
    shared.queue().glance(3, [&seen](const QueueItem &glanced) { seen.push_back(glanced.index); });
    QCOMPARE(seen, (std::vector<std::uint64_t>{1, 2, 3}));
    seen.clear();
    shared.queue().glance(99, [&seen](const QueueItem &glanced) { seen.push_back(glanced.index); });
    QCOMPARE(seen, (std::vector<std::uint64_t>{1, 2, 3, 4}));
}

void tst_BoundedQueue::deadProducersPlaceIsSkipped_data()
{
    placesGoRound_data();
}

void tst_BoundedQueue::deadProducersPlaceIsSkipped()
{
    QFETCH(const quint64, capacity);
    SharedQueue shared(capacity);
    BoundedQueue &queue = shared.queue();
    QVERIFY(queue.claim(4)); // Slot 4 dies before it publishes.
    for (quint64 i = 1; i < capacity; ++i)
        QVERIFY(shared.put(1, i));
    QVERIFY(!queue.hasItem());
    const BoundedQueue::Recovered found = queue.recover(4);
    QVERIFY(found.wasWriting);
    QVERIFY(!found.wasReading);
    QueueItem item;
    for (quint64 i = 1; i < capacity; ++i) {
        const BoundedQueue::Slot place = queue.take(9, item);
        QVERIFY(place);
        QCOMPARE(item.index, i);
        queue.release(place);
    }
    QVERIFY(!queue.take(9, item));
    for (quint64 i = 0; i < capacity; ++i) // The tombstone's place is in use again.
        QVERIFY(queue.claim(1));
    QVERIFY(!queue.claim(1));
}

void tst_BoundedQueue::deadConsumersPlaceIsFreed()
{
    SharedQueue shared(2);
    BoundedQueue &queue = shared.queue();
    QVERIFY(shared.put(1, 10));
    QVERIFY(shared.put(1, 11));
    QueueItem item;
    QVERIFY(queue.take(5, item)); // Slot 5 dies before it gives the place back.
    QVERIFY(!queue.hasRoom());
    const BoundedQueue::Recovered found = queue.recover(5);
    QVERIFY(found.wasReading);
    QVERIFY(!found.wasWriting);
    QCOMPARE(found.item.index, 10U);
    QCOMPARE(found.item.producer, 1U);
    QVERIFY(queue.hasRoom());
    QVERIFY(shared.put(1, 12));
    QVERIFY(queue.take(9, item));
    QCOMPARE(item.index, 11U);
    QVERIFY(queue.take(9, item));
    QCOMPARE(item.index, 12U);
}

void tst_BoundedQueue::recoveryLeavesOthersAlone()
{
    SharedQueue shared(4);
    BoundedQueue &queue = shared.queue();
    QVERIFY(shared.put(1, 0));
    QueueItem item;
    const BoundedQueue::Slot reading = queue.take(2, item);
    const BoundedQueue::Slot writing = queue.claim(3);
    const BoundedQueue::Recovered found = queue.recover(0); // An owner of 0 in a word means nobody.
    QVERIFY(!found.wasReading && !found.wasWriting);
    queue.publish(writing, {3, false, 0, 1, 0});
    queue.release(reading);
    QVERIFY(queue.take(9, item));
    QCOMPARE(item.producer, 3U);
}

void tst_BoundedQueue::threadsLoseAndRepeatNothing_data()
{
    QTest::addColumn<int>("producers");
    QTest::addColumn<int>("consumers");
    QTest::addColumn<quint64>("capacity");
    for (const quint64 capacity : {1, 2, 16, 1 << 16}) {
        for (const auto &[producers, consumers] : {std::pair{1, 1}, {3, 1}, {1, 3}, {3, 3}}) {
            QTest::addRow("%d producers, %d consumers, capacity %llu", producers, consumers,
                          capacity)
                << producers << consumers << capacity;
        }
    }
}

void tst_BoundedQueue::threadsLoseAndRepeatNothing()
{
    QFETCH(const int, producers);
    QFETCH(const int, consumers);
    QFETCH(const quint64, capacity);
    constexpr std::uint64_t itemsEach = 2'000;
    SharedQueue shared(capacity);
    std::atomic<int> unsent{0};
    std::vector<std::thread> writers;
    for (int i = 0; i < producers; ++i) {
        writers.emplace_back([&shared, &unsent, slot = static_cast<std::uint32_t>(i)] {
            for (std::uint64_t index = 0; index < itemsEach; ++index)
                unsent += shared.put(slot, index) ? 0 : 1;
        });
    }
    std::vector<Haul> hauls(static_cast<std::size_t>(consumers));
    std::vector<std::thread> readers;
    for (int i = 0; i < consumers; ++i) {
        readers.emplace_back(
            [&shared, &haul = hauls[static_cast<std::size_t>(i)],
             slot = static_cast<std::uint32_t>(100 + i)] { haul = consume(shared, slot); });
    }
    for (std::thread &writer : writers)
        writer.join();
    for (int i = 0; i < consumers; ++i)
        unsent += shared.put(maxSlots - 1, 0, true) ? 0 : 1;
    for (std::thread &reader : readers)
        reader.join();

    QCOMPARE(unsent.load(), 0);
    std::vector<std::vector<int>> seen(static_cast<std::size_t>(producers),
                                       std::vector<int>(itemsEach));
    for (const Haul &haul : hauls) {
        QVERIFY(haul.sawEnd);
        QVERIFY(haul.allWhole);
        std::vector<std::uint64_t> next(static_cast<std::size_t>(producers));
        for (const QueueItem &item : haul.items) {
            QVERIFY2(item.index >= next.at(item.producer),
                     "an item came after a later one of its producer");
            next[item.producer] = item.index + 1;
            ++seen[item.producer].at(item.index);
        }
    }
    for (const std::vector<int> &counts : seen)
        QCOMPARE(std::count(counts.begin(), counts.end(), 1),
                 static_cast<std::ptrdiff_t>(itemsEach));
    QCOMPARE(shared.queue().size(), 0U);
    QVERIFY(shared.queue().producersWaiting.isEmpty());
    QVERIFY(shared.queue().consumersWaiting.isEmpty());
}

void tst_BoundedQueue::killedProcessTakesAtMostItsOwnItem_data()
{
    QTest::addColumn<quint64>("capacity");
    QTest::addColumn<bool>("killsProducer");
    for (const quint64 capacity : {1, 2, 16, 4096}) {
        QTest::addRow("producer, capacity %llu", capacity) << capacity << true;
        QTest::addRow("consumer, capacity %llu", capacity) << capacity << false;
    }
}

void tst_BoundedQueue::killedProcessTakesAtMostItsOwnItem()
{
    QFETCH(const quint64, capacity);
    QFETCH(const bool, killsProducer);
    constexpr std::uint32_t producers = 2;
    constexpr std::uint32_t consumers = 2;
    constexpr std::uint32_t itemsEach = 400;
    constexpr std::uint32_t firstConsumer = producers;
    const quint32 seed = QRandomGenerator::global()->generate();
    qInfo("seed %u", seed);
    QRandomGenerator random(seed);
    for (int round = 0; round < 12; ++round) {
        // Notes: how often each item was seen; then how many were in all; then damaged ones.
        SharedQueue shared(capacity, producers * itemsEach + 2);
        FutexWord &total = shared.note(producers * itemsEach);
        FutexWord &damaged = shared.note(producers * itemsEach + 1);
        std::vector<pid_t> pids;
        for (std::uint32_t slot = 0; slot < producers; ++slot) {
            pids.push_back(forkChild([&shared, slot] {
                for (std::uint32_t index = 0; index < itemsEach; ++index) {
                    if (!shared.put(slot, index))
                        return 1;
                }
                return 0;
            }));
        }
        for (std::uint32_t slot = firstConsumer; slot < firstConsumer + consumers; ++slot) {
            pids.push_back(forkChild([&] {
                QueueItem item;
                while (const BoundedQueue::Slot place = shared.take(slot, item)) {
                    if (!item.isEnd) {
                        damaged += SharedQueue::isWhole(place, item) ? 0 : 1;
                        ++shared.note(item.producer * itemsEach + item.index);
                        ++total;
                    }
                    shared.release(place);
                    if (item.isEnd)
                        return 0;
                }
                return 1;
            }));
        }

        const auto killAt = random.bounded(producers * itemsEach / 2);
        const std::uint32_t dead = killsProducer ? 0 : firstConsumer;
        const std::int64_t end = nowNs() + SharedQueue::patienceNs;
        while (total.load() < killAt && nowNs() < end)
            ::sched_yield();
        for (auto spins = random.bounded(5'000U); spins > 0; --spins)
            spinPause();
        ::kill(pids[dead], SIGKILL);
        waitForChild(pids[dead]);
        const BoundedQueue::Recovered found = shared.queue().recover(dead);
        shared.queue().producersWaiting.wakeAll(shared.parkOf());
        shared.queue().consumersWaiting.wakeAll(shared.parkOf());
        for (std::uint32_t slot = 0; slot < producers; ++slot)
            QVERIFY(slot == dead || waitForChild(pids[slot]) == 0);
        for (std::uint32_t slot = firstConsumer; slot < firstConsumer + consumers; ++slot)
            QVERIFY(slot == dead || shared.put(maxSlots - 1, 0, true));
        for (std::uint32_t slot = firstConsumer; slot < firstConsumer + consumers; ++slot)
            QVERIFY(slot == dead || waitForChild(pids[slot]) == 0);

        QCOMPARE(damaged.load(), 0U);
        bool cameToAnEnd = false;
        for (std::uint32_t i = 0; i < producers * itemsEach; ++i) {
            const std::uint32_t times = shared.note(i).load();
            const bool isOfDead = killsProducer && i / itemsEach == dead;
            const bool wasHeld =
                found.wasReading && found.item.producer * itemsEach + found.item.index == i;
            QVERIFY2(times <= 1, "an item came twice");
            QVERIFY2(times == 1 || isOfDead || wasHeld, "an item was lost");
            QVERIFY2(!isOfDead || times == 0 || !cameToAnEnd,
                     "an item of the dead producer has a hole before it");
            cameToAnEnd = isOfDead && times == 0;
        }
        QVERIFY(!found.wasReading || !killsProducer);
        QVERIFY(!found.wasWriting || killsProducer);
        QCOMPARE(shared.queue().size(), 0U);
    }
}

QTEST_GUILESS_MAIN(tst_BoundedQueue)
#include "tst_bounded_queue.moc"
