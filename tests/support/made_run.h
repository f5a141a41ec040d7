// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/explain/explanation.h"
#include "core/experiment/run/run_result.h"
#include "core/experiment/spec/kind.h"

#include <QStringList>

#include <memory>

namespace proclab::test {

/// The result of a run that never was: each process and task as a test says. Times in seconds since
/// the gate.
class MadeRun
{
public:
    explicit MadeRun(const QString &kind, double elapsed)
    {
        result.spec = ExperimentSpec(kind);
        result.elapsedSeconds = elapsed;
        result.log = log;
        log->addProcess({.name = QStringLiteral("main"), .colorIndex = -1, .endNs = ns(elapsed)});
    }

    static qint64 ns(double seconds) { return static_cast<qint64>(seconds * 1e9); }

    /// A child from the gate to the end, which was @p core of its time on a core and @p ready of it
    /// waiting for one.
    int addChild(double core = 0, double ready = 0, int role = 0)
    {
        return addChildUntil(result.elapsedSeconds, core, ready, role);
    }
    int addChildUntil(double end, double core = 0, double ready = 0, int role = 0)
    {
        const ProcessRole &row = result.spec.kindInfo()->roles[static_cast<std::size_t>(role)];
        const int number = log->processCount();
        const int process = log->addProcess({.name = row.processName(number),
                                             .role = &row,
                                             .colorIndex = number - 1,
                                             .endNs = ns(end)});
        log->lane(process).samples.append(
            {ns(end), static_cast<float>(core * 100), static_cast<float>(ready * 100), 0, 0});
        return process;
    }
    void addTask(int process, double from, double to, TaskError error = TaskError::None)
    {
        TaskRecord task;
        task.index = static_cast<quint32>(log->tasks.size());
        task.process = process;
        task.status = error == TaskError::None ? TaskStatus::Done : TaskStatus::Failed;
        task.error = error;
        task.startedNs = ns(from);
        task.finishedNs = ns(to);
        log->tasks.append(task);
        ++(error == TaskError::None ? result.totals.done : result.totals.failed);
    }

    [[nodiscard]] QList<Explanation> explained(int cores = 2) const
    {
        return explain(result, cores);
    }
    [[nodiscard]] QStringList rules(int cores = 2) const
    {
        QStringList names;
        for (const Explanation &one : explained(cores))
            names << QString::fromLatin1(one.note.code);
        return names;
    }
    /// What @p rule found; an empty one if it found nothing.
    [[nodiscard]] Explanation found(const QString &rule, int cores = 2) const
    {
        for (const Explanation &one : explained(cores)) {
            if (one.note.code == rule.toLatin1())
                return one;
        }
        return {};
    }
    [[nodiscard]] QString text(const QString &rule, int cores = 2) const
    {
        return explanationText(result, found(rule, cores));
    }

    std::shared_ptr<RunLog> log = std::make_shared<RunLog>();
    RunResult result;
};

} // namespace proclab::test
