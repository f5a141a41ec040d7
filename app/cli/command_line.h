// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"

#include <QHash>
#include <QString>
#include <QStringList>

namespace proclab::cli {

/// What the command line says, by its form only.
struct CommandLine
{
    QString command;                     ///< Empty with --version alone.
    QStringList operands;                ///< What is no option: SPEC.
    QHash<QString, QStringList> options; ///< "--set": its values in order; a flag has none.
    bool help = false;                   ///< --help behind the command.
    bool version = false;

    [[nodiscard]] bool has(const QString &option) const { return options.contains(option); }
    /// The last value given; empty if there is none.
    [[nodiscard]] QString value(const QString &option) const;
};

/// Reads the arguments without the program's name; --help is the command "help". InvalidArgument:
/// an unknown command or option, a value or operand too few or too many; also what is not available
/// yet.
[[nodiscard]] Result<CommandLine> readCommandLine(const QStringList &arguments);

/// The commands that there are.
[[nodiscard]] QStringList commandNames();
/// Whether @p command is one that is to come.
[[nodiscard]] bool isPlanned(const QString &command);

/// The whole help, or that of @p command.
[[nodiscard]] QString helpText(const QString &command = {});

} // namespace proclab::cli
