// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <variant>
#include <vector>

namespace proclab {

/// The bytes of one encoded value: a few in place, more in memory of their own or in another
/// owner's.
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

    /// Shares the bytes with their owner, which also keeps what the handles in them refer to.
    EncodedBytes(std::shared_ptr<const std::byte> bytes, std::size_t size)
        : m_size(size)
        , m_bytes(std::move(bytes))
    {}

    [[nodiscard]] std::size_t size() const { return m_size; }
    operator std::span<const std::byte>() const
    {
        if (const auto *few = std::get_if<Few>(&m_bytes))
            return std::span<const std::byte>(*few).first(m_size);
        if (const auto *kept = std::get_if<Kept>(&m_bytes))
            return {kept->get(), m_size};
        return std::get<std::vector<std::byte>>(m_bytes);
    }

private:
    using Few = std::array<std::byte, inlineBytes>;
    using Kept = std::shared_ptr<const std::byte>;

    void assign(std::span<const std::byte> bytes)
    {
        m_size = bytes.size();
        if (m_size > inlineBytes)
            m_bytes.emplace<std::vector<std::byte>>(bytes.begin(), bytes.end());
        else if (m_size > 0)
            std::memcpy(m_bytes.emplace<Few>().data(), bytes.data(), m_size);
    }

    std::size_t m_size = 0;
    std::variant<Few, std::vector<std::byte>, Kept> m_bytes; ///< A vector if they do not fit.
};

} // namespace proclab
