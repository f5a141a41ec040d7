// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/counter/counter_kind.h"
#include "core/experiment/kinds/counter/counter_state.h"
#include "core/experiment/kinds/pipe/pipe_kind.h"
#include "core/experiment/kinds/pipeline/pipeline_kind.h"
#include "core/experiment/kinds/pool/pool_kind.h"
#include "core/experiment/run/experiment_run.h"
#include "core/experiment/run/run_means.h"
#include "core/experiment/run/run_status.h"
#include "core/experiment/spec/kind.h"
#include "core/experiment/spec/presets.h"
#include "core/process/engine.h"
#include "tests/support/run_to_end.h"

#include <QJsonArray>
#include <QJsonObject>
#include <QTest>
#include <QTimer>

#include <cmath>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

/// Where a kind tells of the work that is done, and of its pace.
struct Pace
{
    int gauge;          ///< A rate; its total is what is done.
    const char *figure; ///< Of the outcome, or of the totals: the same rate over the whole run.
    const char *done;   ///< The same of what is done; null: the last picture's.
};

Pace paceOf(const QString &kind)
{
    if (kind == u"pool"_s)
        return {PoolGauges::Throughput, "throughput_per_s", "done"};
    if (kind == u"pipeline"_s)
        return {PipelineGauges::GetRate, "items_per_s", "consumed"};
    if (kind == u"pipe"_s)
        return {PipeGauges::MessageRate, "messages_per_s", "messages_received"};
    return {CounterGauges::IncrementRate, "increments_per_s", nullptr};
}

/// The preset, with less to do where it takes long.
ExperimentSpec shortened(const Preset &preset)
{
    ExperimentSpec spec = preset.spec;
    if (preset.name == u"pipeline-slow-consumers"_s)
        spec.set(u"pipeline.items_per_producer"_s, 12);
    if (preset.name == u"pipe-ping-pong"_s)
        spec.set(u"pipe.messages"_s, 20'000);
    if (preset.name == u"pool-tiny"_s)
        spec.set(u"tasks.count"_s, 20'000);
    if (preset.name == u"pool-primes"_s)
        spec.set(u"tasks.count"_s, 4);
    return spec;
}

double figureOf(const QJsonObject &json, const char *key)
{
    const QString name = QString::fromLatin1(key);
    const QJsonObject outcome = json[u"outcome"_s].toObject();
    return (outcome.contains(name) ? outcome : json[u"totals"_s].toObject())[name].toDouble(-1);
}

/// @p a and @p b are the same but for how they were rounded on their way.
bool isOne(double a, double b)
{
    return std::abs(a - b) <= 1e-6 * std::max({1.0, std::abs(a), std::abs(b)});
}

} // namespace

/// One quantity has one value wherever it is told: the table of quantities and places.
class tst_OneFigure : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyPlaceSaysTheSame_data();
    void everyPlaceSaysTheSame();

private:
    static void checkPicture(const ExperimentRun &run, const StageSnapshot &picture);
    static void checkInstants(const ExperimentRun &run);
    static void checkEnd(const ExperimentRun &run);
    static void checkProcesses(const ExperimentRun &run, const QJsonObject &json);

    Engine m_engine;
};

void tst_OneFigure::everyPlaceSaysTheSame_data()
{
    QTest::addColumn<ExperimentSpec>("spec");
    for (const Preset &preset : presets())
        QTest::newRow(qPrintable(preset.name)) << shortened(preset);
}

void tst_OneFigure::everyPlaceSaysTheSame()
{
    QFETCH(const ExperimentSpec, spec);
    ExperimentRun run(m_engine, spec);
    // What the status says while it goes on is of one of the pictures.
    QTimer timer;
    int looked = 0;
    connect(&timer, &QTimer::timeout, &run, [&run, &looked] {
        const StageSnapshotPointer before = run.log()->snapshots.newest();
        const RunStatus status = statusOf(run);
        const StageSnapshotPointer after = run.log()->snapshots.newest();
        if (run.state() != RunSource::State::Running || !before || before != after)
            return;
        ++looked;
        QCOMPARE(status.done, before->done);
        QCOMPARE(status.total, before->total);
    });
    timer.start(20);
    QVERIFY(test::runToEnd(run));
    timer.stop();
    if (QTest::currentTestFailed())
        return;
    checkInstants(run);
    if (!QTest::currentTestFailed())
        checkEnd(run);
    if (!QTest::currentTestFailed())
        checkProcesses(run, test::resultJson(run.result()));
    qInfo("%d looks while it ran, %d pictures", looked, static_cast<int>(run.log()->gauges.size()));
}

