// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QtGlobal>

#include <cstddef>
#include <optional>
#include <span>

namespace proclab {

/// Whose pages are, as the kernel counts. Pages that a process got by fork() are shared with its
/// parent until one of the two writes to them.

/// Of a stretch of memory of the calling process, in pages; those that are not in memory are in
/// neither count.
struct PageCount
{
    quint64 own = 0;    ///< Mapped by this process alone.
    quint64 shared = 0; ///< Mapped by others too.
};

/// From /proc/self/pagemap. @p memory begins at a page and has whole pages. nullopt: this kernel
/// does not tell.
[[nodiscard]] std::optional<PageCount> countPages(std::span<const std::byte> memory);
/// Bytes.
[[nodiscard]] std::size_t pageSize();

/// Of all of a process, in bytes.
struct MemoryCount
{
    quint64 shared = 0;       ///< Shared_Clean and Shared_Dirty.
    quint64 privateDirty = 0; ///< Private_Dirty.
};

/// From /proc/self/smaps_rollup, in a millisecond or so. nullopt: this kernel does not tell.
[[nodiscard]] std::optional<MemoryCount> countMemory();

} // namespace proclab
