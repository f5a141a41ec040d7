// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/call/remote_error.h"
#include "core/pool/pool.h"
#include "core/process/engine.h"
#include "tests/support/leak_check.h"
#include "tests/support/results.h"
#include "tests/support/worker_test_main.h"

#include <QElapsedTimer>
#include <QTemporaryDir>

#include <atomic>
#include <numeric>
#include <ranges>
#include <set>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;

namespace {

/// Travels as itself, with its value.
class OddNumber : public std::exception
{
public:
    explicit OddNumber(int number) : value(number) {}
    const char *what() const noexcept override { return "the number is odd"; }

    int value = 0;
};

/// Cannot be encoded.
struct Unsendable
{
    std::string text;
};

} // namespace

template<>
struct proclab::Codec<OddNumber>
{
    static void encode(PayloadWriter &writer, const OddNumber &error)
    {
        Codec<int>::encode(writer, error.value);
    }
    static OddNumber decode(PayloadReader &reader) { return OddNumber(Codec<int>::decode(reader)); }
};

template<>
struct proclab::Codec<Unsendable>
{
    static void encode(PayloadWriter &writer, const Unsendable &value)
    {
        if (value.text == "bad")
            throw std::runtime_error("this one stays here");
        Codec<std::string>::encode(writer, value.text);
    }
    static Unsendable decode(PayloadReader &reader) { return {Codec<std::string>::decode(reader)}; }
};

PROCLAB_EXCEPTION(OddNumber);

namespace {

int square(int x)
{
    return x * x;
}

double weighted(double value, int weight)
{
    return value * weight;
}

QString described(const QString &text, const QByteArray &bytes, const QCborValue &value,
                  std::optional<int> number)
{
    return u"%1|%2|%3|%4"_s.arg(text, QString::fromLatin1(bytes.toHex()),
                                value.toVariant().toString(),
                                number ? QString::number(*number) : u"none"_s);
}

std::vector<int> countTo(int count)
{
    std::vector<int> numbers(static_cast<std::size_t>(count));
    std::iota(numbers.begin(), numbers.end(), 0);
    return numbers;
}

int halfOfEven(int number)
{
    if (number % 2 != 0)
        throw OddNumber(number);
    return number / 2;
}

int throwsNested(int)
{
    try {
        throw std::invalid_argument("the inner reason");
    } catch (const std::exception &) {
        std::throw_with_nested(std::runtime_error("the outer one"));
    }
}

std::size_t lengthOf(const Unsendable &value)
{
    return value.text.size();
}

Unsendable sentBack(int isBad)
{
    return {isBad != 0 ? "bad" : "good"};
}

/// Waits until the file is there: how a test lets a task go on.
int waitForFile(const std::string &path)
{
    while (::access(path.c_str(), F_OK) != 0)
        ::poll(nullptr, 0, 1);
    return 1;
}

std::vector<int> hundred()
{
    return countTo(100);
}

} // namespace

class tst_Pool : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { static_cast<void>(Engine::global()); } // Its thread stays.
    void init() { m_before.emplace(); }
    void cleanup() { QTRY_COMPARE(m_before->leftovers(), QString()); }
    void callsReturnValues_data() { test::addPoolStartMethods(); }
    void callsReturnValues();
    void everyTypeArrives();
    void largePayloadsArrive();
    void mapEqualsTheSequentialResult_data();
    void mapEqualsTheSequentialResult();
    void handleTellsItsState();
    void waitEndsAtItsLimit();
    void callbackRunsOnce();
    void sourceErrorIsTheCallers();
    void imapKeepsTheOrder();
    void imapReadsAheadALittle();
    void imapUnorderedGivesEachValueOnce();
    void exceptionArrivesAsItself();
    void nestedExceptionIsTold();
    void unencodableValueFailsAlone();
    void errorOfOneCallDoesNotWaitForOthers();
    void worksInAnotherThread();

private:
    static Result<Pool> openPool(int workers = 2, StartMethod method = StartMethod::ForkServer)
    {
        return Pool::open({.workers = workers, .startMethod = method});
    }
    static void end(Result<Pool> &pool)
    {
        pool->close();
        QVERIFY(pool->join(60s));
    }

    const QByteArray m_bytes = QByteArray("\0\xff\0", 3);
    std::optional<test::LeakCheck> m_before;
};

