// SPDX-License-Identifier: GPL-3.0-or-later

// One of several processes ends between any two steps of a lock, or of what it tells of its work:
// see README.md.

#include "core/runtime/sync/shared_lock.h"
#include "core/runtime/trace/activity_body.h"
#include "tests/faults/kill_point_walk.h"

#include <QTest>

#include <optional>

using namespace Qt::StringLiterals;
using namespace proclab::runtime;
using proclab::test::Family;
using proclab::test::KillPlan;
using proclab::test::KillPointWalk;

namespace {

constexpr std::int64_t patienceNs = 20'000'000'000;
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
    std::int64_t holdNs; ///< How long each has the lock.
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
    spinFor(guarded.holdNs);
    ++guarded.second;
}

} // namespace

class tst_KillPointsSync : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init() { m_walk.emplace(); }
    void lockOutlivesItsOwners();
    void gateOutlivesItsWaiter();
    void activityIsTrueAfterADeath();

private:
    [[nodiscard]] KillPlan &plan() const { return m_walk->plan(); }
    [[nodiscard]] QString place(std::uint64_t n) const { return m_walk->place(n); }
    void lockAt(std::uint64_t n, std::int64_t holdNs);
    void activityAt(std::uint64_t n);

    std::optional<KillPointWalk> m_walk;
};

void tst_KillPointsSync::lockOutlivesItsOwners()
{
    constexpr std::int64_t othersSleepNs = 60'000;
    m_walk->visitAll({u"lock"_s, u"unlock"_s},
                     [this](std::uint64_t n) { lockAt(n, othersSleepNs); });
}

// Whoever waits for an owner that takes the lock again at once closes the gate, and dies then.
void tst_KillPointsSync::gateOutlivesItsWaiter()
{
    m_walk->visitAll({u"gate"_s}, [this](std::uint64_t n) {
        lockAt(n, NewcomerGate::patienceNs + NewcomerGate::patienceNs / 5);
    });
}

void tst_KillPointsSync::lockAt(std::uint64_t n, std::int64_t holdNs)
{
    constexpr std::uint32_t processes = 3;
    constexpr int rounds = 4;
    const Segment segment = Segment::create("proclab-test-lock", sizeof(Guarded));
    QVERIFY(segment.isValid());
    Guarded &guarded = *segment.at<Guarded>(0);
    guarded.holdNs = holdNs;
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

void tst_KillPointsSync::activityIsTrueAfterADeath()
{
    m_walk->visitAll({u"activity-begin"_s, u"activity-finish"_s},
                     [this](std::uint64_t n) { activityAt(n); });
}

void tst_KillPointsSync::activityAt(std::uint64_t n)
{
    /// What the process tells, and what it knows to have told.
    struct Told
    {
        ActivityBody body;
        std::atomic<std::uint64_t> begun;
        std::atomic<std::uint64_t> finished;
    };
    constexpr std::uint64_t items = 4;
    const Segment segment = Segment::create("proclab-test-activity", sizeof(Told));
    QVERIFY(segment.isValid());
    Told &told = *segment.at<Told>(0);
    Family family;
    family.add(plan(), [&told](std::uint32_t) {
        for (std::uint64_t item = 0; item < items; ++item) {
            told.body.begin(item, nowNs());
            ++told.begun;
            told.body.itemProgress.tell(0.5);
            told.body.finish();
            ++told.finished;
        }
        return 0;
    });
    std::optional<Family::End> end;
    while (!(end = family.reap()))
        ::sched_yield();
    QCOMPARE(end->wasKilled, plan().hasStruck());
    const std::uint64_t progress = told.body.progress.load();
    const std::uint64_t done = progress / 2;
    const std::uint64_t inHand = progress % 2;
    const std::uint64_t finished = told.finished.load();
    const std::uint64_t begun = told.begun.load();
    QVERIFY2(done == finished || (plan().hasStruck() && done == finished + 1),
             qPrintable(place(n)));
    QVERIFY2(done + inHand == begun || (plan().hasStruck() && done + inHand == begun + 1),
             qPrintable(place(n)));
    QVERIFY2(plan().hasStruck() || done == items, qPrintable(place(n)));
    QVERIFY2(inHand == 0 || told.body.current.load() == done, qPrintable(place(n)));
    // Of the item in hand, not of the one before.
    const std::optional<double> expected =
        done + inHand == begun ? std::optional(0.5) : std::nullopt;
    QVERIFY2(inHand == 0 || told.body.itemProgress.fraction() == expected, qPrintable(place(n)));
}

QTEST_GUILESS_MAIN(tst_KillPointsSync)
#include "tst_kill_points_sync.moc"
