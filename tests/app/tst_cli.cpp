// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/spec/presets.h"
#include "core/runtime/workloads/workload.h"

#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <csignal>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

constexpr int patience = 60'000;

QString program()
{
    return QCoreApplication::applicationDirPath() + u"/proclab-cli"_s;
}

/// How one call ended.
struct Outcome
{
    int status = -1;
    QByteArray output;
    QByteArray errors;

    [[nodiscard]] QJsonObject json() const { return QJsonDocument::fromJson(output).object(); }
    [[nodiscard]] QStringList errorLines() const
    {
        return QString::fromUtf8(errors).split(u'\n', Qt::SkipEmptyParts);
    }
};

Outcome call(const QStringList &arguments, const QByteArray &input = {})
{
    QProcess process;
    process.start(program(), arguments);
    process.write(input);
    process.closeWriteChannel();
    if (!process.waitForFinished(patience) || process.exitStatus() != QProcess::NormalExit)
        return {-1, process.readAllStandardOutput(), process.readAllStandardError()};
    return {process.exitCode(), process.readAllStandardOutput(), process.readAllStandardError()};
}

/// Runs @p preset with @p settings and takes its result from standard output.
Outcome runJson(const QString &preset, const QStringList &settings)
{
    QStringList arguments{u"run"_s, preset, u"--quiet"_s, u"--json"_s, u"-"_s};
    for (const QString &setting : settings)
        arguments << u"--set"_s << setting;
    return call(arguments);
}

/// Waits until @p process has written @p text to standard error.
bool waitForError(QProcess &process, const QByteArray &text)
{
    QByteArray errors;
    while (!errors.contains(text)) {
        process.setReadChannel(QProcess::StandardError);
        if (!process.waitForReadyRead(patience))
            return false;
        errors += process.readAllStandardError();
    }
    return true;
}

/// The children of @p parent, zombies among them.
QList<pid_t> childrenOf(qint64 parent)
{
    const QByteArray line = "\nPPid:\t" + QByteArray::number(parent) + '\n';
    QList<pid_t> children;
    for (const QString &entry : QDir(u"/proc"_s).entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
        QFile file(u"/proc/%1/status"_s.arg(entry));
        if (file.open(QIODevice::ReadOnly) && file.readAll().contains(line))
            children.append(entry.toInt());
    }
    return children;
}

bool areGone(const QList<pid_t> &pids)
{
    return std::all_of(pids.begin(), pids.end(), [](pid_t pid) { return ::kill(pid, 0) != 0; });
}

} // namespace

class tst_Cli : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void helpAndVersionGoToStandardOutput_data();
    void helpAndVersionGoToStandardOutput();
    void badUsageIsOneLineAndStatusTwo_data();
    void badUsageIsOneLineAndStatusTwo();
    void checkTellsEveryFault();
    void experimentComesFromStandardInput();
    void checkAcceptsEveryPresetAsAFile();
    void presetsAreListed();
    void workloadsAreListed();

    void runWritesItsResult_data();
    void runWritesItsResult();
    void failedTaskIsStatusOne_data();
    void failedTaskIsStatusOne();
    void settingsAreJsonOrText();
    void titleSaysThatAPresetWasChanged();
    void quietRunSaysNothing();
    void progressGoesToStandardError();
    void filesAreWrittenAsAWhole();
    void unwritableFileIsFoundBeforeTheRun();
    void fullDeviceIsStatusThree();
    void missingWorkerProgramIsStatusThree();
    void closedPipeIsNoFailure();
    void signalStopsTheRunAndKeepsTheResult_data();
    void signalStopsTheRunAndKeepsTheResult();
    void secondSignalEndsAtOnce();

private:
    QString path(const QString &name) const { return m_folder.filePath(name); }
    QString writeFile(const QString &name, const QByteArray &content) const;

    QTemporaryDir m_folder;
};

