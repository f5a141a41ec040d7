// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/python/python_literal.h"

#include <QJsonArray>
#include <QJsonObject>
#include <QLocale>
#include <QStringList>

#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr qsizetype longLine = 80;

/// No control or format character, and none that ends a line.
bool isVisible(char32_t character)
{
    const QChar::Category category = QChar::category(character);
    return QChar::isPrint(character) && category != QChar::Separator_Line &&
           category != QChar::Separator_Paragraph;
}

QString textLiteral(const QString &text)
{
    QString literal = u"\""_s;
    for (const char32_t character : text.toUcs4()) { // A lone surrogate becomes U+FFFD.
        if (character == U'"' || character == U'\\')
            literal += u'\\' % QChar(static_cast<char16_t>(character));
        else if (character == U'\n')
            literal += u"\\n"_s;
        else if (isVisible(character))
            literal += QString::fromUcs4(&character, 1);
        else
            literal += u"\\U%1"_s.arg(static_cast<uint>(character), 8, 16, QChar(u'0'));
    }
    return literal % u'"';
}

QString numberLiteral(double number)
{
    if (std::trunc(number) == number && std::abs(number) < 1e18)
        return QString::number(static_cast<qint64>(number));
    return QString::number(number, 'g', QLocale::FloatingPointShortest);
}

QString listLiteral(const QJsonArray &list)
{
    QStringList entries;
    for (const QJsonValue &entry : list)
        entries.append(pythonLiteral(entry));
    const QString line = u'[' % entries.join(u", "_s) % u']';
    return line.size() <= longLine ? line : u"[\n    "_s % entries.join(u",\n    "_s) % u",\n]"_s;
}

QString dictLiteral(const QJsonObject &object)
{
    QStringList entries;
    for (auto member = object.begin(); member != object.end(); ++member)
        entries.append(textLiteral(member.key()) % u": "_s % pythonLiteral(member.value()));
    return u'{' % entries.join(u", "_s) % u'}';
}

} // namespace

QString pythonLiteral(const QJsonValue &value)
{
    switch (value.type()) {
    case QJsonValue::Bool:
        return value.toBool() ? u"True"_s : u"False"_s;
    case QJsonValue::Double:
        return numberLiteral(value.toDouble());
    case QJsonValue::String:
        return textLiteral(value.toString());
    case QJsonValue::Array:
        return listLiteral(value.toArray());
    case QJsonValue::Object:
        return dictLiteral(value.toObject());
    case QJsonValue::Null:
    case QJsonValue::Undefined:
        break;
    }
    return u"None"_s;
}

} // namespace proclab
