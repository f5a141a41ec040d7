// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/ipc/connection.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <poll.h>

namespace proclab {

using runtime::ByteRing;
using runtime::ObjectSpace;
using runtime::PipeBody;
using runtime::PipeEndBody;

namespace {

constexpr std::uint64_t pipeBytes = std::uint64_t{1} << 20;
constexpr std::int64_t pollSliceNs = 2'000'000; ///< Of a wait for descriptors and pipes both.

Error noRoom(const char *what)
{
    return osError({}, ENOMEM, ErrorText::tr(what));
}

} // namespace

Result<Pipe> Pipe::create(Direction direction)
{
    ObjectSpace &space = ObjectSpace::instance();
    const auto pipe = space.create(runtime::ObjectKind::Pipe, sizeof(PipeBody));
    if (!pipe)
        return noRoom("pipe");
    for (auto &each : pipe->body<PipeBody>().directions)
        each.ring.setUp({.bytes = pipeBytes, .besideLarge = 1});
    std::array<runtime::ObjectRef, 2> ends;
    for (std::uint32_t side = 0; side < 2; ++side) {
        ends[side] = space.create(Connection::kind, sizeof(PipeEndBody));
        if (!ends[side])
            return noRoom("pipe");
        const bool isDuplex = direction == Direction::Duplex;
        ends[side]->body<PipeEndBody>() = {pipe->handle(), side, isDuplex || side == 0,
                                           isDuplex || side == 1};
        pipe->body<PipeBody>().isOpen[side].store(1, std::memory_order_release);
    }
    return Pipe{Connection::of(ends[0]), Connection::of(ends[1])};
}

Connection Connection::of(const runtime::ObjectRef &end)
{
    const auto &body = end->body<PipeEndBody>();
    auto state = std::make_shared<State>();
    state->pipe = ObjectSpace::instance().attach(body.pipe, runtime::ObjectKind::Pipe);
    if (!state->pipe)
        throw DecodeError("the pipe is gone");
    state->side = body.side;
    state->canRead = body.canRead;
    state->canWrite = body.canWrite;
    state->end = end;
    return Connection(std::move(state));
}

Result<runtime::ObjectRef> Connection::end() const
{
    const std::lock_guard lock(m_state->mutex);
    if (!m_state->end)
        return Error{ErrorCode::Closed};
    return m_state->end;
}

void Connection::close() const
{
    runtime::ObjectRef end;
    {
        const std::lock_guard lock(m_state->mutex);
        m_state->isClosed.store(true, std::memory_order_release);
        end.swap(m_state->end);
    }
    for (auto &direction : body().directions) { // For this process's threads that wait here.
        direction.ring.items.notify();
        direction.ring.room.notify();
    }
}

Result<void> Connection::sendMessage(const ByteRing::Record &record, std::int64_t deadlineNs) const
{
    if (isClosed())
        return Error{ErrorCode::Closed};
    if (!m_state->canWrite)
        return Error{ErrorCode::InvalidState};
    const auto isOver = [this] { return isOtherGone() || isClosed(); };
    auto outcome = isOver() ? Outcome::Refused : Outcome::Done;
    if (outcome == Outcome::Done) {
        ObjectSpace &space = ObjectSpace::instance();
        auto &to = body().directions[m_state->side];
        outcome = to.ring.put(space, to.put[space.self()], record, deadlineNs, isOver);
    }
    if (outcome == Outcome::Done)
        return {};
    if (outcome == Outcome::TimedOut)
        return Error{ErrorCode::Timeout};
    if (outcome == Outcome::NoMemory)
        return noRoom("message");
    if (isClosed())
        return Error{ErrorCode::Closed};
    return osError({}, EPIPE, ErrorText::tr("message"));
}

Result<void> Connection::sendBytes(const QByteArray &bytes, qsizetype offset, qsizetype size) const
{
    const qsizetype left = bytes.size() - offset;
    if (offset < 0 || left < 0 || size > left || size < -1)
        return invalidArgument(QStringLiteral("bytes"),
                               QStringLiteral("%1 from %2").arg(size).arg(offset),
                               ErrorText::tr("%1 bytes").arg(bytes.size()));
    const auto all = std::as_bytes(std::span(bytes.constData(), std::size_t(bytes.size())));
    return sendMessage({all.subspan(std::size_t(offset), std::size_t(size < 0 ? left : size))},
                       runtime::noDeadline);
}

Result<QByteArray> Connection::receiveBytes(TimeLimit limit) const
{
    QByteArray bytes;
    const auto received =
        receiveMessage(limit, [&bytes](std::span<const std::byte> message, std::uint32_t /*mark*/) {
            bytes = QByteArray(reinterpret_cast<const char *>(message.data()),
                               qsizetype(message.size()));
        });
    if (!received)
        return received.error();
    return bytes;
}

Result<qsizetype> Connection::receiveInto(std::span<std::byte> buffer, QByteArray &tooLong,
                                          qsizetype offset) const
{
    if (offset < 0 || std::size_t(offset) > buffer.size())
        return invalidArgument(QStringLiteral("offset"), QString::number(offset),
                               ErrorText::tr("%1 to %2").arg(0).arg(buffer.size()));
    auto message = receiveBytes();
    if (!message)
        return message.error();
    if (std::size_t(message->size()) > buffer.size() - std::size_t(offset)) {
        tooLong = std::move(*message);
        return Error{ErrorCode::Full};
    }
    if (!message->isEmpty())
        std::memcpy(buffer.data() + offset, message->constData(), std::size_t(message->size()));
    return message->size();
}

Result<bool> Connection::poll(std::chrono::nanoseconds limit) const
{
    if (isClosed())
        return Error{ErrorCode::Closed};
    if (!m_state->canRead)
        return Error{ErrorCode::InvalidState};
    return incoming().ring.items.wait([this] { return canReceiveNow(); }, deadlineOf(limit));
}

Result<std::vector<std::size_t>> Connection::wait(std::span<const Connection> connections,
                                                  TimeLimit limit, std::span<const int> descriptors)
{
    for (const Connection &connection : connections) {
        if (connection.isClosed())
            return Error{ErrorCode::Closed};
        if (!connection.m_state->canRead)
            return Error{ErrorCode::InvalidState};
    }
    const std::int64_t deadline = deadlineOf(limit);
    std::vector<pollfd> polled;
    for (const int descriptor : descriptors) {
        if (::fcntl(descriptor, F_GETFD) < 0)
            return osError({}, errno, ErrorText::tr("wait for descriptor %1").arg(descriptor));
        polled.push_back({descriptor, POLLIN, 0});
    }
    const auto ready = [&] {
        std::vector<std::size_t> found;
        for (std::size_t i = 0; i < connections.size(); ++i) {
            if (connections[i].canReceiveNow())
                found.push_back(i);
        }
        if (!polled.empty() && ::poll(polled.data(), nfds_t(polled.size()), 0) > 0) {
            for (std::size_t i = 0; i < polled.size(); ++i) {
                if (polled[i].revents != 0)
                    found.push_back(connections.size() + i);
            }
        }
        return found;
    };
    std::vector<runtime::ExpectedWord> words;
    runtime::WaitScope noted;
    for (;;) {
        words.clear();
        for (const Connection &connection : connections) {
            auto &items = connection.incoming().ring.items;
            words.push_back({&items.changes(), items.changes().load(std::memory_order_acquire)});
            items.addSleeper();
        }
        // Pairs with the fence in WaitPoint::notify().
        std::atomic_thread_fence(std::memory_order_seq_cst);
        auto found = ready();
        const std::int64_t leftNs = found.empty() ? deadline - runtime::nowNs() : 0;
        if (leftNs > 0) {
            noted.sleepsFor({runtime::WaitSubject::Type::Several}, deadline);
            // No call waits for words and descriptors both; nor for more words than it can hold.
            const bool isSliced = !polled.empty() || words.size() > runtime::maxFutexes;
            const std::int64_t lengthNs =
                std::min(leftNs, isSliced ? pollSliceNs : runtime::parkNs);
            if (connections.empty())
                ::poll(polled.data(), nfds_t(polled.size()), int(lengthNs / 1'000'000) + 1);
            else
                runtime::futexWaitAny(words, lengthNs);
        }
        for (const Connection &connection : connections)
            connection.incoming().ring.items.removeSleeper();
        if (leftNs <= 0)
            return found;
    }
}

} // namespace proclab
