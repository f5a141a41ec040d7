// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/payload/codec.h"

#include <QByteArray>
#include <QList>
#include <QString>
#include <QStringList>

class QCborValue;

namespace proclab {

// Codecs of Qt's types; those of standard types are in core/runtime/payload/codec.h.

template<>
inline constexpr bool isPayloadView<QStringView> = true;
template<>
inline constexpr bool isPayloadView<QByteArrayView> = true;
template<>
inline constexpr bool isPayloadView<QLatin1StringView> = true;

template<>
struct Codec<QByteArray> : payload_detail::TextCodec<QByteArray, char>
{
};
template<>
struct Codec<QString> : payload_detail::TextCodec<QString, QChar>
{
};
template<typename T>
struct Codec<QList<T>> : payload_detail::SequenceCodec<QList<T>>
{
};
template<>
struct Codec<QCborValue>
{
    static void encode(PayloadWriter &writer, const QCborValue &value);
    static QCborValue decode(PayloadReader &reader);
};

} // namespace proclab
