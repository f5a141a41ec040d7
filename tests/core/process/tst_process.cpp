// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/codec.h"
#include "core/base/cores.h"
#include "core/ipc/connection.h"
#include "core/ipc/queue.h"
#include "core/pool/pool.h"
#include "core/process/engine.h"
#include "core/process/fork.h"
#include "core/process/process.h"
#include "core/sync/event.h"
#include "tests/support/leak_check.h"
#include "tests/support/results.h"
#include "tests/support/worker_test_main.h"

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTemporaryFile>

#include <csignal>
#include <fstream>
#include <numeric>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;
using test::codeOf;
using test::made;

namespace {

using Arguments = std::tuple<int, double, std::string, std::vector<int>, std::tuple<int, bool>>;
using Strings = QStringList;

// What other processes do.

void report(Queue<std::tuple<Arguments, QString, qint64>> queue, Arguments arguments)
{
    (void)queue.put({arguments, ThisProcess::name(), ThisProcess::pid()});
}

void doNothing() {}

void waitFor(Event event)
{
    (void)event.wait();
}

void sleepLong()
{
    ::poll(nullptr, 0, 100'000);
}

void reportParent(Queue<QString> queue, Event, int, QString)
{
    const auto parent = ThisProcess::parent();
    (void)queue.put(parent ? u"%1 %2"_s.arg(parent->pid).arg(parent->name) : u"none"_s);
}

void watchParent(Queue<QString> queue)
{
    const auto parent = ThisProcess::parent();
    (void)queue.put(u"%1 %2"_s.arg(parent->pid).arg(parent->isAlive()));
    const bool hasEnded = parent->join(60s);
    (void)queue.put(u"%1 %2"_s.arg(hasEnded).arg(parent->isAlive()));
}

void startWatcher(Queue<QString> queue, StartMethod method)
{
    const auto child = made(Process::create<watchParent>({.startMethod = method}, queue));
    (void)child.start();
    sleepLong();
}

void sendPaths(Connection connection, std::string path, int depth, StartMethod method)
{
    (void)connection.send(path);
    if (depth == 0)
        return;
    for (const char *next : {"0", "1"}) {
        const auto child = made(Process::create<sendPaths>({.startMethod = method}, connection,
                                                           path + next, depth - 1, method));
        (void)child.start();
        (void)child.join();
    }
}

void endBySignal()
{
    ::raise(SIGTERM);
}

void exitWith(int code)
{
    std::exit(code);
}

void throwValue()
{
    throw std::invalid_argument("seven is no colour");
}

void writeAtExit(QString path)
{
    static QString where;
    where = path;
    std::atexit([] { std::ofstream(where.toStdString()) << "written"; });
}

/// Writes when the program's static objects end, once it knows where.
struct StaticObject
{
    ~StaticObject() { std::ofstream(path) << "ended"; }
    std::string path = "/dev/null";
};
StaticObject theStaticObject;

void writeAtStaticsEnd(const std::string &path)
{
    theStaticObject.path = path;
}

void chain(Queue<qint64> pids, int depth, StartMethod method)
{
    (void)pids.put(ThisProcess::pid());
    if (depth > 1) {
        const auto child =
            made(Process::create<chain>({.startMethod = method}, pids, depth - 1, method));
        (void)child.start();
    }
    sleepLong();
}

int square(int x)
{
    return x * x;
}

void startFromDaemon(Queue<QString> answers, StartMethod method)
{
    const auto child = made(Process::create<doNothing>({.startMethod = method}));
    const auto started = child.start();
    (void)answers.put(started ? u"started"_s : errorText(started.error()));
}

void poolInside(Queue<int> answers)
{
    Pool pool = made(Pool::open({.workers = 2}));
    for (const int value : *pool.map<square>(std::vector{1, 2, 3}))
        (void)answers.put(value);
    pool.close();
    (void)pool.join();
}

int poolInWorker(int count)
{
    Pool pool = made(Pool::open({.workers = 2}));
    std::vector<int> inputs(static_cast<std::size_t>(count));
    std::iota(inputs.begin(), inputs.end(), 1);
    const std::vector<int> squares = *pool.map<square>(inputs);
    pool.close();
    (void)pool.join();
    return std::accumulate(squares.begin(), squares.end(), 0);
}

void isOpen(Queue<bool> answers, int descriptor)
{
    (void)answers.put(::fcntl(descriptor, F_GETFD) >= 0);
}

/// A process type with a pipe of its own.
struct Doubler
{
    Connection connection;

    void run() const
    {
        while (const auto request = connection.receive<int>(60s)) {
            if (*request == 0)
                return;
            (void)connection.send(2 * *request);
        }
    }
};

} // namespace

template<>
struct proclab::Codec<Doubler>
{
    static void encode(PayloadWriter &writer, const Doubler &value)
    {
        Codec<Connection>::encode(writer, value.connection);
    }
    static Doubler decode(PayloadReader &reader) { return {Codec<Connection>::decode(reader)}; }
};

class tst_Process : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        static_cast<void>(Engine::global()); // Its thread stays.
        allowForkHere();
        for (const int signal : {SIGINT, SIGTERM}) // Forked children have them too.
            ::signal(signal, SIG_DFL);
    }
    void firstProcessKnowsItself();
    void argumentsArrive_data() { test::addStartMethods(); }
    void argumentsArrive();
    void daemonFlagIsKept();
    void statesFollowItsLife_data() { test::addStartMethods(); }
    void statesFollowItsLife();
    void parentIsKnown_data() { test::addStartMethods(); }
    void parentIsKnown();
    void childOutlivesItsParentForAMoment_data() { test::addStartMethods(); }
    void childOutlivesItsParentForAMoment();
    void signalsEndIt_data();
    void signalsEndIt();
    void coresAreCounted();
    void processesNest_data() { test::addStartMethods(); }
    void processesNest();
    void sentinelTellsTheEnd_data() { test::addStartMethods(); }
    void sentinelTellsTheEnd();
    void closeLetsTheHandleGo_data() { test::addStartMethods(); }
    void closeLetsTheHandleGo();
    void manyShortLives_data();
    void manyShortLives();
    void argumentsAreLetGo_data() { test::addStartMethods(); }
    void argumentsAreLetGo();
    void typeWithARun_data() { test::addStartMethods(); }
    void typeWithARun();
    void exceptionIsWritten_data() { test::addStartMethods(); }
    void exceptionIsWritten();
    void exitCodesArrive_data();
    void exitCodesArrive();
    void exitHandlersRun_data() { test::addStartMethods(); }
    void exitHandlersRun();
    void staticObjectsEndInFreshImages_data() { test::addStartMethods(); }
    void staticObjectsEndInFreshImages();
    void chainIsKilledFromTheTop_data() { test::addStartMethods(); }
    void chainIsKilledFromTheTop();
    void daemonsStartNone_data() { test::addStartMethods(); }
    void daemonsStartNone();
    void poolsNest_data() { test::addStartMethods(); }
    void poolsNest();
    void onlyWhatIsMeantIsInherited_data() { test::addStartMethods(); }
    void onlyWhatIsMeantIsInherited();
    void argumentWithoutBytesIsRefused();
    void nothingStays();

