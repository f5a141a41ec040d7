// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/rate_meter.h"

#include <QCoreApplication>

#include <algorithm>

namespace proclab {

namespace {

class RateMeterText
{
    Q_DECLARE_TR_FUNCTIONS(RateMeter)
};

} // namespace

double RateMeter::add(qint64 timeNs, double value, double events)
{
    if (timeNs <= m_lastNs)
        return m_rate;
    // While nothing happens there is no other beginning than the instant of the last event.
    if (events > m_points.back().events)
        m_points.push_back({timeNs, value, events});
    const auto mayBegin = [timeNs, events](const Point &point) {
        const qint64 age = timeNs - point.timeNs;
        const double since = events - point.events;
        return age >= shortestWindowNs && since > 0 &&
               (since >= windowEvents || age >= longestWindowNs);
    };
    while (m_points.size() > 1 && mayBegin(m_points[1]))
        m_points.pop_front();
    return rateSinceFront(timeNs, value);
}

double RateMeter::addShare(qint64 timeNs, double value)
{
    if (timeNs <= m_lastNs)
        return m_rate;
    m_points.push_back({timeNs, value, 0});
    while (m_points.size() > 2 && timeNs - m_points[1].timeNs >= shortestWindowNs)
        m_points.pop_front();
    return rateSinceFront(timeNs, value);
}

double RateMeter::rateSinceFront(qint64 timeNs, double value)
{
    const Point &front = m_points.front();
    m_lastNs = timeNs;
    m_rate = (value - front.value) * 1e9 / static_cast<double>(timeNs - front.timeNs);
    return m_rate;
}

void RateMeter::add(GaugeSample &sample, int gauge, double value, double events)
{
    const auto at = static_cast<std::size_t>(gauge);
    sample.totals[at] = value;
    sample.values[at] = add(sample.timeNs, value, events);
}

void RateMeter::addShare(GaugeSample &sample, int gauge, double value, double most)
{
    const auto at = static_cast<std::size_t>(gauge);
    sample.totals[at] = value;
    sample.values[at] = std::min(most, addShare(sample.timeNs, value));
}

QString rateWindowText(const QString &items)
{
    const auto seconds = [](qint64 ns) { return QString::number(static_cast<double>(ns) / 1e9); };
    const QString shortest = seconds(RateMeter::shortestWindowNs);
    if (items.isEmpty())
        return RateMeterText::tr("Mean of the last %1 s").arg(shortest);
    return RateMeterText::tr(
               "Mean of the last %1 s or the last %2 %3, whichever is longer, up to about %4 s")
        .arg(shortest)
        .arg(RateMeter::windowEvents)
        .arg(items, seconds(RateMeter::longestWindowNs));
}

} // namespace proclab
