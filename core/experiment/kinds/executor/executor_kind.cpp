// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/executor/executor_kind.h"

#include "core/base/cores.h"
#include "core/experiment/run/death_facts.h"
#include "core/experiment/run/run_measures.h"
#include "core/experiment/run/runner.h"
#include "core/experiment/spec/kind.h"
#include "core/experiment/spec/schema.h"
#include "core/experiment/spec/spec.h"

#include <QCoreApplication>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int mostWorkers = 256;

class ExecutorKindText
{
    Q_DECLARE_TR_FUNCTIONS(ExecutorKind)
};

QJsonValue usualOrder(const ExperimentSpec &spec)
{
    return spec.text(u"executor.mode"_s) == u"map"_s ? u"submitted"_s : u"as_completed"_s;
}

Schema executorFields()
{
    const QString group = ExecutorKindText::tr("Executor");
    return {
        {.path = u"executor.max_workers"_s,
         .type = Field::Type::Integer,
         .group = group,
         .label = ExecutorKindText::tr("Workers at most"),
         .unit = ExecutorKindText::tr("processes"),
         .help = ExecutorKindText::tr("How many worker processes share the calls; no more are "
                                      "started than there are calls. By default as many as there "
                                      "are cores."),
         .minimum = 1,
         .maximum = mostWorkers,
         .defaultValue = std::min(usableCores(), mostWorkers),
         .defaultText = ExecutorKindText::tr("as many as there are cores")},
        {.path = u"executor.mode"_s,
         .type = Field::Type::Choice,
         .group = group,
         .label = ExecutorKindText::tr("Mode"),
         .help = ExecutorKindText::tr("submit hands over one call and gives a future for it; map "
                                      "hands over all and gives their results in that order."),
         .choices = {u"submit"_s, u"map"_s},
         .defaultValue = u"submit"_s},
        {.path = u"executor.order"_s,
         .type = Field::Type::Choice,
         .group = group,
         .label = ExecutorKindText::tr("Results"),
         .help = ExecutorKindText::tr("The order in which futures are read: as they complete, or "
                                      "as they were submitted. map always gives the latter."),
         .choices = {u"as_completed"_s, u"submitted"_s},
         .defaultValue = u"as_completed"_s,
         .derivedDefault = usualOrder,
         .defaultText = ExecutorKindText::tr("as_completed for submit, submitted for map")},
        {.path = u"executor.on_crash"_s,
         .type = Field::Type::Choice,
         .group = group,
         .label = ExecutorKindText::tr("On a crash"),
         .help = ExecutorKindText::tr(
             "When a worker dies: break fails all futures that are not done, as Python's "
             "BrokenProcessPool; fail only the one that it had; retry tries that once more."),
         .choices = {u"break"_s, u"fail"_s, u"retry"_s},
         .defaultValue = u"break"_s},
        {.path = u"executor.timeout_s"_s,
         .type = Field::Type::Number,
         .group = group,
         .label = ExecutorKindText::tr("Timeout"),
         .unit = u"s"_s,
         .help = ExecutorKindText::tr("For all results. When the time is up, what has not started "
                                      "is cancelled; running calls go on. 0: none."),
         .minimum = 0,
         .maximum = 1e6,
         .defaultValue = 0,
         .advanced = true},
        startMethodField(u"executor"_s, group),
    };
}

void checkExecutor(const ExperimentSpec &spec, QList<Error> &faults)
{
    checkTime(spec, u"executor.timeout_s"_s, faults);
    checkTasks(spec, faults);
    // The timeout does not interrupt what runs.
    checkEnds(spec, u"tasks"_s, {u"time_limit_s"_s}, faults);
}

