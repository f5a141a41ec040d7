// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/call/remote_error.h"
#include "core/executor/executor.h"
#include "core/process/engine.h"
#include "tests/support/leak_check.h"
#include "tests/support/tasks.h"
#include "tests/support/worker_test_main.h"

#include <QElapsedTimer>

#include <ranges>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;
using namespace proclab::test;

namespace {

/// Has no bytes if it is negative.
struct Unsendable
{
    int number = 0;
};

} // namespace

template<>
struct proclab::Codec<Unsendable>
{
    static void encode(PayloadWriter &writer, const Unsendable &value)
    {
        if (value.number < 0)
            throw std::runtime_error("this one stays here");
        Codec<int>::encode(writer, value.number);
    }
    static Unsendable decode(PayloadReader &reader) { return {Codec<int>::decode(reader)}; }
};

namespace {

int numberOf(const Unsendable &value)
{
    return value.number;
}

} // namespace

class tst_ExecutorMap : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { static_cast<void>(Engine::global()); } // Its thread stays.
    void init() { m_before.emplace(); }
    void cleanup() { QTRY_COMPARE(m_before->leftovers(), QString()); }
    void chunkSizeDoesNotMatter_data();
    void chunkSizeDoesNotMatter();
    void readingGoesOnAfterAnError_data();
    void readingGoesOnAfterAnError();
    void callPastItsLimitIsNotTheMapsLimit();
    void mapEndsAtItsLimit();
    void expiredMapStartsNothingMore();
    void mapRunsUnread();
    void mapLooksAheadAsFarAsItMay();
    void closedMapStartsNothingMore();
    void inputWithoutBytesFailsAlone();

private:
    static Result<Executor> open(int workers) { return Executor::open({.workers = workers}); }

    std::optional<LeakCheck> m_before;
};

void tst_ExecutorMap::chunkSizeDoesNotMatter_data() // EX-03
{
    QTest::addColumn<int>("chunkSize");
    for (const int size : {1, 6, 40, 50})
        QTest::addRow("chunks of %d", size) << size;
}

void tst_ExecutorMap::chunkSizeDoesNotMatter()
{
    QFETCH(const int, chunkSize);
    auto executor = open(2);
    QVERIFY(executor);
    auto values = executor->map<&square>(MapOptions{.chunkSize = chunkSize}, countTo(40));
    for (int i = 0; i < 40; ++i)
        QCOMPARE(values.next(60s).value(), i * i);
    QCOMPARE(values.next().error().code, ErrorCode::EndOfStream);
    executor->shutdown();
}

void tst_ExecutorMap::readingGoesOnAfterAnError_data() // EX-04, EX-05
{
    QTest::addColumn<int>("chunkSize");
    QTest::newRow("one by one") << 1;
    QTest::newRow("in chunks of three") << 3;
}

void tst_ExecutorMap::readingGoesOnAfterAnError()
{
    QFETCH(const int, chunkSize);
    auto executor = open(2);
    QVERIFY(executor);
    auto values =
        executor->map<&failAtTwo>(MapOptions{.chunkSize = chunkSize, .timeout = 60s}, countTo(4));
    QCOMPARE(values.next().value(), 0);
    QCOMPARE(values.next().value(), 10);
    QVERIFY_THROWS_EXCEPTION(Expired, valueOrThrow(values.next()));
    QCOMPARE(values.next().value(), 30);
    QCOMPARE(values.next().error().code, ErrorCode::EndOfStream);
    executor->shutdown();
}

