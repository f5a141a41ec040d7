// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/pool/call_sinks.h"

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
        m_gathered->take(m_first + position, std::move(result));
    }

private:
    const std::shared_ptr<GatherSink> m_gathered;
    const std::size_t m_first;
};

std::shared_ptr<GatherSink> GatherSink::make(std::size_t count,
                                             const std::shared_ptr<PoolCore> &core)
{
    return std::shared_ptr<GatherSink>(new GatherSink(count, core));
}

GatherSink::GatherSink(std::size_t count, const std::shared_ptr<PoolCore> &core)
    : m_state(std::make_shared<FutureState>())
    , m_results(count)
    , m_missing(count)
{
    m_state->help = [weak = std::weak_ptr(core)](const FutureState &state) {
        if (const auto living = weak.lock())
            living->help(state);
    };
}

std::shared_ptr<CallSink> GatherSink::chunk(std::size_t first)
{
    return std::make_shared<Chunk>(shared_from_this(), first);
}

void GatherSink::take(std::size_t number, Result<std::vector<std::byte>> result)
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

StreamSink::StreamSink(std::shared_ptr<PoolCore> core, Source source, std::size_t chunkSize,
                       StreamOrder order)
    : m_core(std::move(core))
    , m_source(std::move(source))
    , m_chunkSize(std::min<std::size_t>(chunkSize, PoolCore::maxCallsPerChunk))
    , m_order(order)
{}

void StreamSink::submitAhead()
{
    const std::size_t ahead = m_core->lookAhead() * m_chunkSize;
    while (!m_sourceIsAtEnd && m_submitted - m_read < ahead) {
        CallChunk chunk;
        try {
            chunk = m_source(m_chunkSize);
        } catch (...) {
            m_sourceIsAtEnd = true;
            throw;
        }
        const std::size_t count = chunk.arguments.size();
        m_sourceIsAtEnd = count < m_chunkSize;
        if (count == 0)
            return;
        const std::size_t first = std::exchange(m_submitted, m_submitted + count);
        const auto sink = std::make_shared<Chunk>(shared_from_this(), first);
        if (const auto submitted = m_core->submit(std::move(chunk), sink); !submitted) {
            for (std::size_t i = 0; i < count; ++i)
                take(first + i, submitted.error());
        }
    }
}

Result<std::vector<std::byte>> StreamSink::next(TimeLimit limit)
{
    submitAhead();
    if (m_read == m_submitted)
        return Error{ErrorCode::EndOfStream};
    std::unique_lock lock(m_mutex);
    const auto hasNext = [this] { return m_results.contains(m_read); };
    if (!limit)
        m_arrived.wait(lock, hasNext);
    else if (!m_arrived.wait_for(lock, std::max(*limit, std::chrono::nanoseconds(0)), hasNext))
        return Error{ErrorCode::Timeout};
    auto found = m_results.extract(m_read++);
    return std::move(found.mapped());
}

void StreamSink::take(std::size_t number, Result<std::vector<std::byte>> result)
{
    const std::lock_guard lock(m_mutex);
    const std::size_t place = m_order == StreamOrder::OfInputs ? number : m_completed++;
    [[maybe_unused]] const bool isFirst = m_results.emplace(place, std::move(result)).second;
    Q_ASSERT(isFirst); // Each call ends once.
    m_arrived.notify_one();
}

} // namespace proclab
