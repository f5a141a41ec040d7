// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/spec/json_scan.h"

#include "core/experiment/spec/field_check.h"

#include <QCoreApplication>
#include <QSet>

#include <cmath>
#include <vector>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr std::size_t maxDepth = 64;
constexpr qsizetype maxDuplicates = 100;

class JsonText
{
    Q_DECLARE_TR_FUNCTIONS(Json)
};

bool isDigit(char c)
{
    return c >= '0' && c <= '9';
}

class Scanner
{
public:
    explicit Scanner(QByteArrayView json) : m_json(json) {}

    JsonScan scan()
    {
        if (m_json.startsWith("\xEF\xBB\xBF"))
            m_at = 3;
        skipSpace();
        bool isGood = value();
        while (isGood && !m_open.empty())
            isGood = next();
        skipSpace();
        if (isGood && m_at < m_json.size())
            fail(JsonText::tr("the end of the text is expected"));
        return std::move(m_scan);
    }

private:
    /// An object or list that is not closed yet.
    struct Level
    {
        bool isObject = false;
        bool isEmpty = true;
        qsizetype index = 0; // Of a list's element.
        QString key = {};    // Of an object's member.
        QSet<QString> keys = {};
    };

    [[nodiscard]] char peek() const { return m_at < m_json.size() ? m_json[m_at] : '\0'; }
    [[nodiscard]] bool isAtEnd() const { return m_at >= m_json.size(); }

    bool take(char c)
    {
        if (isAtEnd() || peek() != c)
            return false;
        ++m_at;
        return true;
    }

    void skipSpace()
    {
        while (!isAtEnd() && (peek() == ' ' || peek() == '\n' || peek() == '\t' || peek() == '\r'))
            ++m_at;
    }

    bool fail(const QString &expected)
    {
        QString found = JsonText::tr("the text ends here");
        if (!isAtEnd()) {
            const auto rest = QString::fromUtf8(
                m_json.sliced(m_at, std::min<qsizetype>(4, m_json.size() - m_at)));
            const qsizetype length = rest.front().isHighSurrogate() ? 2 : 1;
            found = JsonText::tr("unexpected %1").arg(printable(rest.left(length)));
        }
        return failAs(found, expected);
    }

    bool failAs(const QString &found, const QString &expected)
    {
        m_scan.fault = {m_at, found, expected};
        return false;
    }

    /// After a value inside of an object or list.
    bool next()
    {
        skipSpace();
        Level &level = m_open.back();
        if (take(level.isObject ? '}' : ']')) {
            m_open.pop_back();
            return true;
        }
        if (!level.isEmpty && !take(','))
            return fail(level.isObject ? JsonText::tr("a comma or } is expected")
                                       : JsonText::tr("a comma or ] is expected"));
        skipSpace();
        level.index += level.isEmpty ? 0 : 1;
        level.isEmpty = false;
        if (level.isObject && !key(level))
            return false;
        skipSpace();
        return value();
    }

    bool key(Level &level)
    {
        if (isAtEnd() || peek() != '"')
            return fail(JsonText::tr("a key in quotation marks is expected"));
        level.key.clear();
        if (!text(&level.key))
            return false;
        if (level.keys.contains(level.key)) {
            if (m_scan.duplicates.size() < maxDuplicates)
                m_scan.duplicates.append(path());
        } else {
            level.keys.insert(level.key);
        }
        skipSpace();
        return take(':') || fail(JsonText::tr("a colon is expected"));
    }

    bool value()
    {
        if (isAtEnd())
            return fail(JsonText::tr("a value is expected"));
        switch (peek()) {
        case '{':
        case '[':
            if (m_open.size() == maxDepth)
                return failAs(JsonText::tr("nested deeper than %1").arg(maxDepth), {});
            m_open.push_back({.isObject = peek() == '{'});
            ++m_at;
            return true;
        case '"':
            return text(nullptr);
        case 't':
            return word("true");
        case 'f':
            return word("false");
        case 'n':
            return word("null");
        default:
            return number();
        }
    }

    bool word(QByteArrayView expected)
    {
        if (!m_json.sliced(m_at).startsWith(expected))
            return fail(JsonText::tr("a value is expected"));
        m_at += expected.size();
        return true;
    }

    bool digits()
    {
        if (!isDigit(peek()))
            return fail(JsonText::tr("a digit is expected"));
        while (isDigit(peek()))
            ++m_at;
        return true;
    }

