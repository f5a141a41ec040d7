// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/program/program_kind.h"

#include "core/base/number_text.h"
#include "core/base/signal_name.h"
#include "core/experiment/run/death_facts.h"
#include "core/experiment/run/run_measures.h"
#include "core/experiment/run/runner.h"
#include "core/experiment/spec/field_check.h"
#include "core/experiment/spec/kind.h"
#include "core/experiment/spec/schema.h"
#include "core/experiment/spec/spec.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonObject>
#include <QStandardPaths>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int mostInstances = 128; // Each has five descriptors of the lab's.
constexpr int mostArguments = 1'000;
constexpr int longestInput = 1 << 16;

class ProgramKindText
{
    Q_DECLARE_TR_FUNCTIONS(ProgramKind)
};

Schema callFields(const QString &group)
{
    return {
        {.path = u"program.command"_s,
         .type = Field::Type::TextList,
         .group = group,
         .label = ProgramKindText::tr("Command"),
         .help = ProgramKindText::tr(
             "The program and its arguments, one a line. They are handed over as they stand, no "
             "shell reads them: a *, a $ or a ; is only a character."),
         .minimum = 1,
         .maximum = mostArguments,
         .defaultValue = QJsonArray{u"ls"_s, u"-l"_s},
         .defaultText = u"ls -l"_s},
        {.path = u"program.stdin"_s,
         .type = Field::Type::Text,
         .group = group,
         .label = ProgramKindText::tr("Standard input"),
         .help = ProgramKindText::tr(
             "What the program can read, and then the end. Without a text and with a single "
             "program, the window lets you type while it runs."),
         .minimum = 0,
         .maximum = longestInput,
         .defaultValue = QString(),
         .manyLines = true},
        {.path = u"program.timeout_s"_s,
         .type = Field::Type::Number,
         .group = group,
         .label = ProgramKindText::tr("Timeout"),
         .unit = u"s"_s,
         .help = ProgramKindText::tr("After so long the program is killed, with all that it has "
                                     "started. 0: no limit."),
         .minimum = 0,
         .maximum = 1e6,
         .defaultValue = 0},
        {.path = u"program.check"_s,
         .type = Field::Type::Flag,
         .group = group,
         .label = ProgramKindText::tr("Check the exit code"),
         .help = ProgramKindText::tr("An end with another exit code than 0, or by a signal, is a "
                                     "failure of the run."),
         .defaultValue = false},
        {.path = u"program.instances"_s,
         .type = Field::Type::Integer,
         .group = group,
         .label = ProgramKindText::tr("Instances"),
         .unit = ProgramKindText::tr("programs"),
         .help = ProgramKindText::tr("So many of it run side by side."),
         .minimum = 1,
         .maximum = mostInstances,
         .defaultValue = 1},
    };
}

Schema surroundingsFields(const QString &group)
{
    return {
        {.path = u"program.encoding"_s,
         .type = Field::Type::Choice,
         .group = group,
         .label = ProgramKindText::tr("Encoding"),
         .help = ProgramKindText::tr("How the bytes of input and output are text. What is none "
                                     "becomes \"\uFFFD\"."),
         .choices = {u"utf-8"_s, u"latin-1"_s, u"utf-16-le"_s, u"utf-16-be"_s},
         .defaultValue = u"utf-8"_s,
         .advanced = true},
        {.path = u"program.environment"_s,
         .type = Field::Type::TextMap,
         .group = group,
         .label = ProgramKindText::tr("Environment"),
         .help = ProgramKindText::tr("Variables that the program gets beside those of the lab, or "
                                     "in their place."),
         .minimum = 0,
         .maximum = mostArguments,
         .defaultValue = QJsonObject(),
         .advanced = true,
         .defaultText = ProgramKindText::tr("none")},
        {.path = u"program.working_directory"_s,
         .type = Field::Type::Text,
         .group = group,
         .label = ProgramKindText::tr("Working directory"),
         .help = ProgramKindText::tr("Where the program starts. Empty: where the lab did."),
         .minimum = 0,
         .maximum = 4'096,
         .defaultValue = QString(),
         .advanced = true},
    };
}

void addFault(const QString &path, const QString &found, const QString &allowed,
              QList<Error> &faults)
{
    faults.append(invalidArgument(path, found, SpecText::tr("allowed: %1").arg(allowed)));
}

