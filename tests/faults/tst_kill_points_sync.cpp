// SPDX-License-Identifier: GPL-3.0-or-later

// One of several processes ends between any two steps of a lock or a queue: see README.md.

#include "core/runtime/sync/shared_lock.h"
#include "tests/faults/kill_point_walk.h"
#include "tests/support/shared_queue.h"

#include <QTest>

#include <optional>

using namespace Qt::StringLiterals;
using namespace proclab::runtime;
using proclab::test::Family;
using proclab::test::KillPlan;
using proclab::test::KillPointWalk;
using proclab::test::SharedQueue;

namespace {

constexpr std::int64_t patienceNs = SharedQueue::patienceNs;
/// Who waits in vain gives up in the end, and its exit code says so.
auto patience()
{
    return [end = nowNs() + patienceNs] { return nowNs() < end; };
}

void spinFor(std::int64_t lengthNs)
{
    const std::int64_t end = nowNs() + lengthNs;
    while (nowNs() < end)
        spinPause();
}

/// What the processes of a test of the lock share.
struct Guarded
{
    SharedLock lock;
    std::atomic<std::uint32_t> arrived;
    std::int64_t first; ///< Changed together with `second`: the same, outside of the lock.
    std::int64_t second;
    std::atomic<int> wrong;     ///< Somebody found them different and was not told why.
    std::atomic<int> recovered; ///< Somebody was told.
};

/// Under the lock: two steps that belong together, after a repair of what a dead owner has left.
void change(Guarded &guarded, SharedLock::Outcome outcome)
{
    if (outcome == SharedLock::Outcome::Recovered) {
        ++guarded.recovered;
        guarded.second = guarded.first;
    }
    guarded.wrong += guarded.first == guarded.second ? 0 : 1;
    ++guarded.first;
    spinFor(60'000); // So long that others go to sleep.
    ++guarded.second;
}

} // namespace

class tst_KillPointsSync : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init() { m_walk.emplace(); }
    void lockOutlivesItsOwners();
    void queueLosesOneItemAtMost_data();
    void queueLosesOneItemAtMost();

private:
    [[nodiscard]] KillPlan &plan() const { return m_walk->plan(); }
    [[nodiscard]] QString place(std::uint64_t n) const { return m_walk->place(n); }
    void lockAt(std::uint64_t n);
    void queueAt(std::uint64_t n, std::uint64_t capacity);

    std::optional<KillPointWalk> m_walk;
};

void tst_KillPointsSync::lockOutlivesItsOwners()
{
    m_walk->visitAll({u"lock"_s, u"unlock"_s}, [this](std::uint64_t n) { lockAt(n); });
}

void tst_KillPointsSync::lockAt(std::uint64_t n)
{
    constexpr std::uint32_t processes = 3;
    constexpr int rounds = 4;
    const Segment segment = Segment::create("proclab-test-lock", sizeof(Guarded));
    QVERIFY(segment.isValid());
    Guarded &guarded = *segment.at<Guarded>(0);
    Family family;
    for (std::uint32_t i = 0; i < processes; ++i) {
        family.add(plan(), [&guarded](std::uint32_t slot) {
            // They begin together, so that they meet at the lock.
            ++guarded.arrived;
            while (guarded.arrived.load() < processes)
                ::sched_yield();
            for (int round = 0; round < rounds; ++round) {
                const auto outcome = guarded.lock.lock(slot, patience());
                if (outcome == SharedLock::Outcome::GivenUp)
                    return 1;
                change(guarded, outcome);
                guarded.lock.unlock();
            }
            return 0;
        });
    }
    while (family.left() > 0) {
        const auto end = family.reap();
        if (!end)
            ::sched_yield();
        else if (end->wasKilled)
            guarded.lock.recover(end->slot);
        else
            QVERIFY2(end->exitCode == 0, qPrintable(place(n) % u"somebody gave up"_s));
    }
    const auto last = guarded.lock.lock(processes, patience());
    QVERIFY2(last != SharedLock::Outcome::GivenUp, qPrintable(place(n)));
    change(guarded, last);
    guarded.lock.unlock();
    QCOMPARE(guarded.lock.owner(), -1);
    QVERIFY2(guarded.wrong.load() == 0, qPrintable(place(n) % u"damage that nobody was told of"_s));
    QVERIFY2(guarded.recovered.load() <= (plan().hasStruck() ? 1 : 0), qPrintable(place(n)));
    // Of the dead one's rounds some are missing, of the others' none.
    const std::int64_t all = processes * rounds + 1;
    QVERIFY(guarded.first <= all);
    QVERIFY2(guarded.first >= all - (plan().hasStruck() ? rounds : 0), qPrintable(place(n)));
}

