// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/stage/card_facts.h"

#include "core/experiment/run/run_log.h"
#include "core/experiment/spec/item_names.h"
#include "ui/experiment/stage/stage_view.h"
#include "ui/shared/theme.h"

#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

const QString unknownFact = u"\u2013"_s;

bool isWork(Span::Activity activity)
{
    switch (activity) {
    case Span::Activity::Running:
    case Span::Activity::ReadyToRun:
    case Span::Activity::Sleeping:
    case Span::Activity::Busy:
    case Span::Activity::Failed:
        return true;
    default:
        return false;
    }
}

QString memoryText(const AppendLog<ProcessSample> &samples, qint64 timeNs)
{
    // The last sample of a process that has ended holds no memory.
    for (std::size_t at = sampleCountUntil(samples, timeNs); at-- > 0;) {
        if (samples[at].residentBytes > 0)
            return bytesText(samples[at].privateBytes());
    }
    return unknownFact;
}

} // namespace

QList<CardContent::Fact> processFacts(const RunLog &log, const ProcessRecord &record,
                                      const ProcessLive &live, qint64 timeNs,
                                      const ItemNames &names)
{
    using Tone = CardContent::Fact::Tone;
    const RunLog::Lane &lane = log.lane(live.process);
    const CardContent::Fact last{StageView::tr("Last"), lastWorkText(lane.spans, timeNs, names)};
    const CardContent::Fact memory{StageView::tr("Private"), memoryText(lane.samples, timeNs)};
    if (live.process == 0) // It is the lab itself, whose other threads count for nothing here.
        return {last, memory};
    const auto ready = std::lround(100 * live.readyShare);
    return {{StageView::tr("CPU"), durationText(record.cpuSeconds)},
            last,
            {StageView::tr("Ready"), StageView::tr("%1\u00A0%").arg(ready),
             live.readyShare >= notedReadyShare ? Tone::Warning : Tone::Plain},
            memory};
}

QString lastWorkText(const AppendLog<Span> &spans, qint64 timeNs, const ItemNames &names)
{
    for (std::size_t at = spans.size(); at-- > 0;) {
        const Span span = spans[at];
        if (span.endNs > timeNs || !isWork(span.activity))
            continue;
        qint64 spentNs = span.endNs - span.startNs;
        const bool isSummary = span.activity == Span::Activity::Busy;
        // What waits have cut into pieces is one task or item.
        while (!isSummary && at-- > 0 &&
               (!isWork(spans[at].activity) || spans[at].index == span.index))
            spentNs += isWork(spans[at].activity) ? spans[at].endNs - spans[at].startNs : 0;
        const double seconds = static_cast<double>(spentNs) / 1e9;
        if (isSummary)
            return StageView::tr("%1 each").arg(
                durationText(seconds * span.busy / std::max(1u, span.count)));
        return names.nameOf(span.index) % u' ' % durationText(seconds);
    }
    return unknownFact;
}

} // namespace proclab
