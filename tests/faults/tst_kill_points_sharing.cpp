// SPDX-License-Identifier: GPL-3.0-or-later

// One of several processes ends between any two steps of a Queue, or of the memory in which shared
// objects lie; and so does one that recovers what another left. See README.md.

#include "core/ipc/connection.h"
#include "core/ipc/queue.h"
#include "core/sync/event.h"
#include "tests/faults/kill_point_walk.h"
#include "tests/support/results.h"

#include <QTest>

#include <array>
#include <optional>
#include <tuple>
#include <vector>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;
using runtime::ObjectKind;
using runtime::ObjectRef;
using runtime::ObjectSpace;
using runtime::Segment;
using test::Family;
using test::KillPlan;
using test::KillPointWalk;
using test::made;

namespace {

constexpr auto patience = 20s;
constexpr std::uint32_t producers = 2;
constexpr std::uint32_t consumers = 2;
constexpr std::uint32_t itemsEach = 4;
/// The number of those with a handle.
constexpr std::uint32_t handleNumber = 2;
/// Instead of an item's number: its consumer may end.
constexpr std::uint32_t endMark = 1'000;

/// Producer, number, bytes that follow from them, handles.
using Item = std::tuple<std::uint32_t, std::uint32_t, std::vector<std::byte>, std::vector<Event>>;
using Items = Queue<Item>;

/// What the processes of a run note down.
struct Notes
{
    std::array<std::atomic<std::uint32_t>, producers * itemsEach> put;  ///< put() has returned.
    std::array<std::atomic<std::uint32_t>, producers * itemsEach> seen; ///< So often.
    std::atomic<std::uint32_t> damaged;
    std::atomic<std::uint32_t> disordered;
    std::array<runtime::ObjectHandle, 2> handles;
    std::atomic<std::uint32_t> arrived;
};

constexpr std::uint32_t place(std::uint32_t producer, std::uint32_t number)
{
    return producer * itemsEach + number;
}

/// All the same, and others for each item.
std::vector<std::byte> bytesOf(std::uint32_t producer, std::uint32_t number)
{
    // Small ones, one for which the ring grows, one too long for any ring.
    constexpr std::array<std::size_t, itemsEach> sizes = {8, 30'000, 100, 2'200'000};
    return std::vector(sizes[number], static_cast<std::byte>(place(producer, number) + 1));
}

Item itemOf(std::uint32_t producer, std::uint32_t number)
{
    Item item(producer, number, bytesOf(producer, number), {});
    if (number == handleNumber)
        std::get<3>(item).push_back(made(Event::create()));
    return item;
}

bool isWhole(const Item &item)
{
    const auto &[producer, number, bytes, handles] = item;
    return producer < producers && number < itemsEach && bytes == bytesOf(producer, number) &&
           handles.size() == (number == handleNumber ? 1U : 0U);
}

int produce(const Items &queue, Notes &notes, std::uint32_t producer)
{
    for (std::uint32_t number = 0; number < itemsEach; ++number) {
        if (!queue.put(itemOf(producer, number), patience))
            return 1;
        ++notes.put[place(producer, number)];
    }
    return 0;
}

int consume(const Items &queue, Notes &notes)
{
    std::array<std::uint32_t, producers> next = {};
    for (;;) {
        const Result<Item> item = queue.get(patience);
        if (!item)
            return 1;
        const auto [producer, number, bytes, handles] = *item;
        if (number == endMark)
            return queue.taskDone() ? 0 : 1;
        if (!isWhole(*item)) {
            ++notes.damaged;
            return 1;
        }
        notes.disordered += number < next[producer] ? 1 : 0;
        next[producer] = number + 1;
        ++notes.seen[place(producer, number)];
        if (!queue.taskDone())
            return 1;
    }
}

} // namespace

class tst_KillPointsSharing : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY(ObjectSpace::instance().descriptor() >= 0); }
    void init() { m_walk.emplace(); }
    void objectsOutliveTheirUsers();
    void newPlacesAndNumbersAreGivenBack();
    void queueLosesOneItemAtMost_data();
    void queueLosesOneItemAtMost();
    void recoveryOutlivesWhoDoesIt();

