// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/executor/executor.h"
#include "core/process/engine.h"
#include "core/process/worker_main.h"
#include "tests/support/leak_check.h"
#include "tests/support/tasks.h"

#include <QProcess>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <sys/wait.h>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;
using namespace proclab::test;

namespace {

int leaveFileSlowly(const std::string &path)
{
    sleepFor(50);
    return leaveFile(path);
}

// ---- programs that end in ways of their own; see main()

std::optional<Executor> globalExecutor;

StartMethod methodOf(const char *name)
{
    return *startMethodOf(QString::fromLatin1(name));
}

/// main() returns while tasks are queued and running.
int programLeavesTasks(const std::string &folder, StartMethod method, bool keepsHandle)
{
    auto executor = Executor::open({.workers = 2, .startMethod = method}).value();
    for (int i = 0; i < 6; ++i)
        static_cast<void>(executor.submit<&leaveFileSlowly>(folder + "/ran" + std::to_string(i)));
    if (keepsHandle)
        globalExecutor = executor;
    return 0;
}

/// The same after a shutdown that does not wait.
int programShutsDownAndLeaves(const std::string &folder, StartMethod method)
{
    auto executor = Executor::open({.workers = 2, .startMethod = method}).value();
    static_cast<void>(executor.submit<&leaveFileSlowly>(folder + "/ran"));
    executor.shutdown(Executor::Wait::No);
    return 0;
}

/// Submits once more when the engine has ended.
int programSubmitsAtExit(StartMethod method)
{
    globalExecutor = Executor::open({.workers = 1, .startMethod = method}).value();
    if (globalExecutor->submit<&square>(3).result().value() != 9)
        return 2;
    std::atexit([] {
        const auto late = globalExecutor->submit<&square>(3).result(10s);
        const auto none = Executor::open();
        globalExecutor->shutdown(); // Nobody is left to wait for.
        if (late || late.error().code != ErrorCode::ShutDown || none)
            std::_Exit(3);
        std::_Exit(4);
    });
    return 0;
}

/// Tells its workers' PIDs and waits to be killed.
int programHoldsWorkers(StartMethod method, bool areBusy)
{
    auto executor = Executor::open({.workers = 2, .startMethod = method}).value();
    std::vector<Future<int>> futures;
    for (int i = 0; i < 2; ++i)
        futures.push_back(executor.submit<&sleepFor>(areBusy ? 600'000 : 300));
    while (executor.workerPids().size() < 2)
        ::poll(nullptr, 0, 1);
    if (!areBusy)
        static_cast<void>(waitFor<int>(futures));
    for (const qint64 pid : executor.workerPids())
        std::printf("%lld\n", static_cast<long long>(pid));
    std::printf("end\n");
    std::fflush(stdout);
    ::pause();
    return 0;
}

/// Whether @p pid is no process any more; as a child of this one it is reaped.
bool isGone(qint64 pid)
{
    ::waitpid(static_cast<pid_t>(pid), nullptr, WNOHANG);
    return ::kill(static_cast<pid_t>(pid), 0) != 0;
}

/// Names of shared memory, of POSIX and System V, and of semaphores.
QByteArray sharedNames()
{
    QByteArray names =
        QDir(u"/dev/shm"_s).entryList(QDir::Files | QDir::System).join(u' ').toUtf8();
    for (const auto &list : {u"/proc/sysvipc/shm"_s, u"/proc/sysvipc/sem"_s}) {
        QFile file(list);
        if (!file.open(QIODevice::ReadOnly))
            continue;
        for (const QByteArray &line : file.readAll().split('\n'))
            names += line.simplified().split(' ').value(1) + ' '; // The identifier.
    }
    return names;
}

} // namespace

/// How programs end that have an executor.
class tst_ExecutorPrograms : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { static_cast<void>(Engine::global()); } // Makes it a subreaper.
    void init() { m_before.emplace(); }
    void cleanup() { QTRY_COMPARE(m_before->leftovers(), QString()); }
    void submitFromAnExitHandlerIsShutDown_data() { addPoolStartMethods(); }
    void submitFromAnExitHandlerIsShutDown();
    void programEndDoesWhatWasAccepted_data();
    void programEndDoesWhatWasAccepted();
    void workersOfAKilledProgramEnd_data();
    void workersOfAKilledProgramEnd();

private:
    /// Runs this test as one of the programs above; what it wrote on standard error.
    static QByteArray run(const QStringList &arguments, int exitCode)
    {
        QProcess program;
        program.start(QCoreApplication::applicationFilePath(), arguments);
        if (!program.waitForFinished(60'000))
            return "the program did not end";
        const QByteArray said = program.readAllStandardError();
        if (program.exitStatus() != QProcess::NormalExit || program.exitCode() != exitCode)
            return said + " exit code " + QByteArray::number(program.exitCode());
        return said;
    }
    static QString nameOf(StartMethod method)
    {
        return method == StartMethod::Spawn ? u"spawn"_s : u"forkserver"_s;
    }

    std::optional<LeakCheck> m_before;
};

void tst_ExecutorPrograms::submitFromAnExitHandlerIsShutDown() // SC-01
{
    QFETCH(const StartMethod, method);
    QCOMPARE(run({u"--submit-at-exit"_s, nameOf(method)}, 4), QByteArray());
}

void tst_ExecutorPrograms::programEndDoesWhatWasAccepted_data() // SC-02, SC-05
{
    QTest::addColumn<QString>("program");
    QTest::addColumn<StartMethod>("method");
    QTest::addColumn<int>("count");
    for (const auto method : {StartMethod::Spawn, StartMethod::ForkServer}) {
        const QByteArray name = nameOf(method).toLatin1();
        QTest::addRow("handle kept, %s", name.data()) << u"--leave-and-keep"_s << method << 6;
        QTest::addRow("handle dropped, %s", name.data()) << u"--leave"_s << method << 6;
        QTest::addRow("shut down without waiting, %s", name.data())
            << u"--shut-down-and-leave"_s << method << 1;
    }
}

void tst_ExecutorPrograms::programEndDoesWhatWasAccepted()
{
    QFETCH(const QString, program);
    QFETCH(const StartMethod, method);
    QFETCH(const int, count);
    const Folder folder;
    QCOMPARE(run({program, nameOf(method), QString::fromStdString(folder.path())}, 0),
             QByteArray());
    QCOMPARE(folder.count(u"ran*"_s), count);
}

void tst_ExecutorPrograms::workersOfAKilledProgramEnd_data() // SC-27, SC-30
{
    QTest::addColumn<StartMethod>("method");
    QTest::addColumn<QString>("program");
    for (const auto method : {StartMethod::Spawn, StartMethod::ForkServer}) {
        QTest::addRow("%s, idle", qPrintable(nameOf(method))) << method << u"--hold-idle"_s;
        QTest::addRow("%s, busy", qPrintable(nameOf(method))) << method << u"--hold-busy"_s;
    }
}

/// Its segments have no names that could stay: the kernel frees them with the last process.
void tst_ExecutorPrograms::workersOfAKilledProgramEnd()
{
    QFETCH(const StartMethod, method);
    QFETCH(const QString, program);
    const QByteArray before = sharedNames();
    const QSet<qint64> childrenBefore = childPids();
    QProcess owner;
    owner.start(QCoreApplication::applicationFilePath(), {program, nameOf(method)});
    QByteArray said;
    QTRY_VERIFY_WITH_TIMEOUT(
        (owner.waitForReadyRead(10), said += owner.readAll(), said.endsWith("end\n")), 60'000);
    QCOMPARE(sharedNames(), before);
    owner.kill();
    QVERIFY(owner.waitForFinished(60'000));
    const QList<QByteArray> pids = said.split('\n').mid(0, 2);
    QVERIFY(pids[0].toLongLong() > 0 && pids[1].toLongLong() > 0);
    for (const QByteArray &pid : pids)
        QTRY_VERIFY(isGone(pid.toLongLong()));
    // This test is a subreaper: it inherits all that the program leaves, its zygote too.
    const auto isAlone = [&childrenBefore] {
        const QSet<qint64> children = childPids() - childrenBefore;
        return std::all_of(children.begin(), children.end(), &isGone);
    };
    QTRY_VERIFY(isAlone());
    QCOMPARE(sharedNames(), before);
}

int main(int argc, char **argv)
{
    if (const auto code = workerMain(argc, argv))
        return *code;
    QCoreApplication app(argc, argv);
    const QByteArrayView program(argc > 2 ? argv[1] : "");
    const std::string folder = argc > 3 ? argv[3] : "";
    if (program == "--leave-and-keep" || program == "--leave")
        return programLeavesTasks(folder, methodOf(argv[2]), program == "--leave-and-keep");
    if (program == "--shut-down-and-leave")
        return programShutsDownAndLeaves(folder, methodOf(argv[2]));
    if (program == "--submit-at-exit")
        return programSubmitsAtExit(methodOf(argv[2]));
    if (program == "--hold-idle" || program == "--hold-busy")
        return programHoldsWorkers(methodOf(argv[2]), program == "--hold-busy");
    tst_ExecutorPrograms test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_executor_programs.moc"
