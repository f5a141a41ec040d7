// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/sync/idle_workers.h"

#include <QDeadlineTimer>
#include <QTest>

#include <array>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

using namespace proclab::runtime;

namespace {

constexpr std::int64_t longNs = 100'000'000'000; // A lost wake-up ends in the test's time limit.

/// Threads in the place of worker processes, on one mapping: what a thread sanitizer can see.
struct Crew
{
    explicit Crew(std::uint32_t mostSearching) { idle.setUp(mostSearching); }
    Crew(const Crew &) = delete;
    Crew &operator=(const Crew &) = delete;
    auto parkOf()
    {
        return [this](std::uint32_t slot) -> FutexWord & { return parks[slot]; };
    }
    ~Crew()
    {
        closing.store(1);
        idle.wakeAll(parkOf());
        for (std::thread &thread : threads)
            thread.join();
    }

    bool take()
    {
        std::uint64_t waiting = queue.load();
        while (waiting > 0 && !queue.compare_exchange_weak(waiting, waiting - 1)) {
        }
        return waiting > 0;
    }
    /// One worker: its tasks end once @p mayEnd says so.
    template<typename MayEnd>
    void run(std::uint32_t slot, MayEnd mayEnd)
    {
        for (;;) {
            if (take()) {
                idle.endSearch(slot, queue.load(), parkOf());
                running.fetch_add(1);
                while (!mayEnd() && closing.load() == 0)
                    std::this_thread::yield();
                running.fetch_sub(1);
                done.fetch_add(1);
            } else if (!idle.wait(
                           slot, parkOf(), [this] { return queue.load() > 0; },
                           [this] { return closing.load() == 0; }, longNs)) {
                return;
            }
        }
    }
    void add()
    {
        queue.fetch_add(1);
        idle.wakeFor(queue.load(), parkOf());
    }

    IdleWorkers idle{};
    std::array<FutexWord, maxSlots> parks{};
    std::atomic<std::uint64_t> queue{0};
    std::atomic<int> running{0};
    std::atomic<std::uint64_t> done{0};
    std::atomic<int> closing{0};
    std::vector<std::thread> threads;
};

} // namespace

class tst_IdleWorkers : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void noTaskIsLeft_data();
    void noTaskIsLeft();
    void allWorkForTasksThatStay();
    void searchOfTheDeadIsForgotten();
};

void tst_IdleWorkers::noTaskIsLeft_data()
{
    QTest::addColumn<int>("workers");
    QTest::addColumn<int>("mostSearching");
    QTest::newRow("one") << 1 << 1;
    QTest::newRow("two, one searches") << 2 << 1;
    QTest::newRow("eight, one searches") << 8 << 1;
    QTest::newRow("eight, three search") << 8 << 3;
    QTest::newRow("eight, all search") << 8 << 8;
}

/// One by one, each awaited, and in bursts: whoever should take one is just falling asleep, say.
void tst_IdleWorkers::noTaskIsLeft()
{
    QFETCH(const int, workers);
    QFETCH(const int, mostSearching);
    Crew crew(static_cast<std::uint32_t>(mostSearching));
    for (int i = 0; i < workers; ++i)
        crew.threads.emplace_back(
            [&crew, i] { crew.run(static_cast<std::uint32_t>(i), [] { return true; }); });
    std::uint64_t added = 0;
    for (int round = 0; round < 300; ++round) {
        const int burst = round % 3 == 0 ? 5 : 1;
        for (int i = 0; i < burst; ++i, ++added)
            crew.add();
        // Not by QTRY_COMPARE, which looks twenty times a second.
        const QDeadlineTimer deadline(30'000);
        while (crew.done.load() != added && !deadline.hasExpired())
            std::this_thread::yield();
        QCOMPARE(crew.done.load(), added);
    }
}

/// However few may search: who finds a task while others wait sees to these.
void tst_IdleWorkers::allWorkForTasksThatStay()
{
    constexpr int workers = 12;
    Crew crew(1);
    std::atomic<bool> mayEnd{false};
    for (int i = 0; i < workers; ++i)
        crew.threads.emplace_back([&crew, &mayEnd, i] {
            crew.run(static_cast<std::uint32_t>(i), [&mayEnd] { return mayEnd.load(); });
        });
    for (int i = 0; i < workers; ++i)
        crew.add();
    QTRY_COMPARE_WITH_TIMEOUT(crew.running.load(), workers, 30'000);
    mayEnd = true;
    QTRY_COMPARE_WITH_TIMEOUT(crew.done.load(), std::uint64_t(workers), 30'000);
}

void tst_IdleWorkers::searchOfTheDeadIsForgotten()
{
    const auto idle = std::make_unique<IdleWorkers>();
    idle->setUp(1);
    QVERIFY(idle->beginSearch(200));
    QVERIFY(idle->beginSearch(200)); // Still.
    QVERIFY(!idle->beginSearch(3));
    idle->forgetSearches();
    QVERIFY(idle->beginSearch(3));
}

QTEST_GUILESS_MAIN(tst_IdleWorkers)
#include "tst_idle_workers.moc"
