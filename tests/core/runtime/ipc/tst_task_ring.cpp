// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/ipc/task_ring.h"

#include <QTest>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <new>
#include <thread>
#include <vector>

using namespace proclab::runtime;

namespace {

/// A ring with its cells behind it, zero-filled as in a new segment.
template<typename Ring>
class RingMemory
{
public:
    explicit RingMemory(std::uint32_t capacity)
        : m_memory(static_cast<std::byte *>(
              ::operator new (Ring::bytes(capacity), std::align_val_t{64})))
    {
        std::fill_n(m_memory, Ring::bytes(capacity), std::byte{});
        ring().setUp(capacity);
    }
    ~RingMemory() { ::operator delete (m_memory, std::align_val_t{64}); }
    Q_DISABLE_COPY_MOVE(RingMemory)

    Ring &ring() { return *reinterpret_cast<Ring *>(m_memory); }

private:
    std::byte *m_memory;
};

bool acceptAll(std::uint32_t /*number*/)
{
    return true;
}

} // namespace

class tst_TaskRing : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void numbersLeaveInOrder();
    void fullRingIsRefused_data();
    void fullRingIsRefused();
    void refusedNumberIsPassedOver();
    void peekLooksAhead();
    void eachNumberIsClaimedOnce_data();
    void eachNumberIsClaimedOnce();
    void completionsArriveInOrder();
    void completionsCrossThreads();
};

void tst_TaskRing::numbersLeaveInOrder()
{
    RingMemory<TaskRing> memory(4);
    TaskRing &ring = memory.ring();
    QVERIFY(ring.isEmpty());
    QVERIFY(!ring.pop(acceptAll));
    for (std::uint32_t round = 0; round < 10; ++round) {
        for (std::uint32_t i = 0; i < 3; ++i)
            QVERIFY(ring.push(round * 3 + i));
        QCOMPARE(ring.size(), 3U);
        for (std::uint32_t i = 0; i < 3; ++i)
            QCOMPARE(ring.pop(acceptAll).value(), round * 3 + i);
        QVERIFY(ring.isEmpty());
    }
}

void tst_TaskRing::fullRingIsRefused_data()
{
    QTest::addColumn<quint32>("capacity");
    for (const quint32 capacity : {1, 2, 64})
        QTest::addRow("capacity %u", capacity) << capacity;
}

void tst_TaskRing::fullRingIsRefused()
{
    QFETCH(const quint32, capacity);
    RingMemory<TaskRing> memory(capacity);
    TaskRing &ring = memory.ring();
    for (quint32 i = 0; i < capacity; ++i)
        QVERIFY(ring.push(i));
    QVERIFY(!ring.push(99));
    QCOMPARE(ring.size(), capacity);
    QCOMPARE(ring.pop(acceptAll).value(), 0U);
    QVERIFY(ring.push(capacity));
    QVERIFY(!ring.push(99));
    for (quint32 i = 1; i <= capacity; ++i)
        QCOMPARE(ring.pop(acceptAll).value(), i);
    QVERIFY(!ring.pop(acceptAll));
}

void tst_TaskRing::refusedNumberIsPassedOver()
{
    RingMemory<TaskRing> memory(8);
    TaskRing &ring = memory.ring();
    for (std::uint32_t i = 0; i < 6; ++i)
        QVERIFY(ring.push(i));
    std::vector<std::uint32_t> offered;
    const auto number = ring.pop([&offered](std::uint32_t candidate) {
        offered.push_back(candidate);
        return candidate == 3;
    });
    QCOMPARE(number.value(), 3U);
    QCOMPARE(offered, (std::vector<std::uint32_t>{0, 1, 2, 3}));
    QVERIFY(!ring.pop([](std::uint32_t) { return false; }));
    QVERIFY(ring.isEmpty());
}

