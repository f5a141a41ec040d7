// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QtGlobal>

namespace proclab {

/// How often a window draws a run, so that the lab disturbs little what it shows: each picture that
/// the sampler makes, as long as that takes less than 4.5 % of a core; of a run that has to wait
/// for cores, less than 0.5 % of the machine. Dearer pictures are drawn less often, but three times
/// a second. The sampler is not concerned: nothing measured is left out.
class FramePacer
{
public:
    /// @p cores: how many the program may use.
    explicit FramePacer(int cores) : m_cores(cores) {}

    /// Whether to draw now. @p cpuNs is what the drawing thread has used of a core, since any
    /// beginning; @p scarce: see StageSnapshot::waitsForCores(), which holds for a second more. If
    /// true, it counts as drawn.
    [[nodiscard]] bool takesFrame(qint64 nowNs, qint64 cpuNs, bool scarce);

private:
    [[nodiscard]] double budget(qint64 nowNs) const;

    int m_cores;
    qint64 m_lastNs = -1;
    qint64 m_lastCpuNs = 0;
    qint64 m_scarceUntilNs = 0;
    double m_costNs = 0; ///< CPU time from one picture to the next: of the last few, smoothed.
};

} // namespace proclab
