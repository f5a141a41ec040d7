// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/counter/counter_kind.h"

#include "core/base/number_text.h"
#include "core/experiment/run/death_facts.h"
#include "core/experiment/run/run_measures.h"
#include "core/experiment/run/runner.h"
#include "core/experiment/spec/kind.h"
#include "core/experiment/spec/schema.h"
#include "core/experiment/spec/spec.h"

#include <QCoreApplication>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

class CounterKindText
{
    Q_DECLARE_TR_FUNCTIONS(CounterKind)
};

/// Without a lock, as long as an interpreter takes between reading and writing.
QJsonValue usualGap(const ExperimentSpec &spec)
{
    return spec.text(u"counter.mode"_s) == u"none"_s ? 100 : 0;
}

Schema counterFields()
{
    const QString group = CounterKindText::tr("Counter");
    return {
        {.path = u"counter.processes"_s,
         .type = Field::Type::Integer,
         .group = group,
         .label = CounterKindText::tr("Processes"),
         .unit = CounterKindText::tr("processes"),
         .help =
             CounterKindText::tr("How many processes add to the same counter; all start together."),
         .minimum = 1,
         .maximum = 256,
         .defaultValue = 2},
        {.path = u"counter.increments"_s,
         .type = Field::Type::Integer,
         .group = group,
         .label = CounterKindText::tr("Increments each"),
         .help = CounterKindText::tr("How often each process adds 1."),
         .minimum = 1,
         .maximum = 1e9,
         .defaultValue = 10'000},
        {.path = u"counter.mode"_s,
         .type = Field::Type::Choice,
         .group = group,
         .label = CounterKindText::tr("Protection"),
         .help = CounterKindText::tr(
             "none: read, add, write, and updates get lost. lock: one process at a time. "
             "atomic: one "
             "instruction. local: each process counts alone and adds its sum at the end."),
         .choices = {u"none"_s, u"lock"_s, u"atomic"_s, u"local"_s},
         .defaultValue = u"lock"_s},
        {.path = u"counter.gap_ns"_s,
         .type = Field::Type::Integer,
         .group = group,
         .label = CounterKindText::tr("Read-write gap"),
         .unit = u"ns"_s,
         .help = CounterKindText::tr(
             "Time between reading and writing, as an interpreter has it. By default 100 "
             "without protection, else 0."),
         .minimum = 0,
         .maximum = 1e6,
         .defaultValue = 0,
         .derivedDefault = usualGap,
         .defaultText = CounterKindText::tr("100 in mode none, else 0")},
        {.path = u"counter.type"_s,
         .type = Field::Type::Choice,
         .group = group,
         .label = CounterKindText::tr("Type"),
         .help = CounterKindText::tr(
             "value: one number. array: several numbers side by side; the counter is their sum."),
         .choices = {u"value"_s, u"array"_s},
         .defaultValue = u"value"_s,
         .advanced = true},
        startMethodField(u"counter"_s, group),
    };
}

QList<GaugeChart> counterCharts()
{
    return {
        {.title = CounterKindText::tr("Throughput"),
         .unit = CounterKindText::tr("increments/s"),
         .series = {{{}, CounterGauges::IncrementRate}},
         .rate = true,
         .help = CounterKindText::tr("Increments that all processes do in a second.")},
        {.title = CounterKindText::tr("Lock wait"),
         .unit = CounterKindText::tr("% of time"),
         .series = {{{}, CounterGauges::LockWait}},
         .maximum = 100,
         .rate = true,
         .help = CounterKindText::tr("Share of their time that the processes wait for the lock.")},
        {.title = CounterKindText::tr("Counter"),
         .unit = CounterKindText::tr("value"),
         .series = {{{}, CounterGauges::Value}},
         .help = CounterKindText::tr("What the counter holds. Lost updates are missing in it.")},
    };
}

QString counterNoteText(const RunLog &, const RunNote &note)
{
    const QByteArray &code = note.code;
    if (code == "counter.lock_handed_on")
        return CounterKindText::tr("The lock's owner died: the lock was handed on");
    if (code == "counter.none_lost_by_luck")
        return CounterKindText::tr(
            "No update was lost this time, though nothing prevents it: raise "
            "gap_ns, increments or processes to see losses");
    if (code == "counter.none_lost_in_turn")
        return CounterKindText::tr(
            "No update was lost, since the processes had no two cores at one "
            "time: each ran when the others did not");
    const qint64 number = note.integer("final"_L1);
    const qint64 all = note.integer("expected"_L1);
    const QString final = groupedNumber(number);
    const QString expected = groupedNumber(all);
    if (code == "counter.not_all_made")
        return CounterKindText::tr("%1 of %2: not every process did all its increments")
            .arg(final, expected);
    if (code == "counter.updates_lost")
        return (all - number == 1
                    ? CounterKindText::tr("%1 of %2: %3 update was lost, since two processes read "
                                          "the same number before either wrote its sum")
                    : CounterKindText::tr("%1 of %2: %3 updates were lost, since two processes "
                                          "read the same number before either wrote its sum"))
            .arg(final, expected, groupedNumber(all - number));
    if (code == "counter.none_lost")
        return CounterKindText::tr("%1 of %2: no update was lost").arg(final, expected);
    return {};
}

QString counterDeathText(const DeathFacts &facts)
{
    const quint64 done = facts.log.processes().at(facts.process).done;
    return CounterKindText::tr("It had made %1 of its %2 increments; nothing takes its place.")
        .arg(groupedNumber(static_cast<qint64>(done)),
             groupedNumber(facts.spec.bigInteger(u"counter.increments"_s)));
}

QList<Measure> counterMeasures()
{
    using Better = Measure::Better;
    return {
        {.key = u"increments_per_s"_s,
         .title = CounterKindText::tr("Throughput"),
         .unit = CounterKindText::tr("increments/s"),
         .better = Better::Higher,
         .read = outcomeFigure,
         .sentence = CounterKindText::tr("%1 increments per second from the first to the last")},
        {.key = u"expected"_s, .title = CounterKindText::tr("Expected"), .read = outcomeFigure},
        {.key = u"final"_s, .title = CounterKindText::tr("Counted"), .read = outcomeFigure},
        {.key = u"lost_updates"_s,
         .title = CounterKindText::tr("Updates lost"),
         .better = Better::Lower,
         .read = outcomeFigure},
        {.key = u"lock_wait_s"_s,
         .title = CounterKindText::tr("Waiting for the lock, all added up"),
         .unit = u"s"_s,
         .better = Better::Lower,
         .read = outcomeFigure},
    };
}

QList<PresetInfo> counterPresets()
{
    return {
        {u"counter-no-lock"_s, CounterKindText::tr("2 × 10 000, no lock"),
         CounterKindText::tr("Two processes add to one number without a lock, a microsecond "
                             "between read and write: updates get lost.")},
        {u"counter-lock"_s, CounterKindText::tr("2 × 10 000, lock"),
         CounterKindText::tr("The same with a lock around read, add and write: always 20 000.")},
        {u"counter-atomic"_s, CounterKindText::tr("2 × 10 000, atomic"),
         CounterKindText::tr("Read, add and write are one instruction: exact without a lock.")},
        {u"counter-local"_s, CounterKindText::tr("2 × 10 000, local sums"),
         CounterKindText::tr("Each process counts alone and adds its sum once: exact, "
                             "with two shared additions instead of 20 000.")},
    };
}

} // namespace

Kind counterKind()
{
    Kind kind;
    kind.name = u"counter"_s;
    kind.title = CounterKindText::tr("Shared counter");
    kind.subtitle = CounterKindText::tr("Several processes, one number");
    kind.code = u"counter = Value('q', 0)  # {counter.processes} × {counter.increments}"_s;
    kind.schema = counterFields() + runFields(kind.name);
    kind.items = CounterKindText::tr("increments");
    kind.roles = {{.name = u"process"_s,
                   .title = CounterKindText::tr("Process"),
                   .plural = CounterKindText::tr("Processes")}};
    kind.waits = {WaitCause::Lock};
    kind.gauges = {u"increment_rate"_s, u"lock_wait"_s, u"value"_s};
    kind.charts = counterCharts();
    kind.tracks = {
        {.title = CounterKindText::tr("Lock held by"), .type = TimelineTrack::Type::LockHolder}};
    kind.measures = runMeasures() + counterMeasures();
    kind.presets = counterPresets();
    kind.noteText = counterNoteText;
    kind.deathText = counterDeathText;
    kind.explain = explainCounter;
    kind.explanationText = counterExplanationText;
    kind.makeRunner = makeCounterRunner;
    return kind;
}

} // namespace proclab
