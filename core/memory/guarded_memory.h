// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/sync/lock.h"

#include <cstddef>
#include <optional>
#include <span>
#include <variant>

namespace proclab {

/// Whether a Value or an Array comes with a lock of its own.
enum class Locking {
    Own, ///< An RLock, as in Python.
    None,
};

/// The lock that guards some memory; monostate: none.
using AnyLock = std::variant<std::monostate, Lock, RLock>;

/// Memory of elements that processes share, with the lock that guards it: the common base of Value
/// and Array. The owner of a Lock, which is not recursive, must use the bare memory.
///
/// Threads: any. Blocking: acquire(), and whatever takes the lock. Errors: Timeout, NotOwner and
/// InvalidState of acquire() and release(), as for the lock.
class GuardedMemory : public SharedHandle
{
public:
    static constexpr auto kind = runtime::ObjectKind::Memory;

    /// The lock, for callers that need more than one step under it; monostate: none.
    [[nodiscard]] const AnyLock &lock() const { return m_lock; }
    /// Takes the lock; succeeds at once if there is none. Reports an owner that died with it, even
    /// if the elements were used since.
    Result<Acquired> acquire(TimeLimit limit = std::nullopt) const;
    Result<void> release() const;
    /// The object of the lock; null if there is none.
    [[nodiscard]] runtime::ObjectRef lockObject() const;
    /// The PID of the process that holds the lock; 0: it is free, or there is none.
    [[nodiscard]] qint64 ownerPid() const;
    /// The last owner that died with the lock in its hands, whether it was told of or not; none:
    /// none has.
    [[nodiscard]] std::optional<Acquired> lastDeath() const;

protected:
    GuardedMemory(runtime::ObjectRef object, AnyLock lock)
        : SharedHandle(std::move(object))
        , m_lock(std::move(lock))
    {}
    /// Throws DecodeError if its elements are not @p elementBytes long, or are fewer than @p
    /// atLeast.
    GuardedMemory(runtime::ObjectRef object, std::size_t elementBytes, std::size_t atLeast);

    static Result<AnyLock> lockFor(Locking locking);
    /// Zero-filled. OsError.
    static Result<runtime::ObjectRef> makeMemory(std::size_t count, std::size_t elementBytes,
                                                 const AnyLock &lock);
    [[nodiscard]] std::size_t count() const;
    [[nodiscard]] std::byte *elements() const;
    /// Calls @p function with the lock held. If the previous owner died with it, the next acquire()
    /// reports that.
    template<typename Function>
    auto withLock(Function function) const
    {
        struct Hold
        {
            const GuardedMemory &memory;
            explicit Hold(const GuardedMemory &guarded) : memory(guarded) { memory.enter(); }
            ~Hold() { memory.leave(); }
        };
        const Hold hold(*this);
        return function();
    }

private:
    // acquire() and release() without a report: a few nanoseconds each.
    void enter() const
    {
        if (const auto *recursive = std::get_if<RLock>(&m_lock)) {
            auto &body = recursive->object()->body<runtime::RLockBody>();
            body.plain.keepUntold(body.acquire(space(), runtime::noDeadline));
        } else if (const auto *plain = std::get_if<Lock>(&m_lock)) {
            auto &body = plain->object()->body<runtime::LockBody>();
            body.keepUntold(body.acquire(space(), runtime::noDeadline));
        }
    }
    void leave() const
    {
        if (const auto *recursive = std::get_if<RLock>(&m_lock))
            recursive->object()->body<runtime::RLockBody>().release(space());
        else if (const auto *plain = std::get_if<Lock>(&m_lock))
            plain->object()->body<runtime::LockBody>().lock.unlock();
    }

    AnyLock m_lock;
};

} // namespace proclab
