// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/experiment_run.h"
#include "core/experiment/run/run_result.h"
#include "core/process/engine.h"
#include "core/runtime/clock.h"
#include "tests/support/own_settings.h"
#include "ui/experiment/run/experiment_page.h"
#include "ui/shared/theme.h"
#include "ui/shell/main_window.h"

#include <QAbstractEventDispatcher>
#include <QApplication>
#include <QEventLoop>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>
#include <QTimer>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <vector>

using namespace proclab;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

// Prints what the window costs while a run goes on: bench_window [PAIRS [KIND]]. The shares are of
// one core and of the window's own thread. PAIRS times, a run of busy workers is timed in the
// window and by proclab-cli, in turn.
namespace {

constexpr int workers = 64;
constexpr int tasksPerSecond = 640;
constexpr auto settle = 2'000ms;
constexpr auto measured = 8'000ms;

ExperimentSpec poolOf(int poolWorkers, const QString &task, const QJsonObject &arguments, int count)
{
    ExperimentSpec spec(u"pool"_s);
    spec.set(u"pool.workers"_s, poolWorkers);
    spec.set(u"tasks.task"_s, task);
    for (auto argument = arguments.begin(); argument != arguments.end(); ++argument)
        spec.set(u"tasks.args."_s % argument.key(), argument.value());
    spec.set(u"tasks.count"_s, count);
    return spec;
}

/// 64 workers whose tasks take a tenth of a second each, for longer than is measured.
ExperimentSpec steadyRun()
{
    constexpr double taskSeconds = static_cast<double>(workers) / tasksPerSecond;
    return poolOf(workers, u"io.sleep"_s, {{u"min_s"_s, taskSeconds}, {u"max_s"_s, taskSeconds}},
                  tasksPerSecond * 60);
}

ExperimentSpec busyRun()
{
    return poolOf(16, u"cpu.primes"_s, {{u"limit"_s, 1'000'000}}, 96);
}

qint64 threadCpuNs()
{
    timespec spent = {};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
    return spent.tv_sec * 1'000'000'000LL + spent.tv_nsec;
}

void pass(std::chrono::milliseconds time)
{
    QEventLoop loop;
    QTimer::singleShot(time, Qt::PreciseTimer, &loop, &QEventLoop::quit);
    loop.exec();
}

void waitForEnd(const ExperimentRun &run)
{
    if (run.state() == RunSource::State::Ended)
        return;
    QEventLoop loop;
    QObject::connect(&run, &RunSource::ended, &loop, &QEventLoop::quit, Qt::QueuedConnection);
    loop.exec();
}

/// How long the event loop is away from its queue at a time.
class Stalls final
{
public:
    Stalls()
    {
        const auto *dispatcher = QAbstractEventDispatcher::instance();
        QObject::connect(dispatcher, &QAbstractEventDispatcher::awake, &m_context,
                         [this] { m_sinceNs = runtime::nowNs(); });
        QObject::connect(dispatcher, &QAbstractEventDispatcher::aboutToBlock, &m_context, [this] {
            if (m_sinceNs > 0)
                m_longestNs = std::max(m_longestNs, runtime::nowNs() - m_sinceNs);
        });
    }
    void reset() { m_longestNs = 0; }
    [[nodiscard]] double longestMs() const { return static_cast<double>(m_longestNs) / 1e6; }

private:
    QObject m_context;
    qint64 m_sinceNs = 0;
    qint64 m_longestNs = 0;
};

void printShare(const char *name, Stalls &stalls)
{
    stalls.reset();
    const qint64 cpuNs = threadCpuNs();
    const qint64 beginNs = runtime::nowNs();
    pass(measured);
    const double share = static_cast<double>(threadCpuNs() - cpuNs) /
                         static_cast<double>(runtime::nowNs() - beginNs);
    std::printf("\"%s_percent\": %.2f, \"%s_stall_ms\": %.1f, ", name, 100 * share, name,
                stalls.longestMs());
    std::fflush(stdout);
}

double inWindow(MainWindow &window, const ExperimentSpec &spec)
{
    window.openSpec(spec);
    window.runCurrent();
    const ExperimentRun *run = window.currentExperiment()->currentRun();
    waitForEnd(*run);
    return run->result().elapsedSeconds;
}

double byCommandLine(const QString &specFile)
{
    QProcess command;
    command.setProcessChannelMode(QProcess::ForwardedErrorChannel);
    command.start(QCoreApplication::applicationDirPath() % u"/proclab-cli"_s,
                  {u"run"_s, specFile, u"--quiet"_s, u"--json"_s, u"-"_s});
    // This process is idle meanwhile.
    command.waitForFinished(-1);
    return QJsonDocument::fromJson(command.readAllStandardOutput())
        .object()
        .value(u"elapsed_s"_s)
        .toDouble();
}

void printSlowdown(MainWindow &window, const QTemporaryDir &folder, int pairs)
{
    const ExperimentSpec spec = busyRun();
    const QString fileName = folder.filePath(u"busy.proclab.json"_s);
    QFile file(fileName);
    if (!file.open(QIODevice::WriteOnly) || file.write(QJsonDocument(spec.toJson()).toJson()) < 0 ||
        !file.flush())
        return;
    std::vector<double> ratios;
    for (int i = 0; i < pairs; ++i) {
        double seen = 0;
        double unseen = 0;
        for (const bool inside : {i % 2 == 0, i % 2 != 0})
            (inside ? seen : unseen) = inside ? inWindow(window, spec) : byCommandLine(fileName);
        ratios.push_back(seen / unseen);
    }
    std::ranges::sort(ratios);
    if (!ratios.empty())
        std::printf("\"slowdown_percent\": %.2f, ", 100 * (ratios[ratios.size() / 2] - 1));
}

} // namespace

int main(int argc, char **argv)
{
    if (!qEnvironmentVariableIsSet("DISPLAY") && !qEnvironmentVariableIsSet("QT_QPA_PLATFORM"))
        qputenv("QT_QPA_PLATFORM", "offscreen");
    qputenv("QT_NO_GLIB", "1"); // Its dispatcher does not say when it is awake.
    QApplication application(argc, argv);
    const QTemporaryDir folder; // The user's own settings are left alone.
    test::keepSettingsIn(folder.path());
    Theme::apply(application, Theme::Mode::Dark);
    const int pairs = argc > 1 ? QString::fromLocal8Bit(argv[1]).toInt() : 5;

    Engine engine;
    MainWindow window(engine, MainWindow::CloseMode::EndSilently);
    window.resize(1440, 900);
    window.show();
    window.openSpec(steadyRun());
    pass(500ms);
    Stalls stalls;
    std::printf("{\"platform\": \"%s\", ", qPrintable(QGuiApplication::platformName()));
    printShare("idle", stalls);
    window.runCurrent();
    pass(settle);
    printShare("run", stalls);
    window.hide();
    printShare("hidden", stalls);
    window.show();
    printShare("again", stalls);
    window.currentExperiment()->stop();
    waitForEnd(*window.currentExperiment()->currentRun());
    printSlowdown(window, folder, pairs);
    std::printf("\"pairs\": %d}\n", pairs);
    return 0;
}
