// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/call/remote_error.h"
#include "core/ipc/connection.h"
#include "core/ipc/queue.h"
#include "core/memory/array.h"
#include "core/memory/shared_bytes.h"
#include "core/memory/value.h"
#include "core/pool/pool.h"
#include "core/process/engine.h"
#include "core/process/process.h"
#include "core/program/program.h"
#include "core/sync/barrier.h"
#include "core/sync/condition.h"
#include "core/sync/lock.h"
#include "tests/support/leak_check.h"
#include "tests/support/results.h"
#include "tests/support/worker_test_main.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using namespace proclab;
using test::codeOf;
using test::made;

namespace {

constexpr int limitMs = 30'000;

runtime::ObjectSpace::Usage usage()
{
    return runtime::ObjectSpace::instance().usage();
}

std::size_t lengthOf(const std::vector<char> &bytes)
{
    return bytes.size();
}

std::vector<char> bytesOf(std::size_t count)
{
    return std::vector<char>(count, 'x');
}

void doNothing() {}

SharedBytes sharedBytesOf(std::size_t count)
{
    return made(SharedBytes::allocate(count));
}

/// Memory that leaves hardly any for others, taken in pieces that halve.
std::vector<SharedBytes> allMemory()
{
    std::vector<SharedBytes> all;
    for (std::size_t size = std::size_t{32} << 30; size >= 4096; size /= 2) {
        while (const auto piece = SharedBytes::allocate(size))
            all.push_back(*piece);
    }
    return all;
}

/// No descriptor of this process is free.
class AllDescriptors
{
public:
    AllDescriptors()
    {
        ::getrlimit(RLIMIT_NOFILE, &m_before);
        int highest = 0;
        for (int fd; (fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0 && highest < 400;)
            m_taken.push_back(highest = fd);
        rlimit few = m_before;
        few.rlim_cur = static_cast<rlim_t>(highest);
        ::setrlimit(RLIMIT_NOFILE, &few);
    }
    ~AllDescriptors()
    {
        ::setrlimit(RLIMIT_NOFILE, &m_before);
        for (const int fd : m_taken)
            ::close(fd);
    }
    AllDescriptors(const AllDescriptors &) = delete;
    AllDescriptors &operator=(const AllDescriptors &) = delete;

private:
    rlimit m_before = {};
    std::vector<int> m_taken;
};

template<typename T>
int systemCodeOf(const Result<T> &result)
{
    return codeOf(result) == ErrorCode::OsError ? result.error().systemCode : 0;
}

} // namespace

/// What is shared when there is no room for more: each call ends at once with an error, what is
/// there goes on, and all goes on once there is room again.
class tst_Full : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        static_cast<void>(Engine::global()); // Its thread stays.
        const Process process = made(Process::create<&doNothing>({}));
        QVERIFY(process.start());
        QVERIFY(process.join(30s));
        QTRY_COMPARE_WITH_TIMEOUT(usage().objects, 0U, limitMs);
        m_before.emplace();
    }
    void cleanup()
    {
        QTRY_COMPARE_WITH_TIMEOUT(usage().objects, 0U, limitMs);
        QTRY_COMPARE_WITH_TIMEOUT(m_before->leftovers(), QString(), limitMs);
    }
    void noRoomForOneObjectMore();
    void noMemoryForMore();
    void noMemoryInAWorker();
    void noDescriptorFree();

private:
    std::optional<test::LeakCheck> m_before;
};

