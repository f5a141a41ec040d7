// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/program/launch.h"

#include <memory>

namespace proclab {

/// Waits until @p descriptor is ready for @p events (of poll()) or has failed. False if that did
/// not happen before @p deadlineNs.
bool waitFor(int descriptor, short events, std::int64_t deadlineNs);
bool waitReadable(int descriptor, std::int64_t deadlineNs);
/// write() without a SIGPIPE: if nobody reads, it fails with EPIPE and nothing else happens.
ssize_t writeQuietly(int descriptor, QByteArrayView bytes);

/// This process's ends of a program's pipes; null if there is none, or it is closed. Whoever uses
/// an end holds it, so that its number is not given to another descriptor meanwhile.
struct ProgramPipes
{
    std::shared_ptr<OwnedDescriptor> input;
    std::shared_ptr<OwnedDescriptor> output;
    std::shared_ptr<OwnedDescriptor> error;
};

/// Sends a program its input and collects what it writes, both at the same time, until it has
/// ended. After a deadline has interrupted it, it can be continued.
class Exchange
{
public:
    /// Takes part in those of @p ends that are pipes. @p input follows what was not sent yet.
    void begin(const ProgramPipes &ends, const QByteArray &input, qint64 maxCapturedBytes);
    /// Closes each end once it is done with. Timeout; Full: the program wrote more than may be
    /// kept; Cancelled: an InterruptGuard holds a signal back, and @p endsAtInterrupt is true.
    Result<void> go(ProgramPipes &ends, int pidFd, std::int64_t deadlineNs, bool endsAtInterrupt);

    /// What has come so far; no value if the stream is no pipe.
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
