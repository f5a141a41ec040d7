// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"
#include "core/runtime/task/task_registry.h"

#include <exception>
#include <stdexcept>
#include <typeinfo>
#include <utility>

namespace proclab {

/// Thrown by valueOrThrow() for an error that is no registered exception of a task.
class RemoteError : public std::runtime_error
{
public:
    explicit RemoteError(Error error);

    [[nodiscard]] const Error &error() const { return m_error; }

private:
    Error m_error;
};

/// Throws what @p error stands for: the exception that a task threw, if its type is registered (see
/// PROCLAB_EXCEPTION), else a RemoteError.
[[noreturn]] void throwError(const Error &error);

/// The value of @p result, or throws its error; see throwError().
template<typename T>
T valueOrThrow(Result<T> result)
{
    if (!result)
        throwError(result.error());
    if constexpr (!std::is_void_v<T>)
        return std::move(*result);
}

namespace exception_detail {

using Thrower = void (*)(const QByteArray &value);
bool registerThrower(const char *rawType, Thrower thrower);

template<typename E>
bool registerType()
{
    runtime::registerException(typeid(E).name(), [](const std::exception &exception) {
        return encodePayload(dynamic_cast<const E &>(exception));
    });
    return registerThrower(typeid(E).name(), [](const QByteArray &value) {
        throw decodePayload<E>(
            std::as_bytes(std::span(value.constData(), static_cast<std::size_t>(value.size()))));
    });
}

} // namespace exception_detail

// Lets exceptions of a type that derives from std::exception and has a Codec travel as themselves.
// In one source file, outside functions.
#define PROCLAB_EXCEPTION(Type)                                                                    \
    [[maybe_unused]] static const bool PROCLAB_JOIN(proclabException, __COUNTER__) =               \
        ::proclab::exception_detail::registerType<Type>()
#define PROCLAB_JOIN(a, b) PROCLAB_JOIN_NOW(a, b)
#define PROCLAB_JOIN_NOW(a, b) a##b

} // namespace proclab
