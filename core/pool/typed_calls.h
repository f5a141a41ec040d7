// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/pool/calls.h"
#include "core/sync/shared_handle.h"

#include <array>
#include <exception>
#include <iterator>
#include <memory>
#include <tuple>
#include <utility>

namespace proclab {

template<auto Function>
[[nodiscard]] CalledTask calledTask()
{
    return {TaskOf<Function>::number(), TaskOf<Function>::packedBytes()};
}

/// The encoded arguments of one call of @p Function, without an allocation if they are short.
/// Throws EncodeFailure.
template<auto Function, typename... A>
[[nodiscard]] EncodedBytes encodeSingle(A &&...arguments)
{
    using Arguments = typename TaskOf<Function>::Arguments;
    if constexpr (FixedPayload<Arguments>) {
        constexpr std::size_t size = Codec<Arguments>::fixedBytes;
        if constexpr (size <= EncodedBytes::inlineBytes) {
            std::array<std::byte, size + 1> bytes;
            PayloadWriter writer(bytes.data());
            encodePayload(Arguments(std::forward<A>(arguments)...), writer);
            return EncodedBytes(std::span(bytes).first(size));
        }
    }
    return EncodedBytes(encodeCall<Function>(std::forward<A>(arguments)...));
}

/// A call of @p Initializer; EncodeError if its arguments have no bytes.
template<auto Initializer, typename... A>
[[nodiscard]] Result<InitializerCall> initializerCall(A &&...arguments)
{
    InitializerCall call{.task = TaskOf<Initializer>::number()};
    const HandleTransfer sent(call.objects);
    try {
        call.arguments = encodeCall<Initializer>(std::forward<A>(arguments)...);
    } catch (const std::exception &exception) {
        return encodeError(exception);
    }
    return call;
}

/// Encodes one call and gives it to @p core. The handle also carries what goes wrong at once.
template<auto Function, typename... A>
[[nodiscard]] auto submitCall(const std::shared_ptr<PoolCore> &core, A &&...arguments)
{
    using Value = typename TaskOf<Function>::Value;
    CallChunk chunk{.task = calledTask<Function>()};
    Result<void> encoded;
    try {
        const HandleTransfer sent(chunk.objects);
        chunk.single = encodeSingle<Function>(std::forward<A>(arguments)...);
    } catch (const std::exception &exception) {
        encoded = encodeError(exception);
    }
    return Future<Value>(submitCall(core, std::move(chunk), encoded), [](const FutureState &state) {
        return decodePayload<Value>(*state.outcome());
    });
}

/// The source of a stream of calls of @p Function, which owns @p inputs and takes the arguments
/// side by side from them, up to the end of the shortest. A call whose arguments cannot be encoded
/// fails alone.
template<auto Function, std::ranges::input_range... Inputs>
[[nodiscard]] StreamInputs streamInputs(Inputs... inputs)
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
        StreamPart part;
        const HandleTransfer sent(part.chunk.objects);
        const auto calls = std::make_shared<EncodedCalls>();
        while (calls->count < most && !part.failure) {
            part.isLast = isAtEnd(*source);
            if (part.isLast)
                break;
            try {
                std::apply([&calls](auto &...each) { encodeCall<Function>(*calls, *each...); },
                           source->next);
            } catch (const EncodeFailure &failure) {
                part.failure = encodeError(failure);
            }
            std::apply([](auto &...each) { (++each, ...); }, source->next);
        }
        part.chunk.task = calledTask<Function>();
        part.chunk.count = static_cast<quint32>(calls->count);
        part.chunk.calls = calls;
        return part;
    };
}

} // namespace proclab
