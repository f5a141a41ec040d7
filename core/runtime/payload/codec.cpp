// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/payload/codec.h"

#include "core/runtime/payload/encoded_bytes.h"

namespace proclab {

// What is here and not in the headers saves each program that includes them its compilation.

void PayloadWriter::append(const void *data, std::size_t size)
{
    const auto *begin = static_cast<const std::byte *>(data);
    m_bytes->insert(m_bytes->end(), begin, begin + size);
}

void PayloadReader::throwEndsEarly()
{
    throw DecodeError("the payload ends early");
}

void PayloadReader::throwEndsLate()
{
    throw DecodeError("the payload is longer than its value");
}

void payload_detail::throwEncodeFailure()
{
    try {
        throw;
    } catch (const std::exception &exception) {
        std::throw_with_nested(EncodeFailure(exception.what()));
    } catch (...) {
        std::throw_with_nested(EncodeFailure("unknown exception"));
    }
}

std::shared_ptr<const std::byte> EncodedBytes::kept(std::vector<std::byte> bytes)
{
    const auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
    return {owner, owner->data()};
}

} // namespace proclab