QString tst_Cli::writeFile(const QString &name, const QByteArray &content) const
{
    QFile file(path(name));
    if (!file.open(QIODevice::WriteOnly) || file.write(content) != content.size())
        return {};
    return file.fileName();
}

void tst_Cli::helpAndVersionGoToStandardOutput_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QByteArray>("part");
    QTest::newRow("--help") << QStringList{u"--help"_s} << QByteArray("run SPEC|PRESET");
    QTest::newRow("-h") << QStringList{u"-h"_s} << QByteArray("workloads");
    QTest::newRow("run --help") << QStringList{u"run"_s, u"--help"_s}
                                << QByteArray("--set KEY=VALUE");
    QTest::newRow("--version") << QStringList{u"--version"_s} << QByteArray("proclab-cli ");
}

void tst_Cli::helpAndVersionGoToStandardOutput()
{
    QFETCH(const QStringList, arguments);
    QFETCH(const QByteArray, part);
    const Outcome outcome = call(arguments);
    QCOMPARE(outcome.status, 0);
    QVERIFY(outcome.output.contains(part));
    QCOMPARE(outcome.errors, QByteArray());
}

void tst_Cli::badUsageIsOneLineAndStatusTwo_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QString>("start");
    const auto row = [](const char *name, const QStringList &arguments, const QString &start) {
        QTest::newRow(name) << arguments << start;
    };
    row("nothing", {}, u"command: missing; allowed: run, check, presets, workloads, python, help"_s);
    row("unknown command", {u"walk"_s}, u"walk: unknown command; allowed: run"_s);
    row("empty command", {QString()}, u"\"\": unknown command; allowed: run"_s);
    row("empty name", {u"run"_s, QString()}, u"\"\": no preset of this name; allowed: process"_s);
    row("control characters", {u"run"_s, u"\u001b[31m\nred"_s},
        u"\\u001b[31m red: no preset of this name"_s);
    row("empty file name", {u"run"_s, u"pool"_s, u"--json="_s},
        u"--json: the name of a file is missing"_s);
    row("unknown option first", {u"--walk"_s}, u"--walk: unknown option"_s);
    row("unknown option", {u"run"_s, u"pool"_s, u"--jsn"_s},
        u"--jsn: unknown option; allowed: --set"_s);
    row("option of another command", {u"check"_s, u"a.json"_s, u"--quiet"_s},
        u"--quiet: unknown option"_s);
    row("no operand", {u"run"_s}, u"run: an operand is missing; needed: SPEC|PRESET"_s);
    row("two operands", {u"run"_s, u"pool"_s, u"pool"_s}, u"pool: one operand too many"_s);
    row("no value", {u"run"_s, u"pool"_s, u"--json"_s},
        u"--json: a value is missing; needed: FILE|-"_s);
    row("value of a flag", {u"run"_s, u"pool"_s, u"--quiet=1"_s}, u"--quiet: takes no value"_s);
    row("no such preset", {u"run"_s, u"pol"_s}, u"pol: no preset of this name; allowed: process, "_s);
    row("no such file", {u"run"_s, u"./none.json"_s}, u"./none.json: "_s);
    row("no key", {u"run"_s, u"pool"_s, u"--set"_s, u"=3"_s}, u"--set: \"=3\" is not KEY=VALUE"_s);
    row("no equals sign", {u"run"_s, u"pool"_s, u"--set"_s, u"pool.workers"_s},
        u"--set: \"pool.workers\" is not KEY=VALUE"_s);
    row("value out of range", {u"run"_s, u"pool"_s, u"--set"_s, u"pool.workers=0"_s},
        u"pool.workers: 0 is below the minimum 1"_s);
    row("key unknown", {u"run"_s, u"pool"_s, u"--set=pool.wrkers=2"_s},
        u"pool.wrkers: unknown; allowed: workers"_s);
    row("both to standard output", {u"run"_s, u"pool"_s, u"--json"_s, u"-"_s, u"--csv"_s, u"-"_s},
        u"--csv: \"-\" is also where --json goes"_s);
    for (const QString &command : {u"sweep"_s, u"monitor"_s, u"runs"_s, u"export"_s, u"info"_s})
        row(qPrintable(command), {command, u"pool"_s}, command + u": not available yet"_s);
    for (const QString &option : {u"--record"_s, u"--save"_s})
        row(qPrintable(option), {u"run"_s, u"pool"_s, option, u"x"_s},
            option + u": not available yet"_s);
}

