// SPDX-License-Identifier: GPL-3.0-or-later

// What Python's multiprocessing does when something dies, and ProcLab must not: each failure is a
// pair of functions, `…` for ProcLab and `…InPython` for the proof that the failure is real. Those
// beside Pool's are in tst_python_failures_beyond_pools.cpp.

#include "core/call/remote_error.h"
#include "core/pool/pool.h"
#include "core/process/engine.h"
#include "core/process/worker_main.h"
#include "tests/faults/python_program.h"
#include "tests/support/leak_check.h"

#include <QCoreApplication>
#include <QFile>
#include <QTest>

#include <cstdio>
#include <cstring>
#include <ranges>

#include <sys/wait.h>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;

namespace {

constexpr auto patience = test::pythonPatience;

/// An exception that takes two values and tells one: nobody can make it anew from its text.
class Unbuildable : public std::exception
{
public:
    Unbuildable(int first, int second) : m_first(first), m_second(second) {}
    const char *what() const noexcept override { return m_first < m_second ? "less" : "more"; }

private:
    int m_first;
    int m_second;
};

int ownPid(int)
{
    return ::getpid();
}

int killItself(int)
{
    return ::raise(SIGKILL);
}

int throwUnbuildable(int number)
{
    throw Unbuildable(number, number + 1);
}

int beBusy(int)
{
    for (;;)
        runtime::spinPause();
}

int square(int number)
{
    return number * number;
}

/// A program with a pool, which the test kills; prints its workers.
int programToKill(bool isBusy)
{
    Result<Pool> pool = Pool::open({.workers = 3});
    if (!pool)
        return 3;
    std::vector<AsyncResult<int>> calls;
    for (int i = 0; isBusy && i < 3; ++i)
        calls.push_back(pool->applyAsync<&beBusy>(i));
    if (!isBusy && !pool->apply<&square>(3))
        return 3;
    std::printf("begun");
    for (const qint64 pid : pool->workerPids())
        std::printf(" %lld", pid);
    std::printf("\n");
    std::fflush(stdout);
    for (;;)
        ::pause();
}

/// Ticks that @p pid has run; nothing: it is gone, or a zombie.
std::optional<qint64> runningTicks(qint64 pid)
{
    QFile stat(u"/proc/%1/stat"_s.arg(pid)); // Number, (name), state, parent …
    if (!stat.open(QIODevice::ReadOnly))
        return std::nullopt;
    const QByteArray line = stat.readAll();
    const QList<QByteArray> fields = line.mid(line.lastIndexOf(')') + 2).split(' ');
    if (fields.size() < 13 || fields[0] == "Z")
        return std::nullopt;
    return fields[11].toLongLong() + fields[12].toLongLong();
}

std::vector<qint64> numbersIn(const QByteArray &line)
{
    std::vector<qint64> numbers;
    for (const QByteArray &word : line.split(' '))
        numbers.push_back(word.toLongLong());
    return numbers;
}

} // namespace

class tst_PythonFailures : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { static_cast<void>(Engine::global()); } // Orphans come to this program.
    void init() { m_before.emplace(); }
    void cleanup() { QTRY_COMPARE(m_before->leftovers(), QString()); }

    void taskThatKillsItself();
    void taskThatKillsItselfInPython();
    void idleWorkerIsKilled();
    void idleWorkerIsKilledInPython();
    void exceptionThatCannotBeRebuilt();
    void exceptionThatCannotBeRebuiltInPython();
    void parentIsKilled_data();
    void parentIsKilled();
    void parentIsKilledInPython();
    void lazyMapReadsAhead();
    void lazyMapReadsAheadInPython();

private:
    std::optional<test::LeakCheck> m_before;
};

// ---- a task's worker is killed

void tst_PythonFailures::taskThatKillsItself()
{
    Result<Pool> pool = Pool::open({.workers = 2});
    QVERIFY(pool);
    const auto result = pool->applyAsync<&killItself>(0).result(patience);
    QVERIFY(!result);
    QCOMPARE(result.error().code, ErrorCode::WorkerDied);
    QVERIFY2(result.error().subject.contains(u"killItself"_s) &&
                 result.error().subject.contains(u"PID"_s) &&
                 result.error().found.contains(u"SIGKILL"_s),
             qPrintable(errorText(result.error())));
    QCOMPARE(pool->applyAsync<&square>(3).result(patience).value(), 9);
    pool->close();
    QVERIFY(pool->join(patience));
}

