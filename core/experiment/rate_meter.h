// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QtGlobal>

#include <deque>
#include <utility>

namespace proclab {

/// The rate of a growing number over the last half second.
class RateMeter
{
public:
    /// Takes in that the number is @p value at @p timeNs; per second.
    double add(qint64 timeNs, double value)
    {
        m_points.emplace_back(timeNs, value);
        while (m_points.size() > 2 && timeNs - m_points[1].first >= windowNs)
            m_points.pop_front();
        const auto [firstNs, first] = m_points.front();
        return timeNs > firstNs ? (value - first) * 1e9 / static_cast<double>(timeNs - firstNs) : 0;
    }

private:
    static constexpr qint64 windowNs = 500'000'000;

    std::deque<std::pair<qint64, double>> m_points;
};

} // namespace proclab
