// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/memory/shared_bytes.h"

#include "core/runtime/memory/object_space.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include <sys/mman.h>

namespace proclab {

namespace {

/// A smaller object would share its page with others, so it could not be protected alone.
constexpr std::size_t leastBytes = 4096;

} // namespace

Result<SharedBytes> SharedBytes::allocate(std::size_t size)
{
    auto object = make(kind, std::max(size, leastBytes));
    if (!object)
        return object.error();
    return SharedBytes(std::move(*object), size, nullptr);
}

SharedBytes::View::View(int fd, std::uint64_t offset, std::size_t size) : m_size(size)
{
    void *data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd,
                        static_cast<off_t>(offset));
    if (data != MAP_FAILED)
        m_begin = static_cast<const std::byte *>(data);
}

SharedBytes::View::~View()
{
    if (m_begin)
        ::munmap(const_cast<std::byte *>(m_begin), m_size);
}

SharedBytes SharedBytes::attach(runtime::ObjectHandle handle, std::uint64_t size)
{
    auto object = space().attach(handle, kind);
    if (!object)
        throw DecodeError("the shared object is gone");
    HandleTransfer::note(object);
    const auto storage = space().storageOf(*object);
    if (storage.offset == 0 || size > storage.size)
        throw DecodeError("the shared object has fewer bytes");
    auto view = std::make_shared<const View>(space().descriptor(), storage.offset, storage.size);
    if (!view->begin())
        throw DecodeError(std::string("the shared object can't be mapped: ") +
                          std::strerror(errno));
    return SharedBytes(std::move(object), size, std::move(view));
}

} // namespace proclab
