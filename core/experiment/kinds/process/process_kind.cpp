// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/process/process_kind.h"

#include "core/base/number_text.h"
#include "core/experiment/run/death_facts.h"
#include "core/experiment/run/run_measures.h"
#include "core/experiment/run/runner.h"
#include "core/experiment/spec/field_check.h"
#include "core/experiment/spec/kind.h"
#include "core/experiment/spec/schema.h"
#include "core/experiment/spec/spec.h"

#include <QCoreApplication>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int mostProcesses = 256;

class ProcessKindText
{
    Q_DECLARE_TR_FUNCTIONS(ProcessKind)
};

QJsonValue countOfTasks(const ExperimentSpec &spec)
{
    return spec.value(u"tasks.count"_s);
}

Field childStartMethod(const QString &group)
{
    Field field = startMethodField(u"process"_s, group);
    field.defaultValue = u"spawn"_s;
    field.advanced = false;
    return field;
}

Schema processFields()
{
    const QString group = ProcessKindText::tr("Process");
    return {
        childStartMethod(group),
        {.path = u"process.join_timeout_s"_s,
         .type = Field::Type::Number,
         .group = group,
         .label = ProcessKindText::tr("Join timeout"),
         .unit = u"s"_s,
         .help = ProcessKindText::tr(
             "How long the parent waits in join() for each child, one after the other. What is "
             "not done by then goes on, but a daemon is ended with the parent. 0: until it ends."),
         .minimum = 0,
         .maximum = 1e6,
         .defaultValue = 0},
        {.path = u"process.daemon"_s,
         .type = Field::Type::Flag,
         .group = group,
         .label = ProcessKindText::tr("Daemon"),
         .help = ProcessKindText::tr("A daemon is ended with its parent, who does not wait for it "
                                     "at the end; it cannot start processes of its own."),
         .defaultValue = false},
        {.path = u"process.name"_s,
         .type = Field::Type::Text,
         .group = group,
         .label = ProcessKindText::tr("Name"),
         .help = ProcessKindText::tr("What the processes are called, with a number where there are "
                                     "several. By default process-1, process-2 and so on."),
         .minimum = 0,
         .maximum = 40,
         .defaultValue = QString(),
         .advanced = true},
        {.path = u"process.count"_s,
         .type = Field::Type::Integer,
         .group = group,
         .label = ProcessKindText::tr("Processes"),
         .unit = ProcessKindText::tr("processes"),
         .help = ProcessKindText::tr("One for each task: as many as there are tasks."),
         .minimum = 1,
         .maximum = mostProcesses,
         .defaultValue = 1,
         .advanced = true,
         .derivedDefault = countOfTasks,
         .defaultText = ProcessKindText::tr("as many as there are tasks")},
    };
}

void checkProcess(const ExperimentSpec &spec, QList<Error> &faults)
{
    checkTime(spec, u"process.join_timeout_s"_s, faults);
    checkTasks(spec, faults);
    checkEnds(spec, u"tasks"_s, {u"time_limit_s"_s}, faults);
    const qint64 tasks = spec.bigInteger(u"tasks.count"_s);
    if (tasks > mostProcesses)
        faults.append(invalidArgument(
            u"tasks.count"_s,
            SpecText::tr("%1 is above the maximum %2").arg(tasks).arg(mostProcesses),
            ProcessKindText::tr("there is a process for each task")));
    else if (const qint64 count = spec.bigInteger(u"process.count"_s); count != tasks)
        faults.append(invalidArgument(
            u"process.count"_s,
            ProcessKindText::tr("%1 differs from the %2 tasks").arg(count).arg(tasks),
            SpecText::tr("allowed: %1, or leave it out").arg(tasks)));
    const QString name = spec.text(u"process.name"_s);
    if (!std::all_of(name.begin(), name.end(), [](QChar letter) { return letter.isPrint(); }))
        faults.append(invalidArgument(u"process.name"_s, foundText(name),
                                      ProcessKindText::tr("allowed: printable characters")));
}

QList<GaugeChart> processCharts()
{
    return {
        {.title = ProcessKindText::tr("Children"),
         .unit = ProcessKindText::tr("alive"),
         .series = {{{}, ProcessGauges::Alive}},
         .steps = true,
         .help = ProcessKindText::tr("Children that were started and have not ended.")},
    };
}

