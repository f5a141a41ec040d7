// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/ipc/queue.h"
#include "core/memory/array.h"
#include "core/memory/value.h"
#include "core/pool/pool.h"
#include "core/process/process.h"
#include "core/sync/event.h"
#include "core/sync/semaphore.h"
#include "tests/support/leak_check.h"
#include "tests/support/results.h"
#include "tests/support/worker_test_main.h"

#include <csignal>
#include <limits>
#include <mutex>
#include <numeric>
#include <random>
#include <thread>

using namespace std::chrono_literals;
using namespace proclab;
using runtime::ObjectKind;
using runtime::ObjectRef;
using runtime::ObjectSpace;
using test::codeOf;
using test::made;

namespace {

struct Triple
{
    int whole = 0;
    double real = 0;
    qint64 large = 0;

    bool operator==(const Triple &) const = default;
};

// What other processes do.

template<typename T>
void store(Value<T> value, T number)
{
    value.set(number);
}

void sumUp(Array<int> numbers)
{
    numbers.update(
        [](std::span<int> all) { std::partial_sum(all.begin(), all.end(), all.begin()); });
}

void doubleAll(Value<Triple> triple, Value<double> real, Value<qint64> large, Array<double> reals,
               Array<char> text)
{
    triple.update([](Triple &all) { all = {all.whole * 2, all.real * 2, all.large * 2}; });
    real.update([](double &number) { number *= 2; });
    large.update([](qint64 &number) { number *= 2; });
    reals.update([](std::span<double> all) {
        for (double &number : all)
            number *= 2;
    });
    text.update([](std::span<char> all) {
        const auto half = static_cast<std::ptrdiff_t>(all.size() / 2);
        std::copy(all.begin(), all.begin() + half, all.begin() + half);
    });
}

void addOnes(Value<int> count, int times)
{
    for (int i = 0; i < times; ++i)
        count.update([](int &number) { number = number + 1; });
}

void dieWithin(Value<int> value)
{
    value.update([](int &number) {
        number = 7;
        ::raise(SIGKILL);
    });
}

// VA-03: what is no lock is refused, by the compiler.
template<typename T, typename Guard>
concept GuardedBy = requires(const Guard &guard)
{
    Value<T>::create(T(), guard);
    Array<T>::create(std::span<const T>(), guard);
};
static_assert(GuardedBy<int, Lock> && GuardedBy<int, RLock> && GuardedBy<int, Locking>);
static_assert(!GuardedBy<int, Semaphore> && !GuardedBy<int, Event> && !GuardedBy<int, int>);

/// A block of shared memory that is full of its own number.
class Block
{
public:
    Block(std::uint64_t number, std::size_t size)
        : m_number(number)
        , m_words(size / sizeof(std::uint64_t))
        , m_object(ObjectSpace::instance().create(ObjectKind::Memory, size))
    {
        m_wasZero = isFullOf(0);
        std::fill_n(data(), m_words, number);
    }
    /// Nobody else has written here, before or since.
    [[nodiscard]] bool isWhole() const { return m_wasZero && isFullOf(m_number); }
    [[nodiscard]] std::uint64_t *data() const { return &m_object->body<std::uint64_t>(); }
    [[nodiscard]] std::uint64_t *end() const { return data() + m_words; }

private:
    [[nodiscard]] bool isFullOf(std::uint64_t number) const
    {
        return std::all_of(data(), end(), [number](auto word) { return word == number; });
    }

    std::uint64_t m_number;
    std::size_t m_words;
    ObjectRef m_object;
    bool m_wasZero = false;
};

/// Sizes of all kinds: within the entry, below a page, some pages, given back to the kernel.
std::size_t anySize(std::mt19937 &random)
{
    const std::size_t most[] = {192, 4'096, 20'000, 100'000};
    const std::size_t limit = most[random() % 16 < 15 ? random() % 3 : 3];
    return random() % limit + sizeof(std::uint64_t);
}

} // namespace

/// Values and arrays in shared memory, between this process and the workers of a pool; and the
/// blocks that they lie in.
class tst_ValueArray : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void valuesOfAnyType_data() { addRows(); }
    void valuesOfAnyType();
    void arrayOfTen_data() { addRows(); }
    void arrayOfTen();
    void placesOutsideAreRefused();
    void lockIsTheOneChosen();
    void sharedStructures_data() { addRows(); }
    void sharedStructures();
    void copyIsItsOwn();
    void updatesAreNotLost_data() { test::addStartMethods(); }
    void updatesAreNotLost();
    void addingNeedsNoLock();
    void halfAnUpdateIsNotSeen();
    void lockTravelsAlong();
    void otherTypesAreRefused();
    void tooLargeIsRefused();
    void blocksNeverOverlap();
    void blocksEndInOtherThreads();
    void deathOfAnOwnerIsTold();
    void nothingStays();

private:
    static void addRows();
    [[nodiscard]] static Pool pool(int workers);
    [[nodiscard]] static Locking locking();
    template<typename T>
    static void checkValue(Pool &others, T first, T second);
};