void tst_ExecutorMap::callPastItsLimitIsNotTheMapsLimit() // EX-05
{
    auto executor = Executor::open({.workers = 1, .taskTimeout = 300ms});
    QVERIFY(executor);
    auto values =
        executor->map<&sleepFor>(MapOptions{.timeout = 60s}, std::vector<int>{1, 600'000, 2});
    QCOMPARE(values.next().value(), 1);
    QCOMPARE(values.next().error().code, ErrorCode::Timeout);
    QCOMPARE(values.next().value(), 2);
    QCOMPARE(values.next().error().code, ErrorCode::EndOfStream);
    executor->shutdown();
}

void tst_ExecutorMap::mapEndsAtItsLimit() // EX-06
{
    const Folder folder;
    folder.make("open");
    auto executor = open(2);
    QVERIFY(executor);
    QElapsedTimer timer;
    timer.start();
    auto values = executor->map<&waitForFile>(
        MapOptions{.timeout = 1s},
        std::vector<std::string>{folder.path("open"), folder.path("open"), folder.path("shut")});
    QCOMPARE(values.next().value(), 1);
    QCOMPARE(values.next().value(), 1);
    QCOMPARE(values.next().error().code, ErrorCode::Timeout);
    QVERIFY(timer.elapsed() >= 900 && timer.elapsed() < 30'000);
    QCOMPARE(values.next().error().code, ErrorCode::EndOfStream);
    folder.make("shut");
    executor->shutdown();
}

void tst_ExecutorMap::expiredMapStartsNothingMore() // EX-07
{
    const Folder folder;
    auto executor = open(1);
    QVERIFY(executor);
    const auto busy = executor->submit<&meet>(folder.path("runs"), folder.path("go"));
    QTRY_VERIFY(folder.has("runs"));
    auto values = executor->map<&leaveFile>(
        MapOptions{.timeout = 0s},
        std::vector<std::string>{folder.path("first"), folder.path("second")});
    QCOMPARE(values.next().error().code, ErrorCode::Timeout);
    QCOMPARE(values.next().error().code, ErrorCode::EndOfStream);
    folder.make("go");
    QCOMPARE(busy.result(60s).value(), 1);
    QCOMPARE(executor->submit<&square>(3).result(60s).value(), 9);
    executor->shutdown();
    QVERIFY(!folder.has("first") && !folder.has("second"));
}

void tst_ExecutorMap::mapRunsUnread() // EX-08
{
    const Folder folder;
    auto executor = open(2);
    QVERIFY(executor);
    std::vector<std::string> paths;
    for (int i = 0; i < 10; ++i)
        paths.push_back(folder.path(("ran" + std::to_string(i)).c_str()));
    static_cast<void>(executor->map<&leaveFile>(paths));
    executor->shutdown();
    QCOMPARE(folder.count(u"ran*"_s), 10);
}

void tst_ExecutorMap::mapLooksAheadAsFarAsItMay() // EX-09
{
    auto executor = open(2);
    QVERIFY(executor);
    for (const int chunkSize : {1, 2, 5}) {
        int taken = 0;
        auto endless = std::views::iota(0) | std::views::transform([&taken](int number) {
                           ++taken;
                           return number;
                       });
        auto values =
            executor->map<&square>(MapOptions{.chunkSize = chunkSize, .lookAhead = 4}, endless);
        QCOMPARE(taken, 4);
        for (int i = 0; i < 20; ++i)
            QCOMPARE(values.next(60s).value(), i * i);
        QVERIFY2(taken <= 20 + 4, qPrintable(QString::number(taken)));
    }
    executor->shutdown();
}

void tst_ExecutorMap::closedMapStartsNothingMore() // EX-09
{
    const Folder folder;
    auto executor = open(1);
    QVERIFY(executor);
    const auto busy = executor->submit<&meet>(folder.path("runs"), folder.path("go"));
    QTRY_VERIFY(folder.has("runs"));
    auto values = executor->map<&leaveFile>(
        std::vector<std::string>{folder.path("first"), folder.path("second")});
    values.close();
    QCOMPARE(values.next().error().code, ErrorCode::EndOfStream);
    folder.make("go");
    executor->shutdown();
    QCOMPARE(busy.result(0s).value(), 1);
    QVERIFY(!folder.has("first") && !folder.has("second"));
}

void tst_ExecutorMap::inputWithoutBytesFailsAlone()
{
    auto executor = open(2);
    QVERIFY(executor);
    std::vector<Unsendable> inputs;
    for (int i = 0; i < 6; ++i)
        inputs.push_back({i == 2 ? -1 : i});
    auto values = executor->map<&numberOf>(MapOptions{.chunkSize = 4}, std::move(inputs));
    for (int i = 0; i < 6; ++i) {
        const auto value = values.next(60s);
        if (i == 2)
            QCOMPARE(value.error().code, ErrorCode::EncodeError);
        else
            QCOMPARE(value.value(), i);
    }
    QCOMPARE(values.next().error().code, ErrorCode::EndOfStream);
    executor->shutdown();
}

PROCLAB_WORKER_TEST_MAIN(tst_ExecutorMap)
#include "tst_executor_map.moc"
