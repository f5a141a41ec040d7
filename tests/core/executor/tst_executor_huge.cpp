// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/executor/executor.h"
#include "tests/support/worker_test_main.h"

#include <sys/sysinfo.h>

using namespace std::chrono_literals;
using namespace proclab;

namespace {

quint64 sumOf(const QByteArray &bytes)
{
    quint64 sum = static_cast<quint64>(bytes.size());
    for (const qsizetype i : {qsizetype(0), bytes.size() / 2, bytes.size() - 1})
        sum += static_cast<unsigned char>(bytes[i]);
    return sum;
}

} // namespace

/// By itself, since it takes memory and time.
class tst_ExecutorHuge : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void hugeArgumentArrives();
};

void tst_ExecutorHuge::hugeArgumentArrives() // EX-30
{
    constexpr quint64 needed = quint64{12} << 30;
    struct sysinfo memory = {};
    QCOMPARE(::sysinfo(&memory), 0);
    if ((memory.freeram + memory.bufferram) * memory.mem_unit < needed)
        QSKIP("less than 12 GiB of memory are free");
    const QByteArray huge((qsizetype{2} << 30) + 100, 'x');
    auto executor = Executor::open({.workers = 1});
    QVERIFY(executor);
    QCOMPARE(executor->submit<&sumOf>(huge).result(120s).value(),
             static_cast<quint64>(huge.size()) + 3 * quint64{'x'});
    executor->shutdown();
}

PROCLAB_WORKER_TEST_MAIN(tst_ExecutorHuge)
#include "tst_executor_huge.moc"
