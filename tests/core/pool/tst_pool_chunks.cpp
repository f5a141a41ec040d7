// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/pool/pool.h"
#include "core/process/engine.h"
#include "core/trace/progress.h"
#include "tests/support/leak_check.h"
#include "tests/support/worker_test_main.h"

#include <array>
#include <csignal>
#include <functional>
#include <numeric>

#include <poll.h>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;

namespace {

constexpr int count = 120;
constexpr int throwing[] = {3, 4, 49, 50};
constexpr int dying = 17;
constexpr int endless = 30;

/// What call @p i does before it returns.
void act(int i)
{
    if (std::ranges::count(throwing, i) != 0)
        throw std::runtime_error("call " + std::to_string(i));
    if (i == dying)
        ::raise(SIGKILL);
    if (i == endless)
        ::poll(nullptr, 0, 600'000);
}

// Results that lie side by side, others of a fixed size, and such of any.
int number(int i)
{
    act(i);
    return 3 * i;
}

std::array<int, 8> eightNumbers(int i)
{
    act(i);
    return {i, i, i, i, i, i, i, 3 * i};
}

std::array<int, 9> nineNumbers(int i)
{
    act(i);
    return {i, i, i, i, i, i, i, i, 3 * i};
}

std::string text(int i)
{
    act(i);
    return std::to_string(3 * i) + std::string(std::size_t(i), '.');
}

void nothing(int i)
{
    act(i);
}

int numberOf(const std::string &text)
{
    return number(std::stoi(text));
}

int sumOf(int a, const std::string &text)
{
    return a + numberOf(text);
}

/// Whether nothing is told of this call yet, and then what it tells can be read.
bool tellsOfItself()
{
    const runtime::TaskProgress *progress = runtime::TaskProgress::current();
    const bool isNew = progress && !progress->fraction();
    setTaskProgress(0.5);
    return isNew && progress->fraction() == 0.5;
}

int numberTold(int i)
{
    return tellsOfItself() ? i : -1;
}

std::string textTold(int i)
{
    return tellsOfItself() ? std::to_string(i) : std::string();
}

struct Outcome
{
    bool isRight = false;
    ErrorCode error = ErrorCode::InvalidState; ///< If it has no value.
    QString details;
};
using Outcomes = std::vector<Outcome>;

/// Calls @p Function with each of @p inputs, in chunks of 50.
template<auto Function, typename Inputs, typename IsRight>
Outcomes outcomesOf(Pool &pool, Inputs inputs, IsRight isRight)
{
    Outcomes outcomes;
    auto values = pool.imap<Function>(std::move(inputs), 50);
    for (int i = 0; i < count; ++i) {
        const auto value = values.next(60s);
        if (value)
            outcomes.push_back({isRight(i, *value), {}, {}});
        else
            outcomes.push_back({false, value.error().code, errorText(value.error())});
    }
    return outcomes;
}

std::vector<int> numbers()
{
    std::vector<int> all(count);
    std::iota(all.begin(), all.end(), 0);
    return all;
}

std::vector<std::string> texts()
{
    std::vector<std::string> all;
    for (int i = 0; i < count; ++i)
        all.push_back(std::string(std::size_t(i % 10), ' ') + std::to_string(i));
    return all;
}

template<std::size_t size>
bool isRightArray(int i, const std::array<int, size> &value)
{
    return value.front() == i && value.back() == 3 * i;
}

using Run = std::function<Outcomes(Pool &)>;

} // namespace

Q_DECLARE_METATYPE(Run)

class tst_PoolChunks : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { static_cast<void>(Engine::global()); } // Its thread stays.
    void init() { m_before.emplace(); }
    void cleanup() { QTRY_COMPARE(m_before->leftovers(), QString()); }
    void failureCostsItsCallOnly_data() { addRuns(); }
    void failureCostsItsCallOnly();
    void callsAreRetriedAlone_data() { addRuns(); }
    void callsAreRetriedAlone();
    void workersLeaveInsideAChunk();
    void emptyAndSingleChunks();
    void eachCallTellsItsOwnProgress();

private:
    void addRuns();
    void judge(const Outcomes &outcomes, const QString &death);

    std::optional<test::LeakCheck> m_before;
};

