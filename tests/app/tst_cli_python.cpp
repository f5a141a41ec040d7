// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/spec/presets.h"
#include "tests/support/cli_process.h"
#include "tests/support/preset_runs.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

constexpr int patience = 60'000;

/// Counts in an outcome that do not depend on who is faster.
const QStringList exactCounts = {u"expected"_s,
                                 u"produced"_s,
                                 u"consumed"_s,
                                 u"per_producer"_s,
                                 u"failed_items"_s,
                                 u"lost_items"_s,
                                 u"bytes"_s,
                                 u"messages_sent"_s,
                                 u"messages_received"_s,
                                 u"parent_value_before"_s,
                                 u"parent_value_after"_s,
                                 u"child_value"_s,
                                 u"shared_bytes"_s,
                                 u"copied_bytes"_s};

struct Ended
{
    int status = -1;
    QByteArray output;
    QByteArray errors;
};

Ended run(const QString &program, const QStringList &arguments)
{
    QProcess process;
    process.start(program, arguments);
    if (!process.waitForFinished(patience) || process.exitStatus() != QProcess::NormalExit)
        return {-1, process.readAllStandardOutput(), process.readAllStandardError()};
    return {process.exitCode(), process.readAllStandardOutput(), process.readAllStandardError()};
}

/// The preset with so little to do that it takes a second in Python, too.
ExperimentSpec brief(const Preset &preset)
{
    ExperimentSpec spec = test::shortened(preset);
    spec.set(u"seed"_s, 7);
    if (preset.name == u"pool"_s)
        spec.set(u"tasks.args.max_s"_s, 0.5);
    if (preset.name == u"pool-primes"_s)
        spec.set(u"tasks.args.limit"_s, 20'000);
    if (preset.name == u"pipe-one-way"_s)
        spec.set(u"pipe.messages"_s, 1'000);
    if (preset.name == u"pipeline-fruit"_s) {
        spec.set(u"produce.args"_s, QJsonObject{{u"max_s"_s, 0.1}});
        spec.set(u"consume.args"_s, QJsonObject{{u"max_s"_s, 0.1}});
    }
    if (preset.name == u"pool-crash"_s) {
        QJsonArray list;
        for (qsizetype i = 0; i < spec.value(u"tasks.args_list"_s).toArray().size(); ++i)
            list.append(QJsonObject{{u"every"_s, 13}, {u"work_s"_s, 0.01}});
        spec.set(u"tasks.args_list"_s, list);
    }
    return spec;
}

ExperimentSpec poolOf(const QString &task, const QJsonObject &args, int count)
{
    ExperimentSpec spec(u"pool"_s);
    spec.set(u"seed"_s, 7);
    spec.set(u"pool.workers"_s, 2);
    spec.set(u"tasks"_s, QJsonObject{{u"task"_s, task}, {u"args"_s, args}, {u"count"_s, count}});
    return spec;
}

/// A value of a task as Python prints it, and as @p ours is written: numbers that need more than 53
/// bits are texts there.
QJsonValue valueOf(const QByteArray &printed, const QJsonValue &ours)
{
    bool isNumber = false;
    const double number = printed.toDouble(&isNumber);
    if (isNumber && !ours.isString())
        return number;
    return printed == "None" ? QJsonValue() : QJsonValue(QString::fromUtf8(printed));
}

} // namespace

/// Experiments as Python programs do the work that they do here.
class tst_CliPython : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void cleanup() { QTRY_VERIFY_WITH_TIMEOUT(m_orphans.isNobodyLeft(), patience); }

    void presetComesToTheSame_data();
    void presetComesToTheSame();
    void taskHasTheSameValue_data();
    void taskHasTheSameValue();
    void methodDoesEveryTask_data();
    void methodDoesEveryTask();
    void programEndsAfterALoss_data();
    void programEndsAfterALoss();
    void failuresAreCounted_data();
    void failuresAreCounted();
    void commandIsRefused_data();
    void commandIsRefused();

private:
    QString fileOf(const ExperimentSpec &spec) const;
    QJsonObject runHere(const ExperimentSpec &spec) const;
    Ended runPython(const ExperimentSpec &spec) const;
    static QJsonObject lastLine(const Ended &ended);

    QTemporaryDir m_folder;
    test::OrphanCheck m_orphans;
};

