// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QPainter>
#include <QRectF>

namespace proclab {

/// Square cells in rows, as large as @p count of them fit into @p area; size 0: they do not.
struct CellGrid
{
    double size = 0;
    double pitch = 0;
    int columns = 0;

    [[nodiscard]] QRectF cell(const QRectF &area, int index) const
    {
        return {area.left() + (index % columns) * pitch, area.top() + (index / columns) * pitch,
                size, size};
    }
};
[[nodiscard]] CellGrid fitCells(const QRectF &area, quint64 count);

/// One task as a cell of a grid.
struct TaskCell
{
    enum class State { Waiting, Running, Done, Failed, Lost, Cancelled };

    quint32 index = 0;
    State state = State::Waiting;
    int colorIndex = -1;    ///< Of the process that does it or did it; below 0: none is known.
    bool isRetried = false; ///< Gets a mark, where there is room.
    bool isPale = false;    ///< Done, but nobody has looked yet.
};

/// With its number, where that has room.
void paintTaskCell(QPainter &painter, const QRectF &rect, const TaskCell &cell);

} // namespace proclab
