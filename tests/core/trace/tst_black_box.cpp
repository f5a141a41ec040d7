// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/executor/executor.h"
#include "core/ipc/queue.h"
#include "core/pool/pool.h"
#include "core/process/process.h"
#include "core/sync/lock.h"
#include "core/sync/semaphore.h"
#include "core/trace/black_box.h"
#include "core/waits/wait_graph.h"
#include "tests/support/leak_check.h"
#include "tests/support/results.h"
#include "tests/support/worker_test_main.h"

#include <algorithm>
#include <csignal>
#include <set>
#include <thread>

#include <unistd.h>

using namespace std::chrono_literals;
using namespace Qt::StringLiterals;
using namespace proclab;
using test::codeOf;
using test::made;

namespace {

constexpr int limitMs = 30'000;

int next(int number)
{
    return number + 1;
}

void takeLock(Lock lock)
{
    (void)lock.acquire();
}

void passItemOn(Queue<int> from, Queue<int> to)
{
    (void)to.put(from.get().value());
    ::kill(::getpid(), SIGKILL);
}

void endWell() {}

void exitWith(int code)
{
    ::_exit(code);
}

/// Whether a process waits for a lock, by all that is known of it.
bool waitsForLock(qint64 pid)
{
    return std::ranges::any_of(WaitGraph::snapshot().waits(), [pid](const Wait &wait) {
        return wait.pid == pid && wait.reason == Wait::Reason::Lock;
    });
}

quint32 numberOf(const SharedHandle &handle)
{
    return handle.object()->handle().index;
}

} // namespace

/// What processes leave when they die.
class tst_BlackBox : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void killedWorkerSaysWhatItDid_data() { test::addStartMethods(); }
    void killedWorkerSaysWhatItDid();
    void killedProcessSaysWhereItWaited();
    void eventsComeInTheirOrder();
    void boxIsOfWhoDied_data();
    void boxIsOfWhoDied();
    void programHasOneToo();
    void unknownProcessesHaveNone();
    void objectThatIsGoneIsNotTakenForAnother();
};

void tst_BlackBox::killedWorkerSaysWhatItDid()
{
    QFETCH(const StartMethod, method);
    Pool pool = made(Pool::open({.workers = 1, .startMethod = method}));
    const auto lock = made(Lock::create());
    QVERIFY(lock.acquire());
    QCOMPARE(pool.apply<&next>(1).value(), 2);
    const qint64 pid = pool.workerPids().at(0);
    const auto call = pool.applyAsync<&takeLock>(lock);
    QTRY_VERIFY_WITH_TIMEOUT(waitsForLock(pid), limitMs);
    QCOMPARE(::kill(pid_t(pid), SIGKILL), 0);
    const auto result = call.result();
    pool.terminate();
    QCOMPARE(codeOf(result), ErrorCode::WorkerDied);
    const QString text = errorText(result.error());
    QVERIFY2(text.contains(u"took task {anonymous}::takeLock"_s), qPrintable(text));
    QVERIFY2(
        text.contains(u"waited for lock %1, held by PID %2"_s.arg(numberOf(lock)).arg(::getpid())),
        qPrintable(text));
    // By its PID it can be asked for, too, as long as its memory is not another's.
    const auto box = BlackBox::of(pid);
    QVERIFY(box);
    QCOMPARE(box->pid, pid);
    QCOMPARE(box->process, u"PoolWorker-1"_s);
    QCOMPARE(box->waits.size(), 1);
    QCOMPARE(box->waits.front().reason, Wait::Reason::Lock);
    QCOMPARE(box->waits.front().object, std::optional(numberOf(lock)));
    QStringList did;
    for (const TraceEntry &entry : box->entries)
        did += entryText(entry);
    QCOMPARE(did, (QStringList{u"took task {anonymous}::next"_s, u"ended task {anonymous}::next"_s,
                               u"took task {anonymous}::takeLock"_s,
                               u"waited for lock %1"_s.arg(numberOf(lock))}));
    QVERIFY(lock.release());
}

void tst_BlackBox::killedProcessSaysWhereItWaited()
{
    const auto lock = made(Lock::create());
    QVERIFY(lock.acquire());
    const Process process = made(Process::create<&takeLock>({.name = u"victim"_s}, lock));
    QVERIFY(process.start());
    QTRY_VERIFY_WITH_TIMEOUT(waitsForLock(process.pid().value()), limitMs);
    QVERIFY(!process.blackBox()); // It lives.
    const qint64 before = runtime::nowNs();
    QVERIFY(process.kill());
    QVERIFY(process.join(30s));
    const auto box = process.blackBox();
    QVERIFY(box);
    QCOMPARE(box->process, u"victim"_s);
    QCOMPARE(box->pid, process.pid().value());
    QVERIFY(box->readNs > before);
    QCOMPARE(box->waits.size(), 1);
    QCOMPARE(box->waits.front().object, std::optional(numberOf(lock)));
    QVERIFY(box->waits.front().sinceNs < before);
    const QString words = lastWords(*box);
    QVERIFY2(
        words.endsWith(u"waited for lock %1, held by PID %2"_s.arg(numberOf(lock)).arg(::getpid())),
        qPrintable(words));
    QVERIFY(lock.release());
}

