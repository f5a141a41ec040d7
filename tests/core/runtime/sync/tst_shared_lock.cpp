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

private:
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

QTEST_GUILESS_MAIN(tst_SharedLock)
#include "tst_shared_lock.moc"
