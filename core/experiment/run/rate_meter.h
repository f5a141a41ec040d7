// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_log.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <utility>

namespace proclab {

/// The rate of a number that grows from 0 at the gate, over the last half second.
class RateMeter
{
public:
    /// Takes in that the number is @p value at @p timeNs; per second. Time goes forward: a reading
    /// of the same instant changes nothing.
    double add(qint64 timeNs, double value)
    {
        if (timeNs <= m_points.back().first)
            return m_rate;
        m_points.emplace_back(timeNs, value);
        while (m_points.size() > 2 && timeNs - m_points[1].first >= windowNs)
            m_points.pop_front();
        const auto [firstNs, first] = m_points.front();
        m_rate = (value - first) * 1e9 / static_cast<double>(timeNs - firstNs);
        return m_rate;
    }
    /// The same as number @p gauge of @p sample; what is measured has the rate @p most at most.
    void add(GaugeSample &sample, int gauge, double value,
             double most = std::numeric_limits<double>::infinity())
    {
        const auto at = static_cast<std::size_t>(gauge);
        sample.totals[at] = value;
        sample.values[at] = std::min(most, add(sample.timeNs, value));
    }

private:
    static constexpr qint64 windowNs = 500'000'000;

    std::deque<std::pair<qint64, double>> m_points{{0, 0.0}};
    double m_rate = 0;
};

} // namespace proclab
