// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/spec/schema.h"

#include "core/experiment/spec/field_check.h"
#include "core/experiment/spec/kind.h"
#include "core/experiment/spec/spec.h"
#include "core/process/start_method.h"
#include "core/runtime/workloads/workload.h"

#include <QJsonArray>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr double longestTime = 1e6;
constexpr double largestSeed =
    9'007'199'254'740'991.0; // 2^53−1, the last that every JSON reader keeps exactly.
constexpr double mostTasks = 10'000'000;
constexpr int usualTasks = 24;

QJsonValue countOfList(const ExperimentSpec &spec)
{
    const QJsonValue list = spec.value(u"tasks.args_list"_s);
    return list.isArray() ? QJsonValue(list.toArray().size()) : QJsonValue(usualTasks);
}

bool hasTasks(const Kind &kind)
{
    return std::any_of(kind.schema.begin(), kind.schema.end(),
                       [](const Field &field) { return field.path == u"tasks.task"_s; });
}

} // namespace

Schema runFields(const QString &kind)
{
    return {
        {.path = u"time_limit_s"_s,
         .type = Field::Type::Number,
         .group = SpecText::tr("Run"),
         .label = SpecText::tr("Time limit"),
         .unit = u"s"_s,
         .help = SpecText::tr("Ends the whole run after so long. 0: no limit."),
         .minimum = 0,
         .maximum = longestTime,
         .defaultValue = 0},
        {.path = u"seed"_s,
         .type = Field::Type::Integer,
         .group = SpecText::tr("Run"),
         .label = SpecText::tr("Seed"),
         .help = SpecText::tr(
             "From it follow all random numbers of the workloads; the same seed gives the same "
             "numbers. 0: one is drawn and stands in the result."),
         .minimum = 0,
         .maximum = largestSeed,
         .defaultValue = 0,
         .advanced = true},
        {.path = u"title"_s,
         .type = Field::Type::Text,
         .group = SpecText::tr("Run"),
         .label = SpecText::tr("Title"),
         .help = SpecText::tr("What the run is called in results and reports."),
         .minimum = 0,
         .maximum = 1000,
         .defaultValue = kind,
         .advanced = true},
    };
}

Schema taskFields()
{
    return {
        {.path = u"tasks.task"_s,
         .type = Field::Type::Workload,
         .group = SpecText::tr("Tasks"),
         .label = SpecText::tr("Task"),
         .help = SpecText::tr("What each task does."),
         .defaultValue = u"cpu.primes"_s},
        {.path = u"tasks.args"_s,
         .type = Field::Type::Arguments,
         .group = SpecText::tr("Tasks"),
         .label = SpecText::tr("Arguments"),
         .help = SpecText::tr("The same for each task."),
         .defaultValue = QJsonObject()},
        {.path = u"tasks.args_list"_s,
         .type = Field::Type::ArgumentsList,
         .group = SpecText::tr("Tasks"),
         .label = SpecText::tr("Argument list"),
         .help = SpecText::tr("One set of arguments for each task, instead of the same for all."),
         .minimum = 1,
         .maximum = mostTasks},
        {.path = u"tasks.count"_s,
         .type = Field::Type::Integer,
         .group = SpecText::tr("Tasks"),
         .label = SpecText::tr("Count"),
         .unit = SpecText::tr("tasks"),
         .help = SpecText::tr("How many tasks there are."),
         .minimum = 1,
         .maximum = mostTasks,
         .defaultValue = usualTasks,
         .derivedDefault = countOfList,
         .defaultText = SpecText::tr("the length of tasks.args_list, else %1").arg(usualTasks)},
    };
}

Schema workFields(const QString &block, const QString &group, const QString &label,
                  const QString &help)
{
    return {
        {.path = block % u".task"_s,
         .type = Field::Type::Workload,
         .group = group,
         .label = label,
         .help = help},
        {.path = block % u".args"_s,
         .type = Field::Type::Arguments,
         .group = group,
         .label = SpecText::tr("Arguments"),
         .help = SpecText::tr("The same for each item.")},
    };
}

Field startMethodField(const QString &block, const QString &group)
{
    return {.path = block % u".start_method"_s,
            .type = Field::Type::Choice,
            .group = group,
            .label = SpecText::tr("Start method"),
            .help = SpecText::tr(
                "spawn starts a fresh program for each process; forkserver forks each from a small "
                "helper process, which is faster. fork does the same here: a copy of the lab "
                "itself would copy its window."),
            .choices = startMethodNames(),
            .defaultValue = u"forkserver"_s,
            .advanced = true};
}

QList<Error> missingFields(const ExperimentSpec &spec)
{
    const Kind *kind = spec.kindInfo();
    if (!kind || !hasTasks(*kind))
        return {};
    if (!spec.isSet(u"tasks"_s))
        return {invalidArgument(u"tasks"_s, SpecText::tr("missing"),
                                SpecText::tr("an object with task and count is needed"))};
    QList<Error> faults;
    if (!spec.value(u"tasks"_s).isObject())
        return faults; // Which is a fault of its own.
    if (!spec.isSet(u"tasks.task"_s))
        faults.append(invalidArgument(u"tasks.task"_s, SpecText::tr("missing"),
                                      SpecText::tr("the name of a workload is needed")));
    if (!spec.isSet(u"tasks.count"_s) && !spec.isSet(u"tasks.args_list"_s))
        faults.append(invalidArgument(u"tasks.count"_s, SpecText::tr("missing"),
                                      SpecText::tr("a count or tasks.args_list is needed")));
    return faults;
}

void checkEnds(const ExperimentSpec &spec, const QString &block, const QStringList &limits,
               QList<Error> &faults)
{
    const QString path = block % u".task"_s;
    const runtime::WorkloadInfo *workload = runtime::findWorkload(spec.text(path).toStdString());
    const bool isLimited = std::any_of(
        limits.begin(), limits.end(), [&](const QString &limit) { return spec.number(limit) > 0; });
    if (workload && workload->needsTimeLimit && !isLimited)
        faults.append(invalidArgument(
            path, SpecText::tr("%1 never ends by itself").arg(foundText(spec.value(path))),
            SpecText::tr("allowed with %1 above 0").arg(limits.join(SpecText::tr(" or ")))));
}

void checkTime(const ExperimentSpec &spec, const QString &path, QList<Error> &faults)
{
    const double seconds = spec.number(path);
    if (seconds > 0 && seconds < 0.001)
        faults.append(invalidArgument(
            path, SpecText::tr("%1 is below the minimum 0.001").arg(numberText(seconds)), {}));
}

void checkTasks(const ExperimentSpec &spec, QList<Error> &faults)
{
    const QJsonValue list = spec.value(u"tasks.args_list"_s);
    if (!list.isArray())
        return;
    if (spec.isSet(u"tasks.args"_s))
        faults.append(invalidArgument(u"tasks.args"_s, SpecText::tr("given beside tasks.args_list"),
                                      SpecText::tr("allowed: one of the two")));
    const QJsonValue count = spec.value(u"tasks.count"_s);
    const auto entries = static_cast<double>(list.toArray().size());
    if (count.isDouble() && count.toDouble() != entries)
        faults.append(
            invalidArgument(u"tasks.count"_s,
                            SpecText::tr("%1 differs from the %2 entries of tasks.args_list")
                                .arg(foundText(count), numberText(entries)),
                            SpecText::tr("allowed: %1, or leave it out").arg(numberText(entries))));
}

} // namespace proclab
