// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/ipc/queue.h"
#include "core/memory/array.h"
#include "core/pool/pool.h"
#include "core/process/process.h"
#include "core/sync/condition.h"
#include "core/sync/event.h"
#include "core/sync/semaphore.h"
#include "tests/support/tally.h"
#include "tests/support/worker_test_main.h"

#include <QElapsedTimer>
#include <QRandomGenerator>

#include <algorithm>
#include <functional>
#include <thread>

using namespace std::chrono_literals;
using namespace proclab;
using test::made;
using test::Tally;

namespace {

enum Count { Passed, Order };
constexpr int waits = 10;

// What other processes do. They wait for what this process takes and gives again and again without
// a pause: woken, they always come too late.

/// Until the other one surely has again what the next wait is for.
void pause()
{
    std::this_thread::sleep_for(5ms);
}

void passLock(Lock lock, Tally tally)
{
    tally.noteSleeper(0);
    for (int i = 0; i < waits; ++i, pause()) {
        const ScopedLock held(lock, 60s);
        tally.add(Passed);
    }
}

void passRLock(RLock lock, Tally tally)
{
    tally.noteSleeper(0);
    for (int i = 0; i < waits; ++i, pause()) {
        const ScopedLock held(lock, 60s);
        tally.add(Passed);
    }
}

void passSemaphore(Semaphore semaphore, Tally tally)
{
    tally.noteSleeper(0);
    for (int i = 0; i < waits; ++i, pause()) {
        const ScopedLock held(semaphore, 60s);
        tally.add(Passed);
    }
}

void putSome(Queue<int> queue, Tally tally)
{
    tally.noteSleeper(0);
    for (int i = 0; i < waits; ++i, pause())
        tally.add(queue.put(1, 60s) ? Passed : Order);
}

void getSome(Queue<int> queue, Tally tally)
{
    tally.noteSleeper(0);
    for (int i = 0; i < waits; ++i, pause())
        tally.add(queue.get(60s) ? Passed : Order);
}

void takeLock(Lock lock, Event ready)
{
    ready.set();
    for (;;)
        const ScopedLock held(lock);
}

void takeUnits(Semaphore semaphore, Event ready)
{
    ready.set();
    for (;;)
        const ScopedLock unit(semaphore);
}

void putItems(Queue<int> queue, Event ready)
{
    ready.set();
    for (;;)
        (void)queue.put(1);
}

void sleepInTurn(Condition condition, Tally tally, Array<int> order, int number)
{
    const ScopedLock held(condition);
    tally.noteSleeper(static_cast<std::size_t>(number));
    if (condition.wait(60s))
        order.storage()[static_cast<std::size_t>(tally.add(Order))] = number;
}

/// Each process puts its number again and again.
void putNumbers(Queue<int> queue, Event end, int number)
{
    while (!end.isSet())
        (void)queue.put(number, 100ms);
}

} // namespace

/// That nobody who waits is passed over for long; NewcomerGate says why.
class tst_Fairness : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void waiterPassesInTheEnd_data();
    void waiterPassesInTheEnd();
    void producersGetEqualShares();
    void conditionWakesInOrder();
    void killedWaitersHoldNobodyUp_data();
    void killedWaitersHoldNobodyUp();

private:
    static Process started(Result<Process> process);
};

Process tst_Fairness::started(Result<Process> process)
{
    Process waiter = made(std::move(process));
    if (const auto isStarted = waiter.start(); !isStarted)
        qFatal("%s", qPrintable(errorText(isStarted.error())));
    return waiter;
}

void tst_Fairness::waiterPassesInTheEnd_data()
{
    QTest::addColumn<int>("kind");
    const char *const names[] = {"lock", "recursive lock", "semaphore", "room", "item"};
    for (int kind = 0; kind < int{std::size(names)}; ++kind)
        QTest::newRow(names[kind]) << kind;
}

// LK-24, Q-13
void tst_Fairness::waiterPassesInTheEnd()
{
    QFETCH(const int, kind);
    const Tally tally;
    const auto lock = made(Lock::create());
    const auto recursive = made(RLock::create());
    const auto semaphore = made(Semaphore::create());
    const auto room = made(Queue<int>::create(1));
    const auto item = made(Queue<int>::create(1));
    QVERIFY(lock.acquire() && recursive.acquire() && semaphore.acquire() && room.put(0));
    Result<Process> waiters[] = {Process::create<passLock>({}, lock, tally),
                                 Process::create<passRLock>({}, recursive, tally),
                                 Process::create<passSemaphore>({}, semaphore, tally),
                                 Process::create<putSome>({}, room, tally),
                                 Process::create<getSome>({}, item, tally)};
    // Each lets the waiter pass for a moment, and passes itself if it can: false, if it has to
    // stand back.
    const std::function<bool()> passes[] = {
        [&] { return lock.release() && lock.acquire(10s); },
        [&] { return recursive.release() && recursive.acquire(10s); },
        [&] { return semaphore.release() && semaphore.acquire(10s); },
        [&] { return room.get() && room.put(0, 20ms); },
        [&] { return item.put(0) && item.get(20ms); },
    };
    const Process waiter = started(std::move(waiters[kind]));
    QVERIFY(tally.waitUntilAsleep(1));
    int passed = 0;
    // As many as fit into 10 ms, the 0.1 s after which a waiter looks at the latest, and what it
    // may take to get a core on a busy machine: without the bound it is passed over for ever.
    constexpr int most = waits * 200;
    while (tally.of(Passed) < waits && passed <= most) {
        passed += passes[kind]() ? 1 : 0;
        std::this_thread::sleep_for(2ms);
    }
    qInfo("passed over %d times", passed);
    QVERIFY(passed <= most);
    QVERIFY(waiter.join(60s));
    QVERIFY(made(waiter.exitCode()) == 0);
}

