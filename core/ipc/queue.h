// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/ipc/item_travel.h"
#include "core/runtime/ipc/queue_body.h"

#include <array>
#include <atomic>
#include <functional>
#include <memory>

namespace proclab {

/// What one process did with a queue, by number: items put and got, and ENDs got. Modulo 2^32, and
/// counted on from what an earlier process of the same number did; see Activity::member().
struct QueueTraffic
{
    quint32 put = 0;
    quint32 got = 0;
    quint32 ends = 0;

    /// What has come since @p earlier.
    [[nodiscard]] QueueTraffic since(const QueueTraffic &earlier) const
    {
        return {put - earlier.put, got - earlier.got, ends - earlier.ends};
    }
};

/// A queue between processes: many producers, many consumers, first in, first out. Like Python's
/// multiprocessing.Queue, JoinableQueue and SimpleQueue. Unlike there, an item is in the queue when
/// put() returns, so its producer may end before anyone reads it, and a process that dies in put()
/// or get() leaves the queue as it was before or after that call, never locked.
///
/// Waiters are woken about in the order in which they came, and nobody is passed over for long:
/// once a put() or get() has waited for 10 ms and comes too late again, which it notices within 0.1
/// s, each other thread puts or gets at most one item before it, and those that come later wait, or
/// get Full or Empty, even if there is room or an item. A waiter that is stopped or killed
/// meanwhile makes others wait for at most 0.25 s.
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

    /// The most items that can wait in any queue.
    static constexpr int maxItems = int{runtime::ByteRing::maxRecords};

    /// Bytes of items that wait at most in any queue, unless it is made for more.
    static constexpr qint64 usualMaxBytes = qint64{1} << 30;

    /// @p capacity: items that wait at most, 0 or less: as many as there is memory for (@p
    /// maxBytes, maxItems). OsError.
    static Result<Queue> create(int capacity = 0, qint64 maxBytes = usualMaxBytes)
    {
        auto object = make(kind, sizeof(runtime::QueueBody));
        if (!object)
            return object.error();
        runtime::ByteRing::Limits limits;
        limits.bytes = static_cast<std::uint64_t>(maxBytes);
        if (capacity > 0 && capacity < maxItems)
            limits.records = static_cast<std::uint64_t>(capacity);
        (*object)->template body<runtime::QueueBody>().ring.setUp(limits);
        return of(std::move(*object));
    }
    static Queue of(runtime::ObjectRef object) { return Queue(std::move(object)); }

    /// Full if there was no room within @p limit. EncodeError if the item cannot be encoded; it is
    /// dropped, and the hook of onEncodeError() is called.
    Result<void> put(const T &item, TimeLimit limit = std::nullopt) const;
    Result<void> putNoWait(const T &item) const { return put(item, std::chrono::nanoseconds(0)); }
    /// Puts @p count ENDs, in order behind what was put before: each is for one consumer, whose
    /// get() returns EndOfStream. Full: there was no room for the next one within @p limit; those
    /// before it are in the queue.
    Result<void> putEnd(int count = 1, TimeLimit limit = std::nullopt) const;
    /// Empty if no item came within @p limit; EndOfStream for an END; EncodeError if what came is
    /// no T.
    Result<T> get(TimeLimit limit = std::nullopt) const;
    Result<T> getNoWait() const { return get(std::chrono::nanoseconds(0)); }

    /// How many items wait now.
    [[nodiscard]] int size() const { return static_cast<int>(body().ring.size()); }
    [[nodiscard]] bool isFull() const { return body().ring.isFull(); }
    /// Closed after close().
    [[nodiscard]] Result<bool> isEmpty() const
    {
        if (m_state->isClosed.load(std::memory_order_acquire))
            return Error{ErrorCode::Closed};
        return body().ring.isEmpty();
    }

    /// Says that an item from get() has been dealt with. InvalidState if called more often than
    /// items were put.
    Result<void> taskDone() const
    {
        if (!body().finish(space().self()))
            return Error{ErrorCode::InvalidState};
        return {};
    }
    /// Waits until taskDone() was called for every item. The items of a process that died count as
    /// done, and as lost. Timeout.
    Result<void> join(TimeLimit limit = std::nullopt) const
    {
        if (!body().joining.wait([this] { return body().unfinished() == 0; }, deadlineOf(limit)))
            return Error{ErrorCode::Timeout};
        return {};
    }
    /// How many items were lost: a process got them and died before it called taskDone().
    [[nodiscard]] int lostItems() const
    {
        return static_cast<int>(body().lost.load(std::memory_order_acquire));
    }

    /// From now on mostItems() is noted, for anybody. Makes a round trip about 15 % slower.
    void noteMostItems() const { body().ring.noteMostRecords(); }
    /// The most items that have waited at one moment since then.
    [[nodiscard]] int mostItems() const { return static_cast<int>(body().ring.mostRecords()); }
    /// What one process did with the queue. Exact also if a SIGKILL ended it in the middle of a
    /// call, once its parent has seen its end.
    [[nodiscard]] QueueTraffic trafficOf(quint32 member) const
    {
        const runtime::QueueBody &queue = body();
        return {queue.put[member], queue.got[member], queue.ends[member]};
    }
    /// Calls @p see(bytes, isEnd) for up to @p most items that wait, the next to leave first, with
    /// their encoded bytes. For observers: consumers wait meanwhile. False: the queue was in use
    /// for all of @p patience.
    template<typename See>
    bool glance(int most, std::chrono::nanoseconds patience, See see) const
    {
        return body().ring.glance(space(), static_cast<std::uint64_t>(most), patience.count(),
                                  [&see](std::span<const std::byte> bytes, std::uint32_t mark) {
                                      see(bytes, mark == End);
                                  });
    }

    /// Ends the use of the queue by this handle and its copies, which then get Closed. Others go
    /// on.
    void close() const { m_state->isClosed.store(true, std::memory_order_release); }
    /// Has @p hook called with the error and the item when one cannot be encoded. Set it before the
    /// queue is used.
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
Result<void> Queue<T>::putEnd(int count, TimeLimit limit) const
{
    const std::int64_t deadline = deadlineOf(limit);
    for (int i = 0; i < count; ++i) {
        if (auto result = putRecord({{}, End}, deadline); !result)
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
    runtime::QueueBody &queue = body();
    switch (queue.ring.put(space(), queue.put[space().self()], record, deadlineNs, refusal())) {
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
    runtime::ObjectRef parcel; // Keeps what the item's handles refer to until they are attached.
    const std::uint32_t self = space().self();
    const std::array counts{&queue.got[self], &queue.ends[self]}; // By mark.
    const auto outcome =
        queue.ring.get(space(), counts, deadlineOf(limit), refusal(), store, &parcel);
    if (outcome == runtime::ByteRing::Outcome::TimedOut)
        return Error{ErrorCode::Empty};
    if (outcome != runtime::ByteRing::Outcome::Done)
        return Error{ErrorCode::Closed};
    if (mark == End) {
        queue.finish(self); // An END is no task.
        return Error{ErrorCode::EndOfStream};
    }
    return arrival.value();
}

} // namespace proclab
