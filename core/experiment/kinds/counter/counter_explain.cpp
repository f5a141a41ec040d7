// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/number_text.h"
#include "core/base/quantity_text.h"
#include "core/experiment/explain/run_facts.h"
#include "core/experiment/kinds/counter/counter_kind.h"

#include <QCoreApplication>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

class CounterExplainText
{
    Q_DECLARE_TR_FUNCTIONS(CounterExplain)
};

/// Waiting for a fifth of the time, a lock costs more than what it guards needs.
constexpr double muchLockWait = 0.2;
/// In less time a single wait of a process that lost its core would be such a part.
constexpr double leastLockSeconds = 0.002;

void explainLostUpdates(const RunFacts &facts, QList<Explanation> &found)
{
    const double lost = facts.outcome("lost_updates"_L1);
    if (lost <= 0)
        return;
    const double expected = std::max(1.0, facts.outcome("expected"_L1));
    Explanation race = facts.ofAll("counter.updates_lost"_ba,
                                   {{"lost"_L1, lost},
                                    {"expected"_L1, expected},
                                    {"gap_ns"_L1, facts.spec.value(u"counter.gap_ns"_s)}},
                                   1);
    race.isWarning = true;
    race.trial = {{u"counter.mode"_s, u"lock"_s}};
    found.append(race);
}

void explainContention(const RunFacts &facts, QList<Explanation> &found)
{
    const double processes = facts.spec.number(u"counter.processes"_s);
    const double waited = facts.outcome("lock_wait_s"_L1);
    const double share = waited / std::max(processes * facts.seconds(), 1e-9);
    if (facts.seconds() < leastLockSeconds || share < muchLockWait)
        return;
    const double additions = std::max(1.0, facts.outcome("expected"_L1));
    Explanation contention = facts.ofAll(
        "counter.contention"_ba,
        {{"share"_L1, share}, {"waited_s"_L1, waited}, {"each_s"_L1, waited / additions}}, share);
    contention.trial = {{u"counter.mode"_s, u"local"_s}};
    found.append(contention);
}

QString lostText(const RunNote &note)
{
    QString text =
        (note.integer("lost"_L1) == 1 ? CounterExplainText::tr("%1 of %2 updates was lost (%3):")
                                      : CounterExplainText::tr("%1 of %2 updates were lost (%3):"))
            .arg(groupedNumber(note.integer("lost"_L1)), groupedNumber(note.integer("expected"_L1)),
                 shareText(note.number("lost"_L1) / note.number("expected"_L1)));
    const double gap = note.number("gap_ns"_L1) / 1e9;
    text += u' ' %
            (gap > 0 ? CounterExplainText::tr("a process writes its sum %1 after it has read the "
                                              "number, and another one wrote meanwhile.")
                           .arg(durationText(gap))
                     : CounterExplainText::tr("after a process had read the number, another one "
                                              "wrote before it did."));
    return text % u' ' % CounterExplainText::tr("A lock makes it one step.");
}

} // namespace

void explainCounter(const RunFacts &facts, QList<Explanation> &found)
{
    explainLostUpdates(facts, found);
    explainContention(facts, found);
}

QString counterExplanationText(const RunLog &, const RunNote &note)
{
    if (note.code == "counter.updates_lost")
        return lostText(note);
    if (note.code == "counter.contention")
        return CounterExplainText::tr("The processes waited for the lock %1 of their time, %2 in "
                                      "all and %3 for each increment. Counting alone and adding "
                                      "the sums at the end needs it once for each process.")
            .arg(shareText(note.number("share"_L1)), durationText(note.number("waited_s"_L1)),
                 durationText(note.number("each_s"_L1)));
    return {};
}

} // namespace proclab