void tst_TaskRing::peekLooksAhead()
{
    RingMemory<TaskRing> memory(4);
    TaskRing &ring = memory.ring();
    QVERIFY(!ring.peek(0));
    QVERIFY(ring.push(10));
    QVERIFY(ring.push(11));
    QCOMPARE(ring.peek(0).value(), 10U);
    QCOMPARE(ring.peek(1).value(), 11U);
    QVERIFY(!ring.peek(2));
    QCOMPARE(ring.size(), 2U);
}

void tst_TaskRing::eachNumberIsClaimedOnce_data()
{
    QTest::addColumn<int>("threads");
    QTest::addColumn<quint32>("capacity");
    for (const int threads : {1, 2, 5}) {
        for (const quint32 capacity : {1, 4, 1024})
            QTest::addRow("%d threads, capacity %u", threads, capacity) << threads << capacity;
    }
}

void tst_TaskRing::eachNumberIsClaimedOnce()
{
    QFETCH(const int, threads);
    QFETCH(const quint32, capacity);
    constexpr std::uint32_t tasks = 20'000;
    RingMemory<TaskRing> memory(capacity);
    TaskRing &ring = memory.ring();
    std::vector<std::atomic<int>> word(tasks); // Each task's own: 0 waiting, 1 claimed.
    std::vector<std::vector<std::uint32_t>> taken(static_cast<std::size_t>(threads));
    std::atomic<bool> allPushed{false};
    std::atomic<int> wrong{0};
    std::vector<std::thread> workers;
    for (std::vector<std::uint32_t> &mine : taken) {
        workers.emplace_back([&] {
            const auto claim = [&](std::uint32_t number) {
                if (number >= tasks) {
                    ++wrong;
                    return false;
                }
                int waiting = 0;
                return word[number].compare_exchange_strong(waiting, 1);
            };
            for (;;) {
                const bool last = allPushed.load();
                if (const auto number = ring.pop(claim))
                    mine.push_back(*number);
                else if (last)
                    return;
                else
                    std::this_thread::yield();
            }
        });
    }
    for (std::uint32_t number = 0; number < tasks;) {
        if (ring.push(number))
            ++number;
        else
            std::this_thread::yield();
    }
    allPushed = true;
    for (std::thread &worker : workers)
        worker.join();

    QCOMPARE(wrong.load(), 0);
    std::vector<std::uint32_t> all;
    for (const std::vector<std::uint32_t> &mine : taken)
        all.insert(all.end(), mine.begin(), mine.end());
    std::sort(all.begin(), all.end());
    QCOMPARE(all.size(), std::size_t{tasks});
    for (std::uint32_t number = 0; number < tasks; ++number)
        QCOMPARE(all[number], number);
}

void tst_TaskRing::completionsArriveInOrder()
{
    RingMemory<CompletionRing> memory(4);
    CompletionRing &ring = memory.ring();
    QVERIFY(ring.isEmpty());
    QVERIFY(!ring.pop());
    for (std::uint32_t round = 0; round < 5; ++round) {
        for (std::uint32_t i = 0; i < 4; ++i)
            ring.push(round * 4 + i);
        QVERIFY(!ring.isEmpty());
        for (std::uint32_t i = 0; i < 4; ++i)
            QCOMPARE(ring.pop().value(), round * 4 + i);
        QVERIFY(!ring.pop());
    }
}

void tst_TaskRing::completionsCrossThreads()
{
    constexpr std::uint32_t tasks = 1U << 16;
    RingMemory<CompletionRing> memory(tasks);
    CompletionRing &ring = memory.ring();
    std::thread worker([&ring] {
        for (std::uint32_t number = 0; number < tasks; ++number)
            ring.push(number);
    });
    std::uint32_t next = 0;
    std::uint32_t outOfOrder = 0;
    while (next < tasks) {
        if (const auto number = ring.pop())
            outOfOrder += *number == next++ ? 0 : 1;
    }
    worker.join();
    QCOMPARE(outOfOrder, 0U);
    QVERIFY(!ring.pop());
}

QTEST_GUILESS_MAIN(tst_TaskRing)
#include "tst_task_ring.moc"
