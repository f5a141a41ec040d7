// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/codec.h"
#include "core/ipc/queue.h"
#include "core/memory/array.h"
#include "core/pool/pool.h"
#include "core/sync/event.h"
#include "tests/support/leak_check.h"
#include "tests/support/results.h"
#include "tests/support/worker_test_main.h"

#include <QElapsedTimer>

#include <csignal>
#include <numeric>
#include <set>
#include <thread>

#include <poll.h>
#include <unistd.h>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;
using test::codeOf;
using test::made;

namespace {

/// A value that has no bytes if it is below 0.
struct Fruit
{
    std::string name;
    int weight = 0;
};

} // namespace

template<>
struct proclab::Codec<Fruit>
{
    static void encode(PayloadWriter &writer, const Fruit &fruit)
    {
        if (fruit.weight < 0)
            throw std::runtime_error("no such weight");
        Codec<std::string>::encode(writer, fruit.name);
        Codec<int>::encode(writer, fruit.weight);
    }
    static Fruit decode(PayloadReader &reader)
    {
        auto name = Codec<std::string>::decode(reader);
        return {std::move(name), Codec<int>::decode(reader)};
    }
};

namespace {

// What other processes do.

std::vector<int> takeAll(Queue<int> queue, int count)
{
    std::vector<int> taken;
    for (int i = 0; i < count; ++i)
        taken.push_back(*queue.get(60s));
    return taken;
}

std::pair<int, bool> sizeAndFull(Queue<int> queue)
{
    return {queue.size(), queue.isFull()};
}

void putThese(Queue<int> queue, std::vector<int> items)
{
    for (const int item : items)
        (void)queue.put(item);
}

/// Puts and ends at once, as a process whose function returns.
void putAndExit(Queue<std::string> queue, int count)
{
    for (int i = 0; i < count; ++i)
        (void)queue.put(std::string(2'000, char('a' + i % 26)));
    ::_exit(0);
}

void workOff(Queue<int> queue, Array<int> done)
{
    while (const auto item = queue.get(60s)) {
        ::poll(nullptr, 0, 20);
        std::atomic_ref(done.storage()[0]).fetch_add(1);
        (void)queue.taskDone();
    }
}

void takeAndDie(Queue<int> queue)
{
    (void)queue.get();
    (void)queue.get();
    ::kill(::getpid(), SIGKILL);
}

std::pair<bool, bool> emptyBeforeAndAfter(Queue<int> queue)
{
    const bool before = *queue.isEmpty();
    (void)queue.put(1);
    return {before, *queue.isEmpty()};
}

enum class Getting { Blocking, Polling, ShortLimit };

void produce(Queue<std::uint64_t> queue, int producer, int count)
{
    for (int i = 0; i < count; ++i)
        (void)queue.put(std::uint64_t(producer) << 32 | std::uint64_t(i));
}

/// All it got until its END, and whether the items of each producer came in order.
std::pair<std::vector<std::uint64_t>, bool> consume(Queue<std::uint64_t> queue, Getting getting)
{
    std::vector<std::uint64_t> got;
    std::map<std::uint64_t, std::int64_t> last;
    bool isInOrder = true;
    for (;;) {
        const auto item = getting == Getting::Blocking  ? queue.get(60s)
                          : getting == Getting::Polling ? queue.getNoWait()
                                                        : queue.get(1ms);
        if (item) {
            const auto [before, isNew] = last.try_emplace(*item >> 32, -1);
            const auto number = std::int64_t(*item & 0xffff'ffff);
            isInOrder = isInOrder && number > before->second;
            before->second = number;
            got.push_back(*item);
        } else if (item.error().code != ErrorCode::Empty) {
            return {got, isInOrder && item.error().code == ErrorCode::EndOfStream};
        } else if (getting == Getting::Polling) {
            ::sched_yield();
        }
    }
}

qint64 sumOfBytes(Queue<QByteArray> queue, int count)
{
    qint64 sum = 0;
    for (int i = 0; i < count; ++i) {
        const QByteArray bytes = *queue.get(60s);
        for (const char byte : bytes)
            sum += static_cast<unsigned char>(byte);
    }
    return sum;
}

void setFrom(Queue<Event> queue)
{
    queue.get(60s)->set();
}

} // namespace

class tst_Queue : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void boundedQueueCounts_data() { test::addStartMethods(); }
    void boundedQueueCounts();
    void fullQueueRefuses();
    void everyGetKeepsTheOrder_data() { test::addStartMethods(); }
    void everyGetKeepsTheOrder();
    void emptyQueueRefuses();
    void producerMayEndAtOnce_data() { test::addStartMethods(); }
    void producerMayEndAtOnce();
    void joinWaitsForTheLastTask_data() { test::addStartMethods(); }
    void joinWaitsForTheLastTask();
    void joinCountsWhatDiedAsLost_data() { test::addStartMethods(); }
    void joinCountsWhatDiedAsLost();
    void badItemIsReported();
    void closedQueueRefuses();
    void simpleQueueTellsWhetherItIsEmpty_data() { test::addStartMethods(); }
    void simpleQueueTellsWhetherItIsEmpty();
    void fillIsShared_data() { test::addStartMethods(); }
    void fillIsShared();
    void mostItemsAreNoted();
    void nothingIsLostOrRepeated_data();
    void nothingIsLostOrRepeated();
    void itemsOfAnySize_data() { test::addStartMethods(); }
    void itemsOfAnySize();
    void handlesTravel_data() { test::addStartMethods(); }
    void handlesTravel();
    void handlesThatNobodyTakesGoWithTheQueue();
    void nothingStays();

private:
    [[nodiscard]] static Pool pool(int workers);
};

Pool tst_Queue::pool(int workers)
{
    QFETCH(const StartMethod, method);
    return made(Pool::open({.workers = workers, .startMethod = method}));
}

//
void tst_Queue::boundedQueueCounts()
{
    Pool others = pool(1);
    const auto queue = made(Queue<int>::create(6));
    QVERIFY(*queue.isEmpty());
    QVERIFY(!queue.isFull());
    for (int i = 0; i < 6; ++i) {
        QCOMPARE(queue.size(), i);
        QVERIFY(i % 3 == 0 ? queue.put(i) : i % 3 == 1 ? queue.put(i, 10s) : queue.putNoWait(i));
    }
    QCOMPARE(queue.size(), 6);
    QVERIFY(!*queue.isEmpty());
    QVERIFY(queue.isFull());
    QCOMPARE(*others.apply<takeAll>(queue, 6), (std::vector{0, 1, 2, 3, 4, 5}));
    QCOMPARE(queue.size(), 0);
    QVERIFY(*queue.isEmpty());
    QVERIFY(!queue.isFull());
    others.terminate();
}

//
void tst_Queue::fullQueueRefuses()
{
    const auto queue = made(Queue<int>::create(2));
    QVERIFY(queue.put(1));
    QVERIFY(queue.put(2));
    QElapsedTimer timer;
    timer.start();
    QCOMPARE(codeOf(queue.putNoWait(3)), ErrorCode::Full);
    QCOMPARE(codeOf(queue.put(3, -1s)), ErrorCode::Full);
    QVERIFY(timer.elapsed() < 500);
    timer.start();
    QCOMPARE(codeOf(queue.put(3, 300ms)), ErrorCode::Full);
    QVERIFY(timer.elapsed() >= 200);
    QVERIFY(timer.elapsed() < 2'300);
    QCOMPARE(*queue.get(), 1);
    QCOMPARE(*queue.get(), 2);
    QCOMPARE(codeOf(queue.getNoWait()), ErrorCode::Empty); // 3 is not stored later.
}

//
void tst_Queue::everyGetKeepsTheOrder()
{
    Pool others = pool(1);
    const auto queue = made(Queue<int>::create());
    QVERIFY(others.apply<putThese>(queue, std::vector{2, 3, 4, 5}));
    QCOMPARE(*queue.get(), 2);
    QCOMPARE(*queue.get(10s), 3);
    QCOMPARE(*queue.getNoWait(), 4);
    QCOMPARE(*queue.get(0s), 5);
    QVERIFY(*queue.isEmpty());
    others.terminate();
}

//
void tst_Queue::emptyQueueRefuses()
{
    const auto queue = made(Queue<int>::create());
    QElapsedTimer timer;
    timer.start();
    QCOMPARE(codeOf(queue.getNoWait()), ErrorCode::Empty);
    QCOMPARE(codeOf(queue.get(-1s)), ErrorCode::Empty);
    QVERIFY(timer.elapsed() < 500);
    timer.start();
    QCOMPARE(codeOf(queue.get(200ms)), ErrorCode::Empty);
    QVERIFY(timer.elapsed() >= 100);
    QVERIFY(timer.elapsed() < 2'200);
}

//
void tst_Queue::producerMayEndAtOnce()
{
    Pool others = pool(1);
    const auto queue = made(Queue<std::string>::create());
    QCOMPARE(codeOf(others.apply<putAndExit>(queue, 1'000)), ErrorCode::WorkerDied);
    for (int i = 0; i < 1'000; ++i)
        QCOMPARE(*queue.get(10s), std::string(2'000, char('a' + i % 26)));
    others.terminate();
}

//
void tst_Queue::joinWaitsForTheLastTask()
{
    Pool others = pool(4);
    const auto queue = made(Queue<int>::create());
    const auto done = made(Array<int>::create(1));
    for (int i = 0; i < 10; ++i)
        QVERIFY(queue.put(i));
    QCOMPARE(codeOf(queue.join(0s)), ErrorCode::Timeout);
    std::vector<AsyncResult<std::monostate>> calls;
    for (int i = 0; i < 4; ++i)
        calls.push_back(others.applyAsync<workOff>(queue, done));
    QVERIFY(queue.join(60s));
    QCOMPARE(*done.get(0), 10);
    QCOMPARE(codeOf(queue.taskDone()), ErrorCode::InvalidState);
    QVERIFY(queue.putEnd(4));
    for (const auto &call : calls)
        QVERIFY(call.result(60s));
    QVERIFY(queue.join(0s)); // ENDs are no tasks.
    others.terminate();
}

void tst_Queue::joinCountsWhatDiedAsLost()
{
    Pool others = pool(1);
    const auto queue = made(Queue<int>::create());
    for (int i = 0; i < 3; ++i)
        QVERIFY(queue.put(i));
    QCOMPARE(codeOf(others.apply<takeAndDie>(queue)), ErrorCode::WorkerDied);
    QCOMPARE(codeOf(queue.join(0s)), ErrorCode::Timeout); // One is still in the queue.
    QTRY_COMPARE(queue.lostItems(), 2);
    QCOMPARE(*queue.get(), 2);
    QVERIFY(queue.taskDone());
    QVERIFY(queue.join(10s));
    others.terminate();
}

//
void tst_Queue::badItemIsReported()
{
    const auto queue = made(Queue<Fruit>::create());
    int told = 0;
    queue.onEncodeError([&told](const Error &error, const Fruit &fruit) {
        told += error.code == ErrorCode::EncodeError && fruit.name == "bad" ? 1 : 100;
    });
    const auto bad = queue.put({"bad", -1});
    QCOMPARE(codeOf(bad), ErrorCode::EncodeError);
    QVERIFY(bad.error().found.contains(u"no such weight"_s) ||
            errorText(bad.error()).contains(u"no such weight"_s));
    QCOMPARE(told, 1);
    QVERIFY(queue.put({"good", 7}));
    const auto good = queue.get(10s);
    QVERIFY(good);
    QCOMPARE(good->name, std::string("good"));
    QCOMPARE(good->weight, 7);
    QVERIFY(*queue.isEmpty());
}

//
void tst_Queue::closedQueueRefuses()
{
    const auto unused = made(Queue<int>::create());
    unused.close();
    QVERIFY(unused.join());
    const auto queue = made(Queue<int>::create(1));
    QVERIFY(queue.put(1));
    ErrorCode code = {};
    std::thread waiting([&] { code = codeOf(queue.put(2)); });
    queue.close();
    waiting.join();
    QCOMPARE(code, ErrorCode::Closed);
    QCOMPARE(codeOf(queue.put(2)), ErrorCode::Closed);
    QCOMPARE(codeOf(queue.get()), ErrorCode::Closed);
    QCOMPARE(codeOf(queue.isEmpty()), ErrorCode::Closed);
}

//
void tst_Queue::simpleQueueTellsWhetherItIsEmpty()
{
    Pool others = pool(1);
    const auto queue = made(Queue<int>::create());
    QCOMPARE(*others.apply<emptyBeforeAndAfter>(queue), (std::pair{true, false}));
    QVERIFY(!*queue.isEmpty());
    QCOMPARE(*queue.get(), 1);
    QVERIFY(*queue.isEmpty());
    queue.close();
    queue.close();
    QCOMPARE(codeOf(queue.isEmpty()), ErrorCode::Closed);
    others.terminate();
}

//
void tst_Queue::fillIsShared()
{
    Pool others = pool(1);
    const auto queue = made(Queue<int>::create(2));
    QVERIFY(queue.put(10));
    QVERIFY(queue.put(20));
    QCOMPARE(*others.apply<sizeAndFull>(queue), (std::pair{2, true}));
    QCOMPARE(*others.apply<takeAll>(queue, 2), (std::vector{10, 20}));
    QVERIFY(*queue.isEmpty());
    QVERIFY(!queue.isFull());
    others.terminate();
}

void tst_Queue::mostItemsAreNoted()
{
    const auto queue = Queue<int>::create().value();
    for (int i = 0; i < 5; ++i)
        QVERIFY(queue.put(i));
    for (int i = 0; i < 4; ++i)
        QCOMPARE(queue.get().value(), i);
    QCOMPARE(queue.mostItems(), 0);
    queue.noteMostItems();
    for (int i = 0; i < 2; ++i)
        QVERIFY(queue.put(i));
    QVERIFY(queue.get());
    QVERIFY(queue.put(2));
    QVERIFY(queue.putEnd());
    QCOMPARE(queue.mostItems(), 3);
}

void tst_Queue::nothingIsLostOrRepeated_data()
{
    QTest::addColumn<StartMethod>("method");
    QTest::addColumn<int>("processes");
    QTest::addColumn<int>("capacity");
    QTest::addColumn<Getting>("getting");
    for (const StartMethod method : {StartMethod::Spawn, StartMethod::ForkServer}) {
        const char *name = method == StartMethod::Spawn ? "spawn" : "forkserver";
        QTest::addRow("%s, one by one", name) << method << 1 << 0 << Getting::Blocking;
        QTest::addRow("%s, blocking", name) << method << 8 << 100 << Getting::Blocking;
        QTest::addRow("%s, polling", name) << method << 8 << 0 << Getting::Polling;
        QTest::addRow("%s, short limits", name) << method << 8 << 7 << Getting::ShortLimit;
    }
}

//
void tst_Queue::nothingIsLostOrRepeated()
{
    QFETCH(const int, processes);
    QFETCH(const int, capacity);
    QFETCH(const Getting, getting);
    const int count = processes == 1 ? 100 : 10'000;
    Pool others = pool(2 * processes);
    const auto queue = made(Queue<std::uint64_t>::create(capacity));
    std::vector<AsyncResult<std::monostate>> producers;
    std::vector<AsyncResult<std::pair<std::vector<std::uint64_t>, bool>>> consumers;
    for (int i = 0; i < processes; ++i) {
        producers.push_back(others.applyAsync<produce>(queue, i, count));
        consumers.push_back(others.applyAsync<consume>(queue, getting));
    }
    for (const auto &producer : producers)
        QVERIFY(producer.result(60s));
    QVERIFY(queue.putEnd(processes));
    std::vector<std::uint64_t> all;
    for (const auto &consumer : consumers) {
        const auto [got, isInOrder] = *consumer.result(60s);
        QVERIFY(isInOrder);
        all.insert(all.end(), got.begin(), got.end());
    }
    std::sort(all.begin(), all.end());
    QCOMPARE(all.size(), std::size_t(processes * count));
    QVERIFY(std::adjacent_find(all.begin(), all.end()) == all.end());
    QCOMPARE(all.front(), 0U);
    QCOMPARE(all.back(), std::uint64_t(processes - 1) << 32 | std::uint64_t(count - 1));
    QVERIFY(*queue.isEmpty());
    others.terminate();
}

void tst_Queue::itemsOfAnySize()
{
    Pool others = pool(2);
    const auto queue = made(Queue<QByteArray>::create());
    const QList<qsizetype> sizes = {0, 1, 7, 8, 65'000, 65'536, 500'000, 3'000'000, 20'000'000, 5};
    qint64 expected = 0;
    int items = 0;
    const auto received = others.applyAsync<sumOfBytes>(queue, 3 * int(sizes.size()));
    for (int round = 0; round < 3; ++round) {
        for (const qsizetype size : sizes) {
            QByteArray bytes(size, char(1 + items % 200));
            expected += size * (1 + items % 200);
            QVERIFY(queue.put(bytes));
            ++items;
        }
    }
    QCOMPARE(*received.result(60s), expected);
    others.terminate();
}

void tst_Queue::handlesTravel()
{
    Pool others = pool(1);
    const auto queue = made(Queue<Event>::create());
    const auto event = made(Event::create());
    {
        const auto sent = made(Event::create());
        QVERIFY(queue.put(sent)); // Only the queue holds it then.
    }
    QVERIFY(queue.put(event));
    QVERIFY(others.apply<setFrom>(queue));
    QVERIFY(!event.isSet());
    QVERIFY(others.apply<setFrom>(queue));
    QVERIFY(event.isSet());
    others.terminate();
}

void tst_Queue::handlesThatNobodyTakesGoWithTheQueue()
{
    const auto before = runtime::ObjectSpace::instance().usage();
    {
        const auto queue = made(Queue<Event>::create());
        for (int i = 0; i < 3; ++i)
            QVERIFY(queue.put(made(Event::create())));
        QCOMPARE(runtime::ObjectSpace::instance().usage().objects,
                 before.objects + 8); // A ring too.
    }
    QCOMPARE(runtime::ObjectSpace::instance().usage().objects, before.objects);
    QCOMPARE(runtime::ObjectSpace::instance().usage().bytes, before.bytes);
}

void tst_Queue::nothingStays()
{
    QTRY_COMPARE(runtime::ObjectSpace::instance().usage().objects, 0U);
    QCOMPARE(runtime::ObjectSpace::instance().usage().bytes, 0U);
    QCOMPARE(test::childPids().size(), 0);
}

PROCLAB_WORKER_TEST_MAIN(tst_Queue)
#include "tst_queue.moc"
