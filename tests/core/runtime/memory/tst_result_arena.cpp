// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/memory/result_arena.h"

#include <QDeadlineTimer>
#include <QTest>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

using namespace proclab::runtime;

namespace {

constexpr std::uint64_t capacity = 4'096;

struct Extent
{
    std::uint64_t position = 0;
    std::uint64_t size = 0;
};

} // namespace

/// The books of the memory for results, with a thread in the place of the worker.
class tst_ResultArena : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void emptyArenaBeginsAtTheFront();
    void fullArenaHasNoRoom();
    void extentNeverRunsOverTheEnd();
    void resultsArriveWhole();
};

void tst_ResultArena::emptyArenaBeginsAtTheFront()
{
    ResultArena arena{};
    arena.setUp(capacity);
    for (int i = 0; i < 100; ++i) {
        const auto position = arena.allocate(200);
        QVERIFY(position);
        QCOMPARE(arena.offsetOf(*position), std::uint64_t{0});
        arena.giveBack(*position, 200);
        QCOMPARE(arena.usedBytes(), std::uint64_t{0});
    }
}

void tst_ResultArena::fullArenaHasNoRoom()
{
    ResultArena arena{};
    arena.setUp(capacity);
    const auto first = arena.allocate(capacity / 2);
    const auto second = arena.allocate(capacity / 2);
    QVERIFY(first && second);
    QVERIFY(!arena.allocate(1));
    arena.giveBack(*first, capacity / 2);
    QVERIFY(arena.allocate(1));
    arena.reset();
    QCOMPARE(arena.usedBytes(), std::uint64_t{0});
    QVERIFY(arena.allocate(capacity));
}

void tst_ResultArena::extentNeverRunsOverTheEnd()
{
    ResultArena arena{};
    arena.setUp(capacity);
    const auto first = arena.allocate(3'000);
    const auto second = arena.allocate(64);
    QVERIFY(first && second);
    arena.giveBack(*first, 3'000);
    const auto wide = arena.allocate(2'000); // More than is left before the end.
    QVERIFY(wide);
    QCOMPARE(arena.offsetOf(*wide), std::uint64_t{0});
}

/// The worker fills memory that the parent has read and given back, no earlier.
void tst_ResultArena::resultsArriveWhole()
{
    constexpr std::uint64_t results = 20'000;
    ResultArena arena{};
    arena.setUp(capacity);
    std::vector<unsigned char> memory(capacity);
    std::array<Extent, 128> told; // There is room for 64 at a time at most.
    std::atomic<std::uint64_t> toldCount{0};
    std::atomic<bool> isGivenUp{false};
    std::thread worker([&] {
        std::mt19937 random(1);
        for (std::uint64_t number = 0; number < results; ++number) {
            const std::uint64_t size = 1 + random() % 700;
            std::optional<std::uint64_t> position;
            while (!(position = arena.allocate(size))) {
                if (isGivenUp)
                    return;
                std::this_thread::yield();
            }
            std::memset(memory.data() + arena.offsetOf(*position), static_cast<int>(number % 251),
                        size);
            told[number % told.size()] = {*position, size};
            toldCount.store(number + 1, std::memory_order_release);
        }
    });
    const QDeadlineTimer deadline(60'000);
    std::uint64_t wrong = 0;
    std::uint64_t number = 0;
    for (; number < results && !deadline.hasExpired(); ++number) {
        while (toldCount.load(std::memory_order_acquire) <= number && !deadline.hasExpired())
            std::this_thread::yield();
        if (toldCount.load(std::memory_order_acquire) <= number)
            break;
        const Extent extent = told[number % told.size()];
        for (std::uint64_t i = 0; i < extent.size; ++i)
            wrong += memory[arena.offsetOf(extent.position) + i] != number % 251 ? 1 : 0;
        arena.giveBack(extent.position, extent.size);
    }
    isGivenUp = true;
    worker.join();
    QCOMPARE(number, results);
    QCOMPARE(wrong, std::uint64_t{0});
    QCOMPARE(arena.usedBytes(), std::uint64_t{0});
}

QTEST_GUILESS_MAIN(tst_ResultArena)
#include "tst_result_arena.moc"