QString executorNoteText(const RunLog &log, const RunNote &note)
{
    const QByteArray &code = note.code;
    const QString worker = log.processes().value(static_cast<int>(note.integer("by"_L1))).name;
    if (code == "executor.broke")
        return ExecutorKindText::tr("%1 died: the executor is broken, no future goes on")
            .arg(worker);
    if (code == "executor.retried")
        return ExecutorKindText::tr("%1 died in task %2, which is tried once more")
            .arg(worker)
            .arg(note.integer("task"_L1));
    if (code == "executor.timed_out")
        return ExecutorKindText::tr("The time is up: what has not started is cancelled");
    if (code == "executor.broken")
        return ExecutorKindText::tr("%1 died and broke the executor: %2 of the others' futures "
                                    "are lost")
            .arg(worker)
            .arg(note.integer("lost"_L1));
    if (code == "executor.time_was_up")
        return ExecutorKindText::tr("The time was up: %1 futures were cancelled")
            .arg(note.integer("cancelled"_L1));
    if (code == "executor.nothing_lost")
        return ExecutorKindText::tr("Tried once more: %1 of the futures. Nothing was lost")
            .arg(note.integer("retried"_L1));
    return {};
}

QString executorDeathText(const DeathFacts &facts)
{
    const QString onCrash = facts.spec.text(u"executor.on_crash"_s);
    if (onCrash == u"break"_s)
        return ExecutorKindText::tr("The executor is broken: all futures that were not done fail, "
                                    "as with Python's BrokenProcessPool.");
    if (onCrash == u"retry"_s && !facts.task)
        return ExecutorKindText::tr("A call that it had in hand is tried once more. Python's "
                                    "executor would be broken.");
    if (!facts.task)
        return ExecutorKindText::tr("It was in no call that is known, and the others go on. "
                                    "Python's executor would be broken.");
    return ExecutorKindText::tr("Task %1 failed with it, the other futures go on. Python's "
                                "executor would be broken.")
        .arg(QString(u'#' % QString::number(facts.task->index)));
}

QList<PresetInfo> executorPresets()
{
    return {
        {u"executor"_s, ExecutorKindText::tr("Futures as they complete"),
         ExecutorKindText::tr("Twelve calls of mixed lengths; as_completed gives the short ones "
                              "first, whenever they were submitted.")},
        {u"executor-map"_s, ExecutorKindText::tr("Results in order"),
         ExecutorKindText::tr("The same calls through map: results come in the order of "
                              "submission and wait for slow ones.")},
        {u"executor-broken"_s, ExecutorKindText::tr("A death breaks the executor"),
         ExecutorKindText::tr("One of 16 calls ends its worker: all futures that are not done fail "
                              "with it, as in Python.")},
        {u"executor-retry"_s, ExecutorKindText::tr("A worker dies, nothing is lost"),
         ExecutorKindText::tr("The same with retry: another worker does the call once more, and "
                              "all 16 futures are done.")},
    };
}

} // namespace

int executorWorkers(const ExperimentSpec &spec)
{
    const qint64 calls = std::max<qint64>(1, spec.bigInteger(u"tasks.count"_s));
    return static_cast<int>(std::min<qint64>(spec.integer(u"executor.max_workers"_s), calls));
}

bool readsAsCompleted(const ExperimentSpec &spec)
{
    return spec.text(u"executor.mode"_s) == u"submit"_s &&
           spec.text(u"executor.order"_s) == u"as_completed"_s;
}

Kind executorKind()
{
    Kind kind;
    kind.name = u"executor"_s;
    kind.title = ExecutorKindText::tr("Executor");
    kind.subtitle = ExecutorKindText::tr("Futures, in order or as they complete");
    kind.code = u"ProcessPoolExecutor({executor.max_workers}).{executor.mode}({tasks.task}, …)"_s;
    kind.schema = executorFields() + taskFields() + runFields(kind.name);
    kind.items = ExecutorKindText::tr("tasks");
    kind.hasTasks = true;
    kind.roles = {{.name = u"worker"_s,
                   .title = ExecutorKindText::tr("Worker"),
                   .plural = ExecutorKindText::tr("Workers")}};
    kind.waits = {WaitCause::Task};
    kind.gauges = workerPoolGauges();
    kind.charts = workerPoolCharts();
    kind.measures = runMeasures() + workerPoolMeasures();
    kind.presets = executorPresets();
    kind.check = checkExecutor;
    kind.noteText = executorNoteText;
    kind.listsByCompletion = readsAsCompleted;
    kind.deathText = executorDeathText;
    kind.makeRunner = makeExecutorRunner;
    return kind;
}

} // namespace proclab
