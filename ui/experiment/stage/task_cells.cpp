// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/stage/task_cells.h"

#include "ui/experiment/stage/stage_painting.h"
#include "ui/shared/theme.h"

#include <algorithm>
#include <array>

namespace proclab {

namespace {

constexpr double roomForDisc = 16;
constexpr double roomForNumber = 18;

struct Look
{
    QPen pen;
    QBrush brush = Qt::NoBrush;
    QColor text;
};

Look lookOf(const TaskCell &cell, double width, qreal devicePixelRatio)
{
    using State = TaskCell::State;
    const Theme &theme = Theme::current();
    const QColor process = theme.process(cell.colorIndex);
    const Look outlined{QPen(process, width >= 11 ? 1.5 : 1), theme.tint(process, 0.2), theme.text};
    switch (cell.state) {
    case State::Waiting:
        break;
    case State::Running:
        return outlined;
    case State::Done:
        return cell.isPale ? outlined : Look{Qt::NoPen, process, theme.onProcess(cell.colorIndex)};
    case State::Failed:
        return {QPen(theme.crash, 1),
                theme.hatch(Theme::Hatch::Crashed, theme.crash, devicePixelRatio), theme.text3};
    case State::Lost:
        return {QPen(theme.crash, width >= 11 ? 1.5 : 1, Qt::DashLine), Qt::NoBrush, theme.crash};
    case State::Cancelled: // Nobody is to blame.
        return {QPen(theme.border, 1), theme.hover, theme.text3};
    }
    return {QPen(theme.border, 1), Qt::NoBrush, theme.text3};
}

} // namespace

CellGrid fitCells(const QRectF &area, quint64 count)
{
    struct Step
    {
        double size;
        double gap;
    };
    static constexpr std::array<Step, 7> steps{
        {{32, 6}, {22, 5}, {18, 4}, {16, 3}, {11, 2}, {7, 2}, {4, 1}}};
    for (const Step &step : steps) {
        const double pitch = step.size + step.gap;
        const auto columns = static_cast<int>((area.width() + step.gap) / pitch);
        const auto rows = static_cast<int>((area.height() + step.gap) / pitch);
        if (columns > 0 && rows > 0 && count <= static_cast<quint64>(columns * rows))
            return {step.size, pitch, columns};
    }
    return {};
}

void paintTaskCell(QPainter &painter, const QRectF &rect, const TaskCell &cell)
{
    const Look look = lookOf(cell, rect.width(), painter.device()->devicePixelRatioF());
    const double radius = rect.width() >= 16 ? 4 : rect.width() >= 7 ? 2 : 0;
    const double edge = look.pen.style() == Qt::NoPen ? 0 : look.pen.widthF() / 2;
    painter.setRenderHint(QPainter::Antialiasing, radius > 0);
    painter.setPen(look.pen);
    painter.setBrushOrigin(rect.topLeft());
    painter.setBrush(look.brush);
    painter.drawRoundedRect(rect.adjusted(edge, edge, -edge, -edge), radius, radius);
    if (cell.state == TaskCell::State::Failed && rect.width() >= roomForDisc) {
        drawCrashDisc(painter, rect.center(), 6);
    } else if (rect.width() >= roomForNumber) {
        const QFont font =
            textFont(rect.width() >= 32 ? TextSize::Small : TextSize::Tick, QFont::Medium);
        const QString number = QString::number(cell.index);
        if (textWidth(number, font) <= rect.width())
            drawText(painter, rect, Qt::AlignCenter, number, font, look.text);
    }
    if (cell.isRetried && rect.width() >= roomForDisc) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(Theme::current().warn);
        painter.drawEllipse(rect.topRight() + QPointF(-3, 3), 3, 3);
    }
}

} // namespace proclab
