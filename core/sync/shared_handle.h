// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"
#include "core/base/time_limit.h"
#include "core/runtime/memory/object_space.h"
#include "core/runtime/payload/codec.h"

#include <cerrno>
#include <concepts>
#include <utility>
#include <vector>

namespace proclab {

/// A handle of an object that this program and the processes below it share. It may be copied, and
/// travels to other processes as an argument, a result or an item like any value; all handles are
/// of the one object, which stays while any process has one. A handle on its way counts as one: in a
/// queue or pipe, among the arguments of a Process or of a call, until that has ended, and in a
/// result, until nobody can ask for it any more.
///
/// Threads: any. Processes: those of the tree; a process that dies lets go of what it had.
class SharedHandle
{
public:
    bool operator==(const SharedHandle &other) const
    {
        return m_object->handle() == other.m_object->handle();
    }
    [[nodiscard]] const runtime::ObjectRef &object() const { return m_object; }

protected:
    explicit SharedHandle(runtime::ObjectRef object) : m_object(std::move(object)) {}

    /// A new object; OsError if there is no room for one more.
    static Result<runtime::ObjectRef> make(runtime::ObjectKind kind, std::size_t size);
    [[nodiscard]] static runtime::ObjectSpace &space() { return runtime::ObjectSpace::instance(); }

private:
    runtime::ObjectRef m_object;
};

/// What encoding and decoding handles in this thread is for: a call that sends values notes whose
/// handles were among them.
class HandleTransfer
{
public:
    HandleTransfer() : m_outer(std::exchange(s_current, this)) {}
    ~HandleTransfer() { s_current = m_outer; }
    HandleTransfer(const HandleTransfer &) = delete;
    HandleTransfer &operator=(const HandleTransfer &) = delete;

    std::vector<runtime::ObjectRef> objects;

    static void note(const runtime::ObjectRef &object)
    {
        if (s_current)
            s_current->objects.push_back(object);
    }

private:
    HandleTransfer *m_outer;
    static thread_local HandleTransfer *s_current;
};

/// A kind of handle: says its ObjectKind, and can be made of an object of that kind.
template<typename T>
concept SharedHandleType = std::derived_from<T, SharedHandle> && requires(runtime::ObjectRef object)
{
    {
        T::kind
        } -> std::convertible_to<runtime::ObjectKind>;
    T::of(object);
};

/// A kind of handle whose object uses a lock that is an object too, null: none. Where the one
/// goes, the other goes with it.
template<typename T>
concept GuardedHandleType = SharedHandleType<T> && requires(const T &value)
{
    {
        value.lockObject()
        } -> std::convertible_to<runtime::ObjectRef>;
};

template<SharedHandleType T>
struct Codec<T>
{
    static void noteLock(const T &value)
    {
        if constexpr (GuardedHandleType<T>) {
            if (const runtime::ObjectRef lock = value.lockObject())
                HandleTransfer::note(lock);
        }
    }
    static void encode(PayloadWriter &writer, const T &value)
    {
        HandleTransfer::note(value.object());
        noteLock(value);
        Codec<runtime::ObjectHandle>::encode(writer, value.object()->handle());
    }
    static T decode(PayloadReader &reader)
    {
        const auto handle = Codec<runtime::ObjectHandle>::decode(reader);
        const auto object = runtime::ObjectSpace::instance().attach(handle, T::kind);
        if (!object)
            throw DecodeError("the shared object is gone");
        HandleTransfer::note(object);
        T value = T::of(object);
        noteLock(value);
        return value;
    }
};

} // namespace proclab
