// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/python_comparison.h"

#include "app/cli/console.h"
#include "app/cli/run_summary.h"
#include "core/base/signal_watcher.h"
#include "core/experiment/python/python_run.h"
#include "core/experiment/python/python_script.h"
#include "core/experiment/spec/kind.h"

#include <QCoreApplication>
#include <QEventLoop>

#include <future>
#include <system_error>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace proclab::cli {

namespace {

QString tr(const char *text)
{
    return QCoreApplication::translate("PythonComparison", text);
}

/// An interpreter may take a hundred times as long.
std::chrono::seconds limitFor(const RunResult &result)
{
    return 60s + std::chrono::seconds(static_cast<qint64>(100 * result.elapsedSeconds));
}

/// @p run to its end, in a thread of its own; @p signal is the one that cut it short.
Result<PythonResult> waitFor(PythonRun &run, int &signal)
{
    SignalWatcher watcher;
    QEventLoop loop;
    QObject::connect(&watcher, &SignalWatcher::signalled, &loop, [&](int number) {
        signal = number;
        run.stop();
    });
    try {
        auto result = std::async(std::launch::async, [&] {
            auto ended = run.run();
            QMetaObject::invokeMethod(&loop, &QEventLoop::quit, Qt::QueuedConnection);
            return ended;
        });
        loop.exec();
        return result.get();
    } catch (const std::system_error &error) {
        return osError({}, error.code().value(), ErrorText::tr("thread of a run"));
    }
}

/// Ours to Python's, of all measures that both have.
QJsonObject ratios(const RunResult &ours, const PythonResult &theirs)
{
    QJsonObject ratios;
    for (const Measure &measure : ours.spec.kindInfo()->measures) {
        const auto a = measure.of(ours);
        const auto b = theirs.figure(measure.key);
        if (measure.better != Measure::Better::Neither && a && b && *a > 0 && *b > 0)
            ratios.insert(measure.key, *a / *b);
    }
    return ratios;
}

} // namespace

int runInPython(RunResult &result)
{
    PythonRun run(*pythonScript(result.spec), limitFor(result));
    int signal = 0;
    const Result<PythonResult> python = waitFor(run, signal);
    if (python) {
        result.python = {
            {u"version"_s, python->version},        {u"elapsed_s"_s, python->elapsedSeconds},
            {u"totals"_s, python->totals},          {u"outcome"_s, python->outcome},
            {u"ratios"_s, ratios(result, *python)}, {u"error"_s, QJsonValue()}};
        return signal;
    }
    result.python = {{u"error"_s, errorText(python.error())}};
    if (signal == 0)
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