private:
    [[nodiscard]] KillPlan &plan() const { return m_walk->plan(); }
    [[nodiscard]] QString place(std::uint64_t n) const { return m_walk->place(n); }
    void objectsAt(std::uint64_t n);
    void queueAt(std::uint64_t n, int capacity);
    void endQueue(const Items &queue, Family &family, std::uint32_t &dead);
    void judge(const Items &queue, Notes &notes, std::uint32_t dead);
    void recoverAt(std::uint64_t n, const QString &first);
    void checkBalance(const ObjectSpace::Usage &before);

    std::optional<KillPointWalk> m_walk;
    QString m_where;
};

void tst_KillPointsSharing::checkBalance(const ObjectSpace::Usage &before)
{
    const ObjectSpace::Usage after = ObjectSpace::instance().usage();
    QVERIFY2(after.objects == before.objects && after.bytes == before.bytes,
             qPrintable(m_where % u"%1 objects more, %2 bytes"_s
                                      .arg(qint64{after.objects} - qint64{before.objects})
                                      .arg(qint64(after.bytes - before.bytes))));
}

// ---- objects

void tst_KillPointsSharing::objectsOutliveTheirUsers()
{
    m_walk->visitAll({u"space-sharer"_s, u"space-create"_s, u"space-reserve"_s, u"space-attach"_s,
                      u"space-let"_s, u"space-pipe"_s, u"space-free"_s, u"space-release"_s},
                     [this](std::uint64_t n) { objectsAt(n); });
}

/// Two processes make objects, use each other's, and let them go.
void tst_KillPointsSharing::objectsAt(std::uint64_t n)
{
    ObjectSpace &space = ObjectSpace::instance();
    const Segment segment = Segment::create("proclab-test-notes", sizeof(Notes));
    Notes &notes = *segment.at<Notes>(0);
    (void)space.self();
    const ObjectSpace::Usage before = space.usage();
    Family family;
    for (std::uint32_t i = 0; i < 2; ++i) {
        family.add(plan(), [&](std::uint32_t slot) {
            for (const std::size_t bytes : {100, 5'000, 100'000}) {
                const ObjectRef mine = space.create(ObjectKind::Blob, bytes);
                if (!mine || mine->body<std::byte>() != std::byte{0})
                    return 1;
                mine->body<std::byte>() = std::byte{1};
                if (space.attach(mine->handle(), ObjectKind::Blob) != mine)
                    return 1;
                notes.handles[slot] = mine->handle();
                ++notes.arrived;
                // The other's may be gone again.
                (void)space.attach(notes.handles[1 - slot], ObjectKind::Blob);
                if (!Pipe::create())
                    return 1;
            }
            return 0;
        });
    }
    while (family.left() > 0) {
        if (const auto end = family.reap()) {
            space.processEnded(end->pid);
            m_where = place(n);
            QVERIFY2(end->wasKilled || end->exitCode == 0, qPrintable(m_where % u"it failed"_s));
        } else {
            ::sched_yield();
        }
    }
    checkBalance(before);
}

/// A process dies when it has just taken a place that no object ever had, or a number that no
/// process ever had.
void tst_KillPointsSharing::newPlacesAndNumbersAreGivenBack()
{
    constexpr int moreThanEverWere = 1'000;
    ObjectSpace &space = ObjectSpace::instance();
    const auto dieAt = [&](const QString &point) {
        plan().begin(1, SIGKILL, point);
        const pid_t pid = test::forkChild([&] {
            test::followKillPlan(&plan());
            return space.create(ObjectKind::Blob, 8) ? 0 : 1;
        });
        test::waitForChild(pid);
        space.processEnded(pid);
        m_where = point % u": "_s;
        return pid;
    };
    (void)space.self();
    const pid_t dead = dieAt(u"space-sharer.numbered"_s);
    QVERIFY(plan().hasStruck());
    for (std::uint32_t number = 0; number < runtime::maxSharers; ++number)
        QVERIFY(space.pidOf(number) != dead);

    std::vector<ObjectRef> all;
    for (int i = 0; i < moreThanEverWere; ++i)
        all.push_back(space.create(ObjectKind::Blob, 8));
    const ObjectSpace::Usage before = space.usage();
    (void)dieAt(u"space-create.claimed"_s);
    QVERIFY(plan().hasStruck());
    QVERIFY(space.create(ObjectKind::Blob, 8)); // Beyond that place, if it is not free.
    checkBalance(before);
}