/// Looks for it, and starts nothing.
void checkProgramFile(const ExperimentSpec &spec, QList<Error> &faults)
{
    const QString path = u"program.command.0"_s;
    const QString name = spec.value(u"program.command"_s).toArray().at(0).toString();
    const QString program = foundText(name);
    if (name.isEmpty()) {
        addFault(path, ProgramKindText::tr("an empty text"),
                 ProgramKindText::tr("the name or the path of a program"), faults);
        return;
    }
    if (!name.contains(u'/')) {
        const QString own = spec.value(u"program.environment"_s).toObject()[u"PATH"_s].toString();
        const QStringList folders = own.split(u':', Qt::SkipEmptyParts);
        if (QStandardPaths::findExecutable(name, folders).isEmpty())
            addFault(path, ProgramKindText::tr("%1 is not in PATH").arg(program),
                     ProgramKindText::tr("a program in PATH, or a path with a \"/\""), faults);
        return;
    }
    const QFileInfo file(QDir(spec.text(u"program.working_directory"_s)), name);
    const QString allowed = ProgramKindText::tr("a file that may be executed");
    if (!file.exists())
        addFault(path, ProgramKindText::tr("%1 does not exist").arg(program), allowed, faults);
    else if (!file.isFile())
        addFault(path, ProgramKindText::tr("%1 is no file").arg(program), allowed, faults);
    else if (!file.isExecutable())
        addFault(path, ProgramKindText::tr("%1 may not be executed").arg(program), allowed, faults);
}

void checkZeros(const QString &path, const QString &text, QList<Error> &faults)
{
    if (text.contains(QChar(0)))
        addFault(path, ProgramKindText::tr("%1 has a zero byte").arg(foundText(text)),
                 ProgramKindText::tr("a text without one"), faults);
}

void checkProgram(const ExperimentSpec &spec, QList<Error> &faults)
{
    checkTime(spec, u"program.timeout_s"_s, faults);
    const QString folder = spec.text(u"program.working_directory"_s);
    checkZeros(u"program.working_directory"_s, folder, faults);
    if (!folder.isEmpty() && !QFileInfo(folder).isDir())
        addFault(u"program.working_directory"_s,
                 ProgramKindText::tr("%1 is no folder").arg(foundText(folder)),
                 ProgramKindText::tr("a folder that exists"), faults);
    const QJsonArray command = spec.value(u"program.command"_s).toArray();
    for (qsizetype i = 0; i < command.size(); ++i)
        checkZeros(u"program.command."_s % QString::number(i), command[i].toString(), faults);
    if (!command.isEmpty() && command[0].isString())
        checkProgramFile(spec, faults);
    const QJsonObject environment = spec.value(u"program.environment"_s).toObject();
    for (auto entry = environment.begin(); entry != environment.end(); ++entry) {
        const QString path = u"program.environment."_s % printable(entry.key());
        checkZeros(path, entry->toString(), faults);
        if (entry.key().isEmpty() || entry.key().contains(u'=') || entry.key().contains(QChar(0)))
            addFault(path, ProgramKindText::tr("%1 is no name").arg(foundText(entry.key())),
                     ProgramKindText::tr("names without \"=\" and zero bytes"), faults);
    }
}

QList<GaugeChart> programCharts()
{
    return {
        {.title = ProgramKindText::tr("Programs"),
         .unit = ProgramKindText::tr("alive"),
         .series = {{{}, ProgramGauges::Alive}},
         .steps = true,
         .help = ProgramKindText::tr("Programs that were started and have not ended.")},
        {.title = ProgramKindText::tr("Processes"),
         .unit = ProgramKindText::tr("alive"),
         .series = {{{}, ProgramGauges::Tree}},
         .steps = true,
         .help = ProgramKindText::tr("The programs, with the processes that they have started.")},
        {.title = ProgramKindText::tr("Output"),
         .unit = ProgramKindText::tr("bytes"),
         .series = {{u"stderr"_s, ProgramGauges::ErrorBytes},
                    {u"stdout"_s, ProgramGauges::OutputBytes}},
         .steps = true,
         .help = ProgramKindText::tr("What the programs have written so far, kept or not.")},
    };
}

/// What became of a single program.
QString endText(const RunNote &note)
{
    const auto code = static_cast<int>(note.integer("exit_code"_L1));
    if (note.integer("timed_out"_L1) > 0)
        return ProgramKindText::tr("The program did not end in time, and was killed");
    if (const auto signal = static_cast<int>(note.integer("signal"_L1)); signal != 0)
        return ProgramKindText::tr("The program was ended by %1").arg(signalName(signal));
    return ProgramKindText::tr("The program ended with exit code %1").arg(code);
}