void tst_ValueArray::addRows()
{
    QTest::addColumn<StartMethod>("method");
    QTest::addColumn<bool>("isLocked");
    QTest::newRow("spawn, with a lock") << StartMethod::Spawn << true;
    QTest::newRow("forkserver, with a lock") << StartMethod::ForkServer << true;
    QTest::newRow("forkserver, without") << StartMethod::ForkServer << false;
}

Pool tst_ValueArray::pool(int workers)
{
    QFETCH(const StartMethod, method);
    return made(Pool::open({.workers = workers, .startMethod = method}));
}

Locking tst_ValueArray::locking()
{
    QFETCH(const bool, isLocked);
    return isLocked ? Locking::Own : Locking::None;
}

template<typename T>
void tst_ValueArray::checkValue(Pool &others, T first, T second)
{
    const auto value = made(Value<T>::create(first, locking()));
    QCOMPARE(value.get(), first);
    QVERIFY(others.apply<store<T>>(value, second));
    QCOMPARE(value.get(), second);
    value.set(first);
    QCOMPARE(*value.storage(), first);
}

// VA-01
void tst_ValueArray::valuesOfAnyType()
{
    Pool others = pool(1);
    checkValue<int>(others, 7, -24);
    checkValue<double>(others, 1.25, -3.5);
    checkValue<short>(others, 34, -234);
    checkValue<qint64>(others, 1LL << 33, -(1LL << 40));
    checkValue<char>(others, 'x', 'y');
    QCOMPARE(made(Value<int>::create({}, locking())).get(), 0);
    others.terminate();
}

// VA-02
void tst_ValueArray::arrayOfTen()
{
    const std::vector<int> given = {680, 626, 934, 821, 150, 233, 548, 982, 714, 831};
    Pool others = pool(1);
    const auto array = made(Array<int>::create(given, locking()));
    QCOMPARE(array.size(), given.size());
    QCOMPARE(array.all(), given);
    for (std::size_t i = 0; i < given.size(); ++i)
        QCOMPARE(*array.get(i), given[i]);
    QCOMPARE(*array.slice(2, 5), (std::vector{934, 821, 150, 233, 548}));
    QVERIFY(array.slice(10, 0)->empty());

    QVERIFY(array.assign(4, std::vector{1, 2, 3, 4}));
    QVERIFY(array.set(9, 5));
    std::vector<int> expected = {680, 626, 934, 821, 1, 2, 3, 4, 714, 5};
    QCOMPARE(array.all(), expected);
    QVERIFY(others.apply<sumUp>(array));
    std::partial_sum(expected.begin(), expected.end(), expected.begin());
    QCOMPARE(array.all(), expected);
    QCOMPARE(std::vector<int>(array.storage().begin(), array.storage().end()), expected);
    others.terminate();
}

void tst_ValueArray::placesOutsideAreRefused()
{
    constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
    const auto array = made(Array<int>::create(10));
    QCOMPARE(array.all(), std::vector<int>(10, 0));
    for (const std::size_t place : {std::size_t{10}, most}) {
        QCOMPARE(codeOf(array.get(place)), ErrorCode::InvalidArgument);
        QCOMPARE(codeOf(array.set(place, 1)), ErrorCode::InvalidArgument);
    }
    QCOMPARE(codeOf(array.slice(5, 6)), ErrorCode::InvalidArgument);
    QCOMPARE(codeOf(array.slice(5, most)), ErrorCode::InvalidArgument);
    QCOMPARE(codeOf(array.assign(9, std::vector{1, 2})), ErrorCode::InvalidArgument);
    QCOMPARE(array.all(), std::vector<int>(10, 0));
    QCOMPARE(made(Array<int>::create(0)).size(), 0U);
}

