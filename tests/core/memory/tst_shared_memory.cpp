// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/memory/shared_memory.h"
#include "core/process/fork.h"
#include "core/process/process.h"
#include "core/program/program.h"
#include "tests/support/results.h"
#include "tests/support/worker_test_main.h"

#include <QDir>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;
using test::codeOf;
using test::made;

namespace {

void write(const SharedMemory &memory, const char *text)
{
    std::memcpy(memory.bytes().data(), text, std::strlen(text) + 1);
}

QByteArray textIn(const SharedMemory &memory)
{
    return QByteArray(reinterpret_cast<const char *>(memory.bytes().data()));
}

// What other processes do.

void answerIn(QString name)
{
    const auto memory = SharedMemory::attach(name);
    if (!memory || textIn(*memory) != "question")
        std::exit(1);
    write(*memory, "answer");
}

void createAndDie()
{
    (void)SharedMemory::create(100);
    ::raise(SIGKILL);
}

QStringList names()
{
    return QDir(u"/dev/shm"_s).entryList({u"proclab-*"_s}, QDir::Files);
}

} // namespace

class tst_SharedMemory : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void bytesAreShared_data() { test::addStartMethods(); }
    void bytesAreShared();
    void takenNameIsPassedOver();
    void wrongNamesAreTold();
    void wrongArgumentsAreRefused_data();
    void wrongArgumentsAreRefused();
    void whoAttachesRemovesNothing();
    void ownerThatLeavesItIsWarned();
    void killedOwnersNameGoes();
    void cleanup() { QCOMPARE(names(), QStringList()); }
};

