// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArray>
#include <QString>
#include <QStringConverter>

namespace proclab {

/// How the bytes that a program writes are text.
struct TextFormat
{
    /// What becomes of bytes that are no text.
    enum class Undecodable {
        Replace, ///< U+FFFD
        Skip,
        Escape, ///< "\xNN" for each
    };

    QStringConverter::Encoding encoding = QStringConverter::Utf8;
    Undecodable undecodable = Undecodable::Replace;
};

/// Turns bytes that come in pieces into text. As in Python's text mode, CR, LF and CRLF all become
/// "\n". One thread.
class TextDecoder
{
public:
    explicit TextDecoder(const TextFormat &format = {});

    /// The text that is complete with @p bytes.
    QString feed(QByteArrayView bytes);
    /// The rest, at the end.
    QString finish();

private:
    void take(char byte, QString &text);
    void takeUndecodable(qsizetype count, QString &text);
    void append(QChar character, QString &text);

    const TextFormat m_format;
    QStringDecoder m_decoder;
    QByteArray m_pending; ///< Bytes of a character that is not complete.
    bool m_isAfterCr = false;
};

/// All of @p bytes.
[[nodiscard]] QString decodeText(const QByteArray &bytes, const TextFormat &format = {});

} // namespace proclab