void tst_Pool::callsReturnValues() // PL-01
{
    QFETCH(const StartMethod, method);
    Result<Pool> pool = openPool(2, method);
    QVERIFY(pool);
    QCOMPARE(pool->apply<&square>(3).value(), 9);
    QCOMPARE(pool->apply<&weighted>(1.5, 4).value(), 6.0);
    QCOMPARE(pool->applyAsync<&square>(12).result(60s).value(), 144);
    const std::vector<std::tuple<double, int>> pairs = {{1.5, 2}, {0.25, 4}, {-3, 3}};
    QCOMPARE(pool->starmap<&weighted>(pairs).value(), (std::vector<double>{3, 1, -9}));
    QCOMPARE(pool->starmapAsync<&weighted>(pairs, 2).result().value(),
             (std::vector<double>{3, 1, -9}));
    end(pool);
}

void tst_Pool::everyTypeArrives()
{
    Result<Pool> pool = openPool();
    QVERIFY(pool);
    QCOMPARE(
        pool->apply<&described>(u"täxt"_s, m_bytes, QCborValue(7), std::optional<int>(5)).value(),
        u"täxt|"_s % QString::fromLatin1((m_bytes).toHex()) % u"|7|5"_s);
    QCOMPARE(pool->apply<&described>(QString(), QByteArray(), QCborValue(), std::nullopt).value(),
             u"|||none"_s);
    QCOMPARE(pool->apply<&countTo>(0).value(), std::vector<int>());
    QCOMPARE(pool->apply<&hundred>().value(), countTo(100));
    end(pool);
}

void tst_Pool::largePayloadsArrive()
{
    Result<Pool> pool = Pool::open({.workers = 2, .resultBytesPerWorker = 48 << 20});
    QVERIFY(pool);
    for (const int size : {33, 4'096, 300'000, 16 << 20, 40 << 20}) {
        const std::vector<int> numbers = pool->apply<&countTo>(size / 4).value();
        QCOMPARE(numbers, countTo(size / 4));
    }
    // More than there is room for at once: workers wait until results are fetched.
    const auto many = pool->map<&countTo>(std::vector<int>(40, 2 << 20), 4);
    QVERIFY2(many, many ? "" : qPrintable(errorText(many.error())));
    for (const auto &one : *many)
        QCOMPARE(one.size(), std::size_t{2 << 20});
    // One that never fits fails, and the pool goes on.
    const auto tooLarge = pool->apply<&countTo>(16 << 20);
    QVERIFY(!tooLarge);
    QCOMPARE(tooLarge.error().code, ErrorCode::EncodeError);
    QCOMPARE(pool->apply<&square>(5).value(), 25);
    end(pool);
}

