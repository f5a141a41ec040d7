// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/run_log.h"

#include <QLocale>

#include <algorithm>
#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr qsizetype longestShortName = 4;
constexpr qint64 largestExact = qint64{1} << 53; // Beyond it many JSON readers lose digits.

QByteArray textOf(const RunLog &log, const TaskRecord &task)
{
    return task.text < log.texts.size() ? log.texts[task.text] : QByteArray();
}

/// Takes what was measured of @p process after @p timeNs from its sums.
void takeBack(ProcessRecord &process, const AppendLog<ProcessSample> &samples, qint64 timeNs)
{
    for (std::size_t at = samples.size(); at-- > 0;) {
        const ProcessSample &sample = samples[at];
        if (sample.timeNs <= timeNs)
            break;
        const qint64 fromNs = at > 0 ? samples[at - 1].timeNs : process.startNs;
        const double seconds = static_cast<double>(sample.timeNs - fromNs) / 1e9;
        process.cpuSeconds -= seconds * static_cast<double>(sample.cpuPercent) / 100;
        process.readySeconds -= seconds * static_cast<double>(sample.readyPercent) / 100;
    }
    process.cpuSeconds = std::max(process.cpuSeconds, 0.0);
    process.readySeconds = std::max(process.readySeconds, 0.0);
}

} // namespace

int RunLog::addProcess(ProcessRecord record)
{
    const std::lock_guard lock(m_mutex);
    m_processes.append(std::move(record));
    m_lanes.push_back(std::make_unique<Lane>());
    return static_cast<int>(m_processes.size()) - 1;
}

QList<ProcessRecord> RunLog::processes() const
{
    const std::lock_guard lock(m_mutex);
    QList<ProcessRecord> copy = m_processes;
    copy.detach(); // Shared, it would be read without the lock while another thread writes.
    return copy;
}

int RunLog::processCount() const
{
    const std::lock_guard lock(m_mutex);
    return static_cast<int>(m_processes.size());
}

RunLog::Lane &RunLog::lane(int process)
{
    const std::lock_guard lock(m_mutex);
    return *m_lanes.at(static_cast<std::size_t>(process));
}

const RunLog::Lane &RunLog::lane(int process) const
{
    const std::lock_guard lock(m_mutex);
    return *m_lanes.at(static_cast<std::size_t>(process));
}

void RunLog::addEvent(RunEvent event)
{
    const std::lock_guard lock(m_mutex);
    m_events.append(std::move(event));
}

QString shortName(const ProcessRecord &process)
{
    const QString &name = process.name;
    if (process.isParent() || name.isEmpty())
        return name;
    const qsizetype dash = name.lastIndexOf(u'-');
    const QStringView number = QStringView(name).sliced(dash + 1);
    const bool isNumbered = dash > 0 && std::all_of(number.begin(), number.end(),
                                                    [](QChar digit) { return digit.isDigit(); });
    if (isNumbered)
        return name.front().toUpper() % number;
    return name.size() <= longestShortName ? name : QString(name.front().toUpper());
}

double ProcessRecord::blockedSeconds() const
{
    const double whole = endNs < 0 ? 0 : static_cast<double>(endNs - startNs) / 1e9;
    return std::max(0.0, whole - cpuSeconds - readySeconds);
}

bool hasCrashed(const ProcessRecord &process)
{
    return process.endNs >= 0 && !process.endedByRun &&
           (process.signal != 0 || process.exitCode != 0);
}

bool haveEnded(const QList<ProcessRecord> &processes)
{
    return processes.size() > 1 &&
           std::all_of(processes.begin() + 1, processes.end(),
                       [](const ProcessRecord &process) { return process.endNs >= 0; });
}

QList<ProcessRecord> processesAt(const RunLog &log, const StageSnapshot &snapshot)
{
    QList<ProcessRecord> processes = log.processes();
    if (processes.size() > snapshot.processes.size())
        processes.resize(snapshot.processes.size());
    for (qsizetype i = 0; i < processes.size(); ++i) {
        ProcessRecord &process = processes[i];
        takeBack(process, log.lane(static_cast<int>(i)).samples, snapshot.timeNs);
        if (process.endNs < 0 || isOver(snapshot.processes[i].state))
            continue;
        process.endNs = -1;
        process.exitCode = 0;
        process.signal = 0;
        process.endedByRun = false;
    }
    return processes;
}

std::optional<double> gaugeAt(const AppendLog<GaugeSample> &samples, int gauge, qint64 timeNs)
{
    const std::size_t count = sampleCountUntil(samples, timeNs);
    if (count == 0)
        return std::nullopt;
    return samples[count - 1].values[static_cast<std::size_t>(gauge)];
}

qint64 firstStartNs(const RunLog &log)
{
    std::optional<qint64> first;
    for (std::size_t i = 0, size = log.tasks.size(); i < size; ++i) {
        const qint64 startedNs = log.tasks[i].startedNs;
        if (startedNs >= 0)
            first = std::min(first.value_or(startedNs), startedNs);
    }
    return first.value_or(0);
}

qint64 lastFinishNs(const RunLog &log)
{
    qint64 last = 0;
    for (std::size_t i = 0, size = log.tasks.size(); i < size; ++i)
        last = std::max(last, log.tasks[i].finishedNs);
    return last;
}

QJsonValue taskValue(const RunLog &log, const TaskRecord &task)
{
    switch (task.valueType) {
    case TaskRecord::ValueType::None:
        return {};
    case TaskRecord::ValueType::Integer:
        if (task.integer >= -largestExact && task.integer <= largestExact)
            return task.integer;
        return QString::number(task.integer);
    case TaskRecord::ValueType::Unsigned:
        if (task.unsignedInteger <= static_cast<quint64>(largestExact))
            return static_cast<qint64>(task.unsignedInteger);
        return QString::number(task.unsignedInteger);
    case TaskRecord::ValueType::Number:
        return std::isfinite(task.number) ? QJsonValue(task.number) : QJsonValue();
    case TaskRecord::ValueType::Text:
        return QString::fromUtf8(textOf(log, task));
    case TaskRecord::ValueType::Digest:
        return QString::fromLatin1(textOf(log, task).toHex());
    }
    return {};
}

QString taskValueText(const RunLog &log, const TaskRecord &task)
{
    switch (task.valueType) {
    case TaskRecord::ValueType::Integer:
        return QString::number(task.integer);
    case TaskRecord::ValueType::Unsigned:
        return QString::number(task.unsignedInteger);
    case TaskRecord::ValueType::Number:
        return QString::number(task.number, 'g', QLocale::FloatingPointShortest);
    default:
        return taskValue(log, task).toString();
    }
}

} // namespace proclab
