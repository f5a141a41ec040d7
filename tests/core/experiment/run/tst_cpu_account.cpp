// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/experiment_run.h"
#include "core/process/engine.h"
#include "tests/support/run_to_end.h"

#include <QJsonObject>
#include <QTest>

#include <sys/resource.h>

using namespace Qt::StringLiterals;
using namespace proclab;

/// What a run tells of its processes' CPU time, beside the account that the kernel keeps of them.
class tst_CpuAccount : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void agreesWithTheKernel_data();
    void agreesWithTheKernel();
};

namespace {

/// Of all children of this program that have ended.
double kernelsSeconds()
{
    rusage used = {};
    ::getrusage(RUSAGE_CHILDREN, &used);
    const auto seconds = [](const timeval &time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// Workers whose tasks compute for two fifths of their time.
ExperimentSpec evenLoad(int workers, int tasks)
{
    ExperimentSpec spec(u"pool"_s);
    spec.set(u"pool.workers"_s, workers);
    spec.set(u"pool.start_method"_s, u"spawn"_s); // Children of this program itself.
    spec.set(u"tasks"_s,
             QJsonObject{{u"task"_s, u"mixed"_s},
                         {u"args"_s, QJsonObject{{u"cpu_s"_s, 0.004}, {u"sleep_s"_s, 0.006}}},
                         {u"count"_s, tasks}});
    return spec;
}

/// What the samples of the CPU chart add up to.
double chartedSeconds(const AppendLog<ProcessSample> &samples, qint64 startNs)
{
    double sum = 0;
    qint64 beforeNs = std::max<qint64>(0, startNs);
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const ProcessSample &sample = samples[i];
        sum += static_cast<double>(sample.cpuPercent) / 100 *
               static_cast<double>(sample.timeNs - beforeNs) / 1e9;
        beforeNs = sample.timeNs;
    }
    return sum;
}

} // namespace

void tst_CpuAccount::initTestCase()
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    QSKIP("what a sanitizer does as a child ends is in the kernel's account only");
#endif
}

void tst_CpuAccount::agreesWithTheKernel_data()
{
    QTest::addColumn<int>("workers");
    QTest::addColumn<int>("tasks");
    QTest::addColumn<double>("points"); // Of 100 % of a core, for each worker.
    QTest::newRow("50 ms") << 1 << 5 << 2.0;
    QTest::newRow("2 s, two workers") << 2 << 400 << 0.5;
    QTest::newRow("10 s") << 1 << 1'000 << 0.5;
}

void tst_CpuAccount::agreesWithTheKernel()
{
    QFETCH(const int, workers);
    QFETCH(const int, tasks);
    QFETCH(const double, points);
    Engine engine;
    ExperimentRun run(engine, evenLoad(workers, tasks));
    const double before = kernelsSeconds();
    QVERIFY(test::runToEnd(run));
    const RunResult &result = run.result();
    QCOMPARE(result.totals.done, static_cast<quint64>(tasks));
    QTRY_VERIFY(kernelsSeconds() > before); // Reaped.
    const double spent = kernelsSeconds() - before;
    double told = 0;
    double charted = 0;
    double seconds = 0;
    const QList<ProcessRecord> processes = run.log()->processes();
    for (int i = 1; i < processes.size(); ++i) {
        told += processes[i].cpuSeconds;
        charted += chartedSeconds(run.log()->lane(i).samples, processes[i].startNs);
        seconds += static_cast<double>(processes[i].endNs) / 1e9;
    }
    const auto shareOf = [seconds](double cpuSeconds) { return 100 * cpuSeconds / seconds; };
    // A spawned child tells its time just before it ends, which takes a moment by itself.
    const double ends = shareOf(0.003 * workers);
    QVERIFY2(
        std::abs(shareOf(told) - shareOf(spent)) <= points + ends,
        qPrintable(u"told %1 %, the kernel says %2 %"_s.arg(shareOf(told)).arg(shareOf(spent))));
    // The chart begins at the gate: what came before it is of the start.
    const double starts = shareOf(0.03 * workers);
    QVERIFY2(shareOf(charted) <= shareOf(told) + points &&
                 shareOf(charted) >= shareOf(told) - points - starts,
             qPrintable(u"charted %1 %, told %2 %"_s.arg(shareOf(charted)).arg(shareOf(told))));
}

QTEST_GUILESS_MAIN(tst_CpuAccount)
#include "tst_cpu_account.moc"
