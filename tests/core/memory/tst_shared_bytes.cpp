// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/call/remote_error.h"
#include "core/ipc/queue.h"
#include "core/memory/shared_bytes.h"
#include "core/pool/pool.h"
#include "core/process/engine.h"
#include "tests/support/leak_check.h"
#include "tests/support/worker_test_main.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <numeric>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;

namespace {

constexpr std::size_t large = std::size_t{1} << 30;

runtime::ObjectSpace::Usage usage()
{
    return runtime::ObjectSpace::instance().usage();
}

/// Bytes that tell where they are.
SharedBytes filled(std::size_t size)
{
    SharedBytes bytes = SharedBytes::allocate(size).value();
    for (std::size_t i = 0; i < size; ++i)
        bytes.writable()[i] = std::byte(i * 7 % 251);
    return bytes;
}

bool isAsFilled(const SharedBytes &bytes)
{
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (bytes.bytes()[i] != std::byte(i * 7 % 251))
            return false;
    }
    return true;
}

std::size_t sizeIfAsFilled(const SharedBytes &bytes)
{
    return isAsFilled(bytes) ? bytes.size() : bytes.size() + 1;
}

bool canWrite(const SharedBytes &bytes)
{
    return !bytes.writable().empty();
}

int byteAt(const SharedBytes &bytes, std::size_t position)
{
    return int(bytes.bytes()[position]);
}

double sumOf(const SharedBytes &numbers)
{
    const auto all = numbers.as<double>();
    return std::accumulate(all.begin(), all.end(), 0.0);
}

int writeAt(const SharedBytes &bytes, std::size_t position)
{
    const_cast<std::byte *>(bytes.bytes().data())[position] = std::byte{255};
    return 0;
}

/// Leaves bytes of its own behind in a queue.
int sendAndDie(const Queue<SharedBytes> &queue, std::size_t size)
{
    static_cast<void>(queue.put(filled(size)));
    ::raise(SIGKILL);
    return 0;
}

std::size_t total(const SharedBytes &one, const std::string &text, const SharedBytes &other)
{
    return one.size() + text.size() + other.size();
}

} // namespace

class tst_SharedBytes : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init() { m_before.emplace(); }
    void cleanup();
    void workersReadThem_data();
    void workersReadThem();
    void othersCannotWrite();
    void laterWritesAreSeen();
    void severalTravelBesideOtherArguments();
    void mapsTakeThem();
    void aGigabyteIsHandedOver();
    void writingToThemKillsTheWorkerOnly();
    void theyOutliveWhoAllocatedThem();
    void tooManyAreOneError();

private:
    std::optional<test::LeakCheck> m_before;
    runtime::ObjectSpace::Usage m_used;
    std::optional<Pool> m_pool;
};

void tst_SharedBytes::initTestCase()
{
    static_cast<void>(Engine::global()); // Its thread stays.
    static_cast<void>(SharedBytes::allocate(1).value());
    m_used = usage();
}

void tst_SharedBytes::cleanup()
{
    if (m_pool) {
        m_pool->close();
        QVERIFY(m_pool->join(60s));
        m_pool.reset();
    }
    QTRY_COMPARE(m_before->leftovers(), QString());
    QTRY_COMPARE(usage().objects, m_used.objects); // The memory is given back.
    QCOMPARE(usage().bytes, m_used.bytes);
}

void tst_SharedBytes::workersReadThem_data()
{
    QTest::addColumn<std::size_t>("size");
    QTest::newRow("none") << std::size_t{0};
    QTest::newRow("few") << std::size_t{5};
    QTest::newRow("a page") << std::size_t{4096};
    QTest::newRow("a page and one") << std::size_t{4097};
    QTest::newRow("some MiB") << (std::size_t{5} << 20);
}

void tst_SharedBytes::workersReadThem()
{
    QFETCH(const std::size_t, size);
    m_pool.emplace(Pool::open({.workers = 2}).value());
    const SharedBytes bytes = filled(size);
    QCOMPARE(bytes.size(), size);
    QVERIFY(isAsFilled(bytes));
    QCOMPARE(m_pool->apply<&sizeIfAsFilled>(bytes).value(), size);
    QCOMPARE(m_pool->memoryInUse().arguments, 0U); // None of it was copied.
}