void tst_PythonFailures::taskThatKillsItselfInPython()
{
    PROCLAB_NEED_PYTHON();
    QCOMPARE(test::whyNoHang(R"(
import multiprocessing, os, signal
def kill_itself():
    os.kill(os.getpid(), signal.SIGKILL)
pool = multiprocessing.get_context("fork").Pool(2)
result = pool.apply_async(kill_itself)
print("begun", flush=True)
result.get()
print("ended", flush=True)
)"),
             QByteArray());
}

// ---- an idle worker is killed

void tst_PythonFailures::idleWorkerIsKilled()
{
    Result<Pool> pool = Pool::open({.workers = 1});
    QVERIFY(pool);
    const int before = pool->apply<&ownPid>(0).value();
    QCOMPARE(::kill(before, SIGKILL), 0);
    // It may be alive for another instant, and take the next call with it: not the one after that.
    const auto next = pool->applyAsync<&ownPid>(0);
    const auto last = pool->applyAsync<&ownPid>(0);
    QVERIFY(next.wait(patience));
    const auto pid = last.result(patience);
    QVERIFY2(pid, qPrintable(pid ? QString() : errorText(pid.error())));
    QVERIFY(*pid != before);
    pool->close();
    QVERIFY(pool->join(patience));
}

void tst_PythonFailures::idleWorkerIsKilledInPython()
{
    PROCLAB_NEED_PYTHON();
    // The pause lets the worker go to sleep at the queue, whose lock it then holds for ever.
    QCOMPARE(test::whyNoHang(R"(
import multiprocessing, os, signal, time
pool = multiprocessing.get_context("fork").Pool(1)
pid = pool.apply(os.getpid)
time.sleep(0.3)
os.kill(pid, signal.SIGKILL)
print("begun", flush=True)
pool.apply(os.getpid)
print("ended", flush=True)
)"),
             QByteArray());
}

// ---- an exception arrives that nobody can make anew

void tst_PythonFailures::exceptionThatCannotBeRebuilt()
{
    Result<Pool> pool = Pool::open({.workers = 1});
    QVERIFY(pool);
    const auto failed = pool->applyAsync<&throwUnbuildable>(1);
    const auto good = pool->applyAsync<&square>(3);
    QCOMPARE(good.result(patience).value(), 9);
    const auto result = failed.result(patience);
    QVERIFY(!result);
    QCOMPARE(result.error().code, ErrorCode::RemoteError);
    QVERIFY(result.error().remote->type.contains(u"Unbuildable"_s));
    QCOMPARE(result.error().remote->message, u"less"_s);
    QVERIFY_THROWS_EXCEPTION(RemoteError, valueOrThrow(result));
    pool->close();
    QVERIFY(pool->join(patience));
}

void tst_PythonFailures::exceptionThatCannotBeRebuiltInPython()
{
    PROCLAB_NEED_PYTHON();
    QCOMPARE(test::whyNoHang(R"(
import multiprocessing, os
class Unbuildable(Exception):
    def __init__(self, first, second):
        super().__init__(first)
def fail():
    raise Unbuildable(1, 2)
pool = multiprocessing.get_context("fork").Pool(1)
failed = pool.apply_async(fail)
good = pool.apply_async(os.getpid)
print("begun", flush=True)
good.get()
print("ended", flush=True)
)"),
             QByteArray());
}

// ---- the program is killed

void tst_PythonFailures::parentIsKilled_data() // SC-27
{
    QTest::addColumn<QString>("option");
    QTest::newRow("workers busy") << u"--busy-program"_s;
    QTest::newRow("workers idle") << u"--idle-program"_s;
}

