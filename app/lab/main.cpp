// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/command_line.h"
#include "app/lab/screenshot.h"
#include "core/base/signal_watcher.h"
#include "core/base/version.h"
#include "core/process/engine.h"
#include "ui/shared/theme.h"
#include "ui/shell/main_window.h"
#include "ui/shell/settings_place.h"

#include <QApplication>
#include <QSettings>
#include <QTemporaryDir>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <optional>

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

/// Options with one dash ("-platform xcb") are Qt's own, which only a QApplication takes out.
bool hasQtOptions(int argc, char **argv)
{
    return std::any_of(argv + 1, argv + argc, [](const char *argument) {
        return argument[0] == '-' && argument[1] != '-' && std::strlen(argument) > 2;
    });
}

bool hasDisplay()
{
    return qEnvironmentVariableIsSet("DISPLAY") || qEnvironmentVariableIsSet("WAYLAND_DISPLAY") ||
           qEnvironmentVariableIsSet("QT_QPA_PLATFORM");
}

CommandLine readArguments()
{
    QCoreApplication::setApplicationName(u"proclab"_s);
    QCoreApplication::setOrganizationName(u"ProcLab"_s);
    QCoreApplication::setApplicationVersion(QStringLiteral(PROCLAB_VERSION));
    CommandLine line = readCommandLine(QCoreApplication::arguments());
    print(stdout, line.output);
    for (const QString &error : std::as_const(line.errorLines))
        printError(error);
    return line;
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
    else if (!options.faultyFile.isEmpty())
        window.openFile(options.faultyFile);
    if (options.run && options.faultyFile.isEmpty())
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
    QObject::connect(
        &signalWatcher, &SignalWatcher::signalled, &window, [&window, &exitStatus](int number) {
            exitStatus = 128 + number;
            QObject::connect(&window, &MainWindow::allRunsEnded, QCoreApplication::instance(),
                             &QCoreApplication::quit, Qt::QueuedConnection);
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
    std::optional<CommandLine> line;
    const bool qtOptions = hasQtOptions(argc, argv);
    if (!qtOptions) {
        // What is wrong with the command line needs no display to be told.
        const QCoreApplication reader(argc, argv);
        line = readArguments();
        if (!line->options)
            return line->exitStatus;
        if (!hasDisplay() && line->options->screenshot.isEmpty()) {
            printError(u"there is no display (DISPLAY and WAYLAND_DISPLAY are not set); "
                       "proclab-cli works without one"_s);
            return failure;
        }
        if (!hasDisplay())
            qputenv("QT_QPA_PLATFORM", "offscreen");
    }
    QApplication application(argc, argv);
    QApplication::setApplicationDisplayName(u"ProcLab"_s);
    QApplication::setDesktopFileName(u"proclab"_s);
    if (!line)
        line = readArguments();
    if (!line->options)
        return line->exitStatus;
    const QTemporaryDir noSettings;
    const QString substitute = noSettings.isValid() ? noSettings.path() : u"/dev/null"_s;
    if (!line->options->screenshot.isEmpty()) {
        // A picture shows the window as it comes, and leaves the user's own window alone.
        QSettings::setDefaultFormat(QSettings::IniFormat);
        QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, substitute);
    } else if (const QString fault = useSettingsFolder(substitute); !fault.isEmpty()) {
        printError(fault);
    }
    return runLab(application, *line->options);
}
