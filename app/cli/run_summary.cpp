// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/run_summary.h"

#include "app/cli/console.h"
#include "core/experiment/explain/explanation.h"
#include "core/experiment/spec/field_check.h"
#include "core/experiment/spec/kind.h"

#include <QCoreApplication>

#include <algorithm>
#include <cmath>
#include <utility>

using namespace Qt::StringLiterals;

namespace proclab::cli {

namespace {

constexpr int mostFailures = 10;
constexpr int mostProcesses = 32;
constexpr qsizetype mostTextLines = 20;

QString tr(const char *text)
{
    return QCoreApplication::translate("RunSummary", text);
}

QString totalsLine(const RunResult &result)
{
    const RunTotals &totals = result.totals;
    const Kind *kind = result.spec.kindInfo();
    const bool hasTasks = kind && kind->hasTasks;
    const bool isOne = totals.tasks == 1;
    QString line =
        hasTasks
            ? (isOne ? tr("%1 of %2 task done in %3") : tr("%1 of %2 tasks done in %3"))
            : (isOne ? tr("%1 of %2 process done in %3") : tr("%1 of %2 processes done in %3"));
    line = line.arg(QString::number(totals.done), QString::number(totals.tasks),
                    secondsText(result.elapsedSeconds));
    if (hasTasks)
        line += tr(", %1 tasks/s").arg(rateText(totals.throughputPerS));
    const auto addCount = [&line](const QString &text, quint64 count) {
        if (count > 0)
            line += u", "_s % text.arg(count);
    };
    addCount(tr("%1 failed"), totals.failed);
    addCount(tr("%1 cancelled"), totals.cancelled);
    addCount(tr("%1 lost"), totals.lost);
    addCount(tr("%1 retried"), totals.retried);
    return line %
           tr(" (start-up %1, seed %2)\n").arg(secondsText(result.startupSeconds)).arg(result.seed);
}

QString figureText(double value, const QString &unit)
{
    if (unit == u"s"_s && value > 0 && value < 1)
        return value < 0.001 ? tr("%1 µs").arg(rateText(value * 1e6))
                             : tr("%1 ms").arg(rateText(value * 1e3));
    return QString(rateText(value) % u' ' % unit).trimmed();
}

/// The begin of a text of several lines.
QString textLines(const QString &title, const QString &text)
{
    const QStringList lines = text.trimmed().split(u'\n');
    QString shown = u"  %1:\n"_s.arg(title);
    for (const QString &line : lines.first(std::min(lines.size(), mostTextLines)))
        shown += u"    "_s % onOneLine(line) % u'\n';
    if (lines.size() > mostTextLines)
        shown += u"    "_s % tr("… and %1 lines more").arg(lines.size() - mostTextLines) % u'\n';
    return shown;
}

/// The figures of the outcome, then what it says in words.
QString outcomeLines(const RunResult &result)
{
    const QJsonObject outcome = result.outcome.toObject();
    const Kind *kind = result.spec.kindInfo();
    QList<std::pair<QString, QString>> figures;
    for (const Measure &measure : kind ? kind->measures : QList<Measure>()) {
        if (!outcome.contains(measure.key))
            continue;
        if (const auto value = measure.of(result))
            figures.append({measure.title, figureText(*value, measure.unit)});
    }
    QString texts;
    for (auto member = outcome.begin(); member != outcome.end(); ++member) {
        const QString title = QString(member.key()).replace(u'_', u' ');
        if (member->toString().contains(u'\n'))
            texts += textLines(title, member->toString());
        else if (member->isString() && !member->toString().isEmpty())
            figures.append({title, onOneLine(member->toString())});
    }
    qsizetype width = 0;
    for (const auto &[title, value] : figures)
        width = std::max(width, title.size() + 1);
    QString text;
    for (const auto &[title, value] : figures)
        text += u"  %1 %2\n"_s.arg(QString(title % u':').leftJustified(width), value);
    return text % texts;
}

QString processLines(const RunLog &log)
{
    QString text;
    int shown = 0;
    const QList<ProcessRecord> processes = log.processes();
    for (const ProcessRecord &process : processes) {
        if (process.isParent())
            continue;
        if (++shown > mostProcesses) {
            text += tr("  … and %1 more\n").arg(processes.size() - 1 - mostProcesses);
            break;
        }
        QString end;
        if (process.signal != 0)
            end = tr(", ended by %1").arg(signalName(process.signal));
        else if (process.exitCode != 0)
            end = tr(", exit code %1").arg(process.exitCode);
        text += tr("  %1 pid %2 %3 done, CPU %4%5\n")
                    .arg(process.name, -12)
                    .arg(process.pid, -8)
                    .arg(process.done, 8)
                    .arg(secondsText(process.cpuSeconds), end);
    }
    return text;
}

} // namespace

QString secondsText(double seconds)
{
    if (seconds < 60)
        return tr("%1 s").arg(seconds, 0, 'f', seconds < 10 ? 3 : 2);
    const auto minutes = static_cast<qint64>(seconds / 60);
    return u"%1:%2"_s.arg(minutes).arg(seconds - static_cast<double>(minutes) * 60, 4, 'f', 1,
                                       u'0');
}

QString rateText(double perSecond)
{
    if (std::floor(perSecond) == perSecond || perSecond >= 1000)
        return numberText(std::round(perSecond));
    return QString::number(perSecond, 'g', 4);
}

QString rateUnit(const ExperimentSpec &spec)
{
    const Kind *kind = spec.kindInfo();
    return (kind ? kind->items : QString()) % u"/s"_s;
}

QString summaryText(const RunResult &result)
{
    QString text = onOneLine(result.spec.text(u"title"_s)) % u": "_s % totalsLine(result);
    text += processLines(*result.log);
    text += outcomeLines(result);
    if (!result.notice.isEmpty())
        text += noticeText(result) % u'\n';
    return text;
}

QString explainText(const RunResult &result)
{
    QString text = tr("Explain:\n");
    for (const Explanation &explanation : explain(result)) {
        text += u"  "_s % explanationText(result, explanation) % u'\n';
        for (auto value = explanation.trial.begin(); value != explanation.trial.end(); ++value)
            text +=
                tr("    Try: --set %1=%2\n").arg(value.key(), value.value().toVariant().toString());
    }
    return text;
}

void printFailures(const RunResult &result)
{
    if (result.engineError)
        printErrors({*result.engineError});
    if (result.timeLimitReached)
        printError(tr("time_limit_s: the run was ended after %1")
                       .arg(secondsText(result.spec.number(u"time_limit_s"_s))));
    if (!result.timeoutField.isEmpty())
        printError(
            tr("%1: the time was up after %2")
                .arg(result.timeoutField, secondsText(result.spec.number(result.timeoutField))));
    const RunLog &log = *result.log;
    quint64 failures = 0;
    for (std::size_t i = 0; i < log.tasks.size(); ++i) {
        const TaskRecord &task = log.tasks[i];
        const bool isFailure = task.status == TaskStatus::Failed || task.status == TaskStatus::Lost;
        if (isFailure && !result.engineError && ++failures <= mostFailures)
            printError(taskErrorText(log, task));
    }
    if (failures > mostFailures)
        printError(tr("%1 more failed").arg(failures - mostFailures));
}

} // namespace proclab::cli
