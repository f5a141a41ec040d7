// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/pool/pool_kind.h"

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

class PoolKindText
{
    Q_DECLARE_TR_FUNCTIONS(PoolKind)
};

QJsonValue usualChunkSize(const ExperimentSpec &spec)
{
    const QString method = spec.text(u"pool.method"_s);
    return method.startsWith(u"apply"_s) ? QJsonValue(1) : QJsonValue(u"auto"_s);
}

Schema poolFields()
{
    const QString group = PoolKindText::tr("Pool");
    return {
        {.path = u"pool.workers"_s,
         .type = Field::Type::Integer,
         .group = group,
         .label = PoolKindText::tr("Workers"),
         .unit = PoolKindText::tr("processes"),
         .help = PoolKindText::tr(
             "How many worker processes take tasks from the queue. By default as many as "
             "there are cores."),
         .minimum = 1,
         .maximum = 256,
         .defaultValue = std::min(usableCores(), 256),
         .defaultText = PoolKindText::tr("as many as there are cores")},
        {.path = u"pool.method"_s,
         .type = Field::Type::Choice,
         .group = group,
         .label = PoolKindText::tr("Method"),
         .help = PoolKindText::tr(
             "How tasks are handed over. apply waits for each result, so only one worker is "
             "busy; the "
             "others hand over all and collect the results."),
         .choices = {u"apply"_s, u"apply_async"_s, u"map"_s, u"imap"_s, u"imap_unordered"_s,
                     u"starmap"_s},
         .defaultValue = u"apply_async"_s},
        {.path = u"pool.chunk_size"_s,
         .type = Field::Type::IntegerOrAuto,
         .group = group,
         .label = PoolKindText::tr("Chunk size"),
         .unit = PoolKindText::tr("tasks"),
         .help = PoolKindText::tr(
             "How many tasks a worker takes at once. Large chunks cost less, small ones "
             "spread better. "
             "auto: about four chunks for each worker."),
         .minimum = 1,
         .maximum = 10'000'000,
         .defaultValue = 1,
         .derivedDefault = usualChunkSize,
         .defaultText = PoolKindText::tr("1 for apply and apply_async, else auto")},
        startMethodField(u"pool"_s, group),
    };
}

Schema poolFailureFields()
{
    const QString group = PoolKindText::tr("Pool");
    return {
        {.path = u"pool.max_tasks_per_worker"_s,
         .type = Field::Type::Integer,
         .group = group,
         .label = PoolKindText::tr("Tasks per worker"),
         .unit = PoolKindText::tr("tasks"),
         .help = PoolKindText::tr(
             "A worker ends after so many tasks and a fresh one takes its place. 0: never."),
         .minimum = 0,
         .maximum = 1e9,
         .defaultValue = 0,
         .advanced = true},
        {.path = u"pool.on_crash"_s,
         .type = Field::Type::Choice,
         .group = group,
         .label = PoolKindText::tr("On a crash"),
         .help = PoolKindText::tr(
             "What becomes of a task whose worker died with it: it fails, or is tried once more."),
         .choices = {u"fail"_s, u"retry"_s},
         .defaultValue = u"fail"_s,
         .advanced = true},
        {.path = u"pool.task_timeout_s"_s,
         .type = Field::Type::Number,
         .group = group,
         .label = PoolKindText::tr("Task timeout"),
         .unit = u"s"_s,
         .help = PoolKindText::tr(
             "A task that takes longer is ended together with its worker, from the start of "
             "the task. 0: no limit."),
         .minimum = 0,
         .maximum = 1e6,
         .defaultValue = 0,
         .advanced = true},
    };
}

void checkPool(const ExperimentSpec &spec, QList<Error> &faults)
{
    checkTime(spec, u"pool.task_timeout_s"_s, faults);
    checkTasks(spec, faults);
    checkEnds(spec, u"tasks"_s, {u"pool.task_timeout_s"_s, u"time_limit_s"_s}, faults);
}

