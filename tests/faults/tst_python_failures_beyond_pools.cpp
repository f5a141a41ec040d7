// SPDX-License-Identifier: GPL-3.0-or-later

// As tst_python_failures.cpp: what executors, queues and shared memory of Python's multiprocessing
// do, and ProcLab's do not.

#include "core/executor/executor.h"
#include "core/ipc/queue.h"
#include "core/memory/array.h"
#include "core/process/engine.h"
#include "core/process/process.h"
#include "tests/faults/python_program.h"
#include "tests/support/results.h"
#include "tests/support/worker_test_main.h"

#include <QSet>

#include <numeric>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;
using test::made;

namespace {

constexpr auto patience = test::pythonPatience;
constexpr int calls = 20;
constexpr std::size_t itemBytes = 200'000;

std::tuple<int, qint64> numberAndPid(int number)
{
    return {number, ThisProcess::pid()};
}

/// The first call ends its worker.
int killAtZero(int number)
{
    if (number == 0)
        ::raise(SIGKILL);
    return number;
}

/// The first attempt at the first call ends its worker.
int killOnceAtZero(int number, Array<int> attempts)
{
    const int before =
        attempts.update([number](std::span<int> values) { return values[std::size_t(number)]++; });
    if (number == 0 && before == 0)
        ::raise(SIGKILL);
    return number;
}

void putLargeItem(Queue<std::vector<int>> queue)
{
    std::vector<int> item(itemBytes / sizeof(int));
    std::iota(item.begin(), item.end(), 0);
    (void)queue.put(item);
}

void addOne(Array<int> values)
{
    values.update([](std::span<int> all) { ++all.front(); });
}

} // namespace

class tst_PythonFailuresBeyondPools : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { static_cast<void>(Engine::global()); }

    void workersAreReplacedAfterSomeTasks_data() { test::addStartMethods(); }
    void workersAreReplacedAfterSomeTasks();
    void workersAreReplacedAfterSomeTasksInPython();
    void joinBeforeTheItemIsRead_data() { test::addStartMethods(); }
    void joinBeforeTheItemIsRead();
    void joinBeforeTheItemIsReadInPython();
    void oneOfFourWorkersIsKilled();
    void oneOfFourWorkersIsKilledAndItsCallRetried();
    void oneOfFourWorkersIsKilledInPython();
    void memoryOutlivesWhoUsedIt_data() { test::addStartMethods(); }
    void memoryOutlivesWhoUsedIt();
    void memoryOutlivesWhoUsedItInPython();
};

// ---- workers that are replaced after two tasks

void tst_PythonFailuresBeyondPools::workersAreReplacedAfterSomeTasks()
{
    QFETCH(const StartMethod, method);
    Executor executor =
        made(Executor::open({.workers = 1, .startMethod = method, .maxTasksPerWorker = 2}));
    std::vector<Future<std::tuple<int, qint64>>> futures;
    for (int i = 0; i < 10; ++i)
        futures.push_back(executor.submit<&numberAndPid>(i));
    QSet<qint64> pids;
    for (int i = 0; i < 10; ++i) {
        const auto [number, pid] = made(futures[std::size_t(i)].result(patience));
        QCOMPARE(number, i);
        pids.insert(pid);
    }
    QCOMPARE(pids.size(), 5);
    executor.shutdown();
}

void tst_PythonFailuresBeyondPools::workersAreReplacedAfterSomeTasksInPython()
{
    PROCLAB_NEED_PYTHON();
    QCOMPARE(test::whyNoHang(R"(
import concurrent.futures, multiprocessing
executor = concurrent.futures.ProcessPoolExecutor(
    1, mp_context=multiprocessing.get_context("spawn"), max_tasks_per_child=2)
futures = [executor.submit(abs, number) for number in range(10)]
futures[1].result()
print("begun", flush=True)
concurrent.futures.wait(futures)
print("ended", flush=True)
)"),
             QByteArray());
}

// ---- a process that has put a long item is waited for before that is read

void tst_PythonFailuresBeyondPools::joinBeforeTheItemIsRead()
{
    QFETCH(const StartMethod, method);
    const auto queue = made(Queue<std::vector<int>>::create());
    const auto child = made(Process::create<putLargeItem>({.startMethod = method}, queue));
    QVERIFY(child.start());
    QVERIFY(child.join(patience));
    QCOMPARE(made(child.exitCode()).value_or(-1), 0);
    const std::vector<int> item = made(queue.get(patience));
    QCOMPARE(item.size(), itemBytes / sizeof(int));
    for (std::size_t i = 0; i < item.size(); ++i)
        QCOMPARE(item[i], int(i));
}

