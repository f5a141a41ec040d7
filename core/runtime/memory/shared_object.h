// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace proclab::runtime {

class ObjectSpace;

enum class ObjectKind : std::uint8_t {
    Lock,
    RLock,
    Semaphore,
    Event,
    Condition,
    Barrier,
    Memory, ///< Of a Value or an Array, with its lock.
    Queue,
    PipeEnd,
    Pipe,
    Blob,     ///< A payload on its way.
    Start,    ///< What a Process is started with.
    Parcel,   ///< A payload on its way with the handles in it, whose objects it keeps.
    Activity, ///< What one process tells of its work.
};

/// Where an object is, for its holders; the generation distinguishes it from later objects there.
struct ObjectHandle
{
    std::uint32_t index = 0;
    std::uint32_t generation = 0;

    bool operator==(const ObjectHandle &) const = default;
};

/// This process's hold on a shared object, which exists while any process of the tree holds it.
///
/// Threads: any. Processes: a forked child holds what its parent held.
class SharedObject
{
public:
    SharedObject(ObjectSpace &space, ObjectHandle handle, std::byte *body)
        : m_space(space)
        , m_handle(handle)
        , m_body(body)
    {}
    ~SharedObject();
    SharedObject(const SharedObject &) = delete;
    SharedObject &operator=(const SharedObject &) = delete;

    [[nodiscard]] ObjectHandle handle() const { return m_handle; }
    /// Zero-filled when the object was made; on a cache line of its own.
    template<typename Body>
    [[nodiscard]] Body &body() const
    {
        return *reinterpret_cast<Body *>(m_body);
    }

private:
    ObjectSpace &m_space;
    const ObjectHandle m_handle;
    std::byte *const m_body;
};

using ObjectRef = std::shared_ptr<SharedObject>;

} // namespace proclab::runtime
