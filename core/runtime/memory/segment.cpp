// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/memory/segment.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace proclab::runtime {

Segment::Segment(Segment &&other) noexcept
    : m_data(std::exchange(other.m_data, nullptr))
    , m_size(std::exchange(other.m_size, 0))
    , m_fd(std::exchange(other.m_fd, -1))
{}

Segment &Segment::operator=(Segment &&other) noexcept
{
    if (this != &other) {
        reset();
        m_data = std::exchange(other.m_data, nullptr);
        m_size = std::exchange(other.m_size, 0);
        m_fd = std::exchange(other.m_fd, -1);
    }
    return *this;
}

Segment::~Segment()
{
    reset();
}

void Segment::reset()
{
    if (m_data)
        ::munmap(m_data, m_size);
    if (m_fd >= 0)
        ::close(m_fd);
    m_data = nullptr;
    m_fd = -1;
}

Segment Segment::create(const char *name, std::size_t bytes)
{
    int fd = ::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd >= 0 && fd <= STDERR_FILENO) {
        // Standard output may be closed, and what a child prints must not go into this memory.
        const int low = fd;
        fd = ::fcntl(low, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        ::close(low);
    }
    if (fd < 0)
        return {};
    if (::ftruncate(fd, static_cast<off_t>(bytes)) != 0 ||
        ::fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        const int code = errno;
        ::close(fd);
        errno = code;
        return {};
    }
    return attach(fd, Access::ReadWrite);
}

Segment Segment::attach(int fd, Access access)
{
    struct stat status = {};
    int code = 0;
    Segment segment;
    if (::fstat(fd, &status) != 0) {
        code = errno;
    } else {
        const int protection = access == Access::ReadWrite ? PROT_READ | PROT_WRITE : PROT_READ;
        void *data = ::mmap(nullptr, static_cast<std::size_t>(status.st_size), protection,
                            MAP_SHARED | MAP_NORESERVE, fd, 0);
        if (data != MAP_FAILED) {
            segment.m_data = static_cast<std::byte *>(data);
            segment.m_size = static_cast<std::size_t>(status.st_size);
            segment.m_fd = fd;
            return segment;
        }
        code = errno;
    }
    ::close(fd);
    errno = code;
    return segment;
}

int Segment::openReadOnly() const
{
    const std::string path = "/proc/self/fd/" + std::to_string(m_fd);
    return ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
}

void Segment::discard(std::size_t offset, std::size_t bytes) const
{
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t begin = (offset + page - 1) / page * page;
    const std::size_t end = (offset + bytes) / page * page;
    if (begin < end)
        ::fallocate(m_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(begin),
                    static_cast<off_t>(end - begin));
}

} // namespace proclab::runtime
