// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/monitor/page_count.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

namespace proclab {

namespace {

/// Opened anew for each look: after a fork, a descriptor would still tell of the parent.
class ProcFile
{
public:
    explicit ProcFile(const char *path) : m_fd(::open(path, O_RDONLY | O_CLOEXEC)) {}
    ~ProcFile()
    {
        if (m_fd >= 0)
            ::close(m_fd);
    }
    ProcFile(const ProcFile &) = delete;
    ProcFile &operator=(const ProcFile &) = delete;

    /// Whether all of @p buffer was read.
    template<typename Buffer>
    [[nodiscard]] bool readAll(std::span<Buffer> buffer, std::uint64_t offset) const
    {
        return ::pread(m_fd, buffer.data(), buffer.size_bytes(), static_cast<off_t>(offset)) ==
               static_cast<ssize_t>(buffer.size_bytes());
    }
    [[nodiscard]] std::string_view text(std::span<char> buffer) const
    {
        const ssize_t size = ::pread(m_fd, buffer.data(), buffer.size(), 0);
        return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
    }

private:
    const int m_fd;
};

/// The bytes that stand behind @p name in @p text, in kB.
std::optional<quint64> bytesAt(std::string_view text, std::string_view name)
{
    std::size_t begin = text.find(name);
    if (begin == std::string_view::npos)
        return std::nullopt;
    begin = text.find_first_not_of(' ', begin + name.size());
    if (begin == std::string_view::npos)
        return std::nullopt;
    std::uint64_t kilobytes = 0;
    const auto [end, error] =
        std::from_chars(text.data() + begin, text.data() + text.size(), kilobytes);
    return error == std::errc() ? std::optional<quint64>(kilobytes * 1'024) : std::nullopt;
}

} // namespace

std::size_t pageSize()
{
    static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return size;
}

std::optional<PageCount> countPages(std::span<const std::byte> memory)
{
    // See the kernel's Documentation/admin-guide/mm/pagemap.rst.
    constexpr std::uint64_t isPresent = std::uint64_t{1} << 63;
    constexpr std::uint64_t isExclusive = std::uint64_t{1} << 56;
    const ProcFile pagemap("/proc/self/pagemap");
    const std::size_t first = reinterpret_cast<std::uintptr_t>(memory.data()) / pageSize();
    const std::size_t pages = memory.size() / pageSize();
    std::array<std::uint64_t, 1'024> entries;
    PageCount count;
    for (std::size_t i = 0; i < pages; i += entries.size()) {
        const auto part = std::span(entries).first(std::min(entries.size(), pages - i));
        if (!pagemap.readAll(part, (first + i) * sizeof entries[0]))
            return std::nullopt;
        for (const std::uint64_t entry : part) {
            const bool isOwn = (entry & isExclusive) != 0;
            count.own += (entry & isPresent) != 0 && isOwn ? 1 : 0;
            count.shared += (entry & isPresent) != 0 && !isOwn ? 1 : 0;
        }
    }
    return count;
}

std::optional<MemoryCount> countMemory()
{
    std::array<char, 4'096> buffer;
    const std::string_view text = ProcFile("/proc/self/smaps_rollup").text(buffer);
    const auto clean = bytesAt(text, "Shared_Clean:");
    const auto dirty = bytesAt(text, "Shared_Dirty:");
    const auto own = bytesAt(text, "Private_Dirty:");
    if (!clean || !dirty || !own)
        return std::nullopt;
    return MemoryCount{*clean + *dirty, *own};
}

} // namespace proclab
