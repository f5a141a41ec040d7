// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/ipc/item_travel.h"
#include "core/runtime/ipc/queue_body.h"

#include <QByteArray>

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace proclab {

/// One end of a Pipe. Like Python's multiprocessing.connection.Connection: messages come out one by
/// one, as they went in. Copies of a handle in one process are one end, which close() closes for
/// all of them; handles travel to other processes like any value. Unlike in Python, any number of
/// threads and processes may use an end at once, and one that dies in the middle of a message
/// damages nothing.
///
/// Threads: any. Blocking: send() while the pipe is full (about 1 MiB; two messages, if
/// they are longer than 2 MiB), receive(), poll() and wait(), at
/// most for their limit. Errors: Timeout, Closed, EndOfStream (the other end is gone, and all that
/// it sent is received), OsError EPIPE (nobody is left to read), InvalidState (this end only reads,
/// or only writes), EncodeError.
class Connection
{
public:
    static constexpr auto kind = runtime::ObjectKind::PipeEnd;

    static Connection of(const runtime::ObjectRef &end);

    [[nodiscard]] bool isReadable() const { return m_state->canRead; }
    [[nodiscard]] bool isWritable() const { return m_state->canWrite; }
    [[nodiscard]] bool isClosed() const
    {
        return m_state->isClosed.load(std::memory_order_acquire);
    }
    /// Closes the end for this process.
    void close() const;

    template<Payload T>
    Result<void> send(const T &value, TimeLimit limit = std::nullopt) const;
    template<Payload T>
    Result<T> receive(TimeLimit limit = std::nullopt) const;
    /// Sends plain bytes as a message. InvalidArgument if @p offset or @p size (below 0: to the
    /// end) lies outside of them.
    Result<void> sendBytes(const QByteArray &bytes, qsizetype offset = 0,
                           qsizetype size = -1) const;
    Result<QByteArray> receiveBytes(TimeLimit limit = std::nullopt) const;
    /// Receives into @p buffer from @p offset on, and returns the message's size. Full if it is
    /// longer than that; the whole message is then in @p tooLong.
    Result<qsizetype> receiveInto(std::span<std::byte> buffer, QByteArray &tooLong,
                                  qsizetype offset = 0) const;
    /// Whether a message, or the end, can be received within @p limit.
    Result<bool> poll(std::chrono::nanoseconds limit = std::chrono::nanoseconds(0)) const;

    /// Waits until at least one of @p connections has a message or the end, or one of @p
    /// descriptors can be read, and returns the positions of all such; those of descriptors count
    /// on after the connections. Returns none after @p limit.
    static Result<std::vector<std::size_t>> wait(std::span<const Connection> connections,
                                                 TimeLimit limit = std::nullopt,
                                                 std::span<const int> descriptors = {});

    /// Messages of one direction, for observers.
    struct Traffic
    {
        quint64 sent = 0;    ///< So far, modulo 2^24.
        quint64 waiting = 0; ///< Of these, not received yet.
    };
    /// Towards this end.
    [[nodiscard]] Traffic arriving() const { return trafficOf(incoming()); }
    /// Away from this end.
    [[nodiscard]] Traffic leaving() const { return trafficOf(body().directions[m_state->side]); }

    /// The object of this end, for a handle on its way. Closed.
    [[nodiscard]] Result<runtime::ObjectRef> end() const;

private:
    friend class Pipe;
    using Outcome = runtime::ByteRing::Outcome;

    struct State
    {
        runtime::ObjectRef pipe;
        std::uint32_t side = 0;
        bool canRead = false;
        bool canWrite = false;
        std::atomic<bool> isClosed{false};
        std::mutex mutex;
        runtime::ObjectRef end; ///< Guarded by it; null once closed.
    };

    explicit Connection(std::shared_ptr<State> state) : m_state(std::move(state)) {}
    [[nodiscard]] runtime::PipeBody &body() const
    {
        return m_state->pipe->body<runtime::PipeBody>();
    }
    [[nodiscard]] runtime::PipeBody::Direction &incoming() const
    {
        return body().directions[1 - m_state->side];
    }
    [[nodiscard]] static Traffic trafficOf(const runtime::PipeBody::Direction &direction)
    {
        return {direction.ring.putCount(), direction.ring.size()};
    }
    [[nodiscard]] bool isOtherGone() const { return body().isGone(1 - m_state->side); }
    [[nodiscard]] bool canReceiveNow() const
    {
        return !incoming().ring.isEmpty() || isOtherGone() || isClosed();
    }
    Result<void> sendMessage(const runtime::ByteRing::Record &record,
                             std::int64_t deadlineNs) const;
    /// Calls @p store(bytes, mark) to copy the message; @p parcel keeps what its handles refer to.
    template<typename Store>
    Result<void> receiveMessage(TimeLimit limit, Store store,
                                runtime::ObjectRef *parcel = nullptr) const;

    std::shared_ptr<State> m_state;
};

/// Two connected ends. Like Python's multiprocessing.Pipe().
class Pipe
{
public:
    enum class Direction {
        Duplex,
        OneWay, ///< `first` only receives, `second` only sends.
    };

    /// OsError.
    static Result<Pipe> create(Direction direction = Direction::Duplex);

    Connection first;
    Connection second;
};

template<>
struct Codec<Connection>
{
    static void encode(PayloadWriter &writer, const Connection &value)
    {
        const auto end = value.end();
        if (!end)
            throw std::runtime_error("the connection is closed");
        HandleTransfer::note(*end);
        Codec<runtime::ObjectHandle>::encode(writer, (*end)->handle());
    }
    static Connection decode(PayloadReader &reader)
    {
        const auto handle = Codec<runtime::ObjectHandle>::decode(reader);
        const auto end = runtime::ObjectSpace::instance().attach(handle, Connection::kind);
        if (!end)
            throw DecodeError("the pipe's end is gone");
        HandleTransfer::note(end);
        return Connection::of(end);
    }
};

template<Payload T>
Result<void> Connection::send(const T &value, TimeLimit limit) const
{
    const std::int64_t deadline = deadlineOf(limit);
    return sendOff(value, [this, deadline](std::span<const std::byte> bytes, const auto &handles) {
        return sendMessage({bytes, 0, handles}, deadline);
    });
}

template<typename Store>
Result<void> Connection::receiveMessage(TimeLimit limit, Store store,
                                        runtime::ObjectRef *parcel) const
{
    if (isClosed())
        return Error{ErrorCode::Closed};
    if (!m_state->canRead)
        return Error{ErrorCode::InvalidState};
    runtime::ObjectSpace &space = runtime::ObjectSpace::instance();
    runtime::PipeBody::Direction &from = incoming();
    const std::array counts{&from.got[space.self()]};
    const auto get = [&](std::int64_t deadlineNs, auto isOver) {
        return from.ring.get(space, counts, deadlineNs, isOver, store, parcel);
    };
    auto outcome = get(deadlineOf(limit), [this] { return isOtherGone() || isClosed(); });
    // What the other end sent before it was gone is still received.
    if (outcome == Outcome::Refused && !isClosed())
        outcome = get(0, [] { return true; });
    if (outcome == Outcome::Done)
        return {};
    if (outcome == Outcome::TimedOut)
        return Error{ErrorCode::Timeout};
    return Error{isClosed() ? ErrorCode::Closed : ErrorCode::EndOfStream};
}

template<Payload T>
Result<T> Connection::receive(TimeLimit limit) const
{
    Arrival<T> arrival;
    runtime::ObjectRef parcel;
    const auto store = [&arrival](std::span<const std::byte> message, std::uint32_t /*mark*/) {
        arrival.take(message);
    };
    const auto received = receiveMessage(limit, store, &parcel);
    if (!received)
        return received.error();
    return arrival.value();
}

} // namespace proclab
