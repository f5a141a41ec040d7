// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/pool/pool.h"
#include "core/sync/barrier.h"
#include "core/sync/event.h"
#include "tests/support/forked_child.h"
#include "tests/support/leak_check.h"
#include "tests/support/tally.h"
#include "tests/support/worker_test_main.h"

#include <QElapsedTimer>

#include <algorithm>
#include <csignal>
#include <stdexcept>

using namespace std::chrono_literals;
using namespace proclab;
using test::codeOf;
using test::made;
using test::staysTrue;
using test::Tally;
using test::Threads;

namespace {

enum Count { Arrived, Passed, Wrong, Acted };

// What other processes do.

bool waitForEvent(Event event, Tally tally, int number)
{
    tally.noteSleeper(static_cast<std::size_t>(number));
    const bool isSet = event.wait();
    tally.add(isSet ? Passed : Wrong);
    return isSet;
}

void setEvent(Event event)
{
    event.set();
}

/// The position, or ErrorCode below 0.
int waitAt(Barrier barrier, Tally tally, int number)
{
    tally.noteSleeper(static_cast<std::size_t>(number));
    const auto position = barrier.wait(60s, [&tally] { tally.add(Acted); });
    if (!position)
        return -1 - static_cast<int>(codeOf(position));
    tally.add(Passed);
    return *position;
}

constexpr int broken = -1 - static_cast<int>(ErrorCode::BrokenBarrier);

/// Rounds of which each begins when all have ended the one before, and none sooner.
void passRounds(Barrier barrier, Tally tally, int rounds)
{
    for (int round = 1; round <= rounds; ++round) {
        tally.add(Arrived);
        const auto position = barrier.wait(60s, [&] { tally.add(Acted); });
        const bool isRight =
            position && tally.of(Arrived) >= round * barrier.parties() && tally.of(Acted) == round;
        tally.add(isRight ? Passed : Wrong);
    }
}

} // namespace

/// Events and barriers, between threads of this process and other processes.
class tst_Meetings : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void eventIsSetUntilItIsCleared();
    void eventWakesAllWhoWait_data() { test::addStartMethods(); }
    void eventWakesAllWhoWait();
    void shortEventWakesAllWhoWait_data() { test::addStartMethods(); }
    void shortEventWakesAllWhoWait();
    void deadWaiterCostsAnEventNothing_data() { test::addStartMethods(); }
    void deadWaiterCostsAnEventNothing();
    void badNumbersOfParties();
    void nobodyPassesBeforeTheLast_data() { test::addStartMethods(); }
    void nobodyPassesBeforeTheLast();
    void roundsFollowEachOther_data() { test::addStartMethods(); }
    void roundsFollowEachOther();
    void onePartyPassesAtOnce();
    void positionsDiffer_data() { test::addStartMethods(); }
    void positionsDiffer();
    void abortBreaks_data() { test::addStartMethods(); }
    void abortBreaks();
    void resetSendsAwayAndStartsAnew_data() { test::addStartMethods(); }
    void resetSendsAwayAndStartsAnew();
    void timeoutBreaks();
    void actionThatThrowsBreaks();
    void whoActsLearnsThatTheRoundIsOver_data();
    void whoActsLearnsThatTheRoundIsOver();
    void oneTooManyWaitsForTheNextRound();
    void deadPartyBreaks_data() { test::addStartMethods(); }
    void deadPartyBreaks();
    void waitersNoticeADeadParty_data();
    void waitersNoticeADeadParty();
    void nothingStays();

private:
    [[nodiscard]] static Pool pool(int workers);
    static void checkThatAllPass(Pool &others, const Barrier &barrier);
};

Pool tst_Meetings::pool(int workers)
{
    QFETCH(const StartMethod, method);
    return made(Pool::open({.workers = workers, .startMethod = method}));
}

