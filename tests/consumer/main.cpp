// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/version.h"
#include "core/executor/executor.h"
#include "core/ipc/queue.h"
#include "core/memory/value.h"
#include "core/pool/pool.h"
#include "core/process/process.h"
#include "core/process/worker_main.h"
#include "core/sync/lock.h"

#include <QCoreApplication>
#include <QString>

#include <chrono>
#include <cstdio>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using proclab::Error, proclab::ErrorCode, proclab::Executor, proclab::Future, proclab::Lock,
    proclab::Pool, proclab::Process, proclab::Queue, proclab::Result, proclab::ThisProcess,
    proclab::Value;

namespace {

// What the workers do.

int square(int number)
{
    return number * number;
}

qint64 workerPid()
{
    return ThisProcess::pid();
}

std::string greet(std::string name)
{
    if (name.empty())
        throw std::invalid_argument("nobody to greet");
    return "hello " + name;
}

void produce(Queue<QString> basket, QString fruit, int count)
{
    for (int i = 1; i <= count; ++i)
        (void)basket.put(QStringLiteral("%1 %2").arg(fruit).arg(i), 60s);
    (void)basket.putEnd();
}

void add(Lock lock, Value<int> sum, int times)
{
    for (int i = 0; i < times; ++i) {
        const proclab::ScopedLock held(lock, 60s);
        sum.set(sum.get() + 1);
    }
}

// What the program does with them. Each part prints a line and says whether it is right.

bool report(const char *part, bool isRight, const std::string &text)
{
    std::printf("%s: %s%s\n", part, text.c_str(), isRight ? "" : " (wrong)");
    return isRight;
}

bool fails(const char *part, const Error &error)
{
    return report(part, false, errorText(error).toStdString());
}

bool usePool()
{
    auto pool = Pool::open({.workers = 2});
    if (!pool)
        return fails("pool", pool.error());
    std::vector<int> numbers(100);
    std::iota(numbers.begin(), numbers.end(), 1);
    const auto squares = pool->map<square>(numbers);
    const auto pid = pool->apply<workerPid>();
    pool->close();
    const auto joined = pool->join(60s);
    for (const Error *error : {squares ? nullptr : &squares.error(), pid ? nullptr : &pid.error(),
                               joined ? nullptr : &joined.error()}) {
        if (error)
            return fails("pool", *error);
    }
    const int sum = std::accumulate(squares->begin(), squares->end(), 0);
    return report("pool", sum == 338350 && *pid != ThisProcess::pid(),
                  "the squares of 1 to 100 sum to " + std::to_string(sum));
}

bool useExecutor()
{
    auto executor = Executor::open({.workers = 2});
    if (!executor)
        return fails("executor", executor.error());
    const Future<std::string> hello = executor->submit<greet>("Ada");
    const Future<std::string> nobody = executor->submit<greet>("");
    const auto greeting = hello.result(60s);
    const auto failure = nobody.result(60s);
    executor->shutdown();
    if (!greeting)
        return fails("executor", greeting.error());
    const bool threw = !failure && failure.error().code == ErrorCode::RemoteError &&
                       failure.error().remote->message == QStringLiteral("nobody to greet");
    return report("executor", threw && *greeting == "hello Ada",
                  *greeting + (threw ? ", nobody to greet" : ""));
}

bool useQueue()
{
    const auto basket = Queue<QString>::create(2);
    if (!basket)
        return fails("queue", basket.error());
    const auto producer = Process::create<produce>({}, *basket, QStringLiteral("pear"), 4);
    if (!producer || !producer->start())
        return report("queue", false, "no producer");
    QStringList taken;
    Result<QString> fruit = basket->get(60s);
    for (; fruit; fruit = basket->get(60s))
        taken.append(*fruit);
    const bool ended = fruit.error().code == ErrorCode::EndOfStream && producer->join(60s);
    const QString text = taken.join(QStringLiteral(", "));
    return report("queue", ended && text == QStringLiteral("pear 1, pear 2, pear 3, pear 4"),
                  text.toStdString());
}

bool useLock()
{
    const auto lock = Lock::create();
    const auto sum = Value<int>::create(0, proclab::Locking::None);
    if (!lock || !sum)
        return report("lock", false, "no shared memory");
    std::vector<Process> adders;
    for (const auto method : {proclab::StartMethod::Spawn, proclab::StartMethod::ForkServer}) {
        const auto adder = Process::create<add>({.startMethod = method}, *lock, *sum, 1000);
        if (!adder || !adder->start())
            return report("lock", false, "no process");
        adders.push_back(*adder);
    }
    bool isRight = true;
    for (const Process &adder : adders)
        isRight = adder.join(60s) && *adder.exitCode() == 0 && isRight;
    const int count = sum->get();
    return report("lock", isRight && count == 2000,
                  "two processes counted to " + std::to_string(count));
}

} // namespace

int main(int argc, char **argv)
{
    if (const auto code = proclab::workerMain(argc, argv))
        return *code;
    const QCoreApplication application(argc, argv);
    std::printf("version: " PROCLAB_VERSION "\n");
    bool isRight = usePool();
    isRight = useExecutor() && isRight;
    isRight = useQueue() && isRight;
    isRight = useLock() && isRight;
    return isRight ? 0 : 1;
}
