// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QList>
#include <QString>
#include <QStringList>

namespace proclab {

/// A word as a shell would read it, and what that would make of it.
struct ShellWord
{
    enum class Meaning {
        Word,       ///< An argument, as it stands.
        Variable,   ///< Replaced by the value of a variable.
        Files,      ///< Replaced by the names of files.
        Output,     ///< Replaced by what a command prints.
        Next,       ///< Ends the command; another one follows.
        Pipe,       ///< What follows is a command that reads the output.
        Background, ///< The command would not be waited for.
        Redirect,   ///< A file would be read or written.
        Comment,    ///< Left out, with all that follows.
    };

    QString text;
    Meaning meaning = Meaning::Word;

    bool operator==(const ShellWord &) const = default;
};

/// How a POSIX shell would read @p command, joined with spaces. Only the most usual of its rules;
/// nothing is looked up and nothing is run. Pure.
[[nodiscard]] QList<ShellWord> shellReading(const QStringList &command);

/// Whether a shell would start a program with the very arguments of @p command.
[[nodiscard]] bool readsTheSame(const QStringList &command);

} // namespace proclab
