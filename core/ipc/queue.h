// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/ipc/item_travel.h"
#include "core/runtime/ipc/queue_body.h"

#include <atomic>
#include <functional>
#include <memory>

namespace proclab {

/// A queue between processes, as Python's multiprocessing.Queue, JoinableQueue and SimpleQueue:
/// many producers, many consumers, first in, first out. An item is in the queue when put() returns
/// (there is no thread that feeds it later), so nobody need read it before its producer may end.
/// What Python's does not keep: a process that dies in put() or get() leaves the queue as it was
/// before or after that call, never locked.
///
///     Result<Queue<QString>> fruit = Queue<QString>::create(3);
///
/// Threads: any. Blocking: put(), get() and join(), at most for their limit.
/// Errors: Full, Empty (not in time), Closed, EncodeError, EndOfStream, InvalidState, OsError.
template<Payload T>
class Queue : public SharedHandle
{
public:
    static constexpr auto kind = runtime::ObjectKind::Queue;
    using ErrorHook = std::function<void(const Error &, const T &)>;

    /// Most items that wait in any queue.
    static constexpr int maxItems = int{runtime::ByteRing::maxRecords};

    /// @p capacity: items that wait at most, 0 or less: as many as there is memory for (1 GiB,
    /// maxItems). OsError.
    static Result<Queue> create(int capacity = 0)
    {
        auto object = make(kind, sizeof(runtime::QueueBody));
        if (!object)
            return object.error();
        runtime::ByteRing::Limits limits;
        if (capacity > 0 && capacity < maxItems)
            limits.records = static_cast<std::uint64_t>(capacity);
        (*object)->template body<runtime::QueueBody>().ring.setUp(limits);
        return of(std::move(*object));
    }
    static Queue of(runtime::ObjectRef object) { return Queue(std::move(object)); }

    /// Full: there was no room within @p limit. EncodeError: the item has no bytes; it is dropped,
    /// and onEncodeError() is told.
    Result<void> put(const T &item, TimeLimit limit = std::nullopt) const;
    Result<void> putNoWait(const T &item) const { return put(item, std::chrono::nanoseconds(0)); }
    /// Puts @p count ENDs, in order behind what was put before: each is for one consumer, whose
    /// get() returns EndOfStream.
    Result<void> putEnd(int count = 1) const;
    /// Empty: there was none within @p limit. EndOfStream: an END. EncodeError: what came is no T.
    Result<T> get(TimeLimit limit = std::nullopt) const;
    Result<T> getNoWait() const { return get(std::chrono::nanoseconds(0)); }

    /// Items that wait now.
    [[nodiscard]] int size() const { return static_cast<int>(body().ring.size()); }
    [[nodiscard]] bool isFull() const { return body().ring.isFull(); }
    /// Closed after close().
    [[nodiscard]] Result<bool> isEmpty() const
    {
        if (m_state->isClosed.load(std::memory_order_acquire))
            return Error{ErrorCode::Closed};
        return body().ring.isEmpty();
    }

    /// An item that was got has been dealt with. InvalidState: more often than items were put.
    Result<void> taskDone() const
    {
        if (!body().finish(space().self()))
            return Error{ErrorCode::InvalidState};
        return {};
    }
    /// Waits until taskDone() was called for every item; those of a process that died count as
    /// done, and as lost. Timeout.
    Result<void> join(TimeLimit limit = std::nullopt) const
    {
        if (!body().joining.wait([this] { return body().unfinished() == 0; }, deadlineOf(limit)))
            return Error{ErrorCode::Timeout};
        return {};
    }
    /// Items that were in the hands of processes that died, which had not called taskDone().
    [[nodiscard]] int lostItems() const
    {
        return static_cast<int>(body().lost.load(std::memory_order_acquire));
    }

    /// This process, by this handle and its copies, uses the queue no more: Closed. Others go on.
    void close() const { m_state->isClosed.store(true, std::memory_order_release); }
    /// Is called with the error and the item when one has no bytes; before the queue is used.
    void onEncodeError(ErrorHook hook) const { m_state->hook = std::move(hook); }

private:
    /// A record's mark.
    enum Mark : std::uint32_t { Item, End };
    struct State
    {
        std::atomic<bool> isClosed{false};
        ErrorHook hook;
    };

    explicit Queue(runtime::ObjectRef object) : SharedHandle(std::move(object)) {}
    [[nodiscard]] runtime::QueueBody &body() const { return object()->body<runtime::QueueBody>(); }
    [[nodiscard]] auto refusal() const
    {
        return [state = m_state.get()] { return state->isClosed.load(std::memory_order_acquire); };
    }
    Result<void> putRecord(const runtime::ByteRing::Record &record, std::int64_t deadlineNs) const;

    std::shared_ptr<State> m_state = std::make_shared<State>();
};

template<Payload T>
Result<void> Queue<T>::put(const T &item, TimeLimit limit) const
{
    const std::int64_t deadline = deadlineOf(limit);
    const auto put = [this, deadline](std::span<const std::byte> bytes, const auto &handles) {
        return putRecord({bytes, Item, handles}, deadline);
    };
    Result<void> result = sendOff(item, put);
    if (!result && result.error().code == ErrorCode::EncodeError && m_state->hook)
        m_state->hook(result.error(), item);
    return result;
}

template<Payload T>
Result<void> Queue<T>::putEnd(int count) const
{
    for (int i = 0; i < count; ++i) {
        if (auto result = putRecord({{}, End}, runtime::noDeadline); !result)
            return result;
    }
    return {};
}

template<Payload T>
Result<void> Queue<T>::putRecord(const runtime::ByteRing::Record &record,
                                 std::int64_t deadlineNs) const
{
    if (refusal()())
        return Error{ErrorCode::Closed};
    switch (body().ring.put(space(), record, deadlineNs, refusal())) {
    case runtime::ByteRing::Outcome::Done:
        return {};
    case runtime::ByteRing::Outcome::TimedOut:
        return Error{ErrorCode::Full};
    case runtime::ByteRing::Outcome::Refused:
        return Error{ErrorCode::Closed};
    case runtime::ByteRing::Outcome::NoMemory:
        break;
    }
    return osError({}, ENOMEM, ErrorText::tr("item of a queue"));
}

template<Payload T>
Result<T> Queue<T>::get(TimeLimit limit) const
{
    if (refusal()())
        return Error{ErrorCode::Closed};
    Arrival<T> arrival;
    std::uint32_t mark = Item;
    const auto store = [&arrival, &mark](std::span<const std::byte> record, std::uint32_t itsMark) {
        arrival.take(record);
        mark = itsMark;
    };
    runtime::QueueBody &queue = body();
    runtime::ObjectRef parcel; // Keeps what the item's handles are of until they have landed.
    const auto outcome = queue.ring.get(space(), queue.taken[space().self()], deadlineOf(limit),
                                        refusal(), store, &parcel);
    if (outcome == runtime::ByteRing::Outcome::TimedOut)
        return Error{ErrorCode::Empty};
    if (outcome != runtime::ByteRing::Outcome::Done)
        return Error{ErrorCode::Closed};
    if (mark == End) {
        queue.finish(space().self()); // An END is no task.
        return Error{ErrorCode::EndOfStream};
    }
    return arrival.value();
}

} // namespace proclab
