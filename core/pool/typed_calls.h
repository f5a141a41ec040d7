// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/executor/future.h"
#include "core/pool/call_sinks.h"
#include "core/pool/pool_core.h"
#include "core/pool/task.h"
#include "core/sync/shared_handle.h"

#include <exception>
#include <memory>
#include <ranges>
#include <tuple>
#include <utility>

namespace proclab {

/// Encoded calls of @p Function, as a core takes them, with what they @p sent beside bytes.
template<auto Function>
[[nodiscard]] CallChunk chunkOf(std::vector<std::vector<std::byte>> arguments,
                                const HandleTransfer &sent)
{
    return {TaskOf<Function>::number(), TaskOf<Function>::name(), std::move(arguments),
            sent.objects};
}

/// A core whose workers call @p Initializer first; EncodeError if its arguments have no bytes.
template<auto Initializer, typename... A>
[[nodiscard]] Result<std::shared_ptr<PoolCore>>
openCore(const PoolOptions &options, const PoolConduct &conduct, A &&...arguments)
{
    const HandleTransfer sent;
    std::vector<std::byte> bytes;
    try {
        bytes = encodeCall<Initializer>(std::forward<A>(arguments)...);
    } catch (const std::exception &exception) {
        return Error{ErrorCode::EncodeError, {}, QString::fromUtf8(exception.what())};
    }
    auto core = PoolCore::open(options, conduct, TaskOf<Initializer>::number(), bytes);
    if (core)
        (*core)->keep(sent.objects);
    return core;
}

/// Encodes one call and gives it to @p core. What goes wrong at once is in the handle too.
template<auto Function, typename... A>
[[nodiscard]] auto submitCall(const std::shared_ptr<PoolCore> &core, A &&...arguments)
{
    using Value = typename TaskOf<Function>::Value;
    const auto gathered = GatherSink::make(1, core);
    Result<void> submitted;
    try {
        const HandleTransfer sent;
        std::vector<std::vector<std::byte>> calls(1);
        calls[0] = encodeCall<Function>(std::forward<A>(arguments)...);
        submitted = core->submit(chunkOf<Function>(std::move(calls), sent), gathered);
    } catch (const std::exception &exception) {
        submitted = Error{ErrorCode::EncodeError, {}, QString::fromUtf8(exception.what())};
    }
    if (!submitted)
        gathered->state()->settle(submitted.error());
    return Future<Value>(gathered->state(),
                         [](const auto &parts) { return decodePayload<Value>(parts[0]); });
}

/// What a stream of calls of @p Function reads: its arguments, side by side, from @p inputs, which
/// it holds; it ends with the shortest. One whose arguments have no bytes fails alone.
template<auto Function, std::ranges::input_range... Inputs>
[[nodiscard]] StreamSink::Source streamSource(Inputs... inputs)
{
    struct Source
    {
        std::tuple<Inputs...> inputs;
        std::tuple<std::ranges::iterator_t<Inputs>...> next;
    };
    auto source = std::make_shared<Source>(Source{{std::move(inputs)...}, {}});
    std::apply([&source](Inputs &...each) { source->next = {std::ranges::begin(each)...}; },
               source->inputs);
    const auto isAtEnd = [](Source &from) {
        return [&]<std::size_t... i>(std::index_sequence<i...>)
        {
            return ((std::get<i>(from.next) == std::ranges::end(std::get<i>(from.inputs))) || ...);
        }
        (std::index_sequence_for<Inputs...>());
    };
    return [source, isAtEnd](std::size_t most) {
        const HandleTransfer sent;
        StreamPart part;
        part.chunk = chunkOf<Function>({}, sent);
        while (part.chunk.arguments.size() < most && !part.failure) {
            part.isLast = isAtEnd(*source);
            if (part.isLast)
                break;
            try {
                std::apply(
                    [&part](auto &...each) {
                        part.chunk.arguments.push_back(encodeCall<Function>(*each...));
                    },
                    source->next);
            } catch (const EncodeFailure &failure) {
                part.failure = Error{ErrorCode::EncodeError, {}, QString::fromUtf8(failure.what())};
            }
            std::apply([](auto &...each) { (++each, ...); }, source->next);
        }
        part.chunk.objects = sent.objects;
        return part;
    };
}

} // namespace proclab
