// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/ipc/queue.h"
#include "core/memory/value.h"
#include "core/pool/pool.h"
#include "core/process/process.h"
#include "core/sync/condition.h"
#include "tests/support/tally.h"
#include "tests/support/worker_test_main.h"

#include <QElapsedTimer>

#include <csignal>

using namespace std::chrono_literals;
using namespace proclab;
using test::codeOf;
using test::made;
using test::staysTrue;
using test::Tally;
using test::Threads;

namespace {

enum Count { Waiting, Woken };

// What other processes do.

/// Sleeps until notified, and says so. Who has the lock while somebody counts as Waiting knows that
/// it sleeps.
void sleepOn(Condition condition, Tally tally, int number)
{
    const ScopedLock held(condition);
    tally.noteSleeper(static_cast<std::size_t>(number));
    tally.add(Waiting);
    const auto isNotified = condition.wait(60s);
    if (isNotified && *isNotified)
        tally.add(Woken);
}

/// Ends with 0 if it saw the value that it waits for.
void countTo(Condition condition, Value<int> value, int last)
{
    const ScopedLock held(condition);
    value.set(0);
    (void)condition.notify();
    const auto isReached = condition.waitFor([&] { return value.get() == last; }, 60s);
    if (!isReached || !*isReached || value.get() != last)
        std::exit(1);
}

/// Dies with the lock, once somebody sleeps, and has been woken.
void dieWithLock(Condition condition, Tally tally)
{
    for (;;) {
        const ScopedLock held(condition);
        if (tally.of(Waiting) == 0)
            continue;
        (void)condition.notify();
        ::raise(SIGKILL);
    }
}

bool isFree(Condition condition)
{
    const auto taken = condition.acquire(0s);
    return taken && condition.release();
}

ErrorCode notifyHere(Condition condition)
{
    return codeOf(condition.notify());
}

} // namespace

/// Conditions, between threads of this process and other processes.
class tst_Condition : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void oneNotificationWakesOne_data() { test::addStartMethods(); }
    void oneNotificationWakesOne();
    void notificationsAreCounted_data() { test::addStartMethods(); }
    void notificationsAreCounted();
    void waitEndsAtItsLimit_data() { addLocks(); }
    void waitEndsAtItsLimit();
    void waitIsNotified_data() { addLocks(); }
    void waitIsNotified();
    void waitForSeesSharedData_data() { test::addStartMethods(); }
    void waitForSeesSharedData();
    void waitForAsksAtOnceAndAtItsEnd();
    void lockMustBeHeld_data() { addLocks(); }
    void lockMustBeHeld();
    void givenLockIsUsed();
    void deadSleeperPassesItsNotificationOn_data() { test::addStartMethods(); }
    void deadSleeperPassesItsNotificationOn();
    void deadSleeperCostsNothing_data() { test::addStartMethods(); }
    void deadSleeperCostsNothing();
    void lockTravelsAlong();
    void deathOfTheWakerIsTold();
    void nothingStays();

private:
    enum class On { Own, RLock, Lock };
    static void addLocks();
    static Condition condition();
    [[nodiscard]] static Pool pool(int workers);
};

void tst_Condition::addLocks()
{
    QTest::addColumn<int>("on");
    QTest::newRow("own lock") << int(On::Own);
    QTest::newRow("RLock") << int(On::RLock);
    QTest::newRow("Lock") << int(On::Lock);
}

Condition tst_Condition::condition()
{
    QFETCH(const int, on);
    if (on == int(On::Lock))
        return made(Condition::create(made(Lock::create())));
    return made(on == int(On::RLock) ? Condition::create(made(RLock::create()))
                                     : Condition::create());
}

Pool tst_Condition::pool(int workers)
{
    QFETCH(const StartMethod, method);
    return made(Pool::open({.workers = workers, .startMethod = method}));
}

// LK-11
void tst_Condition::oneNotificationWakesOne()
{
    Pool others = pool(1);
    const auto condition = made(Condition::create());
    const Tally tally;
    Threads threads;
    const auto call = others.applyAsync<sleepOn>(condition, tally, 0);
    threads.start([=] { sleepOn(condition, tally, 1); });
    QTRY_COMPARE(tally.of(Waiting), 2);
    QVERIFY(staysTrue([&] { return tally.of(Woken) == 0; }));
    for (int woken = 1; woken <= 2; ++woken) {
        {
            const ScopedLock held(condition);
            QVERIFY(condition.notify());
        }
        QTRY_COMPARE(tally.of(Woken), woken);
        QVERIFY(staysTrue([&] { return tally.of(Woken) == woken; }));
    }
    QVERIFY(call.result(60s));
    threads.join();
    others.terminate();
}

