// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pipeline/pipeline_stage.h"

#include <algorithm>
#include <cmath>

namespace proclab {

PipelineLayout arrangePipeline(const QRectF &area)
{
    constexpr double headHeight = 44;
    constexpr double footHeight = 20;
    constexpr double scaleWidth = 34;
    constexpr double parentHeight = 56;
    constexpr double parentGap = 14;
    const double width = area.width();
    const double side = std::floor(std::clamp(width * 0.315, 96.0, 250.0));
    const double gap = std::clamp(width * 0.05, 12.0, 48.0);
    const double tank =
        std::floor(std::clamp(width - 2 * side - 2 * gap - scaleWidth, 48.0, 220.0));
    const double centre = std::floor(area.center().x() + scaleWidth / 2 - tank / 2);

    PipelineLayout layout;
    layout.producers = {area.left(), area.top(), side, area.height()};
    layout.consumers = {area.right() - side, area.top(), side, area.height()};
    // As wide as the queue with its scale; the links to both sides pass beside it.
    const double parent = std::floor(std::min(parentHeight, area.height() / 5));
    layout.parent = {centre - scaleWidth / 2, area.bottom() - parent, tank + scaleWidth / 2 + 4,
                     parent};
    const double room = layout.parent.top() - parentGap - area.top();
    layout.tank = {centre, area.top() + headHeight, tank,
                   std::max(20.0, room - headHeight - footHeight)};
    return layout;
}

TankScale scaleTank(double height, quint64 capacity)
{
    constexpr double tallestSlot = 26;
    constexpr double lowestSlot = 16;
    constexpr double usualSlot = 22;
    TankScale scale;
    if (capacity > 0 && height / static_cast<double>(capacity) >= lowestSlot) {
        scale.slotHeight = std::min(tallestSlot, height / static_cast<double>(capacity));
        scale.shownItems = static_cast<int>(capacity);
        scale.isExact = true;
        return scale;
    }
    scale.slotHeight = usualSlot;
    scale.shownItems = std::max(0, static_cast<int>(height / usualSlot));
    return scale;
}

} // namespace proclab
