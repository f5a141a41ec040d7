// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/program/text.h"

#include <utility>

using namespace Qt::StringLiterals;

namespace proclab {

TextDecoder::TextDecoder(const TextFormat &format)
    : m_format(format)
    // Undecodable bytes come out as 0, which otherwise only the byte 0 gives.
    , m_decoder(format.encoding, QStringConverter::Flag::ConvertInvalidToNull)
{}

QString TextDecoder::feed(QByteArrayView bytes)
{
    QString text;
    text.reserve(bytes.size());
    for (const char byte : bytes)
        take(byte, text);
    return text;
}

QString TextDecoder::finish()
{
    QString text;
    takeUndecodable(m_pending.size(), text);
    return text;
}

void TextDecoder::take(char byte, QString &text)
{
    m_pending.append(byte);
    const QString decoded = m_decoder.decode(QByteArrayView(&byte, 1));
    if (decoded.isEmpty())
        return;
    const bool isZero = m_pending.count('\0') == m_pending.size();
    if (isZero || !decoded.contains(QChar::Null)) {
        m_pending.clear();
        for (const QChar character : decoded)
            append(character, text);
        return;
    }
    // In UTF-8 the byte that showed it may be the first of the next character, or all of it.
    const bool isUtf8 = m_format.encoding == QStringConverter::Utf8;
    const auto last = static_cast<unsigned char>(byte);
    const bool isNext = isUtf8 && m_pending.size() > 1 && (last < 0x80 || last >= 0xc2);
    takeUndecodable(m_pending.size() - (isNext ? 1 : 0), text);
    if (isNext) {
        m_decoder.resetState();
        take(byte, text);
    }
}

void TextDecoder::takeUndecodable(qsizetype count, QString &text)
{
    const QByteArray bytes = std::exchange(m_pending, {}).first(count);
    switch (m_format.undecodable) {
    case TextFormat::Undecodable::Skip:
        break;
    case TextFormat::Undecodable::Replace:
        if (count > 0)
            append(QChar::ReplacementCharacter, text);
        break;
    case TextFormat::Undecodable::Escape:
        for (const char byte : bytes) {
            const QString hexadecimal = QString::number(static_cast<unsigned char>(byte), 16);
            for (const QChar character : QString(u"\\x"_s % hexadecimal.rightJustified(2, u'0')))
                append(character, text);
        }
        break;
    }
}

void TextDecoder::append(QChar character, QString &text)
{
    const bool isSecondOfPair =
        std::exchange(m_isAfterCr, character == u'\r') && character == u'\n';
    if (!isSecondOfPair)
        text.append(character == u'\r' ? QChar(u'\n') : character);
}

QString decodeText(const QByteArray &bytes, const TextFormat &format)
{
    TextDecoder decoder(format);
    QString text = decoder.feed(bytes);
    return text + decoder.finish();
}

} // namespace proclab
