// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/python_comparison.h"

#include "app/cli/console.h"
#include "app/cli/run_summary.h"
#include "core/base/signal_watcher.h"
#include "core/experiment/python/python_comparison.h"
#include "core/experiment/python/python_job.h"
#include "core/experiment/python/python_script.h"
#include "core/experiment/spec/kind.h"

#include <QCoreApplication>
#include <QEventLoop>

#include <optional>

using namespace Qt::StringLiterals;

namespace proclab::cli {

namespace {

QString tr(const char *text)
{
    return QCoreApplication::translate("PythonComparison", text);
}

/// The program of @p script to its end; @p signal is the one that cut it short.
Result<PythonResult> runScript(const QString &script, std::chrono::seconds limit, int &signal)
{
    SignalWatcher watcher;
    PythonJob job;
    QEventLoop loop;
    std::optional<Result<PythonResult>> result;
    QObject::connect(&watcher, &SignalWatcher::signalled, &loop, [&](int number) {
        signal = number;
        job.stop();
    });
    QObject::connect(&job, &PythonJob::ended, &loop, [&](const Result<PythonResult> &ended) {
        result = ended;
        loop.quit();
    });
    if (const auto started = job.start(script, limit); !started)
        return started.error();
    loop.exec();
    return *result;
}

} // namespace

int runInPython(RunResult &result)
{
    int signal = 0;
    const Result<PythonResult> python =
        runScript(*pythonScript(result.spec), pythonLimit(result.elapsedSeconds), signal);
    result.python = pythonJson(result, python);
    if (!python && signal == 0)
        printErrors({python.error()});
    return signal;
}

QString pythonText(const RunResult &result)
{
    const QJsonObject ratios = result.python[u"ratios"_s].toObject();
    if (ratios.isEmpty())
        return {};
    QString text = tr("Beside Python %1:\n").arg(result.python[u"version"_s].toString());
    for (const Measure &measure : result.spec.kindInfo()->measures) {
        if (!ratios.contains(measure.key))
            continue;
        const double ours = *measure.of(result);
        const double ratio = ratios[measure.key].toDouble();
        const auto withUnit = [&measure](double figure) {
            return QString(rateText(figure) % u' ' % measure.unit).trimmed();
        };
        text += tr("  %1 %2, %3 × Python's %4\n")
                    .arg(QString(measure.title % u':'), -22)
                    .arg(withUnit(ours), QString::number(ratio, 'g', 3), withUnit(ours / ratio));
    }
    return text;
}

} // namespace proclab::cli
