// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/cores.h"
#include "core/experiment/explain/explanation.h"
#include "core/experiment/run/run_result.h"
#include "core/experiment/run/stream_writer.h"
#include "core/experiment/spec/kind.h"

#include <QIODevice>
#include <QJsonArray>
#include <QJsonDocument>
#include <QSysInfo>

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include <unistd.h>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

/// Nanoseconds as seconds, every digit of them: 1.5
QByteArray seconds(qint64 ns)
{
    const quint64 size = ns < 0 ? quint64{0} - static_cast<quint64>(ns) : static_cast<quint64>(ns);
    QByteArray text = ns < 0 ? "-"_ba : QByteArray();
    text += QByteArray::number(size / 1'000'000'000);
    if (const quint64 rest = size % 1'000'000'000; rest != 0) {
        text += '.' + QByteArray::number(rest).rightJustified(9, '0');
        while (text.endsWith('0'))
            text.chop(1);
    }
    return text;
}

/// As csv (RFC 4180).
QByteArray csv(const QString &text)
{
    static constexpr std::string_view special = "\",\r\n";
    QByteArray bytes = text.toUtf8();
    if (std::find_first_of(bytes.begin(), bytes.end(), special.begin(), special.end()) ==
        bytes.end())
        return bytes;
    return '"' + bytes.replace("\"", "\"\"") + '"';
}

QString errorName(TaskError error)
{
    switch (error) {
    case TaskError::None:
        return {};
    case TaskError::Exception:
        return u"exception"_s;
    case TaskError::Exit:
        return u"exit"_s;
    case TaskError::Signal:
        return u"signal"_s;
    case TaskError::Timeout:
        return u"timeout"_s;
    case TaskError::Lost:
        return u"lost"_s;
    case TaskError::Cancelled:
        return u"cancelled"_s;
    }
    return {};
}

QJsonValue errorObject(const RunLog &log, const TaskRecord &task)
{
    if (task.error == TaskError::None)
        return {};
    const bool hasMessage =
        task.message >= 0 && static_cast<std::size_t>(task.message) < log.texts.size();
    const QString message =
        hasMessage ? QString::fromUtf8(log.texts[static_cast<std::size_t>(task.message)])
                   : taskErrorText(log, task);
    const bool isExit = task.error == TaskError::Exit;
    return QJsonObject{{u"type"_s, errorName(task.error)},
                       {u"message"_s, message},
                       {u"exit_code"_s, isExit ? task.code : 0},
                       {u"signal"_s, isExit ? 0 : task.code}};
}

QJsonObject hostObject()
{
    const auto memory = static_cast<qint64>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
    return {{u"cores"_s, usableCores()},
            {u"kernel"_s, QString(QSysInfo::kernelType() % u' ' % QSysInfo::kernelVersion())},
            {u"memory_bytes"_s, memory}};
}

QJsonObject totalsObject(const RunTotals &totals)
{
    const auto number = [](quint64 count) { return QJsonValue(static_cast<qint64>(count)); };
    return {{u"tasks"_s, number(totals.tasks)},
            {u"done"_s, number(totals.done)},
            {u"failed"_s, number(totals.failed)},
            {u"cancelled"_s, number(totals.cancelled)},
            {u"lost"_s, number(totals.lost)},
            {u"retried"_s, number(totals.retried)},
            {u"throughput_per_s"_s, totals.throughputPerS}};
}

QJsonObject workerObject(const ProcessRecord &process, const QList<ProcessRecord> &all)
{
    const bool replacesOne = process.replaces >= 0 && process.replaces < all.size();
    return {{u"name"_s, process.name},
            {u"pid"_s, process.pid},
            {u"tasks"_s, static_cast<qint64>(process.done)},
            {u"cpu_s"_s, process.cpuSeconds},
            {u"ready_s"_s, process.readySeconds},
            {u"blocked_s"_s, process.blockedSeconds()},
            {u"peak_rss_bytes"_s, static_cast<qint64>(process.peakResidentBytes)},
            {u"exit_code"_s, process.exitCode},
            {u"signal"_s, process.signal},
            {u"replaces"_s, replacesOne ? QJsonValue(all[process.replaces].name) : QJsonValue()}};
}

/// null: not measured.
QJsonObject measuresObject(const RunResult &result)
{
    QJsonObject object;
    const Kind *kind = result.spec.kindInfo();
    for (const Measure &measure : kind ? kind->measures : QList<Measure>()) {
        const auto value = measure.of(result);
        object.insert(measure.key, value ? QJsonValue(*value) : QJsonValue());
    }
    return object;
}

/// Positions in RunLog::tasks in the order in which a result lists them.
std::vector<quint32> resultOrder(const RunResult &result)
{
    const RunLog &log = *result.log;
    std::vector<quint32> order(log.tasks.size());
    std::iota(order.begin(), order.end(), 0U);
    // The log's own order is that in which the parent took the results, a worker's batch at a time.
    const Kind *kind = result.spec.kindInfo();
    const bool byCompletion =
        kind && kind->listsByCompletion && kind->listsByCompletion(result.spec);
    std::stable_sort(order.begin(), order.end(), [&](quint32 a, quint32 b) {
        return byCompletion ? log.tasks[a].finishedNs < log.tasks[b].finishedNs
                            : log.tasks[a].index < log.tasks[b].index;
    });
    return order;
}

/// Who ran a task, as it stands in every line.
struct Runner
{
    QByteArray name;
    QByteArray pid;
};

/// One for each process, and one for "nobody" behind them.
std::vector<Runner> runners(const RunLog &log, QByteArray (*quoted)(const QString &name),
                            QByteArrayView nobody)
{
    std::vector<Runner> all;
    for (const ProcessRecord &process : log.processes())
        all.push_back({quoted(process.name), QByteArray::number(process.pid)});
    all.push_back({nobody.toByteArray(), nobody.toByteArray()});
    return all;
}

const Runner &runnerOf(const TaskRecord &task, const std::vector<Runner> &all)
{
    const auto process = static_cast<std::size_t>(task.process);
    return task.process >= 0 && process < all.size() ? all[process] : all.back();
}

/// The common ones without a detour: there may be millions.
QByteArray valueJson(const RunLog &log, const TaskRecord &task)
{
    const QJsonValue value = taskValue(log, task);
    if (value.isNull())
        return "null"_ba;
    if (value.isDouble() && task.valueType != TaskRecord::ValueType::Number)
        return QByteArray::number(value.toInteger());
    return jsonText(value);
}

QByteArray resultLine(const RunLog &log, const TaskRecord &task, const Runner &runner)
{
    return R"({"index":)" + QByteArray::number(task.index) + R"(,"worker":)" + runner.name +
           R"(,"pid":)" + runner.pid + R"(,"value":)" + valueJson(log, task) + R"(,"error":)" +
           (task.error == TaskError::None ? "null"_ba : jsonText(errorObject(log, task))) +
           R"(,"submitted_s":)" + seconds(task.submittedNs) + R"(,"started_s":)" +
           (task.startedNs < 0 ? "null"_ba : seconds(task.startedNs)) + R"(,"finished_s":)" +
           seconds(task.finishedNs) + '}';
}

QByteArray csvLine(const RunLog &log, const TaskRecord &task, const Runner &runner)
{
    return QByteArray::number(task.index) + ',' + runner.name + ',' + runner.pid + ',' +
           csv(taskValueText(log, task)) + ',' + csv(errorName(task.error)) + ',' +
           seconds(task.submittedNs) + ',' +
           (task.startedNs < 0 ? QByteArray() : seconds(task.startedNs)) + ',' +
           seconds(task.finishedNs) + '\n';
}

void writeResults(const RunResult &result, StreamWriter &writer)
{
    const RunLog &log = *result.log;
    const std::vector<Runner> all = runners(
        log, [](const QString &name) { return jsonText(name); }, "null");
    const std::vector<quint32> order = resultOrder(result);
    writer.add("  \"results\": [");
    for (std::size_t i = 0; i < order.size() && writer.isGood(); ++i) {
        const TaskRecord &task = log.tasks[order[i]];
        writer.add(i == 0 ? "\n    " : ",\n    ");
        writer.add(resultLine(log, task, runnerOf(task, all)));
    }
    writer.add(order.empty() ? "],\n" : "\n  ],\n");
}

void writeWorkers(const RunLog &log, StreamWriter &writer)
{
    const QList<ProcessRecord> processes = log.processes();
    const char *separator = "\n    ";
    writer.add("  \"workers\": [");
    for (const ProcessRecord &process : processes) {
        if (process.isParent())
            continue;
        writer.add(separator);
        writer.add(jsonText(workerObject(process, processes)));
        separator = ",\n    ";
    }
    writer.add("\n  ],\n");
}

void writeMember(StreamWriter &writer, QByteArrayView key, const QJsonValue &value)
{
    writer.add("  \"");
    writer.add(key);
    writer.add("\": ");
    writer.add(jsonText(value));
    writer.add(",\n");
}

QJsonArray explainArray(const RunResult &result)
{
    const QList<ProcessRecord> processes = result.log->processes();
    QJsonArray array;
    for (const Explanation &explanation : explain(result)) {
        QJsonArray names;
        for (const int process : explanation.processes)
            names.append(processes.at(process).name);
        array.append(
            QJsonObject{{u"rule"_s, QString::fromLatin1(explanation.note.code)},
                        {u"text"_s, explanationText(result, explanation)},
                        {u"from_s"_s, static_cast<double>(explanation.fromNs) / 1e9},
                        {u"to_s"_s, static_cast<double>(explanation.toNs) / 1e9},
                        {u"processes"_s, names},
                        {u"try"_s, explanation.trial.isEmpty() ? QJsonValue()
                                                               : QJsonValue(explanation.trial)}});
    }
    return array;
}

QJsonValue textOrNull(const QString &text)
{
    return text.isEmpty() ? QJsonValue() : QJsonValue(text);
}

} // namespace

