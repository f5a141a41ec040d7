// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/explain/explanation.h"

#include "core/base/quantity_text.h"
#include "core/experiment/run/death_facts.h"
#include "core/experiment/run/run_result.h"
#include "core/experiment/spec/kind.h"

#include <QCoreApplication>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

class ExplanationText
{
    Q_DECLARE_TR_FUNCTIONS(Explanation)
};

QString crashText(const RunResult &result, const RunNote &note)
{
    const RunLog &log = *result.log;
    const QList<ProcessRecord> processes = log.processes();
    const auto process = static_cast<int>(note.integer("process"_L1));
    const ProcessRecord &dead = processes.at(process);
    const bool isReplaced = note.facts.contains("successor"_L1);
    const TaskRecord *task = nullptr;
    if (note.facts.contains("task"_L1))
        task = &log.tasks[static_cast<std::size_t>(note.integer("task"_L1))];
    QString when = durationText(static_cast<double>(dead.endNs) / 1e9);
    if (note.facts.contains("spent_s"_L1))
        when = ExplanationText::tr("%1, %2 into its task")
                   .arg(when, durationText(note.number("spent_s"_L1)));
    QStringList sentences;
    if (dead.signal != 0)
        sentences << ExplanationText::tr("%1 was ended by %2 after %3.")
                         .arg(dead.name, signalName(dead.signal), when);
    else
        sentences << ExplanationText::tr("%1 ended with exit code %2 after %3.")
                         .arg(dead.name, QString::number(dead.exitCode), when);
    if (const Kind *kind = result.spec.kindInfo(); kind->deathText)
        sentences << kind->deathText({log, result.spec, process, task, isReplaced});
    if (isReplaced)
        sentences << ExplanationText::tr("%1 took its place %2 later.")
                         .arg(processes.at(note.integer("successor"_L1)).name,
                              durationText(note.number("replaced_after_s"_L1)));
    if (const qint64 others = note.integer("deaths"_L1) - 1; others == 1)
        sentences << ExplanationText::tr("One more process died.");
    else if (others > 1)
        sentences << ExplanationText::tr("%1 more processes died.").arg(others);
    sentences.removeAll(QString());
    return sentences.join(u' ');
}

QString coresText(const RunNote &note)
{
    const qint64 cores = note.integer("cores"_L1);
    return cores == 1 ? ExplanationText::tr("1 core") : ExplanationText::tr("%1 cores").arg(cores);
}

QString processesText(const RunNote &note)
{
    const qint64 processes = note.integer("processes"_L1);
    return processes == 1 ? ExplanationText::tr("1 process")
                          : ExplanationText::tr("%1 processes").arg(processes);
}

QString crowdText(const RunResult &result, const RunNote &note)
{
    const QString text =
        ExplanationText::tr("The processes waited for a core %1 of their time: %2 shared %3.")
            .arg(shareText(note.number("ready_share"_L1)), processesText(note), coresText(note));
    if (result.spec.kindInfo()->crewField.isEmpty())
        return text;
    return text % u' ' %
           ExplanationText::tr(
               "As many processes as cores would do the same work with less waiting.");
}

QString startText(const RunNote &note)
{
    QString text = ExplanationText::tr("Until %1 stood ready took %2 (%3), the work itself %4.")
                       .arg(processesText(note), durationText(note.number("startup_s"_L1)),
                            note.facts.value("method"_L1).toString(),
                            durationText(note.number("elapsed_s"_L1)));
    text += u' ';
    if (!note.facts.contains("cheaper"_L1))
        return text + ExplanationText::tr("More work for each process makes the start weigh less.");
    return text + ExplanationText::tr("A start by %1 was measured at %2, by %3 at %4.")
                      .arg(note.facts.value("method"_L1).toString(),
                           durationText(note.number("method_s"_L1)),
                           note.facts.value("cheaper"_L1).toString(),
                           durationText(note.number("cheaper_s"_L1)));
}

QString anyKindsText(const RunResult &result, const RunNote &note)
{
    const QByteArray &rule = note.code;
    if (rule == "crash")
        return crashText(result, note);
    if (rule == "oversubscribed")
        return crowdText(result, note);
    if (rule == "cores_taken")
        return ExplanationText::tr(
                   "The processes waited for a core %1 of their time, though the run used only %2 "
                   "of %3: other programs, or the lab itself, had the rest. Measure again when the "
                   "machine is quiet.")
            .arg(shareText(note.number("ready_share"_L1)),
                 QString::number(note.number("used_cores"_L1), 'f', 2), coresText(note));
    if (rule == "cpu_bound")
        return ExplanationText::tr("CPU-bound: %1 of %2 were in use on average. Only less work or "
                                   "more cores would make it faster, not more processes.")
            .arg(QString::number(note.number("used_cores"_L1), 'f', 2), coresText(note));
    if (rule == "startup")
        return startText(note);
    if (rule == "no_data")
        return ExplanationText::tr("There is nothing to explain: no process came to do any work.");
    if (rule == "too_short")
        return ExplanationText::tr("The run took %1. How its processes spent their time is known "
                                   "from %2 on; more work would tell.")
            .arg(durationText(note.number("elapsed_s"_L1)),
                 durationText(note.number("least_s"_L1)));
    if (rule == "no_samples")
        return ExplanationText::tr("How the processes spent their time is not known: the system "
                                   "gave no figures of them.");
    if (rule == "cut_short")
        return ExplanationText::tr("The run was ended after %1, before its work was done: what is "
                                   "said here is of that time.")
            .arg(durationText(note.number("elapsed_s"_L1)));
    if (rule == "nothing")
        return ExplanationText::tr("Nothing stood out in this run.");
    return {};
}

QString valueText(const QJsonValue &value)
{
    if (value.isBool())
        return value.toBool() ? ExplanationText::tr("on") : ExplanationText::tr("off");
    return value.isString() ? value.toString() : QString::number(value.toDouble(), 'g', 12);
}

} // namespace

QString explanationText(const RunResult &result, const Explanation &explanation)
{
    const RunNote &note = explanation.note;
    const Kind *kind = result.spec.kindInfo();
    QString text;
    if (!note.code.contains('.'))
        text = anyKindsText(result, note);
    else if (kind && kind->explanationText)
        text = kind->explanationText(*result.log, note);
    return text.isEmpty() ? QString::fromUtf8(note.code) : text; // Of a newer program.
}

QString trialText(const ExperimentSpec &spec, const QJsonObject &trial)
{
    QStringList parts;
    const Kind *kind = spec.kindInfo();
    for (const Field &field : kind ? kind->schema : Schema()) {
        if (trial.contains(field.path))
            parts << ExplanationText::tr("%1 %2 instead of %3")
                         .arg(field.label, valueText(trial.value(field.path)),
                              valueText(spec.value(field.path)));
    }
    return parts.join(u", "_s);
}

} // namespace proclab
