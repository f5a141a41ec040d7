// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"
#include "core/base/time_limit.h"
#include "core/runtime/memory/shared_object.h"
#include "core/runtime/payload/codec.h"

#include <concepts>
#include <utility>
#include <vector>

namespace proclab {

/// A handle of an object that this program and the processes below it share. It may be copied, and
/// travels to other processes like any value: as an argument, a result or an item. The object
/// exists while any process has a handle of it. A handle on its way counts too: in a queue or pipe,
/// among the arguments of a Process or a call until that has ended, and in a result until nobody
/// can ask for it any more.
///
/// Threads: any. Processes: those of the tree; the handles of a process that dies are gone with it.
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
    [[nodiscard]] static runtime::ObjectSpace &space();

private:
    runtime::ObjectRef m_object;
};

/// Collects, while it is in scope, the objects whose handles this thread encodes or decodes; for a
/// call that sends values and must keep what their handles refer to. Hides them from a transfer
/// around this.
class HandleTransfer
{
public:
    /// Adds them to @p objects.
    explicit HandleTransfer(std::vector<runtime::ObjectRef> &objects)
        : m_objects(objects)
        , m_outer(std::exchange(s_current, this))
    {}
    ~HandleTransfer() { s_current = m_outer; }
    HandleTransfer(const HandleTransfer &) = delete;
    HandleTransfer &operator=(const HandleTransfer &) = delete;

    static void note(const runtime::ObjectRef &object)
    {
        if (s_current)
            s_current->m_objects.push_back(object);
    }

private:
    std::vector<runtime::ObjectRef> &m_objects;
    HandleTransfer *m_outer;
    static constinit thread_local HandleTransfer *s_current;
};

/// This process's hold on an object that came as a handle. Throws DecodeError if it is gone.
[[nodiscard]] runtime::ObjectRef receivedObject(runtime::ObjectHandle handle,
                                                runtime::ObjectKind kind);

/// A type of handle: it names its ObjectKind, and can be made from an object of that kind.
template<typename T>
concept SharedHandleType = std::derived_from<T, SharedHandle> && requires(runtime::ObjectRef object)
{
    {
        T::kind
        } -> std::convertible_to<runtime::ObjectKind>;
    T::of(object);
};

/// A type of handle whose object uses a lock that is an object too (null: none). The lock travels
/// with it.
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
        const auto object = receivedObject(Codec<runtime::ObjectHandle>::decode(reader), T::kind);
        HandleTransfer::note(object);
        T value = T::of(object);
        noteLock(value);
        return value;
    }
};

} // namespace proclab
