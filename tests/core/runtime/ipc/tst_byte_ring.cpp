// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/ipc/byte_ring.h"
#include "tests/support/forked_child.h"

#include <QTest>

#include <csignal>
#include <cstring>
#include <deque>
#include <random>
#include <thread>
#include <vector>

using namespace proclab::runtime;
using proclab::test::forkChild;
using proclab::test::waitForChild;

namespace {

using Bytes = std::vector<std::byte>;
using Outcome = ByteRing::Outcome;

/// What lies in shared memory: a ring, and counts of what was put and taken.
struct Shared
{
    ByteRing ring;
    ByteRing::Count put;
    ByteRing::Count taken;
};

bool never()
{
    return false;
}

bool always()
{
    return true;
}

/// Bytes that tell where they come from.
Bytes made(std::uint32_t number, std::size_t size)
{
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i)
        bytes[i] = static_cast<std::byte>(number * 31 + i * 7 + i / 251);
    return bytes;
}

/// As made(), but begins with the number itself.
Bytes numbered(std::uint32_t number, std::size_t size)
{
    Bytes bytes = made(number, size);
    std::memcpy(bytes.data(), &number, sizeof number);
    return bytes;
}

std::uint32_t numberOf(std::span<const std::byte> bytes)
{
    std::uint32_t number = 0;
    std::memcpy(&number, bytes.data(), sizeof number);
    return number;
}

} // namespace

class tst_ByteRing : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void recordsComeOutAsTheyWentIn_data();
    void recordsComeOutAsTheyWentIn();
    void fullRingRefuses();
    void memoryIsLimited();
    void producersAndConsumersMeet();
    void killedUserLeavesItWhole();
    void cleanup();

private:
    [[nodiscard]] Outcome put(const Bytes &bytes, std::uint32_t mark = 0)
    {
        return m_shared->ring.put(m_space, m_shared->put, {bytes, mark}, 0, always);
    }
    [[nodiscard]] Outcome take(Bytes &bytes, std::uint32_t &mark)
    {
        return m_shared->ring.get(m_space, m_counts, 0, always,
                                  [&](std::span<const std::byte> record, std::uint32_t itsMark) {
                                      bytes.assign(record.begin(), record.end());
                                      mark = itsMark;
                                  });
    }

    ObjectSpace &m_space = ObjectSpace::instance();
    ObjectRef m_object;
    Shared *m_shared = nullptr;
    std::array<ByteRing::Count *, 1> m_counts = {}; ///< What is taken counts here.
};

void tst_ByteRing::init()
{
    m_object = m_space.create(ObjectKind::Blob, sizeof(Shared));
    QVERIFY(m_object);
    m_shared = &m_object->body<Shared>();
    m_shared->ring.setUp({});
    m_counts = {&m_shared->taken};
}

void tst_ByteRing::cleanup()
{
    m_shared->ring.end(m_space);
    m_object.reset();
    QCOMPARE(m_space.usage().objects, 0U);
    QCOMPARE(m_space.usage().bytes, 0U);
}

void tst_ByteRing::recordsComeOutAsTheyWentIn_data()
{
    QTest::addColumn<int>("longest");
    QTest::addColumn<int>("records");
    QTest::addColumn<int>("mostWaiting");
    QTest::newRow("short, few waiting") << 40 << 200'000 << 20;
    QTest::newRow("short, many waiting: it grows") << 100 << 100'000 << 20'000;
    QTest::newRow("up to a page, it grows") << 4'000 << 20'000 << 500;
    QTest::newRow("some lie apart") << 5'000'000 << 60 << 8;
}

/// Puts and takes by a seeded die, so that the ring is full, empty and grown at all places.
void tst_ByteRing::recordsComeOutAsTheyWentIn()
{
    QFETCH(const int, longest);
    QFETCH(const int, records);
    QFETCH(const int, mostWaiting);
    std::mt19937 die(7);
    std::deque<std::pair<std::uint32_t, std::size_t>> waiting;
    Bytes bytes;
    std::uint32_t mark = 0;
    std::uint32_t number = 0;
    while (number < std::uint32_t(records) || !waiting.empty()) {
        const bool canPut =
            number < std::uint32_t(records) && waiting.size() < std::size_t(mostWaiting);
        if (canPut && (waiting.empty() || die() % 100 < 55)) {
            const std::size_t size = die() % std::size_t(longest);
            QCOMPARE(put(made(number, size), number & 0xff), Outcome::Done);
            waiting.emplace_back(number++, size);
            continue;
        }
        QCOMPARE(take(bytes, mark), Outcome::Done);
        const auto [expected, size] = waiting.front();
        waiting.pop_front();
        QVERIFY2(bytes == made(expected, size), qPrintable(QString::number(expected)));
        QCOMPARE(mark, expected & 0xff);
        QCOMPARE(m_shared->ring.size(), waiting.size());
    }
    QCOMPARE(m_shared->taken.load(), std::uint32_t(records));
    QCOMPARE(take(bytes, mark), Outcome::Refused);
}

