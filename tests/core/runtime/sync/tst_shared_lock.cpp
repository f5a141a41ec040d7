// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/memory/segment.h"
#include "core/runtime/sync/shared_lock.h"

#include "tests/support/forked_child.h"

#include <QTest>

#include <atomic>
#include <thread>
#include <vector>

using namespace proclab::runtime;
using proclab::test::forkChild;
using proclab::test::waitForChild;

namespace {

using Outcome = SharedLock::Outcome;

/// What the processes of a test share, zero at first.
struct Shared
{
    SharedLock lock;
    alignas(64) std::atomic<int> waiters;
    std::atomic<int> inside;
    std::atomic<int> wrong; ///< How often two were inside, or owner() named another.
    std::int64_t plain;     ///< Counted without an atomic: the lock alone guards it.
};

bool goOn()
{
    return true;
}

/// Takes the lock @p rounds times as @p slot and counts.
void count(Shared &shared, std::uint32_t slot, int rounds)
{
    for (int i = 0; i < rounds; ++i) {
        shared.lock.lock(slot, goOn);
        shared.wrong += shared.inside.fetch_add(1) == 0 ? 0 : 1;
        ++shared.plain;
        shared.wrong += shared.lock.owner() == static_cast<int>(slot) ? 0 : 1;
        --shared.inside;
        shared.lock.unlock();
    }
}

} // namespace

class tst_SharedLock : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void ownerIsTheSlotThatHoldsIt();
    void onlyOneThreadIsInside_data();
    void onlyOneThreadIsInside();
    void onlyOneProcessIsInside();
    void waiterGivesUp();
    void waiterIsWoken();
    void recoveryMarksTheNextOwner();
    void recoveryOfAnotherSlotDoesNothing();
    void killedOwnerIsRecovered();
    void oneOfManyWaitersLearnsOfTheDeath();
    void nobodyIsPassedOverForLong();
    void deadWaiterHoldsNobodyUp();
    void stoppedWaiterHoldsNobodyUpForLong();

private:
    /// A child that waits for the lock as slot 2 and gets @p signal once it is its turn.
    [[nodiscard]] pid_t waitUntilItsTurn(int signal) const;
    [[nodiscard]] Shared &shared() const { return *m_segment.at<Shared>(0); }

    Segment m_segment;
};

void tst_SharedLock::init()
{
    m_segment = Segment::create("tst_shared_lock", sizeof(Shared));
    QVERIFY(m_segment.isValid());
}

void tst_SharedLock::ownerIsTheSlotThatHoldsIt()
{
    SharedLock &lock = shared().lock;
    QCOMPARE(lock.owner(), -1);
    QVERIFY(lock.tryLock(0));
    QCOMPARE(lock.owner(), 0);
    QVERIFY(!lock.tryLock(0));
    QVERIFY(!lock.tryLock(319));
    lock.unlock();
    QCOMPARE(lock.owner(), -1);
    QCOMPARE(lock.lock(319, goOn), Outcome::Acquired);
    QCOMPARE(lock.owner(), 319);
    lock.unlock();
    QCOMPARE(lock.owner(), -1);
}

void tst_SharedLock::onlyOneThreadIsInside_data()
{
    QTest::addColumn<int>("threads");
    for (const int threads : {2, 4, 9})
        QTest::addRow("%d threads", threads) << threads;
}

void tst_SharedLock::onlyOneThreadIsInside()
{
    QFETCH(const int, threads);
    constexpr int rounds = 5'000;
    std::vector<std::thread> all;
    for (int i = 0; i < threads; ++i)
        all.emplace_back(
            [this, slot = static_cast<std::uint32_t>(i)] { count(shared(), slot, rounds); });
    for (std::thread &thread : all)
        thread.join();
    QCOMPARE(shared().wrong.load(), 0);
    QCOMPARE(shared().plain, std::int64_t{threads} * rounds);
    QCOMPARE(shared().lock.owner(), -1);
}

