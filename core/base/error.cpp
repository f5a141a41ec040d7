// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"

#include <QCoreApplication>

#include <cstring>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

QString tr(const char *text)
{
    return QCoreApplication::translate("Error", text);
}

QString sentence(const Error &error)
{
    switch (error.code) {
    case ErrorCode::Timeout:
        return tr("the time limit was reached");
    case ErrorCode::Cancelled:
        return tr("cancelled");
    case ErrorCode::InvalidState:
        return tr("not possible in this state");
    case ErrorCode::InvalidArgument:
        return tr("not allowed");
    case ErrorCode::Closed:
        return tr("already closed");
    case ErrorCode::ShutDown:
        return tr("shut down");
    case ErrorCode::EndOfStream:
        return tr("the other end is closed");
    case ErrorCode::Empty:
        return tr("empty");
    case ErrorCode::Full:
        return tr("full");
    case ErrorCode::NotOwner:
        return tr("not the owner");
    case ErrorCode::BrokenBarrier:
        return tr("the barrier is broken");
    case ErrorCode::BrokenPool:
        return tr("the pool is broken");
    case ErrorCode::WorkerDied:
        return tr("a worker died");
    case ErrorCode::RemoteError:
        return tr("the task failed");
    case ErrorCode::EncodeError:
        return tr("the value cannot be encoded");
    case ErrorCode::ProcessFailed:
        return tr("the process failed");
    case ErrorCode::OsError:
        return tr("the system refused");
    }
    return {};
}

} // namespace

QString errorText(const Error &error)
{
    QString text = error.subject.isEmpty() ? QString() : QString(error.subject % u": "_s);
    if (error.code == ErrorCode::InvalidArgument && !error.found.isEmpty())
        text += error.found; // "0 is below the minimum 1" carries its own verb.
    else if (!error.found.isEmpty())
        text += error.found % u": "_s % sentence(error);
    else
        text += sentence(error);
    if (error.systemCode != 0)
        text += u" (%1)"_s.arg(QString::fromLocal8Bit(std::strerror(error.systemCode)));
    if (!error.allowed.isEmpty())
        text += u"; "_s % error.allowed;
    return text;
}

Error invalidArgument(const QString &path, const QString &found, const QString &allowed)
{
    return {ErrorCode::InvalidArgument, path, found, allowed, 0};
}

Error osError(const QString &subject, int systemCode, const QString &what)
{
    return {ErrorCode::OsError, subject, what, {}, systemCode};
}

} // namespace proclab
