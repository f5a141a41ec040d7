// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/run/run_summary.h"

#include "core/experiment/python/python_literal.h"
#include "core/experiment/run/run_status.h"
#include "core/experiment/spec/kind.h"
#include "ui/experiment/form/field_editor.h"
#include "ui/shared/theme.h"

#include <QCoreApplication>
#include <QStringList>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

QString tr(const char *text)
{
    return QCoreApplication::translate("RunSummary", text);
}

QString grouped(quint64 number)
{
    return groupedNumber(static_cast<qint64>(number));
}

/// "340 per second", in the kind's own unit of work; empty if none was measured.
QString rateText(const RunResult &result)
{
    const Kind *kind = result.spec.kindInfo();
    for (const Measure &measure : kind ? kind->measures : QList<Measure>()) {
        const double value = measure.sentence.isEmpty() ? 0 : measure.of(result).value_or(0);
        if (value > 0)
            return measure.sentence.arg(shortNumber(value));
    }
    return {};
}

/// "in 1.2 s, 340 per second"
QString measured(const RunResult &result)
{
    const QString time = tr("in %1").arg(durationText(result.elapsedSeconds));
    const QString rate = rateText(result);
    return rate.isEmpty() ? time : tr("%1, %2").arg(time, rate);
}

/// A long list, which has a line for each entry.
QString onOneLine(QString literal)
{
    return literal.replace(u"[\n    "_s, u"["_s)
        .replace(u",\n    "_s, u", "_s)
        .replace(u",\n]"_s, u"]"_s);
}

QString progressOf(const RunResult &result)
{
    const WorkCounts work = result.work();
    return progressText(work.done, work.total, work.failed, work.lost);
}

/// "Processes that failed: 1 of 5 · 79 of 80 done, 1 failed"; of a pool, the processes of which
/// come and go, the tasks alone.
QString failureOf(const RunResult &result)
{
    const RunTotals &totals = result.totals;
    const Kind *kind = result.spec.kindInfo();
    if (kind && kind->hasTasks)
        return progressOf(result);
    return tr("Processes that failed: %1 of %2 · %3")
        .arg(grouped(totals.failed + totals.lost), grouped(totals.tasks), progressOf(result));
}

/// The first sentence is the notice where there is one; how far the run came always follows.
QString detailOf(const RunResult &result, bool noticeIsTitle)
{
    QStringList parts;
    if (!noticeIsTitle && !result.notice.isEmpty())
        parts << noticeText(result);
    if (noticeIsTitle || result.stopped || result.timeLimitReached)
        parts << progressOf(result);
    parts << measured(result);
    return parts.join(u" · "_s);
}

} // namespace

RunSummary summaryOf(const RunResult &result)
{
    const RunTotals &totals = result.totals;
    if (result.engineError)
        return {Banner::Tone::Error, tr("The run could not go on"), errorText(*result.engineError)};
    if (result.timeLimitReached)
        return {Banner::Tone::Warning, tr("The time limit ended the run"), detailOf(result, false)};
    if (result.stopped)
        return {Banner::Tone::Info, tr("Stopped. What was measured so far is kept"),
                detailOf(result, false)};
    if (totals.failed > 0 || totals.lost > 0)
        return {Banner::Tone::Error, failureOf(result), detailOf(result, false)};
    if (!result.notice.isEmpty())
        return {result.noticeIsGood ? Banner::Tone::Good : Banner::Tone::Warning,
                noticeText(result), detailOf(result, true)};
    return {
        Banner::Tone::Good,
        tr("%1 done in %2").arg(grouped(result.work().done), durationText(result.elapsedSeconds)),
        rateText(result)};
}

QString codeLine(const ExperimentSpec &spec)
{
    const Kind *kind = spec.kindInfo();
    if (kind == nullptr)
        return {};
    QString line;
    qsizetype at = 0;
    while (true) {
        const qsizetype open = kind->code.indexOf(u'{', at);
        const qsizetype close = open < 0 ? -1 : kind->code.indexOf(u'}', open);
        if (close < 0)
            break;
        line += kind->code.sliced(at, open - at);
        const QJsonValue value = spec.value(kind->code.sliced(open + 1, close - open - 1));
        const bool isLiteral = value.isBool() || value.isArray();
        line += isLiteral ? onOneLine(pythonLiteral(value)) : valueText(value);
        at = close + 1;
    }
    return line + kind->code.sliced(at);
}

} // namespace proclab
