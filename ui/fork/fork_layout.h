// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/experiment/stage/stage_cards.h"

#include <QList>
#include <QRectF>

namespace proclab {

/// What is drawn of one process: its card, what it knows of the fork, and its memory.
struct ForkPanel
{
    QRectF card;
    CardStyle style = CardStyle::Compact;
    QList<QRectF> lines; ///< One a fact, as many as there is room for.
    QRectF memory;
};

/// Where the parts of a fork's stage are.
struct ForkLayout
{
    ForkPanel parent;
    QList<ForkPanel> children;
    QRectF legend; ///< Empty: there is no room.
};

/// For @p children children, with up to @p facts facts each. Pure.
[[nodiscard]] ForkLayout arrangeFork(const QRectF &area, int children, int facts);

/// @p cells cells in rows from the top left, as large as fit into @p area. Pure.
class BlockGrid
{
public:
    BlockGrid(const QRectF &area, int cells);

    [[nodiscard]] QRectF cell(int number) const;

private:
    QRectF m_area;
    int m_columns = 1;
    double m_width = 1; ///< From one cell to the next.
    double m_height = 1;
    double m_gap = 0;
};

} // namespace proclab