void tst_PythonFailuresBeyondPools::joinBeforeTheItemIsReadInPython()
{
    PROCLAB_NEED_PYTHON();
    QCOMPARE(test::whyNoHang(R"(
import multiprocessing
context = multiprocessing.get_context("fork")
queue = context.Queue()
child = context.Process(target=queue.put, args=(bytes(200000),))
child.start()
print("begun", flush=True)
child.join()
print("ended", flush=True)
)"),
             QByteArray());
}

// ---- one of four workers is killed

void tst_PythonFailuresBeyondPools::oneOfFourWorkersIsKilled()
{
    Executor executor = made(Executor::open({.workers = 4, .onCrash = OnCrash::Fail}));
    std::vector<Future<int>> futures;
    for (int i = 0; i < calls; ++i)
        futures.push_back(executor.submit<&killAtZero>(i));
    const auto lost = futures.front().result(patience);
    QVERIFY(!lost);
    QCOMPARE(lost.error().code, ErrorCode::WorkerDied);
    for (int i = 1; i < calls; ++i)
        QCOMPARE(made(futures[std::size_t(i)].result(patience)), i);
    QCOMPARE(made(executor.submit<&killAtZero>(calls).result(patience)), calls); // It goes on.
    executor.shutdown();
}

void tst_PythonFailuresBeyondPools::oneOfFourWorkersIsKilledAndItsCallRetried()
{
    const auto attempts = made(Array<int>::create(calls));
    Executor executor = made(Executor::open({.workers = 4, .onCrash = OnCrash::Retry}));
    std::vector<Future<int>> futures;
    for (int i = 0; i < calls; ++i)
        futures.push_back(executor.submit<&killOnceAtZero>(i, attempts));
    for (int i = 0; i < calls; ++i) {
        QCOMPARE(made(futures[std::size_t(i)].result(patience)), i);
        QCOMPARE(made(attempts.get(std::size_t(i))), i == 0 ? 2 : 1);
    }
    executor.shutdown();
}

void tst_PythonFailuresBeyondPools::oneOfFourWorkersIsKilledInPython()
{
    PROCLAB_NEED_PYTHON();
    test::PythonProgram python(R"(
import concurrent.futures, multiprocessing, os, signal, time
def work(number):
    if number == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(1)
executor = concurrent.futures.ProcessPoolExecutor(
    4, mp_context=multiprocessing.get_context("fork"))
futures = [executor.submit(work, number) for number in range(20)]
print("lost", sum(future.exception() is not None for future in futures), flush=True)
try:
    executor.submit(abs, 1)
except concurrent.futures.process.BrokenProcessPool:
    print("unusable", flush=True)
)");
    const auto lost = python.waitForLine("lost", patience);
    QVERIFY2(lost, python.errors().constData());
    QCOMPARE(lost->toInt(), calls);
    QVERIFY(python.waitForLine("unusable", patience));
}

// ---- memory that a process has used which ends

void tst_PythonFailuresBeyondPools::memoryOutlivesWhoUsedIt()
{
    QFETCH(const StartMethod, method);
    const auto values = made(Array<int>::create(4'096));
    for (int i = 0; i < 3; ++i) {
        const auto child = made(Process::create<addOne>({.startMethod = method}, values));
        QVERIFY(child.start());
        QVERIFY(child.join(patience));
        QCOMPARE(made(child.exitCode()).value_or(-1), 0);
        QCOMPARE(made(values.get(0)), i + 1);
    }
    QVERIFY(values.set(4'095, 7));
    QCOMPARE(made(values.get(4'095)), 7);
}

void tst_PythonFailuresBeyondPools::memoryOutlivesWhoUsedItInPython()
{
    PROCLAB_NEED_PYTHON();
    test::PythonProgram python(R"(
import subprocess, sys, time
from multiprocessing import shared_memory
memory = shared_memory.SharedMemory(create=True, size=4096)
attach = 'import sys; from multiprocessing.shared_memory import *; SharedMemory(sys.argv[1])'
subprocess.run([sys.executable, "-c", attach, memory.name], stderr=subprocess.DEVNULL)
end = time.monotonic() + 20
try:
    while time.monotonic() < end:
        shared_memory.SharedMemory(memory.name).close()
        time.sleep(0.01)
    memory.unlink()
    print("memory is there", flush=True)
except FileNotFoundError:
    print("memory is gone", flush=True)
)");
    const auto memory = python.waitForLine("memory is", patience);
    QVERIFY2(memory, python.errors().constData());
    QVERIFY2(*memory == "gone", "this Python has been mended");
}

PROCLAB_WORKER_TEST_MAIN(tst_PythonFailuresBeyondPools)
#include "tst_python_failures_beyond_pools.moc"
