// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/executor/executor.h"
#include "core/ipc/queue.h"
#include "core/memory/value.h"
#include "core/pool/pool.h"
#include "core/process/fork.h"
#include "core/process/process.h"
#include "core/sync/event.h"
#include "core/sync/lock.h"
#include "tests/support/leak_check.h"
#include "tests/support/results.h"
#include "tests/support/worker_test_main.h"

#include <QDir>
#include <QProcess>
#include <QTemporaryFile>

#include <csignal>
#include <iostream>
#include <thread>

#include <poll.h>
#include <unistd.h>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;
using test::codeOf;
using test::made;

namespace {

int square(int x)
{
    return x * x;
}

void doNothing() {}

/// Until it is killed; that a thread of its parent ends interrupts it.
[[noreturn]] void sleepLong()
{
    for (;;)
        ::poll(nullptr, 0, 100'000);
}

/// What a forked process does with all that the engine offers; 0: all was right.
int useEngine(const Lock &lock, const Queue<int> &queue)
{
    if (!lock.acquire(60s) || !lock.release())
        return 1;
    if (!queue.put(1, 60s))
        return 2;
    auto pool = Pool::open({.workers = 1});
    if (!pool || *pool->apply<square>(7) != 49)
        return 3;
    pool->close();
    if (!pool->join(60s))
        return 4;
    const auto child = Process::create<doNothing>({.startMethod = StartMethod::Fork});
    if (!child || !child->start() || !child->join(60s) || *child->exitCode() != 0)
        return 5;
    return 0;
}

/// Waits for the end of a forked process; its exit code.
int endOf(const Process &process)
{
    return process.join(60s) ? process.exitCode()->value() : -1000;
}

} // namespace

/// Runs itself as a program that says something and forks; see textComesOutOnce().
static void sayAndFork(bool isPlain)
{
    allowForkHere();
    std::fputs("printed ", stdout);
    std::ios::sync_with_stdio(false);
    std::cout << "streamed ";
    if (isPlain) {
        const auto child = made(Process::fork());
        if (!child)
            std::exit(0);
        (void)child->join();
    } else {
        const auto child = made(Process::create<doNothing>({.startMethod = StartMethod::Fork}));
        (void)child.start();
        (void)child.join();
    }
}

class tst_Fork : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void needsPermission();
    void onlyTheCallingThreadGoesOn();
    void endsAreTold_data();
    void endsAreTold();
    void hooksRunInOrder();
    void locksAreFreeInTheChild();
    void whatIsTheParentsStaysIts();
    void textComesOutOnce_data();
    void textComesOutOnce();
    void parentsExitHandlersAreNotRun();
    void daemonMayNotFork();
    void diesWithItsParent();
    void nothingStays();
};

void tst_Fork::initTestCase()
{
#if defined(__SANITIZE_THREAD__)
    QSKIP("ThreadSanitizer knows no threads in a child of many threads");
#endif
}

void tst_Fork::needsPermission()
{
    QVERIFY(!isForkAllowed());
    QCOMPARE(codeOf(Process::fork()), ErrorCode::InvalidState);
    // A Process is forked from the zygote then, whose memory is not this one's.
    const auto child = made(Process::create<doNothing>({.startMethod = StartMethod::Fork}));
    QVERIFY(child.start());
    QCOMPARE(endOf(child), 0);
    allowForkHere();
    QVERIFY(isForkAllowed());
}

// PR-30
void tst_Fork::onlyTheCallingThreadGoesOn()
{
    std::atomic<bool> isOver = false;
    std::atomic<int> running = 0;
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&isOver, &running] {
            ++running;
            while (!isOver)
                std::this_thread::yield();
        });
    }
    QTRY_COMPARE(running.load(), 4);
    const auto child = made(Process::fork());
    if (!child) {
        const auto count = QDir(u"/proc/self/task"_s).entryList(QDir::NoDotAndDotDot | QDir::Dirs);
        ::_exit(static_cast<int>(count.size()));
    }
    isOver = true;
    QCOMPARE(endOf(*child), 1);
}

