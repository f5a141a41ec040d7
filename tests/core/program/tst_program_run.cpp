// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/program/program.h"
#include "core/program/text.h"
#include "tests/support/leak_check.h"
#include "tests/support/results.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTemporaryFile>

#include <csignal>
#include <memory>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;
using test::codeOf;
using test::made;

namespace {

/// Options that run @p command by the shell.
ProgramOptions shell(const QByteArray &command)
{
    return {.arguments = {command}, .shell = true};
}

ProgramOptions captured(const QByteArray &command)
{
    ProgramOptions options = shell(command);
    options.captureOutput = true;
    return options;
}

bool isGone(qint64 pid)
{
    return ::kill(static_cast<pid_t>(pid), 0) != 0;
}

/// What was written to this process's standard output while @p work ran.
template<typename Work>
QByteArray outputOf(Work work)
{
    QTemporaryFile file;
    if (!file.open())
        qFatal("no temporary file");
    const int kept = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    std::fflush(stdout);
    ::dup2(file.handle(), STDOUT_FILENO);
    work();
    ::dup2(kept, STDOUT_FILENO);
    ::close(kept);
    file.seek(0);
    return file.readAll();
}

} // namespace

class tst_ProgramRun : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init() { m_leaks = std::make_unique<test::LeakCheck>(); }
    void cleanup() { QTRY_COMPARE(m_leaks->leftovers(), QString()); }
    void exitCodeIsNoError();
    void failureTellsWhy_data();
    void failureTellsWhy();
    void timeLimitEndsIt();
    void timeLimitEndsWhatItHasStarted();
    void timeoutCarriesWhatWasWritten();
    void captureIsOfTheStreamAsked();
    void inputArrives();
    void conflictsAreRefused_data();
    void conflictsAreRefused();
    void streamsOfTheParentAreUsed();
    void streamsLeadToFiles();
    void errorJoinsOutput();
    void nullTakesAndGivesNothing();
    void grandchildHoldsNobodyUp();
    void tooMuchOutputEndsIt();
    void shellRunsCommands();
    void statusAndOutput();
    void textIsDecoded_data();
    void textIsDecoded();
    void interruptIsPassedOn();

private:
    std::unique_ptr<test::LeakCheck> m_leaks;
};

void tst_ProgramRun::initTestCase()
{
    QVERIFY(Program::run({.arguments = {"true"}})); // The engine is there, and stays.
}

// SP-01
void tst_ProgramRun::exitCodeIsNoError()
{
    const auto report = Program::run(captured("printf out; exit 47"));
    QVERIFY(report);
    QCOMPARE(report->exitCode, 47);
    const auto checked = report->check();
    QCOMPARE(codeOf(checked), ErrorCode::ProcessFailed);
    QCOMPARE(checked.error().program->exitCode, 47);
    QCOMPARE(*checked.error().program->output, "out");
    QCOMPARE(checked.error().program->arguments, report->arguments);

    ProgramOptions options = captured("printf partial; exit 3");
    options.check = true;
    const auto failed = Program::run(options);
    QCOMPARE(codeOf(failed), ErrorCode::ProcessFailed);
    QCOMPARE(failed.error().program->exitCode, 3);
    QCOMPARE(*failed.error().program->output, "partial");
    options.arguments = {"exit 0"};
    QVERIFY(Program::run(options));
}

void tst_ProgramRun::failureTellsWhy_data()
{
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("text");
    QTest::newRow("signal") << -SIGABRT << u"SIGABRT (signal 6)"_s;
    QTest::newRow("unknown signal") << -4321 << u"unknown signal 4321"_s;
    QTest::newRow("exit status") << 27 << u"exit status 27"_s;
}

// SP-37
void tst_ProgramRun::failureTellsWhy()
{
    QFETCH(const int, code);
    QFETCH(const QString, text);
    const ProgramReport report{.arguments = {"fake", "-x"}, .exitCode = code};
    const QString told = errorText(report.check().error());
    QVERIFY2(told.contains(text), qPrintable(told));
    QVERIFY2(told.startsWith(u"fake -x: "_s), qPrintable(told));
}

// SP-02
void tst_ProgramRun::timeLimitEndsIt()
{
    ProgramOptions options = shell("while :; do :; done");
    options.timeout = 100ms;
    const auto report = Program::run(options);
    QCOMPARE(codeOf(report), ErrorCode::Timeout);
    QVERIFY(errorText(report.error()).contains(u"0.1 s"_s));
    QVERIFY(isGone(report.error().program->pid));
    QCOMPARE(report.error().program->exitCode, -SIGKILL);
}

