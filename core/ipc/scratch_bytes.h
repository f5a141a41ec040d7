// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace proclab {

/// A buffer for encoding and decoding items, which a thread keeps between uses to save allocations.
/// A use within another one gets a new buffer. Also works in exit handlers, which run after the
/// thread's own objects are destroyed.
class ScratchBytes
{
public:
    ScratchBytes() : m_bytes(s_kept ? std::move(*s_kept) : std::vector<std::byte>())
    {
        m_bytes.clear();
    }
    ~ScratchBytes()
    {
        if (s_isOver || m_bytes.capacity() > longestKept)
            return;
        static thread_local const Owner owner;
        if (!s_kept)
            s_kept = new std::vector<std::byte>;
        *s_kept = std::move(m_bytes);
    }
    ScratchBytes(const ScratchBytes &) = delete;
    ScratchBytes &operator=(const ScratchBytes &) = delete;

    [[nodiscard]] std::vector<std::byte> &bytes() { return m_bytes; }

private:
    static constexpr std::size_t longestKept = std::size_t{1} << 20;

    struct Owner
    {
        ~Owner()
        {
            s_isOver = true;
            delete std::exchange(s_kept, nullptr);
        }
    };
    // Without destructors, so that they can be used until the thread itself ends.
    inline static thread_local std::vector<std::byte> *s_kept = nullptr;
    inline static thread_local bool s_isOver = false;

    std::vector<std::byte> m_bytes;
};

} // namespace proclab