void tst_Fork::endsAreTold_data()
{
    QTest::addColumn<int>("code");
    QTest::newRow("exit 0") << 0;
    QTest::newRow("exit 23") << 23;
    QTest::newRow("SIGKILL") << -SIGKILL;
}

// PR-30
void tst_Fork::endsAreTold()
{
    QFETCH(const int, code);
    const auto event = made(Event::create());
    const auto child = made(Process::fork());
    if (!child) {
        (void)event.wait();
        if (code < 0)
            ::raise(-code);
        std::exit(code);
    }
    QVERIFY(*child->pid() != ThisProcess::pid());
    QVERIFY(!child->exitCode()->has_value());
    QCOMPARE(codeOf(child->join(0s)), ErrorCode::Timeout);
    event.set();
    QCOMPARE(endOf(*child), code);
}

// PR-31
void tst_Fork::hooksRunInOrder()
{
    QCOMPARE(codeOf(addForkHooks({})), ErrorCode::InvalidArgument);
    static std::string calls; // Hooks stay.
    for (const char name : {'a', 'b'}) {
        const auto note = [name](char when) {
            return [name, when] { calls += {when, name, ' '}; };
        };
        QVERIFY(addForkHooks({.before = note('-'), .inParent = note('p'), .inChild = note('c')}));
    }
    QVERIFY(addForkHooks({.before = [] { calls += '|'; }}));
    calls.clear();
    const auto queue = made(Queue<std::string>::create());
    const auto child = made(Process::fork());
    if (!child) {
        (void)queue.put(calls);
        std::exit(0);
    }
    QCOMPARE(calls, std::string("|-b -a pa pb "));
    QCOMPARE(*queue.get(60s), std::string("|-b -a ca cb "));
    QCOMPARE(endOf(*child), 0);
}

// PR-32
void tst_Fork::locksAreFreeInTheChild()
{
#if defined(__SANITIZE_ADDRESS__)
    QSKIP("AddressSanitizer's own locks are not free in a child of many threads");
#endif
    const auto lock = made(Lock::create());
    const auto queue = made(Queue<int>::create());
    Pool pool = made(Pool::open({.workers = 2}));
    std::atomic<bool> isOver = false;
    const auto keepDoing = [&isOver](auto work) {
        return std::jthread([&isOver, work] {
            while (!isOver)
                work();
        });
    };
    std::vector<std::jthread> threads;
    threads.push_back(keepDoing([&pool] { (void)pool.apply<square>(3); }));
    threads.push_back(keepDoing([&pool] { (void)pool.map<square>(std::vector(100, 2)); }));
    threads.push_back(keepDoing([&lock] {
        if (lock.acquire())
            (void)lock.release();
    }));
    threads.push_back(keepDoing([&queue] {
        (void)queue.put(2);
        (void)queue.get(1s);
    }));
    threads.push_back(keepDoing([] {
        if (auto other = Pool::open({.workers = 1})) {
            (void)other->apply<square>(1);
            other->terminate();
        }
    }));
    for (int i = 0; i < 50; ++i) {
        const auto child = made(Process::fork());
        if (!child)
            std::exit(useEngine(lock, queue));
        const int code = endOf(*child);
        if (code != 0)
            isOver = true;
        QCOMPARE(code, 0);
    }
    isOver = true;
    threads.clear();
    pool.close();
    QVERIFY(pool.join(60s));
}

