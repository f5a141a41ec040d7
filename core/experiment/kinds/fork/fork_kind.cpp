// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/fork/fork_kind.h"

#include "core/base/number_text.h"
#include "core/experiment/run/death_facts.h"
#include "core/experiment/run/run_measures.h"
#include "core/experiment/run/runner.h"
#include "core/experiment/spec/field_check.h"
#include "core/experiment/spec/kind.h"
#include "core/experiment/spec/schema.h"
#include "core/experiment/spec/spec.h"
#include "core/monitor/page_count.h"

#include <QCoreApplication>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int mostChildren = 64;
constexpr qint64 mostMemoryMib = 1'024;
/// Of parent and children together.
constexpr double mostInAllMib = 4'096;

class ForkKindText
{
    Q_DECLARE_TR_FUNCTIONS(ForkKind)
};

Schema forkFields()
{
    const QString group = ForkKindText::tr("Fork");
    return {
        {.path = u"fork.memory_mib"_s,
         .type = Field::Type::Integer,
         .group = group,
         .label = ForkKindText::tr("Memory"),
         .unit = ForkKindText::tr("MiB"),
         .help = ForkKindText::tr("How much memory the parent fills before it forks. The children "
                                  "get all of it without a copy."),
         .minimum = 1,
         .maximum = static_cast<double>(mostMemoryMib),
         .defaultValue = 64},
        {.path = u"fork.touch_percent"_s,
         .type = Field::Type::Integer,
         .group = group,
         .label = ForkKindText::tr("Written"),
         .unit = u"%"_s,
         .help = ForkKindText::tr("The share of the inherited pages that each child writes to; it "
                                  "only reads the others. A page is copied when it is written to. "
                                  "A child takes 2.4 s for all pages, so that one can look on."),
         .minimum = 0,
         .maximum = 100,
         .defaultValue = 25},
        {.path = u"fork.children"_s,
         .type = Field::Type::Integer,
         .group = group,
         .label = ForkKindText::tr("Children"),
         .unit = ForkKindText::tr("processes"),
         .help = ForkKindText::tr("How often the parent calls fork(), one call after the other."),
         .minimum = 1,
         .maximum = mostChildren,
         .defaultValue = 1},
        {.path = u"fork.beside_thread"_s,
         .type = Field::Type::Flag,
         .group = group,
         .label = ForkKindText::tr("Beside a thread"),
         .help = ForkKindText::tr(
             "Another thread of the parent holds a lock during the fork. The child gets the lock "
             "but not the thread, and would wait for ever: after 2 s it is ended by SIGKILL."),
         .defaultValue = false},
    };
}

void checkFork(const ExperimentSpec &spec, QList<Error> &faults)
{
    const qint64 memory = spec.bigInteger(u"fork.memory_mib"_s);
    const qint64 children = spec.bigInteger(u"fork.children"_s);
    const double copies =
        spec.flag(u"fork.beside_thread"_s)
            ? 0
            : static_cast<double>(children) * spec.number(u"fork.touch_percent"_s) / 100;
    const double inAll = static_cast<double>(memory) * (1 + copies);
    if (memory <= mostMemoryMib && children <= mostChildren && inAll > mostInAllMib)
        faults.append(invalidArgument(
            u"fork.memory_mib"_s,
            ForkKindText::tr("%1, of which parent and children would have %2 MiB in all")
                .arg(memory)
                .arg(qRound64(inAll)),
            ForkKindText::tr("allowed: at most %1 MiB in all").arg(qRound64(mostInAllMib))));
}

QList<GaugeChart> forkCharts()
{
    return {
        {.title = ForkKindText::tr("Memory of the children"),
         .unit = ForkKindText::tr("MiB"),
         .series = {{ForkKindText::tr("copied"), ForkGauges::Copied},
                    {ForkKindText::tr("shared"), ForkGauges::Shared}},
         .help = ForkKindText::tr("As the kernel counts their pages: copies of their own, of all "
                                  "children, and what one of them still shares with its parent.")},
    };
}

QString mebibytes(qint64 bytes)
{
    return ForkKindText::tr("%1 MiB").arg(
        QString::number(static_cast<double>(bytes) / (1 << 20), 'f', bytes % (1 << 20) ? 1 : 0));
}