void tst_Full::noRoomForOneObjectMore()
{
    const auto queue = made(Queue<int>::create());
    const auto unused = made(Queue<int>::create()); // It has no memory for items yet.
    QVERIFY(queue.put(0));
    QCOMPARE(queue.get(30s).value(), 0);
    std::vector<Lock> locks;
    Result<Lock> lock = Lock::create();
    for (; lock; lock = Lock::create())
        locks.push_back(*lock);
    QCOMPARE(systemCodeOf(lock), ENOMEM);
    QVERIFY(locks.size() > 60'000);
    QCOMPARE(systemCodeOf(Queue<int>::create()), ENOMEM);
    QCOMPARE(systemCodeOf(Value<int>::create(0)), ENOMEM);
    QCOMPARE(systemCodeOf(Condition::create()), ENOMEM);
    QCOMPARE(systemCodeOf(Barrier::create(2)), ENOMEM);
    QCOMPARE(codeOf(Process::create<&doNothing>({})), ErrorCode::OsError);
    QCOMPARE(systemCodeOf(unused.put(1)), ENOMEM);
    // What is there works.
    QVERIFY(queue.put(1));
    QCOMPARE(queue.get(30s).value(), 1);
    QVERIFY(locks.back().acquire());
    // A pipe takes three: with room for two there is none, and nothing of it stays.
    locks.pop_back();
    locks.pop_back();
    const quint32 used = usage().objects;
    QCOMPARE(systemCodeOf(Pipe::create()), ENOMEM);
    QCOMPARE(usage().objects, used);
    locks.clear();
    QVERIFY(unused.put(1));
    QVERIFY(Pipe::create());
    QVERIFY(Value<int>::create(0));
}

void tst_Full::noMemoryForMore()
{
    const auto queue = made(Queue<std::vector<char>>::create());
    const auto [reader, writer] = made(Pipe::create(Pipe::Direction::OneWay));
    QVERIFY(queue.put(bytesOf(100)));
    QVERIFY(writer.send(bytesOf(100)));
    {
        const std::vector<SharedBytes> all = allMemory();
        QCOMPARE(systemCodeOf(SharedBytes::allocate(4096)), ENOMEM);
        QCOMPARE(systemCodeOf(Array<double>::create(10'000)), ENOMEM);
        QCOMPARE(systemCodeOf(queue.put(bytesOf(200'000))), ENOMEM);
        QCOMPARE(systemCodeOf(writer.send(bytesOf(200'000), 30s)), ENOMEM);
        // What is small still fits.
        QVERIFY(queue.put(bytesOf(10)));
        QVERIFY(writer.send(bytesOf(10), 30s));
    }
    QVERIFY(queue.put(bytesOf(200'000)));
    QVERIFY(writer.send(bytesOf(200'000), 30s));
    for (const std::size_t size : {100, 10, 200'000}) {
        QCOMPARE(queue.get(30s).value().size(), size);
        QCOMPARE(reader.receive<std::vector<char>>(30s).value().size(), size);
    }
}

/// A call whose result has no room fails, and its worker goes on.
void tst_Full::noMemoryInAWorker()
{
    Pool pool = made(Pool::open({.workers = 1, .argumentBytes = 1 << 20}));
    QCOMPARE(codeOf(pool.apply<&lengthOf>(bytesOf(2 << 20))), ErrorCode::EncodeError);
    {
        const std::vector<SharedBytes> all = allMemory();
        QCOMPARE(codeOf(pool.apply<&sharedBytesOf>(100'000)), ErrorCode::WorkerDied); // made()
        QCOMPARE(pool.apply<&lengthOf>(bytesOf(1'000)).value(), 1'000U);
    }
    QCOMPARE(made(pool.apply<&sharedBytesOf>(100'000)).size(), 100'000U);
    pool.terminate();
    QVERIFY(pool.join(30s));
}

void tst_Full::noDescriptorFree()
{
    const auto queue = made(Queue<int>::create());
    const auto [one, other] = made(Pipe::create());
    {
        const AllDescriptors taken;
        // They need none.
        QVERIFY(queue.put(1));
        QCOMPARE(queue.get(30s).value(), 1);
        const auto second = made(Queue<int>::create());
        QVERIFY(second.put(2));
        const auto [third, fourth] = made(Pipe::create());
        QVERIFY(third.send(3, 30s));
        QCOMPARE(fourth.receive<int>(30s).value(), 3);
        QVERIFY(one.send(4, 30s));
        QCOMPARE(other.receive<int>(30s).value(), 4);
        QVERIFY(sharedBytesOf(100'000).size() > 0);
        // These do.
        QCOMPARE(systemCodeOf(Program::run({.arguments = {"true"}, .captureOutput = true})),
                 EMFILE);
        const Process process = made(Process::create<&doNothing>({}));
        QCOMPARE(codeOf(process.start()), ErrorCode::OsError);
    }
    QCOMPARE(Program::run({.arguments = {"true"}, .captureOutput = true}).value().exitCode, 0);
    const Process process = made(Process::create<&doNothing>({}));
    QVERIFY(process.start());
    QVERIFY(process.join(30s));
    QCOMPARE(process.exitCode().value(), std::optional(0));
}

PROCLAB_WORKER_TEST_MAIN(tst_Full)
#include "tst_full.moc"