void tst_SharedLock::onlyOneProcessIsInside()
{
    constexpr int rounds = 5'000;
    std::vector<pid_t> pids;
    for (std::uint32_t slot = 0; slot < 4; ++slot) {
        pids.push_back(forkChild([this, slot] {
            count(shared(), slot, rounds);
            return 0;
        }));
    }
    for (const pid_t pid : pids)
        QCOMPARE(waitForChild(pid), 0);
    QCOMPARE(shared().wrong.load(), 0);
    QCOMPARE(shared().plain, std::int64_t{4} * rounds);
}

void tst_SharedLock::waiterGivesUp()
{
    SharedLock &lock = shared().lock;
    QVERIFY(lock.tryLock(1));
    int asked = 0;
    const auto outcome = lock.lock(2, [&asked] { return ++asked < 3; });
    QCOMPARE(outcome, Outcome::GivenUp);
    QCOMPARE(asked, 3);
    QCOMPARE(lock.owner(), 1);
    lock.unlock();
    QCOMPARE(lock.lock(2, goOn), Outcome::Acquired);
}

void tst_SharedLock::waiterIsWoken()
{
    QVERIFY(shared().lock.tryLock(1));
    Outcome outcome = Outcome::GivenUp;
    std::thread waiter([&] {
        outcome = shared().lock.lock(2, [this] {
            shared().waiters = 1; // It is about to sleep.
            return true;
        });
    });
    while (shared().waiters.load() == 0)
        std::this_thread::yield();
    shared().lock.unlock();
    waiter.join();
    QCOMPARE(outcome, Outcome::Acquired);
    QCOMPARE(shared().lock.owner(), 2);
}

void tst_SharedLock::recoveryMarksTheNextOwner()
{
    SharedLock &lock = shared().lock;
    QVERIFY(lock.tryLock(7));
    QVERIFY(lock.recover(7));
    QCOMPARE(lock.owner(), -1);
    QVERIFY(!lock.recover(7));
    QCOMPARE(lock.lock(3, goOn), Outcome::Recovered);
    QCOMPARE(lock.owner(), 3);
    lock.unlock();
    QCOMPARE(lock.lock(4, goOn), Outcome::Acquired); // Told once.
}

void tst_SharedLock::recoveryOfAnotherSlotDoesNothing()
{
    SharedLock &lock = shared().lock;
    QVERIFY(lock.tryLock(7));
    QVERIFY(!lock.recover(6));
    QCOMPARE(lock.owner(), 7);
    lock.unlock();
    QVERIFY(!lock.recover(7));
    QCOMPARE(lock.lock(3, goOn), Outcome::Acquired);
}

