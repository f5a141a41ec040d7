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

/// How items go through queues and pipes: as bytes, with the handles among them held on their way.
namespace proclab {

/// A type whose items are their bytes, with nothing to encode.
template<typename T>
concept FlatItem = FlatPayload<T> && !std::is_empty_v<T>;

/// Encodes @p item and gives its bytes to @p send; EncodeError, or what that returns.
template<Payload T, typename Send>
Result<void> sendOff(const T &item, Send send)
{
    if constexpr (FlatItem<T>) {
        return send(std::as_bytes(std::span(&item, 1)));
    } else {
        ScratchBytes scratch; // Not one for all: encoding may itself send something.
        const HandleTransfer sent;
        try {
            encodePayload(item, scratch.bytes());
        } catch (const std::exception &exception) {
            return Error{ErrorCode::EncodeError, {}, QString::fromUtf8(exception.what())};
        }
        for (const auto &object : sent.objects)
            runtime::ObjectSpace::instance().beginFlight(*object);
        Result<void> result = send(std::span<const std::byte>(scratch.bytes()));
        for (const auto &object : sent.objects) {
            if (!result)
                runtime::ObjectSpace::instance().endFlight(object->handle());
        }
        return result;
    }
}

/// Decodes what has come, and lets its handles land; EncodeError.
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
    const HandleTransfer received;
    Result<T> item = Error{ErrorCode::EncodeError};
    try {
        item = decodePayload<T>(bytes);
    } catch (const std::exception &exception) {
        item = Error{ErrorCode::EncodeError, {}, QString::fromUtf8(exception.what())};
    }
    for (const auto &object : received.objects)
        runtime::ObjectSpace::instance().endFlight(object->handle());
    return item;
}

} // namespace proclab