QString processNoteText(const RunLog &, const RunNote &note)
{
    const QByteArray &code = note.code;
    if (code == "process.join_timed_out")
        return ProcessKindText::tr("join() returned after its timeout, the child goes on");
    if (code == "process.daemon_ended")
        return ProcessKindText::tr("A daemon that still ran: ended with its parent");
    const qint64 good = note.integer("good"_L1);
    const qint64 all = note.integer("processes"_L1);
    if (code == "process.all_ended_well")
        return all == 1 ? ProcessKindText::tr("The process ended with code 0")
                        : ProcessKindText::tr("All %1 processes ended with code 0").arg(all);
    if (code == "process.exit_codes_only")
        return ProcessKindText::tr("%1 of %2 processes ended with code 0; of the others the "
                                   "parent learns an exit code or a signal, and nothing else")
            .arg(good)
            .arg(all);
    return {};
}

QString processDeathText(const DeathFacts &)
{
    return ProcessKindText::tr("Nothing takes its place. The parent learns its exit code in "
                               "join(), and nothing else, as in Python.");
}

std::optional<double> startCost(const RunResult &result, const QString &key)
{
    // "start_spawn_s": a member of "start_method_s".
    const QJsonValue value = result.outcome[u"start_method_s"_s][key.section(u'_', 1, 1)];
    return value.isDouble() ? std::optional(value.toDouble()) : std::nullopt;
}

QList<Measure> processMeasures()
{
    using Better = Measure::Better;
    const auto cost = [](const QString &key, const QString &title) {
        return Measure{
            .key = key, .title = title, .unit = u"s"_s, .better = Better::Lower, .read = startCost};
    };
    return {
        {.key = u"start_s"_s,
         .title = ProcessKindText::tr("Start of a process, mean"),
         .unit = u"s"_s,
         .better = Better::Lower,
         .read = outcomeFigure},
        cost(u"start_spawn_s"_s, ProcessKindText::tr("Start by spawn")),
        cost(u"start_forkserver_s"_s, ProcessKindText::tr("Start by forkserver")),
        cost(u"start_fork_s"_s, ProcessKindText::tr("Start by fork")),
        {.key = u"joins_timed_out"_s,
         .title = ProcessKindText::tr("Joins timed out"),
         .better = Better::Lower,
         .read = outcomeFigure},
    };
}

QList<PresetInfo> processPresets()
{
    return {
        {u"process"_s, ProcessKindText::tr("Four processes side by side"),
         ProcessKindText::tr("Four children count primes at once; the parent joins them one after "
                             "the other.")},
        {u"process-hello"_s, ProcessKindText::tr("Hello from a child"),
         ProcessKindText::tr("One process with a name, a PID of its own and its parent's PID; it "
                             "sleeps half a second and ends with code 0.")},
        {u"process-join-timeout"_s, ProcessKindText::tr("Join with a timeout"),
         ProcessKindText::tr("Three children sleep 1, 2 and 3 s; join() waits 0.6 s for each and "
                             "returns before they are done.")},
        {u"process-daemon"_s, ProcessKindText::tr("Daemons end with their parent"),
         ProcessKindText::tr("The same children as daemons: what is not done when the parent ends "
                             "is ended with SIGTERM.")},
        {u"process-exit-codes"_s, ProcessKindText::tr("Exit codes"),
         ProcessKindText::tr("Four children end with code 0, 1, 7 and 42: that is all that their "
                             "parent learns.")},
    };
}

} // namespace

Kind processKind()
{
    Kind kind;
    kind.name = u"process"_s;
    kind.title = ProcessKindText::tr("Process");
    kind.subtitle = ProcessKindText::tr("Start, name, join and end single processes");
    kind.code = u"Process(target={tasks.task}, daemon={process.daemon}).start()"_s;
    kind.schema = taskFields() + processFields() + runFields(kind.name);
    kind.items = ProcessKindText::tr("processes");
    kind.roles = {{.name = u"process"_s,
                   .title = ProcessKindText::tr("Child"),
                   .plural = ProcessKindText::tr("Children")}};
    kind.gauges = {u"alive"_s};
    kind.charts = processCharts();
    kind.measures = runMeasures() + processMeasures();
    kind.presets = processPresets();
    kind.check = checkProcess;
    kind.noteText = processNoteText;
    kind.deathText = processDeathText;
    kind.explain = explainProcess;
    kind.explanationText = processExplanationText;
    kind.makeRunner = makeProcessRunner;
    return kind;
}

} // namespace proclab
