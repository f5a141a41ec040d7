// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/codec.h"
#include "core/runtime/task/task_registry.h"
#include "core/sync/shared_handle.h"

#include <cstddef>
#include <exception>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace proclab {

namespace task_detail {

template<typename T>
struct Signature : Signature<decltype(&T::operator())>
{
};
template<typename R, typename... A>
struct Signature<R (*)(A...)>
{
    using Value = std::decay_t<R>;
    using Arguments = std::tuple<std::decay_t<A>...>;
};
template<typename R, typename... A>
struct Signature<R (*)(A...) noexcept> : Signature<R (*)(A...)>
{
};
template<typename T, typename R, typename... A>
struct Signature<R (T::*)(A...) const> : Signature<R (*)(A...)>
{
};
template<typename T, typename R, typename... A>
struct Signature<R (T::*)(A...) const noexcept> : Signature<R (*)(A...)>
{
};

/// The function's name out of "… name() [with auto Function = square; std::string_view = …]".
constexpr std::string_view functionIn(std::string_view text)
{
    constexpr std::string_view key = "Function = ";
    text.remove_prefix(text.find(key) + key.size());
    return text.substr(0, text.find_first_of(";]"));
}

} // namespace task_detail

/// A function as a task of this program. Naming it anywhere, as in `pool.apply<square>(7)`,
/// registers it before main() begins, in the program and in its workers alike. It is a free
/// function, a static member function or a lambda without captures, and its arguments and result
/// are Payloads.
template<auto Function>
class TaskOf
{
public:
    using Arguments = typename task_detail::Signature<decltype(Function)>::Arguments;
    using Result = typename task_detail::Signature<decltype(Function)>::Value;
    /// What travels: nothing, for a function that returns nothing.
    using Value = std::conditional_t<std::is_void_v<Result>, std::monostate, Result>;
    static_assert(Payload<Arguments> && Payload<Value>);

    /// The size of each result, if it is fixed and small enough for results to travel side by side.
    [[nodiscard]] static constexpr std::optional<std::uint8_t> packedBytes()
    {
        if constexpr (FixedPayload<Value>) {
            if constexpr (Codec<Value>::fixedBytes <= runtime::packedResultRoom)
                return std::uint8_t{Codec<Value>::fixedBytes};
        }
        return std::nullopt;
    }
    /// The number by which workers know it.
    [[nodiscard]] static std::uint32_t number()
    {
        return runtime::firstRegisteredTask + runtime::taskNumber(s_ticket);
    }
    /// The name as the compiler spells it: "square", "Shape::area".
    [[nodiscard]] static constexpr std::string_view name()
    {
        // A constant: each call has it.
        constexpr std::string_view name = task_detail::functionIn(__PRETTY_FUNCTION__);
        return name;
    }

private:
    static Value call(std::span<const std::byte> bytes)
    {
        Arguments arguments = decodePayload<Arguments>(bytes);
        if constexpr (std::is_void_v<Result>) {
            std::apply(Function, std::move(arguments));
            return {};
        } else {
            return std::apply(Function, std::move(arguments));
        }
    }
    static void run(std::span<const std::byte> bytes, runtime::TaskResult &result)
    {
        const Value value = call(bytes);
        if constexpr (FixedPayload<Value>) {
            encodePayload(value, result.bytes);
        } else {
            const HandleTransfer sent(result.objects);
            encodePayload(value, result.bytes);
        }
    }

    inline static const std::uint32_t s_ticket =
        runtime::registerTask({name(), runtime::RegisteredTask::Use::Call, &run});
};

/// The encoded arguments of calls, one behind the other.
struct EncodedCalls
{
    std::vector<std::byte> bytes;
    std::size_t count = 0;
    std::size_t each = 0;          ///< Bytes of each; 0: by `ends`.
    std::vector<std::size_t> ends; ///< Of each, if they differ.

    [[nodiscard]] std::size_t begin(std::size_t call) const
    {
        return ends.empty() ? call * each : call == 0 ? 0 : ends[call - 1];
    }
};

namespace call_detail {

/// An argument for a parameter of type T: itself if it is a T, else a T made of it.
template<typename T, typename A>
[[nodiscard]] decltype(auto) asParameter(A &&argument)
{
    if constexpr (std::is_same_v<std::remove_cvref_t<A>, T>)
        return static_cast<const T &>(argument);
    else
        return T(std::forward<A>(argument));
}

/// Encodes what is a tuple of them without making one, since an argument may be large.
template<typename... T>
void encodeArguments(std::type_identity<std::tuple<T...>> /*type*/,
                     [[maybe_unused]] PayloadWriter writer, const T &...arguments)
{
    static_assert(sizeof...(T) == 0 || !FlatPayload<std::tuple<T...>>);
    try {
        (Codec<T>::encode(writer, arguments), ...);
    } catch (...) {
        payload_detail::throwEncodeFailure();
    }
}

template<typename... T, typename... A>
void encodeAs(std::type_identity<std::tuple<T...>> type, PayloadWriter writer, A &&...arguments)
{
    encodeArguments(type, writer, asParameter<T>(std::forward<A>(arguments))...);
}

} // namespace call_detail

/// Appends a call of @p Function. After an EncodeFailure bytes of a call that does not count may
/// lie behind the others: nothing can be appended any more.
template<auto Function, typename... A>
void encodeCall(EncodedCalls &calls, A &&...arguments)
{
    using Arguments = typename TaskOf<Function>::Arguments;
    static_assert(std::is_constructible_v<Arguments, A...>,
                  "these are no arguments of the function");
    call_detail::encodeAs(std::type_identity<Arguments>{}, PayloadWriter(calls.bytes),
                          std::forward<A>(arguments)...);
    if constexpr (FixedPayload<Arguments>)
        calls.each = Codec<Arguments>::fixedBytes;
    else
        calls.ends.push_back(calls.bytes.size());
    ++calls.count;
}

/// The encoded arguments of one call of @p Function.
template<auto Function, typename... A>
[[nodiscard]] std::vector<std::byte> encodeCall(A &&...arguments)
{
    EncodedCalls calls;
    encodeCall<Function>(calls, std::forward<A>(arguments)...);
    return std::move(calls.bytes);
}

} // namespace proclab
