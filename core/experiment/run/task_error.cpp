// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/run_log.h"

#include <QCoreApplication>

#include <cstring>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

class TaskErrorText
{
    Q_DECLARE_TR_FUNCTIONS(TaskError)
};

} // namespace

QString taskErrorText(const RunLog &log, const TaskRecord &task)
{
    const QString process = task.process >= 0 ? log.processes().at(task.process).name : QString();
    switch (task.error) {
    case TaskError::None:
        return {};
    case TaskError::Exception:
        return task.message >= 0
                   ? TaskErrorText::tr("task %1 threw %2")
                         .arg(task.index)
                         .arg(QString::fromUtf8(log.texts[static_cast<std::size_t>(task.message)]))
                   : TaskErrorText::tr("task %1 threw").arg(task.index);
    case TaskError::Exit:
        return TaskErrorText::tr("task %1 ended %2 with exit code %3")
            .arg(QString::number(task.index), process)
            .arg(task.code);
    case TaskError::Signal:
        return TaskErrorText::tr("task %1 crashed %2 (%3)")
            .arg(QString::number(task.index), process, signalName(task.code));
    case TaskError::Timeout:
        return TaskErrorText::tr("task %1 overran its time limit and was ended with %2")
            .arg(QString::number(task.index), process);
    case TaskError::Lost:
        if (!process.isEmpty() && task.code == 0)
            return TaskErrorText::tr("task %1 was lost: %2 was ended, since another one had died")
                .arg(QString::number(task.index), process);
        return process.isEmpty()
                   ? TaskErrorText::tr("task %1 was lost: no worker was left").arg(task.index)
                   : TaskErrorText::tr("task %1 was lost: %2 was ended from outside (%3)")
                         .arg(QString::number(task.index), process, signalName(task.code));
    case TaskError::Cancelled:
        return TaskErrorText::tr("task %1 was cancelled").arg(task.index);
    }
    return {};
}

} // namespace proclab