QString forkNoteText(const RunLog &, const RunNote &note)
{
    const QByteArray &code = note.code;
    if (code == "fork.forked")
        return ForkKindText::tr("fork() returned %1 in the parent and 0 in the child")
            .arg(note.integer("pid"_L1));
    if (code == "fork.ended_by_deadline")
        return ForkKindText::tr("It waited for a lock that nobody in it can release: ended after "
                                "2 s by SIGKILL");
    if (code == "fork.failed")
        return ForkKindText::tr("fork() failed: %1").arg(errorText(note.error()));
    const qint64 children = note.integer("children"_L1);
    if (code == "fork.lock_was_copied")
        return ForkKindText::tr(
            "The lock was copied as it was, locked, but not the thread that holds it: only the "
            "thread that calls fork() goes on in the child, which would wait for ever");
    if (code == "fork.cut_short")
        return ForkKindText::tr("%1 of %2 children came to their end")
            .arg(note.integer("through"_L1))
            .arg(children);
    if (code == "fork.not_counted")
        return ForkKindText::tr("This kernel does not tell which pages are shared, and which were "
                                "copied");
    if (code != "fork.copied")
        return {};
    const qint64 copied = note.integer("copied"_L1);
    const QString memory = mebibytes(note.integer("memory"_L1));
    if (copied == 0)
        return ForkKindText::tr("Nothing was written, so nothing was copied: %1 are in memory once")
            .arg(memory);
    return children == 1
               ? ForkKindText::tr("%1 of %2 were copied, those that the child wrote to; %3 stayed "
                                  "shared")
                     .arg(mebibytes(copied), memory, mebibytes(note.integer("shared"_L1)))
               : ForkKindText::tr("%1 were copied for %2 children, what each of them wrote to of "
                                  "the parent's %3")
                     .arg(mebibytes(copied))
                     .arg(children)
                     .arg(memory);
}

QString forkDeathText(const DeathFacts &facts)
{
    const ProcessRecord record = facts.log.processes().at(facts.process);
    if (record.role == &facts.spec.kindInfo()->roles[ForkRoles::Parent])
        return ForkKindText::tr("Its children are ended with it. In Python they would go on, "
                                "without a parent.");
    return ForkKindText::tr(
               "It had gone through %1 of its %2 blocks; its copies are freed with it. "
               "The parent's memory is as it was, and it learns the signal from "
               "waitpid(), as in Python.")
        .arg(groupedNumber(static_cast<qint64>(record.done)),
             groupedNumber(forkMemory(facts.spec).cells));
}

QList<Measure> forkMeasures()
{
    using Better = Measure::Better;
    return {
        {.key = u"fork_s"_s,
         .title = ForkKindText::tr("fork(), mean"),
         .unit = u"s"_s,
         .better = Better::Lower,
         .read = outcomeFigure},
        {.key = u"copied_bytes"_s,
         .title = ForkKindText::tr("Copied"),
         .unit = ForkKindText::tr("bytes"),
         .better = Better::Lower,
         .read = outcomeFigure},
        {.key = u"shared_bytes"_s,
         .title = ForkKindText::tr("Still shared"),
         .unit = ForkKindText::tr("bytes"),
         .read = outcomeFigure},
    };
}

QList<PresetInfo> forkPresets()
{
    return {
        {u"fork"_s, ForkKindText::tr("Copy on write"),
         ForkKindText::tr(
             "A child inherits 64 MiB and writes to a quarter of it: only that quarter "
             "is copied.")},
        {u"fork-read-only"_s, ForkKindText::tr("A child that only reads"),
         ForkKindText::tr(
             "Four children read 64 MiB of their parent's: all of it is in memory only "
             "once.")},
        {u"fork-write-all"_s, ForkKindText::tr("A child that writes to all"),
         ForkKindText::tr(
             "The child writes to every page: in the end nothing is shared any more.")},
        {u"fork-beside-thread"_s, ForkKindText::tr("A fork beside a thread"),
         ForkKindText::tr("A thread holds a lock during the fork: the child waits for it until a "
                          "deadline ends it.")},
    };
}

} // namespace

ForkMemory forkMemory(const ExperimentSpec &spec)
{
    constexpr qint64 mostCells = 256;
    constexpr qint64 mostCellsInAll = 1'024;
    constexpr qint64 fewestCells = 32;
    const qint64 bytes = std::clamp<qint64>(spec.bigInteger(u"fork.memory_mib"_s), 1, mostMemoryMib)
                         << 20;
    const qint64 processes =
        1 + std::clamp<qint64>(spec.bigInteger(u"fork.children"_s), 1, mostChildren);
    return {bytes / static_cast<qint64>(pageSize()),
            std::clamp(mostCellsInAll / processes / 16 * 16, fewestCells, mostCells)};
}

Kind forkKind()
{
    Kind kind;
    kind.name = u"fork"_s;
    kind.title = ForkKindText::tr("Fork");
    kind.subtitle = ForkKindText::tr("A copy of a process, page by page");
    kind.code = u"pid = os.fork()"_s;
    kind.schema = forkFields() + runFields(kind.name);
    kind.items = ForkKindText::tr("blocks of pages");
    kind.roles = {{.name = u"parent"_s,
                   .title = ForkKindText::tr("Parent"),
                   .plural = ForkKindText::tr("Parents")},
                  {.name = u"child"_s,
                   .title = ForkKindText::tr("Child"),
                   .plural = ForkKindText::tr("Children")}};
    kind.waits = {WaitCause::Lock};
    kind.gauges = {u"copied_mib"_s, u"shared_mib"_s};
    kind.charts = forkCharts();
    kind.measures = runMeasures() + forkMeasures();
    kind.presets = forkPresets();
    kind.check = checkFork;
    kind.noteText = forkNoteText;
    kind.deathText = forkDeathText;
    kind.makeRunner = makeForkRunner;
    return kind;
}

} // namespace proclab
