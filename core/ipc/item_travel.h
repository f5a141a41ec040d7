// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/codec.h"
#include "core/base/result.h"
#include "core/ipc/scratch_bytes.h"
#include "core/sync/shared_handle.h"

#include <cstring>
#include <exception>
#include <optional>
#include <span>
#include <type_traits>
#include <variant>

/// How items go through queues and pipes: as bytes, and what their handles are of in a parcel.
namespace proclab {

/// A type whose items are their bytes, with nothing to encode.
template<typename T>
concept FlatItem = FlatPayload<T> && !std::is_empty_v<T>;

/// Encodes @p item and gives its bytes, and the handles among them, to @p send; EncodeError, or
/// what that returns.
template<Payload T, typename Send>
Result<void> sendOff(const T &item, Send send)
{
    if constexpr (FlatItem<T>) {
        return send(std::as_bytes(std::span(&item, 1)), std::span<const runtime::ObjectRef>());
    } else {
        ScratchBytes scratch; // Not one for all: encoding may itself send something.
        const HandleTransfer sent;
        try {
            encodePayload(item, scratch.bytes());
        } catch (const std::exception &exception) {
            return Error{ErrorCode::EncodeError, {}, QString::fromUtf8(exception.what())};
        }
        return send(std::span<const std::byte>(scratch.bytes()),
                    std::span<const runtime::ObjectRef>(sent.objects));
    }
}

/// What is received: its bytes are copied while they lie in the ring, and decoded after that.
template<Payload T>
class Arrival
{
public:
    void take(std::span<const std::byte> bytes)
    {
        if constexpr (FlatItem<T>) {
            m_isTaken = bytes.size() == sizeof(T);
            if (m_isTaken) {
                std::memcpy(&m_value, bytes.data(), sizeof m_value);
                return;
            }
        }
        m_scratch.emplace().bytes().assign(bytes.begin(), bytes.end());
    }
    /// Of what was taken, while its parcel is held; EncodeError.
    [[nodiscard]] Result<T> value()
    {
        if constexpr (FlatItem<T>) {
            if (m_isTaken)
                return m_value;
        }
        const HandleTransfer received; // What a transfer around this is not told of.
        try {
            return decodePayload<T>(m_scratch->bytes());
        } catch (const std::exception &exception) {
            return Error{ErrorCode::EncodeError, {}, QString::fromUtf8(exception.what())};
        }
    }

private:
    std::conditional_t<FlatItem<T>, T, std::monostate> m_value;
    bool m_isTaken = false; ///< As the value, with nothing to decode.
    /// Not one for all: decoding may itself receive something.
    std::optional<ScratchBytes> m_scratch;
};

} // namespace proclab
