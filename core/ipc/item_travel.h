// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"
#include "core/ipc/scratch_bytes.h"
#include "core/payload/codec.h"
#include "core/sync/shared_handle.h"

#include <cstring>
#include <exception>
#include <span>
#include <type_traits>

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

/// Decodes what has come, while its parcel is held; EncodeError.
template<Payload T>
Result<T> landed(std::span<const std::byte> bytes)
{
    if constexpr (FlatItem<T>) {
        if (bytes.size() == sizeof(T)) {
            T value;
            std::memcpy(&value, bytes.data(), sizeof value);
            return value;
        }
    }
    const HandleTransfer received; // What a transfer around this is not told of.
    try {
        return decodePayload<T>(bytes);
    } catch (const std::exception &exception) {
        return Error{ErrorCode::EncodeError, {}, QString::fromUtf8(exception.what())};
    }
}

} // namespace proclab
