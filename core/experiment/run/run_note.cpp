// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/run_note.h"

#include "core/experiment/run/run_result.h"
#include "core/experiment/spec/kind.h"

#include <QCoreApplication>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

class RunNoteText
{
    Q_DECLARE_TR_FUNCTIONS(RunNote)
};

QString nameOf(const QList<ProcessRecord> &processes, qint64 process)
{
    return process >= 0 && process < processes.size() ? processes[process].name : QString();
}

/// The text of a note of one kind; its code if it comes from a newer program.
QString kindsText(const RunLog &log, const RunNote &note)
{
    const qsizetype dot = note.code.indexOf('.');
    const Kind *kind = dot > 0 ? findKind(QString::fromLatin1(note.code.first(dot))) : nullptr;
    const QString text = kind && kind->noteText ? kind->noteText(log, note) : QString();
    return text.isEmpty() ? QString::fromUtf8(note.code) : text;
}

} // namespace

Error RunNote::error() const
{
    return {static_cast<ErrorCode>(integer("error"_L1)), facts.value("subject"_L1).toString(),
            facts.value("found"_L1).toString(), facts.value("allowed"_L1).toString(),
            static_cast<int>(integer("system_code"_L1))};
}

RunNote errorNote(const QByteArray &code, const Error &error)
{
    return {code,
            {{"error"_L1, static_cast<int>(error.code)},
             {"subject"_L1, error.subject},
             {"found"_L1, error.found},
             {"allowed"_L1, error.allowed},
             {"system_code"_L1, error.systemCode}}};
}

QString eventText(const RunLog &log, const RunEvent &event)
{
    const RunNote &note = event.note;
    const QByteArray &code = note.code;
    if (code == "engine_failed")
        return errorText(note.error());
    if (code == "time_limit")
        return RunNoteText::tr("The run's time limit was reached");
    if (code == "gate_open")
        return note.integer("processes"_L1) == 1
                   ? RunNoteText::tr("Gate open: 1 process stands ready")
                   : RunNoteText::tr("Gate open: %1 processes stand ready")
                         .arg(note.integer("processes"_L1));
    if (code == "task_failed") {
        const auto task = static_cast<std::size_t>(note.integer("task"_L1));
        return task < log.tasks.size() ? taskErrorText(log, log.tasks[task]) : QString();
    }
    if (code == "more_failures")
        return RunNoteText::tr("More failures stand in the results only");
    if (code == "worker_missing")
        return RunNoteText::tr(
                   "A worker could not be started and is tried again, the others go on: %1")
            .arg(errorText(note.error()));
    const QList<ProcessRecord> processes = log.processes();
    const QString name = nameOf(processes, event.process);
    if (code == "process_replaced")
        return RunNoteText::tr("%1 took the place of %2 after %3 ms")
            .arg(name, nameOf(processes, note.integer("replaces"_L1)),
                 QString::number(note.number("after_ms"_L1), 'f', 1));
    if (code == "process_signalled")
        return RunNoteText::tr("%1 was ended by %2")
            .arg(name, signalName(static_cast<int>(note.integer("signal"_L1))));
    if (code == "process_exited")
        return RunNoteText::tr("%1 ended with exit code %2")
            .arg(name)
            .arg(note.integer("exit_code"_L1));
    return kindsText(log, note);
}

QString noticeText(const RunResult &result)
{
    return result.notice.isEmpty() ? QString() : kindsText(*result.log, result.notice);
}

} // namespace proclab