bool writeResultJson(const RunResult &result, QIODevice &device)
{
    const RunLog &log = *result.log;
    StreamWriter writer(device);
    writer.add("{\n");
    writeMember(writer, "version", 1);
    writeMember(writer, "kind", result.spec.kind());
    writeMember(writer, "title", result.spec.value(u"title"_s));
    writeMember(writer, "seed", static_cast<qint64>(result.seed));
    writeMember(writer, "started", result.started.toUTC().toString(Qt::ISODateWithMs));
    writeMember(writer, "startup_s", result.startupSeconds);
    writeMember(writer, "elapsed_s", result.elapsedSeconds);
    writeMember(writer, "host", hostObject());
    writeMember(writer, "spec", result.spec.toJson(ExperimentSpec::Fill::Defaults));
    writeMember(writer, "totals", totalsObject(result.totals));
    writeMember(writer, "measures", measuresObject(result));
    writeMember(writer, "stopped", result.stopped);
    writeMember(writer, "time_limit_reached", result.timeLimitReached);
    writeMember(writer, "engine_error",
                textOrNull(result.engineError ? errorText(*result.engineError) : QString()));
    writeMember(writer, "notice", textOrNull(noticeText(result)));
    writeMember(writer, "explain", explainArray(result));
    writeMember(writer, "events_aggregated", static_cast<qint64>(log.aggregatedSpans.load()));
    writeMember(writer, "events_dropped", static_cast<qint64>(log.droppedSpans.load()));
    if (!result.python.isEmpty())
        writeMember(writer, "python", result.python);
    writeWorkers(log, writer);
    writeResults(result, writer);
    writer.add("  \"outcome\": ");
    writer.add(jsonText(result.outcome));
    writer.add("\n}\n");
    return writer.flush();
}

bool writeResultCsv(const RunResult &result, QIODevice &device)
{
    const RunLog &log = *result.log;
    const std::vector<Runner> all = runners(log, csv, {});
    StreamWriter writer(device);
    writer.add("index,worker,pid,value,error_type,submitted_s,started_s,finished_s\n");
    for (const quint32 position : resultOrder(result)) {
        const TaskRecord &task = log.tasks[position];
        writer.add(csvLine(log, task, runnerOf(task, all)));
        if (!writer.isGood())
            return false;
    }
    return writer.flush();
}

} // namespace proclab
