// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace proclab::runtime {

enum class ArgumentType : std::uint8_t { Integer, Number, Flag, Text };

/// One argument of a workload: what the form shows, what `check` allows, what the worker reads.
struct ArgumentInfo
{
    std::string_view name; ///< The key in `tasks.args`.
    ArgumentType type = ArgumentType::Integer;
    std::string_view unit; ///< "bytes", "s", or empty.
    std::string_view help; ///< One sentence, English, marked for translation as context "Workload".
    double minimum = 0;    ///< Text: the least number of UTF-8 bytes.
    double maximum = 0;    ///< Text: the most UTF-8 bytes.
    double defaultNumber = 0; ///< Integer, Number; Flag: 0 or 1.
    std::string_view defaultText = {};
    std::string_view atLeast = {}; ///< A number that it must not be below, further up in the list.
};

using ArgumentValue = std::variant<std::int64_t, double, bool, std::string>;

/// The wire form of a task's arguments, in the order of the workload's ArgumentInfo list: eight
/// bytes an argument (integer, double, 0 or 1; a text as its length), then the texts one after the
/// other.
[[nodiscard]] std::vector<std::byte> encodeArguments(std::span<const ArgumentValue> values);

/// Reads that wire form in the worker. Nothing is trusted: what lies outside the bytes reads as 0
/// or "".
class Arguments
{
public:
    Arguments() = default;
    Arguments(std::span<const std::byte> bytes, std::span<const ArgumentInfo> infos)
        : m_bytes(bytes)
        , m_infos(infos)
    {}

    [[nodiscard]] std::int64_t integer(std::size_t position) const;
    [[nodiscard]] double number(std::size_t position) const;
    [[nodiscard]] bool flag(std::size_t position) const { return integer(position) != 0; }
    [[nodiscard]] std::string_view text(std::size_t position) const;

private:
    std::span<const std::byte> m_bytes;
    std::span<const ArgumentInfo> m_infos;
};

} // namespace proclab::runtime