// VA-08: attach() takes no size.
void tst_SharedMemory::bytesAreShared()
{
    QFETCH(const StartMethod, method);
    const auto memory = made(SharedMemory::create(5'000));
    QVERIFY(memory.bytes().size() >= 5'000);
    QVERIFY(std::ranges::all_of(memory.bytes(), [](std::byte one) { return one == std::byte(0); }));
    const auto second = made(SharedMemory::attach(memory.name()));
    QCOMPARE(second.bytes().size(), memory.bytes().size());
    write(memory, "question");
    QCOMPARE(textIn(second), "question");
    const auto child = made(Process::create<answerIn>({.startMethod = method}, memory.name()));
    QVERIFY(child.start());
    QVERIFY(child.join(60s));
    QCOMPARE(**child.exitCode(), 0);
    QCOMPARE(textIn(memory), "answer");
    QCOMPARE(textIn(second), "answer");
    QVERIFY(SharedMemory::remove(memory.name()));
    write(memory, "still there");
    QCOMPARE(textIn(second), "still there");
    // Its name may be used again.
    const auto again = made(SharedMemory::create(10, memory.name()));
    QCOMPARE(textIn(again), "");
    QVERIFY(SharedMemory::remove(again.name()));
}

// VA-08
void tst_SharedMemory::takenNameIsPassedOver()
{
    const auto first = made(SharedMemory::create(10, u"proclab-taken"_s));
    QStringList offered = {u"proclab-taken"_s, u"proclab-taken"_s, u"proclab-free"_s};
    const auto second = made(SharedMemory::create(10, [&offered] { return offered.takeFirst(); }));
    QCOMPARE(second.name(), u"proclab-free"_s);
    QVERIFY(offered.isEmpty());
    for (const SharedMemory &memory : {first, second})
        QVERIFY(SharedMemory::remove(memory.name()));
}

// VA-09
void tst_SharedMemory::wrongNamesAreTold()
{
    const QString name = u"proclab-wrong-names"_s;
    QCOMPARE(SharedMemory::attach(name).error().systemCode, ENOENT);
    QCOMPARE(SharedMemory::remove(name).error().systemCode, ENOENT);
    const auto memory = made(SharedMemory::create(10, name));
    const auto taken = SharedMemory::create(10, name);
    QCOMPARE(codeOf(taken), ErrorCode::OsError);
    QCOMPARE(taken.error().systemCode, EEXIST);
    QVERIFY(errorText(taken.error()).startsWith(name));
    QVERIFY(SharedMemory::remove(name));
    QCOMPARE(SharedMemory::remove(name).error().systemCode, ENOENT);
}

void tst_SharedMemory::wrongArgumentsAreRefused_data()
{
    QTest::addColumn<qint64>("size");
    QTest::addColumn<QString>("name");
    QTest::newRow("no bytes") << qint64(0) << u"proclab-x"_s;
    QTest::newRow("negative") << qint64(-1) << u"proclab-x"_s;
    QTest::newRow("zero byte") << qint64(10) << u"proclab-"_s + QChar(0) + u"x"_s;
    QTest::newRow("slash") << qint64(10) << u"proclab/x"_s;
    QTest::newRow("too long") << qint64(10) << QString(300, u'x');
    QTest::newRow("empty") << qint64(10) << u""_s;
}

// VA-09
void tst_SharedMemory::wrongArgumentsAreRefused()
{
    QFETCH(const qint64, size);
    QFETCH(const QString, name);
    QCOMPARE(codeOf(SharedMemory::create(size, name)), ErrorCode::InvalidArgument);
    if (size > 0)
        QCOMPARE(codeOf(SharedMemory::attach(name)), ErrorCode::InvalidArgument);
    QCOMPARE(codeOf(SharedMemory::attach({})), ErrorCode::InvalidArgument);
}

// VA-10
void tst_SharedMemory::whoAttachesRemovesNothing()
{
    const auto memory = made(SharedMemory::create(10));
    write(memory, "mine");
    const QByteArray self = QCoreApplication::applicationFilePath().toLocal8Bit();
    const auto report = made(Program::run(
        {.arguments = {self, "attach", memory.name().toLocal8Bit()}, .captureOutput = true}));
    QCOMPARE(report.exitCode, 0);
    QCOMPARE(*report.error, "");
    QCOMPARE(textIn(made(SharedMemory::attach(memory.name()))), "mine");
    QVERIFY(SharedMemory::remove(memory.name()));
}

// VA-10
void tst_SharedMemory::ownerThatLeavesItIsWarned()
{
    const auto memory = made(SharedMemory::create(10));
    const QByteArray self = QCoreApplication::applicationFilePath().toLocal8Bit();
    const auto report = made(Program::run(
        {.arguments = {self, "own", memory.name().toLocal8Bit()}, .captureOutput = true}));
    QCOMPARE(report.exitCode, 0);
    QVERIFY2(report.error->contains(QByteArray(memory.name().toLocal8Bit() + "\" was left")),
             report.error->constData());
    QCOMPARE(SharedMemory::remove(memory.name()).error().systemCode, ENOENT);
}

void tst_SharedMemory::killedOwnersNameGoes()
{
    const auto child = made(Process::create<createAndDie>({}));
    QVERIFY(child.start());
    QVERIFY(child.join(60s));
    QCOMPARE(names().size(), 1);
    const auto next = made(SharedMemory::create(10));
    QCOMPARE(names(), QStringList(next.name()));
    QVERIFY(SharedMemory::remove(next.name()));
}

int main(int argc, char **argv)
{
    if (const auto code = workerMain(argc, argv))
        return *code;
    QCoreApplication app(argc, argv);
    if (argc > 2) {
        using Ownership = SharedMemory::Ownership;
        const bool isOwner = QByteArrayView(argv[1]) == "own";
        if (argc == 3 && (isOwner || QByteArrayView(argv[1]) == "attach"))
            return SharedMemory::attach(QString::fromLocal8Bit(argv[2]),
                                        isOwner ? Ownership::Owner : Ownership::None)
                       ? 0
                       : 1;
    }
    allowForkHere();
    tst_SharedMemory test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_shared_memory.moc"
