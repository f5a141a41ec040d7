// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/quantity_text.h"

#include "core/base/number_text.h"

#include <QStringBuilder>

#include <array>
#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr QChar unitSeparator(0x00A0);
constexpr QChar quantityMinus(0x2212);

/// @p number with @p decimals, the design's minus in place of the hyphen.
QString fixedText(double number, int decimals)
{
    QString text = QString::number(number, 'f', decimals);
    if (text.startsWith(u'-'))
        text[0] = quantityMinus;
    return text;
}

/// The decimals that leave two to three significant digits of a number below 1,000.
int decimalsOf(double number, int smallest)
{
    const double size = std::abs(number);
    if (size < 9.995)
        return smallest;
    return size < 99.95 ? smallest - 1 : 0;
}

} // namespace

QString durationText(double seconds)
{
    struct Unit
    {
        double factor;
        QLatin1StringView name;
        int decimals;
    };
    static constexpr std::array<Unit, 3> units{
        {{1e9, "ns"_L1, 1}, {1e6, "\xB5s"_L1, 1}, {1e3, "ms"_L1, 1}}};
    const double size = std::abs(seconds);
    if (size == 0)
        return u"0"_s % unitSeparator % u's';
    for (const Unit &unit : units) {
        const double number = seconds * unit.factor;
        if (std::abs(number) < 999.5)
            return fixedText(number, decimalsOf(number, unit.decimals)) % unitSeparator % unit.name;
    }
    if (size < 600)
        return fixedText(seconds, size < 9.995 ? 2 : size < 99.95 ? 1 : 0) % unitSeparator % u's';
    const double minutes = seconds / 60;
    return fixedText(minutes, decimalsOf(minutes, 1)) % unitSeparator % u"min"_s;
}

QString shortNumber(double number)
{
    const double size = std::abs(number);
    if (size >= 999.5e6)
        return fixedText(number / 1e9, decimalsOf(number / 1e9, 1)) % unitSeparator % u'G';
    if (size >= 999.5e3)
        return fixedText(number / 1e6, decimalsOf(number / 1e6, 1)) % unitSeparator % u'M';
    if (size >= 9999.5)
        return fixedText(number / 1e3, decimalsOf(number / 1e3, 1)) % unitSeparator % u'k';
    if (size >= 99.95 || std::round(number) == number)
        return groupedNumber(std::llround(number));
    return fixedText(number, 1);
}

QString shareText(double share)
{
    return QString::number(std::lround(share * 100)) % unitSeparator % u'%';
}

QString bytesText(quint64 bytes)
{
    if (bytes < 1024)
        return groupedNumber(static_cast<qint64>(bytes)) % unitSeparator % u'B';
    static constexpr std::array names{"KiB"_L1, "MiB"_L1, "GiB"_L1, "TiB"_L1, "PiB"_L1, "EiB"_L1};
    double number = static_cast<double>(bytes) / 1024;
    std::size_t unit = 0;
    while (number >= 1023.5 && unit + 1 < names.size()) {
        number /= 1024;
        ++unit;
    }
    return fixedText(number, number < 9.95 ? 1 : 0) % unitSeparator % names[unit];
}

} // namespace proclab
