// SPDX-License-Identifier: GPL-3.0-or-later

// Measures typed calls and prints one JSON object: rates, the best of several runs, and what noise
// does not touch, allocations a call. With a name of a figure only that one, for a profiler.

#include "core/executor/executor.h"
#include "core/memory/shared_bytes.h"
#include "core/pool/pool.h"
#include "core/process/worker_main.h"

#include <QCoreApplication>
#include <QThread>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string_view>
#include <thread>
#include <vector>

namespace {

std::atomic<quint64> allocations{0};

} // namespace

void *operator new(std::size_t size)
{
    allocations.fetch_add(1, std::memory_order_relaxed);
    if (void *memory = std::malloc(size))
        return memory;
    std::abort();
}

void operator delete(void *memory) noexcept
{
    std::free(memory);
}

void operator delete(void *memory, std::size_t) noexcept
{
    std::free(memory);
}

using namespace proclab;

namespace {

int noop(int number)
{
    return number;
}

std::size_t sizeOf(const QByteArray &bytes)
{
    return static_cast<std::size_t>(bytes.size());
}

/// 64 MiB that each worker fills once: what is measured is how they are handed over.
SharedBytes filledBytes(int)
{
    static const SharedBytes filled = [] {
        const SharedBytes bytes = SharedBytes::allocate(64 << 20).value();
        std::fill_n(bytes.writable().data(), bytes.size(), std::byte{1});
        return bytes;
    }();
    return filled;
}

std::size_t sizeOfShared(const SharedBytes &bytes)
{
    return bytes.size();
}

struct Cost
{
    double ns = 1e18; ///< A call, at best.
    double allocations = 1e18;
};

/// The best of several runs of @p run, which makes @p calls calls.
template<typename Run>
Cost measure(int runs, double calls, Run run)
{
    Cost best;
    for (int i = 0; i < runs; ++i) {
        const quint64 before = allocations.load();
        const qint64 begin = runtime::nowNs();
        run();
        best.ns = std::min(best.ns, static_cast<double>(runtime::nowNs() - begin) / calls);
        best.allocations =
            std::min(best.allocations, static_cast<double>(allocations.load() - before) / calls);
    }
    return best;
}

void print(const char *name, const Cost &cost)
{
    std::printf(",\n  \"%s_per_s\": %.0f, \"%s_us\": %.2f, \"%s_allocations\": %.3f", name,
                1e9 / cost.ns, name, cost.ns / 1e3, name, cost.allocations);
}

/// @p submit gives a future of noop() of its argument.
template<typename Submit>
void submitAll(int calls, Submit submit)
{
    std::vector<Future<int>> handles;
    handles.reserve(static_cast<std::size_t>(calls));
    for (int i = 0; i < calls; ++i)
        handles.push_back(submit(i));
    for (int i = 0; i < calls; ++i) {
        if (handles[static_cast<std::size_t>(i)].result().value() != i)
            std::abort();
    }
}

void submitFromThreads(Pool &pool, int threads, int calls)
{
    std::vector<std::thread> all;
    for (int i = 0; i < threads; ++i)
        all.emplace_back([&pool, calls, threads] {
            submitAll(calls / threads, [&pool](int n) { return pool.applyAsync<&noop>(n); });
        });
    for (std::thread &one : all)
        one.join();
}

} // namespace

int main(int argc, char **argv)
{
    if (const auto code = workerMain(argc, argv))
        return *code;
    QCoreApplication application(argc, argv);
    const std::string_view only = argc > 1 ? argv[1] : "";
    const auto isWanted = [only](std::string_view name) { return only.empty() || only == name; };
    Result<Pool> pool = Pool::open({.workers = std::max(1, QThread::idealThreadCount() - 1)});
    if (!pool)
        return 1;
    constexpr int calls = 300'000;
    std::printf("{\"cores\": %d", QThread::idealThreadCount());
    if (isWanted("future"))
        print("future", measure(7, calls, [&] {
                  submitAll(calls, [&](int n) { return pool->applyAsync<&noop>(n); });
              }));
    if (isWanted("future_3_threads"))
        print("future_3_threads", measure(5, calls, [&] { submitFromThreads(*pool, 3, calls); }));
    const std::vector<int> inputs(5'000'000, 1);
    if (isWanted("map"))
        print("map", measure(5, double(inputs.size()), [&] {
                  if (pool->map<&noop>(inputs, 1'000).value() != inputs)
                      std::abort();
              }));
    if (isWanted("apply"))
        print("apply", measure(5, 20'000, [&] {
                  for (int i = 0; i < 20'000; ++i)
                      static_cast<void>(pool->apply<&noop>(i));
              }));
    const QByteArray large(64 << 20, 'x');
    if (isWanted("copied_64_mib"))
        print("copied_64_mib",
              measure(5, 1, [&] { static_cast<void>(pool->apply<&sizeOf>(large)); }));
    const SharedBytes shared = SharedBytes::allocate(64 << 20).value();
    std::fill_n(shared.writable().data(), shared.size(), std::byte{1});
    if (isWanted("shared_64_mib"))
        print("shared_64_mib", measure(5, 1000, [&] {
                  for (int i = 0; i < 1000; ++i)
                      static_cast<void>(pool->apply<&sizeOfShared>(shared));
              }));
    if (isWanted("result_64_mib"))
        print("result_64_mib", measure(5, 1000, [&] {
                  for (int i = 0; i < 1000; ++i)
                      static_cast<void>(pool->apply<&filledBytes>(i));
              }));
    pool->close();
    if (isWanted("executor_future")) {
        Executor executor = Executor::open().value();
        const ExecutorScope scope(executor);
        print("executor_future", measure(5, calls, [&] {
                  submitAll(calls, [&](int n) { return executor.submit<&noop>(n); });
              }));
    }
    std::printf("\n}\n");
    return 0;
}
