// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/executor/executor_stage.h"

#include <algorithm>
#include <cmath>

namespace proclab {

namespace {

constexpr double narrow = 560; // Below it the boxes need what the links can spare.
constexpr double bandHeight = 3 * executorBox::row + 12;
constexpr double between = 12;

/// The bottom of @p area for the tiles, where that has the room.
QRectF withoutTiles(ExecutorLayout &layout, const QRectF &area)
{
    constexpr double roomWithTiles = 330;
    constexpr double tileGap = 10;
    constexpr double height = executorBox::tileHead + executorBox::tileHeight;
    if (area.height() < roomWithTiles)
        return area;
    layout.tilesHead = {area.left(), area.bottom() - height, area.width(), executorBox::tileHead};
    const double count = static_cast<double>(layout.tiles.size());
    const double width = std::floor((area.width() - (count - 1) * tileGap) / count);
    double left = area.left();
    for (QRectF &tile : layout.tiles) {
        tile = {left, layout.tilesHead.bottom(), width, executorBox::tileHeight - 1};
        left += width + tileGap;
    }
    return area.adjusted(0, 0, 0, -height - between);
}

} // namespace

ExecutorLayout arrangeExecutor(const QRectF &whole, quint64 futures)
{
    using namespace executorBox;
    ExecutorLayout layout;
    const QRectF area = withoutTiles(layout, whole);
    const double width = area.width();
    const double gap = width < narrow ? 24 : std::min(width * 0.06, 64.0);
    const double workersWidth = std::floor(std::clamp(width * 0.3, 110.0, 300.0));
    const double side = std::floor(std::clamp((width - workersWidth - 2 * gap) / 2, 60.0, 420.0));
    const double right = std::floor(area.right() - side);
    layout.workersHead = {std::floor(area.center().x() - workersWidth / 2), area.top(),
                          workersWidth, head};
    layout.workers = {layout.workersHead.left(), layout.workersHead.bottom() + 4, workersWidth,
                      area.height() - head - 4};
    layout.parent = {area.left(), area.top(), side, bandHeight};
    layout.counts = {right, area.top(), side, bandHeight};
    // Both boxes are as high as what they show.
    const double top = area.top() + bandHeight + between;
    QRectF box(area.left(), top, side, std::max(0.0, area.bottom() - top - 1));
    const QRectF cells = ExecutorLayout::cellArea(box);
    layout.grid = fitCells(cells, futures);
    if (layout.grid.size > 0) {
        const double rows =
            std::ceil(static_cast<double>(std::max<quint64>(futures, 1)) / layout.grid.columns);
        const double spare = cells.height() - rows * layout.grid.pitch;
        box.setHeight(box.height() - std::max(0.0, std::floor(spare)));
    }
    layout.submitted = box;
    layout.completed = box.translated(right - box.left(), 0);
    return layout;
}

} // namespace proclab