void tst_SharedLock::killedOwnerIsRecovered()
{
    const pid_t owner = forkChild([this]() -> int {
        shared().lock.lock(5, goOn);
        for (;;)
            ::pause();
    });
    QTRY_COMPARE_WITH_TIMEOUT(shared().lock.owner(), 5, 30'000);
    const pid_t next = forkChild([this] {
        return static_cast<int>(shared().lock.lock(6, [this] {
            shared().waiters = 1;
            return true;
        }));
    });
    QTRY_COMPARE_WITH_TIMEOUT(shared().waiters.load(), 1, 30'000);
    ::kill(owner, SIGKILL);
    QVERIFY(WIFSIGNALED(waitForChild(owner)));
    QCOMPARE(shared().lock.owner(), 5); // Nobody else can know yet.
    QVERIFY(shared().lock.recover(5));
    const int status = waitForChild(next);
    QVERIFY(WIFEXITED(status));
    QCOMPARE(WEXITSTATUS(status), static_cast<int>(Outcome::Recovered));
    QCOMPARE(shared().lock.owner(), 6);
}

void tst_SharedLock::oneOfManyWaitersLearnsOfTheDeath()
{
    QVERIFY(shared().lock.tryLock(0));
    std::atomic<int> recovered{0};
    std::atomic<int> acquired{0};
    std::vector<std::thread> waiters;
    for (std::uint32_t slot = 1; slot <= 5; ++slot) {
        waiters.emplace_back([&, slot] {
            bool counted = false;
            const Outcome outcome = shared().lock.lock(slot, [&] {
                shared().waiters += counted ? 0 : 1;
                counted = true;
                return true;
            });
            recovered += outcome == Outcome::Recovered ? 1 : 0;
            acquired += outcome == Outcome::Acquired ? 1 : 0;
            shared().lock.unlock();
        });
    }
    while (shared().waiters.load() < 5)
        std::this_thread::yield();
    QVERIFY(shared().lock.recover(0));
    for (std::thread &waiter : waiters)
        waiter.join();
    QCOMPARE(recovered.load(), 1);
    QCOMPARE(acquired.load(), 4);
}

void tst_SharedLock::nobodyIsPassedOverForLong()
{
    SharedLock &lock = shared().lock;
    QVERIFY(lock.tryLock(1));
    const pid_t waiter = forkChild([this] {
        const auto noteSleep = [this] {
            shared().waiters = 1;
            return true;
        };
        return static_cast<int>(shared().lock.lock(2, noteSleep));
    });
    QTRY_COMPARE_WITH_TIMEOUT(shared().waiters.load(), 1, 30'000);
    int passed = 0;
    while (lock.tryLock(3) || lock.owner() == 1) {
        lock.unlock();
        (void)lock.tryLock(1);
        QVERIFY(++passed < 2'000);
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    const int status = waitForChild(waiter);
    QVERIFY(WIFEXITED(status));
    QCOMPARE(WEXITSTATUS(status), static_cast<int>(Outcome::Acquired));
    QCOMPARE(lock.owner(), 2);
}

pid_t tst_SharedLock::waitUntilItsTurn(int signal) const
{
    return forkChild([this, signal]() -> int {
        // Asked before each sleep, when the waiter has said that it was passed over.
        int asked = 0;
        shared().lock.lock(2, [this, signal, &asked] {
            shared().waiters = 1;
            if (++asked > 1 && nowNs() > shared().plain)
                ::kill(::getpid(), signal);
            return true;
        });
        return 0;
    });
}

void tst_SharedLock::deadWaiterHoldsNobodyUp()
{
    SharedLock &lock = shared().lock;
    QVERIFY(lock.tryLock(1));
    shared().plain = nowNs() + 2 * NewcomerGate::patienceNs;
    const pid_t waiter = waitUntilItsTurn(SIGKILL);
    QVERIFY(WIFSIGNALED(waitForChild(waiter)));
    lock.unlock();
    QVERIFY(!lock.recover(2)); // It had not held the lock.
    QCOMPARE(lock.owner(), -1);
    QVERIFY(lock.tryLock(1));
}

void tst_SharedLock::stoppedWaiterHoldsNobodyUpForLong()
{
    SharedLock &lock = shared().lock;
    QVERIFY(lock.tryLock(1));
    shared().plain = nowNs() + 2 * NewcomerGate::patienceNs;
    const pid_t waiter = waitUntilItsTurn(SIGSTOP);
    int status = 0;
    QCOMPARE(::waitpid(waiter, &status, WUNTRACED), waiter);
    QVERIFY(WIFSTOPPED(status));
    lock.unlock();
    const std::int64_t begin = nowNs();
    QCOMPARE(lock.lock(1, goOn, begin + 30'000'000'000), Outcome::Acquired);
    QVERIFY(nowNs() - begin < 5'000'000'000);
    lock.unlock();
    ::kill(waiter, SIGKILL); // Continued, it might end before.
    QVERIFY(WIFSIGNALED(waitForChild(waiter)));
}

QTEST_GUILESS_MAIN(tst_SharedLock)
#include "tst_shared_lock.moc"