bool poolListsByCompletion(const ExperimentSpec &spec)
{
    return spec.text(u"pool.method"_s) == u"imap_unordered"_s;
}

QString poolDeathText(const DeathFacts &facts)
{
    const TaskRecord *task = facts.task;
    if (!task) {
        if (!facts.isReplaced) // Its task, if it had one, may not be told yet.
            return {};
        return facts.spec.text(u"pool.on_crash"_s) == u"retry"_s
                   ? PoolKindText::tr("A task that it had in hand is tried once more.")
                   : PoolKindText::tr("It was in no task, so no task was lost.");
    }
    const QString name = u'#' % QString::number(task->index);
    QString fate = task->status == TaskStatus::Lost ? PoolKindText::tr("Task %1 is lost.").arg(name)
                   : task->attempts > 1 ? PoolKindText::tr("Task %1 failed for good at attempt %2.")
                                              .arg(name, QString::number(task->attempts))
                                        : PoolKindText::tr("Task %1 failed with it.").arg(name);
    fate += u' ';
    if (task->error == TaskError::Timeout)
        return fate + PoolKindText::tr("Python's Pool knows no time limit for a task.");
    return fate + PoolKindText::tr("Python's Pool would wait for its result for ever.");
}

QList<PresetInfo> poolPresets()
{
    return {
        {u"pool"_s, PoolKindText::tr("Five sleeps, four workers"),
         PoolKindText::tr(
             "Five tasks sleep up to three seconds; four workers share them, so one takes two.")},
        {u"pool-primes"_s, PoolKindText::tr("Primes on all cores"),
         PoolKindText::tr(
             "CPU-bound tasks on as many workers as there are cores: all cores fill up.")},
        {u"pool-crash"_s, PoolKindText::tr("Mixed lengths, one crash"),
         PoolKindText::tr("24 tasks of different length; one ends its worker with SIGSEGV, another "
                          "worker takes its place.")},
        {u"pool-tiny"_s, PoolKindText::tr("Many tiny tasks"),
         PoolKindText::tr("100 000 tasks that do nothing, in chunks: what is left is the cost of "
                          "handing them over.")},
    };
}

} // namespace

quint64 poolChunkSize(const ExperimentSpec &spec)
{
    const auto tasks = static_cast<quint64>(spec.bigInteger(u"tasks.count"_s));
    const quint64 pieces = static_cast<quint64>(spec.bigInteger(u"pool.workers"_s)) * 4;
    const QJsonValue chunk = spec.value(u"pool.chunk_size"_s);
    const quint64 size =
        chunk.isString() ? (tasks + pieces - 1) / pieces : static_cast<quint64>(chunk.toInteger(1));
    return std::clamp<quint64>(size, 1, std::max<quint64>(tasks, 1));
}

Kind poolKind()
{
    Kind kind;
    kind.name = u"pool"_s;
    kind.title = PoolKindText::tr("Pool");
    kind.subtitle = PoolKindText::tr("Workers share one task queue");
    kind.code = u"Pool({pool.workers}).{pool.method}({tasks.task}, …)"_s;
    kind.schema = poolFields() + taskFields() + poolFailureFields() + runFields(kind.name);
    kind.items = PoolKindText::tr("tasks");
    kind.hasTasks = true;
    kind.roles = {{.name = u"worker"_s,
                   .title = PoolKindText::tr("Worker"),
                   .plural = PoolKindText::tr("Workers")}};
    kind.crewField = u"pool.workers"_s;
    kind.waits = {WaitCause::Task};
    kind.gauges = workerPoolGauges();
    kind.charts = workerPoolCharts();
    kind.measures = runMeasures() + workerPoolMeasures();
    kind.presets = poolPresets();
    kind.check = checkPool;
    kind.listsByCompletion = poolListsByCompletion;
    kind.deathText = poolDeathText;
    kind.explain = explainPool;
    kind.explanationText = poolExplanationText;
    kind.makeRunner = makePoolRunner;
    return kind;
}

} // namespace proclab
