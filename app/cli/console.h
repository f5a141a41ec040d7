// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"

#include <QByteArray>
#include <QList>
#include <QString>

namespace proclab::cli {

/// Writes @p text to standard output; false if that has failed. A reader that has gone away is no
/// failure: what it does not want is not written.
bool print(const QString &text);
/// Writes @p text to standard error as it is.
void printProgress(const QByteArray &text);
/// Writes "proclab-cli: TEXT" to standard error, one line.
void printError(const QString &text);
void printErrors(const QList<Error> &errors);
/// @p text, which may be from anywhere, with nothing in it that a terminal would obey.
[[nodiscard]] QString onOneLine(const QString &text);

/// Whether standard error is a terminal on which lines can be drawn anew.
[[nodiscard]] bool isTerminal();
struct TerminalSize
{
    int columns = 80;
    int rows = 24;
};
[[nodiscard]] TerminalSize terminalSize();

} // namespace proclab::cli