QString tst_CliPython::fileOf(const ExperimentSpec &spec) const
{
    QFile file(m_folder.filePath(u"x.proclab.json"_s));
    if (file.open(QIODevice::WriteOnly))
        file.write(QJsonDocument(spec.toJson()).toJson());
    return file.fileName();
}

QJsonObject tst_CliPython::runHere(const ExperimentSpec &spec) const
{
    const Ended ended =
        run(test::cliProgram(), {u"run"_s, fileOf(spec), u"--quiet"_s, u"--json"_s, u"-"_s});
    return QJsonDocument::fromJson(ended.output).object();
}

/// Runs the program that `proclab-cli python` prints, with less patience than it has.
Ended tst_CliPython::runPython(const ExperimentSpec &spec) const
{
    Ended printed = run(test::cliProgram(), {u"python"_s, fileOf(spec)});
    if (printed.status != 0)
        return printed;
    QFile file(m_folder.filePath(u"x.py"_s));
    if (file.open(QIODevice::WriteOnly))
        file.write(printed.output.replace("PATIENCE_S = ", "PATIENCE_S = 0.1 * "));
    file.close();
    return run(u"python3"_s, {file.fileName()});
}

QJsonObject tst_CliPython::lastLine(const Ended &ended)
{
    return QJsonDocument::fromJson(ended.output.trimmed().split('\n').last()).object();
}

void tst_CliPython::presetComesToTheSame_data()
{
    QTest::addColumn<QString>("name");
    for (const Preset &preset : presets())
        QTest::newRow(qPrintable(preset.name)) << preset.name;
}

void tst_CliPython::presetComesToTheSame()
{
    QFETCH(const QString, name);
    const ExperimentSpec spec = brief(*findPreset(name));
    const Ended python = runPython(spec);
    QVERIFY2(python.status == 0 && python.errors.isEmpty(), python.errors.constData());
    const QJsonObject theirs = lastLine(python);
    const QJsonObject ours = runHere(spec);
    const QJsonObject totals = theirs[u"totals"_s].toObject();
    const QJsonObject ourTotals = ours[u"totals"_s].toObject();
    QCOMPARE(totals.keys(), ourTotals.keys());
    for (const QString &key : {u"tasks"_s, u"done"_s, u"cancelled"_s, u"retried"_s})
        QCOMPARE(totals[key], ourTotals[key]);
    // Python does not know what has ended a process.
    QCOMPARE(totals[u"failed"_s].toInt() + totals[u"lost"_s].toInt(),
             ourTotals[u"failed"_s].toInt() + ourTotals[u"lost"_s].toInt());
    QCOMPARE(totals[u"throughput_per_s"_s].toDouble() > 0, totals[u"done"_s].toInt() > 0);
    const QJsonObject outcome = theirs[u"outcome"_s].toObject();
    const QJsonObject ourOutcome = ours[u"outcome"_s].toObject();
    QCOMPARE(outcome.keys(), ourOutcome.keys());
    for (const QString &key : exactCounts)
        QCOMPARE(outcome[key], ourOutcome[key]);
    QCOMPARE(outcome[u"final"_s].toInt() + outcome[u"lost_updates"_s].toInt(),
             outcome[u"expected"_s].toInt());
    if (name != u"counter-no-lock"_s)
        QCOMPARE(outcome[u"final"_s], ourOutcome[u"final"_s]);
}

