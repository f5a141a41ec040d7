// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/run_command.h"

#include "app/cli/console.h"
#include "app/cli/exit_status.h"
#include "app/cli/output_file.h"
#include "app/cli/python_comparison.h"
#include "app/cli/run_progress.h"
#include "app/cli/run_summary.h"
#include "app/cli/spec_argument.h"
#include "core/base/signal_watcher.h"
#include "core/experiment/python/python_script.h"
#include "core/experiment/run/experiment_run.h"
#include "core/experiment/run/trace_json.h"
#include "core/process/engine.h"

#include <QCoreApplication>
#include <QEventLoop>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

using namespace Qt::StringLiterals;

namespace proclab::cli {

namespace {

using WriteFunction = bool (*)(const RunResult &result, QIODevice &device);

/// A place that the result goes to.
struct Output
{
    QString option; ///< "--json"
    QString name;
    WriteFunction write = nullptr;
    std::unique_ptr<OutputFile> file = nullptr;
};

/// In the order in which they are written.
std::vector<Output> outputsOf(const CommandLine &line)
{
    std::vector<Output> outputs;
    const auto add = [&](const QString &option, WriteFunction write) {
        if (line.has(option))
            outputs.push_back({option, line.value(option), write});
    };
    add(u"--json"_s, writeResultJson);
    add(u"--csv"_s, writeResultCsv);
    add(u"--trace"_s, writeTraceJson);
    return outputs;
}

Result<std::vector<Output>> openOutputs(const CommandLine &line)
{
    std::vector<Output> outputs = outputsOf(line);
    for (auto output = outputs.begin(); output != outputs.end(); ++output) {
        if (output->name.isEmpty())
            return invalidArgument(
                output->option,
                QCoreApplication::translate("RunCommand", "the name of a file is missing"), {});
        const auto other = std::find_if(outputs.begin(), output, [&](const Output &before) {
            return before.name == output->name;
        });
        if (other != output)
            return invalidArgument(
                output->option,
                QCoreApplication::translate("RunCommand", "\"%1\" is also where %2 goes")
                    .arg(output->name, other->option),
                QCoreApplication::translate("RunCommand", "allowed: another file"));
        auto file = OutputFile::open(output->name);
        if (!file)
            return file.error();
        output->file = std::move(*file);
    }
    return outputs;
}

/// False, with one line said, if it could not be written.
bool writeTo(const Output &output, const RunResult &result)
{
    errno = 0;
    output.write(result, output.file->device()); // What went wrong is told by commit().
    if (const auto committed = output.file->commit(); !committed) {
        printErrors({committed.error()});
        return false;
    }
    return true;
}

/// Waits for the end of @p run; the signal that cut it short, or 0.
int waitForEnd(ExperimentRun &run)
{
    int signal = 0;
    SignalWatcher watcher;
    QEventLoop loop;
    QObject::connect(&run, &ExperimentRun::ended, &loop, &QEventLoop::quit);
    QObject::connect(&watcher, &SignalWatcher::signalled, &run, [&](int number) {
        signal = number;
        run.stop();
    });
    const Result<void> started = run.start();
    if (!started) {
        printErrors({started.error()});
        return -1;
    }
    loop.exec();
    return signal;
}

} // namespace

int runExperiment(const CommandLine &line)
{
    QList<Error> faults;
    const auto spec = readSpec(line.operands.first(), line.options.value(u"--set"_s), faults);
    if (!spec) {
        printErrors(faults);
        return BadUsage;
    }
    const bool isWithPython = line.has(u"--with-python"_s);
    if (isWithPython) {
        if (const auto script = pythonScript(*spec); !script) {
            printErrors({script.error()});
            return BadUsage;
        }
    }
    const Result<std::vector<Output>> outputs = openOutputs(line);
    if (!outputs) {
        printErrors({outputs.error()});
        return BadUsage;
    }
    Engine engine;
    ExperimentRun run(engine, *spec);
    const bool isQuiet = line.has(u"--quiet"_s);
    int signal = 0;
    {
        const RunProgress progress(run, isQuiet        ? RunProgress::Mode::None
                                        : isTerminal() ? RunProgress::Mode::Live
                                                       : RunProgress::Mode::Lines);
        signal = waitForEnd(run);
    }
    if (signal < 0)
        return BadUsage;
    RunResult result = run.result();
    printFailures(result);
    if (isWithPython && signal == 0 && !result.engineError) {
        if (!isQuiet)
            printProgress(
                QCoreApplication::translate("RunCommand", "The same in Python …\n").toUtf8());
        signal = runInPython(result);
    }
    bool isWritten = true;
    bool isOutputTaken = false;
    for (const Output &output : *outputs) {
        isWritten = writeTo(output, result) && isWritten;
        isOutputTaken = isOutputTaken || output.name == u"-"_s;
    }
    if (!isQuiet && !isOutputTaken && !result.engineError)
        isWritten =
            print(summaryText(result) + explainText(result) + pythonText(result)) && isWritten;
    if (signal > 0)
        return 128 + signal;
    return isWritten ? result.exitStatus() : EngineFailed;
}

} // namespace proclab::cli
