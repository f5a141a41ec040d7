// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/command_line.h"
#include "app/cli/console.h"
#include "app/cli/exit_status.h"
#include "app/cli/list_commands.h"
#include "app/cli/run_command.h"

#include <QCoreApplication>

#include <csignal>

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
    if (line->help)
        return print(helpText(line->command)) ? AllWentWell : EngineFailed;
    if (line->command == u"check"_s)
        return checkSpec(*line);
    if (line->command == u"presets"_s)
        return listPresets(*line);
    if (line->command == u"workloads"_s)
        return listWorkloads(*line);
    return runExperiment(*line);
}

} // namespace

} // namespace proclab::cli

int main(int argc, char **argv)
{
    std::signal(SIGPIPE, SIG_IGN); // A reader that goes away is told by write().
    QCoreApplication::setApplicationName(u"proclab-cli"_s);
    QCoreApplication::setApplicationVersion(QStringLiteral(PROCLAB_VERSION));
    const QCoreApplication application(argc, argv);
    return proclab::cli::runCommandLine(QCoreApplication::arguments().mid(1));
}
