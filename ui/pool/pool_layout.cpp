// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pool/pool_stage.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace proclab {

PoolLayout arrangePool(const QRectF &area, double tallestParent)
{
    constexpr double queueShare = 0.40;
    const double width = area.width();
    const double gap = std::clamp(width * 0.085, 20.0, 84.0);
    const double parentWidth = std::clamp(width * 0.215, 118.0, 140.0);
    const double workersWidth = std::clamp(width * 0.37, 120.0, 300.0);
    const double middle =
        std::min(std::max(60.0, width - parentWidth - workersWidth - 2 * gap), 420.0);
    // What the boxes can't use widens the gaps.
    const double spare = std::max(0.0, width - parentWidth - workersWidth - middle - 2 * gap) / 2;

    PoolLayout layout;
    const double parentHeight = std::min(area.height(), tallestParent);
    layout.parent = {area.left(), std::floor(area.center().y() - parentHeight / 2),
                     std::floor(parentWidth), parentHeight};
    const double left = std::floor(layout.parent.right() + gap + spare);
    const double queueHeight = std::floor(std::clamp(area.height() * queueShare, 0.0, 190.0));
    const double boxGap = std::min(24.0, area.height() * 0.05);
    layout.queue = {left, area.top() + 1, std::floor(middle), queueHeight};
    const double top = std::floor(layout.queue.bottom() + boxGap);
    layout.results = {left, top, std::floor(middle), area.bottom() - top - 1};
    layout.workers = {std::floor(area.right() - workersWidth), area.top(), std::floor(workersWidth),
                      area.height()};
    return layout;
}

CellGrid fitCells(const QRectF &area, quint64 count)
{
    struct Step
    {
        double size;
        double gap;
    };
    static constexpr std::array<Step, 5> steps{{{22, 5}, {16, 3}, {11, 2}, {7, 2}, {4, 1}}};
    for (const Step &step : steps) {
        const double pitch = step.size + step.gap;
        const auto columns = static_cast<int>((area.width() + step.gap) / pitch);
        const auto rows = static_cast<int>((area.height() + step.gap) / pitch);
        if (columns > 0 && rows > 0 && count <= static_cast<quint64>(columns * rows))
            return {step.size, pitch, columns};
    }
    return {};
}

} // namespace proclab
