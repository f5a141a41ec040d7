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

/// How items pass through queues and pipes: as bytes, with a parcel that keeps what their handles
/// refer to.
namespace proclab {

/// A type whose items travel as their own bytes, without being encoded.
template<typename T>
concept FlatItem = FlatPayload<T> && !std::is_empty_v<T>;

/// Encodes @p item, calls @p send with its bytes and the objects of its handles, and returns what
/// that returns. EncodeError.
template<Payload T, typename Send>
Result<void> sendOff(const T &item, Send send)
{
    if constexpr (FlatItem<T>) {
        return send(std::as_bytes(std::span(&item, 1)), std::span<const runtime::ObjectRef>());
    } else {
        ScratchBytes scratch; // Not shared: encoding may itself send something.
        std::vector<runtime::ObjectRef> objects;
        const HandleTransfer sent(objects);
        try {
            encodePayload(item, scratch.bytes());
        } catch (const std::exception &exception) {
            return encodeError(exception);
        }
        return send(std::span<const std::byte>(scratch.bytes()),
                    std::span<const runtime::ObjectRef>(objects));
    }
}

/// An item that is being received. take() copies its bytes out of the ring, value() decodes them
/// later.
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
    /// The item that was taken; its parcel must still be held. EncodeError.
    [[nodiscard]] Result<T> value()
    {
        if constexpr (FlatItem<T>) {
            if (m_isTaken)
                return m_value;
        }
        std::vector<runtime::ObjectRef> objects; // Hidden from a transfer around this.
        const HandleTransfer received(objects);
        try {
            return decodePayload<T>(m_scratch->bytes());
        } catch (const std::exception &exception) {
            return encodeError(exception);
        }
    }

private:
    std::conditional_t<FlatItem<T>, T, std::monostate> m_value;
    bool m_isTaken = false; ///< m_value is the item; nothing has to be decoded.
    /// Not shared: decoding may itself receive something.
    std::optional<ScratchBytes> m_scratch;
};

} // namespace proclab
