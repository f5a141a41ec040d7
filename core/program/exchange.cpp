// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/program/exchange.h"

#include "core/process/interrupt_guard.h"
#include "core/runtime/clock.h"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <poll.h>
#include <unistd.h>

namespace proclab {

namespace {

constexpr std::size_t readBytes = 65'536;
constexpr qsizetype largestPipe = 1'048'576; ///< That a program without privileges gets.
/// How long to wait for what a program has written before its end. A child of the program that
/// keeps the pipe open must not block anyone.
constexpr std::int64_t drainNs = 250'000'000;
constexpr std::int64_t longestPollNs = 50'000'000; ///< For signals that came to another thread.

int pollTimeout(std::int64_t deadlineNs)
{
    const std::int64_t left =
        std::clamp<std::int64_t>(deadlineNs - runtime::nowNs(), 0, longestPollNs);
    return static_cast<int>((left + 999'999) / 1'000'000);
}

/// An entry for poll(), which skips descriptors below 0.
int numberOf(const std::shared_ptr<OwnedDescriptor> &pipe)
{
    return pipe ? pipe->get() : -1;
}

} // namespace

bool waitFor(int descriptor, short events, std::int64_t deadlineNs)
{
    for (;;) {
        pollfd polled = {descriptor, events, 0};
        if (::poll(&polled, 1, pollTimeout(deadlineNs)) > 0)
            return true;
        if (runtime::nowNs() >= deadlineNs)
            return false;
    }
}

bool waitReadable(int descriptor, std::int64_t deadlineNs)
{
    return waitFor(descriptor, POLLIN, deadlineNs);
}

ssize_t writeQuietly(int descriptor, QByteArrayView bytes)
{
    sigset_t pipe;
    sigset_t before;
    sigset_t pending;
    ::sigemptyset(&pipe);
    ::sigaddset(&pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe, &before);
    ::sigpending(&pending);
    const ssize_t written =
        ::write(descriptor, bytes.data(), static_cast<std::size_t>(bytes.size()));
    const int code = errno;
    if (written < 0 && code == EPIPE && ::sigismember(&pending, SIGPIPE) == 0) {
        const timespec now = {};
        ::sigtimedwait(&pipe, nullptr, &now);
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    errno = code;
    return written;
}

void Exchange::begin(const ProgramPipes &ends, const QByteArray &input, qint64 maxCapturedBytes)
{
    m_most = maxCapturedBytes;
    m_input = m_input.sliced(m_sent) + input;
    m_sent = 0;
    if (ends.output && !m_output)
        m_output.emplace();
    if (ends.error && !m_error)
        m_error.emplace();
}

Result<void> Exchange::go(ProgramPipes &ends, int pidFd, std::int64_t deadlineNs,
                          bool endsAtInterrupt)
{
    std::int64_t drainedNs = 0; // 0: it has not ended yet.
    for (;;) {
        if (m_sent == m_input.size())
            ends.input.reset();
        if (drainedNs != 0 && !ends.output && !ends.error)
            return {};
        pollfd polled[] = {{numberOf(ends.input), POLLOUT, 0},
                           {numberOf(ends.output), POLLIN, 0},
                           {numberOf(ends.error), POLLIN, 0},
                           {drainedNs == 0 ? pidFd : -1, POLLIN, 0}};
        const bool isAny = ::poll(polled, std::size(polled),
                                  pollTimeout(drainedNs != 0 ? drainedNs : deadlineNs)) > 0;
        if (isAny && polled[0].revents != 0)
            send(ends.input);
        if (isAny && polled[1].revents != 0) {
            if (const auto kept = collect(ends.output, m_output); !kept)
                return kept;
        }
        if (isAny && polled[2].revents != 0) {
            if (const auto kept = collect(ends.error, m_error); !kept)
                return kept;
        }
        const std::int64_t now = runtime::nowNs();
        if (isAny && polled[3].revents != 0) {
            drainedNs = now + drainNs;
            ends.input.reset();
        }
        if (drainedNs != 0 && now >= drainedNs)
            return collectRest(ends);
        if (endsAtInterrupt && InterruptGuard::isPending())
            return Error{ErrorCode::Cancelled};
        if (drainedNs == 0 && now >= deadlineNs)
            return Error{ErrorCode::Timeout};
    }
}

void Exchange::send(const Pipe &input)
{
    const ssize_t sent = writeQuietly(input->get(), QByteArrayView(m_input).sliced(m_sent));
    if (sent > 0)
        m_sent += sent;
    else if (sent < 0 && errno != EAGAIN && errno != EINTR)
        m_sent = m_input.size(); // It reads no more, which is no error.
}

Result<void> Exchange::collect(Pipe &pipe, std::optional<QByteArray> &into)
{
    const qsizetype before = into->size();
    into->resize(before + qsizetype{readBytes});
    const ssize_t size = ::read(pipe->get(), into->data() + before, readBytes);
    const int code = errno;
    into->resize(before + std::max<ssize_t>(size, 0));
    if (size == 0 || (size < 0 && code != EAGAIN && code != EINTR))
        pipe.reset();
    if (into->size() > m_most)
        return Error{
            ErrorCode::Full, {}, ErrorText::tr("output of more than %1 bytes").arg(m_most)};
    return {};
}

/// Collects what lies in the pipes now, and no more: other writers may go on forever.
Result<void> Exchange::collectRest(ProgramPipes &ends)
{
    for (auto &[pipe, into] : {std::pair(&ends.output, &m_output), {&ends.error, &m_error}}) {
        for (qsizetype left = largestPipe; *pipe && left > 0;) {
            const qsizetype before = (*into)->size();
            if (const auto kept = collect(*pipe, *into); !kept)
                return kept;
            if ((*into)->size() == before)
                break;
            left -= (*into)->size() - before;
        }
        pipe->reset();
    }
    return {};
}

} // namespace proclab
