// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/pool/call_sinks.h"

#include "core/runtime/clock.h"
#include "core/runtime/trace/process_notes.h"

#include <algorithm>

namespace proclab {

bool CallState::cancel()
{
    if (!isSettled()) {
        const auto core = m_core.lock();
        if (!core || !core->withdraw(*this) || !wait(std::nullopt))
            return false;
    }
    return isCancelled();
}

void CallState::storeResults(quint32, quint32, const std::byte *results)
{
    prepare(EncodedBytes(std::span(results, chunk().task.packedBytes.value_or(0))));
}

void CallState::help() const
{
    if (const auto core = m_core.lock())
        core->help(*this);
}

bool CallState::hasStarted() const
{
    const auto core = m_core.lock();
    return core && core->hasStarted(*this);
}

std::shared_ptr<FutureState> submitCall(const std::shared_ptr<PoolCore> &core, CallChunk &&chunk,
                                        const Result<void> &encoded)
{
    auto call = std::make_shared<CallState>(core, std::move(chunk));
    if (const auto submitted = encoded ? core->submit(call) : encoded; !submitted)
        call->settle(submitted.error());
    return call;
}

GatheredState::GatheredState(std::size_t count, std::optional<quint8> packedBytes)
    : m_count(count)
    , m_packedBytes(packedBytes.value_or(0))
    , m_packed(count * m_packedBytes)
    , m_single(packedBytes ? 0 : count)
{}

GatheredState::~GatheredState() = default;

std::span<const std::byte> GatheredState::bytesOf(std::size_t call) const
{
    return m_single.empty() ? std::span(m_packed).subspan(call * m_packedBytes, m_packedBytes)
                            : std::span<const std::byte>(m_single[call]);
}

class GatherState::Chunk final : public CallSink
{
public:
    Chunk(std::shared_ptr<GatherState> gathered, CallChunk chunk, std::size_t first)
        : CallSink(std::move(chunk))
        , m_gathered(std::move(gathered))
        , m_first(first)
    {}
    void end(quint32 position, Result<EncodedBytes> result) override
    {
        m_gathered->gather(m_first + position, std::move(result));
    }

protected:
    void storeResults(quint32 position, quint32 count, const std::byte *results) override
    {
        const std::size_t each = m_gathered->m_packedBytes;
        if (each > 0)
            std::memcpy(m_gathered->m_packed.data() + (m_first + position) * each, results,
                        count * each);
    }
    void reportStored(quint32, quint32 count) override { m_gathered->noteEnded(count); }

private:
    const std::shared_ptr<GatherState> m_gathered;
    const std::size_t m_first;
};

GatherState::GatherState(const std::shared_ptr<PoolCore> &core, std::size_t count,
                         std::optional<quint8> packedBytes)
    : GatheredState(count, packedBytes)
    , m_core(core)
    , m_missing(count)
{}

std::shared_ptr<CallSink> GatherState::sinkOf(std::shared_ptr<GatherState> state, CallChunk chunk,
                                              std::size_t first)
{
    return std::make_shared<Chunk>(std::move(state), std::move(chunk), first);
}

void GatherState::help() const
{
    if (const auto core = m_core.lock())
        core->help(*this);
}

void GatherState::gather(std::size_t number, Result<EncodedBytes> result)
{
    if (result) {
        m_single[number] = std::move(*result);
    } else {
        const std::lock_guard lock(m_mutex);
        if (!m_error || number < m_error->first)
            m_error.emplace(number, result.error());
    }
    noteEnded(1);
}

void GatherState::noteEnded(std::size_t count)
{
    const std::size_t missing = m_missing.fetch_sub(count, std::memory_order_acq_rel);
    Q_ASSERT(missing >= count); // Each call ends once.
    if (missing > count)
        return;
    // The last one: nobody else looks any more.
    if (m_error)
        settle(m_error->second);
    else
        settle(EncodedBytes());
}

std::shared_ptr<FutureState> submitCalls(const std::shared_ptr<PoolCore> &core,
                                         const CalledTask &task,
                                         const std::vector<runtime::ObjectRef> &objects,
                                         const Result<std::shared_ptr<const EncodedCalls>> &calls,
                                         std::size_t chunkSize)
{
    const std::size_t count = calls ? (*calls)->count : 0;
    auto gathered = std::make_shared<GatherState>(core, count, task.packedBytes);
    Result<void> submitted;
    if (!calls)
        submitted = calls.error();
    const std::size_t size = core->chunkSize(count, chunkSize);
    for (std::size_t first = 0; submitted && first < count; first += size) {
        CallChunk part{.task = task,
                       .count = static_cast<quint32>(std::min(size, count - first)),
                       .calls = *calls,
                       .first = first,
                       .objects = objects};
        submitted = core->submit(GatherState::sinkOf(gathered, std::move(part), first));
    }
    if (!submitted)
        gathered->settle(submitted.error());
    else if (count == 0)
        gathered->settle(EncodedBytes());
    return gathered;
}

class StreamSink::Chunk final : public CallSink
{
public:
    Chunk(std::shared_ptr<StreamSink> stream, CallChunk chunk, std::size_t first)
        : CallSink(std::move(chunk))
        , m_stream(std::move(stream))
        , m_first(first)
        , m_packed(std::size_t{this->chunk().count} * this->chunk().task.packedBytes.value_or(0))
    {}
    void end(quint32 position, Result<EncodedBytes> result) override
    {
        m_stream->take(m_first + position, std::move(result));
    }

protected:
    void storeResults(quint32 position, quint32 count, const std::byte *results) override
    {
        const std::size_t each = chunk().task.packedBytes.value_or(0);
        if (each > 0)
            std::memcpy(m_packed.data() + position * each, results, count * each);
    }
    void reportStored(quint32 position, quint32 count) override
    {
        const std::size_t each = chunk().task.packedBytes.value_or(0);
        for (std::size_t i = position; i < std::size_t{position} + count; ++i)
            end(static_cast<quint32>(i), EncodedBytes(std::span(m_packed).subspan(i * each, each)));
    }

private:
    const std::shared_ptr<StreamSink> m_stream;
    const std::size_t m_first;
    std::vector<std::byte> m_packed;
};

namespace {

StreamConfig sensible(StreamConfig config)
{
    config.chunkSize = std::clamp<std::size_t>(config.chunkSize, 1, PoolCore::maxCallsPerChunk);
    config.ahead = std::max(config.ahead, config.chunkSize);
    return config;
}

} // namespace

StreamSink::StreamSink(std::shared_ptr<PoolCore> core, StreamInputs inputs,
                       const StreamConfig &config)
    : m_core(std::move(core))
    , m_config(sensible(config))
    , m_deadlineNs(config.limit ? std::optional(runtime::nowNs() + config.limit->count())
                                : std::nullopt)
    , m_inputs(std::move(inputs))
{}

void StreamSink::feed()
{
    const std::size_t size = m_config.chunkSize;
    while (m_inputs && m_submitted - m_read <= m_config.ahead - size) {
        StreamPart part;
        try {
            part = m_inputs(size);
        } catch (...) {
            m_inputs = nullptr;
            throw;
        }
        if (part.isLast)
            m_inputs = nullptr;
        if (part.chunk.count > 0)
            submit(std::move(part.chunk));
        if (part.failure)
            take(m_submitted++, *part.failure);
    }
}

void StreamSink::submit(CallChunk chunk)
{
    const std::size_t count = chunk.count;
    const std::size_t first = std::exchange(m_submitted, m_submitted + count);
    const auto sink = std::make_shared<Chunk>(shared_from_this(), std::move(chunk), first);
    m_chunks.emplace_back(m_submitted, sink);
    if (const auto submitted = m_core->submit(sink); !submitted) {
        for (std::size_t i = 0; i < count; ++i)
            take(first + i, submitted.error());
    }
}

Result<EncodedBytes> StreamSink::next(TimeLimit limit)
{
    if (m_core->isOfParent())
        return PoolCore::ofParent();
    feed();
    if (m_read == m_submitted)
        return Error{ErrorCode::EndOfStream};
    std::unique_lock lock(m_mutex);
    const auto hasNext = [this] { return m_results.contains(m_read); };
    if (m_deadlineNs) {
        const std::chrono::nanoseconds left(*m_deadlineNs - runtime::nowNs());
        limit = limit ? std::min(*limit, left) : left;
    }
    runtime::WaitScope noted;
    if (!hasNext())
        noted.sleepsFor({runtime::WaitSubject::Type::Calls}, deadlineOf(limit));
    if (!limit) {
        m_arrived.wait(lock, hasNext);
    } else if (!m_arrived.wait_for(lock, std::max(*limit, std::chrono::nanoseconds(0)), hasNext)) {
        lock.unlock();
        if (m_deadlineNs && runtime::nowNs() >= *m_deadlineNs)
            close();
        return Error{ErrorCode::Timeout};
    }
    auto found = m_results.extract(m_read++);
    while (!m_chunks.empty() && m_chunks.front().first <= m_read)
        m_chunks.pop_front();
    return std::move(found.mapped());
}

void StreamSink::close()
{
    if (m_core->isOfParent())
        return;
    m_inputs = nullptr;
    m_submitted = m_read;
    for (const auto &[end, chunk] : std::exchange(m_chunks, {})) {
        if (const auto living = chunk.lock())
            m_core->withdraw(*living);
    }
    const std::lock_guard lock(m_mutex);
    m_isClosed = true;
    m_results.clear();
}

void StreamSink::take(std::size_t number, Result<EncodedBytes> result)
{
    const std::lock_guard lock(m_mutex);
    if (m_isClosed)
        return;
    const std::size_t place = m_config.order == StreamOrder::OfInputs ? number : m_completed++;
    [[maybe_unused]] const bool isFirst = m_results.emplace(place, std::move(result)).second;
    Q_ASSERT(isFirst); // Each call ends once.
    m_arrived.notify_one();
}

} // namespace proclab
