// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/counter/counter_state.h"
#include "core/experiment/kinds/fork/fork_kind.h"
#include "core/experiment/kinds/fork/fork_state.h"
#include "core/experiment/kinds/process/process_kind.h"
#include "core/experiment/kinds/program/program_kind.h"
#include "core/experiment/run/experiment_run.h"
#include "core/experiment/run/run_means.h"
#include "core/experiment/run/run_status.h"
#include "core/experiment/spec/kind.h"
#include "core/process/engine.h"
#include "tests/support/preset_runs.h"
#include "tests/support/result_files.h"
#include "tests/support/run_to_end.h"

#include <QHash>
#include <QJsonArray>
#include <QJsonObject>
#include <QTest>
#include <QTimer>

#include <cmath>
#include <vector>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

using test::figureOf;
using test::isOne;
using test::Pace;
using test::paceOf;

/// Of a run with more tasks not every one is looked at.
constexpr std::size_t mostLooked = 50'000;

qsizetype stepOf(const RunLog &log)
{
    return log.tasks.size() > mostLooked ? 997 : 1;
}

/// Columns of `--csv`.
enum CsvColumn { Index, Worker, Pid, Value, ErrorType, Submitted, Started, Finished, ColumnCount };

/// What `--csv` adds up to.
struct CsvSums
{
    qint64 lines = 0;
    qint64 done = 0;
    double lastFinished = 0;
    QHash<QByteArray, qint64> doneBy;     ///< Lines without an error, by the worker's name.
    QHash<QByteArray, QByteArray> values; ///< The last value, by the worker's name.
};

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
    static void checkEnd(const ExperimentRun &run, const QJsonObject &json);
    static void checkProcesses(const ExperimentRun &run, const QJsonObject &json);
    static void checkResults(const ExperimentRun &run, const test::JsonOfRun &json);
    static void checkCsv(const ExperimentRun &run, const test::JsonOfRun &json);
    static void checkCsvSums(const ExperimentRun &run, const CsvSums &sums,
                             const QJsonObject &json);

    Engine m_engine;
};

