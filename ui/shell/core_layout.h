// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QPoint>
#include <QRect>
#include <QSize>

namespace proclab {

/// Where "This machine" draws its cores, in pixels from the top left of their room.
struct CoreLayout
{
    enum class Form {
        Rows,    ///< One below the other, with numbers.
        Columns, ///< Bars side by side.
        Grid,    ///< A square for each core, or for a few.
    };

    Form form = Form::Rows;
    int cells = 0;
    int coresPerCell =
        1; ///< More where squares for each would be too small; the last has the rest.
    int columns = 1;
    QSize pitch = {}; ///< From one cell to the next.
    QSize inner = {}; ///< What of a cell is painted.

    [[nodiscard]] QSize size() const;
    [[nodiscard]] QRect cell(int index) const;
    /// The cell whose pitch has @p position; -1: none.
    [[nodiscard]] int cellAt(const QPoint &position) const;
};

/// @p cores in a room of @p width pixels. Wide: beside text, in the rail at its full width.
enum class CoreRoom { Wide, Narrow };
[[nodiscard]] CoreLayout layoutCores(int cores, int width, CoreRoom room);

/// The parts of a row: the core's number, its bar and its share, from left to right.
struct CoreRow
{
    QRect number;
    QRect bar;
    QRect share;
};
[[nodiscard]] CoreRow layoutCoreRow(const QRect &row, int numberWidth, int shareWidth);

} // namespace proclab