void tst_PythonFailures::parentIsKilled()
{
    QFETCH(const QString, option);
    QProcess program;
    program.setChildProcessModifier([] { ::prctl(PR_SET_PDEATHSIG, SIGKILL); });
    program.start(QCoreApplication::applicationFilePath(), {option});
    QTRY_VERIFY_WITH_TIMEOUT(program.canReadLine(), 30'000);
    const QByteArray line = program.readLine().trimmed();
    const std::vector<qint64> workers = numbersIn(line.mid(qstrlen("begun ")));
    QCOMPARE(workers.size(), std::size_t{3});
    for (const qint64 pid : workers)
        QVERIFY(runningTicks(pid));
    program.kill();
    QVERIFY(program.waitForFinished(30'000));
    const auto areGone = [&workers] {
        return std::ranges::none_of(workers,
                                    [](qint64 pid) { return runningTicks(pid).has_value(); });
    };
    QTRY_VERIFY_WITH_TIMEOUT(areGone(), 5'000);
    for (const qint64 pid : test::childPids()) // It left them to this program.
        ::waitpid(static_cast<pid_t>(pid), nullptr, 0);
}

void tst_PythonFailures::parentIsKilledInPython()
{
    PROCLAB_NEED_PYTHON();
    test::PythonProgram python(R"(
import multiprocessing, time
context = multiprocessing.get_context("fork")
started = context.Semaphore(0)
def be_busy():
    started.release()
    end = time.monotonic() + 60
    while time.monotonic() < end:
        pass
pool = context.Pool(2)
for i in range(2):
    pool.apply_async(be_busy)
for i in range(2):
    started.acquire()
print("begun", *[process.pid for process in pool._pool], flush=True)
time.sleep(60)
)");
    const auto line = python.waitForLine("begun", patience);
    QVERIFY2(line, python.errors().constData());
    const std::vector<qint64> workers = numbersIn(*line);
    QCOMPARE(workers.size(), std::size_t{2});
    python.kill();
    // Both go on, at full CPU.
    for (const qint64 pid : workers) {
        const std::optional<qint64> before = runningTicks(pid);
        QVERIFY(before);
        QTRY_VERIFY_WITH_TIMEOUT(runningTicks(pid).value_or(0) > *before + 20, 30'000);
    }
    const QSet<qint64> children = test::childPids();
    for (const qint64 pid : workers) {
        QVERIFY(children.contains(pid)); // They are this program's now, so the number is theirs.
        QCOMPARE(::kill(static_cast<pid_t>(pid), SIGKILL), 0);
        QCOMPARE(::waitpid(static_cast<pid_t>(pid), nullptr, 0), static_cast<pid_t>(pid));
    }
}

// ---- a lazy map is asked for one result

void tst_PythonFailures::lazyMapReadsAhead()
{
    Result<Pool> pool = Pool::open({.workers = 2});
    QVERIFY(pool);
    int taken = 0;
    auto endless = std::views::iota(0) | std::views::transform([&taken](int number) {
                       ++taken;
                       return number;
                   });
    auto results = pool->imap<&square>(endless);
    QCOMPARE(results.next(patience).value(), 0);
    QVERIFY2(taken <= 1 + 2 * pool->workerCount(), qPrintable(QString::number(taken)));
    pool->terminate();
    QVERIFY(pool->join(patience));
}

void tst_PythonFailures::lazyMapReadsAheadInPython()
{
    PROCLAB_NEED_PYTHON();
    test::PythonProgram python(R"(
import multiprocessing, os, time
taken = 0
def inputs():
    global taken
    for number in range(100000):
        taken += 1
        yield number
pool = multiprocessing.get_context("fork").Pool(2)
results = pool.imap(abs, inputs())
next(results)
end = time.monotonic() + 20
while taken < 1000 and time.monotonic() < end:
    time.sleep(0.01)
print("taken", taken, flush=True)
os._exit(0)
)");
    const auto taken = python.waitForLine("taken", patience);
    QVERIFY2(taken, python.errors().constData());
    QVERIFY2(taken->toInt() >= 1'000, taken->constData());
}

int main(int argc, char **argv)
{
    if (const auto code = workerMain(argc, argv))
        return *code;
    QCoreApplication app(argc, argv);
    if (argc == 2 && std::strcmp(argv[1], "--busy-program") == 0)
        return programToKill(true);
    if (argc == 2 && std::strcmp(argv[1], "--idle-program") == 0)
        return programToKill(false);
    tst_PythonFailures test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_python_failures.moc"