void tst_OneFigure::everyPlaceSaysTheSame_data()
{
    QTest::addColumn<ExperimentSpec>("spec");
    for (const test::NamedSpec &run : test::runsToCompare())
        QTest::newRow(qPrintable(run.name)) << run.spec;
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
    const test::JsonOfRun json = test::jsonOf(run.result(), stepOf(*run.log()));
    if (!QTest::currentTestFailed())
        checkEnd(run, json.head);
    if (!QTest::currentTestFailed())
        checkProcesses(run, json.head);
    if (!QTest::currentTestFailed())
        checkResults(run, json);
    if (!QTest::currentTestFailed())
        checkCsv(run, json);
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
        if (pace.gauge >= 0)
            QCOMPARE(gauges.totals[static_cast<std::size_t>(pace.gauge)],
                     static_cast<double>(picture->done));
        if (run.spec().kind() == u"pool"_s || run.spec().kind() == u"executor"_s)
            QCOMPARE(gauges.values[PoolGauges::QueueDepth], static_cast<double>(picture->queued));
        if (run.spec().kind() == u"pipeline"_s)
            QCOMPARE(gauges.values[PipelineGauges::QueueDepth],
                     static_cast<double>(picture->queued));
        if (run.spec().kind() == u"process"_s)
            QCOMPARE(gauges.values[ProcessGauges::Alive],
                     static_cast<double>(picture->aliveCount()));
        if (run.spec().kind() == u"program"_s)
            QCOMPARE(gauges.values[ProgramGauges::Alive],
                     static_cast<double>(picture->aliveCount()));
        if (run.spec().kind() == u"fork"_s)
            QCOMPARE(gauges.values[ForkGauges::Copied],
                     std::max(0.0, static_cast<double>(picture->state<ForkState>().copiedBytes())) /
                         (1 << 20));
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

void tst_OneFigure::checkEnd(const ExperimentRun &run, const QJsonObject &json)
{
    const RunLog &log = *run.log();
    const StageSnapshotPointer last = log.snapshots.newest();
    const GaugeSample &gauges = log.gauges[log.gauges.size() - 1];
    const Pace pace = paceOf(run.spec().kind());

    // The time: result, status, measures, chart.
    const double elapsed = json[u"elapsed_s"_s].toDouble();
    QVERIFY(elapsed > 0);
    QVERIFY(isOne(statusOf(run).elapsedSeconds, elapsed));
    QVERIFY(isOne(json[u"measures"_s][u"elapsed_s"_s].toDouble(), elapsed));
    QVERIFY(isOne(static_cast<double>(lastFinishNs(log)) / 1e9, elapsed));
    QVERIFY(static_cast<double>(last->timeNs) / 1e9 >= elapsed - 1e-6);

    // What is done: picture, chart, result.
    if (pace.gauge < 0)
        return;
    QCOMPARE(gauges.totals[static_cast<std::size_t>(pace.gauge)], static_cast<double>(last->done));
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
        QVERIFY(isOne(worker[u"blocked_s"_s].toDouble(), record.blockedSeconds()));
        QVERIFY(record.endNs <= last->timeNs + 1'000);
    }
}

/// `--json` and the log.
void tst_OneFigure::checkResults(const ExperimentRun &run, const test::JsonOfRun &json)
{
    const RunLog &log = *run.log();
    const QList<ProcessRecord> processes = log.processes();
    QCOMPARE(static_cast<std::size_t>(json.resultCount), log.tasks.size());
    std::vector<std::size_t> positions(log.tasks.size());
    for (std::size_t i = 0; i < log.tasks.size(); ++i)
        positions.at(log.tasks[i].index) = i;
    for (const QJsonObject &line : json.results) {
        const TaskRecord &task =
            log.tasks[positions.at(static_cast<std::size_t>(line[u"index"_s].toInteger()))];
        // What never began is nobody's.
        const bool hasBegun = task.process > 0;
        QVERIFY(hasBegun || task.status == TaskStatus::Lost);
        QCOMPARE(line[u"worker"_s].toString(), hasBegun ? processes[task.process].name : QString());
        QCOMPARE(line[u"pid"_s].toInteger(), hasBegun ? processes[task.process].pid : 0);
        QCOMPARE(line[u"value"_s], taskValue(log, task));
        QCOMPARE(line[u"error"_s].isNull(), task.error == TaskError::None);
        QVERIFY(
            isOne(line[u"submitted_s"_s].toDouble(), static_cast<double>(task.submittedNs) / 1e9));
        QVERIFY(
            isOne(line[u"finished_s"_s].toDouble(), static_cast<double>(task.finishedNs) / 1e9));
    }
}

/// `--csv` and `--json`, line by line.
void tst_OneFigure::checkCsv(const ExperimentRun &run, const test::JsonOfRun &json)
{
    const qsizetype step = stepOf(*run.log());
    CsvSums sums;
    QByteArrayList head;
    QString fault;
    const auto compare = [&](const QByteArrayList &csv, const QJsonObject &line) {
        const auto secondsOf = [](const QJsonValue &value) {
            return value.isNull() ? QByteArray() : QByteArray::number(value.toDouble(), 'f', 9);
        };
        const auto shown = [](const QByteArray &seconds) {
            return seconds.isEmpty() ? seconds : QByteArray::number(seconds.toDouble(), 'f', 9);
        };
        const QJsonValue value = line[u"value"_s];
        const QJsonValue error = line[u"error"_s];
        const QByteArrayList expected{
            QByteArray::number(line[u"index"_s].toInteger()),
            line[u"worker"_s].toString().toUtf8(),
            line[u"pid"_s].isNull() ? QByteArray() : QByteArray::number(line[u"pid"_s].toInteger()),
            value.isDouble() ? QByteArray::number(value.toDouble(), 'g', 17)
                             : value.toString().toUtf8(),
            error[u"type"_s].toString().toUtf8(),
            secondsOf(line[u"submitted_s"_s]),
            secondsOf(line[u"started_s"_s]),
            secondsOf(line[u"finished_s"_s])};
        QByteArrayList found = csv;
        if (value.isDouble())
            found[Value] = QByteArray::number(found[Value].toDouble(), 'g', 17);
        for (const CsvColumn column : {Submitted, Started, Finished})
            found[column] = shown(found[column]);
        if (found != expected)
            fault = QString::fromUtf8(csv.join(',') + " and " + expected.join(','));
    };
    const bool isWritten = test::forEachCsvLine(run.result(), [&](const QByteArrayList &fields) {
        if (head.isEmpty()) {
            head = fields;
            return;
        }
        if (fields.size() != ColumnCount) {
            fault = QString::fromUtf8(fields.join(','));
            return;
        }
        if (sums.lines % step == 0 && sums.lines / step < json.results.size())
            compare(fields, json.results[sums.lines / step]);
        ++sums.lines;
        sums.lastFinished = std::max(sums.lastFinished, fields[Finished].toDouble());
        sums.values[fields[Worker]] = fields[Value];
        if (fields[ErrorType].isEmpty()) {
            ++sums.done;
            ++sums.doneBy[fields[Worker]];
        }
    });
    QVERIFY(isWritten);
    QCOMPARE(head.join(','),
             "index,worker,pid,value,error_type,submitted_s,started_s,finished_s"_ba);
    QVERIFY2(fault.isEmpty(), qPrintable(fault));
    QCOMPARE(sums.lines, json.resultCount);
    checkCsvSums(run, sums, json.head);
}

/// What is done, the time, and each process's part.
void tst_OneFigure::checkCsvSums(const ExperimentRun &run, const CsvSums &sums,
                                 const QJsonObject &json)
{
    const bool hasTasks = run.spec().kindInfo()->hasTasks;
    QCOMPARE(sums.done, json[u"totals"_s][u"done"_s].toInteger());
    QVERIFY(isOne(sums.lastFinished, json[u"elapsed_s"_s].toDouble()));
    if (hasTasks)
        QCOMPARE(sums.done, static_cast<qint64>(run.log()->snapshots.newest()->done));
    for (const QJsonValue &worker : json[u"workers"_s].toArray()) {
        const QByteArray name = worker[u"name"_s].toString().toUtf8();
        const qint64 tasks = worker[u"tasks"_s].toInteger();
        // A process of a fixed role has one line: how much of its work it did.
        QCOMPARE(hasTasks ? sums.doneBy.value(name) : sums.values.value(name).toLongLong(), tasks);
    }
}

QTEST_GUILESS_MAIN(tst_OneFigure)
#include "tst_one_figure.moc"
