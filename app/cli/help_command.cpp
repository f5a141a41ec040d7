// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/help_command.h"

#include "app/cli/console.h"
#include "app/cli/exit_status.h"
#include "app/cli/kind_help.h"
#include "core/base/nearest_name.h"
#include "core/experiment/spec/kind.h"

#include <QCoreApplication>

using namespace Qt::StringLiterals;

namespace proclab::cli {

namespace {

Error unknownTopic(const QString &topic)
{
    QStringList names = commandNames();
    for (const Kind &kind : kinds())
        names.append(kind.name);
    const Error error = invalidArgument(
        topic, QCoreApplication::translate("HelpCommand", "no command and no kind"),
        QCoreApplication::translate("HelpCommand", "allowed: %1").arg(names.join(u", "_s)));
    return withSuggestion(error, topic, names);
}

/// As of `TOPIC --help`, where TOPIC may also be a kind.
Result<QString> textAbout(const QString &topic)
{
    if (const Kind *kind = findKind(topic))
        return kindHelp(*kind);
    const Result<CommandLine> line = readCommandLine({topic, u"--help"_s});
    if (line)
        return helpText(topic);
    return isPlanned(topic) ? line.error() : unknownTopic(topic);
}

} // namespace

int showHelp(const CommandLine &line)
{
    const Result<QString> text =
        line.operands.isEmpty() ? helpText() : textAbout(line.operands.first());
    if (text)
        return print(*text) ? AllWentWell : EngineFailed;
    printErrors({text.error()});
    return BadUsage;
}

} // namespace proclab::cli