// VA-03
void tst_ValueArray::lockIsTheOneChosen()
{
    const auto value = made(Value<int>::create(7));
    const auto array = made(Array<int>::create(std::vector{1, 2}));
    QVERIFY(std::holds_alternative<RLock>(value.lock()));
    QVERIFY(std::holds_alternative<RLock>(array.lock()));
    QCOMPARE(*value.storage(), 7);
    QCOMPARE(array.storage()[1], 2);
    QVERIFY(value.acquire());
    QVERIFY(std::get<RLock>(value.lock()).isMine());
    QCOMPARE(value.get(), 7); // Recursive.
    QVERIFY(value.release());
    QCOMPARE(codeOf(value.release()), ErrorCode::NotOwner);

    const auto lock = made(Lock::create());
    const auto rlock = made(RLock::create());
    const auto onLock = made(Value<int>::create(7, lock));
    QVERIFY(std::get<Lock>(onLock.lock()) == lock);
    QVERIFY(std::get<RLock>(made(Value<int>::create(7, rlock)).lock()) == rlock);
    QVERIFY(std::get<Lock>(made(Array<int>::create(std::vector{1}, lock)).lock()) == lock);
    QVERIFY(std::get<RLock>(made(Array<int>::create(std::vector{1}, rlock)).lock()) == rlock);
    QVERIFY(lock.acquire());
    QCOMPARE(codeOf(onLock.acquire(0s)), ErrorCode::Timeout);
    QVERIFY(lock.release());

    // Without a lock the memory is all there is.
    const auto bare = made(Value<int>::create(7, Locking::None));
    QVERIFY(std::holds_alternative<std::monostate>(bare.lock()));
    const auto bareArray = made(Array<int>::create(2, Locking::None));
    QVERIFY(std::holds_alternative<std::monostate>(bareArray.lock()));
    QVERIFY(bare.acquire(0s) && bare.acquire(0s) && bare.release());
}

// VA-04
void tst_ValueArray::sharedStructures()
{
    Pool others = pool(1);
    const auto triple = made(Value<Triple>::create({7, 2.5, 1LL << 33}, locking()));
    const auto real = made(Value<double>::create(1.0 / 3, locking()));
    const auto large = made(Value<qint64>::create(1LL << 33, locking()));
    const auto reals = made(Array<double>::create(10, locking()));
    for (std::size_t i = 0; i < 10; ++i)
        QVERIFY(reals.set(i, double(i)));
    const auto text = made(Array<char>::create(std::string_view("hello....."), locking()));
    QVERIFY(others.apply<doubleAll>(triple, real, large, reals, text));
    QVERIFY(triple.get() == (Triple{14, 5.0, 1LL << 34}));
    QCOMPARE(real.get(), 2.0 / 3);
    QCOMPARE(large.get(), 1LL << 34);
    for (std::size_t i = 0; i < 10; ++i)
        QCOMPARE(*reals.get(i), double(2 * i));
    QVERIFY(text.all() == std::vector<char>({'h', 'e', 'l', 'l', 'o', 'h', 'e', 'l', 'l', 'o'}));
    others.terminate();
}

// VA-05
void tst_ValueArray::copyIsItsOwn()
{
    const Triple given = {2, 5.0, 1LL << 33};
    const auto original = made(Value<Triple>::create(given));
    const Triple here = original.get();
    const auto shared = made(Value<Triple>::create(original.get()));
    original.set({});
    QVERIFY(original.get() == Triple());
    QVERIFY(here == given);
    QVERIFY(shared.get() == given);
}

// VA-06
void tst_ValueArray::updatesAreNotLost()
{
    constexpr int processes = 8;
    constexpr int times = 10'000;
    Pool others = pool(processes);
    const auto count = made(Value<int>::create());
    std::vector<AsyncResult<std::monostate>> calls;
    for (int i = 0; i < processes; ++i)
        calls.push_back(others.applyAsync<addOnes>(count, times));
    for (const auto &call : calls)
        QVERIFY(call.result(60s));
    QCOMPARE(count.get(), processes * times);
    others.terminate();
}

void tst_ValueArray::addingNeedsNoLock()
{
    constexpr int times = 20'000;
    const auto count = made(Value<int>::create(0, Locking::None));
    const auto add = [&count] {
        for (int i = 0; i < times; ++i)
            count.fetchAdd(1);
    };
    std::thread other(add);
    add();
    other.join();
    QCOMPARE(count.fetchAdd(1), 2 * times);
}

