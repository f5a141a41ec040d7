// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/command_line.h"
#include "app/cli/console.h"
#include "app/cli/exit_status.h"
#include "app/cli/help_command.h"
#include "app/cli/list_commands.h"
#include "app/cli/python_command.h"
#include "app/cli/run_command.h"
#include "core/base/version.h"

#include <QCoreApplication>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <new>

#include <fcntl.h>
#include <unistd.h>

using namespace Qt::StringLiterals;

namespace proclab::cli {

namespace {

int runCommandLine(const QStringList &arguments)
{
    const Result<CommandLine> line = readCommandLine(arguments);
    if (!line) {
        printErrors({line.error()});
        return BadUsage;
    }
    if (line->version)
        return print(u"proclab-cli %1\n"_s.arg(QStringLiteral(PROCLAB_VERSION))) ? AllWentWell
                                                                                 : EngineFailed;
    if (line->command == u"help"_s && !line->help)
        return showHelp(*line);
    if (line->help)
        return print(helpText(line->command)) ? AllWentWell : EngineFailed;
    if (line->command == u"check"_s)
        return checkSpec(*line);
    if (line->command == u"presets"_s)
        return listPresets(*line);
    if (line->command == u"workloads"_s)
        return listWorkloads(*line);
    if (line->command == u"python"_s)
        return printPython(*line);
    return runExperiment(*line);
}

/// A descriptor of the run must not become the standard output of a program that was started with
/// it closed: what is printed would end up there.
void holdStandardDescriptors()
{
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::fcntl(fd, F_GETFD) < 0)
            ::open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY); // The lowest is free.
    }
}

/// No memory is left to say more; the children go with their parent.
[[noreturn]] void endWithoutMemory()
{
    constexpr char text[] = "proclab-cli: not enough memory\n";
    [[maybe_unused]] const auto size = ::write(STDERR_FILENO, text, sizeof text - 1);
    ::_exit(EngineFailed);
}

[[noreturn]] void endOnException()
{
    try {
        if (const std::exception_ptr thrown = std::current_exception())
            std::rethrow_exception(thrown);
    } catch (const std::bad_alloc &) {
        endWithoutMemory();
    } catch (...) { // A fault of the program itself: its core tells.
    }
    std::abort();
}

/// What Qt remarks by the way is no part of the program's output; what ends the program is.
void tellFatalOnly(QtMsgType type, const QMessageLogContext &, const QString &text)
{
    if (type == QtFatalMsg)
        printError(text);
}

} // namespace

} // namespace proclab::cli

int main(int argc, char **argv)
{
    proclab::cli::holdStandardDescriptors();
    std::signal(SIGPIPE, SIG_IGN); // A reader that goes away is told by write().
    std::signal(SIGXFSZ, SIG_IGN); // And so is a file that may not grow.
    std::set_new_handler(proclab::cli::endWithoutMemory);
    std::set_terminate(proclab::cli::endOnException);
    qInstallMessageHandler(proclab::cli::tellFatalOnly);
    QCoreApplication::setApplicationName(u"proclab-cli"_s);
    QCoreApplication::setApplicationVersion(QStringLiteral(PROCLAB_VERSION));
    const QCoreApplication application(argc, argv);
    return proclab::cli::runCommandLine(QCoreApplication::arguments().mid(1));
}