/// At 20 instants, and at the first and the last: picture, gauges and samples.
void tst_OneFigure::checkInstants(const ExperimentRun &run)
{
    const RunLog &log = *run.log();
    const std::size_t size = log.gauges.size();
    QVERIFY(size >= 2);
    const Pace pace = paceOf(run.spec().kind());
    const std::size_t step = std::max<std::size_t>(1, size / 20);
    for (std::size_t i = 1; i < size; i += step) {
        const GaugeSample &gauges = log.gauges[i];
        const StageSnapshotPointer picture = log.snapshots.at(gauges.timeNs);
        QVERIFY(picture);
        // Pictures keep their times to the microsecond; the last gauges are of the work's end.
        if (std::abs(picture->timeNs - gauges.timeNs) > 1'000)
            continue;
        QCOMPARE(gauges.totals[static_cast<std::size_t>(pace.gauge)],
                 static_cast<double>(picture->done));
        if (run.spec().kind() == u"pool"_s)
            QCOMPARE(gauges.values[PoolGauges::QueueDepth], static_cast<double>(picture->queued));
        if (run.spec().kind() == u"pipeline"_s)
            QCOMPARE(gauges.values[PipelineGauges::QueueDepth],
                     static_cast<double>(picture->queued));
        if (run.spec().kind() == u"counter"_s)
            QCOMPARE(gauges.values[CounterGauges::Value],
                     static_cast<double>(picture->state<CounterState>().value));
        checkPicture(run, *picture);
    }
}

/// The processor's share on a card is that of the curve.
void tst_OneFigure::checkPicture(const ExperimentRun &run, const StageSnapshot &picture)
{
    const QList<ProcessRecord> processes = run.log()->processes();
    for (const ProcessLive &live : picture.processes) {
        const AppendLog<ProcessSample> &samples = run.log()->lane(live.process).samples;
        const std::size_t count = sampleCountUntil(samples, picture.timeNs + 1'000);
        // One that ended while the picture was made has a last sample that came after it.
        const qint64 endNs = processes[live.process].endNs;
        const bool isEnding = endNs >= 0 && endNs <= picture.timeNs + 1'000;
        if (count == 0 || live.cpuPercent < 0 || (isEnding && live.process > 0))
            continue;
        const double curve = static_cast<double>(samples[count - 1].cpuPercent);
        QVERIFY2(std::abs(live.cpuPercent - curve) < 0.11,
                 qPrintable(u"process %1 at %2 ns: %3 and %4"_s.arg(live.process)
                                .arg(picture.timeNs)
                                .arg(live.cpuPercent)
                                .arg(curve)));
    }
}

void tst_OneFigure::checkEnd(const ExperimentRun &run)
{
    const RunResult &result = run.result();
    const RunLog &log = *run.log();
    const QJsonObject json = test::resultJson(result);
    const StageSnapshotPointer last = log.snapshots.newest();
    const GaugeSample &gauges = log.gauges[log.gauges.size() - 1];
    const Pace pace = paceOf(run.spec().kind());
    const auto at = static_cast<std::size_t>(pace.gauge);

    // The time: result, status, measures, chart.
    const double elapsed = json[u"elapsed_s"_s].toDouble();
    QVERIFY(elapsed > 0);
    QVERIFY(isOne(statusOf(run).elapsedSeconds, elapsed));
    QVERIFY(isOne(json[u"measures"_s][u"elapsed_s"_s].toDouble(), elapsed));
    QVERIFY(isOne(static_cast<double>(lastFinishNs(log)) / 1e9, elapsed));
    QVERIFY(static_cast<double>(last->timeNs) / 1e9 >= elapsed - 1e-6);

    // What is done: picture, chart, result.
    QCOMPARE(gauges.totals[at], static_cast<double>(last->done));
    if (pace.done)
        QCOMPARE(figureOf(json, pace.done), static_cast<double>(last->done));

    // The pace: result, measures, the chart's mean and its curve.
    const double rate = figureOf(json, pace.figure);
    const double mean = meanRate(log, pace.gauge, 0, workEndNs(log)).value_or(-1);
    QVERIFY2(isOne(mean, rate), qPrintable(u"%1 and %2"_s.arg(mean).arg(rate)));
}

void tst_OneFigure::checkProcesses(const ExperimentRun &run, const QJsonObject &json)
{
    const QList<ProcessRecord> processes = run.log()->processes();
    const QJsonArray workers = json[u"workers"_s].toArray();
    QCOMPARE(workers.size(), processes.size() - 1);
    const StageSnapshotPointer last = run.log()->snapshots.newest();
    for (int i = 1; i < processes.size(); ++i) {
        const ProcessRecord &record = processes[i];
        const ProcessLive &live = last->processes[i];
        const QJsonValue worker = workers[i - 1];
        QCOMPARE(worker[u"name"_s].toString(), record.name);
        QCOMPARE(worker[u"pid"_s].toInteger(), record.pid);
        QCOMPARE(worker[u"tasks"_s].toInteger(), static_cast<qint64>(record.done));
        QCOMPARE(live.done, record.done);
        QVERIFY(isOne(worker[u"cpu_s"_s].toDouble(), record.cpuSeconds));
        QVERIFY(isOne(worker[u"ready_s"_s].toDouble(), record.readySeconds));
        QVERIFY(record.endNs <= last->timeNs + 1'000);
    }
}

QTEST_GUILESS_MAIN(tst_OneFigure)
#include "tst_one_figure.moc"
