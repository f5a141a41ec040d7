// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QtGlobal>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>

namespace proclab {

namespace filled_bytes_detail {

/// Two rounds of all bytes in order: from any of the first 256 on there are 256.
constexpr std::array<std::byte, 512> rounds = [] {
    std::array<std::byte, 512> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::byte>(i);
    return bytes;
}();

/// Calls @p part(offset, expected, size) for each part of @p size bytes.
template<typename Part>
void forEachPart(std::size_t size, quint64 seed, Part part)
{
    const std::byte *expected = rounds.data() + seed % 256;
    for (std::size_t at = 0; at < size; at += 256)
        part(at, expected, std::min<std::size_t>(256, size - at));
}

} // namespace filled_bytes_detail

/// Fills @p bytes so that isFilled() can tell whether all of it arrived: the k-th is @p seed + k,
/// modulo 256.
inline void fillBytes(std::span<std::byte> bytes, quint64 seed)
{
    filled_bytes_detail::forEachPart(
        bytes.size(), seed, [bytes](std::size_t at, const std::byte *expected, std::size_t size) {
            std::memcpy(bytes.data() + at, expected, size);
        });
}

/// Whether @p bytes are those that fillBytes() makes of @p seed.
[[nodiscard]] inline bool isFilled(std::span<const std::byte> bytes, quint64 seed)
{
    bool isSame = true;
    filled_bytes_detail::forEachPart(
        bytes.size(), seed, [&](std::size_t at, const std::byte *expected, std::size_t size) {
            isSame = isSame && std::memcmp(bytes.data() + at, expected, size) == 0;
        });
    return isSame;
}

} // namespace proclab
