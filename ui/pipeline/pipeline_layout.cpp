// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pipeline/pipeline_stage.h"

#include <algorithm>
#include <cmath>

namespace proclab {

PipelineLayout arrangePipeline(const QRectF &area)
{
    constexpr double roomyHeight = 260; // Below it the slots need what is around them.
    constexpr double scaleWidth = 34;
    const bool isLow = area.height() < roomyHeight;
    const double footHeight = isLow ? 14 : 20;
    const double parentHeight = isLow ? 26 : 56;
    const double parentGap = isLow ? 6 : 14;
    const double width = area.width();
    const double side = std::floor(std::clamp(width * 0.315, 96.0, 250.0));
    const double gap = std::clamp(width * 0.05, 12.0, 48.0);
    const double tank =
        std::floor(std::clamp(width - 2 * side - 2 * gap - scaleWidth, 48.0, 220.0));
    const double centre = std::floor(area.center().x() + scaleWidth / 2 - tank / 2);

    PipelineLayout layout;
    layout.headHeight = isLow ? 40 : 44; // A token passes between the title and the level mark.
    layout.producers = {area.left(), area.top(), side, area.height()};
    layout.consumers = {area.right() - side, area.top(), side, area.height()};
    // As wide as the queue with its scale; the links to both sides pass beside it.
    const double parent = std::floor(std::min(parentHeight, area.height() / 5));
    layout.parent = {centre - scaleWidth / 2, area.bottom() - parent, tank + scaleWidth / 2 + 4,
                     parent};
    const double room = layout.parent.top() - parentGap - area.top();
    layout.tank = {centre, area.top() + layout.headHeight, tank,
                   std::max(20.0, room - layout.headHeight - footHeight)};
    return layout;
}

TankScale scaleTank(double height, quint64 capacity)
{
    constexpr double tallestSlot = 32;
    constexpr double lowestSlot = 16;
    constexpr double usualSlot = 22;
    TankScale scale;
    if (capacity > 0 && height / static_cast<double>(capacity) >= lowestSlot) {
        scale.slotHeight = std::min(tallestSlot, height / static_cast<double>(capacity));
        scale.shownItems = static_cast<int>(capacity);
        scale.isExact = true;
        return scale;
    }
    scale.slotHeight = height < 5 * usualSlot ? lowestSlot : usualSlot;
    scale.shownItems = std::max(0, static_cast<int>(height / scale.slotHeight));
    return scale;
}

} // namespace proclab
