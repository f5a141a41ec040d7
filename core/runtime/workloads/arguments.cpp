// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/workloads/arguments.h"

#include <cstring>

namespace proclab::runtime {

namespace {

constexpr std::size_t slotSize = 8;

template<typename T>
void put(std::vector<std::byte> &bytes, T value)
{
    static_assert(sizeof(T) == slotSize);
    const std::size_t at = bytes.size();
    bytes.resize(at + slotSize);
    std::memcpy(bytes.data() + at, &value, slotSize);
}

template<typename T>
T take(std::span<const std::byte> bytes, std::size_t position)
{
    static_assert(sizeof(T) == slotSize);
    T value{};
    if (position < bytes.size() / slotSize)
        std::memcpy(&value, bytes.data() + position * slotSize, slotSize);
    return value;
}

} // namespace

std::vector<std::byte> encodeArguments(std::span<const ArgumentValue> values)
{
    std::vector<std::byte> bytes;
    bytes.reserve(values.size() * slotSize);
    for (const ArgumentValue &value : values) {
        if (const auto *integer = std::get_if<std::int64_t>(&value))
            put(bytes, *integer);
        else if (const auto *number = std::get_if<double>(&value))
            put(bytes, *number);
        else if (const auto *flag = std::get_if<bool>(&value))
            put(bytes, static_cast<std::int64_t>(*flag));
        else
            put(bytes, static_cast<std::uint64_t>(std::get<std::string>(value).size()));
    }
    for (const ArgumentValue &value : values) {
        if (const auto *text = std::get_if<std::string>(&value)) {
            const std::size_t at = bytes.size();
            bytes.resize(at + text->size());
            std::memcpy(bytes.data() + at, text->data(), text->size());
        }
    }
    return bytes;
}

std::int64_t Arguments::integer(std::size_t position) const
{
    return position < m_infos.size() ? take<std::int64_t>(m_bytes, position) : 0;
}

double Arguments::number(std::size_t position) const
{
    return position < m_infos.size() ? take<double>(m_bytes, position) : 0;
}

std::string_view Arguments::text(std::size_t position) const
{
    std::size_t begin = m_infos.size() * slotSize;
    for (std::size_t i = 0; i < m_infos.size() && begin <= m_bytes.size(); ++i) {
        if (m_infos[i].type != ArgumentType::Text)
            continue;
        const auto length = take<std::uint64_t>(m_bytes, i);
        if (length > m_bytes.size() - begin)
            return {};
        if (i == position)
            return {reinterpret_cast<const char *>(m_bytes.data()) + begin,
                    static_cast<std::size_t>(length)};
        begin += length;
    }
    return {};
}

} // namespace proclab::runtime
