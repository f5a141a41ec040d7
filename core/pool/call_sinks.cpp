// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/pool/call_sinks.h"

#include "core/runtime/sync/clock.h"

#include <algorithm>

namespace proclab {

class GatherSink::Chunk final : public CallSink
{
public:
    Chunk(std::shared_ptr<GatherSink> gathered, std::size_t first)
        : m_gathered(std::move(gathered))
        , m_first(first)
    {}
    void take(quint32 position, Result<std::vector<std::byte>> result) override
    {
        m_gathered->gather(m_first + position, std::move(result));
    }

private:
    const std::shared_ptr<GatherSink> m_gathered;
    const std::size_t m_first;
};

std::shared_ptr<GatherSink> GatherSink::make(std::size_t count,
                                             const std::shared_ptr<PoolCore> &core)
{
    std::shared_ptr<GatherSink> made(new GatherSink(count, core));
    made->m_state->setSource(made);
    return made;
}

GatherSink::GatherSink(std::size_t count, const std::shared_ptr<PoolCore> &core)
    : m_core(core)
    , m_state(std::make_shared<FutureState>())
    , m_results(count)
    , m_missing(count)
{}

std::shared_ptr<CallSink> GatherSink::chunk(std::size_t first)
{
    return std::make_shared<Chunk>(shared_from_this(), first);
}

void GatherSink::help(const FutureState &state)
{
    if (const auto core = m_core.lock())
        core->help(state);
}

bool GatherSink::hasStarted() const
{
    const auto core = m_core.lock();
    return core && core->hasStarted(*this);
}

bool GatherSink::withdraw()
{
    const auto core = m_core.lock();
    return core && core->withdraw(*this);
}

void GatherSink::gather(std::size_t number, Result<std::vector<std::byte>> result)
{
    {
        const std::lock_guard lock(m_mutex);
        Q_ASSERT(m_missing > 0); // Each call ends once.
        if (result)
            m_results[number] = std::move(*result);
        else if (!m_error || number < m_error->first)
            m_error.emplace(number, result.error());
        if (--m_missing > 0)
            return;
    }
    // The last one: nobody else looks any more.
    if (m_error)
        m_state->settle(m_error->second);
    else
        m_state->settle(std::move(m_results));
}

class StreamSink::Chunk final : public CallSink
{
public:
    Chunk(std::shared_ptr<StreamSink> stream, std::size_t first)
        : m_stream(std::move(stream))
        , m_first(first)
    {}
    void take(quint32 position, Result<std::vector<std::byte>> result) override
    {
        m_stream->take(m_first + position, std::move(result));
    }

private:
    const std::shared_ptr<StreamSink> m_stream;
    const std::size_t m_first;
};

namespace {

StreamConfig sensible(StreamConfig config)
{
    config.chunkSize = std::clamp<std::size_t>(config.chunkSize, 1, PoolCore::maxCallsPerChunk);
    config.ahead = std::max(config.ahead, config.chunkSize);
    return config;
}

} // namespace

StreamSink::StreamSink(std::shared_ptr<PoolCore> core, Source source, const StreamConfig &config)
    : m_core(std::move(core))
    , m_config(sensible(config))
    , m_deadlineNs(config.limit ? std::optional(runtime::nowNs() + config.limit->count())
                                : std::nullopt)
    , m_source(std::move(source))
{}

void StreamSink::feed()
{
    const std::size_t size = m_config.chunkSize;
    while (m_source && m_submitted - m_read <= m_config.ahead - size) {
        StreamPart part;
        try {
            part = m_source(size);
        } catch (...) {
            m_source = nullptr;
            throw;
        }
        if (part.isLast)
            m_source = nullptr;
        if (!part.chunk.arguments.empty())
            submit(std::move(part.chunk));
        if (part.failure)
            take(m_submitted++, *part.failure);
    }
}

void StreamSink::submit(CallChunk chunk)
{
    const std::size_t count = chunk.arguments.size();
    const std::size_t first = std::exchange(m_submitted, m_submitted + count);
    const auto sink = std::make_shared<Chunk>(shared_from_this(), first);
    m_chunks.emplace_back(m_submitted, sink);
    if (const auto submitted = m_core->submit(std::move(chunk), sink); !submitted) {
        for (std::size_t i = 0; i < count; ++i)
            take(first + i, submitted.error());
    }
}

Result<std::vector<std::byte>> StreamSink::next(TimeLimit limit)
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
    m_source = nullptr;
    m_submitted = m_read;
    for (const auto &[end, chunk] : std::exchange(m_chunks, {})) {
        if (const auto living = chunk.lock())
            m_core->withdraw(*living);
    }
    const std::lock_guard lock(m_mutex);
    m_isClosed = true;
    m_results.clear();
}

void StreamSink::take(std::size_t number, Result<std::vector<std::byte>> result)
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
