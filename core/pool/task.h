// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/payload/codec.h"
#include "core/runtime/task/task_registry.h"

#include <cstddef>
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

} // namespace task_detail

/// A function as a task of this program: whatever names it, as in `pool.apply<square>(7)`,
/// registers it before main() begins, in the program and in its workers alike. A free function, a
/// static member function or a lambda without captures; arguments and result are Payloads.
template<auto Function>
class TaskOf
{
public:
    using Arguments = typename task_detail::Signature<decltype(Function)>::Arguments;
    using Result = typename task_detail::Signature<decltype(Function)>::Value;
    /// What travels: nothing, for a function that returns nothing.
    using Value = std::conditional_t<std::is_void_v<Result>, std::monostate, Result>;
    static_assert(Payload<Arguments> && Payload<Value>);

    /// What workers know it by.
    [[nodiscard]] static std::uint32_t number()
    {
        return runtime::firstRegisteredTask + s_position;
    }
    /// As the compiler spells it: "square", "Shape::area".
    [[nodiscard]] static constexpr std::string_view name()
    {
        // "… name() [with auto Function = square; std::string_view = …]"
        std::string_view text(__PRETTY_FUNCTION__);
        constexpr std::string_view key = "Function = ";
        text.remove_prefix(text.find(key) + key.size());
        return text.substr(0, text.find_first_of(";]"));
    }

private:
    static void run(std::span<const std::byte> bytes, std::vector<std::byte> &result)
    {
        Arguments arguments = decodePayload<Arguments>(bytes);
        if constexpr (std::is_void_v<Result>)
            std::apply(Function, std::move(arguments));
        else
            encodePayload(Value(std::apply(Function, std::move(arguments))), result);
    }

    inline static const std::uint32_t s_position = runtime::registerTask(name(), &run);
};

/// The encoded arguments of one call of @p Function.
template<auto Function, typename... A>
[[nodiscard]] std::vector<std::byte> encodeCall(A &&...arguments)
{
    using Arguments = typename TaskOf<Function>::Arguments;
    static_assert(std::is_constructible_v<Arguments, A...>,
                  "these are no arguments of the function");
    return encodePayload(Arguments(std::forward<A>(arguments)...));
}

} // namespace proclab