// ---- a queue

void tst_KillPointsSharing::queueLosesOneItemAtMost_data()
{
    QTest::addColumn<int>("capacity");
    QTest::newRow("capacity 1") << 1;
    QTest::newRow("without a limit") << 0;
}

void tst_KillPointsSharing::queueLosesOneItemAtMost()
{
    QFETCH(const int, capacity);
    m_walk->visitAll({u"ring-put"_s, u"ring-get"_s, u"ring-grow"_s, u"ring-release"_s,
                      u"ring-note"_s, u"space-flight"_s, u"space-pack"_s, u"space-unpack"_s,
                      u"queue-done"_s},
                     [this, capacity](std::uint64_t n) { queueAt(n, capacity); });
}

void tst_KillPointsSharing::queueAt(std::uint64_t n, int capacity)
{
    ObjectSpace &space = ObjectSpace::instance();
    (void)space.self();
    const ObjectSpace::Usage before = space.usage();
    const Segment segment = Segment::create("proclab-test-notes", sizeof(Notes));
    Notes &notes = *segment.at<Notes>(0);
    std::optional<Items> queue = made(Items::create(capacity));
    Family family;
    for (std::uint32_t i = 0; i < producers; ++i)
        family.add(plan(), [&](std::uint32_t slot) { return produce(*queue, notes, slot); });
    for (std::uint32_t i = 0; i < consumers; ++i)
        family.add(plan(), [&](std::uint32_t) { return consume(*queue, notes); });
    std::uint32_t dead = producers + consumers;
    endQueue(*queue, family, dead);
    m_where = place(n);
    if (QTest::currentTestFailed())
        return;
    judge(*queue, notes, dead);
    queue.reset();
    if (!QTest::currentTestFailed())
        checkBalance(before);
}

/// Waits for the producers, gives the consumers their ends, and waits for them.
void tst_KillPointsSharing::endQueue(const Items &queue, Family &family, std::uint32_t &dead)
{
    std::uint32_t producersLeft = producers;
    std::uint32_t ends = 0;
    while (family.left() > 0) {
        const auto end = family.reap();
        if (!end) {
            if (producersLeft == 0 && ends < consumers && queue.putNoWait(Item(0, endMark, {}, {})))
                ++ends;
            ::sched_yield();
            continue;
        }
        producersLeft -= end->slot < producers ? 1 : 0;
        ObjectSpace::instance().processEnded(end->pid);
        m_where = place(0);
        if (end->wasKilled)
            dead = end->slot;
        else
            QVERIFY2(end->exitCode == 0, qPrintable(m_where % u"somebody gave up"_s));
    }
}

void tst_KillPointsSharing::judge(const Items &queue, Notes &notes, std::uint32_t dead)
{
    // What each process counts is what came in and went out, whoever died in the middle of it.
    QueueTraffic all;
    for (std::uint32_t member = 0; member < runtime::maxSharers; ++member) {
        const QueueTraffic one = queue.trafficOf(member);
        all = {all.put + one.put, all.got + one.got, 0};
    }
    QVERIFY2(all.put - all.got == static_cast<quint32>(queue.size()),
             qPrintable(m_where %
                        u"%1 put, %2 got, %3 there"_s.arg(all.put).arg(all.got).arg(queue.size())));
    // What nobody was left to take.
    while (const Result<Item> item = queue.getNoWait()) {
        const auto [producer, number, bytes, handles] = *item;
        if (number != endMark)
            ++notes.seen[::place(producer, number)];
        QVERIFY(queue.taskDone());
    }
    QVERIFY2(queue.join(patience), qPrintable(m_where % u"not all items are done"_s));
    QVERIFY2(notes.damaged == 0, qPrintable(m_where % u"an item is damaged"_s));
    QVERIFY2(notes.disordered == 0, qPrintable(m_where % u"items changed places"_s));
    int missing = 0;
    for (std::uint32_t i = 0; i < producers * itemsEach; ++i) {
        QVERIFY2(notes.seen[i] <= 1, qPrintable(m_where % u"an item came twice"_s));
        missing += notes.put[i] > notes.seen[i] ? 1 : 0;
        const bool isOfDead = dead < producers && i / itemsEach == dead;
        QVERIFY2(notes.put[i] == 1 || isOfDead, qPrintable(m_where % u"an item was not put"_s));
    }
    const bool wasConsumer = dead >= producers && dead < producers + consumers;
    QVERIFY2(
        missing <= queue.lostItems() && queue.lostItems() <= (wasConsumer ? 1 : 0),
        qPrintable(m_where % u"%1 items missing, %2 lost"_s.arg(missing).arg(queue.lostItems())));
}