void tst_PoolChunks::addRuns()
{
    QTest::addColumn<Run>("run");
    QTest::newRow("numbers") << Run([](Pool &pool) {
        return outcomesOf<&number>(pool, numbers(), [](int i, int v) { return v == 3 * i; });
    });
    QTest::newRow("32 bytes") << Run(
        [](Pool &pool) { return outcomesOf<&eightNumbers>(pool, numbers(), isRightArray<8>); });
    QTest::newRow("36 bytes") << Run(
        [](Pool &pool) { return outcomesOf<&nineNumbers>(pool, numbers(), isRightArray<9>); });
    QTest::newRow("texts") << Run([](Pool &pool) {
        return outcomesOf<&text>(pool, numbers(), [](int i, const std::string &v) {
            return v == std::to_string(3 * i) + std::string(std::size_t(i), '.');
        });
    });
    QTest::newRow("nothing") << Run([](Pool &pool) {
        return outcomesOf<&nothing>(pool, numbers(), [](int, std::monostate) { return true; });
    });
    QTest::newRow("numbers of texts") << Run([](Pool &pool) {
        return outcomesOf<&numberOf>(pool, texts(), [](int i, int v) { return v == 3 * i; });
    });
}

void tst_PoolChunks::judge(const Outcomes &outcomes, const QString &death)
{
    QCOMPARE(int(outcomes.size()), count);
    for (int i = 0; i < count; ++i) {
        const Outcome &outcome = outcomes[std::size_t(i)];
        const QByteArray what = u"call %1: %2"_s.arg(i).arg(outcome.details).toUtf8();
        if (std::ranges::count(throwing, i) != 0) {
            QVERIFY2(outcome.error == ErrorCode::RemoteError, what.constData());
            QVERIFY2(outcome.details.contains(u"call %1"_s.arg(i)), what.constData());
        } else if (i == dying) {
            QVERIFY2(outcome.error == ErrorCode::WorkerDied, what.constData());
            QVERIFY2(outcome.details.contains(death), what.constData());
        } else if (i == endless) {
            QVERIFY2(outcome.error == ErrorCode::Timeout, what.constData());
        } else {
            QVERIFY2(outcome.isRight, what.constData());
        }
    }
}

void tst_PoolChunks::failureCostsItsCallOnly()
{
    QFETCH(const Run, run);
    Pool pool = Pool::open({.workers = 2, .taskTimeout = 500ms}).value();
    judge(run(pool), u"attempt 1"_s);
    QTRY_COMPARE(pool.memoryInUse().arguments, 0U);
    pool.close();
    QVERIFY(pool.join(60s));
}

void tst_PoolChunks::callsAreRetriedAlone()
{
    QFETCH(const Run, run);
    Pool pool = Pool::open({.workers = 2, .onCrash = OnCrash::Retry, .taskTimeout = 500ms}).value();
    judge(run(pool), u"attempt 2"_s);
    pool.close();
    QVERIFY(pool.join(60s));
}

void tst_PoolChunks::workersLeaveInsideAChunk()
{
    Pool pool = Pool::open({.workers = 2, .maxTasksPerWorker = 7}).value();
    std::vector<std::tuple<int, std::string>> inputs;
    std::vector<int> sums;
    for (int i = 100; i < 200; ++i) {
        inputs.emplace_back(i, std::to_string(i));
        sums.push_back(4 * i);
    }
    QCOMPARE((pool.starmap<&sumOf>(inputs, 50).value()), sums);
    pool.close();
    QVERIFY(pool.join(60s));
}

void tst_PoolChunks::emptyAndSingleChunks()
{
    Pool pool = Pool::open({.workers = 2}).value();
    QVERIFY(pool.map<&number>(std::vector<int>()).value().empty());
    QCOMPARE(pool.map<&number>(std::vector<int>{5}).value(), std::vector<int>{15});
    QCOMPARE(pool.map<&nothing>(std::vector<int>{5, 6}, 2).value().size(), 2U);
    const std::vector<std::string> two = {"5", std::string(1000, ' ') + "6"};
    QCOMPARE(pool.map<&numberOf>(two, 1).value(), (std::vector<int>{15, 18}));
    QCOMPARE(pool.apply<&numberOf>(two[1]).value(), 18);
    pool.close();
    QVERIFY(pool.join(60s));
}

void tst_PoolChunks::eachCallTellsItsOwnProgress()
{
    QVERIFY(!runtime::TaskProgress::current()); // Nobody looks at the program itself.
    setTaskProgress(0.5);
    Pool pool = Pool::open({.workers = 2}).value();
    QCOMPARE(pool.map<&numberTold>(numbers(), 50).value(), numbers());
    std::vector<std::string> all;
    for (const int i : numbers())
        all.push_back(std::to_string(i));
    QCOMPARE(pool.map<&textTold>(numbers(), 50).value(), all);
    pool.close();
    QVERIFY(pool.join(60s));
}

PROCLAB_WORKER_TEST_MAIN(tst_PoolChunks)

#include "tst_pool_chunks.moc"
