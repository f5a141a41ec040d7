// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/executor/future.h"
#include "core/pool/pool_core.h"

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

namespace proclab {

/// Gathers the results of some calls, in their order, into one FutureState.
class GatherSink : public std::enable_shared_from_this<GatherSink>
{
public:
    /// For @p count calls; with none nobody settles it but the caller.
    static std::shared_ptr<GatherSink> make(std::size_t count,
                                            const std::shared_ptr<PoolCore> &core);

    [[nodiscard]] const std::shared_ptr<FutureState> &state() const { return m_state; }
    /// What takes the results of a chunk whose first call is number @p first.
    [[nodiscard]] std::shared_ptr<CallSink> chunk(std::size_t first);

private:
    class Chunk;

    GatherSink(std::size_t count, const std::shared_ptr<PoolCore> &core);
    void take(std::size_t number, Result<std::vector<std::byte>> result);

    std::shared_ptr<FutureState> m_state;
    std::mutex m_mutex;
    // Guarded by m_mutex.
    std::vector<std::vector<std::byte>> m_results;
    std::size_t m_missing;
    std::optional<std::pair<std::size_t, Error>> m_error; ///< Of the first call that failed.
};

enum class StreamOrder { OfInputs, OfCompletion };

/// Feeds calls to a pool a little ahead of what is asked for, and hands their results out one by
/// one.
///
/// Threads: next() from one thread at a time.
class StreamSink : public std::enable_shared_from_this<StreamSink>
{
public:
    /// Takes up to so many further inputs; none: the end. May throw what the inputs throw.
    using Source = std::function<CallChunk(std::size_t most)>;

    StreamSink(std::shared_ptr<PoolCore> core, Source source, std::size_t chunkSize,
               StreamOrder order);

    /// The next result; EndOfStream after the last, Timeout. Throws what the inputs throw, once;
    /// then they are at their end.
    Result<std::vector<std::byte>> next(TimeLimit limit);

private:
    class Chunk;

    void submitAhead();
    void take(std::size_t number, Result<std::vector<std::byte>> result);

    const std::shared_ptr<PoolCore> m_core;
    const Source m_source;
    const std::size_t m_chunkSize;
    const StreamOrder m_order;
    std::size_t m_submitted = 0; ///< Calls; of the reading thread.
    std::size_t m_read = 0;      ///< Of the reading thread.
    bool m_sourceIsAtEnd = false;

    std::mutex m_mutex;
    std::condition_variable m_arrived;
    // Guarded by m_mutex.
    std::map<std::size_t, Result<std::vector<std::byte>>> m_results; ///< By place in the order.
    std::size_t m_completed = 0;
};

/// The values of a lazy map. Copies read the same stream.
template<typename T>
class ResultStream
{
public:
    explicit ResultStream(std::shared_ptr<StreamSink> sink) : m_sink(std::move(sink)) {}

    /// The next value, or the error of its call, after which the stream goes on; EndOfStream after
    /// the last; Timeout, after which it can be asked again.
    Result<T> next(TimeLimit limit = std::nullopt)
    {
        Result<std::vector<std::byte>> bytes = m_sink->next(limit);
        if (!bytes)
            return bytes.error();
        try {
            return decodePayload<T>(*bytes);
        } catch (const std::exception &exception) {
            return Error{ErrorCode::EncodeError, {}, QString::fromUtf8(exception.what())};
        }
    }

private:
    std::shared_ptr<StreamSink> m_sink;
};

} // namespace proclab