void tst_Pool::mapEqualsTheSequentialResult_data() // PL-01
{
    QTest::addColumn<int>("count");
    QTest::addColumn<int>("chunkSize");
    for (const int count : {0, 1, 10, 100, 10'000}) {
        for (const int chunkSize : {0, 1, 20, 100'000})
            QTest::addRow("%d in chunks of %d", count, chunkSize) << count << chunkSize;
    }
}

void tst_Pool::mapEqualsTheSequentialResult()
{
    QFETCH(const int, count);
    QFETCH(const int, chunkSize);
    std::vector<int> expected;
    for (int i = 0; i < count; ++i)
        expected.push_back(square(i));
    Result<Pool> pool = openPool();
    QVERIFY(pool);
    QCOMPARE(pool->map<&square>(countTo(count), std::size_t(chunkSize)).value(), expected);
    QCOMPARE(pool->mapAsync<&square>(countTo(count), std::size_t(chunkSize)).result(60s).value(),
             expected);
    end(pool);
}

void tst_Pool::handleTellsItsState() // PL-02
{
    QTemporaryDir folder;
    const std::string path = folder.filePath(u"go"_s).toStdString();
    Result<Pool> pool = openPool(1);
    QVERIFY(pool);
    const AsyncResult<int> handle = pool->applyAsync<&waitForFile>(path);
    QVERIFY(!handle.isDone());
    QCOMPARE(handle.isSuccessful().error().code, ErrorCode::InvalidState);
    const AsyncResult<int> odd = pool->applyAsync<&halfOfEven>(3);
    ::close(::open(path.c_str(), O_CREAT | O_WRONLY, 0600));
    QCOMPARE(handle.result().value(), 1);
    QVERIFY(handle.isDone());
    QVERIFY(handle.isSuccessful().value());
    QCOMPARE(handle.result(0s).value(), 1);
    QVERIFY_THROWS_EXCEPTION(OddNumber, valueOrThrow(odd.result()));
    QVERIFY(odd.isDone());
    QVERIFY(!odd.isSuccessful().value());
    QVERIFY_THROWS_EXCEPTION(OddNumber, valueOrThrow(odd.result()));
    end(pool);
}

void tst_Pool::waitEndsAtItsLimit() // PL-03
{
    Result<Pool> pool = openPool();
    QVERIFY(pool);
    const auto never = pool->applyAsync<&waitForFile>(std::string("/nowhere/at all"));
    QElapsedTimer timer;
    timer.start();
    QCOMPARE(never.result(100ms).error().code, ErrorCode::Timeout);
    QVERIFY(timer.elapsed() >= 99);
    QCOMPARE(never.result(-5s).error().code, ErrorCode::Timeout);
    QCOMPARE(pool->apply<&square>(3).value(), 9);
    pool->terminate();
    QVERIFY(pool->join(60s));
    QCOMPARE(never.result(0s).error().code, ErrorCode::Cancelled);
}

void tst_Pool::callbackRunsOnce() // PL-04
{
    Result<Pool> pool = openPool();
    QVERIFY(pool);
    std::atomic<int> good = 0;
    std::atomic<int> bad = 0;
    const auto note = [&](const auto &handle) {
        if (handle.isSuccessful().value())
            good += static_cast<int>(handle.result(0s).value().size());
        else
            bad += handle.error(0s).value()->code == ErrorCode::RemoteError ? 1 : 100;
    };
    const auto fine = pool->mapAsync<&square>(countTo(10));
    fine.onDone(note);
    const auto failing = pool->mapAsync<&halfOfEven>(countTo(10));
    failing.onDone(note);
    QVERIFY(fine.wait(60s));
    QVERIFY_THROWS_EXCEPTION(OddNumber, valueOrThrow(failing.result()));
    QTRY_COMPARE(good.load(), 10);
    QTRY_COMPARE(bad.load(), 1);
    fine.onDone(note); // Late: at once, in this thread.
    QCOMPARE(good.load(), 20);
    end(pool);
}

void tst_Pool::sourceErrorIsTheCallers() // PL-05
{
    Result<Pool> pool = openPool();
    QVERIFY(pool);
    for (const int bad : {0, 3, 3}) {
        const auto numbers = countTo(10);
        auto source = numbers | std::views::transform([bad](int number) {
                          if (number == bad)
                              throw std::out_of_range("no more of these");
                          return number;
                      });
        QVERIFY_THROWS_EXCEPTION(std::out_of_range, static_cast<void>(pool->map<&square>(source)));
    }
    QCOMPARE(pool->map<&square>(countTo(4)).value(), (std::vector<int>{0, 1, 4, 9}));
    end(pool);
}

void tst_Pool::imapKeepsTheOrder() // PL-06
{
    Result<Pool> pool = openPool();
    QVERIFY(pool);
    for (const auto &[count, chunkSize] : {std::pair{10, 1}, std::pair{1000, 100}}) {
        auto values = pool->imap<&square>(countTo(count), std::size_t(chunkSize));
        for (int i = 0; i < count; ++i)
            QCOMPARE(values.next().value(), square(i));
        QCOMPARE(values.next().error().code, ErrorCode::EndOfStream);
        QCOMPARE(values.next().error().code, ErrorCode::EndOfStream);
    }
    end(pool);
}

void tst_Pool::imapReadsAheadALittle()
{
    Result<Pool> pool = openPool(2);
    QVERIFY(pool);
    int taken = 0;
    auto endless = std::views::iota(0) | std::views::transform([&taken](int number) {
                       ++taken;
                       return number;
                   });
    auto values = pool->imap<&square>(endless);
    for (int i = 0; i < 5; ++i)
        QCOMPARE(values.next().value(), square(i));
    QVERIFY2(taken <= 5 + 2 * 2, qPrintable(QString::number(taken)));
    pool->terminate();
    QVERIFY(pool->join(60s));
}

void tst_Pool::imapUnorderedGivesEachValueOnce() // PL-07
{
    Result<Pool> pool = openPool();
    QVERIFY(pool);
    for (const auto &[count, chunkSize] : {std::pair{10, 1}, std::pair{1000, 100}}) {
        auto values = pool->imapUnordered<&square>(countTo(count), std::size_t(chunkSize));
        std::vector<int> found;
        while (const auto value = values.next())
            found.push_back(*value);
        std::sort(found.begin(), found.end());
        QCOMPARE(found, pool->map<&square>(countTo(count)).value());
    }
    const auto numbers = countTo(10);
    auto failing = numbers | std::views::transform([](int number) {
                       if (number == 7)
                           throw std::out_of_range("no more of these");
                       return number;
                   });
    auto values = pool->imapUnordered<&square>(failing);
    std::set<int> seen;
    bool hasThrown = false;
    for (int i = 0; i < 10 && !hasThrown; ++i) {
        try {
            const auto value = values.next();
            QVERIFY(value);
            QVERIFY(seen.insert(*value).second);
        } catch (const std::out_of_range &) {
            hasThrown = true;
        }
    }
    QVERIFY(hasThrown);
    end(pool);
}

void tst_Pool::exceptionArrivesAsItself() // PL-11
{
    Result<Pool> pool = openPool();
    QVERIFY(pool);
    const auto failed = pool->apply<&halfOfEven>(41);
    QVERIFY(!failed);
    QCOMPARE(failed.error().code, ErrorCode::RemoteError);
    QVERIFY(failed.error().remote);
    QCOMPARE(failed.error().remote->message, u"the number is odd"_s);
    QVERIFY2(failed.error().remote->trace.contains(u"halfOfEven"_s) &&
                 failed.error().remote->trace.contains(u"PID"_s),
             qPrintable(failed.error().remote->trace));
    try {
        valueOrThrow(failed);
        QFAIL("nothing was thrown");
    } catch (const OddNumber &error) {
        QCOMPARE(error.value, 41);
    }
    end(pool);
}

void tst_Pool::nestedExceptionIsTold()
{
    Result<Pool> pool = openPool();
    QVERIFY(pool);
    const auto failed = pool->apply<&throwsNested>(0);
    QCOMPARE(failed.error().remote->nested,
             QStringList(u"std::invalid_argument: the inner reason"_s));
    QVERIFY_THROWS_EXCEPTION(RemoteError, valueOrThrow(failed));
    end(pool);
}

void tst_Pool::unencodableValueFailsAlone() // PL-15
{
    Result<Pool> pool = openPool();
    QVERIFY(pool);
    std::vector<Unsendable> inputs(10, Unsendable{"good"});
    inputs[4].text = "bad";
    const auto failed = pool->map<&lengthOf>(inputs);
    QVERIFY(!failed);
    QCOMPARE(failed.error().code, ErrorCode::EncodeError);
    QCOMPARE(pool->apply<&lengthOf>(Unsendable{"bad"}).error().code, ErrorCode::EncodeError);
    QCOMPARE(pool->apply<&sentBack>(1).error().code, ErrorCode::EncodeError);
    QCOMPARE(pool->apply<&sentBack>(0).value().text, std::string("good"));
    inputs[4].text = "fine";
    QCOMPARE(pool->map<&lengthOf>(inputs).value(), std::vector<std::size_t>(10, 4));
    end(pool);
}

void tst_Pool::errorOfOneCallDoesNotWaitForOthers() // PL-21
{
    QTemporaryDir folder;
    const std::string path = folder.filePath(u"go"_s).toStdString();
    Result<Pool> pool = openPool();
    QVERIFY(pool);
    const auto waiting = pool->applyAsync<&waitForFile>(path);
    QCOMPARE(pool->apply<&halfOfEven>(1).error().code, ErrorCode::RemoteError);
    QVERIFY(!waiting.isDone());
    ::close(::open(path.c_str(), O_CREAT | O_WRONLY, 0600));
    QCOMPARE(waiting.result(60s).value(), 1);
    end(pool);
}

void tst_Pool::worksInAnotherThread() // PL-23
{
    std::vector<int> values;
    bool hasEnded = false;
    std::thread other([&] {
        Result<Pool> pool = openPool();
        values = pool->map<&square>(countTo(10)).value();
        pool->close();
        hasEnded = pool->join(60s).has_value();
    });
    other.join();
    QVERIFY(hasEnded);
    QCOMPARE(values, (std::vector<int>{0, 1, 4, 9, 16, 25, 36, 49, 64, 81}));
}

PROCLAB_WORKER_TEST_MAIN(tst_Pool)
#include "tst_pool.moc"