void tst_CliPython::taskHasTheSameValue_data()
{
    QTest::addColumn<QString>("task");
    QTest::addColumn<QJsonObject>("args");
    const auto row = [](const QString &task, const QJsonObject &args) {
        QTest::newRow(qPrintable(task)) << task << args;
    };
    row(u"cpu.blur"_s, {{u"width"_s, 37}, {u"height"_s, 23}, {u"radius"_s, 30}});
    row(u"cpu.compress"_s, {{u"bytes"_s, 10'001}, {u"level"_s, 6}});
    row(u"cpu.mandelbrot"_s, {{u"width"_s, 61}, {u"height"_s, 47}, {u"iterations"_s, 90}});
    row(u"cpu.matmul"_s, {{u"n"_s, 41}});
    row(u"cpu.primes"_s, {{u"limit"_s, 5'003}});
    row(u"cpu.sha256"_s, {{u"bytes"_s, 1'001}, {u"rounds"_s, 17}});
    row(u"fail.crash"_s, {{u"every"_s, 9}});
    row(u"fail.exit"_s, {{u"every"_s, 9}});
    row(u"fail.throw"_s, {{u"every"_s, 9}, {u"work_s"_s, 0.01}});
    row(u"io.file"_s, {{u"bytes"_s, 300'001}, {u"fsync"_s, true}});
    row(u"io.sleep"_s, {{u"min_s"_s, 0.01}, {u"max_s"_s, 0.07}});
    row(u"math.square"_s, {{u"x"_s, qint64{-2'999'999'999}}});
    row(u"mem.stream"_s, {{u"bytes"_s, 100'001}, {u"passes"_s, 3}});
    row(u"mixed"_s, {{u"cpu_s"_s, 0.01}, {u"sleep_s"_s, 0.02}});
    row(u"noop"_s, {});
}

void tst_CliPython::taskHasTheSameValue()
{
    QFETCH(const QString, task);
    QFETCH(const QJsonObject, args);
    constexpr int count = 3;
    ExperimentSpec spec = poolOf(task, args, count);
    const Ended python = runPython(spec);
    QVERIFY2(python.status == 0, python.errors.constData());
    const QJsonArray results = runHere(spec)[u"results"_s].toArray();
    QCOMPARE(results.size(), count);
    const QList<QByteArray> lines = python.output.split('\n');
    for (int i = 0; i < count; ++i) {
        const QByteArray start = "task " + QByteArray::number(i) + ": ";
        QVERIFY2(lines[i].startsWith(start), python.output.constData());
        const QJsonValue ours = results.at(i)[u"value"_s];
        QCOMPARE(valueOf(lines[i].mid(start.size()), ours), ours);
    }
}

void tst_CliPython::methodDoesEveryTask_data()
{
    QTest::addColumn<QString>("path");
    QTest::addColumn<QJsonValue>("value");
    for (const char *method : {"apply", "apply_async", "map", "imap", "imap_unordered", "starmap"})
        QTest::newRow(method) << u"pool.method"_s << QJsonValue(QString::fromLatin1(method));
    for (const char *method : {"spawn", "forkserver", "fork"})
        QTest::newRow(method) << u"pool.start_method"_s << QJsonValue(QString::fromLatin1(method));
    QTest::newRow("retiring workers") << u"pool.max_tasks_per_worker"_s << QJsonValue(4);
    QTest::newRow("a limit for each task") << u"pool.task_timeout_s"_s << QJsonValue(50);
    QTest::newRow("a limit for all") << u"time_limit_s"_s << QJsonValue(50);
}

void tst_CliPython::methodDoesEveryTask()
{
    QFETCH(const QString, path);
    QFETCH(const QJsonValue, value);
    ExperimentSpec spec =
        poolOf(u"fail.throw"_s, {{u"every"_s, 8}, {u"message"_s, u"\"no\"\n"_s}}, 18);
    spec.set(path, value);
    const Ended python = runPython(spec);
    QVERIFY2(python.status == 0 && python.errors.isEmpty(), python.errors.constData());
    const QJsonValue totals = lastLine(python)[u"totals"_s];
    QCOMPARE(totals[u"done"_s].toInt(), 16);
    QCOMPARE(totals[u"failed"_s].toInt(), 2);
    QCOMPARE(totals[u"tasks"_s].toInt(), 18);
    QVERIFY(python.output.contains("task 6: 6\n"));
    QVERIFY(python.output.contains("task 7: RuntimeError('\"no\"\\n')\n"));
}

/// Where Python's own classes would wait for ever.
void tst_CliPython::programEndsAfterALoss_data()
{
    QTest::addColumn<ExperimentSpec>("spec");
    for (const char *method : {"apply", "map", "imap"}) {
        ExperimentSpec spec = poolOf(u"fail.exit"_s, {{u"every"_s, 3}, {u"code"_s, 0}}, 5);
        spec.set(u"pool.method"_s, QString::fromLatin1(method));
        QTest::newRow(method) << spec;
    }
    ExperimentSpec retiring = poolOf(u"fail.crash"_s, {{u"every"_s, 3}}, 5);
    retiring.set(u"pool.max_tasks_per_worker"_s, 2);
    QTest::newRow("a worker that is to retire") << retiring;
    for (const char *work : {"produce", "consume"}) {
        ExperimentSpec spec(u"pipeline"_s);
        spec.set(u"pipeline.capacity"_s, 2);
        spec.set(QString::fromLatin1(work), QJsonObject{{u"task"_s, u"fail.exit"_s},
                                                        {u"args"_s, QJsonObject{{u"every"_s, 7}}}});
        QTest::newRow(work) << spec;
    }
}

void tst_CliPython::programEndsAfterALoss()
{
    QFETCH(const ExperimentSpec, spec);
    const Ended python = runPython(spec);
    QVERIFY2(python.status == 0, python.errors.constData());
    const QJsonValue totals = lastLine(python)[u"totals"_s];
    QVERIFY(totals[u"tasks"_s].toInt() > 0);
    QVERIFY(totals[u"done"_s].toInt() < totals[u"tasks"_s].toInt());
    if (spec.kind() == u"pipeline"_s)
        QVERIFY(lastLine(python)[u"outcome"_s][u"consumed"_s].toInt() > 0);
}

void tst_CliPython::failuresAreCounted_data()
{
    QTest::addColumn<ExperimentSpec>("spec");
    QTest::addColumn<QString>("total");
    QTest::addColumn<int>("count");
    ExperimentSpec slow = poolOf(u"fail.hang"_s, {{u"every"_s, 2}}, 4);
    slow.set(u"pool.task_timeout_s"_s, 0.5);
    QTest::newRow("a task that takes too long") << slow << u"failed"_s << 2;
    ExperimentSpec endless = poolOf(u"fail.hang"_s, {{u"every"_s, 1}}, 4);
    endless.set(u"time_limit_s"_s, 0.5);
    QTest::newRow("a pool that takes too long") << endless << u"cancelled"_s << 4;
    ExperimentSpec stuck(u"pipeline"_s);
    stuck.set(u"time_limit_s"_s, 0.5);
    stuck.set(u"consume"_s, QJsonObject{{u"task"_s, u"fail.hang"_s}});
    stuck.set(u"pipeline.items_per_producer"_s, 10);
    QTest::newRow("a consumer that takes too long") << stuck << u"cancelled"_s << 1;
    ExperimentSpec slowly(u"pipeline"_s); // ENDs have to wait for longer than the patience is.
    slowly.set(u"pipeline.capacity"_s, 1);
    slowly.set(u"pipeline.items_per_producer"_s, 2);
    slowly.set(u"consume"_s,
               QJsonObject{{u"task"_s, u"io.sleep"_s},
                           {u"args"_s, QJsonObject{{u"min_s"_s, 1}, {u"max_s"_s, 1}}}});
    QTest::newRow("a consumer that takes its time") << slowly << u"done"_s << 2;
    ExperimentSpec lasting(u"counter"_s);
    lasting.set(u"time_limit_s"_s, 0.5);
    lasting.set(u"counter.increments"_s, 1'000'000'000);
    QTest::newRow("a counter that takes too long") << lasting << u"cancelled"_s << 2;
    ExperimentSpec talking(u"pipe"_s);
    talking.set(u"time_limit_s"_s, 0.5);
    talking.set(u"pipe.messages"_s, 10'000'000);
    QTest::newRow("a pipe that takes too long") << talking << u"cancelled"_s << 1;
}

void tst_CliPython::failuresAreCounted()
{
    QFETCH(const ExperimentSpec, spec);
    QFETCH(const QString, total);
    QFETCH(const int, count);
    const Ended python = runPython(spec);
    QVERIFY2(python.status == 0, python.errors.constData());
    QCOMPARE(lastLine(python)[u"totals"_s][total].toInt(), count);
}

void tst_CliPython::commandIsRefused_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QByteArray>("error");
    QTest::newRow("no experiment") << QStringList() << "python: an operand is missing"_ba;
    QTest::newRow("no preset") << QStringList{u"pols"_s} << "pols: "_ba;
    QTest::newRow("out of range") << QStringList{u"pool"_s, u"--set"_s, u"pool.workers=0"_s}
                                  << "pool.workers: "_ba;
    QTest::newRow("option") << QStringList{u"pool"_s, u"--json"_s, u"-"_s} << "--json: "_ba;
}

void tst_CliPython::commandIsRefused()
{
    QFETCH(const QStringList, arguments);
    QFETCH(const QByteArray, error);
    const Ended ended = run(test::cliProgram(), QStringList{u"python"_s} + arguments);
    QCOMPARE(ended.status, 2);
    QCOMPARE(ended.output, QByteArray());
    QCOMPARE(ended.errors.count('\n'), 1);
    QVERIFY2(ended.errors.startsWith(QByteArray("proclab-cli: " + error)),
             ended.errors.constData());
}

QTEST_GUILESS_MAIN(tst_CliPython)
#include "tst_cli_python.moc"
