// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace proclab {

/// The bytes of one encoded value: a few in place, more in memory of their own or in another
/// owner's.
class EncodedBytes
{
public:
    static constexpr std::size_t inlineBytes = 48;

    EncodedBytes() = default;
    explicit EncodedBytes(std::span<const std::byte> bytes) : m_size(bytes.size())
    {
        if (m_size > inlineBytes)
            m_kept = kept({bytes.begin(), bytes.end()});
        else if (m_size > 0)
            std::memcpy(m_few.data(), bytes.data(), m_size);
    }
    EncodedBytes(std::vector<std::byte> bytes) : m_size(bytes.size())
    {
        if (m_size > inlineBytes)
            m_kept = kept(std::move(bytes));
        else if (m_size > 0)
            std::memcpy(m_few.data(), bytes.data(), m_size);
    }
    /// Shares the bytes with their owner, which also keeps what the handles in them refer to.
    EncodedBytes(std::shared_ptr<const std::byte> bytes, std::size_t size)
        : m_size(size)
        , m_kept(std::move(bytes))
    {}

    [[nodiscard]] std::size_t size() const { return m_size; }
    operator std::span<const std::byte>() const
    {
        return {m_kept ? m_kept.get() : m_few.data(), m_size};
    }

private:
    [[nodiscard]] static std::shared_ptr<const std::byte> kept(std::vector<std::byte> bytes);

    std::size_t m_size = 0;
    std::array<std::byte, inlineBytes> m_few{};
    std::shared_ptr<const std::byte> m_kept; ///< The bytes, if they are not the few.
};

} // namespace proclab