QString programNoteText(const RunLog &, const RunNote &note)
{
    const QByteArray &code = note.code;
    if (code == "program.timed_out")
        return ProgramKindText::tr("The timeout was reached: the program and all that it has "
                                   "started are killed");
    if (code == "program.left_behind") {
        const qint64 count = note.integer("processes"_L1);
        return count == 1 ? ProgramKindText::tr("It left a process behind, which was killed")
                          : ProgramKindText::tr("It left %1 processes behind, which were killed")
                                .arg(count);
    }
    if (code == "program.output_dropped")
        return ProgramKindText::tr("It writes more than is kept: from here on the output is read "
                                   "and dropped");
    if (code != "program.ended")
        return {};
    const qint64 all = note.integer("programs"_L1);
    QString text = all == 1 ? endText(note)
                            : ProgramKindText::tr("%1 of %2 programs ended with exit code 0")
                                  .arg(note.integer("good"_L1))
                                  .arg(all);
    if (const qint64 dropped = note.integer("dropped"_L1); dropped > 0)
        text +=
            ProgramKindText::tr("; %1 bytes of output were not kept").arg(groupedNumber(dropped));
    return text;
}

QString programDeathText(const DeathFacts &facts)
{
    return facts.spec.value(u"program.check"_s).toBool()
               ? ProgramKindText::tr("What it had written is kept. With check=True Python raises "
                                     "CalledProcessError.")
               : ProgramKindText::tr("What it had written is kept. Python's run() returns, and the "
                                     "code stands in returncode.");
}

QList<Measure> programMeasures()
{
    return {
        {.key = u"exit_code"_s, .title = ProgramKindText::tr("Exit code"), .read = outcomeFigure},
        {.key = u"dropped_bytes"_s,
         .title = ProgramKindText::tr("Output not kept"),
         .unit = u"bytes"_s,
         .better = Measure::Better::Lower,
         .read = outcomeFigure},
    };
}

QList<PresetInfo> programPresets()
{
    return {
        {u"program-ls"_s, ProgramKindText::tr("A program's output"),
         ProgramKindText::tr("Runs `ls -l /` and reads what it prints, as subprocess.run() does.")},
        {u"program-no-shell"_s, ProgramKindText::tr("No shell reads it"),
         ProgramKindText::tr("echo gets $HOME, *.txt and ; as they stand: without a shell they are "
                             "only characters.")},
        {u"program-python"_s, ProgramKindText::tr("A conversation with Python"),
         ProgramKindText::tr("python3 -i waits for what you type below its output; Ctrl+D ends "
                             "it.")},
        {u"program-timeout"_s, ProgramKindText::tr("Ended by its timeout"),
         ProgramKindText::tr("sleep 60 has one second: then it is killed, and the run has "
                             "failed.")},
        {u"program-exit-code"_s, ProgramKindText::tr("A checked exit code"),
         ProgramKindText::tr(
             "ls finds nothing, says so on stderr and ends with code 2; check makes "
             "that a failure.")},
    };
}

} // namespace

Kind programKind()
{
    Kind kind;
    kind.name = u"program"_s;
    kind.title = ProgramKindText::tr("Program");
    kind.subtitle = ProgramKindText::tr("External programs and what they print");
    kind.code = u"subprocess.run({program.command}, capture_output=True, check={program.check})"_s;
    const QString group = ProgramKindText::tr("Program");
    kind.schema = callFields(group) + surroundingsFields(group) + runFields(kind.name);
    kind.items = ProgramKindText::tr("programs");
    kind.roles = {{.name = u"program"_s,
                   .title = ProgramKindText::tr("Program"),
                   .plural = ProgramKindText::tr("Programs")}};
    kind.gauges = {u"alive"_s, u"tree"_s, u"stdout_bytes"_s, u"stderr_bytes"_s};
    kind.charts = programCharts();
    kind.measures = runMeasures() + programMeasures();
    kind.presets = programPresets();
    kind.check = checkProgram;
    kind.noteText = programNoteText;
    kind.deathText = programDeathText;
    kind.makeRunner = makeProgramRunner;
    return kind;
}

} // namespace proclab
