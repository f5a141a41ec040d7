// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/program/program.h"
#include "tests/support/leak_check.h"
#include "tests/support/results.h"

#include <QElapsedTimer>
#include <QTemporaryDir>

#include <csignal>
#include <memory>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;
using test::codeOf;
using test::made;
using Stream = Program::Stream;

namespace {

/// The shell runs @p command with the given streams.
ProgramOptions shell(const QByteArray &command, const Redirect &input = {},
                     const Redirect &output = {}, const Redirect &error = {})
{
    return {
        .arguments = {command}, .shell = true, .input = input, .output = output, .error = error};
}

ProgramOptions piped(const QByteArray &command)
{
    return shell(command, Redirect::pipe(), Redirect::pipe(), Redirect::pipe());
}

bool isReadable(int descriptor)
{
    pollfd polled = {descriptor, POLLIN, 0};
    return ::poll(&polled, 1, 0) > 0;
}

/// Waits until the program has said something.
bool hasSpoken(const Program &program)
{
    pollfd polled = {program.descriptor(Stream::Output).value_or(-1), POLLIN, 0};
    return ::poll(&polled, 1, 60'000) > 0;
}

} // namespace

class tst_ProgramOpen : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init() { m_leaks = std::make_unique<test::LeakCheck>(); }
    void cleanup() { QTRY_COMPARE(m_leaks->leftovers(), QString()); }
    void exchangeIsComplete();
    void exchangeNeverBlocksItself();
    void exchangeClosesAllPipes_data();
    void exchangeClosesAllPipes();
    void writtenBeforeComesFirst();
    void signalsDoNotBreakAnExchange();
    void exchangeGoesOnAfterALimit();
    void nothingIsReadAhead();
    void pipesHaveTheSizeAsked();
    void endIsToldAgainAndAgain();
    void signalsArrive_data();
    void signalsArrive();
    void droppedProgramIsReaped();
    void scopeWaitsForTheEnd();
    void brokenInputIsNoHarm();
    void readAndWriteHaveLimits();
    void closingEndsAWaitingRead();
    void diesWithItsParent();
    void killEndsTheGroup();
    void manyThreadsStartPrograms();

private:
    std::unique_ptr<test::LeakCheck> m_leaks;
};

void tst_ProgramOpen::initTestCase()
{
    QVERIFY(Program::run({.arguments = {"true"}})); // The engine is there, and stays.
}

