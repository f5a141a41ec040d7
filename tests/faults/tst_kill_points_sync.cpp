// SPDX-License-Identifier: GPL-3.0-or-later

// One of several processes ends between any two steps of a lock or a queue: see README.md.

#include "core/runtime/sync/shared_lock.h"
#include "tests/faults/kill_points.h"
#include "tests/support/forked_child.h"
#include "tests/support/shared_queue.h"

#include <QSet>
#include <QTest>

#include <optional>
#include <vector>

using namespace Qt::StringLiterals;
using namespace proclab::runtime;
using proclab::test::allKillPoints;
using proclab::test::followKillPlan;
using proclab::test::forkChild;
using proclab::test::KillPlan;
using proclab::test::SharedQueue;
using proclab::test::waitForChild;

namespace {

constexpr std::int64_t patienceNs = SharedQueue::patienceNs;
/// So many runs in a row in which nobody came to the n-th point: what processes pass differs a
/// little from run to run.
constexpr int runsBeyond = 5;
constexpr int maxRepeats = 200;

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

/// The forked processes of a run, each in the slot of its number; ends those that are left.
class Family
{
public:
    ~Family()
    {
        for (const pid_t pid : m_pids) {
            if (pid > 0 && ::kill(pid, SIGKILL) == 0)
                waitForChild(pid);
        }
    }
    template<typename Body>
    void add(KillPlan &plan, Body body)
    {
        const auto slot = static_cast<std::uint32_t>(m_pids.size());
        m_pids.push_back(forkChild([&plan, body, slot] {
            followKillPlan(&plan);
            return body(slot);
        }));
        ++m_left;
    }
    [[nodiscard]] int left() const { return m_left; }

    struct End
    {
        std::uint32_t slot = 0;
        bool wasKilled = false;
        int exitCode = 0;
    };
    /// One that has ended; nothing: none has.
    std::optional<End> reap()
    {
        for (std::uint32_t slot = 0; slot < m_pids.size(); ++slot) {
            int status = 0;
            if (m_pids[slot] <= 0 || ::waitpid(m_pids[slot], &status, WNOHANG) <= 0)
                continue;
            m_pids[slot] = 0;
            --m_left;
            return End{slot, WIFSIGNALED(status), WEXITSTATUS(status)};
        }
        return std::nullopt;
    }

private:
    std::vector<pid_t> m_pids;
    int m_left = 0;
};

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
    void initTestCase();
    void init() { m_visited.clear(); }
    void lockOutlivesItsOwners();
    void queueLosesOneItemAtMost_data();
    void queueLosesOneItemAtMost();

private:
    [[nodiscard]] KillPlan &plan() const { return *m_plan.at<KillPlan>(0); }
    [[nodiscard]] QString place(std::uint64_t n) const
    {
        return u"point %1, %2: "_s.arg(n).arg(plan().pointName());
    }
    template<typename Run>
    void visitAll(const QStringList &groups, Run run);
    [[nodiscard]] QStringList missed(const QStringList &groups) const;
    void lockAt(std::uint64_t n);
    void queueAt(std::uint64_t n, std::uint64_t capacity);

    Segment m_plan;
    QSet<QString> m_visited;
};

void tst_KillPointsSync::initTestCase()
{
    m_plan = Segment::create("proclab-test-plan", sizeof(KillPlan));
    QVERIFY(m_plan.isValid());
}

/// Lets one process die at each point that @p run passes, and at those of @p groups for sure.
template<typename Run>
void tst_KillPointsSync::visitAll(const QStringList &groups, Run run)
{
    const auto runAt = [&](std::uint64_t n, const QString &only) {
        plan().begin(n, SIGKILL, only);
        run(n);
        if (plan().hasStruck())
            m_visited.insert(plan().pointName());
    };
    std::uint64_t n = 0;
    for (int beyond = 0; beyond < runsBeyond && !QTest::currentTestFailed();) {
        runAt(++n, {});
        beyond = plan().hasStruck() ? 0 : beyond + 1;
    }
    qInfo("%llu points", static_cast<unsigned long long>(n - runsBeyond));
    // What is passed once or twice in a run, at varying places, was perhaps no run's n-th point.
    for (int i = 0; i < maxRepeats && !missed(groups).isEmpty() && !QTest::currentTestFailed(); ++i)
        runAt(1, missed(groups).at(i % missed(groups).size()));
    if (!QTest::currentTestFailed())
        QCOMPARE(missed(groups).join(u' '), QString());
}

QStringList tst_KillPointsSync::missed(const QStringList &groups) const
{
    QStringList names = allKillPoints();
    names.removeIf([&](const QString &name) {
        return m_visited.contains(name) || !groups.contains(name.section(u'.', 0, 0));
    });
    return names;
}

void tst_KillPointsSync::lockOutlivesItsOwners()
{
    visitAll({u"lock"_s, u"unlock"_s}, [this](std::uint64_t n) { lockAt(n); });
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
    visitAll(groups, [this, capacity](std::uint64_t n) { queueAt(n, capacity); });
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
