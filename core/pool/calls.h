// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/call/future.h"
#include "core/call/task.h"

#include <QtGlobal>

#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

/// What the templates of Pool and Executor make of calls, and what they get back. The pool itself
/// is not in sight here, so that a program which includes it compiles fast.
namespace proclab {

class PoolCore;

/// What a pool's workers call before anything else.
struct InitializerCall
{
    quint32 task = runtime::noTask; ///< A registered one, or none.
    std::vector<std::byte> arguments = {};
    std::vector<runtime::ObjectRef> objects = {}; ///< What the arguments refer to.
};

/// What calls call.
struct CalledTask
{
    quint32 number = runtime::noTask;                 ///< A registered one.
    std::optional<quint8> packedBytes = std::nullopt; ///< See TaskOf.
};

/// Some calls of one task, encoded, which one worker takes together.
struct CallChunk
{
    CalledTask task = {};
    quint32 count = 1;
    EncodedBytes single = {}; ///< The arguments of a single call.
    /// The arguments of several calls, from call `first` on.
    std::shared_ptr<const EncodedCalls> calls = nullptr;
    std::size_t first = 0;
    std::vector<runtime::ObjectRef> objects =
        {}; ///< What the arguments refer to; held until the calls have ended.

    /// The arguments of its calls, one behind the other.
    [[nodiscard]] std::span<const std::byte> bytes() const;
    /// Whether workers need a table of where each begins.
    [[nodiscard]] bool needsTable() const { return calls && count > 1 && !calls->ends.empty(); }
    [[nodiscard]] quint64 tableBytes() const
    {
        return needsTable() ? (quint64{count} + 1) * sizeof(quint64) : 0;
    }
};

/// Gives @p chunk, which is one call, to @p core. The handle also carries what goes wrong at once:
/// the error of @p encoded, if the arguments could not be encoded, or that of the core.
[[nodiscard]] std::shared_ptr<FutureState>
submitCall(const std::shared_ptr<PoolCore> &core, CallChunk &&chunk, const Result<void> &encoded);

/// Gathers the results of many calls of one task, in the order of the calls.
class GatheredState : public FutureState
{
public:
    ~GatheredState() override;
    /// The values of a state that is Done.
    template<typename T>
    [[nodiscard]] std::vector<T> values() const;

protected:
    [[nodiscard]] std::span<const std::byte> bytesOf(std::size_t call) const;
    GatheredState(std::size_t count, std::optional<quint8> packedBytes);

    const std::size_t m_count;
    const std::size_t m_packedBytes;
    std::vector<std::byte> m_packed;    ///< Packed results, side by side.
    std::vector<EncodedBytes> m_single; ///< Other results, one by one.
};

template<typename T>
std::vector<T> GatheredState::values() const
{
    std::vector<T> values;
    if constexpr (FlatPayload<T> && !std::is_empty_v<T> && !std::is_same_v<T, bool>) {
        if (m_packedBytes == sizeof(T) && m_count > 0) {
            values.resize(m_count);
            std::memcpy(values.data(), m_packed.data(), m_packed.size());
            return values;
        }
    }
    values.reserve(m_count);
    for (std::size_t i = 0; i < m_count; ++i)
        values.push_back(decodePayload<T>(bytesOf(i)));
    return values;
}

/// Gives all of @p calls of @p task, which refer to @p objects, to @p core, in chunks of
/// @p chunkSize (0: see PoolCore::chunkSize()). The handle is a GatheredState, or carries the error
/// of @p calls.
[[nodiscard]] std::shared_ptr<FutureState>
submitCalls(const std::shared_ptr<PoolCore> &core, const CalledTask &task,
            const std::vector<runtime::ObjectRef> &objects,
            const Result<std::shared_ptr<const EncodedCalls>> &calls, std::size_t chunkSize);

enum class StreamOrder { OfInputs, OfCompletion };

/// Some more inputs of a stream, encoded. The end of the inputs may follow them, or an input that
/// cannot be encoded.
struct StreamPart
{
    CallChunk chunk; ///< Has as many calls as its EncodedCalls.
    bool isLast = false;
    std::optional<Error> failure = std::nullopt; ///< Why the next input cannot be encoded.
};

/// Reads up to @p most more inputs of a stream. Throws what reading them throws.
using StreamInputs = std::function<StreamPart(std::size_t most)>;

struct StreamConfig
{
    static constexpr std::size_t everything = ~std::size_t{0};

    std::size_t chunkSize = 1;
    StreamOrder order = StreamOrder::OfInputs;
    std::size_t ahead = everything; ///< How many calls are fed before their results are asked for.
    TimeLimit limit = std::nullopt; ///< For all results, counted from the construction.
};

/// The results of a stream of calls, one by one.
class ResultSource
{
public:
    virtual ~ResultSource() = default;
    /// The next result. EndOfStream after the last; Timeout, which ends the stream if it is the
    /// config's limit. Throws what reading the inputs throws.
    virtual Result<EncodedBytes> next(TimeLimit limit) = 0;
    /// Cancels the calls that have not started; next() gives EndOfStream.
    virtual void close() = 0;
};

/// The values of a lazy map. Copies read one stream.
template<typename T>
class ResultStream
{
public:
    explicit ResultStream(std::shared_ptr<ResultSource> source) : m_source(std::move(source)) {}
    /// A stream that has only an error.
    explicit ResultStream(Error error) : m_error(std::make_shared<std::optional<Error>>(error)) {}

    /// The next value, or the error of its call, after which the stream goes on. EndOfStream after
    /// the last; Timeout, after which next() may be called again.
    Result<T> next(TimeLimit limit = std::nullopt)
    {
        if (!m_source) {
            const auto error = std::exchange(*m_error, std::nullopt);
            return error.value_or(Error{ErrorCode::EndOfStream});
        }
        Result<EncodedBytes> bytes = m_source->next(limit);
        if (!bytes)
            return bytes.error();
        try {
            return decodePayload<T>(*bytes);
        } catch (const std::exception &exception) {
            return encodeError(exception);
        }
    }
    /// Cancels the calls that have not started; next() gives EndOfStream.
    void close()
    {
        if (m_source)
            m_source->close();
    }

private:
    std::shared_ptr<ResultSource> m_source;
    std::shared_ptr<std::optional<Error>> m_error; ///< Without a sink; shared by copies.
};

} // namespace proclab
