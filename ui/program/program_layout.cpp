// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/program/program_layout.h"

#include <algorithm>
#include <cmath>

namespace proclab {

namespace {

constexpr double programGap = 12;
constexpr double stripHeight = 46;
constexpr double lowestWithShell = 280;
constexpr double footHeight = 24;
constexpr double lowestTree = 46;
constexpr double tallestPair = 230; ///< Of the cards of the parent and one program.

} // namespace

ProgramLayout arrangeProgram(const QRectF &area, int programs)
{
    ProgramLayout layout;
    layout.arguments = QRectF(area.left(), area.top(), area.width(), stripHeight);
    QRectF rest = area;
    rest.setTop(layout.arguments.bottom() + 4);
    if (area.height() >= lowestWithShell) {
        layout.shell = layout.arguments.translated(0, stripHeight + 4);
        rest.setTop(layout.shell.bottom() + programGap);
    }
    const double left = std::floor(std::clamp(area.width() * 0.36, 120.0, 340.0));
    layout.foot = QRectF(rest.left() + left + programGap, rest.bottom() - footHeight,
                         rest.width() - left - programGap, footHeight);
    layout.terminal =
        QRectF(layout.foot.left(), rest.top(), layout.foot.width(), layout.foot.top() - rest.top());
    layout.cards = QRectF(rest.left(), rest.top(), left, rest.height());
    const double cards = programs == 1 ? std::min(tallestPair, std::floor(rest.height() * 0.62))
                                       : std::floor(rest.height() * 0.75);
    if (rest.height() - cards - programGap < lowestTree)
        return layout;
    layout.cards.setHeight(cards);
    layout.tree = QRectF(rest.left(), layout.cards.bottom() + programGap, left,
                         rest.bottom() - layout.cards.bottom() - programGap);
    return layout;
}

} // namespace proclab
