// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/run_means.h"

#include <QTest>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

constexpr qint64 second = 1'000'000'000;

GaugeChart rateChart(double maximum = 0)
{
    GaugeChart chart;
    chart.series = {{{}, 0}};
    chart.maximum = maximum;
    chart.rate = true;
    return chart;
}

/// Gauge 0 at each half second, as if @p totals things were done by then.
void fillGauges(RunLog &log, const std::vector<double> &totals)
{
    qint64 timeNs = 0;
    for (const double total : totals) {
        GaugeSample sample(1);
        sample.timeNs = timeNs;
        sample.totals[0] = total;
        log.gauges.append(sample);
        timeNs += second / 2;
    }
}

void finishTask(RunLog &log, qint64 timeNs)
{
    TaskRecord task;
    task.finishedNs = timeNs;
    log.tasks.append(task);
}

ProcessRecord process(qint64 startNs, qint64 endNs, int signal = 0)
{
    ProcessRecord record;
    record.startNs = startNs;
    record.endNs = endNs;
    record.signal = signal;
    return record;
}

} // namespace

class tst_RunMeans : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void quantileLiesBetweenItsNeighbours_data();
    void quantileLiesBetweenItsNeighbours();
    void workEndsWithTheLastTask();
    void meanRateIsOfTheWholeTime();
    void lastRateEndsWithTheWork();
    void cpuIsWeighedByTime();
};

void tst_RunMeans::quantileLiesBetweenItsNeighbours_data()
{
    QTest::addColumn<QList<double>>("sorted");
    QTest::addColumn<double>("share");
    QTest::addColumn<double>("expected");
    QTest::newRow("one value") << QList<double>{7} << 0.75 << 7.0;
    QTest::newRow("smallest") << QList<double>{1, 2, 4, 8} << 0.0 << 1.0;
    QTest::newRow("largest") << QList<double>{1, 2, 4, 8} << 1.0 << 8.0;
    QTest::newRow("median of an even count") << QList<double>{1, 2, 4, 8} << 0.5 << 3.0;
    QTest::newRow("median of an odd count") << QList<double>{1, 2, 8} << 0.5 << 2.0;
    QTest::newRow("lower quartile") << QList<double>{1, 2, 4, 8} << 0.25 << 1.75;
    QTest::newRow("upper quartile") << QList<double>{0, 10, 20, 30, 40} << 0.75 << 30.0;
}

void tst_RunMeans::quantileLiesBetweenItsNeighbours()
{
    QFETCH(const QList<double>, sorted);
    QFETCH(const double, share);
    QFETCH(const double, expected);
    QCOMPARE(quantile({sorted.begin(), sorted.end()}, share), expected);
}

void tst_RunMeans::workEndsWithTheLastTask()
{
    RunLog log;
    QCOMPARE(workEndNs(log), 0);
    fillGauges(log, {0, 10, 20});
    QCOMPARE(workEndNs(log), second); // Nothing else is known.
    finishTask(log, 3 * second / 4);
    finishTask(log, second / 4);
    QCOMPARE(workEndNs(log), 3 * second / 4);
    finishTask(log, 2 * second); // Told after the last sample.
    QCOMPARE(workEndNs(log), second);
}

void tst_RunMeans::meanRateIsOfTheWholeTime()
{
    RunLog log;
    QVERIFY(!meanRate(log, 0, 0, second));
    fillGauges(log, {0, 10, 90});
    QVERIFY(!meanRate(log, 0, 0, 0));
    QCOMPARE(meanRate(log, 0, 0, second).value(), 90.0);
    QCOMPARE(meanRate(log, 0, 0, 3 * second).value(), 30.0);
    QCOMPARE(meanRate(log, 0, 50, second).value(), 50.0); // No more is possible.
}

void tst_RunMeans::lastRateEndsWithTheWork()
{
    RunLog log;
    fillGauges(log, {0, 10, 30, 40});
    // The last ten were done a quarter of a second after the third sample.
    const std::vector<RatePoint> rates = ratesUntil(log, rateChart(), 0, 5 * second / 4);
    QCOMPARE(rates.size(), std::size_t{4});
    QCOMPARE(rates[0].timeNs, 0);
    QCOMPARE(rates[0].value, 20.0);
    QCOMPARE(rates[1].timeNs, second / 2);
    QCOMPARE(rates[1].value, 20.0);
    QCOMPARE(rates[2].timeNs, second);
    QCOMPARE(rates[2].value, 40.0);
    QCOMPARE(rates[3].timeNs, 5 * second / 4);
    QCOMPARE(rates[3].value, 40.0); // 30 in the last three quarters of a second.
    QCOMPARE(ratesUntil(log, rateChart(25), 0, 5 * second / 4).back().value, 25.0);
    QVERIFY(ratesUntil(RunLog(), rateChart(), 0, second).empty());
}

void tst_RunMeans::cpuIsWeighedByTime()
{
    RunLog log;
    QCOMPARE(meanCpuPercent(log), 0.0);
    log.addProcess(process(-second, -1));
    log.addProcess(process(-second, -1));
    log.addProcess(process(second, 4 * second));
    log.lane(0).samples.append({second, 100, 0, 0}); // The parent does not count.
    log.lane(1).samples.append({second, 100, 0, 0});
    log.lane(1).samples.append({4 * second, 0, 0, 0});
    log.lane(2).samples.append({2 * second, 50, 0, 0});
    log.lane(2).samples.append({4 * second, 25, 0, 0});
    QCOMPARE(meanCpuPercent(log), 50.0); // 1 + 0.5 + 0.5 seconds in four.
}

QTEST_GUILESS_MAIN(tst_RunMeans)
#include "tst_run_means.moc"