private:
    /// Of the row.
    template<auto Function, typename... A>
    [[nodiscard]] static Process child(A &&...arguments)
    {
        QFETCH(const StartMethod, method);
        return made(
            Process::create<Function>({.startMethod = method}, std::forward<A>(arguments)...));
    }
};

// PR-01
void tst_Process::firstProcessKnowsItself()
{
    QCOMPARE(ThisProcess::pid(), qint64(::getpid()));
    QCOMPARE(ThisProcess::name(), u"MainProcess"_s);
    QVERIFY(!ThisProcess::isDaemon());
    QVERIFY(!ThisProcess::parent());
}

// PR-02
void tst_Process::argumentsArrive()
{
    QFETCH(const StartMethod, method);
    const auto queue = made(Queue<std::tuple<Arguments, QString, qint64>>::create());
    const Arguments arguments = {-7, 2.5, "text", {3, 1, 2}, {9, true}};
    const auto process =
        made(Process::create<report>({.name = u"Ada"_s, .startMethod = method}, queue, arguments));
    QVERIFY(process.start());
    const auto [received, name, pid] = *queue.get(60s);
    QVERIFY(received == arguments);
    QCOMPARE(name, u"Ada"_s);
    QCOMPARE(process.name(), u"Ada"_s);
    QCOMPARE(pid, *process.pid());
    QVERIFY(process.join(60s));
}

