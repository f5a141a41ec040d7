// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/process/lifeline_layout.h"

#include <algorithm>
#include <cmath>

namespace proclab {

namespace {

constexpr double axisHeight = 18;
constexpr double costsHeight = 92;
constexpr double lowestWithCosts = 240; ///< Of an area that has room for the costs.
constexpr double tallestRow = 100;
constexpr double lowestFull = 92;
constexpr double lowestCompact = 46;
constexpr double tallestCompact = 70;
constexpr double lowestRow = 24;
constexpr double lowestReadable = 13; ///< Below it the children stand in more columns.
constexpr int mostColumns = 4;
constexpr double rowGap = 4;
constexpr double columnGap = 20;
constexpr double laneGap = 10;
constexpr double squareWidth = 26; ///< It has a name.

double cardWidth(CardStyle style, double column)
{
    if (style == CardStyle::Full || style == CardStyle::Compact)
        return std::clamp(column * 0.36, 100.0, 250.0);
    return std::clamp(column * 0.32, 60.0, 190.0);
}

CardStyle styleFor(double rowHeight)
{
    if (rowHeight >= lowestFull)
        return CardStyle::Full;
    if (rowHeight >= lowestCompact)
        return CardStyle::Compact;
    return rowHeight >= lowestRow ? CardStyle::Row : CardStyle::Square;
}

Lifeline lifeline(const QRectF &row, CardStyle style)
{
    // Cards of two lines do not get emptier in a high row.
    double height =
        std::min(row.height(), style == CardStyle::Compact ? tallestCompact : row.height()) -
        rowGap;
    double width = cardWidth(style, row.width());
    if (style == CardStyle::Square) {
        width = squareWidth;
        height = std::max(2.0, row.height() - 1);
    }
    const double top = std::floor(row.center().y() - height / 2);
    const double lane = row.left() + width + laneGap;
    return {{row.left(), top, width, height},
            {lane, row.top(), std::max(10.0, row.right() - lane), row.height()}};
}

} // namespace

LifelineLayout arrangeLifelines(const QRectF &area, int children)
{
    LifelineLayout layout;
    QRectF lines = area;
    if (area.height() >= lowestWithCosts) {
        layout.costs = QRectF(area.left(), area.bottom() - costsHeight, area.width(), costsHeight);
        lines.setBottom(layout.costs.top() - 8);
    }
    const double room = lines.height() - axisHeight;
    const auto heightWith = [&](int columns) {
        const int rows = 1 + (children + columns - 1) / columns; // The parent's too.
        return std::min(tallestRow, std::floor(room / rows));
    };
    int columns = 1;
    while (columns < mostColumns && heightWith(columns) < lowestReadable)
        ++columns;
    const double height = std::max(3.0, heightWith(columns));
    layout.style = styleFor(height);
    const int rows = std::max(1, (children + columns - 1) / columns);
    const double used = height * (rows + 1) + axisHeight;
    const double top = lines.top() + std::floor(std::max(0.0, lines.height() - used) / 2);
    const double width = (lines.width() - columnGap * (columns - 1)) / columns;
    layout.parent = lifeline({lines.left(), top, lines.width(), height}, layout.style);
    for (int i = 0; i < children; ++i) {
        const int column = i / rows;
        const double left = lines.left() + column * (width + columnGap);
        const double y = top + height * (1 + i % rows);
        layout.children.append(lifeline({left, y, width, height}, layout.style));
        if (i % rows == 0) {
            const QRectF &lane = layout.children.last().lane;
            layout.axes.append({lane.left(), top + height * (rows + 1), lane.width(), axisHeight});
        }
    }
    // The parent's times are those of the first column, and so stand above it.
    if (!layout.children.isEmpty()) {
        QRectF &lane = layout.parent.lane;
        lane.setLeft(layout.children.first().lane.left());
        lane.setRight(layout.children.first().lane.right());
        layout.parent.card.setRight(lane.left() - laneGap);
        if (layout.style == CardStyle::Square)
            layout.parent.card.setWidth(squareWidth);
    }
    return layout;
}

} // namespace proclab
