// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"

#include <QtGlobal>

#include <optional>
#include <utility>
#include <variant>

namespace proclab {

/// A value or the Error that stood in its way. Members are named as in std::expected, which GCC 12
/// does not have, so that this can become one. Asking for what is not there is a programmer's
/// error.
template<typename T>
class [[nodiscard]] Result
{
public:
    Result(T value) : m_state(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : m_state(std::in_place_index<1>, std::move(error)) {}

    [[nodiscard]] bool has_value() const { return m_state.index() == 0; }
    explicit operator bool() const { return has_value(); }

    [[nodiscard]] const T &value() const &
    {
        Q_ASSERT(has_value());
        return std::get<0>(m_state);
    }
    [[nodiscard]] T &value() &
    {
        Q_ASSERT(has_value());
        return std::get<0>(m_state);
    }
    /// By value, unlike std::expected, so that `for (… : *call())` does not loop over a dead
    /// object.
    [[nodiscard]] T value() &&
    {
        Q_ASSERT(has_value());
        return std::get<0>(std::move(m_state));
    }
    const T &operator*() const & { return value(); }
    T &operator*() & { return value(); }
    T operator*() && { return std::move(*this).value(); }
    const T *operator->() const { return &value(); }
    T *operator->() { return &value(); }

    [[nodiscard]] const Error &error() const
    {
        Q_ASSERT(!has_value());
        return std::get<1>(m_state);
    }

private:
    std::variant<T, Error> m_state;
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