/// Nothing in the child waits for what only the parent gets.
void tst_Fork::whatIsTheParentsStaysIts()
{
    auto pool = std::make_unique<Pool>(made(Pool::open({.workers = 1})));
    const auto sibling = made(Process::create<sleepLong>({.startMethod = StartMethod::Fork}));
    QVERIFY(sibling.start());
    const auto held = made(Event::create());
    const auto pending = pool->applyAsync<square>(4);
    const auto queue = made(Queue<int>::create());
    const auto child = made(Process::fork());
    if (!child) {
        (void)queue.put(int(codeOf(pool->apply<square>(5))));
        (void)queue.put(int(codeOf(pool->join())));
        (void)queue.put(int(codeOf(sibling.join())));
        (void)queue.put(int(codeOf(sibling.kill())));
        (void)queue.put(static_cast<int>(Process::activeChildren().size()));
        pool.reset(); // Ends nobody.
        std::exit(0);
    }
    for (int i = 0; i < 4; ++i)
        QCOMPARE(ErrorCode(*queue.get(60s)), ErrorCode::InvalidState);
    QCOMPARE(*queue.get(60s), 0);
    QCOMPARE(endOf(*child), 0);
    QCOMPARE(*pending.result(), 16);
    QCOMPARE(*pool->apply<square>(6), 36);
    pool->close();
    QVERIFY(pool->join(60s));
    QCOMPARE(*sibling.isAlive(), true);
    QVERIFY(sibling.kill());
    QCOMPARE(endOf(sibling), -SIGKILL);
}

void tst_Fork::textComesOutOnce_data()
{
    QTest::addColumn<QString>("role");
    QTest::newRow("Process") << u"say-process"_s;
    QTest::newRow("plain") << u"say-plain"_s;
}

// PR-28
void tst_Fork::textComesOutOnce()
{
    QFETCH(const QString, role);
    QProcess program;
    program.start(QCoreApplication::applicationFilePath(), {role});
    QVERIFY(program.waitForFinished(60'000));
    QCOMPARE(program.exitCode(), 0);
    const QByteArray text = program.readAllStandardOutput();
    QCOMPARE(text.count("printed "), 1);
    QCOMPARE(text.count("streamed "), 1);
    QCOMPARE(text.size(), qsizetype(sizeof "printed streamed " - 1));
}

void tst_Fork::parentsExitHandlersAreNotRun()
{
    static const auto queue = made(Queue<int>::create());
    static const qint64 parent = ThisProcess::pid();
    std::atexit([] {
        if (ThisProcess::pid() != parent)
            (void)queue.put(1);
    });
    const auto child = made(Process::fork());
    if (!child) {
        std::atexit([] { (void)queue.put(2); });
        std::exit(0);
    }
    QCOMPARE(endOf(*child), 0);
    QCOMPARE(*queue.get(60s), 2);
    QCOMPARE(codeOf(queue.get(0s)), ErrorCode::Empty);
}

void tst_Fork::daemonMayNotFork()
{
    const auto queue = made(Queue<int>::create());
    const auto child = made(Process::fork({.isDaemon = true}));
    if (!child) {
        (void)queue.put(int(codeOf(Process::fork())));
        std::exit(0);
    }
    QCOMPARE(ErrorCode(*queue.get(60s)), ErrorCode::InvalidState);
    QCOMPARE(endOf(*child), 0);
}

/// Of a parent that forks in a thread which ends before it.
void tst_Fork::diesWithItsParent()
{
    const auto pids = made(Queue<qint64>::create());
    const auto parent = made(Process::fork());
    if (!parent) {
        std::thread([&pids] {
            const auto child = made(Process::fork());
            (void)pids.put(ThisProcess::pid());
            if (!child)
                sleepLong();
        }).join();
        (void)pids.put(0);
        sleepLong();
    }
    QSet<qint64> children;
    for (int i = 0; i < 3; ++i)
        children.insert(*pids.get(60s));
    children -= {0, *parent->pid()};
    QCOMPARE(children.size(), 1);
    const auto child = static_cast<pid_t>(*children.begin());
    QCOMPARE(::kill(child, 0), 0); // The end of the thread alone changes nothing.
    QVERIFY(parent->kill());
    QCOMPARE(endOf(*parent), -SIGKILL);
    QTRY_VERIFY(::kill(child, 0) != 0);
}

void tst_Fork::nothingStays()
{
    QTRY_COMPARE(test::childPids().size(), 1); // The zygote of the Processes.
}

int main(int argc, char **argv)
{
    if (const auto code = workerMain(argc, argv))
        return *code;
    QCoreApplication app(argc, argv);
    if (argc > 1 && QByteArrayView(argv[1]).startsWith("say-")) {
        sayAndFork(QByteArrayView(argv[1]) == "say-plain");
        return 0;
    }
    tst_Fork test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_fork.moc"
