// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/run_command.h"

#include "app/cli/console.h"
#include "app/cli/exit_status.h"
#include "app/cli/output_file.h"
#include "app/cli/run_progress.h"
#include "app/cli/run_summary.h"
#include "app/cli/spec_argument.h"
#include "core/base/signal_watcher.h"
#include "core/experiment/run/experiment_run.h"
#include "core/process/engine.h"

#include <QCoreApplication>
#include <QEventLoop>

#include <cerrno>

using namespace Qt::StringLiterals;

namespace proclab::cli {

namespace {

/// Where the result goes; null: nowhere.
struct Outputs
{
    std::unique_ptr<OutputFile> json;
    std::unique_ptr<OutputFile> csv;
};

Result<Outputs> openOutputs(const CommandLine &line)
{
    Outputs outputs;
    const QString json = line.value(u"--json"_s);
    const QString csv = line.value(u"--csv"_s);
    if (line.has(u"--json"_s) && line.has(u"--csv"_s) && json == csv)
        return invalidArgument(
            u"--csv"_s,
            QCoreApplication::translate("RunCommand", "\"%1\" is also where --json goes").arg(csv),
            QCoreApplication::translate("RunCommand", "allowed: another file"));
    if (line.has(u"--json"_s)) {
        auto file = OutputFile::open(json);
        if (!file)
            return file.error();
        outputs.json = std::move(*file);
    }
    if (line.has(u"--csv"_s)) {
        auto file = OutputFile::open(csv);
        if (!file)
            return file.error();
        outputs.csv = std::move(*file);
    }
    return outputs;
}

using WriteFunction = bool (*)(const RunResult &result, QIODevice &device);

/// False, with one line said, if it could not be written.
bool writeTo(OutputFile *file, WriteFunction write, const RunResult &result)
{
    if (!file)
        return true;
    errno = 0;
    write(result, file->device()); // What went wrong is told by commit().
    if (const auto committed = file->commit(); !committed) {
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
    const Result<Outputs> outputs = openOutputs(line);
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
    const RunResult &result = run.result();
    printFailures(result);
    bool isWritten = writeTo(outputs->json.get(), writeResultJson, result);
    isWritten = writeTo(outputs->csv.get(), writeResultCsv, result) && isWritten;
    const bool isOutputTaken =
        line.value(u"--json"_s) == u"-"_s || line.value(u"--csv"_s) == u"-"_s;
    if (!isQuiet && !isOutputTaken && !result.engineError)
        isWritten = print(summaryText(result)) && isWritten;
    if (signal > 0)
        return 128 + signal;
    return isWritten ? result.exitStatus() : EngineFailed;
}

} // namespace proclab::cli