void tst_KillPointsSync::queueLosesOneItemAtMost_data()
{
    QTest::addColumn<quint64>("capacity");
    for (const quint64 capacity : {1, 2, 64})
        QTest::addRow("capacity %llu", capacity) << capacity;
}

void tst_KillPointsSync::queueLosesOneItemAtMost()
{
    QFETCH(const quint64, capacity);
    // Processes have to wait for each other where there is little room.
    QStringList groups = {u"put"_s, u"get"_s};
    if (capacity == 1)
        groups += {u"park"_s, u"wake"_s};
    m_walk->visitAll(groups, [this, capacity](std::uint64_t n) { queueAt(n, capacity); });
}

void tst_KillPointsSync::queueAt(std::uint64_t n, std::uint64_t capacity)
{
    constexpr std::uint32_t producers = 2;
    constexpr std::uint32_t consumers = 2;
    constexpr std::uint32_t processes = producers + consumers;
    constexpr std::uint32_t itemsEach = 4;
    // Notes: how often each item was seen; then damaged ones.
    SharedQueue shared(capacity, producers * itemsEach + 1);
    FutexWord &damaged = shared.note(producers * itemsEach);
    // An earlier death, which left a tombstone.
    QVERIFY(shared.queue().claim(processes));
    QVERIFY(shared.queue().recover(processes).wasWriting);
    Family family;
    for (std::uint32_t i = 0; i < producers; ++i) {
        family.add(plan(), [&shared](std::uint32_t slot) {
            std::uint32_t index = 0;
            while (index < itemsEach && shared.put(slot, index))
                ++index;
            return index == itemsEach ? 0 : 1;
        });
    }
    for (std::uint32_t i = 0; i < consumers; ++i) {
        family.add(plan(), [&shared, &damaged](std::uint32_t slot) {
            QueueItem item;
            while (const BoundedQueue::Slot at = shared.take(slot, item)) {
                if (!item.isEnd) {
                    damaged += SharedQueue::isWhole(at, item) ? 0 : 1;
                    ++shared.note(item.producer * itemsEach + item.index);
                }
                shared.release(at);
                if (item.isEnd)
                    return 0;
            }
            return 1;
        });
    }

    std::uint32_t dead = processes;
    BoundedQueue::Recovered found;
    std::uint32_t producersLeft = producers;
    std::uint32_t ends = 0;
    while (family.left() > 0) {
        if (const auto end = family.reap()) {
            producersLeft -= end->slot < producers ? 1 : 0;
            if (end->wasKilled) {
                dead = end->slot;
                found = shared.queue().recover(dead);
                shared.queue().producersWaiting.wakeAll(shared.parkOf());
                shared.queue().consumersWaiting.wakeAll(shared.parkOf());
            } else {
                QVERIFY2(end->exitCode == 0, qPrintable(place(n) % u"somebody gave up"_s));
            }
        } else if (producersLeft == 0 && ends < consumers && shared.queue().hasRoom()) {
            QVERIFY(shared.put(processes, 0, true));
            ++ends;
        } else {
            ::sched_yield();
        }
    }

    QCOMPARE(damaged.load(), 0U);
    std::uint32_t lost = 0;
    for (std::uint32_t producer = 0; producer < producers; ++producer) {
        std::uint32_t seen = 0;
        for (std::uint32_t index = 0; index < itemsEach; ++index) {
            const std::uint32_t times = shared.note(producer * itemsEach + index).load();
            QVERIFY2(times <= 1, qPrintable(place(n) % u"an item came twice"_s));
            const bool isHole = times == 0 && !(dead == producer && index >= seen);
            lost += isHole ? 1 : 0;
            seen += times;
        }
    }
    const bool consumerHadOne = found.wasReading && !found.item.isEnd;
    QVERIFY2(lost <= (consumerHadOne ? 1U : 0U), qPrintable(place(n) % u"an item is lost"_s));
    if (dead != processes)
        QVERIFY2(!(found.wasReading && dead < producers), qPrintable(place(n)));
}

QTEST_GUILESS_MAIN(tst_KillPointsSync)
#include "tst_kill_points_sync.moc"