void tst_ByteRing::fullRingRefuses()
{
    m_shared->ring.setUp({.records = 3});
    for (int i = 0; i < 3; ++i)
        QCOMPARE(put(made(0, 10)), Outcome::Done);
    QVERIFY(m_shared->ring.isFull());
    QCOMPARE(put(made(0, 10)), Outcome::Refused);
    QCOMPARE(
        m_shared->ring.put(m_space, m_shared->put, {made(0, 10), 0}, nowNs() + 1'000'000, never),
        Outcome::TimedOut);
    Bytes bytes;
    std::uint32_t mark = 0;
    QCOMPARE(take(bytes, mark), Outcome::Done);
    QCOMPARE(put(made(0, 10)), Outcome::Done);
}

void tst_ByteRing::memoryIsLimited()
{
    m_shared->ring.setUp({.bytes = 65'536});
    int count = 0;
    while (put(made(0, 1'000)) == Outcome::Done)
        ++count;
    QVERIFY(count > 50 && count < 66);
    Bytes bytes;
    std::uint32_t mark = 0;
    QCOMPARE(take(bytes, mark), Outcome::Done);
    QCOMPARE(take(bytes, mark), Outcome::Done); // What fills the end of the ring goes with it.
    QCOMPARE(put(made(0, 1'000)), Outcome::Done);
}

/// Several threads at each end, also under the thread sanitizer, which sees no other processes.
void tst_ByteRing::producersAndConsumersMeet()
{
    constexpr std::uint32_t producers = 3;
    constexpr std::uint32_t count = 3'000;
    std::atomic<std::uint32_t> left{producers * count};
    std::vector<std::atomic<int>> seen(producers * count);
    std::vector<std::thread> threads;
    for (std::uint32_t producer = 0; producer < producers; ++producer) {
        threads.emplace_back([this, producer] {
            for (std::uint32_t i = 0; i < count; ++i) {
                const std::uint32_t number = producer * count + i;
                const Bytes bytes = numbered(number, 8 + number % 300);
                (void)m_shared->ring.put(m_space, m_shared->put, {bytes, 0}, noDeadline, never);
            }
        });
    }
    for (int consumer = 0; consumer < 3; ++consumer) {
        threads.emplace_back([this, &left, &seen] {
            const auto store = [&seen](std::span<const std::byte> record, std::uint32_t) {
                const std::uint32_t number = numberOf(record);
                seen[number] += record.size() == 8 + number % 300 ? 1 : 100;
            };
            const auto isOver = [&left] { return left.load() == 0; };
            while (m_shared->ring.get(m_space, m_counts, noDeadline, isOver, store) ==
                   Outcome::Done) {
                if (left.fetch_sub(1) == 1)
                    m_shared->ring.items.notify();
            }
        });
    }
    for (std::thread &thread : threads)
        thread.join();
    for (const auto &times : seen)
        QCOMPARE(times.load(), 1);
    QVERIFY(m_shared->ring.isEmpty());
}

/// A process killed at a random instant of putting and taking: every record is in or out, whole.
void tst_ByteRing::killedUserLeavesItWhole()
{
    std::mt19937 die(11);
    for (int round = 0; round < 60; ++round) {
        const pid_t child = forkChild([this, round] {
            for (std::uint32_t i = 0;; ++i) {
                const std::size_t size = i % 50 == 49 ? 3'000'000 : 4 + i * 37 % 3'000;
                (void)m_shared->ring.put(m_space, m_shared->put, {numbered(i, size), 0}, noDeadline,
                                         never);
                if (i % 2 == std::uint32_t(round) % 2)
                    (void)m_shared->ring.get(m_space, m_counts, noDeadline, never,
                                             [](std::span<const std::byte>, std::uint32_t) {});
            }
            return 0;
        });
        const std::int64_t end = nowNs() + static_cast<std::int64_t>(die() % 8'000'000);
        while (nowNs() < end)
            spinPause();
        ::kill(child, SIGKILL);
        QCOMPARE(waitForChild(child), SIGKILL);
        // As the recovery of an object of its own kind does.
        for (std::uint32_t sharer = 1; sharer < maxSharers; ++sharer) {
            if (m_space.pidOf(sharer) == child)
                m_shared->ring.sharerDied(m_space, sharer);
        }
        m_space.processEnded(child);
        Bytes bytes;
        std::uint32_t mark = 0;
        while (take(bytes, mark) == Outcome::Done)
            QVERIFY(bytes == numbered(numberOf(bytes), bytes.size()));
        QVERIFY(m_shared->ring.isEmpty());
        QCOMPARE(m_shared->put.load(), m_shared->taken.load());
    }
}

QTEST_GUILESS_MAIN(tst_ByteRing)
#include "tst_byte_ring.moc"
