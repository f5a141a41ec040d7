// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/memory/array.h"
#include "core/pool/pool.h"
#include "core/sync/event.h"
#include "core/sync/lock.h"
#include "core/sync/semaphore.h"
#include "tests/support/leak_check.h"
#include "tests/support/results.h"
#include "tests/support/worker_test_main.h"

#include <QElapsedTimer>

#include <csignal>
#include <thread>

#include <unistd.h>

using namespace std::chrono_literals;
using namespace proclab;
using test::codeOf;
using test::made;

namespace {

// What other processes do.

bool isLocked(Lock lock)
{
    return lock.isLocked();
}

bool tryAcquire(Lock lock)
{
    return lock.tryAcquire();
}

bool releaseHere(Lock lock)
{
    return lock.release().has_value();
}

enum Count { Arrived, Inside, MostInside, Passed, Counts };

/// Takes the lock, and counts who is inside.
void passThrough(Lock lock, Array<int> counts)
{
    std::atomic_ref(counts.storage()[Arrived]).fetch_add(1);
    const ScopedLock<Lock> held(lock);
    const std::span<int> count = counts.storage(); // Of who holds the lock.
    count[MostInside] = std::max(count[MostInside], ++count[Inside]);
    --count[Inside];
    ++count[Passed];
}

bool tryAcquireRLock(RLock lock)
{
    return lock.tryAcquire();
}

void dieHolding(Lock lock)
{
    (void)lock.acquire();
    ::kill(::getpid(), SIGKILL);
}

void dieHoldingRLock(RLock lock)
{
    (void)lock.acquire();
    (void)lock.acquire();
    ::kill(::getpid(), SIGKILL);
}

void keepLock(Lock lock)
{
    static const Lock kept = lock;
}

void waitFor(Event event)
{
    (void)event.wait(60s);
}

void addUnderLock(Lock lock, Value<int> plain, int times)
{
    for (int i = 0; i < times; ++i) {
        const ScopedLock<Lock> held(lock);
        ++*plain.storage();
    }
}

} // namespace

/// Locks and semaphores, between this process and the workers of a pool.
class tst_Locks : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void lockIsTakenOnce();
    void timedAcquireGivesUp();
    void otherProcessSeesAndReleases_data() { test::addStartMethods(); }
    void otherProcessSeesAndReleases();
    void waitersPassOneByOne_data() { test::addStartMethods(); }
    void waitersPassOneByOne();
    void scopeReleases();
    void recursiveLockCountsItsOwner_data() { test::addStartMethods(); }
    void recursiveLockCountsItsOwner();
    void semaphoreCounts();
    void boundedSemaphoreRefusesTooMany();
    void semaphoreGivesUp();
    void badStartValues();
    void nextOwnerLearnsOfADeadOne_data() { test::addStartMethods(); }
    void nextOwnerLearnsOfADeadOne();
    void lockExcludes_data() { test::addStartMethods(); }
    void callHoldsItsArguments_data() { test::addStartMethods(); }
    void callHoldsItsArguments();
    void lockExcludes();
    void nothingStays();

private:
    [[nodiscard]] static Pool pool(int workers);
};

Pool tst_Locks::pool(int workers)
{
    QFETCH(const StartMethod, method);
    return made(Pool::open({.workers = workers, .startMethod = method}));
}

// LK-01
void tst_Locks::lockIsTakenOnce()
{
    const auto lock = made(Lock::create());
    QVERIFY(!lock.isLocked());
    QVERIFY(lock.acquire());
    QVERIFY(lock.isLocked());
    QCOMPARE(lock.ownerPid(), ::getpid());
    QVERIFY(!lock.tryAcquire());
    QVERIFY(lock.release());
    QVERIFY(lock.tryAcquire());
    QVERIFY(lock.release());
    QCOMPARE(codeOf(lock.release()), ErrorCode::InvalidState);
    QCOMPARE(lock.ownerPid(), 0);
}

