// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/quantity_text.h"
#include "core/experiment/explain/run_facts.h"
#include "core/experiment/kinds/pipe/pipe_kind.h"

#include <QCoreApplication>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

class PipeExplainText
{
    Q_DECLARE_TR_FUNCTIONS(PipeExplain)
};

/// Of its time in send(): the other end sets the pace.
constexpr double muchBlocked = 0.2;
/// Of its time waiting for answers: that is what the run consists of.
constexpr double mostlyWaiting = 0.5;
/// In less time one wait for a core would be such a part.
constexpr double leastPipeSeconds = 0.01;

} // namespace

void explainPipe(const RunFacts &facts, QList<Explanation> &found)
{
    if (facts.seconds() < leastPipeSeconds || facts.processes.size() < 2)
        return;
    constexpr int child = 1;
    const double waited = facts.processes[child].waitingSeconds;
    const double share = std::min(1.0, waited / facts.seconds());
    const QJsonObject numbers{{"share"_L1, share},
                              {"process"_L1, child},
                              {"round_trip_s"_L1, facts.outcome("round_trip_s"_L1)},
                              {"bytes"_L1, facts.spec.value(u"pipe.message_bytes"_s)}};
    const bool isDuplex = facts.spec.flag(u"pipe.duplex"_s);
    if (share < (isDuplex ? mostlyWaiting : muchBlocked))
        return;
    Explanation waits =
        facts.ofAll(isDuplex ? "pipe.round_trips"_ba : "pipe.full"_ba, numbers, share);
    waits.processes = {child};
    if (isDuplex)
        waits.trial = {{u"pipe.duplex"_s, false}};
    found.append(waits);
}

QString pipeExplanationText(const RunLog &log, const RunNote &note)
{
    const QString share = shareText(note.number("share"_L1));
    if (note.code == "pipe.round_trips")
        return PipeExplainText::tr("A way there and back took %1, and %2 waited %3 of its time for "
                                   "answers. Messages that need none do not wait for each other.")
            .arg(durationText(note.number("round_trip_s"_L1)),
                 log.processes().at(note.integer("process"_L1)).name, share);
    if (note.code == "pipe.full")
        return PipeExplainText::tr("%1 waited %2 of its time in send(), since the pipe was full: "
                                   "the parent takes messages of %3 more slowly than it makes "
                                   "them, and sets the pace.")
            .arg(log.processes().at(note.integer("process"_L1)).name, share,
                 bytesText(static_cast<quint64>(note.integer("bytes"_L1))));
    return {};
}

} // namespace proclab