// ---- recovery

/// One process dies at each of the points at which it can leave something, and another at each
/// point of letting that go: the third completes it.
void tst_KillPointsSharing::recoveryOutlivesWhoDoesIt()
{
    QStringList firsts = test::allKillPoints();
    firsts.removeIf([](const QString &name) {
        return !name.startsWith(u"ring-") && !name.startsWith(u"space-") &&
               !name.startsWith(u"queue-");
    });
    QVERIFY(firsts.size() > 30);
    for (int i = 0; i < firsts.size() && !QTest::currentTestFailed(); ++i) {
        std::uint64_t n = 0;
        do {
            recoverAt(++n, firsts[i]);
        } while (plan().hasStruck() && !QTest::currentTestFailed());
    }
}

/// A run of one process that puts and gets, and ends at @p first if it comes there; then of one
/// that recovers, and ends at point @p n.
void tst_KillPointsSharing::recoverAt(std::uint64_t n, const QString &first)
{
    ObjectSpace &space = ObjectSpace::instance();
    (void)space.self();
    const ObjectSpace::Usage before = space.usage();
    std::optional<Items> queue = made(Items::create());
    plan().begin(1, SIGKILL, first);
    const pid_t user = test::forkChild([&] {
        (void)space.self();
        test::followKillPlan(&plan());
        for (std::uint32_t number = 0; number < itemsEach; ++number) {
            if (!queue->put(itemOf(0, number), patience))
                return 1;
        }
        for (std::uint32_t number = 0; number < itemsEach; ++number) {
            if (!queue->get(patience) || !queue->taskDone())
                return 1;
        }
        return 0;
    });
    siginfo_t info = {};
    QCOMPARE(::waitid(P_PID, static_cast<id_t>(user), &info, WEXITED | WNOWAIT), 0);
    const bool hasDied = plan().hasStruck();
    QCOMPARE(info.si_code, hasDied ? CLD_KILLED : CLD_EXITED);
    plan().begin(n, SIGKILL);
    const pid_t recoverer = test::forkChild([&] {
        (void)space.self();
        test::followKillPlan(&plan());
        space.processEnded(user);
        return 0;
    });
    test::waitForChild(recoverer);
    const QString second = plan().pointName();
    m_where = u"%1, then %2: "_s.arg(first, second);
    space.processEnded(recoverer);
    test::waitForChild(user);
    space.processEnded(user);
    // The queue goes on.
    QVERIFY2(queue->put(itemOf(1, 0), patience), qPrintable(m_where));
    while (const Result<Item> item = queue->getNoWait()) {
        QVERIFY2(isWhole(*item), qPrintable(m_where % u"an item is damaged"_s));
        QVERIFY2(queue->taskDone(), qPrintable(m_where % u"one item more is done than put"_s));
    }
    QVERIFY2(queue->join(patience), qPrintable(m_where % u"not all items are done"_s));
    QVERIFY2(queue->lostItems() <= (hasDied ? 1 : 0), qPrintable(m_where % u"lost"_s));
    queue.reset();
    checkBalance(before);
}

QTEST_GUILESS_MAIN(tst_KillPointsSharing)
#include "tst_kill_points_sharing.moc"
