// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/program/program.h"
#include "tests/support/leak_check.h"
#include "tests/support/results.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTemporaryFile>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <memory>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;
using test::codeOf;
using test::made;

namespace {

ProgramOptions captured(const QByteArray &command)
{
    return {.arguments = {command}, .shell = true, .captureOutput = true};
}

QByteArray outputOf(const ProgramOptions &options)
{
    const auto report = made(Program::run(options));
    if (!report.error->isEmpty())
        qWarning("%s", report.error->constData());
    return *report.output;
}

/// Lists the descriptors that a program finds open.
const QByteArray listDescriptors = "ls /proc/self/fd";

/// Without that of the folder that is listed: the first that was free.
QList<int> descriptorsIn(const QByteArray &listing)
{
    QList<int> found;
    for (const QByteArray &line : listing.trimmed().split('\n'))
        found.append(line.toInt());
    found.removeOne(3);
    return found;
}

/// All descriptors of this process.
QStringList openHere()
{
    return QDir(u"/proc/self/fd"_s)
        .entryList(QDir::NoDotAndDotDot | QDir::AllEntries | QDir::System);
}

/// Puts a script there that says @p text.
QByteArray script(const QTemporaryDir &folder, const QString &name, const QByteArray &text)
{
    QFile file(folder.filePath(name));
    if (!file.open(QIODevice::WriteOnly))
        qFatal("no script");
    file.write("#!/bin/sh\nprintf '" + text + "'\n");
    file.setPermissions(QFile::ReadOwner | QFile::ExeOwner | QFile::WriteOwner);
    return QFile::encodeName(file.fileName());
}

} // namespace

class tst_ProgramLaunch : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init() { m_leaks = std::make_unique<test::LeakCheck>(); }
    void cleanup() { QTRY_COMPARE(m_leaks->leftovers(), QString()); }
    void failuresLeakNothing();
    void fewDescriptorsAreEnough();
    void culpritIsNamed_data();
    void culpritIsNamed();
    void refusedProcessIsTold();
    void programReplacesItsName();
    void workingDirectoryIsTaken();
    void environmentIsReplaced();
    void programIsLookedUpInItsPath();
    void descriptorsAreClosed();
    void descriptorsArePassed();
    void lateLimitClosesTheRest();
    void passedDescriptorMayBeAStream();
    void pipesOfOthersAreNotHeld();
    void standardDescriptorsMayBeClosed_data();
    void standardDescriptorsMayBeClosed();
    void standardDescriptorsMayBeSwapped();
    void ignoredSignalsAreRestored();
    void sessionsAndGroups();
    void modeMaskAndRights();

private:
    std::unique_ptr<test::LeakCheck> m_leaks;
};

void tst_ProgramLaunch::initTestCase()
{
    QVERIFY(Program::run({.arguments = {"true"}})); // The engine is there, and stays.
}

// SP-23
void tst_ProgramLaunch::failuresLeakNothing()
{
    const QStringList before = openHere();
    const ProgramOptions options = {.arguments = {"no-such-program-anywhere"},
                                    .input = Redirect::pipe(),
                                    .output = Redirect::pipe(),
                                    .error = Redirect::pipe()};
    for (int i = 0; i < 1024; ++i) {
        const auto program = Program::open(options);
        QCOMPARE(codeOf(program), ErrorCode::OsError);
        QCOMPARE(program.error().systemCode, ENOENT);
    }
    QCOMPARE(openHere(), before);
}

