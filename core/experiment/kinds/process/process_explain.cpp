// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/quantity_text.h"
#include "core/experiment/explain/run_facts.h"
#include "core/experiment/kinds/process/process_kind.h"

#include <QCoreApplication>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

class ProcessExplainText
{
    Q_DECLARE_TR_FUNCTIONS(ProcessExplain)
};

/// About the processes of the events that are called @p code, from the first event to the last.
Explanation ofEvents(const RunFacts &facts, const QByteArray &code)
{
    Explanation all;
    const AppendLog<RunEvent> &events = facts.log.events();
    for (std::size_t i = 0, size = events.size(); i < size; ++i) {
        const RunEvent &event = events[i];
        if (event.note.code != code)
            continue;
        if (all.processes.isEmpty())
            all.fromNs = event.timeNs;
        all.toNs = event.timeNs;
        if (!all.processes.contains(event.process))
            all.processes.append(event.process);
    }
    return all;
}

/// Which part of the children these are.
double partOf(const Explanation &some, const RunFacts &facts)
{
    return facts.crew > 0 ? static_cast<double>(some.processes.size()) / facts.crew : 0;
}

void explainJoins(const RunFacts &facts, QList<Explanation> &found)
{
    Explanation late = ofEvents(facts, "process.join_timed_out"_ba);
    if (late.processes.isEmpty())
        return;
    late.fromNs = 0; // The first wait begins with the run.
    late.note = {"process.joins_timed_out"_ba,
                 {{"joins"_L1, late.processes.size()},
                  {"children"_L1, facts.crew},
                  {"limit_s"_L1, facts.spec.value(u"process.join_timeout_s"_s)}}};
    late.weight = partOf(late, facts) / 2; // Nothing is lost by it.
    late.trial = {{u"process.join_timeout_s"_s, 0}};
    found.append(late);
}

void explainDaemons(const RunFacts &facts, QList<Explanation> &found)
{
    Explanation daemons = ofEvents(facts, "process.daemon_ended"_ba);
    if (daemons.processes.isEmpty())
        return;
    daemons.note = {"process.daemons_ended"_ba, {{"daemons"_L1, daemons.processes.size()}}};
    daemons.weight = partOf(daemons, facts);
    daemons.isWarning = true;
    daemons.trial = {{u"process.daemon"_s, false}};
    found.append(daemons);
}

} // namespace

void explainProcess(const RunFacts &facts, QList<Explanation> &found)
{
    explainDaemons(facts, found);
    explainJoins(facts, found);
}

QString processExplanationText(const RunLog &, const RunNote &note)
{
    if (note.code == "process.joins_timed_out")
        return ProcessExplainText::tr("For %1 of %2 children join() returned after its timeout of "
                                      "%3, before they were done. It neither ends a child nor "
                                      "learns its exit code: is_alive() tells. Without a timeout "
                                      "it waits for the end.")
            .arg(note.integer("joins"_L1))
            .arg(note.integer("children"_L1))
            .arg(durationText(note.number("limit_s"_L1)));
    if (note.code == "process.daemons_ended")
        return note.integer("daemons"_L1) == 1
                   ? ProcessExplainText::tr(
                         "1 daemon was ended with its parent, in the middle of its work. A child "
                         "that is none would have been waited for.")
                   : ProcessExplainText::tr(
                         "%1 daemons were ended with their parent, in the middle of their work. "
                         "Children that are none would have been waited for.")
                         .arg(note.integer("daemons"_L1));
    return {};
}

} // namespace proclab
