// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/memory/value.h"

#include <algorithm>
#include <vector>

namespace proclab {

/// A fixed number of values in memory that processes share. Like Python's multiprocessing.Array.
///
/// Threads: any. Blocking: all that takes the lock. Errors: InvalidArgument for a place outside.
template<SharedMemoryType T>
class Array : public GuardedMemory
{
public:
    /// @p count zeros. OsError if there is no room.
    static Result<Array> create(std::size_t count, Locking locking = Locking::Own)
    {
        const auto lock = lockFor(locking);
        return lock ? createOn(count, *lock) : lock.error();
    }
    static Result<Array> create(std::span<const T> initial, Locking locking = Locking::Own)
    {
        const auto lock = lockFor(locking);
        return lock ? createOf(initial, *lock) : lock.error();
    }
    /// Guarded by an existing lock.
    static Result<Array> create(std::span<const T> initial, const Lock &lock)
    {
        return createOf(initial, lock);
    }
    static Result<Array> create(std::span<const T> initial, const RLock &lock)
    {
        return createOf(initial, lock);
    }
    static Array of(runtime::ObjectRef object) { return Array(std::move(object), sizeof(T), 0); }

    [[nodiscard]] std::size_t size() const { return count(); }
    [[nodiscard]] Result<T> get(std::size_t place) const
    {
        const auto values = slice(place, 1);
        if (!values)
            return values.error();
        return values->front();
    }
    Result<void> set(std::size_t place, const T &value) const
    {
        return assign(place, std::span(&value, 1));
    }
    /// A copy of @p length elements from @p first on, taken in one step.
    [[nodiscard]] Result<std::vector<T>> slice(std::size_t first, std::size_t length) const
    {
        if (const auto inside = check(first, length); !inside)
            return inside.error();
        return withLock([this, first, length] {
            const auto part = storage().subspan(first, length);
            return std::vector<T>(part.begin(), part.end());
        });
    }
    [[nodiscard]] std::vector<T> all() const { return *slice(0, size()); }
    /// Writes @p values from @p first on, in one step.
    Result<void> assign(std::size_t first, std::span<const T> values) const
    {
        if (const auto inside = check(first, values.size()); !inside)
            return inside;
        withLock([this, first, values] {
            std::copy(values.begin(), values.end(),
                      storage().begin() + static_cast<std::ptrdiff_t>(first));
        });
        return {};
    }
    /// Calls @p function with all elements under the lock, to change them in place; returns what it
    /// returns.
    template<typename Function>
    auto update(Function function) const
    {
        return withLock([this, &function] { return function(storage()); });
    }

    /// The bare memory, for whoever holds the lock.
    [[nodiscard]] std::span<T> storage() const
    {
        return {reinterpret_cast<T *>(elements()), count()};
    }

private:
    using GuardedMemory::GuardedMemory;
    static Result<Array> createOn(std::size_t count, const AnyLock &lock)
    {
        auto object = makeMemory(count, sizeof(T), lock);
        if (!object)
            return object.error();
        return Array(std::move(*object), lock);
    }
    static Result<Array> createOf(std::span<const T> initial, const AnyLock &lock)
    {
        auto array = createOn(initial.size(), lock);
        if (array)
            std::copy(initial.begin(), initial.end(), array->storage().begin());
        return array;
    }
    [[nodiscard]] Result<void> check(std::size_t first, std::size_t length) const
    {
        if (first <= size() && length <= size() - first)
            return {};
        return invalidArgument(QStringLiteral("array"),
                               QStringLiteral("%1 from %2").arg(length).arg(first),
                               ErrorText::tr("%1 elements").arg(size()));
    }
};

} // namespace proclab
