// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/chart_ticks.h"

#include "ui/shared/theme.h"

#include <array>
#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

struct TimeUnit
{
    double from; // The smallest range that is shown in it, seconds.
    double factor;
    QStringView name;
};

const TimeUnit &timeUnit(double range)
{
    static constexpr std::array<TimeUnit, 4> units{
        {{600, 1.0 / 60, u"min"}, {1, 1, u"s"}, {1e-3, 1e3, u"ms"}, {0, 1e6, u"\u00B5s"}}};
    for (const TimeUnit &unit : units) {
        if (range >= unit.from)
            return unit;
    }
    return units.back();
}

} // namespace

double niceCeiling(double number)
{
    if (number <= 0)
        return 1;
    const double power = std::pow(10.0, std::floor(std::log10(number)));
    for (const double step : {1.0, 2.0, 2.5, 5.0}) {
        if (number <= step * power * (1 + 1e-9))
            return step * power;
    }
    return 10 * power;
}

double valueStep(double top, bool whole)
{
    const double step = niceCeiling(top / 4.001);
    if (!whole || step == std::floor(step))
        return step;
    return step < 1 ? 1 : niceCeiling(std::ceil(step)); // Half an item is none: 2.5 becomes 5.
}

QString valueTickText(double value, double top)
{
    struct Unit
    {
        double factor;
        QStringView name;
    };
    static constexpr std::array<Unit, 3> units{{{1e9, u"G"}, {1e6, u"M"}, {1e3, u"k"}}};
    const auto text = [](double number) { return QString::number(number, 'g', 4); };
    if (value != 0 && top >= 10'000) {
        for (const Unit &unit : units) {
            if (top >= unit.factor)
                return text(value / unit.factor) % unit.name;
        }
    }
    return value >= 1000 ? groupedNumber(std::llround(value)) : text(value);
}

QString timeTickText(double seconds, double range)
{
    return QString::number(seconds * timeUnit(range).factor, 'g', 4);
}

QString timeTickUnit(double range)
{
    return timeUnit(range).name.toString();
}

} // namespace proclab