void tst_SharedBytes::othersCannotWrite()
{
    m_pool.emplace(Pool::open({.workers = 1}).value());
    const SharedBytes bytes = filled(10);
    QVERIFY(canWrite(bytes));
    QVERIFY(!m_pool->apply<&canWrite>(bytes).value());
}

void tst_SharedBytes::laterWritesAreSeen()
{
    m_pool.emplace(Pool::open({.workers = 1}).value());
    const SharedBytes bytes = filled(100);
    QCOMPARE(m_pool->apply<&byteAt>(bytes, 1).value(), 7);
    bytes.writable()[1] = std::byte{42};
    QCOMPARE(m_pool->apply<&byteAt>(bytes, 1).value(), 42);
}

void tst_SharedBytes::severalTravelBesideOtherArguments()
{
    m_pool.emplace(Pool::open({.workers = 1}).value());
    QCOMPARE(m_pool->apply<&total>(filled(100), "four", filled(10'000)).value(), 10'104U);
}

void tst_SharedBytes::mapsTakeThem()
{
    m_pool.emplace(Pool::open({.workers = 2}).value());
    std::vector<SharedBytes> all;
    std::vector<std::size_t> sizes;
    for (std::size_t size = 1; size < 40'000; size += 3'000) {
        all.push_back(filled(size));
        sizes.push_back(size);
    }
    QCOMPARE(m_pool->map<&sizeIfAsFilled>(all, 4).value(), sizes);
}

void tst_SharedBytes::aGigabyteIsHandedOver()
{
    m_pool.emplace(Pool::open({.workers = 1}).value());
    const SharedBytes bytes = SharedBytes::allocate(large).value();
    bytes.writable().back() = std::byte{9};
    QCOMPARE(m_pool->apply<&byteAt>(bytes, large - 1).value(), 9);
    QCOMPARE(m_pool->apply<&byteAt>(bytes, large / 2).value(), 0);
    const SharedBytes numbers = SharedBytes::allocate(1000 * sizeof(double)).value();
    for (int i = 0; i < 1000; ++i) {
        const double number = i;
        std::memcpy(numbers.writable().data() + std::size_t(i) * sizeof number, &number,
                    sizeof number);
    }
    QCOMPARE(m_pool->apply<&sumOf>(numbers).value(), 499'500.0);
}

void tst_SharedBytes::writingToThemKillsTheWorkerOnly()
{
    m_pool.emplace(Pool::open({.workers = 1}).value());
    const SharedBytes bytes = filled(20'000);
    for (const std::size_t position : {std::size_t{0}, std::size_t{19'999}}) {
        const auto written = m_pool->apply<&writeAt>(bytes, position);
        QVERIFY(!written);
        QCOMPARE(written.error().code, ErrorCode::WorkerDied);
        QVERIFY(written.error().found.contains(u"SIGSEGV"_s));
        QVERIFY(isAsFilled(bytes));
    }
    QCOMPARE(m_pool->apply<&sizeIfAsFilled>(bytes).value(), 20'000U);
}

void tst_SharedBytes::theyOutliveWhoAllocatedThem()
{
    m_pool.emplace(Pool::open({.workers = 1}).value());
    const auto queue = Queue<SharedBytes>::create().value();
    QCOMPARE(m_pool->apply<&sendAndDie>(queue, 300'000).error().code, ErrorCode::WorkerDied);
    const SharedBytes bytes = queue.get(60s).value();
    QCOMPARE(bytes.size(), 300'000U);
    QVERIFY(isAsFilled(bytes));
    QVERIFY(!canWrite(bytes));
    // From here on to a further worker, by the handle that can only read.
    QCOMPARE(m_pool->apply<&sizeIfAsFilled>(bytes).value(), 300'000U);
}

void tst_SharedBytes::tooManyAreOneError()
{
    QCOMPARE(SharedBytes::allocate(std::size_t{1} << 60).error().code, ErrorCode::OsError);
    QCOMPARE(SharedBytes::allocate(std::size_t{64} << 30).error().code, ErrorCode::OsError);
}

PROCLAB_WORKER_TEST_MAIN(tst_SharedBytes)

#include "tst_shared_bytes.moc"
