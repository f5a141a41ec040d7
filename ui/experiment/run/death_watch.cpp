// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/run/death_watch.h"

#include "core/base/number_text.h"
#include "core/experiment/run/death_facts.h"
#include "core/experiment/spec/kind.h"
#include "ui/shared/theme.h"

#include <QCoreApplication>
#include <QStringList>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

QString tr(const char *text)
{
    return QCoreApplication::translate("DeathWatch", text);
}

/// The position of the process that took the place of @p process; -1: none so far.
int successorOf(const QList<ProcessRecord> &processes, int process)
{
    for (auto i = static_cast<int>(processes.size()) - 1; i > process; --i) {
        if (processes[i].replaces == process)
            return i;
    }
    return -1;
}

/// Without a signal the pool ended the process, because another one had died.
bool endedItsProcess(const TaskRecord &task)
{
    return task.error == TaskError::Exit || task.error == TaskError::Signal ||
           task.error == TaskError::Timeout || (task.error == TaskError::Lost && task.code != 0);
}

QString taskName(const TaskRecord &task)
{
    return u'#' % QString::number(task.index);
}

} // namespace

void DeathWatch::setRun(std::shared_ptr<const RunLog> log, const ExperimentSpec &spec)
{
    m_log = std::move(log);
    m_spec = spec;
    m_tasksRead = 0;
    m_fatalTasks.clear();
}

std::optional<DeathNotice> DeathWatch::advance()
{
    if (!m_log)
        return std::nullopt;
    readTasks();
    const QList<ProcessRecord> processes = m_log->processes();
    DeathNotice notice;
    int last = -1;
    for (int i = 0; i < processes.size(); ++i) {
        const ProcessRecord &process = processes[i];
        if (process.endNs < 0 || (!hasCrashed(process) && m_fatalTasks.count(i) == 0))
            continue;
        ++notice.deaths;
        if (last < 0 || process.endNs >= processes[last].endNs)
            last = i;
    }
    if (last < 0)
        return std::nullopt;

    const ProcessRecord &dead = processes[last];
    const Kind *kind = m_spec.kindInfo();
    // Kinds without tasks keep a record a process, whose number is no task's.
    const TaskRecord *task = kind && kind->hasTasks ? lastTaskOf(last) : nullptr;
    const int successor = successorOf(processes, last);
    notice.title = whatHappened(dead, task);
    if (successor >= 0) {
        const qint64 gapNs = processes[successor].startNs - dead.endNs;
        notice.title +=
            u' ' % tr("%1 took its place %2 later.")
                       .arg(processes[successor].name,
                            durationText(static_cast<double>(std::max<qint64>(gapNs, 0)) / 1e9));
    }
    QStringList details;
    if (notice.deaths > 1)
        details << tr("%1 processes have died in this run.").arg(groupedNumber(notice.deaths));
    if (kind && kind->deathText)
        details << kind->deathText({*m_log, m_spec, last, task, successor >= 0});
    details.removeAll(QString());
    notice.detail = details.join(u' ');
    return notice;
}

void DeathWatch::readTasks()
{
    for (const std::size_t size = m_log->tasks.size(); m_tasksRead < size; ++m_tasksRead) {
        const TaskRecord &task = m_log->tasks[m_tasksRead];
        if (task.process >= 0 && endedItsProcess(task))
            m_fatalTasks[task.process] = m_tasksRead;
    }
}

const TaskRecord *DeathWatch::lastTaskOf(int process) const
{
    const auto found = m_fatalTasks.find(process);
    return found == m_fatalTasks.end() ? nullptr : &m_log->tasks[found->second];
}

QString DeathWatch::whatHappened(const ProcessRecord &process, const TaskRecord *task) const
{
    const QString &name = process.name;
    if (task == nullptr) {
        if (process.signal == 0 && process.exitCode == 0)
            return tr("%1 ended before its time.").arg(name);
        return process.signal != 0
                   ? tr("%1 was ended by %2.").arg(name, signalName(process.signal))
                   : tr("%1 ended with exit code %2.").arg(name).arg(process.exitCode);
    }
    switch (task->error) {
    case TaskError::Signal:
        return tr("%1 crashed in task %2 (%3).").arg(name, taskName(*task), signalName(task->code));
    case TaskError::Exit:
        return tr("%1 ended in task %2 (exit code %3).")
            .arg(name, taskName(*task), QString::number(task->code));
    case TaskError::Timeout:
        return tr("%1 was ended in task %2, which overran its time limit.")
            .arg(name, taskName(*task));
    default:
        return process.signal != 0 ? tr("%1 was killed from outside in task %2 (%3).")
                                         .arg(name, taskName(*task), signalName(process.signal))
                                   : tr("%1 ended in task %2.").arg(name, taskName(*task));
    }
}

} // namespace proclab
