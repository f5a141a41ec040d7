// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/codec.h"

#include <QCborValue>

namespace proclab {

void Codec<QCborValue>::encode(PayloadWriter &writer, const QCborValue &value)
{
    Codec<QByteArray>::encode(writer, value.toCbor());
}

QCborValue Codec<QCborValue>::decode(PayloadReader &reader)
{
    QCborParserError error;
    QCborValue value = QCborValue::fromCbor(Codec<QByteArray>::decode(reader), &error);
    if (error.error != QCborError::NoError)
        throw DecodeError("no CBOR value: " + error.errorString().toStdString());
    return value;
}

} // namespace proclab
