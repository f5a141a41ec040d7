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

/// The bytes of one encoded value; few need no memory of their own, and some are somebody else's.
class EncodedBytes
{
public:
    static constexpr std::size_t inlineBytes = 48;

    EncodedBytes() = default;
    explicit EncodedBytes(std::span<const std::byte> bytes) { assign(bytes); }
    EncodedBytes(std::vector<std::byte> bytes) : m_size(bytes.size())
    {
        if (m_size > inlineBytes)
            m_bytes = std::move(bytes);
        else
            assign(bytes);
    }

    /// Shared with whoever keeps them, and what the handles in them are of.
    EncodedBytes(std::shared_ptr<const std::byte> bytes, std::size_t size)
        : m_size(size)
        , m_kept(std::move(bytes))
    {}

    [[nodiscard]] std::size_t size() const { return m_size; }
    operator std::span<const std::byte>() const
    {
        if (m_kept)
            return {m_kept.get(), m_size};
        return m_size > inlineBytes ? std::span<const std::byte>(m_bytes)
                                    : std::span<const std::byte>(m_inline).first(m_size);
    }

private:
    void assign(std::span<const std::byte> bytes)
    {
        m_size = bytes.size();
        if (m_size > inlineBytes)
            m_bytes.assign(bytes.begin(), bytes.end());
        else if (m_size > 0)
            std::memcpy(m_inline.data(), bytes.data(), m_size);
    }

    std::size_t m_size = 0;
    std::array<std::byte, inlineBytes> m_inline{};
    std::vector<std::byte> m_bytes; ///< If they are more than fit.
    std::shared_ptr<const std::byte> m_kept;
};

} // namespace proclab