void tst_ProgramRun::timeLimitEndsWhatItHasStarted()
{
    ProgramOptions options = captured("sleep 1000 & echo $!; wait");
    options.timeout = 2s;
    const auto report = Program::run(options);
    QCOMPARE(codeOf(report), ErrorCode::Timeout);
    const qint64 grandchild = report.error().program->output->trimmed().toLongLong();
    QVERIFY(grandchild > 0);
    QTRY_VERIFY(isGone(grandchild));
}

// SP-03
void tst_ProgramRun::timeoutCarriesWhatWasWritten()
{
    ProgramOptions options = captured("printf BDFL; printf oops >&2; exec sleep 3600");
    options.timeout = 3s;
    const auto report = Program::run(options);
    QCOMPARE(codeOf(report), ErrorCode::Timeout);
    QCOMPARE(*report.error().program->output, "BDFL");
    QCOMPARE(*report.error().program->error, "oops");
}

// SP-04
void tst_ProgramRun::captureIsOfTheStreamAsked()
{
    const QByteArray command = "printf out; printf err >&2";
    ProgramOptions options = shell(command);
    options.output = Redirect::pipe();
    options.error = Redirect::null();
    const auto output = made(Program::run(options));
    QCOMPARE(*output.output, "out");
    QVERIFY(!output.error);
    options.output = Redirect::null();
    options.error = Redirect::pipe();
    const auto error = made(Program::run(options));
    QVERIFY(!error.output);
    QCOMPARE(*error.error, "err");
    const auto both = made(Program::run(captured(command)));
    QCOMPARE(*both.output, "out");
    QCOMPARE(*both.error, "err");
    const auto none = made(Program::run(captured("true")));
    QCOMPARE(*none.output, ""); // Empty, and there.
}

