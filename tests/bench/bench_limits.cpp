// SPDX-License-Identifier: GPL-3.0-or-later

// Measures what must hold when things get many, large or go wrong: cost for each task from 1,000 to
// 10,000,000 of them, with 1 to 256 workers, for arguments of 8 bytes to 1 GiB; how soon the caller
// knows of a worker's death; a round trip to a worker that sleeps; programs run one after the
// other; an event of the trace that is always on. Prints one JSON object; bench_limits --quick
// leaves out the largest. With names of figures only those, for a profiler.

#include "core/base/codec.h"
#include "core/base/cores.h"
#include "core/memory/value.h"
#include "core/pool/pool.h"
#include "core/process/fork.h"
#include "core/process/process.h"
#include "core/process/worker_main.h"
#include "core/program/program.h"
#include "core/runtime/clock.h"
#include "core/runtime/trace/process_notes.h"

#include <QCoreApplication>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <poll.h>
#include <unistd.h>

using namespace proclab;

namespace {

int noop(int number)
{
    return number;
}

qint64 lengthOf(const std::vector<std::byte> &bytes)
{
    return static_cast<qint64>(bytes.size());
}

/// Says when it dies.
void die(Value<qint64> diedNs)
{
    diedNs.set(runtime::nowNs());
    ::raise(SIGKILL);
}

double microseconds(qint64 ns)
{
    return static_cast<double>(ns) / 1e3;
}

void print(const std::string &name, double value)
{
    std::printf(", \"%s\": %.3f", name.c_str(), value);
}

Pool openPool(int workers)
{
    return valueOrThrow(Pool::open({.workers = workers}));
}

/// Nanoseconds a task of a map() over @p count inputs.
double costOf(Pool &pool, int count, std::size_t chunkSize)
{
    const std::vector<int> inputs(static_cast<std::size_t>(count), 1);
    const qint64 begin = runtime::nowNs();
    (void)valueOrThrow(pool.map<&noop>(inputs, chunkSize));
    return static_cast<double>(runtime::nowNs() - begin) / count;
}

void measureCounts(bool isQuick)
{
    Pool pool = openPool(2);
    (void)costOf(pool, 10'000, 1'000);
    for (int count = 1'000; count <= (isQuick ? 1'000'000 : 10'000'000); count *= 10)
        print("map_ns_of_" + std::to_string(count), costOf(pool, count, 1'000));
    pool.terminate();
}

void measureWorkers()
{
    for (const int workers : {1, 2, 4, 16, 64, 256}) {
        Pool pool = openPool(workers);
        (void)costOf(pool, 10'000, 100);
        print("single_ns_with_" + std::to_string(workers), costOf(pool, 100'000, 1));
        pool.terminate();
    }
}

void measureSizes(bool isQuick)
{
    Pool pool = openPool(1);
    for (std::size_t size = 8; size <= (isQuick ? std::size_t{1} << 26 : std::size_t{1} << 30);
         size *= 8) {
        const std::vector<std::byte> bytes(size, std::byte{1});
        const int times = size > 1'000'000 ? 3 : 100;
        std::vector<qint64> spent;
        for (int i = 0; i < times; ++i) {
            const qint64 begin = runtime::nowNs();
            (void)valueOrThrow(pool.apply<&lengthOf>(bytes));
            spent.push_back(runtime::nowNs() - begin);
        }
        std::sort(spent.begin(), spent.end());
        print("argument_us_of_" + std::to_string(size), microseconds(spent[spent.size() / 2]));
    }
    pool.terminate();
}

void measureDeaths(int count)
{
    const auto diedNs = valueOrThrow(Value<qint64>::create(0, Locking::None));
    Pool pool = openPool(2);
    std::vector<qint64> noticed;
    for (int i = 0; i < count; ++i) {
        const auto result = pool.apply<&die>(diedNs);
        noticed.push_back(runtime::nowNs() - diedNs.get());
        if (result || result.error().code != ErrorCode::WorkerDied)
            std::abort();
    }
    std::sort(noticed.begin(), noticed.end());
    print("death_to_error_p50_us", microseconds(noticed[noticed.size() / 2]));
    print("death_to_error_p99_us", microseconds(noticed[noticed.size() * 99 / 100]));
    pool.terminate();
}

void measureParked(int count)
{
    Pool pool = openPool(1);
    std::vector<qint64> trips;
    for (int i = 0; i < count; ++i) {
        ::poll(nullptr, 0, 5); // Longer than anybody spins.
        const qint64 begin = runtime::nowNs();
        (void)valueOrThrow(pool.apply<&noop>(i));
        trips.push_back(runtime::nowNs() - begin);
    }
    std::sort(trips.begin(), trips.end());
    print("round_trip_parked_us", microseconds(trips[trips.size() / 2]));
    pool.terminate();
}

void measurePrograms(int count)
{
    const auto runAll = [](int number) {
        for (int i = 0; i < number; ++i)
            (void)valueOrThrow(Program::run({.arguments = {"true"}, .captureOutput = true}));
    };
    runAll(4);
    const qint64 begin = runtime::nowNs();
    runAll(count);
    print("program_runs_per_s", count * 1e9 / static_cast<double>(runtime::nowNs() - begin));
}

void measureForks(int count)
{
    allowForkHere();
    std::vector<Process> all;
    const qint64 begin = runtime::nowNs();
    for (int i = 0; i < count; ++i) {
        const auto child = valueOrThrow(Process::fork());
        if (!child)
            ::_exit(0);
        all.push_back(*child);
    }
    for (const Process &child : all)
        (void)child.join();
    print("process_fork_per_s", count * 1e9 / static_cast<double>(runtime::nowNs() - begin));
}

/// In the ring of this process, as its tasks and waits are recorded.
void measureTrace()
{
    const auto opensTree = valueOrThrow(Value<qint64>::create(0));
    runtime::EventRing &ring = runtime::ownNotes()->events;
    constexpr std::uint64_t count = 10'000'000;
    const qint64 begin = runtime::nowNs();
    for (std::uint64_t i = 0; i < count; ++i)
        ring.record(runtime::EventKind::TaskBegan, i, i);
    print("trace_record_ns", static_cast<double>(runtime::nowNs() - begin) / count);
}

} // namespace

int main(int argc, char **argv)
{
    if (const auto code = workerMain(argc, argv))
        return *code;
    QCoreApplication app(argc, argv);
    const bool isQuick = app.arguments().contains(QStringLiteral("--quick"));
    const std::pair<const char *, std::function<void()>> figures[] = {
        {"counts", [isQuick] { measureCounts(isQuick); }},
        {"workers", measureWorkers},
        {"sizes", [isQuick] { measureSizes(isQuick); }},
        {"deaths", [isQuick] { measureDeaths(isQuick ? 100 : 1'000); }},
        {"parked", [] { measureParked(200); }},
        {"programs", [isQuick] { measurePrograms(isQuick ? 50 : 300); }},
        {"forks", [isQuick] { measureForks(isQuick ? 50 : 300); }},
        {"trace", measureTrace},
    };
    QStringList wanted = app.arguments().mid(1);
    wanted.removeAll(QStringLiteral("--quick"));
    std::printf("{\"cores\": %d", usableCores());
    for (const auto &[name, measureFigure] : figures) {
        if (wanted.isEmpty() || wanted.contains(QLatin1String(name)))
            measureFigure();
    }
    std::printf("}\n");
    return 0;
}