void tst_Cli::badUsageIsOneLineAndStatusTwo()
{
    QFETCH(const QStringList, arguments);
    QFETCH(const QString, start);
    const Outcome outcome = call(arguments);
    QCOMPARE(outcome.status, 2);
    QCOMPARE(outcome.output, QByteArray());
    QCOMPARE(outcome.errorLines().size(), 1);
    const QString line = outcome.errorLines().first();
    QVERIFY2(line.startsWith(u"proclab-cli: "_s + start), qPrintable(line));
}

void tst_Cli::checkTellsEveryFault()
{
    const QString file = writeFile(
        u"bad.proclab.json"_s,
        R"({"version":1,"kind":"pool","pool":{"workers":0,"method":"mapp"},"tasks":{"task":"noop","count":1}})");
    const Outcome outcome = call({u"check"_s, file});
    QCOMPARE(outcome.status, 2);
    QCOMPARE(outcome.errorLines(),
             (QStringList{
                 u"proclab-cli: pool.workers: 0 is below the minimum 1"_s,
                 u"proclab-cli: pool.method: \"mapp\" is not one of apply, apply_async, map, imap, "
                 "imap_unordered, starmap; did you mean map?"_s}));
    const QString broken = writeFile(u"broken.json"_s, "{\n  \"version\": 1,\n}");
    QCOMPARE(call({u"check"_s, broken}).errorLines(),
             QStringList{
                 u"proclab-cli: %1:3:1: unexpected }; a key in quotation marks is expected"_s.arg(
                     broken)});
}

void tst_Cli::experimentComesFromStandardInput()
{
    const QByteArray json =
        R"({"version":1,"kind":"pool","tasks":{"task":"cpu.primes","args":{"limit":10},"count":3}})";
    QCOMPARE(call({u"check"_s, u"-"_s}, json).status, 0);
    const Outcome run =
        call({u"run"_s, u"-"_s, u"--quiet"_s, u"--json"_s, u"-"_s, u"--set"_s, u"tasks.count=2"_s},
             json);
    QCOMPARE(run.status, 0);
    QCOMPARE(QJsonDocument::fromJson(run.output)[u"results"_s].toArray().size(), 2);
    QCOMPARE(call({u"check"_s, u"-"_s}, "[]").errorLines(),
             QStringList{u"proclab-cli: standard input: a list; allowed: an object with version "
                         "and kind"_s});
}

void tst_Cli::checkAcceptsEveryPresetAsAFile()
{
    for (const Preset &preset : presets()) {
        const QString file = writeFile(preset.name + u".proclab.json"_s,
                                       QJsonDocument(preset.spec.toJson()).toJson());
        const Outcome outcome = call({u"check"_s, file});
        QVERIFY2(outcome.status == 0, outcome.errors.constData());
        QCOMPARE(outcome.errors, QByteArray());
    }
}

void tst_Cli::presetsAreListed()
{
    const Outcome plain = call({u"presets"_s});
    QCOMPARE(plain.status, 0);
    QCOMPARE(plain.output.count('\n'), presets().size());
    const QJsonArray list =
        QJsonDocument::fromJson(call({u"presets"_s, u"--json"_s}).output).array();
    QCOMPARE(list.size(), presets().size());
    for (qsizetype i = 0; i < list.size(); ++i) {
        QCOMPARE(list[i][u"name"_s].toString(), presets()[i].name);
        QVERIFY(!list[i][u"title"_s].toString().isEmpty());
        QVERIFY(!list[i][u"description"_s].toString().isEmpty());
        QVERIFY(plain.output.contains(QByteArray(presets()[i].name.toUtf8() + ' ')));
    }
}

