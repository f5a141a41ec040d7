// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/console.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <sys/ioctl.h>
#include <unistd.h>

using namespace Qt::StringLiterals;

namespace proclab::cli {

bool print(const QString &text)
{
    static bool isReaderGone = false;
    if (isReaderGone)
        return true;
    const QByteArray bytes = text.toUtf8();
    errno = 0;
    const bool isWritten = std::fwrite(bytes.constData(), 1, static_cast<std::size_t>(bytes.size()),
                                       stdout) == static_cast<std::size_t>(bytes.size()) &&
                           std::fflush(stdout) == 0;
    if (isWritten)
        return true;
    isReaderGone = errno == EPIPE;
    if (!isReaderGone)
        printError(errorText(osError(u"standard output"_s, errno)));
    return isReaderGone;
}

void printProgress(const QByteArray &text)
{
    std::fwrite(text.constData(), 1, static_cast<std::size_t>(text.size()), stderr);
    std::fflush(stderr);
}

void printError(const QString &text)
{
    printProgress("proclab-cli: " + onOneLine(text).toUtf8() + '\n');
}

void printErrors(const QList<Error> &errors)
{
    for (const Error &error : errors)
        printError(errorText(error));
}

QString onOneLine(const QString &text)
{
    QString line;
    for (const QChar c : text) {
        if (c == u'\n')
            line += u' ';
        else if (c.category() == QChar::Other_Control)
            line += u"\\u%1"_s.arg(c.unicode(), 4, 16, QLatin1Char('0'));
        else
            line += c;
    }
    return line;
}

bool isTerminal()
{
    const char *type = std::getenv("TERM");
    return ::isatty(STDERR_FILENO) == 1 && type && std::strcmp(type, "dumb") != 0;
}

TerminalSize terminalSize()
{
    winsize size{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
        return {};
    return {size.ws_col, size.ws_row};
}

} // namespace proclab::cli
