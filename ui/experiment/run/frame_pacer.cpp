// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/run/frame_pacer.h"

#include <algorithm>

namespace proclab {

namespace {

constexpr double usualBudget = 0.045;
constexpr double scarceBudget = 0.005; ///< Of each core.
constexpr qint64 longestNs = 333'000'000;
constexpr qint64 scarceNs = 1'000'000'000;
/// Pictures come in steps: one that is due before half of the next step is drawn now.
constexpr qint64 toleranceNs = 8'000'000;
constexpr double smoothing = 0.25;

} // namespace

double FramePacer::budget(qint64 nowNs) const
{
    return nowNs < m_scarceUntilNs ? std::min(usualBudget, scarceBudget * m_cores) : usualBudget;
}

bool FramePacer::takesFrame(qint64 nowNs, qint64 cpuNs, bool scarce)
{
    if (scarce)
        m_scarceUntilNs = nowNs + scarceNs;
    const bool isFirst = m_lastNs < 0;
    const auto due =
        static_cast<qint64>(std::min(m_costNs / budget(nowNs), static_cast<double>(longestNs)));
    if (!isFirst && nowNs - m_lastNs < due - toleranceNs)
        return false;
    if (!isFirst) {
        const auto cost = static_cast<double>(cpuNs - m_lastCpuNs);
        m_costNs = m_costNs == 0 ? cost : m_costNs + smoothing * (cost - m_costNs);
    }
    m_lastNs = nowNs;
    m_lastCpuNs = cpuNs;
    return true;
}

} // namespace proclab