// LK-12
void tst_Condition::notificationsAreCounted()
{
    Pool others = pool(3);
    const auto condition = made(Condition::create());
    const Tally tally;
    Threads threads;
    int waiting = 0;
    int woken = 0;
    const auto startSix = [&] {
        for (int i = 0; i < 3; ++i) {
            (void)others.applyAsync<sleepOn>(condition, tally, i);
            threads.start([=] { sleepOn(condition, tally, 3 + i); });
        }
        waiting += 6;
        QTRY_COMPARE(tally.of(Waiting), waiting);
        QVERIFY(staysTrue([&] { return tally.of(Woken) == woken; }));
    };
    const auto notify = [&](int count, int wakes) {
        {
            const ScopedLock held(condition);
            QVERIFY(count > 0 ? condition.notify(count) : condition.notifyAll());
        }
        woken += wakes;
        QTRY_COMPARE(tally.of(Woken), woken);
        QVERIFY(staysTrue([&] { return tally.of(Woken) == woken; }));
    };
    startSix();
    notify(0, 6);
    startSix();
    notify(2, 2);
    notify(4, 4);
    notify(3, 0);
    const ScopedLock held(condition);
    QCOMPARE(*condition.wait(100ms), false); // It is not remembered.
    threads.join();
    others.terminate();
}

