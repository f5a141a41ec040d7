// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/program/launch.h"

#include <memory>

namespace proclab {

/// Waits until @p descriptor is ready for @p events (of poll()), or has failed; false: not before
/// @p deadlineNs.
bool waitFor(int descriptor, short events, std::int64_t deadlineNs);
bool waitReadable(int descriptor, std::int64_t deadlineNs);
/// write(), which raises no SIGPIPE: that nobody reads is told by EPIPE alone.
ssize_t writeQuietly(int descriptor, QByteArrayView bytes);

/// This process's ends of a program's pipes; null: there is none, or it is closed. Who uses one
/// meanwhile holds it, so that its number is not another's before it is done.
struct ProgramPipes
{
    std::shared_ptr<OwnedDescriptor> input;
    std::shared_ptr<OwnedDescriptor> output;
    std::shared_ptr<OwnedDescriptor> error;
};

/// Sends a program its input and collects what it writes, both at once, until it has ended. May be
/// interrupted by a deadline and gone on with.
class Exchange
{
public:
    /// @p ends: those that are pipes are part of it. @p input comes behind what was not sent yet.
    void begin(const ProgramPipes &ends, const QByteArray &input, qint64 maxCapturedBytes);
    /// Closes the ends that are done with. Timeout; Full: more was written than may be kept;
    /// Cancelled, if @p endsAtInterrupt: an InterruptGuard holds a signal back.
    Result<void> go(ProgramPipes &ends, int pidFd, std::int64_t deadlineNs, bool endsAtInterrupt);

    /// What has come; nothing if it was no pipe.
    [[nodiscard]] const std::optional<QByteArray> &output() const { return m_output; }
    [[nodiscard]] const std::optional<QByteArray> &error() const { return m_error; }

private:
    using Pipe = std::shared_ptr<OwnedDescriptor>;

    void send(const Pipe &input);
    Result<void> collect(Pipe &pipe, std::optional<QByteArray> &into);
    Result<void> collectRest(ProgramPipes &ends);

    QByteArray m_input;
    qsizetype m_sent = 0;
    qint64 m_most = 0;
    std::optional<QByteArray> m_output;
    std::optional<QByteArray> m_error;
};

} // namespace proclab
