// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/core_layout.h"

#include <algorithm>

namespace proclab {

namespace {

constexpr int mostSingly = 8; // Rows or columns; more are a grid.
constexpr int rowHeight = 14;
constexpr int barHeight = 4;
constexpr int partGap = 8;
constexpr int columnHeight = 32;
constexpr int widestColumn = 8;
constexpr int gridHeight = 96;
constexpr int gridStep = 8; // A row of the grid has a multiple of this.
constexpr int largestCell = 14;
constexpr int smallestCell = 3;

/// The grid with the largest squares that has room; without columns: there is none.
CoreLayout grid(int cells, int width)
{
    CoreLayout layout{.form = CoreLayout::Form::Grid, .cells = cells, .columns = 0};
    for (int columns = gridStep; width / columns >= smallestCell; columns += gridStep) {
        const int edge = std::min(width / columns, largestCell);
        if ((cells + columns - 1) / columns * edge > gridHeight)
            continue;
        const int gap = edge > 2 * smallestCell ? 2 : 1;
        layout.columns = columns;
        layout.pitch = {edge, edge};
        layout.inner = {edge - gap, edge - gap};
        break;
    }
    return layout;
}

} // namespace

QSize CoreLayout::size() const
{
    const int rows = (cells + columns - 1) / columns;
    return {std::min(cells, columns) * pitch.width(), rows * pitch.height()};
}

QRect CoreLayout::cell(int index) const
{
    return {
        QPoint(index % columns * pitch.width(), index / columns * pitch.height()),
        inner,
    };
}

int CoreLayout::cellAt(const QPoint &position) const
{
    if (cells == 0 || position.x() < 0 || position.y() < 0)
        return -1;
    const int column = position.x() / pitch.width();
    const int index = position.y() / pitch.height() * columns + column;
    return column < columns && index < cells ? index : -1;
}

CoreLayout layoutCores(int cores, int width, CoreRoom room)
{
    if (cores > mostSingly) {
        for (int perCell = 1;; perCell *= 2) {
            CoreLayout layout = grid((cores + perCell - 1) / perCell, width);
            layout.coresPerCell = perCell;
            if (layout.columns > 0)
                return layout;
        }
    }
    if (room == CoreRoom::Wide) {
        return {.form = CoreLayout::Form::Rows,
                .cells = cores,
                .pitch = {width, rowHeight},
                .inner = {width, rowHeight}};
    }
    const int pitch = std::min(widestColumn, width / std::max(1, cores));
    return {.form = CoreLayout::Form::Columns,
            .cells = cores,
            .columns = std::max(1, cores),
            .pitch = {pitch, columnHeight},
            .inner = {pitch - (pitch > smallestCell ? 2 : 1), columnHeight}};
}

CoreRow layoutCoreRow(const QRect &row, int numberWidth, int shareWidth)
{
    const QRect number(row.left(), row.top(), numberWidth, row.height());
    const QRect share(row.left() + row.width() - shareWidth, row.top(), shareWidth, row.height());
    const int left = number.left() + number.width() + partGap;
    const QRect bar(left, row.top() + (row.height() - barHeight) / 2,
                    std::max(0, share.left() - partGap - left), barHeight);
    return {number, bar, share};
}

} // namespace proclab
