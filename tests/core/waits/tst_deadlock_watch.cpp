// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/ipc/connection.h"
#include "core/ipc/queue.h"
#include "core/pool/pool.h"
#include "core/process/process.h"
#include "core/sync/barrier.h"
#include "core/sync/condition.h"
#include "core/sync/event.h"
#include "core/sync/lock.h"
#include "core/sync/semaphore.h"
#include "core/waits/deadlock_watch.h"
#include "tests/support/leak_check.h"
#include "tests/support/results.h"
#include "tests/support/worker_test_main.h"

#include <QRandomGenerator>
#include <QSet>

#include <algorithm>
#include <csignal>
#include <functional>
#include <thread>

#include <sys/resource.h>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace proclab;
using namespace Qt::StringLiterals;
using test::made;

namespace {

constexpr int limitMs = 30'000;
constexpr int locksInAScenario = 4;

// What the processes do.

/// Takes one lock, says so, and when told takes the other.
void takeBoth(Lock first, Lock second, Semaphore arrived, Event go)
{
    (void)first.acquire();
    (void)arrived.release();
    (void)go.wait();
    (void)second.acquire();
}

void getOne(Queue<int> queue)
{
    (void)queue.get();
}

void putTwo(Queue<int> queue)
{
    (void)queue.put(1);
    (void)queue.put(2);
}

/// Holds the lock and waits for an item that its parent is to put.
void getUnderLock(Lock lock, Queue<int> queue, Semaphore arrived)
{
    (void)lock.acquire();
    (void)arrived.release();
    (void)queue.get();
}

void lockTwice(Lock lock)
{
    (void)lock.acquire();
    (void)lock.acquire();
}

void lockThenGet(Lock lock, Queue<int> queue)
{
    (void)lock.acquire();
    (void)queue.get();
}

void lockAndRelease(Lock lock)
{
    (void)lock.acquire();
    (void)lock.release();
}

void receiveOne(Connection end)
{
    (void)end.receive<int>();
}

void holdBusily(Lock lock, Event over)
{
    (void)lock.acquire();
    while (!over.isSet()) {
    }
    (void)lock.release();
}

void tryWithLimit(Lock first, Lock second, Semaphore arrived, Event go)
{
    (void)first.acquire();
    (void)arrived.release();
    (void)go.wait();
    while (!second.acquire(200ms)) {
    }
    (void)second.release();
    (void)first.release();
}

/// Takes locks in the order of their numbers, holds them for a moment, waits and hands on.
void legalSteps(std::vector<Lock> locks, Queue<int> mine, Queue<int> others, quint32 seed)
{
    QRandomGenerator random(seed);
    for (int round = 0; round < 40; ++round) {
        const int first = random.bounded(locksInAScenario);
        const int last = random.bounded(first, locksInAScenario);
        for (int i = first; i <= last; ++i)
            (void)locks[std::size_t(i)].acquire();
        for (volatile int spin = random.bounded(20'000); spin > 0;)
            spin = spin - 1;
        for (int i = last; i >= first; --i)
            (void)locks[std::size_t(i)].release();
        (void)others.put(round);
        (void)mine.get();
    }
}

/// Whether the sanitizer has a thread of its own in each process, which nobody knows to be idle.
bool hasForeignThread()
{
#if defined(__SANITIZE_THREAD__)
    return true;
#else
    return false;
#endif
}

/// Counts and keeps what a watch tells, in the engine's thread.
class Found
{
public:
    explicit Found(std::function<void(const Deadlock &)> act = nullptr) : m_act(std::move(act))
    {
        QObject::connect(
            &m_watch, &DeadlockWatch::deadlockFound, &m_watch,
            [this](const Deadlock &deadlock) {
                {
                    const std::lock_guard lock(m_mutex);
                    m_deadlocks.append(deadlock);
                }
                if (m_act)
                    m_act(deadlock);
            },
            Qt::DirectConnection);
    }
    [[nodiscard]] QList<Deadlock> all() const
    {
        const std::lock_guard lock(m_mutex);
        return m_deadlocks;
    }

private:
    const std::function<void(const Deadlock &)> m_act;
    mutable std::mutex m_mutex;
    QList<Deadlock> m_deadlocks;
    DeadlockWatch m_watch;
};

void killVictim(const Deadlock &deadlock)
{
    ::kill(static_cast<pid_t>(deadlock.members.at(deadlock.victim).pid), SIGKILL);
}

QSet<qint64> pidsOf(const QList<Wait> &waits)
{
    QSet<qint64> pids;
    for (const Wait &wait : waits)
        pids.insert(wait.pid);
    return pids;
}

template<typename Handle>
quint32 numberOf(const Handle &handle)
{
    return handle.object()->handle().index;
}

template<auto Function, typename... A>
Process started(const QString &name, A... arguments)
{
    ProcessOptions options;
    options.name = name;
    const Process process = made(Process::create<Function>(options, arguments...));
    if (const auto result = process.start(); !result)
        qFatal("%s", qPrintable(errorText(result.error())));
    return process;
}

// Programs that start others and join them; what they started and made they tell. The test's own
// process would not do: its thread that watches over time limits counts as able to act.

void joinThoseWhoGet(Queue<qint64> told)
{
    const auto queue = made(Queue<int>::create());
    const Process one = started<&getOne>(u"one"_s, queue);
    const Process two = started<&getOne>(u"two"_s, queue);
    for (const qint64 what : {one.pid().value(), two.pid().value(), qint64{numberOf(queue)}})
        (void)told.put(what);
    (void)one.join();
    (void)two.join();
}

void joinWhoPuts(Queue<qint64> told)
{
    const auto queue = made(Queue<int>::create(1));
    const Process producer = started<&putTwo>(u"producer"_s, queue);
    (void)told.put(producer.pid().value());
    (void)producer.join();
}

void joinThoseWhoReceive(Queue<qint64> told)
{
    const auto [first, second] = made(Pipe::create());
    const Process one = started<&receiveOne>(u"one"_s, first);
    const Process two = started<&receiveOne>(u"two"_s, second);
    (void)told.put(one.pid().value());
    (void)told.put(two.pid().value());
    (void)one.join();
    (void)two.join();
}

/// Joins one that waits for a lock, whose owner waits for an item that the director is to put.
void joinBehindALock(Queue<qint64> told)
{
    const auto lock = made(Lock::create());
    const auto queue = made(Queue<int>::create());
    const auto arrived = made(Semaphore::create(0));
    const Process owner = started<&getUnderLock>(u"owner"_s, lock, queue, arrived);
    (void)arrived.acquire();
    const Process joined = started<&lockAndRelease>(u"joined"_s, lock);
    for (const qint64 what : {owner.pid().value(), joined.pid().value(), qint64{numberOf(queue)}})
        (void)told.put(what);
    (void)joined.join();
}

void acquireAll(const Semaphore &semaphore, int count)
{
    for (int i = 0; i < count; ++i)
        (void)semaphore.acquire();
}

/// Waits until @p process is in a wait for @p reason.
bool isWaiting(const Process &process, Wait::Reason reason)
{
    const qint64 pid = process.pid().value();
    const QList<Wait> waits = WaitGraph::snapshot().waits();
    return std::ranges::any_of(
        waits, [=](const Wait &wait) { return wait.pid == pid && wait.reason == reason; });
}

} // namespace

/// Deadlocks between processes, and all that looks like one and is none.
class tst_DeadlockWatch : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    /// Also those whose parent was killed, which live a moment longer.
    void cleanup() { QTRY_VERIFY_WITH_TIMEOUT(test::childPids().isEmpty(), limitMs); }
    void crossingLocksAreFound();
    void deadlockIsToldOnce();
    void queueThatNobodyFillsIsFound();
    void fullQueueThatNobodyReadsIsFound();
    void cycleOverLockQueueAndJoinIsFound();
    void lockTakenTwiceIsFound();
    void workersOfAPoolAreFound();
    void pipeThatNobodyWritesIsFound();
    void waitsAreShownWithWhomTheyAreFor();
    void chainIsNone();
    void waitsWithALimitAreNone();
    void busyOwnerIsNone();
    void stoppedOwnerIsNone();
    void wokenButStoppedIsNone();
    void legalScenariosAreNone();
    void waitsOfTheKilledVanish();
    void lookingCostsNothingWhileNobodyWaits();

private:
    const test::LeakCheck m_leaks;
};

void tst_DeadlockWatch::crossingLocksAreFound()
{
    if (hasForeignThread())
        QSKIP("The sanitizer's own threads count as able to act");
    const Found found;
    const auto a = made(Lock::create());
    const auto b = made(Lock::create());
    const auto arrived = made(Semaphore::create(0));
    const auto go = made(Event::create());
    const Process one = started<&takeBoth>(u"one"_s, a, b, arrived, go);
    const Process two = started<&takeBoth>(u"two"_s, b, a, arrived, go);
    acquireAll(arrived, 2);
    QVERIFY(found.all().isEmpty());
    go.set();
    QTRY_VERIFY_WITH_TIMEOUT(!found.all().isEmpty(), 1'000);
    const Deadlock deadlock = found.all().front();
    QCOMPARE(deadlock.members.size(), 2);
    QCOMPARE(pidsOf(deadlock.members), (QSet<qint64>{one.pid().value(), two.pid().value()}));
    QVERIFY(deadlock.behind.isEmpty());
    QSet<quint32> objects;
    for (const Wait &wait : deadlock.members) {
        QCOMPARE(wait.reason, Wait::Reason::Lock);
        objects.insert(wait.object.value());
        const bool isOne = wait.pid == one.pid().value();
        QCOMPARE(wait.process, isOne ? u"one"_s : u"two"_s);
        QCOMPARE(wait.wakers, QList<qint64>{isOne ? two.pid().value() : one.pid().value()});
        QVERIFY(wait.sinceNs <= deadlock.sinceNs);
        QVERIFY(!wait.deadlineNs);
    }
    QCOMPARE(objects, (QSet<quint32>{numberOf(a), numberOf(b)}));
    QCOMPARE(deadlock.members.at(deadlock.victim).sinceNs, deadlock.sinceNs);
    const QString text = deadlockText(deadlock, runtime::nowNs());
    QVERIFY2(text.contains(u"one (PID %1"_s.arg(one.pid().value())), qPrintable(text));
    QVERIFY2(text.contains(u"lock %1, held by PID"_s.arg(numberOf(a))), qPrintable(text));
    // The victim's end lets the other go on.
    killVictim(deadlock);
    QVERIFY(one.join(30s));
    QVERIFY(two.join(30s));
    QCOMPARE(found.all().size(), 1);
}

void tst_DeadlockWatch::deadlockIsToldOnce()
{
    if (hasForeignThread())
        QSKIP("The sanitizer's own threads count as able to act");
    const Found found;
    const auto lock = made(Lock::create());
    const Process self = started<&lockTwice>(u"self"_s, lock);
    QTRY_COMPARE_WITH_TIMEOUT(found.all().size(), 1, limitMs);
    // A later one is another; by the time it is told the watch has looked often again.
    const Process behind = started<&lockAndRelease>(u"behind"_s, lock);
    const auto other = made(Lock::create());
    const Process second = started<&lockTwice>(u"second"_s, other);
    QTRY_COMPARE_WITH_TIMEOUT(found.all().size(), 2, limitMs);
    QCOMPARE(pidsOf(found.all().at(1).members), QSet<qint64>{second.pid().value()});
    (void)self.kill();
    (void)second.kill();
    QVERIFY(behind.join(30s));
    QVERIFY(self.join(30s));
    QVERIFY(second.join(30s));
    QCOMPARE(found.all().size(), 2);
}

void tst_DeadlockWatch::queueThatNobodyFillsIsFound()
{
    if (hasForeignThread())
        QSKIP("The sanitizer's own threads count as able to act");
    const Found found;
    const auto told = made(Queue<qint64>::create());
    const Process director = started<&joinThoseWhoGet>(u"director"_s, told);
    const QSet<qint64> getters = {told.get(30s).value(), told.get(30s).value()};
    const auto queue = static_cast<quint32>(told.get(30s).value());
    QTRY_COMPARE_WITH_TIMEOUT(found.all().size(), 1, limitMs);
    const qint64 joiner = director.pid().value();
    const Deadlock deadlock = found.all().front();
    QCOMPARE(pidsOf(deadlock.members), getters + QSet<qint64>{joiner});
    for (const Wait &wait : deadlock.members) {
        QCOMPARE(wait.reason,
                 wait.pid == joiner ? Wait::Reason::ProcessEnd : Wait::Reason::QueueEmpty);
        if (wait.pid != joiner)
            QCOMPARE(wait.object, std::optional(queue));
    }
    // Without one of those who got, the rest is still one, and told anew.
    ::kill(static_cast<pid_t>(*getters.begin()), SIGKILL);
    QTRY_COMPARE_WITH_TIMEOUT(found.all().size(), 2, limitMs);
    QCOMPARE(found.all().at(1).members.size(), 2);
    QVERIFY(director.kill());
    QVERIFY(director.join(30s));
}

void tst_DeadlockWatch::fullQueueThatNobodyReadsIsFound()
{
    if (hasForeignThread())
        QSKIP("The sanitizer's own threads count as able to act");
    const Found found(killVictim);
    const auto told = made(Queue<qint64>::create());
    const Process director = started<&joinWhoPuts>(u"director"_s, told);
    const qint64 producer = told.get(30s).value();
    QVERIFY(director.join(30s));
    QCOMPARE(found.all().size(), 1);
    QCOMPARE(pidsOf(found.all().front().members), (QSet<qint64>{producer, director.pid().value()}));
}

void tst_DeadlockWatch::cycleOverLockQueueAndJoinIsFound()
{
    if (hasForeignThread())
        QSKIP("The sanitizer's own threads count as able to act");
    const Found found;
    const auto told = made(Queue<qint64>::create());
    const Process director = started<&joinBehindALock>(u"director"_s, told);
    const qint64 owner = told.get(30s).value();
    const qint64 joined = told.get(30s).value();
    const auto queue = static_cast<quint32>(told.get(30s).value());
    QTRY_COMPARE_WITH_TIMEOUT(found.all().size(), 1, limitMs);
    const Deadlock deadlock = found.all().front();
    QCOMPARE(deadlock.members.size(), 3);
    for (const Wait &wait : deadlock.members) {
        if (wait.pid == director.pid().value()) {
            QCOMPARE(wait.reason, Wait::Reason::ProcessEnd);
            QCOMPARE(wait.wakers, QList<qint64>{joined});
        } else if (wait.pid == owner) {
            QCOMPARE(wait.reason, Wait::Reason::QueueEmpty);
            QCOMPARE(wait.object, std::optional(queue));
        } else {
            QCOMPARE(wait.pid, joined);
            QCOMPARE(wait.reason, Wait::Reason::Lock);
            QCOMPARE(wait.wakers, QList<qint64>{owner});
        }
    }
    // Without the lock's owner all go on.
    ::kill(static_cast<pid_t>(owner), SIGKILL);
    QVERIFY(director.join(30s));
    QCOMPARE(director.exitCode().value(), std::optional(0));
    QCOMPARE(found.all().size(), 1);
}

void tst_DeadlockWatch::lockTakenTwiceIsFound()
{
    if (hasForeignThread())
        QSKIP("The sanitizer's own threads count as able to act");
    const Found found(killVictim);
    const auto lock = made(Lock::create());
    const Process self = started<&lockTwice>(u"self"_s, lock);
    const Process behind = started<&lockAndRelease>(u"behind"_s, lock);
    QVERIFY(self.join(30s));
    QVERIFY(behind.join(30s));
    QVERIFY(!found.all().isEmpty());
    const Deadlock deadlock = found.all().front();
    // Whoever of the two took it first: if it was "behind" it was gone by then.
    QCOMPARE(pidsOf(deadlock.members), QSet<qint64>{self.pid().value()});
    QVERIFY(!pidsOf(deadlock.behind).contains(self.pid().value()));
}

/// Two calls of a pool, for which this process waits; further workers have nothing to do.
void tst_DeadlockWatch::workersOfAPoolAreFound()
{
    if (hasForeignThread())
        QSKIP("The sanitizer's own threads count as able to act");
    const Found found(killVictim);
    Pool pool = made(Pool::open({.workers = 4}));
    const auto a = made(Lock::create());
    const auto b = made(Lock::create());
    const auto arrived = made(Semaphore::create(0));
    const auto go = made(Event::create());
    const auto one = pool.applyAsync<&takeBoth>(a, b, arrived, go);
    const auto two = pool.applyAsync<&takeBoth>(b, a, arrived, go);
    acquireAll(arrived, 2);
    go.set();
    const bool isOne = one.result().has_value(); // Without limit: this thread waits too.
    const bool isTwo = two.result().has_value();
    QVERIFY(isOne != isTwo);
    QCOMPARE(found.all().size(), 1);
    const Deadlock deadlock = found.all().front();
    QCOMPARE(deadlock.members.size(), 2);
    for (const Wait &wait : deadlock.members) {
        QCOMPARE(wait.reason, Wait::Reason::Lock);
        QVERIFY2(wait.process.startsWith(u"PoolWorker-"_s), qPrintable(wait.process));
    }
    pool.close();
    QVERIFY(pool.join(30s));
}

void tst_DeadlockWatch::pipeThatNobodyWritesIsFound()
{
    if (hasForeignThread())
        QSKIP("The sanitizer's own threads count as able to act");
    const Found found;
    const auto told = made(Queue<qint64>::create());
    const Process director = started<&joinThoseWhoReceive>(u"director"_s, told);
    const QSet<qint64> readers = {told.get(30s).value(), told.get(30s).value()};
    QTRY_COMPARE_WITH_TIMEOUT(found.all().size(), 1, limitMs);
    QVERIFY(pidsOf(found.all().front().members).contains(readers));
    QVERIFY(director.kill());
    QVERIFY(director.join(30s));
}

void tst_DeadlockWatch::waitsAreShownWithWhomTheyAreFor()
{
    const auto lock = made(Lock::create());
    QVERIFY(lock.acquire());
    const qint64 before = runtime::nowNs();
    const Process waiter = started<&lockAndRelease>(u"waiter"_s, lock);
    QTRY_VERIFY_WITH_TIMEOUT(isWaiting(waiter, Wait::Reason::Lock), limitMs);
    const WaitGraph graph = WaitGraph::snapshot();
    const auto wait = std::ranges::find_if(
        graph.waits(), [&waiter](const Wait &one) { return one.pid == waiter.pid().value(); });
    QVERIFY(wait != graph.waits().end());
    QCOMPARE(wait->process, u"waiter"_s);
    QCOMPARE(wait->thread, wait->pid);
    QCOMPARE(wait->object, std::optional(numberOf(lock)));
    QCOMPARE(wait->wakers, QList<qint64>{::getpid()});
    QVERIFY(wait->sinceNs > before && wait->sinceNs <= graph.takenNs());
    QVERIFY(graph.deadlocks().isEmpty());
    QVERIFY(lock.release());
    QVERIFY(waiter.join(30s));
    QVERIFY(std::ranges::none_of(WaitGraph::snapshot().waits(), [&waiter](const Wait &one) {
        return one.pid == waiter.pid().value();
    }));
}

/// Several wait, one for the other, but the last for this process, which fills the queue.
void tst_DeadlockWatch::chainIsNone()
{
    const Found found;
    const auto lock = made(Lock::create());
    const auto queue = made(Queue<int>::create());
    const Process owner = started<&lockThenGet>(u"owner"_s, lock, queue);
    QTRY_VERIFY_WITH_TIMEOUT(isWaiting(owner, Wait::Reason::QueueEmpty), limitMs);
    const Process waiter = started<&lockAndRelease>(u"waiter"_s, lock);
    QTRY_VERIFY_WITH_TIMEOUT(isWaiting(waiter, Wait::Reason::Lock), limitMs);
    QVERIFY(!waiter.join(300ms)); // Time for several looks.
    QVERIFY(queue.put(1));
    QVERIFY(owner.join(30s)); // It dies with the lock.
    QVERIFY(waiter.join(30s));
    QVERIFY(found.all().isEmpty());
}

void tst_DeadlockWatch::waitsWithALimitAreNone()
{
    const Found found;
    const auto a = made(Lock::create());
    const auto b = made(Lock::create());
    const auto arrived = made(Semaphore::create(0));
    const auto go = made(Event::create());
    const Process one = started<&tryWithLimit>(u"one"_s, a, b, arrived, go);
    const Process two = started<&tryWithLimit>(u"two"_s, b, a, arrived, go);
    acquireAll(arrived, 2);
    go.set();
    QTRY_VERIFY_WITH_TIMEOUT(isWaiting(one, Wait::Reason::Lock), limitMs);
    QTRY_VERIFY_WITH_TIMEOUT(isWaiting(two, Wait::Reason::Lock), limitMs);
    QVERIFY(!one.join(400ms));
    QVERIFY(found.all().isEmpty());
    (void)one.kill();
    QVERIFY(one.join(30s));
    QVERIFY(two.join(30s));
    QVERIFY(found.all().isEmpty());
}

void tst_DeadlockWatch::busyOwnerIsNone()
{
    const Found found;
    const auto lock = made(Lock::create());
    const auto over = made(Event::create());
    const Process owner = started<&holdBusily>(u"owner"_s, lock, over);
    QTRY_VERIFY_WITH_TIMEOUT(lock.isLocked(), limitMs);
    const Process waiter = started<&lockAndRelease>(u"waiter"_s, lock);
    QVERIFY(!waiter.join(400ms));
    over.set();
    QVERIFY(waiter.join(30s));
    QVERIFY(owner.join(30s));
    QVERIFY(found.all().isEmpty());
}

void tst_DeadlockWatch::stoppedOwnerIsNone()
{
    const Found found;
    const auto lock = made(Lock::create());
    const auto over = made(Event::create());
    const Process owner = started<&holdBusily>(u"owner"_s, lock, over);
    QTRY_VERIFY_WITH_TIMEOUT(lock.isLocked(), limitMs);
    QCOMPARE(::kill(pid_t(owner.pid().value()), SIGSTOP), 0);
    const Process waiter = started<&lockAndRelease>(u"waiter"_s, lock);
    QVERIFY(!waiter.join(400ms));
    QVERIFY(found.all().isEmpty());
    over.set();
    QCOMPARE(::kill(pid_t(owner.pid().value()), SIGCONT), 0);
    QVERIFY(waiter.join(30s));
    QVERIFY(owner.join(30s));
    QVERIFY(found.all().isEmpty());
}

/// It was stopped in a wait that is over: it goes on once it may.
void tst_DeadlockWatch::wokenButStoppedIsNone()
{
    const Found found;
    const auto queue = made(Queue<int>::create());
    const Process waiter = started<&getOne>(u"waiter"_s, queue);
    QTRY_VERIFY_WITH_TIMEOUT(isWaiting(waiter, Wait::Reason::QueueEmpty), limitMs);
    const auto pid = static_cast<pid_t>(waiter.pid().value());
    QCOMPARE(::kill(pid, SIGSTOP), 0);
    QVERIFY(queue.put(1));
    // Another thread lets it go on while this one waits for it without limit.
    std::atomic<bool> isContinued = false;
    std::thread other([pid, &isContinued] {
        const std::int64_t until = runtime::nowNs() + 400'000'000;
        while (runtime::nowNs() < until) {
        }
        isContinued = ::kill(pid, SIGCONT) == 0;
    });
    QVERIFY(waiter.join());
    other.join();
    QVERIFY(isContinued);
    QVERIFY(found.all().isEmpty());
}

/// 200 scenarios in which processes take locks in one order and hand items round: all end, and none
/// is taken for a deadlock.
void tst_DeadlockWatch::legalScenariosAreNone()
{
    const quint32 seed = QRandomGenerator::global()->generate();
    qInfo("seed %u", seed);
    const Found found;
    Pool pool = made(Pool::open({.workers = 6}));
    for (quint32 scenario = 0; scenario < 200; scenario += 2) {
        std::vector<AsyncResult<std::monostate>> calls;
        for (quint32 side = 0; side < 2; ++side) { // Two at the same time.
            std::vector<Lock> locks;
            for (int i = 0; i < locksInAScenario; ++i)
                locks.push_back(made(Lock::create()));
            std::vector<Queue<int>> queues;
            for (int i = 0; i < 3; ++i)
                queues.push_back(made(Queue<int>::create(2)));
            for (std::size_t i = 0; i < queues.size(); ++i)
                calls.push_back(
                    pool.applyAsync<&legalSteps>(locks, queues[i], queues[(i + 1) % queues.size()],
                                                 seed + 10 * scenario + 3 * side + quint32(i)));
        }
        for (const auto &call : calls)
            QVERIFY(call.result());
    }
    pool.close();
    QVERIFY(pool.join(30s));
    QVERIFY(found.all().isEmpty());
}

void tst_DeadlockWatch::waitsOfTheKilledVanish()
{
    const auto lock = made(Lock::create());
    QVERIFY(lock.acquire());
    const Process waiter = started<&lockAndRelease>(u"waiter"_s, lock);
    QTRY_VERIFY_WITH_TIMEOUT(isWaiting(waiter, Wait::Reason::Lock), limitMs);
    QVERIFY(waiter.kill());
    QVERIFY(waiter.join(30s));
    QVERIFY(!isWaiting(waiter, Wait::Reason::Lock));
    QVERIFY(lock.release());
}

void tst_DeadlockWatch::lookingCostsNothingWhileNobodyWaits()
{
    QVERIFY(!WaitGraph::hasWaitOfAge(0ms));
    const auto queue = made(Queue<int>::create());
    const Process waiter = started<&getOne>(u"waiter"_s, queue);
    QTRY_VERIFY_WITH_TIMEOUT(WaitGraph::hasWaitOfAge(50ms), limitMs);
    QVERIFY(queue.put(1));
    QVERIFY(waiter.join(30s));
    QVERIFY(!WaitGraph::hasWaitOfAge(0ms));
}

PROCLAB_WORKER_TEST_MAIN(tst_DeadlockWatch)
#include "tst_deadlock_watch.moc"