// SP-05
void tst_ProgramRun::inputArrives()
{
    ProgramOptions options = captured("cat; echo end");
    options.inputBytes = QByteArray(300'000, 'x');
    QCOMPARE(*made(Program::run(options)).output, QByteArray(300'000, 'x') + "end\n");
    options.inputBytes = QByteArray();
    QCOMPARE(*made(Program::run(options)).output, "end\n");

    QTemporaryFile file;
    QVERIFY(file.open());
    file.write("from a file");
    file.flush();
    file.seek(0);
    options.inputBytes.reset();
    options.input = Redirect::to(file);
    QCOMPARE(*made(Program::run(options)).output, "from a fileend\n");
    options.input = Redirect::null();
    QCOMPARE(*made(Program::run(options)).output, "end\n");

    options.captureOutput = false;
    options.input = options.output = Redirect::pipe();
    const auto program = made(Program::open(options));
    QVERIFY(program.write("through a pipe "));
    program.closeInput();
    QCOMPARE(codeOf(program.write("more")), ErrorCode::Closed);
    QCOMPARE(*made(program.communicate()).output, "through a pipe end\n");
}

void tst_ProgramRun::conflictsAreRefused_data()
{
    QTest::addColumn<ProgramOptions>("options");
    QTest::addColumn<QStringList>("named");
    const ProgramOptions base{.arguments = {"touch", "never"}};
    const auto add = [](const char *row, const ProgramOptions &options, const QStringList &named) {
        QTest::newRow(row) << options << named;
    };
    ProgramOptions options = base;
    options.inputBytes = "x";
    options.input = Redirect::pipe();
    add("input twice", options, {u"inputBytes"_s, u"input"_s});
    options = base;
    options.captureOutput = true;
    options.output = Redirect::null();
    add("capture and output", options, {u"captureOutput"_s, u"output"_s});
    options.output = Redirect::inherit();
    options.error = Redirect::pipe();
    add("capture and error", options, {u"captureOutput"_s, u"error"_s});
    options = base;
    options.output = Redirect::toOutput();
    add("output to itself", options, {u"output"_s});
    options = base;
    options.arguments.clear();
    add("no program", options, {u"arguments"_s});
    options = base;
    options.arguments.append(QByteArray("a\0b", 3));
    add("zero byte", options, {u"arguments"_s});
    options = base;
    options.environment = {{"A=B", "c"}};
    add("variable's name", options, {u"environment"_s});
    options = base;
    options.output = Redirect::to(-1);
    add("no descriptor", options, {u"output"_s});
    options = base;
    options.user = -1;
    add("user", options, {u"user"_s});
    options = base;
    options.group = -5;
    add("group", options, {u"group"_s});
    options = base;
    options.extraGroups = {0, -1};
    add("extra groups", options, {u"extraGroups"_s});
}

// SP-06, SP-36
void tst_ProgramRun::conflictsAreRefused()
{
    QFETCH(ProgramOptions, options);
    QFETCH(const QStringList, named);
    const QTemporaryDir folder;
    options.workingDirectory = folder.path().toLocal8Bit();
    const auto report = Program::run(options);
    QCOMPARE(codeOf(report), ErrorCode::InvalidArgument);
    for (const QString &name : named)
        QVERIFY2(errorText(report.error()).contains(name), qPrintable(errorText(report.error())));
    QVERIFY(QDir(folder.path()).isEmpty());
}

// SP-07
void tst_ProgramRun::streamsOfTheParentAreUsed()
{
    const QByteArray output = outputOf([] {
        const auto program = made(Program::open(shell("printf here")));
        QVERIFY(!program.inputDescriptor());
        QVERIFY(!program.descriptor(Program::Stream::Output));
        QVERIFY(!program.descriptor(Program::Stream::Error));
        QCOMPARE(codeOf(program.read(Program::Stream::Output)), ErrorCode::Closed);
        QCOMPARE(made(program.wait(60s)), 0);
    });
    QCOMPARE(output, "here");
}

// SP-08
void tst_ProgramRun::streamsLeadToFiles()
{
    QTemporaryFile file;
    QVERIFY(file.open());
    ProgramOptions options = shell("printf 1; printf 2 >&2; printf 3; printf 4 >&2");
    options.output = Redirect::to(file);
    options.error = Redirect::null();
    QVERIFY(Program::run(options));
    file.seek(0);
    QCOMPARE(file.readAll(), "13");
    file.resize(0);
    file.seek(0);
    options.error = Redirect::to(file.handle());
    QVERIFY(Program::run(options));
    file.seek(0);
    QCOMPARE(file.readAll(), "1234");
}

// SP-09
void tst_ProgramRun::errorJoinsOutput()
{
    ProgramOptions options = shell("printf 1; printf 2 >&2; printf 3; printf 4 >&2");
    options.output = Redirect::pipe();
    options.error = Redirect::toOutput();
    const auto report = made(Program::run(options));
    QCOMPARE(*report.output, "1234");
    QVERIFY(!report.error);
    options.output = Redirect::inherit();
    QCOMPARE(outputOf([&options] { QVERIFY(Program::run(options)); }), "1234");
    options.output = Redirect::to(STDOUT_FILENO);
    QCOMPARE(outputOf([&options] { QVERIFY(Program::run(options)); }), "1234");
}

// SP-10
void tst_ProgramRun::nullTakesAndGivesNothing()
{
    ProgramOptions options =
        shell("cat; head -c 10485760 /dev/zero; head -c 10485760 /dev/zero >&2");
    options.input = options.output = options.error = Redirect::null();
    const auto program = made(Program::open(options));
    QVERIFY(!program.inputDescriptor());
    QVERIFY(!program.descriptor(Program::Stream::Output));
    QVERIFY(!program.descriptor(Program::Stream::Error));
    QCOMPARE(made(program.wait(60s)), 0);
}

void tst_ProgramRun::grandchildHoldsNobodyUp()
{
    QElapsedTimer timer;
    timer.start();
    const auto report = made(Program::run(captured("printf said; sleep 1000 & printf $! >&2")));
    QVERIFY(timer.elapsed() < 60'000);
    QCOMPARE(*report.output, "said");
    const auto grandchild = report.error->toInt();
    QVERIFY(grandchild > 0);
    QVERIFY(!isGone(grandchild)); // It is no business of run().
    QCOMPARE(::kill(grandchild, SIGKILL), 0);
    QTRY_VERIFY(isGone(grandchild));
}

void tst_ProgramRun::tooMuchOutputEndsIt()
{
    ProgramOptions options = captured("yes");
    options.maxCapturedBytes = 1'000'000;
    const auto report = Program::run(options);
    QCOMPARE(codeOf(report), ErrorCode::Full);
    QVERIFY(report.error().program->output->startsWith("y\ny\n"));
    QVERIFY(isGone(report.error().program->pid));
}

// SP-28
void tst_ProgramRun::shellRunsCommands()
{
    ProgramOptions options = captured("printf \"%s $APPLE\" \"$0\"");
    options.environment = {{"APPLE", "red"}};
    QCOMPARE(*made(Program::run(options)).output, "/bin/sh red");
    options.program = "/bin/bash";
    QCOMPARE(*made(Program::run(options)).output, "/bin/bash red");
    options = captured("printf \"$1\"");
    options.arguments += {"zero", "one"};
    QCOMPARE(*made(Program::run(options)).output, "one");
    // Without a shell a command is a program's name.
    QCOMPARE(codeOf(Program::run({.arguments = {"printf it"}})), ErrorCode::OsError);
}

// SP-28
void tst_ProgramRun::statusAndOutput()
{
    const auto [status, text] = made(Program::statusAndOutput("echo one; echo two >&2; exit 5"));
    QCOMPARE(status, 5);
    QCOMPARE(text, "one\ntwo");
}

void tst_ProgramRun::textIsDecoded_data()
{
    QTest::addColumn<TextFormat>("format");
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("text");
    using enum QStringConverter::Encoding;
    using enum TextFormat::Undecodable;
    const QString lines = u"a\r\nb\rc\nä\r\r\n\r"_s;
    const QString expected = u"a\nb\nc\nä\n\n\n"_s;
    for (const auto encoding : {Utf8, Utf16LE, Utf16BE, Utf32LE, Utf32BE}) {
        QByteArray bytes = QStringEncoder(encoding)(lines);
        QTest::newRow(QStringConverter::nameForEncoding(encoding))
            << TextFormat{encoding} << bytes << expected;
    }
    const QByteArray broken = "a\xffz\xc3(\xe2\x82";
    QTest::newRow("replace") << TextFormat{Utf8, Replace} << broken << u"a\ufffdz\ufffd(\ufffd"_s;
    QTest::newRow("skip") << TextFormat{Utf8, Skip} << broken << u"az("_s;
    QTest::newRow("escape") << TextFormat{Utf8, Escape} << broken << u"a\\xffz\\xc3(\\xe2\\x82"_s;
    QTest::newRow("zero byte") << TextFormat{} << QByteArray("a\0b", 3)
                               << QString(u"a%1b"_s).arg(QChar(0));
}

// SP-17
void tst_ProgramRun::textIsDecoded()
{
    QFETCH(const TextFormat, format);
    QFETCH(const QByteArray, bytes);
    QFETCH(const QString, text);
    ProgramOptions options = {.arguments = {"cat"}, .output = Redirect::pipe()};
    options.inputBytes = bytes;
    QCOMPARE(decodeText(*made(Program::run(options)).output, format), text);

    options.inputBytes.reset();
    options.input = Redirect::pipe();
    const auto program = made(Program::open(options));
    QVERIFY(program.write(bytes));
    program.closeInput();
    TextDecoder decoder(format);
    QString read;
    while (const auto some = program.read(Program::Stream::Output, 1, 60s))
        read += decoder.feed(*some);
    QCOMPARE(read + decoder.finish(), text);
    QCOMPARE(made(program.leave(60s)), 0);
}

// SP-38
void tst_ProgramRun::interruptIsPassedOn()
{
    static volatile std::sig_atomic_t interrupts = 0;
    const auto before = ::signal(SIGINT, [](int) { interrupts = interrupts + 1; });
    // One that ends by itself, and one that does not.
    for (const QByteArray command : {"trap 'printf bye; exit 0' INT; printf ready; "
                                     "while :; do sleep 0.01; done",
                                     "trap '' INT; printf ready; while :; do sleep 0.01; done"}) {
        interrupts = 0;
        QTemporaryFile file;
        QVERIFY(file.open());
        ProgramOptions options = shell(command);
        options.output = Redirect::to(file);
        options.passInterrupt = true;
        std::jthread interrupter([&file] {
            struct stat status = {};
            while (::fstat(file.handle(), &status) == 0 && status.st_size == 0)
                ::poll(nullptr, 0, 1);
            ::kill(::getpid(), SIGINT);
        });
        const auto report = Program::run(options);
        QCOMPARE(codeOf(report), ErrorCode::Cancelled);
        QVERIFY(isGone(report.error().program->pid));
        QCOMPARE(int(interrupts), 1); // Once, here, when all was over.
        const bool isPolite = command.contains("bye");
        QCOMPARE(report.error().program->exitCode, isPolite ? 0 : -SIGKILL);
        file.seek(0);
        QCOMPARE(file.readAll(), isPolite ? "readybye" : "ready");
    }
    ::signal(SIGINT, before);
}

QTEST_GUILESS_MAIN(tst_ProgramRun)
#include "tst_program_run.moc"
