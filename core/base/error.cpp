// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"

#include <cstring>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

QString sentence(const Error &error)
{
    switch (error.code) {
    case ErrorCode::Timeout:
        return ErrorText::tr("the time limit was reached");
    case ErrorCode::Cancelled:
        return ErrorText::tr("cancelled");
    case ErrorCode::InvalidState:
        return ErrorText::tr("not possible in this state");
    case ErrorCode::InvalidArgument:
        return ErrorText::tr("not allowed");
    case ErrorCode::Closed:
        return ErrorText::tr("already closed");
    case ErrorCode::ShutDown:
        return ErrorText::tr("shut down");
    case ErrorCode::EndOfStream:
        return ErrorText::tr("the other end is closed");
    case ErrorCode::Empty:
        return ErrorText::tr("empty");
    case ErrorCode::Full:
        return ErrorText::tr("full");
    case ErrorCode::NotOwner:
        return ErrorText::tr("not the owner");
    case ErrorCode::BrokenBarrier:
        return ErrorText::tr("the barrier is broken");
    case ErrorCode::BrokenPool:
        return ErrorText::tr("the pool is broken");
    case ErrorCode::WorkerDied:
        return ErrorText::tr("a worker died");
    case ErrorCode::RemoteError:
        return ErrorText::tr("the task failed");
    case ErrorCode::EncodeError:
        return ErrorText::tr("the value cannot be encoded");
    case ErrorCode::ProcessFailed:
        return ErrorText::tr("the process failed");
    case ErrorCode::OsError:
        return ErrorText::tr("the system refused");
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

Error encodeError(const std::exception &exception)
{
    return {ErrorCode::EncodeError, {}, QString::fromUtf8(exception.what())};
}

void error_detail::copy(Error *to, const Error &from)
{
    new (to) Error(from);
}

void error_detail::move(Error *to, Error &from) noexcept
{
    new (to) Error(std::move(from));
}

void error_detail::destroy(Error &error) noexcept
{
    error.~Error();
}

} // namespace proclab