void tst_ValueArray::halfAnUpdateIsNotSeen()
{
    const auto value = made(Value<int>::create());
    std::atomic<bool> isDone = false;
    std::thread writer([&] {
        for (int i = 0; i < 2'000; ++i) {
            value.update([](int &number) {
                ++number;
                std::atomic_signal_fence(std::memory_order_seq_cst);
                std::this_thread::yield();
                ++number;
            });
        }
        isDone = true;
    });
    int odd = 0;
    while (!isDone)
        odd += value.get() % 2;
    writer.join();
    QCOMPARE(odd, 0);
    QCOMPARE(value.get(), 4'000);
}

/// A handle on its way is enough for the memory and for its lock.
void tst_ValueArray::lockTravelsAlong()
{
    const auto queue = made(Queue<Value<int>>::create());
    QVERIFY(queue.put(made(Value<int>::create(7))));
    QVERIFY(queue.put(made(Value<int>::create(8, made(Lock::create())))));
    for (const int expected : {7, 8}) {
        const auto value = queue.get(10s);
        QVERIFY(value);
        QVERIFY(value->acquire(0s));
        QCOMPARE(*value->storage(), expected);
        QVERIFY(value->release());
    }
}

void tst_ValueArray::otherTypesAreRefused()
{
    const auto array = made(Array<int>::create(3));
    QCOMPARE(Array<int>::of(array.object()).size(), 3U);
    QVERIFY_THROWS_EXCEPTION(DecodeError, Array<double>::of(array.object()));
    QVERIFY_THROWS_EXCEPTION(DecodeError, Value<short>::of(array.object()));
    const auto empty = made(Array<int>::create(0));
    QVERIFY_THROWS_EXCEPTION(DecodeError, Value<int>::of(empty.object()));
}

void tst_ValueArray::tooLargeIsRefused()
{
    constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
    for (const std::size_t count : {most, most / 4, most / 4 + 2, most / 8, std::size_t{1} << 40}) {
        const auto array = Array<int>::create(count);
        QCOMPARE(codeOf(array), ErrorCode::OsError);
        QCOMPARE(array.error().systemCode, ENOMEM);
    }
}

// VA-07
void tst_ValueArray::blocksNeverOverlap()
{
    const auto seed = std::random_device()();
    qInfo("seed %u", seed);
    std::mt19937 random(seed);
    const auto before = ObjectSpace::instance().usage();
    std::vector<Block> blocks;
    for (std::uint64_t number = 1; number <= 5'000; ++number) {
        if (blocks.size() == 50 || (!blocks.empty() && random() % 3 == 0)) {
            const std::size_t place = random() % blocks.size();
            QVERIFY(blocks[place].isWhole());
            std::swap(blocks[place], blocks.back());
            blocks.pop_back();
        }
        const Block &block = blocks.emplace_back(number, anySize(random));
        for (std::size_t i = 0; i + 1 < blocks.size(); ++i)
            QVERIFY(block.end() <= blocks[i].data() || blocks[i].end() <= block.data());
        QCOMPARE(ObjectSpace::instance().usage().objects, before.objects + blocks.size());
    }
    for (const Block &block : blocks)
        QVERIFY(block.isWhole());
    blocks.clear();
    QCOMPARE(ObjectSpace::instance().usage().objects, before.objects);
    QCOMPARE(ObjectSpace::instance().usage().bytes, before.bytes);
}

// VA-07
void tst_ValueArray::blocksEndInOtherThreads()
{
    const auto seed = std::random_device()();
    qInfo("seed %u", seed);
    const auto before = ObjectSpace::instance().usage();
    std::mutex mutex;
    std::vector<Block> handedOver; // Guarded by mutex, as isDone.
    bool isDone = false;
    std::atomic<int> damaged = 0;
    const auto endBlocks = [&] {
        for (;;) {
            std::vector<Block> blocks;
            {
                const std::lock_guard lock(mutex);
                if (isDone && handedOver.empty())
                    return;
                blocks.swap(handedOver);
            }
            damaged += static_cast<int>(std::count_if(
                blocks.begin(), blocks.end(), [](const Block &block) { return !block.isWhole(); }));
        }
    };
    std::thread ending(endBlocks);
    std::thread endingToo(endBlocks);
    std::mt19937 random(seed);
    for (std::uint64_t number = 1; number <= 2'000; ++number) {
        Block block(number, anySize(random));
        const std::lock_guard lock(mutex);
        handedOver.push_back(std::move(block));
    }
    {
        const std::lock_guard lock(mutex);
        isDone = true;
    }
    ending.join();
    endingToo.join();
    QCOMPARE(damaged.load(), 0);
    QCOMPARE(ObjectSpace::instance().usage().objects, before.objects);
    QCOMPARE(ObjectSpace::instance().usage().bytes, before.bytes);
}

/// Whoever comes next may not be able to tell: then it is told later, once.
void tst_ValueArray::deathOfAnOwnerIsTold()
{
    for (const Locking locking : {Locking::Own, Locking::None}) {
        const auto value = made(Value<int>::create(1, locking));
        const auto child = made(Process::create<dieWithin>({}, value));
        QVERIFY(child.start());
        const qint64 pid = *child.pid();
        QVERIFY(child.join(60s));
        QCOMPARE(value.get(), 7);
        value.set(8);
        const auto acquired = made(value.acquire());
        QCOMPARE(acquired.isRecovered, locking == Locking::Own);
        QCOMPARE(acquired.deadPid, locking == Locking::Own ? pid : 0);
        QVERIFY(value.release());
        QVERIFY(!made(value.acquire()).isRecovered);
        QVERIFY(value.release());
    }
}

void tst_ValueArray::nothingStays()
{
    QTRY_COMPARE(ObjectSpace::instance().usage().objects, 0U);
    QCOMPARE(ObjectSpace::instance().usage().bytes, 0U);
    QCOMPARE(test::childPids().size(), 0);
}

PROCLAB_WORKER_TEST_MAIN(tst_ValueArray)
#include "tst_value_array.moc"