// LK-17
void tst_Meetings::eventIsSetUntilItIsCleared()
{
    const auto event = made(Event::create());
    QElapsedTimer timer;
    for (const int times : {1, 2}) {
        QVERIFY(!event.isSet());
        timer.start();
        QVERIFY(!event.wait(0s));
        QVERIFY(!event.wait(-1s));
        QVERIFY(timer.elapsed() < 500);
        timer.start();
        QVERIFY(!event.wait(300ms));
        QVERIFY(timer.elapsed() >= 200);
        QVERIFY(timer.elapsed() < 2'300);
        for (int i = 0; i < times; ++i)
            event.set();
        QVERIFY(event.isSet());
        timer.start();
        QVERIFY(event.wait());
        QVERIFY(event.wait(0s));
        QVERIFY(event.wait(60s));
        QVERIFY(timer.elapsed() < 500);
        event.clear();
    }
    QVERIFY(!event.isSet());
    event.clear();
    QVERIFY(!event.wait(0s));
}

// LK-18
void tst_Meetings::eventWakesAllWhoWait()
{
    Pool others = pool(4);
    const auto event = made(Event::create());
    for (int round = 0; round < 2; ++round) {
        const Tally tally;
        std::vector<AsyncResult<bool>> calls;
        for (int i = 0; i < 3; ++i)
            calls.push_back(others.applyAsync<waitForEvent>(event, tally, i));
        QVERIFY(tally.waitUntilAsleep(3));
        QVERIFY(staysTrue([&] { return tally.of(Passed) == 0; }));
        QVERIFY(others.apply<setEvent>(event));
        for (const auto &call : calls)
            QCOMPARE(*call.result(10s), true);
        event.clear();
    }
    others.terminate();
}

// LK-19
void tst_Meetings::shortEventWakesAllWhoWait()
{
    Pool others = pool(3);
    const auto event = made(Event::create());
    for (int round = 0; round < 5; ++round) {
        const Tally tally;
        Threads threads;
        for (int i = 0; i < 3; ++i)
            (void)others.applyAsync<waitForEvent>(event, tally, i);
        for (int i = 3; i < 5; ++i)
            threads.start([=] { waitForEvent(event, tally, i); });
        QVERIFY(tally.waitUntilAsleep(5));
        event.set();
        event.clear();
        QTRY_COMPARE(tally.of(Passed), 5);
        QVERIFY(!event.wait(0s));
    }
    others.terminate();
}

void tst_Meetings::deadWaiterCostsAnEventNothing()
{
    Pool others = pool(2);
    const auto event = made(Event::create());
    const Tally tally;
    const auto first = others.applyAsync<waitForEvent>(event, tally, 0);
    const auto second = others.applyAsync<waitForEvent>(event, tally, 1);
    QVERIFY(tally.waitUntilAsleep(2));
    QCOMPARE(::kill(tally.sleeper(0), SIGKILL), 0);
    QCOMPARE(codeOf(first.result(10s)), ErrorCode::WorkerDied);
    event.set();
    QCOMPARE(*second.result(10s), true);
    others.terminate();
}

// LK-10
void tst_Meetings::badNumbersOfParties()
{
    for (const int parties : {0, -1, 1'025})
        QCOMPARE(codeOf(Barrier::create(parties)), ErrorCode::InvalidArgument);
    QCOMPARE(made(Barrier::create(1)).parties(), 1);
    QCOMPARE(made(Barrier::create(1'024)).parties(), 1'024);
}

// LK-20
void tst_Meetings::nobodyPassesBeforeTheLast()
{
    Pool others = pool(3);
    const auto barrier = made(Barrier::create(5));
    const Tally tally;
    Threads threads;
    for (int i = 0; i < 3; ++i)
        (void)others.applyAsync<waitAt>(barrier, tally, i);
    threads.start([=] { waitAt(barrier, tally, 3); });
    QTRY_COMPARE(barrier.waiting(), 4);
    QVERIFY(staysTrue([&] { return tally.of(Passed) == 0; }));
    QCOMPARE(barrier.waiting(), 4);
    QVERIFY(waitAt(barrier, tally, 4) == 4);
    QTRY_COMPARE(tally.of(Passed), 5);
    QCOMPARE(tally.of(Acted), 1);
    QCOMPARE(barrier.waiting(), 0);
    QVERIFY(!barrier.isBroken());
    others.terminate();
}

// LK-20, LK-21
void tst_Meetings::roundsFollowEachOther()
{
    constexpr int rounds = 10;
    Pool others = pool(3);
    const auto barrier = made(Barrier::create(5));
    const Tally tally;
    Threads threads;
    for (int i = 0; i < 3; ++i)
        (void)others.applyAsync<passRounds>(barrier, tally, rounds);
    for (int i = 3; i < 5; ++i)
        threads.start([=] { passRounds(barrier, tally, rounds); });
    QTRY_COMPARE_WITH_TIMEOUT(tally.of(Passed) + tally.of(Wrong), 5 * rounds, 60'000);
    QCOMPARE(tally.of(Wrong), 0);
    QCOMPARE(tally.of(Acted), rounds);
    QCOMPARE(barrier.waiting(), 0);
    QVERIFY(!barrier.isBroken());
    others.terminate();
}

// LK-20
void tst_Meetings::onePartyPassesAtOnce()
{
    const auto barrier = made(Barrier::create(1));
    int acted = 0;
    for (int i = 1; i <= 2; ++i) {
        QCOMPARE(*barrier.wait(0s, [&acted] { ++acted; }), 0);
        QCOMPARE(acted, i);
    }
    QCOMPARE(*barrier.wait(), 0);
    QCOMPARE(barrier.waiting(), 0);
}

// LK-21, and the barrier works for five.
void tst_Meetings::checkThatAllPass(Pool &others, const Barrier &barrier)
{
    const Tally tally;
    std::vector<AsyncResult<int>> calls;
    for (int i = 0; i < 4; ++i)
        calls.push_back(others.applyAsync<waitAt>(barrier, tally, i));
    std::vector<int> positions = {waitAt(barrier, tally, 4)};
    for (const auto &call : calls)
        positions.push_back(*call.result(60s));
    std::sort(positions.begin(), positions.end());
    QCOMPARE(positions, (std::vector{0, 1, 2, 3, 4}));
    QCOMPARE(tally.of(Acted), 1);
    QVERIFY(!barrier.isBroken());
}

// LK-21
void tst_Meetings::positionsDiffer()
{
    Pool others = pool(4);
    const auto barrier = made(Barrier::create(5));
    checkThatAllPass(others, barrier);
    checkThatAllPass(others, barrier);
    others.terminate();
}

// LK-22, LK-23
void tst_Meetings::abortBreaks()
{
    Pool others = pool(4);
    const auto barrier = made(Barrier::create(5));
    const Tally tally;
    std::vector<AsyncResult<int>> calls;
    for (int i = 0; i < 4; ++i)
        calls.push_back(others.applyAsync<waitAt>(barrier, tally, i));
    QTRY_COMPARE(barrier.waiting(), 4);
    barrier.abort();
    QVERIFY(barrier.isBroken());
    for (const auto &call : calls)
        QCOMPARE(*call.result(10s), broken);
    QCOMPARE(tally.of(Passed), 0);
    QCOMPARE(tally.of(Acted), 0);
    QCOMPARE(waitAt(barrier, tally, 4), broken);
    QCOMPARE(*others.apply<waitAt>(barrier, tally, 0), broken);
    QVERIFY(barrier.isBroken());
    barrier.reset();
    checkThatAllPass(others, barrier);
    others.terminate();
}

// LK-23
void tst_Meetings::resetSendsAwayAndStartsAnew()
{
    Pool others = pool(4);
    const auto barrier = made(Barrier::create(5));
    const Tally tally;
    std::vector<AsyncResult<int>> calls;
    for (int i = 0; i < 4; ++i)
        calls.push_back(others.applyAsync<waitAt>(barrier, tally, i));
    QTRY_COMPARE(barrier.waiting(), 4);
    barrier.reset();
    QVERIFY(!barrier.isBroken());
    for (const auto &call : calls)
        QCOMPARE(*call.result(10s), broken);
    QCOMPARE(tally.of(Passed), 0);
    QCOMPARE(barrier.waiting(), 0);
    checkThatAllPass(others, barrier);
    others.terminate();
}

void tst_Meetings::timeoutBreaks()
{
    const auto barrier = made(Barrier::create(3));
    const Tally tally;
    Threads threads;
    int other = 0;
    threads.start([&] { other = waitAt(barrier, tally, 0); });
    QTRY_COMPARE(barrier.waiting(), 1);
    QElapsedTimer timer;
    timer.start();
    QCOMPARE(codeOf(barrier.wait(300ms)), ErrorCode::Timeout);
    QVERIFY(timer.elapsed() >= 200);
    QVERIFY(timer.elapsed() < 2'300);
    threads.join();
    QCOMPARE(other, broken);
    QVERIFY(barrier.isBroken());
    QCOMPARE(barrier.waiting(), 0);
}

void tst_Meetings::actionThatThrowsBreaks()
{
    const auto barrier = made(Barrier::create(2));
    const Tally tally;
    Threads threads;
    int other = 0;
    threads.start([&] { other = waitAt(barrier, tally, 0); });
    QTRY_COMPARE(barrier.waiting(), 1);
    const auto fail = [] { throw std::runtime_error("no"); };
    QCOMPARE(codeOf(barrier.wait(60s, fail)), ErrorCode::BrokenBarrier);
    threads.join();
    QCOMPARE(other, broken);
    QVERIFY(barrier.isBroken());
}

void tst_Meetings::whoActsLearnsThatTheRoundIsOver_data()
{
    QTest::addColumn<bool>("isReset");
    QTest::newRow("reset while the action runs") << true;
    QTest::newRow("abort while the action runs") << false;
}

void tst_Meetings::whoActsLearnsThatTheRoundIsOver()
{
    QFETCH(const bool, isReset);
    const auto barrier = made(Barrier::create(2));
    const Tally tally;
    Threads threads;
    int other = 0;
    threads.start([&] { other = waitAt(barrier, tally, 0); });
    QTRY_COMPARE(barrier.waiting(), 1);
    const auto action = [&] {
        if (isReset)
            barrier.reset();
        else
            barrier.abort();
    };
    QCOMPARE(codeOf(barrier.wait(60s, action)), ErrorCode::BrokenBarrier);
    threads.join();
    QCOMPARE(other, broken);
    QCOMPARE(barrier.isBroken(), !isReset);
    QCOMPARE(barrier.waiting(), 0);
}

void tst_Meetings::oneTooManyWaitsForTheNextRound()
{
    const auto barrier = made(Barrier::create(1));
    const Tally tally;
    const Event end = made(Event::create());
    Threads threads;
    int first = -1;
    int second = -1;
    threads.start([&] { first = *barrier.wait(60s, [&] { (void)end.wait(); }); });
    QTRY_COMPARE(barrier.waiting(), 1);
    threads.start([&] { second = waitAt(barrier, tally, 0); });
    QVERIFY(tally.waitUntilAsleep(1));
    QCOMPARE(codeOf(barrier.wait(0s)), ErrorCode::Timeout);
    QVERIFY(!barrier.isBroken());
    QCOMPARE(tally.of(Passed), 0);
    end.set();
    threads.join();
    QCOMPARE(first, 0);
    QCOMPARE(second, 0);
}

void tst_Meetings::deadPartyBreaks()
{
    Pool others = pool(2);
    const auto barrier = made(Barrier::create(3));
    const Tally tally;
    const auto first = others.applyAsync<waitAt>(barrier, tally, 0);
    const auto second = others.applyAsync<waitAt>(barrier, tally, 1);
    QTRY_COMPARE(barrier.waiting(), 2);
    QCOMPARE(::kill(tally.sleeper(0), SIGKILL), 0);
    QCOMPARE(*second.result(10s), broken);
    QCOMPARE(codeOf(first.result(10s)), ErrorCode::WorkerDied);
    QVERIFY(barrier.isBroken());
    barrier.reset();
    QVERIFY(!barrier.isBroken());
    others.terminate();
}

void tst_Meetings::waitersNoticeADeadParty_data()
{
    QTest::addColumn<bool>("isActing");
    QTest::newRow("it waits") << false;
    QTest::newRow("it acts, as the last one") << true;
}

/// A party that nobody else looks after: no engine started it, nobody reaps it.
void tst_Meetings::waitersNoticeADeadParty()
{
    QFETCH(const bool, isActing);
    const auto barrier = made(Barrier::create(isActing ? 3 : 4));
    const Tally tally;
    Threads threads;
    std::array<int, 2> others = {};
    for (int i = 0; i < 2; ++i) {
        threads.start([&, i] { others.at(std::size_t(i)) = waitAt(barrier, tally, i); });
        QTRY_COMPARE(barrier.waiting(), 1 + i);
    }
    const pid_t child = test::forkChild([&] {
        (void)barrier.wait(std::nullopt, [] { ::pause(); });
        return 0;
    });
    QTRY_COMPARE(barrier.waiting(), 3);
    QCOMPARE(::kill(child, SIGKILL), 0);
    threads.join();
    QCOMPARE(others, (std::array{broken, broken}));
    QVERIFY(barrier.isBroken());
    QVERIFY(WIFSIGNALED(test::waitForChild(child)));
}

void tst_Meetings::nothingStays()
{
    QTRY_COMPARE(runtime::ObjectSpace::instance().usage().objects, 0U);
    QCOMPARE(test::childPids().size(), 0);
}

PROCLAB_WORKER_TEST_MAIN(tst_Meetings)
#include "tst_meetings.moc"
