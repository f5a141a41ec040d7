// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/counter/counter_kind.h"
#include "core/experiment/kinds/pipeline/pipeline_kind.h"
#include "core/experiment/kinds/pool/pool_kind.h"
#include "tests/support/roles.h"
#include "tests/support/sample_run.h"
#include "ui/charts/line_chart.h"
#include "ui/experiment/charts/chart_column.h"

#include <QSignalSpy>
#include <QTest>

using namespace proclab;
using namespace Qt::StringLiterals;

namespace {

constexpr qint64 ms = 1'000'000;

/// A run of @p kind whose only child lived from the gate until @p endNs; -1: it lives.
std::shared_ptr<RunLog> runOf(qint64 endNs)
{
    auto log = std::make_shared<RunLog>();
    ProcessRecord parent;
    log->addProcess(parent);
    ProcessRecord child;
    child.name = u"process-1"_s;
    child.role = test::process();
    child.endNs = endNs;
    log->addProcess(child);
    return log;
}

constexpr int gauges = 5; // As many as the kinds here have at most.

GaugeSample gauge(qint64 timeNs, int number, double value, double total)
{
    GaugeSample sample(gauges);
    sample.timeNs = timeNs;
    sample.values[static_cast<std::size_t>(number)] = value;
    sample.totals[static_cast<std::size_t>(number)] = total;
    return sample;
}

} // namespace

class tst_ChartColumn : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void shortestRunHasACurveAndItsMean();
    void meanIsOfTheWholeRun();
    void meanEndsWithTheWork();
    void whileItRunsTheHeadShowsThePresent();
    void atTheGateNoRateIsClaimed();
    void meanOfCpuCountsFromTheGate();
    void shortRunOfManyHasItsBands();
    void privateAndSharedMemoryStandApart();
    void fewSamplesAreSaid();
    void cursorShowsTheValuesOfItsTime();
    void cursorIsSharedAndSentOnce();
    void windowOfRatesIsNamed();
    void axisIsOfWhatIsDrawn();
};

void tst_ChartColumn::windowOfRatesIsNamed()
{
    ChartColumn column;
    column.setSpec(ExperimentSpec(u"pipeline"_s));
    QVERIFY(!column.charts()[1]->help().contains(u"Mean of"_s)); // A depth is of an instant.
    QVERIFY(column.charts()[2]->help().contains(u"0.5 s or the last 8 items"_s));
    QVERIFY(column.charts()[3]->help().endsWith(u"\nMean of the last 0.5 s"_s)); // A share.
}

