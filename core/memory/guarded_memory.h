// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/sync/lock.h"

#include <cstddef>
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

/// Memory of elements that processes share, with the lock that guards it: what Value and Array have
/// in common.
///
/// Threads: any. Blocking: acquire(), and whatever takes the lock: with a Lock, which is not
/// recursive, who holds it uses the bare memory. Errors: Timeout, NotOwner, InvalidState of
/// acquire() and release(), as the lock says.
class GuardedMemory : public SharedHandle
{
public:
    static constexpr auto kind = runtime::ObjectKind::Memory;

    /// The lock, for whoever needs more than one step under it; monostate: none.
    [[nodiscard]] const AnyLock &lock() const { return m_lock; }
    /// Takes the lock; at once, where there is none. Tells of an owner that died with it, also if
    /// the elements were used since.
    Result<Acquired> acquire(TimeLimit limit = std::nullopt) const;
    Result<void> release() const;
    /// The lock's; null: there is none.
    [[nodiscard]] runtime::ObjectRef lockObject() const;

protected:
    GuardedMemory(runtime::ObjectRef object, AnyLock lock)
        : SharedHandle(std::move(object))
        , m_lock(std::move(lock))
    {}
    /// Throws DecodeError if its elements are not of @p elementBytes, or it has fewer than
    /// @p atLeast.
    GuardedMemory(runtime::ObjectRef object, std::size_t elementBytes, std::size_t atLeast);

    static Result<AnyLock> lockFor(Locking locking);
    /// Zero-filled. OsError.
    static Result<runtime::ObjectRef> makeMemory(std::size_t count, std::size_t elementBytes,
                                                 const AnyLock &lock);
    [[nodiscard]] std::size_t count() const;
    [[nodiscard]] std::byte *elements() const;
    /// Calls @p function with the lock held. If the owner before died with it, the next acquire()
    /// tells.
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
