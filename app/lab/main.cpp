// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/command_line.h"
#include "app/lab/screenshot.h"
#include "app/lab/signal_watcher.h"
#include "core/process/engine.h"
#include "ui/shared/theme.h"
#include "ui/shell/main_window.h"

#include <QApplication>
#include <QSettings>

#include <cstdio>
#include <cstring>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

constexpr int failure = 3;
constexpr QSize pictureSize{1440, 900};

void print(std::FILE *stream, const QString &text)
{
    std::fputs(text.toLocal8Bit().constData(), stream);
}

void printError(const QString &line)
{
    print(stderr, u"proclab: "_s % line % u'\n');
}

bool hasArgument(int argc, char **argv, const char *name)
{
    const std::size_t length = std::strlen(name);
    for (int i = 1; i < argc; ++i) {
        const char *argument = argv[i];
        if (std::strncmp(argument, name, length) == 0 &&
            (argument[length] == '\0' || argument[length] == '='))
            return true;
    }
    return false;
}

bool hasDisplay(int argc, char **argv)
{
    return qEnvironmentVariableIsSet("DISPLAY") || qEnvironmentVariableIsSet("WAYLAND_DISPLAY") ||
           qEnvironmentVariableIsSet("QT_QPA_PLATFORM") || hasArgument(argc, argv, "-platform");
}

/// Pictures, help and version need no display.
bool needsNoDisplay(int argc, char **argv)
{
    for (const char *name : {"--screenshot", "--help", "-h", "--version", "-v"}) {
        if (hasArgument(argc, argv, name))
            return true;
    }
    return false;
}

Theme::Mode savedTheme()
{
    const QString name = QSettings().value(u"window/theme"_s).toString();
    if (name == u"dark"_s)
        return Theme::Mode::Dark;
    return name == u"light"_s ? Theme::Mode::Light : Theme::Mode::System;
}

void showSubject(MainWindow &window, const LabOptions &options)
{
    window.showPage(options.page);
    if (options.preset)
        window.openPreset(*options.preset);
    else if (options.spec)
        window.openSpec(*options.spec);
    if (options.run)
        window.runCurrent();
}

int runLab(QApplication &application, const LabOptions &options)
{
    Theme::apply(application, options.theme.value_or(savedTheme()));
    Engine engine;
    const bool picture = !options.screenshot.isEmpty();
    MainWindow window(engine,
                      picture ? MainWindow::CloseMode::EndSilently : MainWindow::CloseMode::Ask);

    int exitStatus = 0;
    SignalWatcher signalWatcher;
    QObject::connect(&signalWatcher, &SignalWatcher::signalled, &window,
                     [&window, &exitStatus](int number) {
                         exitStatus = 128 + number;
                         QObject::connect(&window, &MainWindow::allRunsEnded,
                                          QCoreApplication::instance(), &QCoreApplication::quit,
                                          Qt::QueuedConnection);
                         window.endRuns();
                     });
    Screenshot screenshot(window, options.screenshot, options.size.value_or(pictureSize),
                          options.screenshotAfter);
    QObject::connect(&screenshot, &Screenshot::finished, &application,
                     [&exitStatus](const QString &error) {
                         if (!error.isEmpty()) {
                             printError(error);
                             exitStatus = failure;
                         }
                         QCoreApplication::quit();
                     });
    if (picture) {
        screenshot.start();
    } else {
        if (options.size)
            window.resize(*options.size);
        window.show();
    }
    showSubject(window, options);
    QApplication::exec();
    return exitStatus;
}

} // namespace

int main(int argc, char **argv)
{
    if (!hasDisplay(argc, argv)) {
        if (!needsNoDisplay(argc, argv)) {
            printError(u"there is no display (DISPLAY and WAYLAND_DISPLAY are not set); "
                       "proclab-cli works without one"_s);
            return failure;
        }
        qputenv("QT_QPA_PLATFORM", "offscreen");
    }
    QApplication application(argc, argv);
    QApplication::setApplicationName(u"proclab"_s);
    QApplication::setApplicationDisplayName(u"ProcLab"_s);
    QApplication::setOrganizationName(u"ProcLab"_s);
    QApplication::setApplicationVersion(QStringLiteral(PROCLAB_VERSION));
    QApplication::setDesktopFileName(u"proclab"_s);

    const CommandLine line = readCommandLine(QApplication::arguments());
    print(stdout, line.output);
    for (const QString &error : line.errorLines)
        printError(error);
    return line.options ? runLab(application, *line.options) : line.exitStatus;
}
