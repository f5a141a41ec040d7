// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/fork/fork_layout.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace proclab {

namespace {

constexpr double forkLegendHeight = 24;
constexpr double lowestWithLegend = 150; ///< Of an area that has room for it.
constexpr double panelGap = 16;
constexpr double childGap = 8;
constexpr double lineHeight = 20;
constexpr double square = 24;

struct PanelForm
{
    CardStyle style;
    double height;
    double lowestPanel; ///< Of a panel whose card it is.
    double narrowest;
};
constexpr PanelForm panelForms[] = {
    {CardStyle::Full, 92, 280, 180},
    {CardStyle::Compact, 52, 130, 130},
    {CardStyle::Row, 26, 62, 80},
};

ForkPanel arrangePanel(const QRectF &area, int facts)
{
    ForkPanel panel;
    const auto *const form = std::find_if(
        std::begin(panelForms), std::end(panelForms), [&area](const PanelForm &candidate) {
            return area.height() >= candidate.lowestPanel && area.width() >= candidate.narrowest;
        });
    if (form == std::end(panelForms)) {
        const double side = std::floor(std::min({square, area.height(), area.width() / 2}));
        panel.style = CardStyle::Square;
        panel.card = {area.left(), area.top(), side, side};
        panel.memory = area.adjusted(side + 4, 0, 0, 0);
        return panel;
    }
    panel.style = form->style;
    panel.card = {area.left(), area.top(), area.width(), form->height};
    QRectF rest = area.adjusted(0, form->height + 4, 0, 0);
    // What there is to read has at most a half of the room.
    const int lines = std::min(facts, static_cast<int>(rest.height() / 2 / lineHeight));
    for (int i = 0; i < lines; ++i) {
        panel.lines.append(QRectF(rest.left(), rest.top(), rest.width(), lineHeight));
        rest.setTop(rest.top() + lineHeight);
    }
    panel.memory = rest.adjusted(0, lines > 0 ? 4 : 0, 0, 0);
    return panel;
}

/// The number of columns in which tiles have the best form.
int columnsFor(const QRectF &area, int tiles)
{
    constexpr double bestForm = 1.5; ///< Width by height.
    int best = 1;
    double least = std::numeric_limits<double>::max();
    for (int columns = 1; columns <= tiles; ++columns) {
        const int rows = (tiles + columns - 1) / columns;
        const double form = (area.width() / columns) / (area.height() / rows);
        const double distance = std::abs(std::log(form / bestForm));
        if (distance < least) {
            least = distance;
            best = columns;
        }
    }
    return best;
}

} // namespace

ForkLayout arrangeFork(const QRectF &area, int children, int facts)
{
    ForkLayout layout;
    QRectF room = area;
    if (area.height() >= lowestWithLegend) {
        layout.legend = {area.left(), area.bottom() - forkLegendHeight, area.width(),
                         forkLegendHeight};
        room.setBottom(layout.legend.top() - 6);
    }
    const double left = children == 1 ? (room.width() - panelGap) / 2
                                      : std::clamp(room.width() * 0.32, 110.0, 400.0);
    layout.parent = arrangePanel({room.left(), room.top(), std::floor(left), room.height()}, facts);
    const QRectF right = room.adjusted(std::floor(left) + panelGap, 0, 0, 0);
    const int columns = columnsFor(right, std::max(1, children));
    const int rows = (std::max(1, children) + columns - 1) / columns;
    const double width = (right.width() + childGap) / columns;
    const double height = (right.height() + childGap) / rows;
    for (int i = 0; i < children; ++i) {
        const double x = std::floor(right.left() + width * (i % columns));
        const int row = i / columns;
        const double y = std::floor(right.top() + height * row);
        layout.children.append(arrangePanel(
            {x, y, std::floor(width - childGap), std::floor(height - childGap)}, facts));
    }
    return layout;
}

BlockGrid::BlockGrid(const QRectF &area, int cells) : m_area(area)
{
    const double width = std::max(1.0, area.width());
    const double height = std::max(1.0, area.height());
    // Of the ways to fill whole rows, the one with the squarest cells.
    double least = std::numeric_limits<double>::max();
    for (int columns = 1; columns <= cells; ++columns) {
        const double form = (width / columns) / (height / (std::max(1, cells / columns)));
        if (cells % columns != 0 || std::abs(std::log(form)) >= least)
            continue;
        least = std::abs(std::log(form));
        m_columns = columns;
    }
    const int rows = std::max(1, cells / m_columns);
    m_width = width / m_columns;
    m_height = height / rows;
    const double side = std::min(m_width, m_height);
    m_gap = side >= 12 ? 2 : side >= 5 ? 1 : 0;
}

QRectF BlockGrid::cell(int number) const
{
    const int column = number % m_columns;
    const int row = number / m_columns;
    const double left = std::round(m_area.left() + m_width * column);
    const double top = std::round(m_area.top() + m_height * row);
    const double right = std::round(m_area.left() + m_width * (column + 1)) - m_gap;
    const double bottom = std::round(m_area.top() + m_height * (row + 1)) - m_gap;
    return {left, top, std::max(1.0, right - left), std::max(1.0, bottom - top)};
}

} // namespace proclab
