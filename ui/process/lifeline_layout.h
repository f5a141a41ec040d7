// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/experiment/stage/stage_cards.h"

#include <QList>
#include <QRectF>

namespace proclab {

/// The row of one process: its card, and the line of its life beside it.
struct Lifeline
{
    QRectF card;
    QRectF lane;
};

/// Where the parts of a stage of life lines are.
struct LifelineLayout
{
    CardStyle style = CardStyle::Compact; ///< Of all cards.
    Lifeline parent;
    QList<Lifeline> children;
    QList<QRectF> axes; ///< Times below the lanes, one a column.
    QRectF costs;       ///< What starting a process costs; empty: there is no room.
};

/// For @p children children, in as few columns as leave a row high enough to be seen. Pure.
[[nodiscard]] LifelineLayout arrangeLifelines(const QRectF &area, int children);

} // namespace proclab
