// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/fork/fork_kind.h"
#include "ui/experiment/stage/stage_painting.h"
#include "ui/fork/fork_stage.h"
#include "ui/shared/theme.h"

#include <QPainter>

#include <algorithm>
#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr double sharedTint = 0.35;
constexpr int parentsColor = 0; ///< Its colour index; the children's follow.

/// Shared memory has the same colour wherever it is drawn: it is the parent's.
QColor sharedColor()
{
    const Theme &theme = Theme::current();
    return theme.tint(theme.process(parentsColor), sharedTint);
}

/// @p share (0 … 1) of @p cell is the process's own, the rest is shared.
void paintCell(QPainter &painter, const QRectF &cell, double share, const QColor &own)
{
    const double width = std::round(cell.width() * std::clamp(share, 0.0, 1.0));
    if (width < cell.width())
        painter.fillRect(cell, sharedColor());
    if (width > 0)
        painter.fillRect(QRectF(cell.left(), cell.top(), width, cell.height()), own);
}

} // namespace

void ForkStage::paintMoving(QPainter &painter)
{
    const ForkState now = state();
    painter.setOpacity(opacityOf(1));
    paintPanel(painter, m_layout.parent, parentFacts(now));
    paintParentsMemory(painter, now);
    for (int child = 0; child < m_layout.children.size(); ++child) {
        const auto place = static_cast<std::size_t>(child);
        painter.setOpacity(placeOf(child) >= 0 ? opacityOf(placeOf(child)) : 1);
        paintPanel(
            painter, m_layout.children[child],
            childFacts(place < now.children.size() ? now.children[place] : ForkState::Child()));
        paintChildsMemory(painter, now, child);
    }
    painter.setOpacity(1);
    if (!m_layout.legend.isEmpty())
        paintLegend(painter, now);
}

void ForkStage::paintPanel(QPainter &painter, const ForkPanel &panel,
                           const QList<Fact> &facts) const
{
    for (qsizetype i = 0; i < panel.lines.size() && i < facts.size(); ++i)
        paintFact(painter, panel.lines[i], facts[i]);
}

void ForkStage::paintFact(QPainter &painter, const QRectF &line, const Fact &fact) const
{
    const Theme &theme = Theme::current();
    const QFont font = textFont(TextSize::Small);
    const QFont strong = textFont(TextSize::Small, QFont::DemiBold);
    const double label = std::min(line.width() * 0.4, textWidth(tr("memory"), font) + 14);
    drawText(painter, QRectF(line.left() + 2, line.top(), label, line.height()), Qt::AlignVCenter,
             fact.label, font, theme.text2);
    QRectF room = line.adjusted(label + 2, 0, 0, 0);
    if (fact.isLock && room.width() > 40) {
        drawPadlock(painter, {room.left() + 6, room.center().y()}, 10,
                    fact.isWarning ? theme.warn : theme.text2);
        room.setLeft(room.left() + 18);
    }
    const bool hasRoom = textWidth(fact.value, strong) <= room.width();
    drawText(painter, room, Qt::AlignVCenter, hasRoom ? fact.value : fact.shortValue, strong,
             fact.isWarning ? theme.warn : theme.text);
}

/// All of it is its own until it forks, and what no child shares any more.
void ForkStage::paintParentsMemory(QPainter &painter, const ForkState &now) const
{
    const Theme &theme = Theme::current();
    painter.setRenderHint(QPainter::Antialiasing, false);
    const auto cells = static_cast<int>(forkMemory(spec()).cells);
    const BlockGrid grid(m_layout.parent.memory, cells);
    for (int i = 0; i < cells; ++i) {
        if (now.valueBefore < 0) // It is not filled yet.
            painter.fillRect(grid.cell(i), theme.grid);
        else
            paintCell(painter, grid.cell(i),
                      now.isForked() && now.pagesOf(i) > 0
                          ? static_cast<double>(now.ownPagesOf(0, i)) /
                                static_cast<double>(now.pagesOf(i))
                          : 1,
                      theme.process(parentsColor));
    }
}

void ForkStage::paintChildsMemory(QPainter &painter, const ForkState &now, int child) const
{
    const Theme &theme = Theme::current();
    const auto place = static_cast<std::size_t>(child);
    const ForkState::Child told =
        place < now.children.size() ? now.children[place] : ForkState::Child();
    const bool isForked = told.pid != 0 || told.returned == 0;
    const QRectF &room = m_layout.children[child].memory;
    painter.setRenderHint(QPainter::Antialiasing, false);
    const auto cells = static_cast<int>(forkMemory(spec()).cells);
    const BlockGrid grid(room, cells);
    const bool isCounted = isForked && now.countsPages != 0;
    const ProcessLive *process = live(placeOf(child));
    // What it had copied is freed with it.
    if (process && process->state == ProcessState::Crashed)
        painter.setOpacity(painter.opacity() * 0.4);
    for (int i = 0; i < cells; ++i) {
        if (!isCounted)
            painter.fillRect(grid.cell(i), theme.grid);
        else
            paintCell(painter, grid.cell(i),
                      static_cast<double>(now.ownPagesOf(place + 1, i)) /
                          static_cast<double>(std::max<qint64>(1, now.pagesOf(i))),
                      theme.process(child + 1));
    }
    if (isForked && !isCounted && room.height() > 20)
        drawText(painter, room, Qt::AlignCenter, tr("not counted by this kernel"),
                 textFont(TextSize::Small), theme.text2);
}

void ForkStage::paintLegend(QPainter &painter, const ForkState &now) const
{
    const Theme &theme = Theme::current();
    const QFont font = textFont(TextSize::Caption);
    constexpr double side = 10;
    QRectF room = m_layout.legend;
    const auto entry = [&](const QColor &color, const QString &text) {
        const double width = textWidth(text, font);
        if (side + 6 + width > room.width())
            return;
        painter.setRenderHint(QPainter::Antialiasing, false);
        painter.fillRect(QRectF(room.left(), std::floor(room.center().y() - side / 2), side, side),
                         color);
        drawText(painter, room.adjusted(side + 6, 0, 0, 0), Qt::AlignVCenter, text, font,
                 theme.text2);
        room.setLeft(room.left() + side + 6 + width + 16);
    };
    entry(sharedColor(), tr("shared"));
    entry(theme.process(parentsColor), tr("the parent's own"));
    entry(theme.process(1), tr("copied by a child"));
    const ForkMemory memory = forkMemory(spec());
    QStringList texts{
        tr("a block: %1 pages").arg(memory.pages / std::max<qint64>(1, memory.cells))};
    const auto first = std::ranges::find_if(
        now.children, [](const ForkState::Child &child) { return child.forkNs > 0; });
    if (first != now.children.end())
        texts.prepend(
            tr("fork() took %1").arg(durationText(static_cast<double>(first->forkNs) / 1e9)));
    for (; !texts.isEmpty(); texts.removeLast()) {
        const QString text = texts.join(u" \u00B7 "_s);
        if (textWidth(text, font) > room.width())
            continue;
        drawText(painter, room, Qt::AlignVCenter | Qt::AlignRight, text, font, theme.text2);
        return;
    }
}

} // namespace proclab