/// The first sample covers 4 ms, a fraction of a pixel, and nothing is drawn of it.
void tst_ChartColumn::axisIsOfWhatIsDrawn()
{
    const auto log = runOf(-1);
    ProcessRecord second = log->processes()[1];
    second.name = u"process-2"_s;
    log->addProcess(second);
    for (int process = 1; process <= 2; ++process) {
        auto &samples = log->lane(process).samples;
        samples.append({4 * ms, 95, 0, 1 << 20, 0});
        for (int i = 1; i <= 80; ++i)
            samples.append({i * 50 * ms, 20, 0, 1 << 20, 0});
    }
    ChartColumn column;
    column.setSpec(ExperimentSpec(u"pool"_s));
    column.resize(320, 600);
    column.show();
    column.setRun(log);
    column.advance(4'000 * ms);
    LineChart *cpu = column.charts()[0];
    cpu->drawNow();
    QCOMPARE(cpu->top(), 100.0);
    // What is drawn counts.
    for (int process = 1; process <= 2; ++process)
        log->lane(process).samples.append({4'100 * ms, 95, 0, 1 << 20, 0});
    column.advance(4'100 * ms);
    const auto reachesUp = [cpu] {
        cpu->drawNow();
        return cpu->top() == 200.0;
    };
    QTRY_VERIFY(reachesUp());
}

/// 20,000 increments in 3.8 ms, over before the first regular sample.
void tst_ChartColumn::shortestRunHasACurveAndItsMean()
{
    const auto log = runOf(3'800'000);
    log->gauges.append(GaugeSample(gauges));
    log->gauges.append(gauge(3'800'000, CounterGauges::IncrementRate, 20'000 / 0.0038, 20'000));
    ChartColumn column;
    column.setSpec(ExperimentSpec(u"counter"_s));
    column.setRun(log);
    column.advance(4 * ms);
    const LineChart *chart = column.charts()[1];
    QCOMPARE(chart->valueText(), u"mean 5.3\u00A0M\u00A0/s"_s);
    QVERIFY(chart->mean() && std::abs(*chart->mean() - 5.263e6) < 1e3);
    const ChartHistory::Points points = chart->history().line(0);
    QCOMPARE(points.x, (QVector<double>{0, 0.0038}));
    QCOMPARE(points.y[0], points.y[1]);
    QVERIFY(points.y[0] > 5e6);
    QCOMPARE(column.charts()[2]->valueText(), u"mean 0\u00A0%"_s); // Lock wait: measured, and none.
}

void tst_ChartColumn::meanIsOfTheWholeRun()
{
    const auto log = runOf(2'000 * ms);
    log->gauges.append(GaugeSample(gauges));
    log->gauges.append(gauge(1'000 * ms, PoolGauges::Throughput, 100, 100));
    log->gauges.append(
        gauge(2'000 * ms, PoolGauges::Throughput, 4, 104)); // The last seconds' rate.
    ChartColumn column;
    column.setSpec(ExperimentSpec(u"pool"_s));
    column.setRun(log);
    column.advance(2'000 * ms);
    QCOMPARE(column.charts()[1]->valueText(), u"mean 52\u00A0/s"_s);
    QCOMPARE(column.charts()[1]->mean(), std::optional(52.0));
}

/// The workers take a while to leave after the last task: that is no part of the mean.
void tst_ChartColumn::meanEndsWithTheWork()
{
    const auto log = runOf(200 * ms);
    TaskRecord task;
    task.finishedNs = 50 * ms;
    log->tasks.append(task);
    log->gauges.append(GaugeSample(gauges));
    log->gauges.append(gauge(100 * ms, PoolGauges::Throughput, 1'000, 100));
    log->gauges.append(gauge(200 * ms, PoolGauges::Throughput, 500, 100));
    ChartColumn column;
    column.setSpec(ExperimentSpec(u"pool"_s));
    column.setRun(log);
    column.advance(200 * ms);
    QCOMPARE(column.charts()[1]->mean(), std::optional(2'000.0));
    // The curve too: its only stretch is the time of the work.
    const ChartHistory::Points points = column.charts()[1]->history().line(0);
    QCOMPARE(points.x, (QVector<double>{0, 0.05}));
    QCOMPARE(points.y, (QVector<double>{2'000, 2'000}));
}

void tst_ChartColumn::whileItRunsTheHeadShowsThePresent()
{
    const auto log = runOf(-1);
    log->gauges.append(GaugeSample(gauges));
    log->gauges.append(gauge(1'000 * ms, PoolGauges::Throughput, 4, 104));
    ChartColumn column;
    column.setSpec(ExperimentSpec(u"pool"_s));
    column.setRun(log);
    column.advance(1'000 * ms);
    QCOMPARE(column.charts()[1]->valueText(), u"4\u00A0/s"_s);
    QCOMPARE(column.charts()[1]->mean(), std::optional(104.0));
}

void tst_ChartColumn::atTheGateNoRateIsClaimed()
{
    const auto log = runOf(-1);
    log->gauges.append(gauge(0, PoolGauges::QueueDepth, 24, 0));
    ChartColumn column;
    column.setSpec(ExperimentSpec(u"pool"_s));
    column.setRun(log);
    column.advance(1);
    QVERIFY(column.charts()[1]->showsNoData());
    QVERIFY(column.charts()[1]->valueText().isEmpty());
    QCOMPARE(column.charts()[2]->valueText(), u"24"_s);
}

void tst_ChartColumn::meanOfCpuCountsFromTheGate()
{
    const auto log = runOf(100 * ms);
    log->updateProcess(1, [](ProcessRecord &process) {
        process.startNs = -50 * ms;
        process.cpuSeconds = 0.2; // Most of it before the gate.
    });
    log->lane(1).samples.append({50 * ms, 100, 0, 1});
    log->lane(1).samples.append({100 * ms, 50, 0, 0});
    ChartColumn column;
    column.setSpec(ExperimentSpec(u"pool"_s));
    column.setRun(log);
    column.advance(110 * ms);
    QCOMPARE(column.charts()[0]->valueText(), u"mean 75\u00A0%"_s);
}

/// Each process has one sample only, of its end.
void tst_ChartColumn::shortRunOfManyHasItsBands()
{
    const auto log = runOf(5 * ms);
    log->lane(1).samples.append({5 * ms, 10, 0, 0});
    for (int i = 2; i <= 16; ++i) {
        ProcessRecord process;
        process.endNs = 5 * ms;
        log->addProcess(process);
        log->lane(i).samples.append({5 * ms, 10, 0, 0});
    }
    ChartColumn column;
    column.setSpec(ExperimentSpec(u"pool"_s));
    column.setRun(log);
    column.advance(6 * ms);
    QVERIFY(!column.charts()[0]->showsNoData());
    QCOMPARE(column.charts()[0]->history().last(2), 10.0);
    QCOMPARE(column.charts()[0]->history().line(2).x, (QVector<double>{0, 0.005}));
    QCOMPARE(column.charts()[0]->valueText(), u"mean 160\u00A0%"_s);
    QVERIFY(column.charts().last()->showsNoData()); // No memory was measured, and none is claimed.
}

void tst_ChartColumn::privateAndSharedMemoryStandApart()
{
    constexpr quint64 mebibyte = 1024 * 1024;
    const auto log = runOf(-1);
    for (quint64 k = 1; k <= 4; ++k)
        log->lane(1).samples.append(
            {static_cast<qint64>(k) * 50 * ms, 10, 0, (3 + k) * mebibyte, (1 + k) * mebibyte});
    ChartColumn column;
    column.setSpec(ExperimentSpec(u"pool"_s));
    column.setRun(log);
    column.advance(210 * ms);
    const ChartHistory &memory = column.charts().last()->history();
    QCOMPARE(memory.last(1), 2.0); // Private: the same all the time.
    QCOMPARE(memory.at(1, 0.05), 2.0);
    QCOMPARE(memory.at(0, 0.05), 2.0); // Shared: grows.
    QVERIFY(memory.at(0, 0.15) > 3.5);
    QCOMPARE(column.charts().last()->valueText(), u"2.0\u00A0MiB + 5.0\u00A0MiB"_s);
}

void tst_ChartColumn::fewSamplesAreSaid()
{
    const auto log = runOf(33 * ms);
    log->lane(1).samples.append({33 * ms, 100, 0, 0});
    ChartColumn column;
    column.setSpec(ExperimentSpec(u"pool"_s));
    column.setRun(log);
    column.advance(34 * ms);
    QCOMPARE(column.charts()[0]->note(), u"1 sample only"_s);
    log->lane(1).samples.append({34 * ms, 100, 0, 0});
    log->lane(1).samples.append({35 * ms, 100, 0, 0});
    ChartColumn longer;
    longer.setSpec(ExperimentSpec(u"pool"_s));
    longer.setRun(log);
    longer.advance(36 * ms);
    QVERIFY(longer.charts()[0]->note().isEmpty());
}

void tst_ChartColumn::cursorShowsTheValuesOfItsTime()
{
    const auto log = runOf(-1);
    log->gauges.append(GaugeSample(gauges));
    for (int i = 1; i <= 40; ++i) {
        GaugeSample sample = gauge(i * 50 * ms, PipelineGauges::PutRate, i, i);
        sample.values[PipelineGauges::GetRate] = 2 * i;
        sample.values[PipelineGauges::QueueDepth] = i % 7;
        log->gauges.append(sample);
    }
    ExperimentSpec spec(u"pipeline"_s);
    spec.set(u"pipeline.capacity"_s, 16);
    ChartColumn column;
    column.setSpec(spec);
    column.setRun(log);
    column.advance(2'000 * ms);
    QCOMPARE(column.charts()[2]->valueText(), u"get 80\u00A0/s"_s);
    QCOMPARE(column.charts()[3]->valueText(), u"put 0 \u00B7 get 0\u00A0%"_s);
    column.setCursor(500 * ms);
    QCOMPARE(column.charts()[1]->valueText(), u"3 / 16"_s);
    QCOMPARE(column.charts()[2]->valueText(), u"put 10 \u00B7 get 20\u00A0/s"_s);
    QCOMPARE(column.charts()[2]->cursor(), std::optional(0.5));
    column.setCursor(std::nullopt);
    QCOMPARE(column.charts()[2]->valueText(), u"get 80\u00A0/s"_s);
    column.setCursor(3'000 * ms); // Still to come.
    QVERIFY(!column.charts()[2]->cursor());
}

void tst_ChartColumn::cursorIsSharedAndSentOnce()
{
    const SampleRun run = samplePool();
    ChartColumn column;
    column.resize(304, 560);
    column.setSpec(run.spec);
    column.setRun(run.log);
    column.advance(run.snapshot->timeNs);
    column.show();
    QVERIFY(QTest::qWaitForWindowExposed(&column));
    column.grab();
    QSignalSpy moved(&column, &ChartColumn::cursorMoved);
    LineChart *first = column.charts()[0];
    QTest::mouseMove(first, {120, first->height() / 2 + 8});
    QTRY_COMPARE(moved.size(), 1);
    const auto timeNs = moved[0][0].value<std::optional<qint64>>();
    QVERIFY(timeNs && *timeNs > 0);
    for (const LineChart *chart : column.charts())
        QVERIFY(std::abs(chart->cursor().value_or(0) - static_cast<double>(*timeNs) / 1e9) < 1e-6);
    column.setCursor(std::nullopt); // From outside: not sent back.
    QCOMPARE(moved.size(), 1);
    QVERIFY(!first->cursor());
}

QTEST_MAIN(tst_ChartColumn)
#include "tst_chart_column.moc"
