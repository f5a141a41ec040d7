// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArrayView>
#include <QList>
#include <QString>

#include <optional>

namespace proclab {

/// What a first look at the tokens of a JSON text finds, before anything is built from it.
struct JsonScan
{
    struct Fault
    {
        qsizetype offset = 0; ///< Byte in the text.
        QString found;        ///< "unexpected }", translated.
        QString expected;     ///< "a value is expected", translated; may be empty.
    };

    std::optional<Fault> fault; ///< The first place at which the text is no JSON (RFC 8259).
    QStringList duplicates;     ///< Dotted paths of keys given twice, in the order of the text.
};

/// Reads @p json, which may be anything: no JSON, not UTF-8, nested without end. Objects and lists
/// may stand 64 deep, numbers must fit a double. Needs memory in proportion to the keys of the open
/// objects.
[[nodiscard]] JsonScan scanJson(QByteArrayView json);

/// "3:14" for the byte at @p offset: line and column, both from 1, columns in characters.
[[nodiscard]] QString jsonPosition(QByteArrayView json, qsizetype offset);

} // namespace proclab