//
void tst_Fairness::producersGetEqualShares()
{
    constexpr int processes = 4;
    constexpr int items = 1'000;
    Pool pool = made(Pool::open({.workers = processes}));
    const auto queue = made(Queue<int>::create(2));
    const auto end = made(Event::create());
    std::vector<AsyncResult<std::monostate>> calls;
    for (int number = 0; number < processes; ++number)
        calls.push_back(pool.applyAsync<putNumbers>(queue, end, number));
    std::array<int, processes> shares = {};
    const auto get = [&] { return static_cast<std::size_t>(*queue.get(60s)); };
    for (int seen = 0; seen < processes;
         seen = static_cast<int>(processes) - static_cast<int>(std::ranges::count(shares, 0)))
        ++shares[get()]; // Until all have begun.
    shares = {};
    for (int i = 0; i < items; ++i) {
        ++shares[get()];
        std::this_thread::sleep_for(1ms);
    }
    end.set();
    for (const auto &call : calls)
        QVERIFY(call.result(60s));
    qInfo("%d %d %d %d", shares[0], shares[1], shares[2], shares[3]);
    QVERIFY(std::ranges::max(shares) <= 4 * std::ranges::min(shares));
    pool.terminate();
}

// LK-25
void tst_Fairness::conditionWakesInOrder()
{
    constexpr int processes = 4;
    const Tally tally;
    const auto condition = made(Condition::create());
    const auto order = made(Array<int>::create(processes));
    std::vector<Process> sleepers;
    for (int number = 0; number < processes; ++number) {
        sleepers.push_back(
            started(Process::create<sleepInTurn>({}, condition, tally, order, number)));
        QVERIFY(tally.waitUntilAsleep(static_cast<std::size_t>(number) + 1));
        QVERIFY(condition.acquire()); // It sleeps on the condition, not on its lock.
        QVERIFY(condition.release());
    }
    for (int woken = 0; woken < processes; ++woken) {
        QVERIFY(condition.acquire());
        QVERIFY(condition.notify());
        QVERIFY(condition.release());
        QTRY_COMPARE_WITH_TIMEOUT(tally.of(Order), woken + 1, 30'000);
    }
    QCOMPARE(order.all(), (std::vector{0, 1, 2, 3}));
    for (const Process &sleeper : sleepers)
        QVERIFY(sleeper.join(60s));
}

void tst_Fairness::killedWaitersHoldNobodyUp_data()
{
    QTest::addColumn<int>("kind");
    const char *const names[] = {"lock", "semaphore", "room"};
    for (int kind = 0; kind < int{std::size(names)}; ++kind)
        QTest::newRow(names[kind]) << kind;
}

/// Killed at any time, the waiter may also be one that all others have to let pass.
void tst_Fairness::killedWaitersHoldNobodyUp()
{
    QFETCH(const int, kind);
    const quint32 seed = QRandomGenerator::global()->generate();
    qInfo("seed %u", seed);
    QRandomGenerator random(seed);
    for (int round = 0; round < 10; ++round) {
        const auto lock = made(Lock::create());
        const auto semaphore = made(Semaphore::create());
        const auto room = made(Queue<int>::create(1));
        const auto ready = made(Event::create());
        Result<Process> waiters[] = {Process::create<takeLock>({}, lock, ready),
                                     Process::create<takeUnits>({}, semaphore, ready),
                                     Process::create<putItems>({}, room, ready)};
        const std::function<bool()> passes[] = {
            [&] { return lock.acquire(10s) && lock.release(); },
            [&] { return semaphore.acquire(10s) && semaphore.release(); },
            [&] { return !room.put(0, 1ms) || room.get(10s); },
        };
        const auto pass = passes[kind];
        const Process waiter = started(std::move(waiters[kind]));
        QVERIFY(ready.wait(60s));
        const std::int64_t end = runtime::nowNs() + random.bounded(60'000'000);
        while (runtime::nowNs() < end) {
            if (room.size() > 0) // The waiter's item: nobody else would take it.
                (void)room.get(0s);
            else
                QVERIFY(pass());
        }
        QVERIFY(waiter.kill());
        QVERIFY(waiter.join(60s));
        if (semaphore.value() == 0)
            QVERIFY(semaphore.release()); // The dead one had the unit.
        (void)room.get(0s);
        QElapsedTimer timer;
        timer.start();
        QVERIFY(pass());
        QVERIFY(kind != 2 || (room.put(0, 10s) && room.get(10s)));
        QVERIFY(timer.elapsed() < 5'000);
    }
}

PROCLAB_WORKER_TEST_MAIN(tst_Fairness)
#include "tst_fairness.moc"