// LK-02
void tst_Locks::timedAcquireGivesUp()
{
    const auto lock = made(Lock::create());
    QVERIFY(lock.acquire());
    ErrorCode code = {};
    QElapsedTimer timer;
    timer.start();
    std::thread([&] { code = codeOf(lock.acquire(300ms)); }).join();
    QCOMPARE(code, ErrorCode::Timeout);
    QVERIFY(timer.elapsed() >= 200);
    QVERIFY(timer.elapsed() < 2'300);
    QVERIFY(lock.release());
    timer.start();
    QVERIFY(lock.acquire(5s));
    QVERIFY(timer.elapsed() < 500);
    QVERIFY(lock.release());
    QVERIFY(lock.tryAcquire());
    QCOMPARE(codeOf(lock.acquire(-1s)), ErrorCode::Timeout);
    QVERIFY(lock.release());
}

// LK-03
void tst_Locks::otherProcessSeesAndReleases()
{
    Pool others = pool(1);
    const auto lock = made(Lock::create());
    QVERIFY(lock.acquire());
    QCOMPARE(*others.apply<isLocked>(lock), true);
    QCOMPARE(*others.apply<tryAcquire>(lock), false);
    QCOMPARE(*others.apply<releaseHere>(lock), true);
    QVERIFY(!lock.isLocked());
    QCOMPARE(*others.apply<tryAcquire>(lock), true);
    QVERIFY(lock.isLocked());
    QCOMPARE(lock.ownerPid(), others.workerPids().front());
    QVERIFY(lock.release());
    others.terminate();
}

// LK-04
void tst_Locks::waitersPassOneByOne()
{
    Pool others = pool(5);
    const auto lock = made(Lock::create());
    const auto counts = made(Array<int>::create(Counts));
    QVERIFY(lock.acquire());
    std::vector<AsyncResult<std::monostate>> calls;
    for (int i = 0; i < 5; ++i)
        calls.push_back(others.applyAsync<passThrough>(lock, counts));
    QTRY_COMPARE(*counts.get(Arrived), 5);
    QCOMPARE(codeOf(calls[0].result(200ms)), ErrorCode::Timeout);
    QCOMPARE(counts.all(), (std::vector{5, 0, 0, 0}));
    QVERIFY(lock.release());
    for (const auto &call : calls)
        QVERIFY(call.result(60s));
    QCOMPARE(counts.all(), (std::vector{5, 0, 1, 5}));
    others.terminate();
}

// LK-05
void tst_Locks::scopeReleases()
{
    const auto lock = made(Lock::create());
    const auto semaphore = made(Semaphore::create(1));
    {
        const ScopedLock held(lock);
        const ScopedLock unit(semaphore);
        QVERIFY(held && unit);
        QVERIFY(lock.isLocked());
        QCOMPARE(semaphore.value(), 0);
    }
    QVERIFY(!lock.isLocked());
    QCOMPARE(semaphore.value(), 1);
    bool isCaught = false;
    try {
        const ScopedLock held(lock);
        const ScopedLock unit(semaphore);
        throw std::runtime_error("in the body");
    } catch (const std::runtime_error &) {
        isCaught = true;
    }
    QVERIFY(isCaught);
    QVERIFY(!lock.isLocked());
    QCOMPARE(semaphore.value(), 1);
}

// LK-06
void tst_Locks::recursiveLockCountsItsOwner()
{
    Pool others = pool(1);
    const auto lock = made(RLock::create());
    for (int i = 0; i < 3; ++i)
        QVERIFY(lock.acquire());
    bool isThreads = true;
    std::thread([&] { isThreads = lock.tryAcquire(); }).join();
    QVERIFY(!isThreads);
    for (int i = 0; i < 3; ++i) {
        QCOMPARE(*others.apply<tryAcquireRLock>(lock), false);
        QVERIFY(lock.release());
    }
    QCOMPARE(codeOf(lock.release()), ErrorCode::NotOwner);
    QCOMPARE(*others.apply<tryAcquireRLock>(lock), true);
    QCOMPARE(codeOf(lock.release()), ErrorCode::NotOwner);
    others.terminate();
}

// LK-07
void tst_Locks::semaphoreCounts()
{
    const auto semaphore = made(Semaphore::create(2));
    QCOMPARE(semaphore.value(), 2);
    QVERIFY(semaphore.acquire());
    QCOMPARE(semaphore.value(), 1);
    QVERIFY(semaphore.acquire());
    QCOMPARE(semaphore.value(), 0);
    QVERIFY(!semaphore.tryAcquire());
    for (int value = 1; value <= 4; ++value) {
        QVERIFY(semaphore.release());
        QCOMPARE(semaphore.value(), value);
    }
}

// LK-08
void tst_Locks::boundedSemaphoreRefusesTooMany()
{
    const auto semaphore = made(BoundedSemaphore::create(2));
    QVERIFY(semaphore.acquire());
    QVERIFY(semaphore.release());
    QCOMPARE(codeOf(semaphore.release()), ErrorCode::InvalidState);
    QCOMPARE(semaphore.value(), 2);
    const auto empty = made(BoundedSemaphore::create(0));
    QCOMPARE(codeOf(empty.release()), ErrorCode::InvalidState);
    QCOMPARE(empty.value(), 0);
}

// LK-09
void tst_Locks::semaphoreGivesUp()
{
    const auto semaphore = made(Semaphore::create(0));
    QElapsedTimer timer;
    timer.start();
    QVERIFY(!semaphore.tryAcquire());
    QCOMPARE(codeOf(semaphore.acquire(0s)), ErrorCode::Timeout);
    QVERIFY(timer.elapsed() < 500);
    timer.start();
    QCOMPARE(codeOf(semaphore.acquire(300ms)), ErrorCode::Timeout);
    QVERIFY(timer.elapsed() >= 200);
    QVERIFY(timer.elapsed() < 2'300);
}

// LK-10 (the barrier's part: tst_meetings)
void tst_Locks::badStartValues()
{
    QCOMPARE(codeOf(Semaphore::create(-1)), ErrorCode::InvalidArgument);
    QCOMPARE(codeOf(BoundedSemaphore::create(-1)), ErrorCode::InvalidArgument);
    QCOMPARE(made(Semaphore::create()).value(), 1);
    QCOMPARE(made(BoundedSemaphore::create()).value(), 1);
}

void tst_Locks::nextOwnerLearnsOfADeadOne()
{
    Pool others = pool(1);
    const auto lock = made(Lock::create());
    const auto recursive = made(RLock::create());
    const qint64 pid = others.workerPids().front();
    QCOMPARE(codeOf(others.apply<dieHolding>(lock)), ErrorCode::WorkerDied);
    const auto acquired = lock.acquire(10s);
    QVERIFY(acquired);
    QVERIFY(acquired->isRecovered);
    QCOMPARE(acquired->deadPid, pid);
    QVERIFY(acquired->diedNs > 0);
    QVERIFY(lock.release());
    QVERIFY(!lock.acquire()->isRecovered); // Only the next one is told.
    QVERIFY(lock.release());
    QCOMPARE(codeOf(others.apply<dieHolding>(lock)), ErrorCode::WorkerDied);
    QTRY_VERIFY(!lock.isLocked());
    QVERIFY(lock.tryAcquire());
    QVERIFY(lock.release());
    QVERIFY(lock.tryAcquire());

    QCOMPARE(codeOf(others.apply<dieHoldingRLock>(recursive)), ErrorCode::WorkerDied);
    const auto again = recursive.acquire(10s);
    QVERIFY(again);
    QVERIFY(again->isRecovered);
    QVERIFY(recursive.release());
    QVERIFY(!recursive.isLocked());
    others.terminate();
}

void tst_Locks::lockExcludes()
{
    constexpr int times = 5'000;
    Pool others = pool(4);
    const auto lock = made(Lock::create());
    const auto count = made(Value<int>::create(0, Locking::None));
    std::vector<AsyncResult<std::monostate>> calls;
    for (int i = 0; i < 4; ++i)
        calls.push_back(others.applyAsync<addUnderLock>(lock, count, times));
    addUnderLock(lock, count, times);
    for (const auto &call : calls)
        QVERIFY(call.result(60s));
    QCOMPARE(count.get(), 5 * times);
    others.terminate();
}

void tst_Locks::callHoldsItsArguments()
{
    QFETCH(const StartMethod, method);
    Pool others = made(
        Pool::openWith<&keepLock>({.workers = 1, .startMethod = method}, made(Lock::create())));
    const auto event = made(Event::create());
    const auto waiting = others.applyAsync<&waitFor>(event);
    const auto call = others.applyAsync<&tryAcquire>(made(Lock::create()));
    auto all = others.imap<&tryAcquire>(std::vector{made(Lock::create()), made(Lock::create())});
    event.set();
    QVERIFY(waiting.result(60s));
    QCOMPARE(*call.result(60s), true);
    for (int i = 0; i < 2; ++i)
        QCOMPARE(*all.next(60s), true);
    QCOMPARE(*others.map<&tryAcquire>(std::vector{made(Lock::create())}), std::vector{true});
    others.terminate();
}

void tst_Locks::nothingStays()
{
    QTRY_COMPARE(runtime::ObjectSpace::instance().usage().objects, 0U);
    QCOMPARE(test::childPids().size(), 0);
}

PROCLAB_WORKER_TEST_MAIN(tst_Locks)
#include "tst_locks.moc"
