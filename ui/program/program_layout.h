// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QRectF>

namespace proclab {

/// Where the parts of a stage of programs are.
struct ProgramLayout
{
    QRectF arguments; ///< The boxes of the command.
    QRectF shell;     ///< What a shell would make of it; empty: there is no room.
    QRectF cards;     ///< The parent and the programs.
    QRectF tree;      ///< The processes below the programs; empty: there is no room.
    QRectF terminal;
    QRectF foot; ///< Time limit and end, below the terminal.
};

/// For @p programs programs. Pure.
[[nodiscard]] ProgramLayout arrangeProgram(const QRectF &area, int programs);

} // namespace proclab