/// A wait that is over has its beginning and its end among the events, and is no wait any more.
void tst_BlackBox::eventsComeInTheirOrder()
{
    const auto from = made(Queue<int>::create());
    const auto to = made(Queue<int>::create());
    const Process process = made(Process::create<&passItemOn>({}, from, to));
    QVERIFY(process.start());
    const qint64 pid = process.pid().value();
    QTRY_VERIFY_WITH_TIMEOUT(std::ranges::any_of(WaitGraph::snapshot().waits(),
                                                 [pid](const Wait &wait) {
                                                     return wait.pid == pid &&
                                                            wait.reason == Wait::Reason::QueueEmpty;
                                                 }),
                             limitMs);
    const qint64 put = runtime::nowNs();
    QVERIFY(from.put(7));
    QVERIFY(process.join(30s));
    QCOMPARE(to.get(30s).value(), 7);
    const auto box = process.blackBox();
    QVERIFY(box);
    QVERIFY(box->waits.isEmpty());
    const auto at = [&box](TraceEntry::Event event) {
        return std::ranges::find_if(box->entries, [event](const TraceEntry &entry) {
            return entry.event == event && entry.wait.reason == Wait::Reason::QueueEmpty;
        });
    };
    const auto began = at(TraceEntry::Event::WaitBegan);
    const auto ended = at(TraceEntry::Event::WaitEnded);
    QVERIFY(began != box->entries.end() && ended != box->entries.end() && began < ended);
    QCOMPARE(began->wait.object, std::optional(numberOf(from)));
    constexpr qint64 slackNs = 1'000'000; // Of two clocks.
    QVERIFY(began->timeNs < put + slackNs);
    QVERIFY(ended->timeNs > put - slackNs);
    QVERIFY(std::ranges::is_sorted(box->entries, {}, &TraceEntry::timeNs));
}

void tst_BlackBox::boxIsOfWhoDied_data()
{
    QTest::addColumn<int>("code");
    QTest::newRow("ended well") << 0;
    QTest::newRow("exit code") << 3;
}

void tst_BlackBox::boxIsOfWhoDied()
{
    QFETCH(const int, code);
    const Process process = made(Process::create<&exitWith>({}, code));
    QVERIFY(process.start());
    QVERIFY(process.join(30s));
    QCOMPARE(process.exitCode().value(), std::optional(code));
    QCOMPARE(process.blackBox().has_value(), code != 0);
}

/// It tells of the processes that it has started, and of their ends.
void tst_BlackBox::programHasOneToo()
{
    const Process process = made(Process::create<&endWell>({}));
    QVERIFY(process.start());
    QVERIFY(process.join(30s));
    const auto box = BlackBox::of(::getpid());
    QVERIFY(box);
    const qint64 pid = process.pid().value();
    const auto has = [&box, pid](TraceEntry::Event event) {
        return std::ranges::any_of(box->entries, [=](const TraceEntry &entry) {
            return entry.event == event && entry.pid == pid && entry.status == 0;
        });
    };
    QVERIFY(has(TraceEntry::Event::ProcessStarted));
    QVERIFY(has(TraceEntry::Event::ProcessEnded));
}

void tst_BlackBox::unknownProcessesHaveNone()
{
    QVERIFY(!BlackBox::of(1));
    QVERIFY(!BlackBox::of(-1));
}

/// An object's place is another's soon; what was noted of the first is not said of the second.
void tst_BlackBox::objectThatIsGoneIsNotTakenForAnother()
{
    quint32 number = 0;
    {
        const auto lock = made(Lock::create());
        number = numberOf(lock);
        QVERIFY(lock.acquire());
        QVERIFY(!lock.acquire(200ms)); // Long enough to sleep on a busy machine.
    }
    std::vector<Lock> next; // As many as it takes to come to its place.
    do
        next.push_back(made(Lock::create()));
    while (numberOf(next.back()) != number && next.size() < 100);
    QCOMPARE(numberOf(next.back()), number);
    const auto box = BlackBox::of(::getpid());
    QVERIFY(box);
    const auto wait = std::ranges::find_if(
        box->entries.rbegin(), box->entries.rend(),
        [](const TraceEntry &entry) { return entry.event == TraceEntry::Event::WaitBegan; });
    QVERIFY(wait != box->entries.rend());
    QCOMPARE(wait->wait.reason, Wait::Reason::Gone);
    QVERIFY(!wait->wait.object);
}

PROCLAB_WORKER_TEST_MAIN(tst_BlackBox)
#include "tst_black_box.moc"
