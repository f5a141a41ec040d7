// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/call/future.h"
#include "core/pool/pool_core.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

namespace proclab {

/// One call and the state of its future.
class CallState final : public FutureState, public CallSink
{
public:
    CallState(const std::shared_ptr<PoolCore> &core, CallChunk &&chunk)
        : CallSink(std::move(chunk))
        , m_core(core)
    {}

    void end(quint32, Result<EncodedBytes> result) override { settle(std::move(result)); }
    bool cancel() override;

protected:
    void storeResults(quint32, quint32, const std::byte *results) override;
    void reportStored(quint32, quint32) override { settlePrepared(); }
    void help() const override;
    [[nodiscard]] bool hasStarted() const override;

private:
    const std::weak_ptr<PoolCore> m_core;
};

/// Gathers the results of many calls of one task, in the order of the calls.
class GatherState final : public FutureState
{
public:
    /// For @p count calls; the caller settles a state of none. @p packedBytes: see TaskOf.
    GatherState(const std::shared_ptr<PoolCore> &core, std::size_t count,
                std::optional<quint8> packedBytes);

    /// The sink of @p chunk, whose first call is number @p first of @p state.
    [[nodiscard]] static std::shared_ptr<CallSink> sinkOf(std::shared_ptr<GatherState> state,
                                                          CallChunk chunk, std::size_t first);
    bool cancel() override { return isCancelled(); }
    /// Of a state that is Done.
    template<typename T>
    [[nodiscard]] std::vector<T> values() const;

protected:
    void help() const override;

private:
    class Chunk;

    void gather(std::size_t number, Result<EncodedBytes> result);
    void noteEnded(std::size_t count);

    const std::weak_ptr<PoolCore> m_core;
    const std::size_t m_count;
    const std::size_t m_packedBytes;
    std::vector<std::byte> m_packed;    ///< Packed results, side by side.
    std::vector<EncodedBytes> m_single; ///< Other results, one by one.
    std::atomic<std::size_t> m_missing;
    std::mutex m_mutex;
    std::optional<std::pair<std::size_t, Error>> m_error; ///< The first call that failed.
};

template<typename T>
std::vector<T> GatherState::values() const
{
    std::vector<T> values;
    if constexpr (FlatPayload<T> && !std::is_empty_v<T> && !std::same_as<T, bool>) {
        if (m_packedBytes == sizeof(T) && m_count > 0) {
            values.resize(m_count);
            std::memcpy(values.data(), m_packed.data(), m_packed.size());
            return values;
        }
    }
    values.reserve(m_count);
    for (std::size_t i = 0; i < m_count; ++i)
        values.push_back(decodePayload<T>(
            m_single.empty() ? std::span(m_packed).subspan(i * m_packedBytes, m_packedBytes)
                             : std::span<const std::byte>(m_single[i])));
    return values;
}

enum class StreamOrder { OfInputs, OfCompletion };

/// Some more inputs of a stream, encoded. The end of the inputs may follow them, or an input that
/// cannot be encoded.
struct StreamPart
{
    CallChunk chunk; ///< Has as many calls as its EncodedCalls.
    bool isLast = false;
    std::optional<Error> failure = std::nullopt; ///< Why the next input cannot be encoded.
};

struct StreamConfig
{
    static constexpr std::size_t everything = ~std::size_t{0};

    std::size_t chunkSize = 1;
    StreamOrder order = StreamOrder::OfInputs;
    std::size_t ahead = everything; ///< How many calls are fed before their results are asked for.
    TimeLimit limit = std::nullopt; ///< For all results, counted from the construction.
};

/// Feeds calls to a pool ahead of what is asked for, and returns their results one by one.
///
/// Threads: one at a time.
class StreamSink : public std::enable_shared_from_this<StreamSink>
{
public:
    /// Reads up to @p most more inputs. Throws what reading them throws.
    using Source = std::function<StreamPart(std::size_t most)>;

    StreamSink(std::shared_ptr<PoolCore> core, Source source, const StreamConfig &config);

    /// Feeds what may be fed now. Throws what reading the inputs throws; after that they are at
    /// their end.
    void feed();
    /// The next result. EndOfStream after the last; Timeout, which ends the stream if it is the
    /// config's limit. Throws like feed().
    Result<EncodedBytes> next(TimeLimit limit);
    /// Cancels the calls that have not started; next() gives EndOfStream.
    void close();

private:
    class Chunk;

    void submit(CallChunk chunk);
    void take(std::size_t number, Result<EncodedBytes> result);

    const std::shared_ptr<PoolCore> m_core;
    const StreamConfig m_config;
    const std::optional<qint64> m_deadlineNs; ///< CLOCK_MONOTONIC.
    // Of the reading thread.
    Source m_source;             ///< Null at its end.
    std::size_t m_submitted = 0; ///< Calls.
    std::size_t m_read = 0;
    std::deque<std::pair<std::size_t, std::weak_ptr<CallSink>>> m_chunks; ///< By where each ends.

    std::mutex m_mutex;
    std::condition_variable m_arrived;
    // Guarded by m_mutex.
    std::map<std::size_t, Result<EncodedBytes>> m_results; ///< By position in the stream.
    std::size_t m_completed = 0;
    bool m_isClosed = false;
};

/// The values of a lazy map. Copies read one stream.
template<typename T>
class ResultStream
{
public:
    explicit ResultStream(std::shared_ptr<StreamSink> sink) : m_sink(std::move(sink)) {}
    /// A stream that has only an error.
    explicit ResultStream(Error error) : m_error(std::make_shared<std::optional<Error>>(error)) {}

    /// The next value, or the error of its call, after which the stream goes on. EndOfStream after
    /// the last; Timeout, after which next() may be called again.
    Result<T> next(TimeLimit limit = std::nullopt)
    {
        if (!m_sink) {
            const auto error = std::exchange(*m_error, std::nullopt);
            return error.value_or(Error{ErrorCode::EndOfStream});
        }
        Result<EncodedBytes> bytes = m_sink->next(limit);
        if (!bytes)
            return bytes.error();
        try {
            return decodePayload<T>(*bytes);
        } catch (const std::exception &exception) {
            return Error{ErrorCode::EncodeError, {}, QString::fromUtf8(exception.what())};
        }
    }
    /// Cancels the calls that have not started; next() gives EndOfStream.
    void close()
    {
        if (m_sink)
            m_sink->close();
    }

private:
    std::shared_ptr<StreamSink> m_sink;
    std::shared_ptr<std::optional<Error>> m_error; ///< Without a sink; shared by copies.
};

} // namespace proclab
