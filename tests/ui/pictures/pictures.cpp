// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/experiment_run.h"
#include "core/experiment/spec/kind.h"
#include "core/experiment/spec/presets.h"
#include "core/process/engine.h"
#include "tests/support/own_settings.h"
#include "ui/experiment/run/experiment_page.h"
#include "ui/shared/theme.h"
#include "ui/shell/main_window.h"
#include "ui/shell/pages.h"
#include "ui/shell/window_scale.h"

#include <QApplication>
#include <QDir>
#include <QEventLoop>
#include <QJsonArray>
#include <QTemporaryDir>
#include <QTimer>

#include <csignal>
#include <cstdio>
#include <functional>

using namespace proclab;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

// Pictures of every page in every state, to be looked at: pictures FOLDER. States are idle,
// running, stopped, ended and failed (a process was killed); each in three sizes of a screen, at
// three scales, light and dark.
namespace {

void pass(std::chrono::milliseconds time)
{
    QEventLoop loop;
    QTimer::singleShot(time, &loop, &QEventLoop::quit);
    loop.exec();
}

/// False if it did not come within two minutes.
bool waitUntil(const std::function<bool()> &condition)
{
    constexpr auto step = 20ms;
    for (auto waited = 0ms; waited < 120s; waited += step) {
        if (condition())
            return true;
        pass(step);
    }
    return false;
}

class Album
{
public:
    Album(MainWindow &window, const QDir &folder) : m_window(window), m_folder(folder) {}

    /// The window as it stands, in each size, scale and theme.
    void add(const QString &name)
    {
        for (const auto mode : {Theme::Mode::Light, Theme::Mode::Dark}) {
            Theme::apply(*qApp, mode);
            for (const int percent : {100, 150, 200}) {
                windowScale::setPercent(m_window, percent);
                for (const QSize screen : {QSize(1024, 700), QSize(1440, 900), QSize(1920, 1200)})
                    take(u"%1-%2-%3-%4"_s
                             .arg(name, mode == Theme::Mode::Dark ? u"dark"_s : u"light"_s)
                             .arg(screen.width())
                             .arg(percent),
                         screen * 100 / percent);
            }
        }
        windowScale::setPercent(m_window, windowScale::smallest);
    }
    [[nodiscard]] int size() const { return m_size; }
    [[nodiscard]] bool isWhole() const { return m_isWhole; }

private:
    void take(const QString &name, QSize size)
    {
        m_window.setMinimumSize(1, 1);
        m_window.resize(size);
        // What a size changes is laid out by events that follow each other, and charts are drawn at
        // most ten times a second.
        pass(150ms);
        const bool isSaved = m_window.grab().save(m_folder.filePath(name + u".png"_s));
        m_isWhole = m_isWhole && isSaved;
        ++m_size;
    }

    MainWindow &m_window;
    QDir m_folder;
    int m_size = 0;
    bool m_isWhole = true;
};

/// The first preset of a kind whose items have no names, with so much to do that its run goes on.
ExperimentSpec longRun(const Kind &kind)
{
    struct Amount
    {
        QString kind;
        QString field;
        int value;
    };
    const Amount amounts[] = {{u"pool"_s, u"tasks.count"_s, 2'000},
                              {u"executor"_s, u"tasks.count"_s, 2'000},
                              {u"pipeline"_s, u"pipeline.items_per_producer"_s, 100'000},
                              {u"pipe"_s, u"pipe.messages"_s, 10'000'000},
                              {u"process"_s, u"tasks.args.limit"_s, 30'000'000},
                              {u"counter"_s, u"counter.increments"_s, 100'000'000}};
    ExperimentSpec spec(kind.name);
    for (const auto &row : kind.presets) {
        spec = findPreset(row.name)->spec;
        if (kind.itemNamesField.isEmpty() || !spec.isSet(kind.itemNamesField))
            break;
    }
    for (const Amount &amount : amounts) {
        if (amount.kind == kind.name)
            spec.set(amount.field, amount.value);
    }
    if (kind.name == u"program"_s)
        spec.set(u"program.command"_s, QJsonArray{u"python3"_s, u"-iqu"_s});
    return spec;
}

bool killOne(const ExperimentRun *started)
{
    if (started == nullptr)
        return false;
    const ExperimentRun &run = *started;
    const auto isThere = [&run] {
        const QList<ProcessRecord> processes = run.log()->processes();
        return processes.size() > 1 && processes[1].pid > 0 &&
               run.state() == RunSource::State::Running;
    };
    return waitUntil(isThere) &&
           ::kill(static_cast<pid_t>(run.log()->processes()[1].pid), SIGKILL) == 0;
}

/// False if a state did not come.
bool showStates(MainWindow &window, const Kind &kind, Album &album)
{
    const auto isOver = [&window] { return !window.isAnyRunActive(); };
    const Preset first = *findPreset(kind.presets.first().name);
    window.openPreset(first);
    album.add(kind.name + u"-1-idle"_s);
    window.runCurrent();
    const bool hasEnded = waitUntil(isOver);
    album.add(kind.name + u"-4-ended"_s);
    window.openSpec(longRun(kind));
    window.runCurrent();
    pass(700ms);
    album.add(kind.name + u"-2-running"_s);
    window.currentExperiment()->stop();
    const bool hasStopped = waitUntil(isOver);
    album.add(kind.name + u"-3-stopped"_s);
    window.runCurrent();
    const bool isKilled = killOne(window.currentExperiment()->currentRun());
    pass(700ms);
    window.currentExperiment()->stop();
    const bool hasFailed = waitUntil(isOver);
    album.add(kind.name + u"-5-failed"_s);
    return hasEnded && hasStopped && isKilled && hasFailed;
}

} // namespace

int main(int argc, char **argv)
{
    if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM"))
        qputenv("QT_QPA_PLATFORM", "offscreen");
    QApplication application(argc, argv);
    const QTemporaryDir settings; // The user's own are left alone.
    test::keepSettingsIn(settings.path());
    const QDir folder(argc > 1 ? QString::fromLocal8Bit(argv[1]) : u"pictures"_s);
    if (!folder.mkpath(u"."_s)) {
        std::fprintf(stderr, "%s cannot be made\n", qPrintable(folder.path()));
        return 1;
    }
    Theme::apply(application, Theme::Mode::Light);
    Engine engine;
    MainWindow window(engine, MainWindow::CloseMode::EndSilently);
    window.show();
    Album album(window, folder);
    bool isWhole = true;
    for (const PageInfo &page : pages()) {
        window.showPage(page.name);
        const Kind *kind = findKind(page.name);
        if (kind != nullptr && kind->isAvailable())
            isWhole = showStates(window, *kind, album) && isWhole;
        else
            album.add(page.name);
        std::printf("%s\n", qPrintable(page.name));
        std::fflush(stdout);
    }
    std::printf("%d pictures in %s\n", album.size(), qPrintable(folder.absolutePath()));
    return isWhole && album.isWhole() ? 0 : 1;
}