// PR-03
void tst_Process::daemonFlagIsKept()
{
    QCOMPARE(made(Process::create<doNothing>({})).isDaemon(), ThisProcess::isDaemon());
    QCOMPARE(made(Process::create<doNothing>({.isDaemon = true})).isDaemon(), true);
    QCOMPARE(made(Process::create<doNothing>({.isDaemon = false})).isDaemon(), false);
}

// PR-04
void tst_Process::statesFollowItsLife()
{
    const auto event = made(Event::create());
    const Process process = child<waitFor>(event);
    const auto isListed = [&process] {
        const auto all = Process::activeChildren();
        return std::find(all.begin(), all.end(), process) != all.end();
    };
    QCOMPARE(*process.isAlive(), false);
    QVERIFY(!isListed());
    QVERIFY(!process.exitCode()->has_value());
    QCOMPARE(codeOf(process.join()), ErrorCode::InvalidState);
    QCOMPARE(codeOf(process.pid()), ErrorCode::InvalidState);
    QVERIFY(process.start());
    QCOMPARE(codeOf(process.start()), ErrorCode::InvalidState);
    QCOMPARE(*process.isAlive(), true);
    QVERIFY(isListed());
    QVERIFY(!process.exitCode()->has_value());
    QCOMPARE(codeOf(process.join(0s)), ErrorCode::Timeout);
    event.set();
    QVERIFY(process.join(60s));
    QCOMPARE(*process.isAlive(), false);
    QVERIFY(!isListed());
    QCOMPARE(**process.exitCode(), 0);
    QCOMPARE(codeOf(process.start()), ErrorCode::InvalidState);
}

// PR-05
void tst_Process::parentIsKnown()
{
    const auto queue = made(Queue<QString>::create());
    const Process process = child<reportParent>(queue, made(Event::create()), 1, u"x"_s);
    QVERIFY(process.start());
    QCOMPARE(*queue.get(60s), u"%1 MainProcess"_s.arg(::getpid()));
    QVERIFY(process.join(60s));
}