    bool number()
    {
        const qsizetype begin = m_at;
        if (peek() != '-' && !isDigit(peek()))
            return fail(JsonText::tr("a value is expected"));
        take('-');
        if (!take('0') && !digits())
            return false;
        if (take('.') && !digits())
            return false;
        if (peek() == 'e' || peek() == 'E') {
            ++m_at;
            if (!take('+'))
                take('-');
            if (!digits())
                return false;
        }
        bool fits = false;
        const QByteArrayView text = m_json.sliced(begin, m_at - begin);
        if (!std::isfinite(text.toDouble(&fits)) || !fits) {
            m_at = begin;
            return failAs(JsonText::tr("the number %1 is too large")
                              .arg(printable(QString::fromLatin1(text))),
                          {});
        }
        return true;
    }

    /// A text with its quotation marks; its content goes to @p content.
    bool text(QString *content)
    {
        ++m_at;
        qsizetype begin = m_at;
        const auto flush = [&] {
            if (content)
                *content += QString::fromUtf8(m_json.sliced(begin, m_at - begin));
        };
        while (!isAtEnd()) {
            const auto c = static_cast<unsigned char>(peek());
            if (c == '"') {
                flush();
                ++m_at;
                return true;
            }
            if (c < 0x20)
                return fail(JsonText::tr("control characters are written as \\n or \\u000A"));
            if (c == '\\') {
                flush();
                if (!escape(content))
                    return false;
                begin = m_at;
            } else if (!character(c)) {
                return false;
            }
        }
        return fail(JsonText::tr("a quotation mark is expected"));
    }

    bool escape(QString *content)
    {
        static constexpr std::string_view from = "\"\\/bfnrt";
        static constexpr std::string_view to = "\"\\/\b\f\n\r\t";
        ++m_at;
        if (take('u')) {
            bool isNumber = false;
            const QByteArrayView digits =
                m_json.sliced(m_at, std::min<qsizetype>(4, m_json.size() - m_at));
            for (const char digit : digits) {
                if (!std::isxdigit(static_cast<unsigned char>(digit)))
                    return fail(JsonText::tr("four hexadecimal digits are expected"));
            }
            const ushort unit = digits.toUShort(&isNumber, 16);
            if (digits.size() != 4 || !isNumber)
                return fail(JsonText::tr("four hexadecimal digits are expected"));
            if (content)
                *content += QChar(unit);
            m_at += 4;
            return true;
        }
        const std::size_t which = isAtEnd() ? from.npos : from.find(peek());
        if (which == from.npos)
            return fail(JsonText::tr("one of \" \\ / b f n r t u is expected"));
        if (content)
            *content += QLatin1Char(to[which]);
        ++m_at;
        return true;
    }

    /// One character of UTF-8 (RFC 3629): shortest form, no surrogates, up to U+10FFFF.
    bool character(unsigned char first)
    {
        const int length = first < 0x80   ? 1
                           : first < 0xC2 ? 0
                           : first < 0xE0 ? 2
                           : first < 0xF0 ? 3
                           : first < 0xF5 ? 4
                                          : 0;
        bool isGood = length > 0 && m_at + length <= m_json.size();
        for (int i = 1; isGood && i < length; ++i) {
            const auto c = static_cast<unsigned char>(m_json[m_at + i]);
            isGood = (c & 0xC0) == 0x80;
            if (i == 1 && ((first == 0xE0 && c < 0xA0) || (first == 0xED && c > 0x9F) ||
                           (first == 0xF0 && c < 0x90) || (first == 0xF4 && c > 0x8F)))
                isGood = false;
        }
        if (!isGood)
            return failAs(
                JsonText::tr("the byte 0x%1 is not UTF-8").arg(first, 2, 16, QLatin1Char('0')), {});
        m_at += length;
        return true;
    }

    [[nodiscard]] QString path() const
    {
        QStringList parts;
        for (const Level &level : m_open)
            parts.append(level.isObject ? level.key : QString::number(level.index));
        return parts.join(u'.');
    }

    QByteArrayView m_json;
    qsizetype m_at = 0;
    std::vector<Level> m_open;
    JsonScan m_scan;
};

} // namespace

JsonScan scanJson(QByteArrayView json)
{
    return Scanner(json).scan();
}

QString jsonPosition(QByteArrayView json, qsizetype offset)
{
    const QByteArrayView before = json.first(std::min(offset, json.size()));
    const qsizetype line = std::count(before.begin(), before.end(), '\n') + 1;
    const qsizetype begin = before.lastIndexOf('\n') + 1;
    // Continuation bytes of UTF-8 are no columns of their own.
    const qsizetype column =
        std::count_if(before.begin() + begin, before.end(),
                      [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }) +
        1;
    return QString::number(line) % u':' % QString::number(column);
}

} // namespace proclab
