// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>

namespace proclab {

/// A list that only grows: one thread appends, any number of threads read what was appended before,
/// without a lock and without a copy. An entry never changes or moves once it is published.
///
/// Threads: append() from one thread at a time; everything else from any thread.
/// Limits: 4,096 entries a block, 16,384 blocks: 67,108,864 entries; append() beyond that is
/// refused.
template<typename T>
class AppendLog
{
public:
    static constexpr std::size_t blockSize = 4096;
    static constexpr std::size_t maxBlocks = 16384;

    AppendLog() = default;
    AppendLog(const AppendLog &) = delete;
    AppendLog &operator=(const AppendLog &) = delete;
    ~AppendLog()
    {
        if (!m_blocks)
            return;
        for (std::size_t i = 0; i < maxBlocks && (*m_blocks)[i]; ++i)
            delete[](*m_blocks)[i];
    }

    /// Publishes @p entry; false if the list is full.
    bool append(T entry)
    {
        const std::size_t at = m_size.load(std::memory_order_relaxed);
        if (at >= blockSize * maxBlocks)
            return false;
        if (at % blockSize == 0) {
            if (!m_blocks)
                m_blocks = std::make_unique<Directory>();
            (*m_blocks)[at / blockSize] = new T[blockSize];
        }
        (*m_blocks)[at / blockSize][at % blockSize] = std::move(entry);
        m_size.store(at + 1, std::memory_order_release);
        return true;
    }

    [[nodiscard]] std::size_t size() const { return m_size.load(std::memory_order_acquire); }
    [[nodiscard]] bool isEmpty() const { return size() == 0; }
    /// The entry at @p index, which must be below a size() that this thread has seen.
    [[nodiscard]] const T &operator[](std::size_t index) const
    {
        return (*m_blocks)[index / blockSize][index % blockSize];
    }

private:
    using Directory = std::array<T *, maxBlocks>;

    std::unique_ptr<Directory> m_blocks; // Made by the first append(), before the size says so.
    std::atomic<std::size_t> m_size{0};
};

} // namespace proclab
