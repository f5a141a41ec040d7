// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/process/engine.h"
#include "core/process/fork.h"
#include "core/process/process.h"
#include "core/process/process_scope.h"
#include "core/sync/event.h"
#include "tests/support/leak_check.h"
#include "tests/support/results.h"
#include "tests/support/worker_test_main.h"

#include <csignal>
#include <thread>

#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace proclab;
using test::childPids;
using test::made;

namespace {

constexpr auto patience = 30s;
constexpr int patienceMs = 30'000;

void sleepLong()
{
    ::poll(nullptr, 0, 100'000);
}

void crash()
{
    ::raise(SIGSEGV);
}

void setEvent(Event event)
{
    event.set();
}

} // namespace

class tst_ProcessScope : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { (void)Engine::global(); } // What it holds is the program's.
    void endLeavesNothing_data() { test::addStartMethods(); }
    void endLeavesNothing();
    void othersGoOn();
    void endTellsWhoseDoingItWas();
    void scopeWithAnErrorStartsNothing();
    void forkedProcessLeavesTheScopeToItsParent();
    void startThatDoesNotEndIsGivenUp();
};

void tst_ProcessScope::endLeavesNothing()
{
    QFETCH(const StartMethod, method);
    const test::LeakCheck before;
    std::optional<Process> child;
    {
        const ProcessScope scope;
        QVERIFY(!scope.error());
        child = made(Process::create<sleepLong>({.startMethod = method}));
        QVERIFY(child->start());
        QVERIFY(made(child->isAlive()));
        const Process other = made(Process::create<sleepLong>({.startMethod = method}));
        QVERIFY(other.start());
        QVERIFY(other.kill());
        QVERIFY(other.join(patience));
    }
    QVERIFY(!made(child->isAlive()));
    QCOMPARE(made(child->exitCode()), std::optional(-SIGKILL));
    child.reset(); // Its descriptor.
    // Not the server of forkserver either.
    QTRY_COMPARE_WITH_TIMEOUT(before.leftovers(), QString(), patienceMs);
}

void tst_ProcessScope::othersGoOn()
{
    const Process outside = made(Process::create<sleepLong>({}));
    QVERIFY(outside.start());
    const Event done = made(Event::create());
    std::thread thread([&done] {
        const ProcessScope scope;
        const ProcessScope inner;
        const Process inside = made(Process::create<setEvent>({}, done));
        QVERIFY(inside.start());
        QVERIFY(inside.join(patience));
    });
    thread.join();
    QVERIFY(done.isSet());
    QVERIFY(made(outside.isAlive()));
    QVERIFY(outside.kill());
    QVERIFY(outside.join(patience));
}

void tst_ProcessScope::endTellsWhoseDoingItWas()
{
    const ProcessScope scope;
    const Process crashed = made(Process::create<crash>({}));
    const Process killed = made(Process::create<sleepLong>({}));
    QVERIFY(crashed.start() && killed.start());
    QVERIFY(!made(killed.end()));
    QVERIFY(killed.kill());
    QVERIFY(crashed.join(patience) && killed.join(patience));
    const auto crashEnd = made(crashed.end());
    QVERIFY(crashEnd && crashEnd->isOwnSignal);
    QCOMPARE(crashEnd->signal, SIGSEGV);
    const auto killEnd = made(killed.end());
    QVERIFY(killEnd && !killEnd->isOwnSignal);
    QCOMPARE(killEnd->signal, SIGKILL);
}

/// What could not be ended with the scope is not started in it.
void tst_ProcessScope::scopeWithAnErrorStartsNothing()
{
    const Process child = made(Process::create<sleepLong>({}));
    rlimit before;
    QCOMPARE(::getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit none = before;
    none.rlim_cur = 0;
    QCOMPARE(::setrlimit(RLIMIT_NOFILE, &none), 0);
    {
        const ProcessScope scope;
        ::setrlimit(RLIMIT_NOFILE, &before);
        QVERIFY(scope.error());
        const auto started = child.start();
        QVERIFY(!started);
        QCOMPARE(started.error().code, scope.error()->code);
    }
    const Process other = made(Process::create<sleepLong>({}));
    QVERIFY(other.start());
    QVERIFY(other.kill());
    QVERIFY(other.join(patience));
}

void tst_ProcessScope::forkedProcessLeavesTheScopeToItsParent()
{
    const Process child = made(Process::create<sleepLong>({}));
    auto scope = std::make_optional<ProcessScope>();
    QVERIFY(child.start());
    allowForkHere();
    const auto forked = made(Process::fork());
    if (!forked) {
        scope.reset();
        ::_exit(0);
    }
    QVERIFY(forked->join(patience));
    QCOMPARE(made(forked->exitCode()), std::optional(0));
    QVERIFY(made(child.isAlive()));
    scope.reset();
    QVERIFY(!made(child.isAlive()));
}

/// A server that is stopped answers no request for a process.
void tst_ProcessScope::startThatDoesNotEndIsGivenUp()
{
    const test::LeakCheck before;
    {
        const QSet<qint64> known = childPids();
        const ProcessScope scope;
        const ProcessOptions options{.startMethod = StartMethod::ForkServer};
        const Process first = made(Process::create<setEvent>(options, made(Event::create())));
        QVERIFY(first.start());
        QVERIFY(first.join(patience));
        const QSet<qint64> servers = childPids() - known;
        QCOMPARE(servers.size(), 1);
        QCOMPARE(::kill(static_cast<pid_t>(*servers.begin()), SIGSTOP), 0);
        std::atomic<bool> isRefused = false;
        const auto host = scope.host();
        const Process second = made(Process::create<sleepLong>(options));
        std::thread thread([&] {
            auto outer = ProcessHost::setOfThread({.host = host});
            isRefused = !second.start();
            ProcessHost::setOfThread(std::move(outer));
        });
        QTRY_VERIFY_WITH_TIMEOUT(!host->active().empty(), patienceMs);
        QMetaObject::invokeMethod(
            Engine::global().context(), [&host] { host->abandonStarts(); }, Qt::QueuedConnection);
        thread.join();
        QVERIFY(isRefused);
    }
    QTRY_COMPARE_WITH_TIMEOUT(before.leftovers(), QString(), patienceMs);
}

PROCLAB_WORKER_TEST_MAIN(tst_ProcessScope)
#include "tst_process_scope.moc"
