// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/pool/pool_core.h"

#include <condition_variable>
#include <deque>
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

class GatherState final : public GatheredState
{
public:
    /// For @p count calls; the caller settles a state of none. @p packedBytes: see TaskOf.
    GatherState(const std::shared_ptr<PoolCore> &core, std::size_t count,
                std::optional<quint8> packedBytes);

    /// The sink of @p chunk, whose first call is number @p first of @p state.
    [[nodiscard]] static std::shared_ptr<CallSink> sinkOf(std::shared_ptr<GatherState> state,
                                                          CallChunk chunk, std::size_t first);
    bool cancel() override { return isCancelled(); }

protected:
    void help() const override;

private:
    class Chunk;

    void gather(std::size_t number, Result<EncodedBytes> result);
    void noteEnded(std::size_t count);

    const std::weak_ptr<PoolCore> m_core;
    std::atomic<std::size_t> m_missing;
    std::mutex m_mutex;
    std::optional<std::pair<std::size_t, Error>> m_error; ///< The first call that failed.
};

/// Feeds calls to a pool ahead of what is asked for, and returns their results one by one.
///
/// Threads: one at a time.
class StreamSink final : public ResultSource, public std::enable_shared_from_this<StreamSink>
{
public:
    StreamSink(std::shared_ptr<PoolCore> core, StreamInputs inputs, const StreamConfig &config);

    /// Feeds what may be fed now. Throws what reading the inputs throws; after that they are at
    /// their end.
    void feed();
    Result<EncodedBytes> next(TimeLimit limit) override;
    void close() override;

private:
    class Chunk;

    void submit(CallChunk chunk);
    void take(std::size_t number, Result<EncodedBytes> result);

    const std::shared_ptr<PoolCore> m_core;
    const StreamConfig m_config;
    const std::optional<qint64> m_deadlineNs; ///< CLOCK_MONOTONIC.
    // Of the reading thread.
    StreamInputs m_inputs;       ///< Null at their end.
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

} // namespace proclab
