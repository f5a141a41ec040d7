// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/sync/shared_handle.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>

namespace proclab {

/// Bytes in shared memory that travel without a copy, in the same time whatever their size. Their
/// allocator writes them in place. As an argument or an item they reach others as a read-only view
/// of the same memory; a worker that writes to it dies of SIGSEGV and changes nothing.
///
///     Result<SharedBytes> image = SharedBytes::allocate(64 << 20);
///     fill(image->writable());
///     Result<double> mean = pool->apply<meanOf>(*image); // double meanOf(const SharedBytes &)
///
/// Memory is taken when it is written, and given back with the last handle in any process; see
/// SharedHandle, also for handles on their way. Others see what the allocator writes later, so they
/// have to agree on when it may.
///
/// Threads: any. Processes: those of the tree. Blocking: never.
class SharedBytes final : public SharedHandle
{
public:
    static constexpr auto kind = runtime::ObjectKind::Blob;

    /// @p size zero bytes on pages of their own. OsError if there is no room for them; all shared
    /// objects of a tree have 64 GiB.
    static Result<SharedBytes> allocate(std::size_t size);

    [[nodiscard]] std::size_t size() const { return m_size; }
    /// Valid while there is a copy of this handle.
    [[nodiscard]] std::span<const std::byte> bytes() const { return {begin(), m_size}; }
    /// The same as elements, without bytes beyond the last whole one.
    template<typename T>
    requires(std::is_trivially_copyable_v<T>) [[nodiscard]] std::span<const T> as() const
    {
        return {reinterpret_cast<const T *>(begin()), m_size / sizeof(T)};
    }
    /// The bytes to write, in the process that allocated them; empty in a handle that came from
    /// another one.
    [[nodiscard]] std::span<std::byte> writable() const
    {
        return m_view ? std::span<std::byte>() : std::span(&object()->body<std::byte>(), m_size);
    }

private:
    friend struct Codec<SharedBytes>;
    /// A read-only mapping.
    class View
    {
    public:
        View(int fd, std::uint64_t offset, std::size_t size);
        ~View();
        View(const View &) = delete;
        View &operator=(const View &) = delete;
        [[nodiscard]] const std::byte *begin() const { return m_begin; }

    private:
        const std::byte *m_begin = nullptr; ///< Null (and errno): it can't be made.
        const std::size_t m_size;
    };

    SharedBytes(runtime::ObjectRef object, std::size_t size, std::shared_ptr<const View> view)
        : SharedHandle(std::move(object))
        , m_size(size)
        , m_view(std::move(view))
    {}
    /// Throws DecodeError if there is no such object of at least @p size bytes, or it can't be
    /// mapped.
    static SharedBytes attach(runtime::ObjectHandle handle, std::uint64_t size);
    [[nodiscard]] const std::byte *begin() const
    {
        return m_view ? m_view->begin() : &object()->body<const std::byte>();
    }

    std::size_t m_size;
    std::shared_ptr<const View> m_view; ///< Null in handles of the allocator.
};

template<>
struct Codec<SharedBytes>
{
    static void encode(PayloadWriter &writer, const SharedBytes &value)
    {
        HandleTransfer::note(value.object());
        Codec<runtime::ObjectHandle>::encode(writer, value.object()->handle());
        writer.size(value.size());
    }
    static SharedBytes decode(PayloadReader &reader)
    {
        const auto handle = Codec<runtime::ObjectHandle>::decode(reader);
        return SharedBytes::attach(handle, reader.size(0));
    }
};

} // namespace proclab