// SP-23
void tst_ProgramLaunch::fewDescriptorsAreEnough()
{
    rlimit limit = {};
    QCOMPARE(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    const rlimit before = limit;
    limit.rlim_cur = 128;
    QCOMPARE(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    std::vector<int> taken;
    for (int descriptor = 0; descriptor >= 0;) {
        descriptor = ::dup(STDIN_FILENO);
        if (descriptor >= 0)
            taken.push_back(descriptor);
    }
    for (int i = 0; i < 10; ++i) {
        ::close(taken.back());
        taken.pop_back();
    }
    int right = 0;
    for (int i = 0; i < 15; ++i) {
        const auto program = Program::open({.arguments = {"cat"},
                                            .input = Redirect::pipe(),
                                            .output = Redirect::pipe(),
                                            .error = Redirect::pipe()});
        const auto report = program ? program->communicate("lime") : program.error();
        right += report && *report->output == "lime" ? 1 : 0;
    }
    for (const int descriptor : taken)
        ::close(descriptor);
    QCOMPARE(::setrlimit(RLIMIT_NOFILE, &before), 0);
    QCOMPARE(right, 15);
}

void tst_ProgramLaunch::culpritIsNamed_data()
{
    QTest::addColumn<ProgramOptions>("options");
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("culprit");
    const ProgramOptions missing{.arguments = {"/no/such/program", "x"}};
    QTest::newRow("program") << missing << ENOENT << u"/no/such/program"_s;
    ProgramOptions options{.arguments = {"true"}, .workingDirectory = "/no/such/folder"};
    QTest::newRow("folder") << options << ENOENT << u"/no/such/folder"_s;
    options = {.arguments = {"/etc/passwd"}};
    QTest::newRow("no program") << options << EACCES << u"/etc/passwd"_s;
    options = {.arguments = {"true"}, .program = "/no/such/executable"};
    QTest::newRow("executable") << options << ENOENT << u"/no/such/executable"_s;
    options = {.arguments = {""}};
    QTest::newRow("empty name") << options << EACCES << QString();
    options = {.arguments = {"true"}, .passDescriptors = {987}};
    QTest::newRow("descriptor") << options << EBADF << u"true"_s;
}

// SP-24
void tst_ProgramLaunch::culpritIsNamed()
{
    QFETCH(const ProgramOptions, options);
    QFETCH(const int, code);
    QFETCH(const QString, culprit);
    const auto report = Program::run(options);
    QCOMPARE(codeOf(report), ErrorCode::OsError);
    QCOMPARE(report.error().subject, culprit);
    QCOMPARE(report.error().systemCode, code);
}

// SP-24
void tst_ProgramLaunch::refusedProcessIsTold()
{
    // The limit of processes is not for the superuser, who gives that up in a program of its own.
    const QByteArray self = QCoreApplication::applicationFilePath().toLocal8Bit();
    ProgramOptions options{.arguments = {self, "without-processes"}};
    options.captureOutput = true;
    QCOMPARE(outputOf(options).toInt(), EAGAIN);
}

// SP-25
void tst_ProgramLaunch::programReplacesItsName()
{
    ProgramOptions options{.arguments = {"nobody", "-c", "printf \"$0\""}, .program = "/bin/sh"};
    options.captureOutput = true;
    QCOMPARE(outputOf(options), "nobody");
    options.arguments.first() = "true";
    options.program = "/no/such/program";
    QCOMPARE(codeOf(Program::run(options)), ErrorCode::OsError);
}

// SP-26
void tst_ProgramLaunch::workingDirectoryIsTaken()
{
    const QTemporaryDir folder;
    const QByteArray path = QFile::encodeName(QFileInfo(folder.path()).canonicalFilePath());
    ProgramOptions options = captured("pwd");
    options.workingDirectory = path;
    QCOMPARE(outputOf(options), path + '\n');
    const QByteArray absolute = script(folder, u"here"_s, "found");
    options.shell = false;
    options.arguments = {"./here"};
    QCOMPARE(outputOf(options), "found");
    options.workingDirectory = "/";
    QCOMPARE(codeOf(Program::run(options)), ErrorCode::OsError);
    options.arguments = {absolute};
    QCOMPARE(outputOf(options), "found");
}

// SP-27
void tst_ProgramLaunch::environmentIsReplaced()
{
    qputenv("PROCLAB_TEST_KEPT", "kept");
    ProgramOptions options{.arguments = {"/usr/bin/env"}};
    options.captureOutput = true;
    QVERIFY(outputOf(options).contains("PROCLAB_TEST_KEPT=kept\n"));
    options.environment.emplace();
    QCOMPARE(outputOf(options), "");
    options.environment = {{"FRUIT", "orange"}};
    QCOMPARE(outputOf(options), "FRUIT=orange\n");
    options.environment = {{"NO\xff", "TE\x80XT"}};
    QCOMPARE(outputOf(options), "NO\xff=TE\x80XT\n");
}

// SP-27
void tst_ProgramLaunch::programIsLookedUpInItsPath()
{
    const QTemporaryDir folder;
    script(folder, u"fruit-\u00e4"_s, "mine");
    ProgramOptions options{.arguments = {QFile::encodeName(u"fruit-\u00e4"_s)}};
    options.captureOutput = true;
    QCOMPARE(codeOf(Program::run(options)), ErrorCode::OsError);
    options.environment = {{"PATH", "/nowhere:" + QFile::encodeName(folder.path())}};
    QCOMPARE(outputOf(options), "mine");
}

// SP-29
void tst_ProgramLaunch::descriptorsAreClosed()
{
    const int inheritable = ::fcntl(STDERR_FILENO, F_DUPFD, 20);
    const int closed = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 20);
    ProgramOptions options = captured(listDescriptors);
    QCOMPARE(descriptorsIn(outputOf(options)), QList<int>({0, 1, 2}));
    options.closeDescriptors = false;
    const QList<int> open = descriptorsIn(outputOf(options));
    QVERIFY(open.contains(inheritable));
    QVERIFY(!open.contains(closed));
    ::close(inheritable);
    ::close(closed);
}

// SP-29
void tst_ProgramLaunch::descriptorsArePassed()
{
    const int first = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 30);
    const int second = ::fcntl(STDERR_FILENO, F_DUPFD, 40);
    const int third = ::fcntl(STDERR_FILENO, F_DUPFD, 50);
    ProgramOptions options = captured(listDescriptors);
    options.passDescriptors = {second, first};
    QCOMPARE(descriptorsIn(outputOf(options)), QList<int>({0, 1, 2, first, second}));
    QCOMPARE(::fcntl(first, F_GETFD), FD_CLOEXEC);
    QCOMPARE(::fcntl(second, F_GETFD), 0);
    for (const int descriptor : {first, second, third})
        ::close(descriptor);
}

