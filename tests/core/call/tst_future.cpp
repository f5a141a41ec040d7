// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/call/remote_error.h"
#include "core/executor/executor.h"
#include "core/process/engine.h"
#include "tests/support/kernel_state.h"
#include "tests/support/leak_check.h"
#include "tests/support/tasks.h"
#include "tests/support/worker_test_main.h"

#include <QElapsedTimer>
#include <QFuture>
#include <QPromise>
#include <QSemaphore>

#include <atomic>
#include <thread>

#include <sys/syscall.h>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;
using namespace proclab::test;

Q_DECLARE_METATYPE(FutureState::Phase)

namespace {

using Phase = FutureState::Phase;

const Error failure = {ErrorCode::RemoteError, u"task"_s};

/// A future that the test settles itself.
Future<int> makeFuture(Phase phase)
{
    const auto state = std::make_shared<FutureState>();
    if (phase == Phase::Running)
        state->setRunning();
    if (phase == Phase::Cancelled)
        state->cancel();
    if (phase == Phase::Failed)
        state->settle(failure);
    if (phase == Phase::Done)
        state->settle(EncodedBytes(encodePayload(42)));
    return {state, [](const FutureState &done) { return decodePayload<int>(*done.outcome()); }};
}

void finish(const Future<int> &future, int value)
{
    future.state()->settle(EncodedBytes(encodePayload(value)));
}

/// Waits until a thread has told its number, and sleeps.
bool waitUntilAsleep(const std::atomic<pid_t> &thread)
{
    return QTest::qWaitFor([&] { return test::isAsleep(thread); }, 30'000);
}

/// The task's state is not its own in an executor: each of the phases is brought about there.
struct RealFutures
{
    RealFutures()
        : executor(Executor::open({.workers = 1}).value())
        , done(executor.submit<&square>(3))
        , failed(executor.submit<&fail>(3))
        , running(start())
        , pending(executor.submit<&square>(4))
        , cancelled(executor.submit<&square>(5))
    {
        cancelled.cancel();
    }
    ~RealFutures()
    {
        folder.make("go");
        executor.shutdown();
    }
    Future<int> start()
    {
        auto started = executor.submit<&meet>(folder.path("runs"), folder.path("go"));
        static_cast<void>(done.wait(60s) && failed.wait(60s));
        isSetUp = QTest::qWaitFor([this] { return folder.has("runs"); }, 60'000);
        return started;
    }
    [[nodiscard]] Future<int> of(Phase phase) const
    {
        switch (phase) {
        case Phase::Pending:
            return pending;
        case Phase::Running:
            return running;
        case Phase::Cancelled:
            return cancelled;
        case Phase::Done:
            return done;
        case Phase::Failed:
            break;
        }
        return failed;
    }

    bool isSetUp = false;
    Folder folder;
    Executor executor;
    Future<int> done;
    Future<int> failed;
    Future<int> running;
    Future<int> pending;
    Future<int> cancelled;
};

} // namespace

class tst_Future : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { static_cast<void>(Engine::global()); } // Its thread stays.
    void init() { m_before.emplace(); }
    void cleanup() { QTRY_COMPARE(m_before->leftovers(), QString()); }
    void callbackRunsOnceWithTheFuture_data() { addOutcomes(); }
    void callbackRunsOnceWithTheFuture();
    void lateCallbackRunsAtOnce_data() { addOutcomes(); }
    void lateCallbackRunsAtOnce();
    void removedCallbackDoesNotRun();
    void cancelByPhase_data() { addPhases(); }
    void cancelByPhase();
    void questionsByPhase_data() { addPhases(); }
    void questionsByPhase();
    void resultWithoutWaitingByPhase_data() { addPhases(); }
    void resultWithoutWaitingByPhase();
    void cancelledTaskNeverRuns();
    void waitingThreadIsWoken_data();
    void waitingThreadIsWoken();
    void eachComesOutOnceAsItCompletes();
    void lateFuturesDoNotComeOut_data();
    void lateFuturesDoNotComeOut();
    void waitsForTheFirstCompleted();
    void waitsForTheFirstError();
    void waitsForAll();
    void waitEndsAtItsLimitAndLeavesNothing();
    void thenRunsInTheContextsThread();
    void thenOfAContextThatIsGoneDoesNothing();
    void becomesAQFuture_data() { addOutcomes(); }
    void becomesAQFuture();

private:
    static void addPhases()
    {
        QTest::addColumn<Phase>("phase");
        QTest::addColumn<bool>("isOfExecutor");
        for (const bool isOfExecutor : {false, true}) {
            for (const auto &[name, phase] :
                 {std::pair("pending", Phase::Pending), std::pair("running", Phase::Running),
                  std::pair("cancelled", Phase::Cancelled), std::pair("done", Phase::Done),
                  std::pair("failed", Phase::Failed)})
                QTest::addRow("%s, %s", name, isOfExecutor ? "of an executor" : "by hand")
                    << phase << isOfExecutor;
        }
    }
    static void addOutcomes()
    {
        QTest::addColumn<Phase>("phase");
        QTest::newRow("value") << Phase::Done;
        QTest::newRow("error") << Phase::Failed;
        QTest::newRow("cancelled") << Phase::Cancelled;
    }
    static void settle(const Future<int> &future, Phase phase)
    {
        if (phase == Phase::Done)
            finish(future, 42);
        else if (phase == Phase::Failed)
            future.state()->settle(failure);
        else
            future.cancel();
    }
    /// Of a phase, made by hand or by an executor.
    Future<int> future()
    {
        const Phase phase = *static_cast<Phase *>(QTest::qData("phase", qMetaTypeId<Phase>()));
        if (!*static_cast<bool *>(QTest::qData("isOfExecutor", QMetaType::Bool)))
            return makeFuture(phase);
        m_real = std::make_unique<RealFutures>();
        if (!m_real->isSetUp)
            qFatal("the running task did not start");
        return m_real->of(phase);
    }

    std::optional<LeakCheck> m_before;
    std::unique_ptr<RealFutures> m_real;
};

void tst_Future::callbackRunsOnceWithTheFuture() // EX-16
{
    QFETCH(const Phase, phase);
    const Future<int> future = makeFuture(Phase::Pending);
    int calls = 0;
    future.onDone([&](const Future<int> &done) {
        ++calls;
        QCOMPARE(done.state(), future.state());
        QCOMPARE(done.phase(), phase);
        QCOMPARE(done.result(0s).has_value(), phase == Phase::Done);
    });
    settle(future, phase);
    settle(future, phase);
    QCOMPARE(calls, 1);
}

void tst_Future::lateCallbackRunsAtOnce() // EX-17
{
    QFETCH(const Phase, phase);
    const Future<int> future = makeFuture(phase);
    std::thread::id caller;
    future.onDone([&caller](const Future<int> &) { caller = std::this_thread::get_id(); });
    QCOMPARE(caller, std::this_thread::get_id());
    QTest::ignoreMessage(QtWarningMsg, "A callback of a future threw: too late");
    future.onDone([](const Future<int> &) { throw std::runtime_error("too late"); });
    QCOMPARE(future.phase(), phase);
}

void tst_Future::removedCallbackDoesNotRun()
{
    const Future<int> future = makeFuture(Phase::Pending);
    int first = 0;
    int second = 0;
    const quint64 number = future.state()->addCallback([&first] { ++first; });
    future.state()->addCallback([&second] { ++second; });
    future.state()->removeCallback(number);
    finish(future, 1);
    QCOMPARE(first, 0);
    QCOMPARE(second, 1);
}

void tst_Future::cancelByPhase() // EX-18
{
    QFETCH(const Phase, phase);
    const Future<int> tried = future();
    const bool isCancelled = phase == Phase::Pending || phase == Phase::Cancelled;
    QCOMPARE(tried.cancel(), isCancelled);
    QCOMPARE(tried.phase(), isCancelled ? Phase::Cancelled : phase);
    QCOMPARE(tried.cancel(), isCancelled);
    m_real.reset();
}

void tst_Future::questionsByPhase() // EX-19
{
    QFETCH(const Phase, phase);
    const Future<int> asked = future();
    QCOMPARE(asked.phase(), phase);
    QCOMPARE(asked.isRunning(), phase == Phase::Running);
    QCOMPARE(asked.isCancelled(), phase == Phase::Cancelled);
    QCOMPARE(asked.isDone(), phase >= Phase::Cancelled);
    m_real.reset();
}

void tst_Future::resultWithoutWaitingByPhase() // EX-20
{
    QFETCH(const Phase, phase);
    const Future<int> asked = future();
    const Result<int> result = asked.result(0s);
    const Result<std::optional<Error>> error = asked.error(0s);
    if (phase == Phase::Pending || phase == Phase::Running) {
        QCOMPARE(result.error().code, ErrorCode::Timeout);
        QCOMPARE(error.error().code, ErrorCode::Timeout);
    } else if (phase == Phase::Cancelled) {
        QCOMPARE(result.error().code, ErrorCode::Cancelled);
        QCOMPARE(error.error().code, ErrorCode::Cancelled);
    } else if (phase == Phase::Failed) {
        QCOMPARE(result.error().code, ErrorCode::RemoteError);
        QCOMPARE(error.value().value(), result.error());
        QVERIFY_THROWS_EXCEPTION(RemoteError, valueOrThrow(result));
    } else {
        QVERIFY(result);
        QVERIFY(!error.value());
    }
    m_real.reset();
}

void tst_Future::cancelledTaskNeverRuns() // EX-18
{
    Folder folder;
    auto executor = Executor::open({.workers = 1}).value();
    const auto running = executor.submit<&meet>(folder.path("runs"), folder.path("go"));
    QTRY_VERIFY(folder.has("runs"));
    QVERIFY(running.isRunning());
    QVERIFY(!running.cancel());
    std::vector<Future<int>> cancelled;
    for (int i = 0; i < 5'000; ++i) // Some wait in the workers' queue, the others before it.
        cancelled.push_back(executor.submit<&leaveFile>(folder.path("ran")));
    for (const auto &future : cancelled) {
        QVERIFY(!future.isRunning());
        QVERIFY(future.cancel());
        QVERIFY(future.isCancelled());
    }
    folder.make("go");
    QCOMPARE(running.result(60s).value(), 1);
    executor.shutdown();
    QVERIFY(!folder.has("ran"));
}

void tst_Future::waitingThreadIsWoken_data() // EX-21
{
    QTest::addColumn<Phase>("phase");
    QTest::addColumn<bool>("asksForError");
    for (const bool asksForError : {false, true}) {
        const char *asked = asksForError ? "error()" : "result()";
        QTest::addRow("value, %s", asked) << Phase::Done << asksForError;
        QTest::addRow("failure, %s", asked) << Phase::Failed << asksForError;
        QTest::addRow("cancelled, %s", asked) << Phase::Cancelled << asksForError;
    }
}

void tst_Future::waitingThreadIsWoken()
{
    QFETCH(const Phase, phase);
    QFETCH(const bool, asksForError);
    const Future<int> future = makeFuture(Phase::Pending);
    std::atomic<pid_t> waiter = 0;
    std::optional<Result<int>> result;
    std::optional<Result<std::optional<Error>>> error;
    std::thread thread([&] {
        waiter = static_cast<pid_t>(::syscall(SYS_gettid));
        if (asksForError)
            error = future.error();
        else
            result = future.result();
    });
    QVERIFY(waitUntilAsleep(waiter));
    settle(future, phase);
    thread.join();
    const auto code = [phase] {
        return phase == Phase::Failed ? failure.code : ErrorCode::Cancelled;
    };
    if (asksForError && phase == Phase::Cancelled)
        QCOMPARE(error->error().code, ErrorCode::Cancelled);
    else if (asksForError)
        QCOMPARE(error->value(), phase == Phase::Done ? std::nullopt : std::optional(failure));
    else if (phase == Phase::Done)
        QCOMPARE(result->value(), 42);
    else
        QCOMPARE(result->error().code, code());
}

void tst_Future::eachComesOutOnceAsItCompletes() // EX-22
{
    const Future<int> done = makeFuture(Phase::Done);
    const Future<int> failed = makeFuture(Phase::Failed);
    const Future<int> running = makeFuture(Phase::Running);
    const Future<int> pending = makeFuture(Phase::Pending);
    auto completed = asCompleted<int>({running, done, pending, running, failed, running});
    std::thread other([&] {
        finish(pending, 1);
        finish(running, 2);
    });
    std::vector<std::shared_ptr<FutureState>> order;
    while (const auto next = completed.next())
        order.push_back(next->state());
    other.join();
    QCOMPARE(order, (std::vector{done.state(), failed.state(), pending.state(), running.state()}));
    QCOMPARE(completed.next().error().code, ErrorCode::EndOfStream);
}

void tst_Future::lateFuturesDoNotComeOut_data() // EX-23
{
    QTest::addColumn<int>("limitMs");
    QTest::newRow("at once") << 0;
    QTest::newRow("a tenth of a second") << 100;
}

void tst_Future::lateFuturesDoNotComeOut()
{
    QFETCH(const int, limitMs);
    const Future<int> done = makeFuture(Phase::Done);
    const Future<int> cancelled = makeFuture(Phase::Cancelled);
    const Future<int> running = makeFuture(Phase::Running);
    QElapsedTimer timer;
    timer.start();
    auto completed =
        asCompleted<int>({running, done, cancelled}, std::chrono::milliseconds(limitMs));
    QCOMPARE(completed.next().value().state(), done.state());
    QCOMPARE(completed.next().value().state(), cancelled.state());
    const auto late = completed.next();
    QCOMPARE(late.error().code, ErrorCode::Timeout);
    QVERIFY2(late.error().found.contains(u"1 of 3"_s), qPrintable(errorText(late.error())));
    QVERIFY(timer.elapsed() >= limitMs - 1);
    QCOMPARE(completed.next().error().code, ErrorCode::Timeout);
    finish(running, 0);
}

void tst_Future::waitsForTheFirstCompleted() // EX-24
{
    const Future<int> first = makeFuture(Phase::Running);
    const Future<int> second = makeFuture(Phase::Running);
    std::atomic<pid_t> waiter = 0;
    std::optional<WaitResult<int>> result;
    std::thread thread([&] {
        waiter = static_cast<pid_t>(::syscall(SYS_gettid));
        result = waitFor<int>({first, second, first}, ReturnWhen::FirstCompleted);
    });
    QVERIFY(waitUntilAsleep(waiter));
    finish(second, 1);
    thread.join();
    QCOMPARE(result->done.size(), 1U);
    QCOMPARE(result->done[0].state(), second.state());
    QCOMPARE(result->notDone.size(), 1U);
    QCOMPARE(result->notDone[0].state(), first.state());
    // Some are done already: all of them, at once.
    const auto atOnce =
        waitFor<int>({first, makeFuture(Phase::Cancelled), second}, ReturnWhen::FirstCompleted);
    QCOMPARE(atOnce.done.size(), 2U);
    QCOMPARE(atOnce.notDone.size(), 1U);
    finish(first, 1);
}

void tst_Future::waitsForTheFirstError() // EX-25
{
    const Future<int> first = makeFuture(Phase::Pending);
    const Future<int> second = makeFuture(Phase::Running);
    const Future<int> third = makeFuture(Phase::Running);
    std::atomic<pid_t> waiter = 0;
    std::optional<WaitResult<int>> result;
    std::thread thread([&] {
        waiter = static_cast<pid_t>(::syscall(SYS_gettid));
        result = waitFor<int>({first, second, third, makeFuture(Phase::Done)},
                              ReturnWhen::FirstException);
    });
    QVERIFY(waitUntilAsleep(waiter));
    finish(first, 1); // Does not end it, and a cancelled one would not either.
    QVERIFY(!waitFor<int>({third}, ReturnWhen::FirstException, 50ms).notDone.empty());
    QVERIFY(waitUntilAsleep(waiter));
    second.state()->settle(failure);
    thread.join();
    QCOMPARE(result->done.size(), 3U);
    QCOMPARE(result->notDone.size(), 1U);
    QCOMPARE(result->notDone[0].state(), third.state());
    // One has failed already: at once.
    const auto atOnce =
        waitFor<int>({third, makeFuture(Phase::Failed)}, ReturnWhen::FirstException);
    QCOMPARE(atOnce.done.size(), 1U);
    finish(third, 1);
}

void tst_Future::waitsForAll() // EX-26
{
    const Future<int> running = makeFuture(Phase::Running);
    const Future<int> done = makeFuture(Phase::Done);
    std::atomic<pid_t> waiter = 0;
    std::optional<WaitResult<int>> result;
    std::thread thread([&] {
        waiter = static_cast<pid_t>(::syscall(SYS_gettid));
        result = waitFor<int>({done, makeFuture(Phase::Failed), makeFuture(Phase::Cancelled),
                               running, done, running});
    });
    QVERIFY(waitUntilAsleep(waiter));
    finish(running, 1);
    thread.join();
    QCOMPARE(result->done.size(), 4U);
    QVERIFY(result->notDone.empty());
}

void tst_Future::waitEndsAtItsLimitAndLeavesNothing()
{
    const Future<int> pending = makeFuture(Phase::Pending);
    const long before = pending.state().use_count();
    for (int i = 0; i < 10; ++i)
        QCOMPARE(waitFor<int>({pending}, ReturnWhen::AllCompleted, -1s).notDone.size(), 1U);
    QCOMPARE(pending.state().use_count(), before);
    finish(pending, 1);
}

void tst_Future::thenRunsInTheContextsThread()
{
    QThread thread;
    QObject context;
    context.moveToThread(&thread);
    thread.start();
    QSemaphore called;
    std::atomic<QThread *> caller = nullptr;
    std::atomic<int> value = 0;
    auto executor = Executor::open({.workers = 1}).value();
    for (int i = 1; i <= 2; ++i) {
        const auto future = executor.submit<&square>(i + 5);
        if (i == 2) // Done before: from the event loop all the same.
            QVERIFY(future.wait(60s));
        future.then(&context, [&](const Future<int> &done) {
            caller = QThread::currentThread();
            value = done.result(0s).value();
            called.release();
        });
        QVERIFY(called.tryAcquire(1, 60'000));
        QCOMPARE(caller.load(), &thread);
        QCOMPARE(value.load(), (i + 5) * (i + 5));
    }
    executor.shutdown();
    thread.quit();
    QVERIFY(thread.wait(60'000));
}

void tst_Future::thenOfAContextThatIsGoneDoesNothing()
{
    const Future<int> future = makeFuture(Phase::Pending);
    auto context = std::make_unique<QObject>();
    int calls = 0;
    future.then(context.get(), [&calls](const Future<int> &) { ++calls; });
    context.reset();
    QObject living;
    bool isDone = false;
    future.then(&living, [&isDone](const Future<int> &) { isDone = true; });
    finish(future, 1);
    QVERIFY(!isDone); // Never in the call that settles it.
    QTRY_VERIFY(isDone);
    QCOMPARE(calls, 0);
}

void tst_Future::becomesAQFuture()
{
    QFETCH(const Phase, phase);
    const Future<int> future = makeFuture(Phase::Pending);
    const QFuture<int> converted = future.toQFuture();
    QVERIFY(converted.isRunning());
    settle(future, phase);
    QVERIFY(converted.isFinished());
    QCOMPARE(converted.isCanceled(), phase != Phase::Done); // As Qt has it, with an exception too.
    if (phase == Phase::Done)
        QCOMPARE(converted.result(), 42);
    else if (phase == Phase::Failed)
        QVERIFY_THROWS_EXCEPTION(RemoteError, QFuture(converted).waitForFinished());
    else
        QCOMPARE(converted.resultCount(), 0);
}

PROCLAB_WORKER_TEST_MAIN(tst_Future)
#include "tst_future.moc"
