// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArray>
#include <QCoreApplication>
#include <QString>
#include <QStringList>

#include <exception>
#include <memory>
#include <string>

namespace proclab {

/// ErrorText::tr() translates the words of errors.
class ErrorText
{
    Q_DECLARE_TR_FUNCTIONS(Error)
};

/// What went wrong, as a closed list that a program can decide on.
enum class ErrorCode {
    Timeout,
    Cancelled,
    InvalidState,
    InvalidArgument, ///< A value outside what is allowed; subject, found and allowed are set.
    Closed,
    ShutDown,
    EndOfStream,
    Empty,
    Full,
    NotOwner,
    BrokenBarrier,
    BrokenPool,
    WorkerDied,
    RemoteError,
    EncodeError,
    ProcessFailed,
    OsError, ///< The system refused; systemCode holds its errno.
};

struct ProgramReport;

/// What a task threw in its worker.
struct RemoteFailure
{
    QString type; ///< Readable: "std::runtime_error".
    QString message;
    QStringList nested; ///< "type: message" of each exception inside, outermost first.
    QString trace;      ///< Where it was thrown: the task, the worker and its PID; then the nested.
    std::string rawType; ///< As the compiler mangles it.
    QByteArray value;    ///< The encoded exception, if its type is registered.
};

/// One error: the code to decide on and the facts that a sentence about it needs. A value.
struct Error
{
    ErrorCode code = ErrorCode::InvalidState;
    QString subject =
        {}; ///< A field's path ("pool.workers"), a file, a program, a PID; may be empty.
    QString found = {};   ///< What stood there ("0"), or what was attempted; may be empty.
    QString allowed = {}; ///< What is allowed ("1 to 256"), or what to try; may be empty.
    int systemCode = 0;   ///< errno, 0 if none.
    /// What a task threw; set for a RemoteError.
    std::shared_ptr<const RemoteFailure> remote = nullptr;
    /// What a Program that failed or took too long has written until then.
    std::shared_ptr<const ProgramReport> program = nullptr;

    bool operator==(const Error &) const = default;
};

/// The one translated line, without a final full stop, that the window and proclab-cli both show
/// for @p error; it begins with the subject where there is one. Thread-safe.
[[nodiscard]] QString errorText(const Error &error);

/// An InvalidArgument: @p found stands at @p path, but only @p allowed may.
[[nodiscard]] Error invalidArgument(const QString &path, const QString &found,
                                    const QString &allowed);
/// An EncodeError that says what @p exception says.
[[nodiscard]] Error encodeError(const std::exception &exception);
/// An OsError for @p subject with @p systemCode (an errno), while doing @p what.
[[nodiscard]] Error osError(const QString &subject, int systemCode, const QString &what = {});

// The members of an Error's kind, out of line for the many types that hold one.
namespace error_detail {

void copy(Error *to, const Error &from);
void move(Error *to, Error &from) noexcept;
void destroy(Error &error) noexcept;

} // namespace error_detail

} // namespace proclab
