// SPDX-License-Identifier: GPL-3.0-or-later

// Measures what processes share (queues, pipes, values) beside Boost.Interprocess and the kernel's
// pipes, and prints one JSON object: what tests/bench/compare.py sets beside Python's figures.

#include "core/base/codec.h"
#include "core/call/remote_error.h"
#include "core/ipc/connection.h"
#include "core/ipc/queue.h"
#include "core/memory/value.h"
#include "core/pool/pool.h"
#include "core/process/process.h"
#include "core/process/worker_main.h"

#include <QCoreApplication>

#include <boost/interprocess/anonymous_shared_memory.hpp>
#include <boost/interprocess/ipc/message_queue.hpp>
#include <boost/interprocess/sync/interprocess_mutex.hpp>
#include <boost/interprocess/sync/scoped_lock.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

using namespace proclab;
namespace bip = boost::interprocess;

namespace {

using Item = std::array<char, 64>;
/// How many came, and when the last one did.
using Received = std::pair<qint64, qint64>;

constexpr int items = 2'000'000;
constexpr int peerItems = 500'000;
constexpr int bigMessages = 1'000;
constexpr std::size_t bigBytes = std::size_t{1} << 20;
constexpr int increments = 5'000'000;

double perSecond(double count, qint64 fromNs, qint64 toNs)
{
    return count * 1e9 / static_cast<double>(toNs - fromNs);
}

void print(const char *name, double value)
{
    std::printf(", \"%s\": %.0f", name, value);
}

// What the workers do.

void putItems(Queue<Item> queue, int count)
{
    const Item item = {};
    for (int i = 0; i < count; ++i)
        (void)queue.put(item);
}

Received getItems(Queue<Item> queue)
{
    qint64 count = 0;
    while (queue.get())
        ++count;
    return {count, runtime::nowNs()};
}

Received receiveItems(Connection connection)
{
    qint64 count = 0;
    while (connection.receive<Item>())
        ++count;
    return {count, runtime::nowNs()};
}

Received receiveBytes(Connection connection)
{
    qint64 bytes = 0;
    while (const auto message = connection.receiveBytes())
        bytes += message->size();
    return {bytes, runtime::nowNs()};
}

qint64 addUnderLock(Value<qint64> value, int count)
{
    for (int i = 0; i < count; ++i)
        value.update([](qint64 &number) { ++number; });
    return runtime::nowNs();
}

qint64 addAtomically(Value<qint64> value, int count)
{
    for (int i = 0; i < count; ++i)
        value.fetchAdd(1);
    return runtime::nowNs();
}

void echoItems(Queue<Item> requests, Queue<Item> answers)
{
    while (const auto item = requests.get())
        (void)answers.put(*item);
}

void echoMessages(Connection connection)
{
    while (const auto item = connection.receive<Item>())
        (void)connection.send(*item);
}

void doNothing() {}

/// The median of how long an item is under way to another process and back, both awake and both
/// asleep before each.
void printTrips(const std::string &name, const std::function<void()> &trip)
{
    constexpr int hotTrips = 20'000;
    constexpr int parkedTrips = 200;
    constexpr useconds_t longEnoughToSleepUs = 3'000;
    const auto median = [&trip](int count, useconds_t pauseUs) {
        std::vector<qint64> spent;
        for (int i = 0; i < count; ++i) {
            if (pauseUs > 0)
                ::usleep(pauseUs);
            const qint64 begin = runtime::nowNs();
            trip();
            spent.push_back(runtime::nowNs() - begin);
        }
        std::ranges::sort(spent);
        return static_cast<double>(spent[spent.size() / 2]) / 1'000;
    };
    std::printf(", \"%s_hot_us\": %.2f", name.c_str(), median(hotTrips, 0));
    std::printf(", \"%s_parked_us\": %.2f", name.c_str(), median(parkedTrips, longEnoughToSleepUs));
}

void measureTrips(Pool &pool)
{
    const Item item = {};
    {
        const auto requests = valueOrThrow(Queue<Item>::create(16));
        const auto answers = valueOrThrow(Queue<Item>::create(16));
        const auto echo = pool.applyAsync<&echoItems>(requests, answers);
        printTrips("queue_trip", [&] {
            (void)requests.put(item);
            (void)answers.get();
        });
        (void)requests.putEnd(1);
        (void)echo.result();
    }
    const auto [near, far] = valueOrThrow(Pipe::create());
    const auto echo = pool.applyAsync<&echoMessages>(far);
    printTrips("pipe_trip", [&, end = near] {
        (void)end.send(item);
        (void)end.receive<Item>();
    });
    far.close(); // This process' handle.
    near.close();
    (void)echo.result();
}

void measureQueue(Pool &pool, const char *name, int pairs, int capacity)
{
    const auto queue = valueOrThrow(Queue<Item>::create(capacity));
    std::vector<AsyncResult<Received>> consumers;
    std::vector<AsyncResult<std::monostate>> producers;
    const qint64 begin = runtime::nowNs();
    for (int i = 0; i < pairs; ++i) {
        consumers.push_back(pool.applyAsync<&getItems>(queue));
        producers.push_back(pool.applyAsync<&putItems>(queue, items / pairs));
    }
    for (const auto &producer : producers)
        (void)producer.result();
    (void)queue.putEnd(pairs);
    Received all = {0, 0};
    for (const auto &consumer : consumers) {
        const Received received = consumer.result().value();
        all = {all.first + received.first, std::max(all.second, received.second)};
    }
    if (all.first != items)
        std::abort();
    print(name, perSecond(items, begin, all.second));
}

void measurePipe(Pool &pool)
{
    {
        const auto [reader, writer] = valueOrThrow(Pipe::create(Pipe::Direction::OneWay));
        const auto received = pool.applyAsync<&receiveItems>(reader);
        const Item item = {};
        const qint64 begin = runtime::nowNs();
        for (int i = 0; i < items; ++i)
            (void)writer.send(item);
        writer.close();
        print("pipe_64_per_s", perSecond(items, begin, received.result().value().second));
    }
    const auto [reader, writer] = valueOrThrow(Pipe::create(Pipe::Direction::OneWay));
    const auto received = pool.applyAsync<&receiveBytes>(reader);
    const QByteArray message(qsizetype(bigBytes), 'x');
    const qint64 begin = runtime::nowNs();
    for (int i = 0; i < bigMessages; ++i)
        (void)writer.sendBytes(message);
    writer.close();
    print("pipe_1_mib_mib_per_s", perSecond(bigMessages, begin, received.result().value().second));
}

template<auto Add>
void measureValue(Pool &pool, const char *name, int processes, const Value<qint64> &value)
{
    std::vector<AsyncResult<qint64>> calls;
    const qint64 begin = runtime::nowNs();
    for (int i = 0; i < processes; ++i)
        calls.push_back(pool.applyAsync<Add>(value, increments / processes));
    qint64 end = begin;
    for (const auto &call : calls)
        end = std::max(end, call.result().value());
    if (value.get() != increments / processes * processes)
        std::abort();
    print(name, perSecond(increments, begin, end));
}

void measureStarts(const char *name, StartMethod method, int count)
{
    const auto startAll = [method](int number) {
        std::vector<Process> all;
        for (int i = 0; i < number; ++i) {
            all.push_back(valueOrThrow(Process::create<&doNothing>({.startMethod = method})));
            (void)all.back().start();
        }
        for (const Process &process : all)
            (void)process.join();
    };
    startAll(4);
    const qint64 begin = runtime::nowNs();
    startAll(count);
    print(name, perSecond(count, begin, runtime::nowNs()));
}

/// Runs @p read in a forked child, before which it may prepare, while @p write runs here; from the
/// first write to the child's end. This program has only threads that sleep then.
double peerPerSecond(int count, const std::function<void()> &write,
                     const std::function<void()> &read)
{
    const pid_t child = ::fork();
    if (child == 0) {
        read();
        ::_exit(0);
    }
    const qint64 begin = runtime::nowNs();
    write();
    ::waitpid(child, nullptr, 0);
    return perSecond(count, begin, runtime::nowNs());
}

void measureBoost()
{
    const std::string name = "proclab-bench-" + std::to_string(::getpid());
    bip::message_queue::remove(name.c_str());
    bip::message_queue queue(bip::create_only, name.c_str(), 1'024, sizeof(Item));
    const auto write = [&queue] {
        const Item item = {};
        for (int i = 0; i < peerItems; ++i)
            queue.send(item.data(), item.size(), 0);
    };
    const auto read = [&queue] {
        Item item;
        bip::message_queue::size_type size = 0;
        unsigned priority = 0;
        for (int i = 0; i < peerItems; ++i)
            queue.receive(item.data(), item.size(), size, priority);
    };
    print("boost_queue_per_s", peerPerSecond(peerItems, write, read));
    bip::message_queue::remove(name.c_str());
}

/// As printTrips(), with @p echo in a forked child until @p end makes it return.
void printPeerTrips(const std::string &name, const std::function<void()> &trip,
                    const std::function<void()> &echo, const std::function<void()> &end)
{
    std::fflush(stdout); // Else the child would have what is in the buffer too.
    const pid_t child = ::fork();
    if (child == 0) {
        echo();
        ::_exit(0);
    }
    printTrips(name, trip);
    end();
    ::waitpid(child, nullptr, 0);
}

void measureBoostTrips()
{
    const std::string name = "proclab-bench-" + std::to_string(::getpid());
    const std::string back = name + "-back";
    constexpr std::size_t endBytes = 0;
    bip::message_queue requests(bip::create_only, name.c_str(), 16, sizeof(Item));
    bip::message_queue answers(bip::create_only, back.c_str(), 16, sizeof(Item));
    Item item = {};
    bip::message_queue::size_type size = 0;
    unsigned priority = 0;
    printPeerTrips(
        "boost_queue_trip",
        [&] {
            requests.send(item.data(), item.size(), 0);
            answers.receive(item.data(), item.size(), size, priority);
        },
        [&] {
            for (;;) {
                requests.receive(item.data(), item.size(), size, priority);
                if (size == endBytes)
                    return;
                answers.send(item.data(), item.size(), 0);
            }
        },
        [&] { requests.send(item.data(), endBytes, 0); });
    bip::message_queue::remove(name.c_str());
    bip::message_queue::remove(back.c_str());
}

void measureKernelPipeTrips()
{
    int there[2];
    int back[2];
    if (::pipe(there) != 0 || ::pipe(back) != 0)
        return;
    Item item = {};
    const auto isWhole = [](ssize_t bytes) { return bytes == ssize_t{sizeof(Item)}; };
    printPeerTrips(
        "kernel_pipe_trip",
        [&] {
            if (!isWhole(::write(there[1], item.data(), item.size())) ||
                !isWhole(::read(back[0], item.data(), item.size())))
                std::abort();
        },
        [&] {
            ::close(there[1]);
            while (isWhole(::read(there[0], item.data(), item.size())) &&
                   isWhole(::write(back[1], item.data(), item.size()))) {
            }
        },
        [&] { ::close(there[1]); });
    for (const int end : {there[0], back[0], back[1]})
        ::close(end);
}

/// Increments under a Boost.Interprocess mutex, in one process and in two.
void measureBoostMutex()
{
    struct Counter
    {
        bip::interprocess_mutex mutex;
        qint64 number = 0;
    };
    bip::mapped_region memory(bip::anonymous_shared_memory(sizeof(Counter)));
    auto *counter = new (memory.get_address()) Counter;
    const auto add = [counter](int count) {
        for (int i = 0; i < count; ++i) {
            const bip::scoped_lock lock(counter->mutex);
            ++counter->number;
        }
    };
    const qint64 begin = runtime::nowNs();
    add(increments);
    print("boost_mutex_1_per_s", perSecond(increments, begin, runtime::nowNs()));
    print("boost_mutex_2_per_s",
          peerPerSecond(
              increments, [&add] { add(increments / 2); }, [&add] { add(increments / 2); }));
    if (counter->number != 2 * increments)
        std::abort();
}

void measureKernelPipe(const char *name, int messages, std::size_t bytes)
{
    int ends[2];
    if (::pipe(ends) != 0)
        return;
    std::vector<char> buffer(bytes);
    const auto write = [&] {
        for (int i = 0; i < messages; ++i) {
            for (std::size_t done = 0; done < bytes;)
                done += std::size_t(
                    std::max<ssize_t>(::write(ends[1], buffer.data() + done, bytes - done), 0));
        }
    };
    const auto read = [&] {
        for (int i = 0; i < messages; ++i) {
            for (std::size_t done = 0; done < bytes;)
                done += std::size_t(
                    std::max<ssize_t>(::read(ends[0], buffer.data() + done, bytes - done), 0));
        }
    };
    print(name, peerPerSecond(messages, write, read));
    ::close(ends[0]);
    ::close(ends[1]);
}

} // namespace

int main(int argc, char **argv)
{
    if (const auto code = workerMain(argc, argv))
        return *code;
    QCoreApplication application(argc, argv);
    std::printf("{\"items\": %d", items);
    Pool pool = valueOrThrow(Pool::open({.workers = 4}));
    measureQueue(pool, "queue_1_1_per_s", 1, 1'024);
    measureQueue(pool, "queue_2_2_per_s", 2, 1'024);
    measureQueue(pool, "queue_unbounded_per_s", 1, 0);
    measurePipe(pool);
    measureTrips(pool);
    const auto value = [](Locking locking) {
        return valueOrThrow(Value<qint64>::create(0, locking));
    };
    measureValue<&addUnderLock>(pool, "value_lock_1_per_s", 1, value(Locking::Own));
    measureValue<&addUnderLock>(pool, "value_lock_2_per_s", 2, value(Locking::Own));
    measureValue<&addAtomically>(pool, "value_atomic_2_per_s", 2, value(Locking::None));
    pool.close();
    (void)pool.join();
    measureStarts("process_spawn_per_s", StartMethod::Spawn, 100);
    measureStarts("process_forkserver_per_s", StartMethod::ForkServer, 200);
    measureBoost();
    measureBoostTrips();
    measureBoostMutex();
    measureKernelPipeTrips();
    measureKernelPipe("kernel_pipe_64_per_s", peerItems, sizeof(Item));
    measureKernelPipe("kernel_pipe_1_mib_mib_per_s", bigMessages, bigBytes);
    std::printf("}\n");
    return 0;
}
