// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/sync/shared_handle.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>

namespace proclab {

/// Bytes in shared memory that travel without being copied, in the same time whatever their size:
/// who allocates them writes them where they lie; as an argument or an item they come to others as
/// a view of the same memory that can only be read. A worker that writes to it dies of SIGSEGV, and
/// the bytes are as they were.
///
///     Result<SharedBytes> image = SharedBytes::allocate(64 << 20);
///     fill(image->writable());
///     Result<double> mean = pool->apply<meanOf>(*image); // double meanOf(const SharedBytes &)
///
/// The memory is taken when it is written to and given back with the last handle, in whichever
/// process; see SharedHandle, also for who holds it on its way. What the allocator writes later
/// others see too: it is up to them to agree on when.
///
/// Threads: any. Processes: those of the tree. Blocking: never.
class SharedBytes final : public SharedHandle
{
public:
    static constexpr auto kind = runtime::ObjectKind::Blob;

    /// @p size zero bytes on pages of their own. OsError: there is no room for so many (all of a
    /// tree's shared objects have 64 GiB).
    static Result<SharedBytes> allocate(std::size_t size);

    [[nodiscard]] std::size_t size() const { return m_size; }
    /// Valid while there is a copy of this handle.
    [[nodiscard]] std::span<const std::byte> bytes() const { return {begin(), m_size}; }
    /// The same as elements; bytes beyond the last whole one are left out.
    template<typename T>
    requires(std::is_trivially_copyable_v<T>) [[nodiscard]] std::span<const T> as() const
    {
        return {reinterpret_cast<const T *>(begin()), m_size / sizeof(T)};
    }
    /// Where it was allocated: the bytes, to be written. Nothing in a handle that came from
    /// elsewhere.
    [[nodiscard]] std::span<std::byte> writable() const
    {
        return m_view ? std::span<std::byte>() : std::span(&object()->body<std::byte>(), m_size);
    }

private:
    friend struct Codec<SharedBytes>;
    /// A mapping that can only be read.
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
    /// Throws DecodeError if @p handle is of no object of at least @p size bytes, or if it can't be
    /// mapped.
    static SharedBytes attach(runtime::ObjectHandle handle, std::uint64_t size);
    [[nodiscard]] const std::byte *begin() const
    {
        return m_view ? m_view->begin() : &object()->body<const std::byte>();
    }

    std::size_t m_size;
    std::shared_ptr<const View> m_view; ///< None: of its allocator.
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
