// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <map>
#include <optional>
#include <span> // And the ranges' concepts; <ranges> would take each program that includes this longer.
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace proclab {

/// Thrown for bytes that are no value of the type.
class DecodeError : public std::runtime_error
{
public:
    using std::runtime_error::runtime_error;
};

/// Thrown for a value that cannot be encoded; what its codec threw is nested in it.
class EncodeFailure : public std::runtime_error
{
public:
    using std::runtime_error::runtime_error;
};

/// Collects the bytes of a payload.
class PayloadWriter
{
public:
    explicit PayloadWriter(std::vector<std::byte> &bytes) : m_bytes(&bytes) {}
    /// Writes to @p place, which must have room for everything; for values of a fixed size.
    explicit PayloadWriter(std::byte *place) : m_place(place) {}

    void raw(const void *data, std::size_t size)
    {
        if (!m_bytes) {
            std::memcpy(m_place, data, size);
            m_place += size;
            return;
        }
        append(data, size);
    }
    void size(std::size_t count)
    {
        const std::uint64_t number = count;
        raw(&number, sizeof number);
    }

private:
    void append(const void *data, std::size_t size);

    std::vector<std::byte> *m_bytes = nullptr;
    std::byte *m_place = nullptr;
};

/// Reads the bytes of a payload and trusts nothing in them. Throws DecodeError where they end
/// early.
class PayloadReader
{
public:
    explicit PayloadReader(std::span<const std::byte> bytes) : m_bytes(bytes) {}

    std::span<const std::byte> raw(std::size_t size)
    {
        if (size > m_bytes.size())
            throwEndsEarly();
        const auto taken = m_bytes.first(size);
        m_bytes = m_bytes.subspan(size);
        return taken;
    }
    /// How many elements of at least @p elementBytes follow. Never more than the bytes can hold, so
    /// that no memory is taken for elements that do not exist.
    std::size_t size(std::size_t elementBytes = 1)
    {
        std::uint64_t count = 0;
        std::memcpy(&count, raw(sizeof count).data(), sizeof count);
        if (elementBytes != 0 && count > m_bytes.size() / elementBytes)
            throwEndsEarly();
        return static_cast<std::size_t>(count);
    }
    [[nodiscard]] bool isAtEnd() const { return m_bytes.empty(); }
    [[noreturn]] static void throwEndsEarly();
    [[noreturn]] static void throwEndsLate();

private:
    std::span<const std::byte> m_bytes;
};

/// How a type travels between processes of one build. Specialise it for a type of your own with
/// `static void encode(PayloadWriter &, const T &)` and `static T decode(PayloadReader &)`. Either
/// may throw; then only the task with that value fails, with EncodeError or with what decode()
/// threw.
template<typename T>
struct Codec;

/// A type whose Codec has a `static constexpr std::size_t fixedBytes`: each value takes exactly so
/// many bytes, and no handle of a shared object is among them. Calls with such arguments and
/// results travel side by side, without a table.
template<typename T>
concept FixedPayload = requires
{
    {
        Codec<T>::fixedBytes
        } -> std::convertible_to<std::size_t>;
};

/// Specialised as true for more types that only point at their value, such as Qt's string views.
template<typename T>
inline constexpr bool isPayloadView = false;

/// A type that travels as its bytes. Pointers and views do not, since they mean nothing elsewhere.
template<typename T>
concept FlatPayload = std::is_trivially_copyable_v<T> && std::is_default_constructible_v<T> &&
                      !std::is_pointer_v<T> &&
                      !std::is_member_pointer_v<T> && !std::is_null_pointer_v<T> &&
                      !std::ranges::view<T> && !isPayloadView<T>;

template<FlatPayload T>
struct Codec<T>
{
    static constexpr std::size_t fixedBytes = std::is_empty_v<T> ? 0 : sizeof(T);

    static void encode(PayloadWriter &writer, const T &value)
    {
        if constexpr (!std::is_empty_v<T>)
            writer.raw(&value, sizeof value);
    }
    static T decode(PayloadReader &reader)
    {
        T value{};
        if constexpr (!std::is_empty_v<T>)
            std::memcpy(&value, reader.raw(sizeof value).data(), sizeof value);
        return value;
    }
};

namespace payload_detail {

/// Text and bytes: the number of characters, then the characters.
template<typename T, typename Character>
struct TextCodec
{
    static void encode(PayloadWriter &writer, const T &value)
    {
        writer.size(static_cast<std::size_t>(value.size()));
        writer.raw(value.data(), static_cast<std::size_t>(value.size()) * sizeof(Character));
    }
    static T decode(PayloadReader &reader)
    {
        const std::size_t count = reader.size(sizeof(Character));
        const auto bytes = reader.raw(count * sizeof(Character));
        T value(static_cast<typename T::size_type>(count), Character());
        if (count != 0) // An empty text may have no memory of its own.
            std::memcpy(value.data(), bytes.data(), bytes.size());
        return value;
    }
};

/// Several parts in a row have a fixed size if each part has.
template<bool areFixed, typename... T>
struct FixedParts
{
};
template<typename... T>
struct FixedParts<true, T...>
{
    static constexpr std::size_t fixedBytes = (std::size_t{0} + ... + Codec<T>::fixedBytes);
};

/// A sequence: the number of elements, then the elements.
template<typename T>
struct SequenceCodec
{
    static void encode(PayloadWriter &writer, const T &value)
    {
        writer.size(static_cast<std::size_t>(value.size()));
        for (const auto &element : value)
            Codec<typename T::value_type>::encode(writer, element);
    }
    static T decode(PayloadReader &reader)
    {
        // An element without bytes costs nothing to send, so its count cannot be checked by them.
        const std::size_t count = reader.size(std::is_empty_v<typename T::value_type> ? 0 : 1);
        T value;
        for (std::size_t i = 0; i < count; ++i)
            value.push_back(Codec<typename T::value_type>::decode(reader));
        return value;
    }
};

} // namespace payload_detail

template<>
struct Codec<std::string> : payload_detail::TextCodec<std::string, char>
{
};
template<typename T>
struct Codec<std::vector<T>> : payload_detail::SequenceCodec<std::vector<T>>
{
};
/// Flat elements travel as one piece.
template<FlatPayload T>
requires(!std::is_empty_v<T> && !std::same_as<T, bool>) struct Codec<std::vector<T>>
    : payload_detail::TextCodec<std::vector<T>, T>
{
};

template<typename T>
requires(!FlatPayload<std::optional<T>>) struct Codec<std::optional<T>>
{
    static void encode(PayloadWriter &writer, const std::optional<T> &value)
    {
        Codec<bool>::encode(writer, value.has_value());
        if (value)
            Codec<T>::encode(writer, *value);
    }
    static std::optional<T> decode(PayloadReader &reader)
    {
        if (!Codec<bool>::decode(reader))
            return std::nullopt;
        return Codec<T>::decode(reader);
    }
};

template<typename... T>
requires(!FlatPayload<std::tuple<T...>>) struct Codec<std::tuple<T...>>
    : payload_detail::FixedParts<(FixedPayload<T> && ...), T...>
{
    static void encode(PayloadWriter &writer, const std::tuple<T...> &value)
    {
        std::apply(
            [&writer](const T &...part) {
                (Codec<std::remove_cvref_t<T>>::encode(writer, part), ...);
            },
            value);
    }
    static std::tuple<T...> decode(PayloadReader &reader)
    {
        return std::tuple<T...>{Codec<T>::decode(reader)...}; // Braces: from left to right.
    }
};
template<typename First, typename Second>
requires(!FlatPayload<std::pair<First, Second>>) struct Codec<std::pair<First, Second>>
    : payload_detail::FixedParts<FixedPayload<First> && FixedPayload<Second>, First, Second>
{
    static void encode(PayloadWriter &writer, const std::pair<First, Second> &value)
    {
        Codec<First>::encode(writer, value.first);
        Codec<Second>::encode(writer, value.second);
    }
    static std::pair<First, Second> decode(PayloadReader &reader)
    {
        return std::pair<First, Second>{Codec<First>::decode(reader),
                                        Codec<Second>::decode(reader)};
    }
};

/// A struct of your own travels if it has `auto parts() const { return std::tie(a, b, …); }`, with
/// all its members in their order; it is made again as `T{a, b, …}`.
template<typename T>
requires(!FlatPayload<T>) && requires(const T &value)
{
    value.parts();
}
struct Codec<T>
{
    using Parts = decltype(std::declval<const T &>().parts());

    static void encode(PayloadWriter &writer, const T &value)
    {
        std::apply(
            [&writer](const auto &...part) {
                (Codec<std::remove_cvref_t<decltype(part)>>::encode(writer, part), ...);
            },
            value.parts());
    }
    static T decode(PayloadReader &reader)
    {
        return decodeParts(reader, std::type_identity<Parts>{});
    }

private:
    template<typename... P>
    static T decodeParts(PayloadReader &reader, std::type_identity<std::tuple<P...>> /*parts*/)
    {
        return T{Codec<std::remove_cvref_t<P>>::decode(reader)...}; // From left to right.
    }
};

template<typename Key, typename Value>
struct Codec<std::map<Key, Value>>
{
    static void encode(PayloadWriter &writer, const std::map<Key, Value> &value)
    {
        writer.size(value.size());
        for (const auto &[key, mapped] : value) {
            Codec<Key>::encode(writer, key);
            Codec<Value>::encode(writer, mapped);
        }
    }
    static std::map<Key, Value> decode(PayloadReader &reader)
    {
        const std::size_t count = reader.size();
        std::map<Key, Value> value;
        for (std::size_t i = 0; i < count; ++i) {
            Key key = Codec<Key>::decode(reader);
            value.insert_or_assign(std::move(key), Codec<Value>::decode(reader));
        }
        return value;
    }
};

/// Whether a type can be an argument or a result.
template<typename T>
concept Payload = requires(PayloadWriter &writer, PayloadReader &reader, const T &value)
{
    Codec<T>::encode(writer, value);
    {
        Codec<T>::decode(reader)
        } -> std::convertible_to<T>;
};

namespace payload_detail {

/// In a catch block: throws an EncodeFailure with what is being handled nested in it.
[[noreturn]] void throwEncodeFailure();

} // namespace payload_detail

/// Writes the bytes of @p value. Throws EncodeFailure if its codec throws.
template<Payload T>
void encodePayload(const T &value, PayloadWriter &writer)
{
    try {
        Codec<T>::encode(writer, value);
    } catch (...) {
        payload_detail::throwEncodeFailure();
    }
}

/// Appends the bytes of @p value.
template<Payload T>
void encodePayload(const T &value, std::vector<std::byte> &bytes)
{
    PayloadWriter writer(bytes);
    encodePayload(value, writer);
}

template<Payload T>
[[nodiscard]] std::vector<std::byte> encodePayload(const T &value)
{
    std::vector<std::byte> bytes;
    encodePayload(value, bytes);
    return bytes;
}

/// The value that all of @p bytes encode. Throws DecodeError, or what the type's codec throws.
template<Payload T>
[[nodiscard]] T decodePayload(std::span<const std::byte> bytes)
{
    PayloadReader reader(bytes);
    T value = Codec<T>::decode(reader);
    if (!reader.isAtEnd())
        PayloadReader::throwEndsLate();
    return value;
}

} // namespace proclab
