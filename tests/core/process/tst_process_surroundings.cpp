// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/executor/executor.h"
#include "core/ipc/queue.h"
#include "core/process/finalizer.h"
#include "core/process/fork.h"
#include "core/process/interrupt_guard.h"
#include "core/process/process.h"
#include "core/sync/event.h"
#include "tests/support/leak_check.h"
#include "tests/support/results.h"
#include "tests/support/worker_test_main.h"

#include <QProcess>

#include <csignal>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;
using test::codeOf;
using test::made;

namespace {

QString variable(const char *name)
{
    return qEnvironmentVariable(name, u"none"_s);
}

// What other processes do.

void reportStartMethod(Queue<QString> answers)
{
    (void)answers.put(nameOf(*ThisProcess::startMethod()));
    (void)answers.put(nameOf(defaultStartMethod()));
}

void reportVariables(Queue<QString> answers)
{
    for (const char *name : {"PROCLAB_TEST_GIVEN", "PROCLAB_TEST_KEPT", "PROCLAB_TEST_EMPTY"})
        (void)answers.put(variable(name));
}

QString variableInWorker(std::string name)
{
    return variable(name.c_str());
}

/// Its threads go on when it has returned: one that is attached, and one that would need longer
/// than anybody waits.
void leaveThreads(Queue<int> answers, Event event)
{
    ThisProcess::attach(std::thread([answers, event] {
        (void)event.wait();
        (void)answers.put(1);
    }));
    std::thread([] { ::poll(nullptr, 0, 20'000); }).detach();
}

void closeOutputs(Queue<int> answers)
{
    ::close(STDOUT_FILENO);
    ::close(STDERR_FILENO);
    std::fputs("nowhere to go", stdout);
    (void)answers.put(1);
}

void print(Queue<int> answers)
{
    std::fputs("text of the child that must not go into shared memory", stdout);
    std::fflush(stdout);
    (void)answers.put(1);
}

void waitUntilSet(Event event)
{
    (void)event.wait();
}

void addFinalizers(Queue<QString> answers)
{
    const auto note = [answers](const QString &text) { return [=] { (void)answers.put(text); }; };
    (void)Finalizer::add(note(u"no priority"_s));
    (void)Finalizer::add(note(u"low"_s), -3);
    (void)Finalizer::add(note(u"first of two"_s), 5);
    (void)Finalizer::add(note(u"second of two"_s), 5);
    const auto byHand = Finalizer::add(note(u"by hand"_s), 10);
    const auto cancelled = Finalizer::add(note(u"cancelled"_s), 10);
    (void)Finalizer::add(note(u"high"_s), 7);
    byHand.run();
    byHand.run();
    cancelled.cancel();
}

void guardFromInterrupts(Queue<QString> answers, bool isToIgnore)
{
    const auto mode = isToIgnore ? InterruptGuard::Mode::Ignore : InterruptGuard::Mode::Delay;
    {
        const InterruptGuard outer(mode);
        {
            const InterruptGuard inner(mode);
            ::raise(SIGINT);
            (void)answers.put(u"inside both"_s);
        }
        (void)answers.put(u"inside one"_s);
    }
    (void)answers.put(u"behind"_s);
}

/// What this program does with standard output and error closed from its start.
int workWithoutOutputs(StartMethod method)
{
    allowForkHere();
    Executor executor = made(Executor::open({.workers = 1})); // Its memory is a descriptor.
    const auto answers = made(Queue<int>::create());
    const auto child = made(Process::create<print>({.startMethod = method}, answers));
    if (!child.start() || !answers.get(60s) || !child.join(60s) || **child.exitCode() != 0)
        return 1;
    return executor.submit<variableInWorker>("PROCLAB_TEST_OTHER").result() ? 0 : 2;
}

/// The zygote of this program's processes, which may run now; 0: there is none.
qint64 zygote()
{
    QSet<qint64> pids = test::childPids();
    for (const Process &child : Process::activeChildren())
        pids.remove(*child.pid());
    return pids.isEmpty() ? 0 : *pids.begin();
}

} // namespace

class tst_ProcessSurroundings : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { allowForkHere(); }
    void startMethodsHaveNames();
    void startMethodIsKnownInside_data() { test::addStartMethods(); }
    void startMethodIsKnownInside();
    void variablesAreGiven_data() { test::addStartMethods(); }
    void variablesAreGiven();
    void workersHaveVariables_data() { test::addStartMethods(); }
    void workersHaveVariables();
    void badVariablesAreRefused();
    void attachedThreadsAreWaitedFor_data() { test::addStartMethods(); }
    void attachedThreadsAreWaitedFor();
    void closedOutputsDoNoHarm_data() { test::addStartMethods(); }
    void closedOutputsDoNoHarm();
    void closedOutputsOfTheParentDoNoHarm_data() { test::addStartMethods(); }
    void closedOutputsOfTheParentDoNoHarm();
    void zygoteIsReplaced_data();
    void zygoteIsReplaced();
    void forgottenWorkerMainStartsNothing();
    void finalizersRunInOrder_data() { test::addStartMethods(); }
    void finalizersRunInOrder();
    void interruptsAreHeldBack_data() { test::addStartMethods(); }
    void interruptsAreHeldBack();
    void nothingStays();

private:
    /// Of the row.
    template<auto Function, typename... A>
    [[nodiscard]] static Process started(A &&...arguments)
    {
        QFETCH(const StartMethod, method);
        auto child =
            made(Process::create<Function>({.startMethod = method}, std::forward<A>(arguments)...));
        if (const auto begun = child.start(); !begun)
            qFatal("%s", qPrintable(errorText(begun.error())));
        return child;
    }
};

// PR-22
void tst_ProcessSurroundings::startMethodsHaveNames()
{
    QVERIFY(!startMethodNames().isEmpty());
    for (const QString &name : startMethodNames())
        QCOMPARE(nameOf(*startMethodOf(name)), name);
    const auto unknown = startMethodOf(u"teleport"_s);
    QCOMPARE(codeOf(unknown), ErrorCode::InvalidArgument);
    QVERIFY(errorText(unknown.error()).contains(u"teleport"_s));
    QVERIFY(errorText(unknown.error()).contains(u"forkserver"_s));
}

// PR-22: all objects may be shared by processes of every start method, so none is refused.
void tst_ProcessSurroundings::startMethodIsKnownInside()
{
    QFETCH(const StartMethod, method);
    setDefaultStartMethod(method);
    QCOMPARE(defaultStartMethod(), method);
    const auto answers = made(Queue<QString>::create());
    const auto child = made(Process::create<reportStartMethod>({}, answers));
    QCOMPARE(child.startMethod(), method);
    setDefaultStartMethod(StartMethod::Spawn);
    QVERIFY(child.start());
    QCOMPARE(*answers.get(60s), nameOf(method));
    QCOMPARE(*answers.get(60s), nameOf(method));
    QVERIFY(child.join(60s));
    QVERIFY(!ThisProcess::startMethod());
}

// PR-26
void tst_ProcessSurroundings::variablesAreGiven()
{
    QFETCH(const StartMethod, method);
    qputenv("PROCLAB_TEST_KEPT", "of the parent");
    const auto answers = made(Queue<QString>::create());
    const auto given = made(Process::create<reportVariables>(
        {.startMethod = method,
         .environment = {{u"PROCLAB_TEST_GIVEN"_s, u"a=b ü"_s}, {u"PROCLAB_TEST_EMPTY"_s, {}}}},
        answers));
    QVERIFY(given.start());
    QCOMPARE(*answers.get(60s), u"a=b ü"_s);
    if (method != StartMethod::ForkServer) // Whose zygote was started before it was set.
        QCOMPARE(*answers.get(60s), u"of the parent"_s);
    else
        QVERIFY(answers.get(60s));
    QCOMPARE(*answers.get(60s), QString());
    QVERIFY(given.join(60s));
    const Process without = started<reportVariables>(answers);
    QCOMPARE(*answers.get(60s), u"none"_s);
    QVERIFY(without.join(60s));
    QCOMPARE(variable("PROCLAB_TEST_GIVEN"), u"none"_s);
    while (answers.get(0s)) {
    }
}

// PR-26
void tst_ProcessSurroundings::workersHaveVariables()
{
    QFETCH(const StartMethod, method);
    qputenv("PROCLAB_TEST_KEPT", "of the parent");
    Executor executor =
        made(Executor::open({.workers = 2,
                             .startMethod = method,
                             .environment = {{u"PROCLAB_TEST_GIVEN"_s, u"for workers"_s}}}));
    QCOMPARE(*executor.submit<variableInWorker>("PROCLAB_TEST_GIVEN").result(), u"for workers"_s);
    QCOMPARE(*executor.submit<variableInWorker>("PROCLAB_TEST_KEPT").result(), u"of the parent"_s);
    QCOMPARE(*executor.submit<variableInWorker>("PROCLAB_TEST_OTHER").result(), u"none"_s);
    QCOMPARE(variable("PROCLAB_TEST_GIVEN"), u"none"_s);
}

void tst_ProcessSurroundings::badVariablesAreRefused()
{
    const auto answers = made(Queue<QString>::create());
    for (const QString &name : {QString(), u"a=b"_s, QString(QChar(0))}) {
        const auto child =
            Process::create<reportVariables>({.environment = {{name, u"x"_s}}}, answers);
        QCOMPARE(codeOf(child), ErrorCode::InvalidArgument);
        QCOMPARE(codeOf(Executor::open({.workers = 1, .environment = {{name, u"x"_s}}})),
                 ErrorCode::InvalidArgument);
    }
}

// PR-15
void tst_ProcessSurroundings::attachedThreadsAreWaitedFor()
{
    const auto answers = made(Queue<int>::create());
    const auto event = made(Event::create());
    const Process child = started<leaveThreads>(answers, event);
    QCOMPARE(codeOf(child.join(500ms)), ErrorCode::Timeout); // It is still waited for.
    event.set();
    QVERIFY(child.join(15s)); // And the other is not.
    QCOMPARE(*answers.get(0s), 1);
    QCOMPARE(**child.exitCode(), 0);
}

// PR-16
void tst_ProcessSurroundings::closedOutputsDoNoHarm()
{
    const auto answers = made(Queue<int>::create());
    const Process child = started<closeOutputs>(answers);
    QCOMPARE(*answers.get(60s), 1);
    QVERIFY(child.join(60s));
    QCOMPARE(**child.exitCode(), 0);
}

// PR-16
void tst_ProcessSurroundings::closedOutputsOfTheParentDoNoHarm()
{
    QFETCH(const StartMethod, method);
    QProcess program;
    program.start(u"sh"_s, {u"-c"_s, u"exec \"$0\" without-outputs \"$1\" >&- 2>&-"_s,
                            QCoreApplication::applicationFilePath(), nameOf(method)});
    QVERIFY(program.waitForFinished(60'000));
    QCOMPARE(program.exitStatus(), QProcess::NormalExit);
    QCOMPARE(program.exitCode(), 0);
}

void tst_ProcessSurroundings::zygoteIsReplaced_data()
{
    QTest::addColumn<StartMethod>("method");
    QTest::addColumn<int>("signal");
    QTest::newRow("SIGINT") << StartMethod::ForkServer << SIGINT;
    QTest::newRow("SIGKILL") << StartMethod::ForkServer << SIGKILL;
}

// PR-17
void tst_ProcessSurroundings::zygoteIsReplaced()
{
    QFETCH(const int, signal);
    const auto event = made(Event::create());
    const Process before = started<waitUntilSet>(event);
    const qint64 killed = zygote();
    QVERIFY(killed > 0);
    QCOMPARE(::kill(static_cast<pid_t>(killed), signal), 0);
    const Process after = started<waitUntilSet>(event);
    QTRY_VERIFY(zygote() != killed);
    const Process later = started<waitUntilSet>(event);
    for (const Process &each : {before, after, later}) {
        const auto code = *each.exitCode();
        QVERIFY2(!code, qPrintable(u"%1 ended with %2"_s.arg(each.name()).arg(code.value_or(0))));
    }
    event.set();
    for (const Process &each : {before, after, later}) {
        QVERIFY(each.join(60s));
        QCOMPARE(**each.exitCode(), 0);
    }
}

// PR-21
void tst_ProcessSurroundings::forgottenWorkerMainStartsNothing()
{
    QProcess program;
    program.start(QString::fromUtf8(NO_WORKER_MAIN), QStringList());
    QVERIFY(program.waitForFinished(60'000));
    QCOMPARE(program.exitStatus(), QProcess::NormalExit);
    QVERIFY(program.exitCode() != 0);
    QVERIFY(program.exitCode() != 99); // Its own child could be started, and told by its code.
    const QByteArray text = program.readAllStandardError();
    QCOMPARE(text.count("main() must begin with proclab::workerMain()"), 1); // One generation.
}

// PR-24
void tst_ProcessSurroundings::finalizersRunInOrder()
{
    const auto answers = made(Queue<QString>::create());
    const Process child = started<addFinalizers>(answers);
    QVERIFY(child.join(60s));
    QStringList order;
    while (const auto answer = answers.get(0s))
        order.append(*answer);
    QCOMPARE(order, (QStringList{u"by hand"_s, u"high"_s, u"second of two"_s, u"first of two"_s,
                                 u"low"_s}));
}

// PR-29
void tst_ProcessSurroundings::interruptsAreHeldBack()
{
    const auto answers = made(Queue<QString>::create());
    const Process delayed = started<guardFromInterrupts>(answers, false);
    QVERIFY(delayed.join(60s));
    QCOMPARE(**delayed.exitCode(), -SIGINT);
    QCOMPARE(*answers.get(0s), u"inside both"_s);
    QCOMPARE(*answers.get(0s), u"inside one"_s);
    QCOMPARE(codeOf(answers.get(0s)), ErrorCode::Empty);
    const Process ignored = started<guardFromInterrupts>(answers, true);
    QVERIFY(ignored.join(60s));
    QCOMPARE(**ignored.exitCode(), 0);
    for (const QString &text : {u"inside both"_s, u"inside one"_s, u"behind"_s})
        QCOMPARE(*answers.get(0s), text);
}

void tst_ProcessSurroundings::nothingStays()
{
    QTRY_COMPARE(runtime::ObjectSpace::instance().usage().objects, 0U);
    QTRY_COMPARE(test::childPids().size(), 1); // The zygote of the Processes.
}

int main(int argc, char **argv)
{
    if (const auto code = workerMain(argc, argv))
        return *code;
    QCoreApplication app(argc, argv);
    if (argc > 2 && QByteArrayView(argv[1]) == "without-outputs")
        return workWithoutOutputs(*startMethodOf(QString::fromUtf8(argv[2])));
    tst_ProcessSurroundings test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_process_surroundings.moc"
