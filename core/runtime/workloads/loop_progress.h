// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/task_progress.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace proclab::runtime {

/// The stretch of a task's progress that a part of its work takes.
struct ProgressRange
{
    TaskProgress *progress = nullptr; ///< Null: nobody looks.
    double begin = 0;
    double end = 1;

    /// @p fraction of the part is done, 0 to 1.
    void tell(double fraction) const
    {
        if (progress)
            progress->tell(begin + fraction * (end - begin));
    }
};

/// Tells how far a loop is, about a hundred times in all, so that each of its steps may say so.
class LoopProgress
{
public:
    /// The work of the first n of @p steps grows like n to the power of @p growth.
    LoopProgress(ProgressRange range, std::int64_t steps, double growth = 1)
        : m_range(range)
        , m_steps(static_cast<double>(steps))
        , m_growth(growth)
        , m_stride(std::max<std::int64_t>(1, steps / 100))
    {
        m_range.tell(0);
    }

    /// So many steps are done.
    void at(std::int64_t done)
    {
        if (done < m_next)
            return;
        m_next = done + m_stride;
        m_range.tell(std::pow(static_cast<double>(done) / m_steps, m_growth));
    }

private:
    const ProgressRange m_range;
    const double m_steps;
    const double m_growth;
    const std::int64_t m_stride;
    std::int64_t m_next = 1;
};

} // namespace proclab::runtime
