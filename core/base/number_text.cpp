// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/number_text.h"

#include <QStringBuilder>

namespace proclab {

namespace {

constexpr QChar groupSeparator(0x202F);
constexpr QChar minusSign(0x2212);

} // namespace

QString groupedNumber(qint64 number)
{
    QString digits = QString::number(number);
    const bool negative = digits.startsWith(u'-');
    if (negative)
        digits.remove(0, 1);
    for (qsizetype at = digits.size() - 3; at > 0; at -= 3)
        digits.insert(at, groupSeparator);
    return negative ? QString(minusSign % digits) : digits;
}

QString withPlainNumbers(QString text)
{
    return text.remove(groupSeparator).replace(minusSign, u'-');
}

} // namespace proclab
