// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"

#include <QtGlobal>

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace proclab {

/// A value or the Error that stood in its way. Members are named as in std::expected, which GCC 12
/// does not have, so that this can become one. Asking for what is not there is a programmer's
/// error.
template<typename T>
class [[nodiscard]] Result
{
public:
    Result(T value) : m_hasValue(true), m_value(std::move(value)) {}
    Result(Error error) : m_hasValue(false) { error_detail::move(&m_error, error); }
    Result(const Result &other) requires std::is_copy_constructible_v<T>
        : m_hasValue(other.m_hasValue)
    {
        construct(other);
    }
    Result(Result &&other) noexcept : m_hasValue(other.m_hasValue) { construct(std::move(other)); }
    Result &operator=(const Result &other) requires std::is_copy_constructible_v<T>
    {
        return *this = Result(other);
    }
    Result &operator=(Result &&other) noexcept
    {
        if (this != &other) {
            destroy();
            m_hasValue = other.m_hasValue;
            construct(std::move(other));
        }
        return *this;
    }
    ~Result() { destroy(); }

    [[nodiscard]] bool has_value() const { return m_hasValue; }
    explicit operator bool() const { return has_value(); }

    [[nodiscard]] const T &value() const &
    {
        Q_ASSERT(has_value());
        return m_value;
    }
    [[nodiscard]] T &value() &
    {
        Q_ASSERT(has_value());
        return m_value;
    }
    /// By value, unlike std::expected, so that `for (… : *call())` does not loop over a dead
    /// object.
    [[nodiscard]] T value() &&
    {
        Q_ASSERT(has_value());
        return std::move(m_value);
    }
    const T &operator*() const & { return value(); }
    T &operator*() & { return value(); }
    T operator*() && { return std::move(*this).value(); }
    const T *operator->() const { return &value(); }
    T *operator->() { return &value(); }

    [[nodiscard]] const Error &error() const
    {
        Q_ASSERT(!has_value());
        return m_error;
    }

private:
    // A union, since std::variant takes every program that includes this long to compile.
    void construct(const Result &other)
    {
        if (m_hasValue)
            new (std::addressof(m_value)) T(other.m_value);
        else
            error_detail::copy(&m_error, other.m_error);
    }
    void construct(Result &&other)
    {
        if (m_hasValue)
            new (std::addressof(m_value)) T(std::move(other.m_value));
        else
            error_detail::move(&m_error, other.m_error);
    }
    void destroy()
    {
        if (m_hasValue)
            m_value.~T();
        else
            error_detail::destroy(m_error);
    }

    bool m_hasValue;
    union {
        T m_value;
        Error m_error;
    };
};

/// Success, or the Error that stood in its way.
template<>
class [[nodiscard]] Result<void>
{
public:
    /// Not defaulted, because `return {};` would first fill the whole Error with zeros.
    Result() : m_error(std::nullopt) {}
    Result(Error error) : m_error(std::move(error)) {}

    [[nodiscard]] bool has_value() const { return !m_error; }
    explicit operator bool() const { return has_value(); }
    [[nodiscard]] const Error &error() const
    {
        Q_ASSERT(m_error);
        return *m_error;
    }

private:
    std::optional<Error> m_error;
};

} // namespace proclab