// PR-05
void tst_Process::childOutlivesItsParentForAMoment()
{
    QFETCH(const StartMethod, method);
    const auto queue = made(Queue<QString>::create());
    const Process process = child<startWatcher>(queue, method);
    QVERIFY(process.start());
    QCOMPARE(*queue.get(60s), u"%1 1"_s.arg(*process.pid()));
    QElapsedTimer timer;
    timer.start();
    QVERIFY(process.terminate());
    QCOMPARE(*queue.get(60s), u"1 0"_s);
    QVERIFY(timer.elapsed() < 10'000);
    QVERIFY(process.join(60s));
}

void tst_Process::signalsEndIt_data()
{
    QTest::addColumn<StartMethod>("method");
    QTest::addColumn<int>("signal");
    for (const QString &each : startMethodNames()) {
        const StartMethod method = *startMethodOf(each);
        const QByteArray name = each.toLatin1();
        QTest::addRow("%s, terminate", name.constData()) << method << SIGTERM;
        QTest::addRow("%s, kill", name.constData()) << method << SIGKILL;
        QTest::addRow("%s, interrupt", name.constData()) << method << SIGINT;
    }
}

// PR-06, PR-07
void tst_Process::signalsEndIt()
{
    QFETCH(const int, signal);
    const Process process = child<sleepLong>();
    QVERIFY(process.start());
    QElapsedTimer timer;
    timer.start();
    QVERIFY(signal == SIGTERM   ? process.terminate()
            : signal == SIGKILL ? process.kill()
                                : process.interrupt());
    QVERIFY(process.join());
    QVERIFY(timer.elapsed() < 10'000);
    QCOMPARE(**process.exitCode(), -signal);
    QCOMPARE(*process.isAlive(), false);
    QVERIFY(process.join(0s));
    QCOMPARE(**process.exitCode(), -signal);
    QVERIFY(process.kill()); // Of one that has ended: nothing happens.
}

// PR-08
void tst_Process::coresAreCounted()
{
    QVERIFY(usableCores() >= 1);
    cpu_set_t before;
    QCOMPARE(::sched_getaffinity(0, sizeof before, &before), 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int core = 0; core < CPU_SETSIZE; ++core) {
        if (CPU_ISSET(core, &before) && CPU_COUNT(&one) == 0)
            CPU_SET(core, &one);
    }
    QCOMPARE(::sched_setaffinity(0, sizeof one, &one), 0);
    const int limited = usableCores();
    QCOMPARE(::sched_setaffinity(0, sizeof before, &before), 0);
    QCOMPARE(limited, 1);
}

// PR-09
void tst_Process::processesNest()
{
    QFETCH(const StartMethod, method);
    const auto [reader, writer] = made(Pipe::create(Pipe::Direction::OneWay));
    sendPaths(writer, "", 2, method);
    writer.close();
    std::vector<std::string> paths;
    while (auto path = reader.receive<std::string>(60s))
        paths.push_back(std::move(*path));
    QCOMPARE(paths, (std::vector<std::string>{"", "0", "00", "01", "1", "10", "11"}));
}

// PR-10
void tst_Process::sentinelTellsTheEnd()
{
    const auto event = made(Event::create());
    const Process process = child<waitFor>(event);
    QCOMPARE(codeOf(process.sentinel()), ErrorCode::InvalidState);
    QVERIFY(process.start());
    const int sentinel = *process.sentinel();
    const auto isReady = [sentinel](std::chrono::nanoseconds limit) {
        return !Connection::wait({}, limit, std::span(&sentinel, 1))->empty();
    };
    QVERIFY(!isReady(0s));
    event.set();
    QVERIFY(isReady(60s));
    QVERIFY(isReady(0s));
    QVERIFY(process.join(60s));
    QVERIFY(isReady(0s));

    const Process killed = child<endBySignal>();
    QVERIFY(killed.start());
    const int end = *killed.sentinel();
    QVERIFY(!Connection::wait({}, 60s, std::span(&end, 1))->empty());
    QVERIFY(killed.join(60s));
    QCOMPARE(**killed.exitCode(), -SIGTERM);
}

// PR-11
void tst_Process::closeLetsTheHandleGo()
{
    const auto event = made(Event::create());
    const Process process = child<waitFor>(event);
    QVERIFY(process.start());
    QCOMPARE(codeOf(process.close()), ErrorCode::InvalidState);
    QCOMPARE(*process.isAlive(), true);
    event.set();
    QVERIFY(process.join(60s));
    QVERIFY(process.close());
    QCOMPARE(codeOf(process.isAlive()), ErrorCode::Closed);
    QCOMPARE(codeOf(process.join()), ErrorCode::Closed);
    QCOMPARE(codeOf(process.terminate()), ErrorCode::Closed);
    QVERIFY(process.close());
}

void tst_Process::manyShortLives_data()
{
    QTest::addColumn<StartMethod>("method");
    QTest::addColumn<int>("count");
    QTest::newRow("spawn") << StartMethod::Spawn << 20;
    QTest::newRow("forkserver") << StartMethod::ForkServer << 100;
    QTest::newRow("fork") << StartMethod::Fork << 100;
}

// PR-12
void tst_Process::manyShortLives()
{
    QFETCH(const int, count);
    std::vector<Process> all;
    for (int i = 0; i < count; ++i) {
        all.push_back(child<exitWith>(0));
        QVERIFY(all.back().start());
    }
    for (const Process &process : all) {
        QVERIFY(process.join(60s));
        QCOMPARE(**process.exitCode(), 0);
    }
}

// PR-13
void tst_Process::argumentsAreLetGo()
{
    const auto objects = [] { return runtime::ObjectSpace::instance().usage().objects; };
    QTRY_COMPARE(objects(), 0U);
    const Process process = child<waitFor>(made(Event::create()));
    QCOMPARE(objects(), 2U); // The event, and what it is started with.
    QVERIFY(process.start());
    QVERIFY(process.kill());
    QVERIFY(process.join(60s));
    QTRY_COMPARE(objects(), 0U);
}

// PR-18
void tst_Process::typeWithARun()
{
    QFETCH(const StartMethod, method);
    const auto [here, there] = made(Pipe::create());
    const auto process = made(Process::create({.startMethod = method}, Doubler{there}));
    QVERIFY(process.start());
    there.close();
    QVERIFY(here.send(21));
    QCOMPARE(*here.receive<int>(60s), 42);
    QVERIFY(here.send(-4));
    QCOMPARE(*here.receive<int>(60s), -8);
    QVERIFY(here.send(0));
    QVERIFY(process.join(60s));
    QCOMPARE(**process.exitCode(), 0);
    QCOMPARE(codeOf(here.receive<int>(60s)), ErrorCode::EndOfStream);
}

// PR-19
void tst_Process::exceptionIsWritten()
{
    QTemporaryFile file;
    QVERIFY(file.open());
    const int kept = ::dup(STDERR_FILENO);
    ::dup2(file.handle(), STDERR_FILENO);
    // A zygote of this process's own writes where that did when it was started.
    const Process process = child<throwValue>();
    const auto started = process.start();
    const auto joined = process.join(60s);
    ::dup2(kept, STDERR_FILENO);
    ::close(kept);
    QVERIFY(started && joined);
    QCOMPARE(**process.exitCode(), 1);
    QFETCH(const StartMethod, method);
    if (method != StartMethod::ForkServer) {
        file.seek(0);
        const QByteArray text = file.readAll();
        QVERIFY2(text.contains("std::invalid_argument: seven is no colour\n"), text.constData());
        QVERIFY(text.startsWith(process.name().toUtf8()));
    }
}

void tst_Process::exitCodesArrive_data()
{
    QTest::addColumn<StartMethod>("method");
    QTest::addColumn<int>("code");
    for (const int code : {0, 8, 255}) {
        QTest::addRow("spawn, %d", code) << StartMethod::Spawn << code;
        QTest::addRow("forkserver, %d", code) << StartMethod::ForkServer << code;
        QTest::addRow("fork, %d", code) << StartMethod::Fork << code;
    }
}

// PR-20
void tst_Process::exitCodesArrive()
{
    QFETCH(const int, code);
    const Process process = child<exitWith>(code);
    QVERIFY(process.start());
    QVERIFY(process.join(60s));
    QCOMPARE(**process.exitCode(), code);
}

// PR-23
void tst_Process::exitHandlersRun()
{
    const QTemporaryDir folder;
    const QString path = folder.filePath(u"file"_s);
    const Process process = child<writeAtExit>(path);
    QVERIFY(process.start());
    QVERIFY(process.join(60s));
    QFile file(path);
    QVERIFY(file.open(QIODevice::ReadOnly));
    QCOMPARE(file.readAll(), "written");
}

/// Those of a forked child are its parent's, or its zygote's.
void tst_Process::staticObjectsEndInFreshImages()
{
    QFETCH(const StartMethod, method);
    const QTemporaryDir folder;
    const QString path = folder.filePath(u"file"_s);
    const Process process = child<writeAtStaticsEnd>(path.toStdString());
    QVERIFY(process.start());
    QVERIFY(process.join(60s));
    QCOMPARE(**process.exitCode(), 0);
    QCOMPARE(QFile::exists(path), method == StartMethod::Spawn);
}

// PR-25
void tst_Process::chainIsKilledFromTheTop()
{
    QFETCH(const StartMethod, method);
    const auto queue = made(Queue<qint64>::create());
    const Process process = child<chain>(queue, 5, method);
    QVERIFY(process.start());
    std::vector<qint64> pids;
    for (int i = 0; i < 5; ++i)
        pids.push_back(*queue.get(60s));
    QVERIFY(process.kill());
    const auto isGone = [](qint64 pid) { return ::kill(pid_t(pid), 0) != 0; };
    QTRY_VERIFY_WITH_TIMEOUT(std::all_of(pids.begin(), pids.end(), isGone), 10'000);
    QVERIFY(process.join(60s));
}

// PR-27
void tst_Process::daemonsStartNone()
{
    QFETCH(const StartMethod, method);
    const auto answers = made(Queue<QString>::create());
    const auto daemon = made(Process::create<startFromDaemon>(
        {.name = u"Demon"_s, .isDaemon = true, .startMethod = method}, answers, method));
    QVERIFY(daemon.start());
    const QString answer = *answers.get(60s);
    QVERIFY2(answer.contains(u"daemons start none"_s), qPrintable(answer));
    QVERIFY(daemon.join(60s));
    const auto other = child<startFromDaemon>(answers, method);
    QVERIFY(other.start());
    QCOMPARE(*answers.get(60s), u"started"_s);
    QVERIFY(other.join(60s));
}

// PR-27
void tst_Process::poolsNest()
{
    QFETCH(const StartMethod, method);
    const auto answers = made(Queue<int>::create());
    const Process process = child<poolInside>(answers);
    QVERIFY(process.start());
    for (const int square : {1, 4, 9})
        QCOMPARE(*answers.get(60s), square);
    QVERIFY(process.join(60s));
    QCOMPARE(**process.exitCode(), 0);
    Pool pool = made(Pool::open({.workers = 2, .startMethod = method}));
    QCOMPARE(*pool.map<poolInWorker>(std::vector{3, 4}), (std::vector{14, 30}));
    pool.close();
    QVERIFY(pool.join(60s));
}

// PR-14
void tst_Process::onlyWhatIsMeantIsInherited()
{
    QFETCH(const StartMethod, method);
    std::array<int, 2> sockets = {};
    QCOMPARE(::socketpair(AF_UNIX, SOCK_STREAM, 0, sockets.data()), 0);
    const int high = ::fcntl(sockets[0], F_DUPFD_CLOEXEC, 90);
    QVERIFY(high >= 50);
    const auto answers = made(Queue<bool>::create());
    const Process process = child<isOpen>(answers, high);
    QVERIFY(process.start());
    QCOMPARE(*answers.get(60s), method == StartMethod::Fork);
    QVERIFY(process.join(60s));
    for (const int descriptor : {sockets[0], sockets[1], high})
        ::close(descriptor);
}

void tst_Process::argumentWithoutBytesIsRefused()
{
    // An argument that has no bytes starts nothing.
    const auto [here, there] = made(Pipe::create());
    here.close();
    const auto refused = Process::create({}, Doubler{here});
    QCOMPARE(codeOf(refused), ErrorCode::EncodeError);
}

void tst_Process::nothingStays()
{
    QTRY_COMPARE(runtime::ObjectSpace::instance().usage().objects, 0U);
    QCOMPARE(runtime::ObjectSpace::instance().usage().bytes, 0U);
    QCOMPARE(Process::activeChildren().size(), 0U);
}

PROCLAB_WORKER_TEST_MAIN(tst_Process)
#include "tst_process.moc"
