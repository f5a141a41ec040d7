// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pool/pool_stage.h"

#include <algorithm>
#include <cmath>

namespace proclab {

namespace {

/// The height that the tasks take in the queue, in as many rows as it ever has.
double queueHeight(double width, const PoolNeeds &needs)
{
    using namespace poolBox;
    constexpr double mostRows = 5;
    const double columns =
        std::max(1.0, std::floor((width + tokenGap) / (needs.tokenWidth + tokenGap)));
    const double rows = std::ceil(static_cast<double>(std::max<quint64>(needs.tasks, 1)) / columns);
    return std::min(rows, mostRows) * tokenPitch - tokenGap;
}

/// The height of the cells of all tasks, or of what stands there instead.
double resultsHeight(const QSizeF &room, quint64 tasks)
{
    constexpr double totalsHeight = 84;
    const CellGrid grid = fitCells(QRectF(QPointF(), room), tasks);
    if (grid.size <= 0)
        return totalsHeight;
    const double rows = std::ceil(static_cast<double>(std::max<quint64>(tasks, 1)) / grid.columns);
    return rows * grid.pitch - (grid.pitch - grid.size);
}

/// Both boxes in the middle of @p column, as high as what they show; lower where that has no room.
void arrangeBoxes(PoolLayout &layout, const QRectF &column, const PoolNeeds &needs)
{
    using namespace poolBox;
    constexpr double queueShare = 0.4;
    constexpr double queueChrome = tokensTop + queueRows;
    constexpr double lowestQueue = tokensTop + tokenHeight + foot;
    const double inner = column.width() - 2 * padding;
    const double gap = std::min(24.0, std::floor(column.height() * 0.05));
    const double room = column.height() - gap;
    double queue = queueChrome + queueHeight(inner, needs);
    const double chrome = cellsTop + resultRows;
    const double forCells = std::max(0.0, room - queue - chrome);
    double results = chrome + resultsHeight({inner, forCells}, needs.tasks);
    if (queue + results > room) {
        queue = std::min(
            queue, std::max({std::min(lowestQueue, room / 2), room * queueShare, room - results}));
        if (queue >= queueChrome + tokenHeight) // Whole rows.
            queue -= std::fmod(queue - queueChrome + tokenGap, tokenPitch);
        results = room - queue;
    }
    queue = std::floor(queue);
    results = std::floor(results);
    const double top = column.top() + std::floor((room - queue - results) / 2);
    layout.queue = {column.left(), top, column.width(), queue};
    layout.results = {column.left(), top + queue + gap, column.width(), results};
    layout.queueHasRows = queue >= queueChrome + tokenHeight;
    layout.resultsHaveRows = results >= chrome + tokenHeight;
}

} // namespace

PoolLayout arrangePool(const QRectF &area, const PoolNeeds &needs)
{
    const double width = area.width();
    constexpr double narrow = 560; // Below it the boxes need what the links can spare.
    const double gap = width < narrow ? 28 : std::min(width * 0.085, 84.0);
    const double parentWidth = std::clamp(width * 0.215, 118.0, 140.0);
    const double workersWidth = std::clamp(width * 0.37, 120.0, 300.0);
    const double middle =
        std::min(std::max(60.0, width - parentWidth - workersWidth - 2 * gap), 420.0);
    // What the boxes can't use widens the gaps.
    const double spare = std::max(0.0, width - parentWidth - workersWidth - middle - 2 * gap) / 2;

    PoolLayout layout;
    const double parentHeight = std::min(area.height(), needs.parentHeight);
    layout.parent = {area.left(), std::floor(area.center().y() - parentHeight / 2),
                     std::floor(parentWidth), parentHeight};
    const double left = std::floor(layout.parent.right() + gap + spare);
    arrangeBoxes(layout, {left, area.top() + 1, std::floor(middle), area.height() - 2}, needs);
    layout.workers = {std::floor(area.right() - workersWidth), area.top(), std::floor(workersWidth),
                      area.height()};
    return layout;
}

} // namespace proclab
