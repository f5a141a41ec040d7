// SPDX-License-Identifier: GPL-3.0-or-later

// Measures what processes share (queues, pipes, values) beside Boost.Interprocess and the kernel's
// pipes, and prints one JSON object: what tests/bench/compare.py sets beside Python's figures.

#include "core/executor/remote_error.h"
#include "core/ipc/connection.h"
#include "core/ipc/queue.h"
#include "core/memory/value.h"
#include "core/payload/codec.h"
#include "core/pool/pool.h"
#include "core/process/process.h"
#include "core/process/worker_main.h"

#include <QCoreApplication>

#include <boost/interprocess/ipc/message_queue.hpp>

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

void doNothing() {}

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
    measureKernelPipe("kernel_pipe_64_per_s", peerItems, sizeof(Item));
    measureKernelPipe("kernel_pipe_1_mib_mib_per_s", bigMessages, bigBytes);
    std::printf("}\n");
    return 0;
}
