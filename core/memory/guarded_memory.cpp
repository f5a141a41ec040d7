// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/memory/guarded_memory.h"

#include <limits>

namespace proclab {

namespace {

/// Lies before the elements.
struct alignas(64) MemoryBody
{
    runtime::ObjectHandle lock;
    runtime::ObjectKind lockKind; ///< Memory: there is none.
    std::uint64_t count;
    std::uint64_t elementBytes;
};

template<typename... Visitor>
struct Overloaded : Visitor...
{
    using Visitor::operator()...;
};
template<typename... Visitor>
Overloaded(Visitor...) -> Overloaded<Visitor...>;

template<typename T>
AnyLock attached(const runtime::ObjectHandle &handle)
{
    auto object = runtime::ObjectSpace::instance().attach(handle, T::kind);
    if (!object)
        throw DecodeError("the lock of the shared memory is gone");
    return T::of(std::move(object));
}

AnyLock lockOf(const MemoryBody &body)
{
    if (body.lockKind == Lock::kind)
        return attached<Lock>(body.lock);
    if (body.lockKind == RLock::kind)
        return attached<RLock>(body.lock);
    return {};
}

} // namespace

GuardedMemory::GuardedMemory(runtime::ObjectRef object, std::size_t elementBytes,
                             std::size_t atLeast)
    : SharedHandle(object)
{
    const auto &body = object->body<MemoryBody>();
    if (body.elementBytes != elementBytes || body.count < atLeast)
        throw DecodeError("the shared memory is of another type");
    m_lock = lockOf(body);
}

Result<AnyLock> GuardedMemory::lockFor(Locking locking)
{
    if (locking == Locking::None)
        return AnyLock();
    const auto lock = RLock::create();
    if (!lock)
        return lock.error();
    return AnyLock(*lock);
}

Result<runtime::ObjectRef> GuardedMemory::makeMemory(std::size_t count, std::size_t elementBytes,
                                                     const AnyLock &lock)
{
    constexpr std::size_t most = std::numeric_limits<std::size_t>::max() - sizeof(MemoryBody);
    if (count > most / elementBytes)
        return osError({}, ENOMEM, ErrorText::tr("shared memory of %1 elements").arg(count));
    auto object = make(kind, sizeof(MemoryBody) + count * elementBytes);
    if (!object)
        return object.error();
    auto &body = (*object)->body<MemoryBody>();
    body.count = count;
    body.elementBytes = elementBytes;
    body.lockKind = kind;
    std::visit(Overloaded{[](std::monostate) {},
                          [&body](const auto &given) {
                              body.lock = given.object()->handle();
                              body.lockKind = given.kind;
                          }},
               lock);
    return object;
}

Result<Acquired> GuardedMemory::acquire(TimeLimit limit) const
{
    return std::visit(
        Overloaded{[](std::monostate) -> Result<Acquired> { return Acquired(); },
                   [limit](const auto &lock) -> Result<Acquired> { return lock.acquire(limit); }},
        m_lock);
}

Result<void> GuardedMemory::release() const
{
    return std::visit(Overloaded{[](std::monostate) -> Result<void> { return {}; },
                                 [](const auto &lock) -> Result<void> { return lock.release(); }},
                      m_lock);
}

runtime::ObjectRef GuardedMemory::lockObject() const
{
    return std::visit(
        Overloaded{[](std::monostate) { return runtime::ObjectRef(); },
                   [](const auto &lock) -> runtime::ObjectRef { return lock.object(); }},
        m_lock);
}

qint64 GuardedMemory::ownerPid() const
{
    const runtime::ObjectRef lock = lockObject();
    if (!lock)
        return 0;
    // An RLock's body begins with a LockBody.
    const int owner = lock->body<runtime::LockBody>().lock.owner();
    return owner > 0 ? space().pidOf(static_cast<std::uint32_t>(owner)) : 0;
}

std::optional<Acquired> GuardedMemory::lastDeath() const
{
    const runtime::ObjectRef lock = lockObject();
    if (!lock)
        return std::nullopt;
    const auto &body = lock->body<runtime::LockBody>();
    const std::int32_t pid = body.deadPid.load(std::memory_order_relaxed);
    if (pid == 0)
        return std::nullopt;
    return Acquired{true, pid, body.diedNs.load(std::memory_order_relaxed)};
}

std::size_t GuardedMemory::count() const
{
    return object()->body<MemoryBody>().count;
}

std::byte *GuardedMemory::elements() const
{
    return reinterpret_cast<std::byte *>(&object()->body<MemoryBody>() + 1);
}

} // namespace proclab