void tst_Cli::workloadsAreListed()
{
    const Outcome plain = call({u"workloads"_s});
    QCOMPARE(plain.status, 0);
    const auto all = runtime::workloads();
    QCOMPARE(plain.output.count('\n'), static_cast<qsizetype>(all.size()));
    const QJsonArray list =
        QJsonDocument::fromJson(call({u"workloads"_s, u"--json"_s}).output).array();
    QCOMPARE(list.size(), static_cast<qsizetype>(all.size()));
    for (const QJsonValue &workload : list) {
        QVERIFY(!workload[u"name"_s].toString().isEmpty());
        QVERIFY(!workload[u"title"_s].toString().isEmpty());
        QVERIFY(!workload[u"description"_s].toString().isEmpty());
        for (const QJsonValue &argument : workload[u"arguments"_s].toArray())
            QVERIFY(!argument[u"default"_s].isNull() && !argument[u"default"_s].isUndefined());
    }
}

void tst_Cli::runWritesItsResult_data()
{
    QTest::addColumn<QString>("preset");
    QTest::addColumn<QStringList>("settings");
    QTest::addColumn<int>("tasks");
    QTest::addColumn<QJsonObject>("outcome");
    QTest::newRow("pool") << u"pool"_s << QStringList{u"tasks.args.max_s=0.01"_s} << 5
                          << QJsonObject();
    QTest::newRow("pool, spawn") << u"pool"_s
                                 << QStringList{u"tasks.args.max_s=0.01"_s,
                                                u"pool.start_method=spawn"_s}
                                 << 5 << QJsonObject();
    QTest::newRow("many tiny tasks") << u"pool-tiny"_s << QStringList() << 100'000 << QJsonObject();
    QTest::newRow("fruit") << u"pipeline-fruit"_s
                           << QStringList{u"produce.args={}"_s, u"consume.args={\"max_s\":0}"_s,
                                          u"produce.args.max_s=0"_s}
                           << 2 << QJsonObject{{u"produced"_s, 8}, {u"consumed"_s, 8}};
    QTest::newRow("pipeline") << u"pipeline-slow-consumers"_s
                              << QStringList{u"consume={\"task\":\"noop\"}"_s,
                                             u"produce={\"task\":\"noop\"}"_s}
                              << 5 << QJsonObject{{u"produced"_s, 240}, {u"consumed"_s, 240}};
    const QJsonObject exact{{u"expected"_s, 20'000}, {u"final"_s, 20'000}, {u"lost_updates"_s, 0}};
    for (const QString &name : {u"counter-lock"_s, u"counter-atomic"_s, u"counter-local"_s})
        QTest::newRow(qPrintable(name)) << name << QStringList() << 2 << exact;
    QTest::newRow("counter-no-lock")
        << u"counter-no-lock"_s << QStringList() << 2 << QJsonObject{{u"expected"_s, 20'000}};
}

void tst_Cli::runWritesItsResult()
{
    QFETCH(const QString, preset);
    QFETCH(const QStringList, settings);
    QFETCH(const int, tasks);
    QFETCH(const QJsonObject, outcome);
    const Outcome ended = runJson(preset, settings);
    QVERIFY2(ended.status == 0, ended.errors.constData());
    QCOMPARE(ended.errors, QByteArray());
    const QJsonObject json = ended.json();
    QCOMPARE(json[u"version"_s], QJsonValue(1));
    QCOMPARE(json[u"totals"_s][u"tasks"_s], QJsonValue(tasks));
    QCOMPARE(json[u"totals"_s][u"done"_s], QJsonValue(tasks));
    QCOMPARE(json[u"results"_s].toArray().size(), tasks);
    for (auto member = outcome.begin(); member != outcome.end(); ++member)
        QCOMPARE(json[u"outcome"_s][member.key()], *member);
    const QJsonValue counter = json[u"outcome"_s];
    if (preset.startsWith(u"counter"_s))
        QCOMPARE(counter[u"final"_s].toInt() + counter[u"lost_updates"_s].toInt(), 20'000);
    for (const QJsonValue &worker : json[u"workers"_s].toArray()) {
        QCOMPARE(worker[u"exit_code"_s], QJsonValue(0));
        QVERIFY(worker[u"pid"_s].toInt() > 1);
    }
    QVERIFY(json[u"seed"_s].toDouble() > 0);
    QCOMPARE(json[u"spec"_s][u"seed"_s], json[u"seed"_s]);
}

void tst_Cli::failedTaskIsStatusOne_data()
{
    QTest::addColumn<QStringList>("settings");
    QTest::addColumn<QString>("type");
    const auto row = [](const QString &task, const QStringList &settings, const QString &type) {
        QTest::newRow(qPrintable(task))
            << (QStringList{
                    u"tasks={\"task\":\"%1\",\"count\":4,\"args\":{\"every\":3}}"_s.arg(task)} +
                settings)
            << type;
    };
    row(u"fail.throw"_s, {}, u"exception"_s);
    row(u"fail.exit"_s, {}, u"exit"_s);
    row(u"fail.crash"_s, {}, u"signal"_s);
    row(u"fail.hang"_s, {u"pool.task_timeout_s=0.2"_s}, u"timeout"_s);
}

void tst_Cli::failedTaskIsStatusOne()
{
    QFETCH(const QStringList, settings);
    QFETCH(const QString, type);
    const Outcome outcome = runJson(u"pool"_s, settings);
    QCOMPARE(outcome.status, 1);
    QCOMPARE(outcome.errorLines().size(), 1);
    QVERIFY(outcome.errorLines().first().startsWith(u"proclab-cli: task 2 "_s));
    const QJsonObject json = outcome.json();
    QCOMPARE(json[u"totals"_s][u"done"_s], QJsonValue(3));
    QCOMPARE(json[u"totals"_s][u"failed"_s], QJsonValue(1));
    QCOMPARE(json[u"results"_s][2][u"error"_s][u"type"_s], QJsonValue(type));
    QVERIFY(json[u"results"_s][3][u"error"_s].isNull());
}

void tst_Cli::settingsAreJsonOrText()
{
    const QJsonObject json =
        runJson(u"counter-lock"_s, {u"title=two, three"_s, u"counter.processes=3"_s,
                                    u"counter.mode=\"atomic\""_s, u"seed=7"_s})
            .json();
    QCOMPARE(json[u"title"_s], QJsonValue(u"two, three"_s));
    QCOMPARE(json[u"seed"_s], QJsonValue(7));
    QCOMPARE(json[u"spec"_s][u"counter"_s][u"mode"_s], QJsonValue(u"atomic"_s));
    QCOMPARE(json[u"outcome"_s][u"final"_s], QJsonValue(30'000));
}

void tst_Cli::titleSaysThatAPresetWasChanged()
{
    const QString title = findPreset(u"counter-lock"_s)->spec.text(u"title"_s);
    const auto titleWith = [](const QString &setting) {
        return runJson(u"counter-lock"_s, {setting}).json()[u"title"_s].toString();
    };
    QCOMPARE(titleWith(u"seed=5"_s), title);
    QCOMPARE(titleWith(u"counter.processes=2"_s), title); // As it is.
    QCOMPARE(titleWith(u"counter.processes=3"_s), title % u", changed"_s);
}

void tst_Cli::quietRunSaysNothing()
{
    const Outcome outcome = call({u"run"_s, u"counter-lock"_s, u"--quiet"_s});
    QCOMPARE(outcome.status, 0);
    QCOMPARE(outcome.output + outcome.errors, QByteArray());
    const Outcome loud = call({u"run"_s, u"counter-lock"_s});
    QVERIFY(loud.output.contains("20000"));
    QVERIFY(loud.output.contains("\nExplain:\n  "));
}

void tst_Cli::progressGoesToStandardError()
{
    const Outcome outcome =
        call({u"run"_s, u"pool"_s, u"--set"_s,
              u"tasks={\"task\":\"io.sleep\",\"count\":4,\"args\":{\"min_s\":1.5,\"max_s\":1.5}}"_s,
              u"--json"_s, u"-"_s});
    QCOMPARE(outcome.status, 0);
    QCOMPARE(outcome.json()[u"totals"_s][u"done"_s],
             QJsonValue(4)); // Nothing else on standard output.
    QVERIFY(!outcome.errorLines().isEmpty());
    QVERIFY2(outcome.errorLines().first().contains(u" of 4 done"_s), outcome.errors.constData());
    QVERIFY2(outcome.errorLines().first().contains(u"worker-1"_s), outcome.errors.constData());
    QVERIFY(!outcome.errors.contains('\x1b'));
}

void tst_Cli::filesAreWrittenAsAWhole()
{
    const QString json = writeFile(u"result.json"_s, "old");
    const QString csv = path(u"result.csv"_s);
    const Outcome outcome =
        call({u"run"_s, u"counter-lock"_s, u"--quiet"_s, u"--json"_s, json, u"--csv="_s + csv});
    QCOMPARE(outcome.status, 0);
    QFile jsonFile(json);
    QVERIFY(jsonFile.open(QIODevice::ReadOnly));
    QCOMPARE(QJsonDocument::fromJson(jsonFile.readAll()).object()[u"kind"_s],
             QJsonValue(u"counter"_s));
    QFile csvFile(csv);
    QVERIFY(csvFile.open(QIODevice::ReadOnly));
    const QByteArrayList lines = csvFile.readAll().split('\n');
    QCOMPARE(lines.size(), 4); // Head, two processes, and nothing behind the last line's end.
    QCOMPARE(lines.first(),
             QByteArray("index,worker,pid,value,error_type,submitted_s,started_s,finished_s"));
    QVERIFY(lines[1].startsWith("0,process-"));
    QCOMPARE(QDir(m_folder.path()).entryList({u"result.*"_s}, QDir::Files).size(),
             2); // No temporary file is left.
}

void tst_Cli::unwritableFileIsFoundBeforeTheRun()
{
    for (const QString &file : {path(u"none/a.json"_s), m_folder.path()}) {
        const Outcome outcome = call({u"run"_s, u"counter-lock"_s, u"--json"_s, file});
        QCOMPARE(outcome.status, 2);
        QCOMPARE(outcome.output, QByteArray());
        QCOMPARE(outcome.errorLines().size(), 1);
        QVERIFY(outcome.errorLines().first().startsWith(u"proclab-cli: %1: "_s.arg(file)));
    }
}

void tst_Cli::fullDeviceIsStatusThree()
{
    const Outcome outcome =
        call({u"run"_s, u"counter-lock"_s, u"--quiet"_s, u"--json"_s, u"/dev/full"_s});
    QCOMPARE(outcome.status, 3);
    QCOMPARE(outcome.errorLines(),
             QStringList{
                 u"proclab-cli: /dev/full: write: the system refused (No space left on device)"_s});
}

void tst_Cli::missingWorkerProgramIsStatusThree()
{
    const QString lonely = path(u"proclab-cli"_s);
    QVERIFY(QFile::copy(program(), lonely));
    QProcess process;
    process.start(lonely, {u"run"_s, u"counter-lock"_s});
    QVERIFY(process.waitForFinished(patience));
    QCOMPARE(process.exitCode(), 3);
    QCOMPARE(process.readAllStandardOutput(), QByteArray());
    const QByteArray errors = process.readAllStandardError();
    QCOMPARE(errors.count('\n'), 1);
    QVERIFY2(errors.contains(path(u"proclab-worker"_s).toUtf8()), errors.constData());
}

void tst_Cli::closedPipeIsNoFailure()
{
    for (const QStringList &arguments :
         {QStringList{u"workloads"_s, u"--json"_s},
          QStringList{u"run"_s, u"pool-tiny"_s, u"--json"_s, u"-"_s, u"--quiet"_s}}) {
        QProcess process;
        process.start(program(), arguments);
        QVERIFY(process.waitForStarted(patience));
        process.closeReadChannel(QProcess::StandardOutput);
        QVERIFY(process.waitForFinished(patience));
        QCOMPARE(process.exitStatus(), QProcess::NormalExit);
        QCOMPARE(process.exitCode(), 0);
        QCOMPARE(process.readAllStandardError(), QByteArray());
    }
}

void tst_Cli::signalStopsTheRunAndKeepsTheResult_data()
{
    QTest::addColumn<int>("signal");
    QTest::newRow("SIGINT") << SIGINT;
    QTest::newRow("SIGTERM") << SIGTERM;
    QTest::newRow("SIGHUP") << SIGHUP;
}

void tst_Cli::signalStopsTheRunAndKeepsTheResult()
{
    QFETCH(const int, signal);
    QProcess process;
    // Each task ends at once but the last two, which would take an hour.
    process.start(program(), {u"run"_s, u"pool"_s, u"--json"_s, u"-"_s, u"--set"_s,
                              u"tasks={\"task\":\"io.sleep\",\"args_list\":[{\"max_s\":0},{\"min_"
                              u"s\":3600,\"max_s\":3600},"
                              "{\"min_s\":3600,\"max_s\":3600}]}"_s});
    QVERIFY(process.waitForStarted(patience));
    // Its first progress line says that the run is under way.
    QVERIFY(waitForError(process, "1 of 3 done"));
    QCOMPARE(::kill(static_cast<pid_t>(process.processId()), signal), 0);
    QVERIFY(process.waitForFinished(patience));
    QCOMPARE(process.exitStatus(), QProcess::NormalExit);
    QCOMPARE(process.exitCode(), 128 + signal);
    const QJsonObject json = QJsonDocument::fromJson(process.readAllStandardOutput()).object();
    QCOMPARE(json[u"totals"_s][u"done"_s], QJsonValue(1));
    QCOMPARE(json[u"totals"_s][u"cancelled"_s], QJsonValue(2));
    QCOMPARE(json[u"results"_s].toArray().size(), 3);
    QCOMPARE(json[u"stopped"_s], QJsonValue(true));
    for (const QJsonValue &worker : json[u"workers"_s].toArray())
        QVERIFY(::kill(worker[u"pid"_s].toInt(), 0) != 0);
}

void tst_Cli::secondSignalEndsAtOnce()
{
    QProcess process;
    process.start(program(), {u"run"_s, u"pool"_s, u"--set"_s, u"tasks.args.min_s=3600"_s,
                              u"--set"_s, u"tasks.args.max_s=3600"_s});
    QVERIFY(process.waitForStarted(patience));
    QVERIFY(waitForError(process, "0 of 5 done"));
    const auto pid = static_cast<pid_t>(process.processId());
    const QList<pid_t> children = childrenOf(pid);
    QVERIFY(children.size() >= 4);
    // Stopped, it gets both signals in one go when it continues, with no time to end by itself.
    ::kill(pid, SIGSTOP);
    ::kill(pid, SIGINT);
    ::kill(pid, SIGTERM);
    ::kill(pid, SIGCONT);
    QVERIFY(process.waitForFinished(patience));
    QCOMPARE(process.exitStatus(), QProcess::CrashExit);
    QTRY_VERIFY_WITH_TIMEOUT(areGone(children), patience);
}

QTEST_GUILESS_MAIN(tst_Cli)
#include "tst_cli.moc"