// SP-11
void tst_ProgramOpen::exchangeIsComplete()
{
    const QByteArray input(200'000, 'i');
    const auto both = made(Program::open(piped("cat; printf err >&2; exit 9")));
    const auto report = made(both.communicate(input));
    QCOMPARE(*report.output, input);
    QCOMPARE(*report.error, "err");
    QCOMPARE(report.exitCode, 9);
    QCOMPARE(made(both.poll()), std::optional<int>(9));

    const auto none = made(Program::open(shell("exit 4")));
    const auto nothing = made(none.communicate());
    QVERIFY(!nothing.output);
    QVERIFY(!nothing.error);
    QCOMPARE(nothing.exitCode, 4);
    const auto one = made(Program::open(shell("printf err >&2", {}, {}, Redirect::pipe())));
    const auto error = made(one.communicate());
    QVERIFY(!error.output);
    QCOMPARE(*error.error, "err");
}

// SP-12
void tst_ProgramOpen::exchangeNeverBlocksItself()
{
    const QByteArray input(1'000'000, 'x');
    const auto program =
        made(Program::open(piped("head -c 47; head -c 300000 /dev/zero >&2; exec cat")));
    const auto report = made(program.communicate(input, 60s));
    QCOMPARE(report.output->size(), input.size());
    QCOMPARE(*report.output, input);
    QCOMPARE(report.error->size(), 300'000);
}

void tst_ProgramOpen::exchangeClosesAllPipes_data()
{
    QTest::addColumn<int>("streams");
    for (int streams = 0; streams < 8; ++streams)
        QTest::addRow("%d", streams) << streams;
}

// SP-13
void tst_ProgramOpen::exchangeClosesAllPipes()
{
    QFETCH(const int, streams);
    const auto redirect = [streams](int bit) {
        return (streams & bit) != 0 ? Redirect::pipe() : Redirect::null();
    };
    const ProgramOptions options = shell("true", redirect(1), redirect(2), redirect(4));
    const auto hasPipe = [](const Program &program) {
        return program.inputDescriptor() || program.descriptor(Stream::Output) ||
               program.descriptor(Stream::Error);
    };
    const auto program = made(Program::open(options));
    QCOMPARE(hasPipe(program), streams != 0);
    QVERIFY(program.communicate({}, 60s));
    QVERIFY(!hasPipe(program));
    const auto left = made(Program::open(options));
    {
        const ProgramScope scope(left);
    }
    QVERIFY(!hasPipe(left));
}

// SP-14
void tst_ProgramOpen::writtenBeforeComesFirst()
{
    const auto program = made(Program::open(piped("cat")));
    QVERIFY(program.write("banana"));
    QCOMPARE(*made(program.communicate("split")).output, "bananasplit");
}

// SP-15
void tst_ProgramOpen::signalsDoNotBreakAnExchange()
{
    static std::atomic<int> handled = 0;
    handled = 0;
    const auto before = ::signal(SIGUSR1, [](int) { ++handled; });
    const auto self = ::pthread_self();
    const auto program = made(Program::open(piped("sleep 0.3; cat; printf err >&2")));
    std::atomic<bool> isOver = false;
    std::jthread signaller([self, &isOver] {
        while (!isOver) {
            ::pthread_kill(self, SIGUSR1);
            std::this_thread::yield();
        }
    });
    const QByteArray input(500'000, 's');
    const auto report = program.communicate(input, 60s);
    isOver = true;
    signaller.join();
    ::signal(SIGUSR1, before);
    QVERIFY(report);
    QCOMPARE(*report->output, input);
    QCOMPARE(*report->error, "err");
    QVERIFY(handled > 0);
}

// SP-16
void tst_ProgramOpen::exchangeGoesOnAfterALimit()
{
    const auto program = made(Program::open(piped("printf first; exec >&- 2>&-; sleep 2; exit 7")));
    int timeouts = 0;
    Result<ProgramReport> report = program.communicate("", 100ms);
    for (; !report; report = program.communicate({}, 100ms)) {
        QCOMPARE(codeOf(report), ErrorCode::Timeout);
        ++timeouts;
    }
    QVERIFY(timeouts > 3);
    QCOMPARE(*report->output, "first");
    QCOMPARE(report->exitCode, 7);
}

// SP-18
void tst_ProgramOpen::nothingIsReadAhead()
{
    const auto program = made(Program::open(piped("printf apple; read line")));
    QVERIFY(hasSpoken(program));
    QCOMPARE(made(program.read(Stream::Output, 4)), "appl");
    QVERIFY(isReadable(*program.descriptor(Stream::Output)));
    QCOMPARE(made(program.read(Stream::Output, 4)), "e");
    QVERIFY(!isReadable(*program.descriptor(Stream::Output)));
    QVERIFY(program.leave(60s));
}

// SP-18
void tst_ProgramOpen::pipesHaveTheSizeAsked()
{
    ProgramOptions options = piped("cat");
    const auto sizes = [&options] {
        const auto program = made(Program::open(options));
        const QList<int> found = {::fcntl(*program.inputDescriptor(), F_GETPIPE_SZ),
                                  ::fcntl(*program.descriptor(Stream::Output), F_GETPIPE_SZ),
                                  ::fcntl(*program.descriptor(Stream::Error), F_GETPIPE_SZ)};
        const ProgramScope scope(program);
        return found;
    };
    int pipe[2];
    QCOMPARE(::pipe(pipe), 0);
    const int usual = ::fcntl(pipe[0], F_GETPIPE_SZ);
    ::close(pipe[0]);
    ::close(pipe[1]);
    QCOMPARE(sizes(), QList<int>({usual, usual, usual}));
    options.pipeSize = 16'384;
    QCOMPARE(sizes(), QList<int>({16'384, 16'384, 16'384}));
}

// SP-19
void tst_ProgramOpen::endIsToldAgainAndAgain()
{
    const auto program = made(Program::open(piped("read line; exit 3")));
    QCOMPARE(made(program.poll()), std::nullopt);
    const auto wait = program.wait(1ms);
    QCOMPARE(codeOf(wait), ErrorCode::Timeout);
    QVERIFY2(errorText(wait.error()).contains(u"0.001"_s), qPrintable(errorText(wait.error())));
    program.closeInput();
    for (int i = 0; i < 3; ++i) {
        QCOMPARE(made(program.wait(60s)), 3);
        QCOMPARE(made(program.poll()), std::optional<int>(3));
    }
}

void tst_ProgramOpen::signalsArrive_data()
{
    QTest::addColumn<QByteArray>("command");
    QTest::addColumn<int>("signal");
    QTest::addColumn<int>("code");
    const QByteArray waits = "printf ready; while :; do sleep 0.01; done";
    QTest::newRow("abort") << QByteArray("kill -ABRT $$") << 0 << -SIGABRT;
    QTest::newRow("kill") << waits << SIGKILL << -SIGKILL;
    QTest::newRow("terminate") << waits << SIGTERM << -SIGTERM;
    QTest::newRow("handled interrupt")
        << QByteArray("trap 'exit 77' INT; " + waits) << SIGINT << 77;
}

// SP-20
void tst_ProgramOpen::signalsArrive()
{
    QFETCH(const QByteArray, command);
    QFETCH(const int, signal);
    QFETCH(const int, code);
    const auto program = made(Program::open(piped(command)));
    if (signal != 0) {
        QVERIFY(hasSpoken(program));
        QVERIFY(signal == SIGKILL   ? program.kill()
                : signal == SIGTERM ? program.terminate()
                                    : program.signal(signal));
    }
    QCOMPARE(made(program.wait(60s)), code);
    QVERIFY(program.kill()); // Of one that has ended: nothing happens.
}

// SP-21
void tst_ProgramOpen::droppedProgramIsReaped()
{
    for (const bool isKilled : {false, true}) {
        std::optional<Program> program = made(Program::open(piped("read line")));
        const auto pid = static_cast<pid_t>(program->pid());
        if (isKilled)
            QVERIFY(program->kill());
        program.reset(); // Closes its input, which ends it.
        const auto isReaped = [pid] {
            return Program::run({.arguments = {"true"}}) && ::kill(pid, 0) != 0;
        };
        QTRY_VERIFY(isReaped());
    }
}

// SP-22
void tst_ProgramOpen::scopeWaitsForTheEnd()
{
    const auto program = made(Program::open(piped("cat >&2; sleep 0.2; exit 100")));
    {
        const ProgramScope scope(program);
        QVERIFY(program.write("context"));
        program.closeInput();
        QCOMPARE(made(program.read(Stream::Error, 100, 60s)), "context");
    }
    QCOMPARE(made(program.poll()), std::optional<int>(100));
}

// SP-22
void tst_ProgramOpen::brokenInputIsNoHarm()
{
    const auto program = made(Program::open(piped("exit 0")));
    QCOMPARE(made(program.wait(60s)), 0);
    {
        const ProgramScope scope(program);
        QCOMPARE(codeOf(program.write("nobody reads this")), ErrorCode::EndOfStream);
    }
    QVERIFY(!program.inputDescriptor());
    // And an exchange whose input is not read is complete.
    const auto unread = made(Program::open(piped("printf out")));
    QCOMPARE(*made(unread.communicate(QByteArray(500'000, 'x'), 60s)).output, "out");
}

void tst_ProgramOpen::readAndWriteHaveLimits()
{
    const auto program = made(Program::open(piped("read line; exec sleep 1000")));
    QCOMPARE(codeOf(program.read(Stream::Output, 1, 10ms)), ErrorCode::Timeout);
    QCOMPARE(codeOf(program.write(QByteArray(1'000'000, 'x'), 10ms)), ErrorCode::Timeout);
    QVERIFY(program.kill());
    QCOMPARE(codeOf(program.read(Stream::Output, 1, 60s)), ErrorCode::EndOfStream);
    QCOMPARE(made(program.leave(60s)), -SIGKILL);
}

/// A reader that waits learns at once that the pipe was closed here.
void tst_ProgramOpen::closingEndsAWaitingRead()
{
    const auto program = made(Program::open(piped("read line")));
    Result<QByteArray> read = QByteArray();
    std::jthread reader([&] { read = program.read(Stream::Output); });
    QCOMPARE(made(program.leave(60s)), 1); // Its input has ended.
    reader.join();
    QVERIFY(codeOf(read) == ErrorCode::Closed || codeOf(read) == ErrorCode::EndOfStream);
}

/// A program whose parent is killed is killed too.
void tst_ProgramOpen::diesWithItsParent()
{
    const auto parent = made(Program::open(
        {.arguments = {QCoreApplication::applicationFilePath().toLocal8Bit(), "parent"},
         .input = Redirect::pipe(),
         .output = Redirect::pipe()}));
    const auto child = made(parent.read(Stream::Output, 100, 60s)).toInt();
    QVERIFY(child > 0);
    QCOMPARE(::kill(child, 0), 0);
    QVERIFY(parent.signal(SIGKILL));
    QCOMPARE(made(parent.leave(60s)), -SIGKILL);
    // It was in a group of its own, so whoever inherits it has to reap it.
    bool isReaped = false;
    QTRY_VERIFY(isReaped = isReaped || ::waitpid(child, nullptr, WNOHANG) == child);
}

void tst_ProgramOpen::killEndsTheGroup()
{
    const auto program = made(Program::open(piped("sleep 1000 & echo $!; wait")));
    const int grandchild = made(program.read(Stream::Output, 100, 60s)).trimmed().toInt();
    QVERIFY(grandchild > 0);
    QVERIFY(program.kill());
    QCOMPARE(made(program.leave(60s)), -SIGKILL);
    QTRY_VERIFY(::kill(grandchild, 0) != 0);
}

void tst_ProgramOpen::manyThreadsStartPrograms()
{
    std::atomic<int> right = 0;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 8; ++i) {
            threads.emplace_back([&right, i] {
                for (int j = 0; j < 20; ++j) {
                    const QByteArray text = QByteArray::number(1000 * i + j);
                    const auto report =
                        Program::run({.arguments = {"printf", text}, .output = Redirect::pipe()});
                    right += report && *report->output == text ? 1 : 0;
                }
            });
        }
    }
    QCOMPARE(right.load(), 160);
}

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    if (argc > 1 && QByteArrayView(argv[1]) == "parent") {
        const auto child = made(Program::open({.arguments = {"sleep", "1000"}}));
        std::printf("%lld", child.pid());
        std::fflush(stdout);
        return std::getchar();
    }
    tst_ProgramOpen test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_program_open.moc"