// SP-30
void tst_ProgramLaunch::lateLimitClosesTheRest()
{
    const int high = ::fcntl(STDERR_FILENO, F_DUPFD, 200);
    QVERIFY(high >= 200);
    rlimit limit = {};
    QCOMPARE(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    const rlimit before = limit;
    limit.rlim_cur = 100;
    QCOMPARE(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    const QByteArray listing = outputOf(captured(listDescriptors));
    QCOMPARE(::setrlimit(RLIMIT_NOFILE, &before), 0);
    ::close(high);
    QCOMPARE(descriptorsIn(listing), QList<int>({0, 1, 2}));
}

// SP-30
void tst_ProgramLaunch::passedDescriptorMayBeAStream()
{
    QTemporaryFile file;
    QVERIFY(file.open());
    ProgramOptions options{
        .arguments = {"printf one; printf two >&" + QByteArray::number(file.handle())},
        .shell = true,
        .output = Redirect::to(file),
        .passDescriptors = {file.handle()}};
    QVERIFY(file.handle() < 10); // What a shell can name.
    QCOMPARE(made(Program::run(options)).exitCode, 0);
    file.seek(0);
    QCOMPARE(file.readAll(), "onetwo");
}

// SP-31
void tst_ProgramLaunch::pipesOfOthersAreNotHeld()
{
    ProgramOptions options{.arguments = {"cat"},
                           .input = Redirect::pipe(),
                           .output = Redirect::pipe(),
                           .closeDescriptors = false};
    const auto first = made(Program::open(options));
    const auto second = made(Program::open(options));
    first.closeInput(); // The end comes, though the second still runs.
    QCOMPARE(made(first.wait(60s)), 0);
    QCOMPARE(made(second.poll()), std::nullopt);
    second.closeInput();
    QCOMPARE(made(second.wait(60s)), 0);
}

void tst_ProgramLaunch::standardDescriptorsMayBeClosed_data()
{
    QTest::addColumn<int>("mask");
    for (int mask = 1; mask < 8; ++mask)
        QTest::addRow("%d", mask) << mask;
}

// SP-32
void tst_ProgramLaunch::standardDescriptorsMayBeClosed()
{
    QFETCH(const int, mask);
    std::array<int, 3> kept = {};
    for (int stream = 0; stream < 3; ++stream) {
        kept[std::size_t(stream)] = ::fcntl(stream, F_DUPFD_CLOEXEC, 10);
        if ((mask & 1 << stream) != 0)
            ::close(stream);
    }
    const auto report = Program::run(captured("printf apple; printf orange >&2"));
    ProgramOptions fed{.arguments = {"cat"}};
    fed.inputBytes = "pear";
    fed.captureOutput = true;
    const auto echoed = Program::run(fed);
    for (int stream = 0; stream < 3; ++stream) {
        ::dup2(kept[std::size_t(stream)], stream);
        ::close(kept[std::size_t(stream)]);
    }
    QVERIFY(report && echoed);
    QCOMPARE(*report->output, "apple");
    QCOMPARE(*report->error, "orange");
    QCOMPARE(*echoed->output, "pear");
}

// SP-33
void tst_ProgramLaunch::standardDescriptorsMayBeSwapped()
{
    std::array<QTemporaryFile, 3> files;
    std::array<int, 3> kept = {};
    for (int stream = 0; stream < 3; ++stream) {
        QVERIFY(files[std::size_t(stream)].open());
        kept[std::size_t(stream)] = ::fcntl(stream, F_DUPFD_CLOEXEC, 10);
    }
    std::array<int, 3> order = {0, 1, 2};
    QStringList wrong;
    do {
        for (int stream = 0; stream < 3; ++stream) {
            QTemporaryFile &file = files[std::size_t(stream)];
            file.resize(0);
            file.write("input " + QByteArray::number(stream));
            file.flush();
            file.seek(0);
            ::dup2(file.handle(), stream);
        }
        const auto report = Program::run({.arguments = {"cat >&2; printf output"},
                                          .shell = true,
                                          .input = Redirect::to(order[0]),
                                          .output = Redirect::to(order[1]),
                                          .error = Redirect::to(order[2])});
        for (int stream = 0; stream < 3; ++stream)
            ::dup2(kept[std::size_t(stream)], stream);
        const auto textOf = [&files](int stream) {
            QFile file(files[std::size_t(stream)].fileName());
            return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray("unreadable");
        };
        // What is written replaces the beginning of what stood there.
        const QByteArray copied = "input " + QByteArray::number(order[0]);
        if (!report || !textOf(order[1]).startsWith("output") || textOf(order[2]) != copied)
            wrong.append(u"%1%2%3"_s.arg(order[0]).arg(order[1]).arg(order[2]));
    } while (std::next_permutation(order.begin(), order.end()));
    for (const int descriptor : kept)
        ::close(descriptor);
    QCOMPARE(wrong, QStringList());
}

// SP-34
void tst_ProgramLaunch::ignoredSignalsAreRestored()
{
    const auto before = ::signal(SIGPIPE, SIG_IGN);
    ProgramOptions options{.arguments = {"grep", "SigIgn", "/proc/self/status"}};
    options.captureOutput = true;
    const auto ignored = [&options] {
        return outputOf(options).split('\t').at(1).trimmed().toULongLong(nullptr, 16);
    };
    constexpr quint64 pipeBit = 1U << (SIGPIPE - 1);
    QCOMPARE(ignored() & pipeBit, 0U);
    options.restoreSignals = false;
    QCOMPARE(ignored() & pipeBit, pipeBit);
    ::signal(SIGPIPE, before);
}

// SP-35
void tst_ProgramLaunch::sessionsAndGroups()
{
    // The fields of its status: number, name, state, parent, group, session.
    ProgramOptions options{.arguments = {"cat", "/proc/self/stat"}};
    options.captureOutput = true;
    const auto ids = [&options] {
        const QList<QByteArray> fields = outputOf(options).split(' ');
        return std::pair(fields.at(4).toInt(), fields.at(5).toInt());
    };
    QVERIFY(ids().first != ::getpgrp());
    QCOMPARE(ids().second, ::getsid(0));
    options.processGroup.reset();
    QCOMPARE(ids().first, ::getpgrp());
    options.newSession = true;
    QVERIFY(ids().first != ::getpgrp());
    QVERIFY(ids().second != ::getsid(0));
}

// SP-36
void tst_ProgramLaunch::modeMaskAndRights()
{
    const QTemporaryDir folder;
    ProgramOptions options = captured("umask; id -u; id -g; id -G");
    options.umask = 0053;
    const QByteArray own = outputOf(options);
    QCOMPARE(own.split('\n').at(0).toInt(nullptr, 8), 0053);
    options.user = 65'534;
    options.group = 65'533;
    options.extraGroups = {12'345, 12'346};
    const auto report = Program::run(options);
    if (::geteuid() == 0) {
        QCOMPARE(*report->output, "0053\n65534\n65533\n65533 12345 12346\n");
    } else {
        QCOMPARE(codeOf(report), ErrorCode::OsError);
        QCOMPARE(report.error().systemCode, EPERM);
    }
}

/// See refusedProcessIsTold(): prints the error's number.
static int startWithoutProcesses()
{
    const rlimit none = {0, 0};
    if (::geteuid() == 0 && ::setresuid(65'432, 65'432, 65'432) != 0)
        return 1;
    if (!Program::run({.arguments = {"true"}}))
        return 2;
    ::setrlimit(RLIMIT_NPROC, &none);
    const auto report = Program::run({.arguments = {"true"}});
    std::printf("%d", report ? 0 : report.error().systemCode);
    return 0;
}

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    if (argc > 1 && QByteArrayView(argv[1]) == "without-processes")
        return startWithoutProcesses();
    tst_ProgramLaunch test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_program_launch.moc"
