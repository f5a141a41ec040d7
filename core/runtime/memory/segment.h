// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace proclab::runtime {

/// The smallest piece that the system maps: x86-64's small page.
constexpr std::size_t pageBytes = 4096;

/// Pieces of at least this size go back to the system when they are no longer used.
constexpr std::size_t discardedBytes = 256 * 1024;

/// A piece of memory that parent and workers share: a memfd, sealed against shrinking, mapped at
/// any address. Holds only offsets and trivially copyable structures. The kernel frees it with the
/// last process that has it, however that ends, so a SIGKILL leaves nothing behind.
///
/// Errors: a constructor function returns an invalid segment and sets errno.
/// Threads: distinct objects from any thread. Processes: the content is synchronised by its users.
class Segment
{
public:
    enum class Access { ReadWrite, ReadOnly };

    Segment() = default;
    Segment(Segment &&other) noexcept;
    Segment &operator=(Segment &&other) noexcept;
    Segment(const Segment &) = delete;
    Segment &operator=(const Segment &) = delete;
    ~Segment();

    /// A new segment of @p bytes, zero-filled and sparse: memory is taken when a page is first
    /// used.
    /// @p name shows up in /proc/PID/maps only.
    static Segment create(const char *name, std::size_t bytes);
    /// Maps the segment behind the inherited descriptor @p fd, which the segment then owns.
    static Segment attach(int fd, Access access);

    [[nodiscard]] bool isValid() const { return m_data != nullptr; }
    [[nodiscard]] std::byte *data() const { return m_data; }
    [[nodiscard]] std::size_t size() const { return m_size; }
    [[nodiscard]] int fd() const { return m_fd; }
    /// A second, read-only descriptor of the segment, which the caller closes; -1 and errno.
    [[nodiscard]] int openReadOnly() const;
    /// Gives the whole pages inside a range back to the system; they read as zero afterwards.
    void discard(std::size_t offset, std::size_t bytes) const;

    /// The T at @p offset, which the creator has constructed there.
    template<typename T>
    [[nodiscard]] T *at(std::size_t offset) const
    {
        return reinterpret_cast<T *>(m_data + offset);
    }

private:
    void reset();

    std::byte *m_data = nullptr;
    std::size_t m_size = 0;
    int m_fd = -1;
};

} // namespace proclab::runtime