// LK-13
void tst_Condition::waitEndsAtItsLimit()
{
    const auto condition = tst_Condition::condition();
    QVERIFY(condition.acquire());
    QElapsedTimer timer;
    timer.start();
    QCOMPARE(*condition.wait(0s), false);
    QCOMPARE(*condition.wait(-1s), false);
    QVERIFY(timer.elapsed() < 500);
    timer.start();
    QCOMPARE(*condition.wait(300ms), false);
    QVERIFY(timer.elapsed() >= 200);
    QVERIFY(timer.elapsed() < 2'300);
    bool isTaken = true;
    std::thread([&] { isTaken = condition.acquire(0s).has_value(); }).join();
    QVERIFY(!isTaken);
    QVERIFY(condition.release());
    QVERIFY(!condition.release());
}

// LK-13
void tst_Condition::waitIsNotified()
{
    const auto condition = tst_Condition::condition();
    QFETCH(const int, on);
    const int depth = on == int(On::Lock) ? 1 : 2; // A recursive lock comes back as it was.
    for (int i = 0; i < depth; ++i)
        QVERIFY(condition.acquire());
    Threads threads;
    threads.start([condition] {
        const ScopedLock held(condition); // Once it is let go, by a sleeper who is there.
        (void)condition.notify();
    });
    QCOMPARE(*condition.wait(60s), true);
    threads.join();
    bool isTaken = true;
    std::thread([&] { isTaken = condition.acquire(0s).has_value(); }).join();
    QVERIFY(!isTaken);
    for (int i = 0; i < depth; ++i)
        QVERIFY(condition.release());
    QVERIFY(!condition.release());
}

// LK-15
void tst_Condition::waitForSeesSharedData()
{
    QFETCH(const StartMethod, method);
    const auto condition = made(Condition::create());
    const auto value = made(Value<int>::create(-1));
    const auto child = made(Process::create<countTo>({.startMethod = method}, condition, value, 4));
    QVERIFY(child.start());
    {
        const ScopedLock held(condition);
        QCOMPARE(*condition.waitFor([&] { return value.get() == 0; }, 60s), true);
    }
    for (int i = 0; i < 4; ++i) {
        const ScopedLock held(condition);
        value.update([](int &count) { ++count; });
        QVERIFY(condition.notify());
    }
    QVERIFY(child.join(60s));
    QCOMPARE(**child.exitCode(), 0);
}

void tst_Condition::waitForAsksAtOnceAndAtItsEnd()
{
    const auto condition = made(Condition::create());
    QVERIFY(condition.acquire());
    QCOMPARE(*condition.waitFor([] { return true; }, 0s), true);
    int asked = 0;
    QCOMPARE(*condition.waitFor([&] { return ++asked == 2; }, 100ms), true);
    QCOMPARE(asked, 2);
    QElapsedTimer timer;
    timer.start();
    QCOMPARE(*condition.waitFor([] { return false; }, 300ms), false);
    QVERIFY(timer.elapsed() >= 200);
    QVERIFY(timer.elapsed() < 2'300);
    QVERIFY(condition.release());
}

// LK-16
void tst_Condition::lockMustBeHeld()
{
    const auto condition = tst_Condition::condition();
    const auto all = [&condition] {
        return std::vector{codeOf(condition.wait(0s)),
                           codeOf(condition.waitFor([] { return true; }, 0s)),
                           codeOf(condition.notify()), codeOf(condition.notifyAll())};
    };
    const std::vector refused(4, ErrorCode::NotOwner);
    QCOMPARE(all(), refused);
    Pool others = made(Pool::open({.workers = 1}));
    const ScopedLock held(condition);
    QCOMPARE(*others.apply<notifyHere>(condition), ErrorCode::NotOwner);
    QFETCH(const int, on);
    if (on != int(On::Lock)) { // A plain lock is its process's.
        std::vector<ErrorCode> fromThread;
        std::thread([&] { fromThread = all(); }).join();
        QCOMPARE(fromThread, refused);
    }
    QVERIFY(condition.notify());
    others.terminate();
}

// LK-16
void tst_Condition::givenLockIsUsed()
{
    const auto lock = made(Lock::create());
    const auto condition = made(Condition::create(lock));
    Pool others = made(Pool::open({.workers = 1}));
    QVERIFY(lock.acquire());
    QCOMPARE(codeOf(condition.acquire(0s)), ErrorCode::Timeout);
    QCOMPARE(*others.apply<isFree>(condition), false);
    QVERIFY(lock.release());
    QCOMPARE(*others.apply<isFree>(condition), true);
    QVERIFY(condition.acquire());
    QVERIFY(!lock.tryAcquire());
    QCOMPARE(lock.ownerPid(), ::getpid());
    QVERIFY(condition.release());
    QVERIFY(!lock.isLocked());
    others.terminate();
}

void tst_Condition::deadSleeperPassesItsNotificationOn()
{
    Pool others = pool(2);
    const auto condition = made(Condition::create());
    const Tally tally;
    const auto first = others.applyAsync<sleepOn>(condition, tally, 0);
    QTRY_COMPARE(tally.of(Waiting), 1);
    const auto second = others.applyAsync<sleepOn>(condition, tally, 1);
    QTRY_COMPARE(tally.of(Waiting), 2);
    {
        const ScopedLock held(condition);
        QCOMPARE(::kill(tally.sleeper(0), SIGSTOP), 0);
        QVERIFY(condition.notify());
    }
    QVERIFY(staysTrue([&] { return tally.of(Woken) == 0; })); // It is the stopped one's.
    QCOMPARE(::kill(tally.sleeper(0), SIGKILL), 0);
    QVERIFY(second.result(10s));
    QCOMPARE(tally.of(Woken), 1);
    QCOMPARE(codeOf(first.result(10s)), ErrorCode::WorkerDied);
    others.terminate();
}

void tst_Condition::deadSleeperCostsNothing()
{
    Pool others = pool(2);
    const auto condition = made(Condition::create());
    const Tally tally;
    const auto first = others.applyAsync<sleepOn>(condition, tally, 0);
    QTRY_COMPARE(tally.of(Waiting), 1);
    QCOMPARE(::kill(tally.sleeper(0), SIGKILL), 0);
    QCOMPARE(codeOf(first.result(10s)), ErrorCode::WorkerDied);
    const auto second = others.applyAsync<sleepOn>(condition, tally, 1);
    const auto third = others.applyAsync<sleepOn>(condition, tally, 2);
    QTRY_COMPARE(tally.of(Waiting), 3);
    {
        const ScopedLock held(condition);
        QVERIFY(condition.notify());
    }
    QTRY_COMPARE(tally.of(Woken), 1);
    QVERIFY(staysTrue([&] { return tally.of(Woken) == 1; }));
    {
        const ScopedLock held(condition);
        QVERIFY(condition.notify());
    }
    QVERIFY(second.result(10s));
    QVERIFY(third.result(10s));
    others.terminate();
}

/// A handle on its way is enough for the condition and for its lock.
void tst_Condition::lockTravelsAlong()
{
    const auto queue = made(Queue<Condition>::create());
    QVERIFY(queue.put(made(Condition::create())));
    const auto condition = queue.get(10s);
    QVERIFY(condition);
    QVERIFY(condition->acquire(0s));
    QVERIFY(condition->release());
}

/// The one that wakes up takes the lock from a dead owner, which the next acquire() tells.
void tst_Condition::deathOfTheWakerIsTold()
{
    const auto condition = made(Condition::create());
    const Tally tally;
    const auto killed = made(Process::create<dieWithLock>({}, condition, tally));
    QVERIFY(killed.start());
    QVERIFY(condition.acquire());
    tally.noteSleeper(0);
    tally.add(Waiting);
    QVERIFY(made(condition.wait(60s)));
    QVERIFY(condition.release());
    const auto acquired = made(condition.acquire());
    QVERIFY(acquired.isRecovered);
    QCOMPARE(acquired.deadPid, *killed.pid());
    QVERIFY(condition.release());
    QVERIFY(killed.join(60s));
}

void tst_Condition::nothingStays()
{
    QTRY_COMPARE(runtime::ObjectSpace::instance().usage().objects, 0U);
    QCOMPARE(Process::activeChildren().size(), 0U);
}

PROCLAB_WORKER_TEST_MAIN(tst_Condition)
#include "tst_condition.moc"
