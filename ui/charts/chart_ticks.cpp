// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/chart_ticks.h"

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

QString timeTickText(double seconds, double range)
{
    return QString::number(seconds * timeUnit(range).factor, 'g', 4);
}

QString timeTickUnit(double range)
{
    return timeUnit(range).name.toString();
}

} // namespace proclab
