// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/memory/guarded_memory.h"

#include <atomic>
#include <concepts>
#include <cstring>

namespace proclab {

/// A type whose values lie in shared memory as they are.
template<typename T>
concept SharedMemoryType = FlatPayload<T> && !std::is_empty_v<T> && alignof(T) <= 64;

/// One value in memory that processes share. Like Python's multiprocessing.Value. get() and set()
/// are one step each (for more than 8 bytes only with a lock), and never see an unfinished
/// update(). Code that reads, computes and writes belongs into update(); otherwise it loses the
/// updates of others.
///
///     counter->update([](int &count) { ++count; });
///
/// Threads: any. Blocking: get(), set(), update() and acquire(), for the lock.
template<SharedMemoryType T>
class Value : public GuardedMemory
{
public:
    /// OsError if there is no room.
    static Result<Value> create(const T &initial = {}, Locking locking = Locking::Own)
    {
        const auto lock = lockFor(locking);
        return lock ? createOn(initial, *lock) : lock.error();
    }
    /// Guarded by an existing lock.
    static Result<Value> create(const T &initial, const Lock &lock)
    {
        return createOn(initial, lock);
    }
    static Result<Value> create(const T &initial, const RLock &lock)
    {
        return createOn(initial, lock);
    }
    static Value of(runtime::ObjectRef object) { return Value(std::move(object), sizeof(T), 1); }

    [[nodiscard]] T get() const
    {
        return withLock([this] {
            if constexpr (isAtomic) // One step even without a lock.
                return std::atomic_ref<T>(*storage()).load();
            else
                return *storage();
        });
    }
    void set(const T &value) const
    {
        withLock([this, &value] {
            if constexpr (isAtomic)
                std::atomic_ref<T>(*storage()).store(value);
            else
                std::memcpy(storage(), &value, sizeof value);
        });
    }
    /// Calls @p function with the value under the lock, to change it in place; returns what it
    /// returns.
    template<typename Function>
    auto update(Function function) const
    {
        return withLock([this, &function] { return function(*storage()); });
    }
    /// Adds @p by in one atomic step without the lock, and returns the value before. Do not mix it
    /// with update().
    T fetchAdd(T by) const requires std::integral<T>
    {
        return std::atomic_ref<T>(*storage()).fetch_add(by);
    }

    /// The bare memory, for whoever holds the lock.
    [[nodiscard]] T *storage() const { return reinterpret_cast<T *>(elements()); }

private:
    static constexpr bool isAtomic = sizeof(T) <= 8 && (sizeof(T) & (sizeof(T) - 1)) == 0 &&
                                     std::atomic_ref<T>::is_always_lock_free;

    using GuardedMemory::GuardedMemory;
    static Result<Value> createOn(const T &initial, const AnyLock &lock)
    {
        auto object = makeMemory(1, sizeof(T), lock);
        if (!object)
            return object.error();
        const Value value(std::move(*object), lock);
        std::memcpy(value.storage(), &initial, sizeof initial);
        return value;
    }
};

} // namespace proclab
