// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/pool/pool_kind.h"
#include "core/experiment/kinds/pool/pool_state.h"
#include "ui/experiment/stage/stage_painting.h"
#include "ui/pool/pool_stage.h"
#include "ui/shared/theme.h"

#include <QPainter>

#include <algorithm>
#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

// The boxes between the parent and its workers: the task queue and the results.

namespace {

constexpr double stripHeight = 18;

} // namespace

void PoolStage::paintQueue(QPainter &painter)
{
    const Theme &theme = Theme::current();
    const QRectF &box = m_layout.queue;
    const quint64 waiting = snapshot() ? snapshot()->queued : total();
    const QRectF head(box.left() + poolBox::padding, box.top() + 3,
                      box.width() - 2 * poolBox::padding, poolBox::head);
    const double titleWidth =
        textWidth(tr("Task queue"), textFont(TextSize::Small, QFont::DemiBold));
    const QString count = briefNumber(waiting);
    drawCount(painter, head.adjusted(titleWidth + 8, 0, 0, 0),
              !isIdle()      ? tr("%1 waiting").arg(count)
              : waiting == 1 ? tr("1 task")
                             : tr("%1 tasks").arg(count),
              count);
    paintWaitingTasks(painter);
    if (!m_layout.queueHasRows)
        return;
    const QRectF row(head.left(), box.bottom() - poolBox::row - 6, head.width(), poolBox::row);
    painter.fillRect(QRectF(row.left(), row.top() - poolBox::row - 5, row.width(), 1),
                     theme.border);
    drawFact(painter, row.translated(0, -poolBox::row), tr("Chunk size"),
             spec().value(u"pool.chunk_size"_s).toVariant().toString(), theme.text2);
    const QString remaining = remainingText();
    const QString about = remaining.isEmpty() ? u"\u2013"_s : tr("about %1").arg(remaining);
    drawFact(painter, row, tr("Finish in"),
             hasRoomForFact(row, tr("Finish in"), about) ? about : remaining, theme.text2);
}

void PoolStage::paintWaitingTasks(QPainter &painter)
{
    const Theme &theme = Theme::current();
    const QRectF &box = m_layout.queue;
    const double bottom =
        box.bottom() - (m_layout.queueHasRows ? poolBox::queueRows : poolBox::foot);
    const QRectF area(box.left() + poolBox::padding, box.top() + poolBox::tokensTop,
                      box.width() - 2 * poolBox::padding, bottom - box.top() - poolBox::tokensTop);
    QList<quint32> tasks;
    if (snapshot())
        tasks = snapshot()->state<PoolState>().nextTasks;
    else
        for (quint32 i = 0; i < std::min<quint64>(total(), 64); ++i)
            tasks.append(i);
    constexpr double gap = poolBox::tokenGap;
    constexpr double height = poolBox::tokenHeight;
    const double cellWidth = tokenWidth(tasks.isEmpty() ? 0 : tasks.last());
    const auto columns = static_cast<int>((area.width() + gap) / (cellWidth + gap));
    const auto rows = static_cast<int>((area.height() + gap) / (height + gap));
    if (columns <= 0 || rows <= 0)
        return;
    if (tasks.isEmpty()) {
        drawText(painter, {area.left(), area.top(), area.width(), height}, Qt::AlignCenter,
                 tr("no task waits"), textFont(TextSize::Caption), theme.text3);
        return;
    }
    const QFont font = monoFont(TextSize::Tick);
    const int room = columns * rows;
    const quint64 waiting = snapshot() ? snapshot()->queued : total();
    const auto moreThan = [waiting](int count) {
        return QString(u'+' % shortNumber(static_cast<double>(waiting) - count));
    };
    int shown = std::min<int>(static_cast<int>(tasks.size()), room);
    const bool overflows = waiting > static_cast<quint64>(shown);
    if (overflows) {
        // How many more there are stands in the row of the last ones, in as many of their places as
        // it needs.
        const double moreWidth = textWidth(moreThan(0), textFont(TextSize::Caption));
        const int places =
            std::min(columns, static_cast<int>(std::ceil((moreWidth + gap) / (cellWidth + gap))));
        shown = std::min(shown, room - places);
        shown -= std::max(0, places - (columns - shown % columns));
    }
    // The next to leave stands at the right, where the workers are.
    const auto cellAt = [&](int i) {
        return QRectF(area.right() - (i % columns) * (cellWidth + gap) - cellWidth,
                      area.top() + (i / columns) * (height + gap), cellWidth, height);
    };
    for (int i = 0; i < shown; ++i) {
        const QRectF cell = cellAt(i);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(QPen(theme.borderStrong, 1));
        painter.setBrush(isIdle() ? theme.sunken : theme.hover);
        painter.drawRoundedRect(cell.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
        drawText(painter, cell, Qt::AlignCenter, QString::number(tasks[i]), font,
                 isIdle() ? theme.text3 : theme.text);
    }
    if (overflows)
        drawText(painter,
                 {area.left(), cellAt(shown).top(), cellAt(shown).right() - area.left(), height},
                 Qt::AlignVCenter | Qt::AlignRight, moreThan(shown), textFont(TextSize::Caption),
                 theme.text3);
}

/// How long the rest will take at the pace so far; empty: nothing is known.
QString PoolStage::remainingText() const
{
    const StageSnapshot *now = snapshot();
    if (!now || isEnded() || now->done == 0 || now->timeNs <= 0)
        return {};
    const quint64 over = now->done + now->failed + now->cancelled + now->lost;
    if (over >= now->total)
        return {};
    const double perTask = static_cast<double>(now->timeNs) / 1e9 / static_cast<double>(over);
    return durationText(perTask * static_cast<double>(now->total - over));
}

void PoolStage::paintResults(QPainter &painter)
{
    const Theme &theme = Theme::current();
    const QRectF &box = m_layout.results;
    const quint64 done = snapshot() ? snapshot()->done : 0;
    const QRectF head(box.left() + poolBox::padding, box.top() + 3,
                      box.width() - 2 * poolBox::padding, poolBox::head);
    const double titleWidth = textWidth(tr("Results"), textFont(TextSize::Small, QFont::DemiBold));
    drawCount(painter, head.adjusted(titleWidth + 8, 0, 0, 0),
              tr("%1 of %2").arg(briefNumber(done), briefNumber(total())), briefNumber(done));
    if (m_grid.size > 0)
        paintCells(painter);
    else
        paintTotals(painter);
    if (!m_layout.resultsHaveRows)
        return;
    const auto isAtWork = [](const ProcessLive &process) {
        return process.currentIndex >= 0 && process.state != ProcessState::Crashed &&
               process.state != ProcessState::Ended;
    };
    const quint64 running =
        snapshot() ? static_cast<quint64>(std::count_if(snapshot()->processes.begin(),
                                                        snapshot()->processes.end(), isAtWork))
                   : 0;
    const quint64 failed = snapshot() ? snapshot()->failed : 0;
    const quint64 lost = snapshot() ? snapshot()->lost : 0;
    const quint64 cancelled = snapshot() ? snapshot()->cancelled : 0;
    const QRectF row(head.left(), box.bottom() - poolBox::row - 6, head.width(), poolBox::row);
    painter.fillRect(QRectF(row.left(), row.top() - 2 * poolBox::row - 5, row.width(), 1),
                     theme.border);
    drawFact(painter, row.translated(0, -2 * poolBox::row), tr("Running"), countText(running),
             theme.text2);
    drawFact(painter, row.translated(0, -poolBox::row), tr("Failed"), countText(failed),
             failed > 0 ? theme.crash : theme.text2);
    drawFact(painter, row, tr("Not done"), countText(lost + cancelled),
             lost > 0 ? theme.crash : theme.text2);
}

void PoolStage::paintCells(QPainter &painter)
{
    std::vector<int> runningOn(m_cells.size(), -1);
    if (snapshot()) {
        for (const ProcessLive &process : snapshot()->processes) {
            const bool alive = process.state != ProcessState::Crashed;
            if (alive && process.currentIndex >= 0 &&
                static_cast<std::size_t>(process.currentIndex) < runningOn.size())
                runningOn[static_cast<std::size_t>(process.currentIndex)] = process.process;
        }
    }
    for (std::size_t i = 0; i < m_cells.size(); ++i) {
        const bool isFinished = snapshot() && m_cells[i].finishedNs <= snapshot()->timeNs;
        const int process =
            isFinished && m_cells[i].process >= 0 ? m_cells[i].process : runningOn[i];
        painter.setOpacity(process >= 0 && process < processes().size() ? opacityOf(process) : 1);
        paintTaskCell(painter, m_grid.cell(m_cellArea, static_cast<int>(i)),
                      cellOf(i, runningOn[i]));
    }
    painter.setOpacity(1);
}

TaskCell PoolStage::cellOf(std::size_t index, int runningOn) const
{
    using State = TaskCell::State;
    const Cell &known = m_cells[index];
    const bool isFinished = snapshot() && known.finishedNs <= snapshot()->timeNs;
    const Cell cell = isFinished ? known : Cell();
    const int process = cell.process >= 0 ? cell.process : runningOn;
    TaskCell shown{.index = static_cast<quint32>(index)};
    if (process >= 0 && process < processes().size())
        shown.colorIndex = processes()[process].colorIndex;
    if (cell.status == TaskStatus::Failed || cell.status == TaskStatus::Lost)
        shown.state = State::Failed;
    else if (cell.status == TaskStatus::Cancelled)
        shown.state = State::Cancelled;
    else if (cell.process >= 0)
        shown.state = State::Done;
    else if (runningOn >= 0)
        shown.state = State::Running;
    return shown;
}

/// Too many for a cell each: a strip of what each worker has done, in the order of the workers.
void PoolStage::paintTotals(QPainter &painter)
{
    const Theme &theme = Theme::current();
    const double middle =
        std::floor(std::min(m_cellArea.center().y(), m_cellArea.bottom() - stripHeight));
    const QRectF strip(m_cellArea.left(), middle, m_cellArea.width(), stripHeight);
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.fillRect(strip, theme.hover);
    const StageSnapshot *now = snapshot();
    const auto whole = static_cast<double>(std::max<quint64>(total(), 1));
    const double share = now ? static_cast<double>(now->done) / whole : 0;
    if (now) {
        double x = strip.left();
        for (const ProcessLive &process : now->processes) {
            const double part = strip.width() * static_cast<double>(process.done) / whole;
            if (process.process == 0 || process.process >= processes().size() || part <= 0)
                continue;
            painter.setOpacity(opacityOf(process.process));
            painter.fillRect(QRectF(x, strip.top(), part, strip.height()),
                             theme.process(processes()[process.process].colorIndex));
            x += part;
        }
        painter.setOpacity(1);
        const double lost = strip.width() * static_cast<double>(now->failed + now->lost) / whole;
        painter.setBrushOrigin(strip.topLeft());
        if (lost > 0)
            painter.fillRect(QRectF(x, strip.top(), std::max(2.0, lost), strip.height()),
                             theme.hatch(Theme::Hatch::Crashed, theme.crash,
                                         painter.device()->devicePixelRatioF()));
    }
    const QRectF above(strip.left(), m_cellArea.top(), strip.width(),
                       middle - m_cellArea.top() - 4);
    if (above.height() >= 20)
        drawText(painter, above, Qt::AlignBottom | Qt::AlignLeft,
                 tr("%1\u00A0%").arg(QString::number(std::floor(share * 1000) / 10)),
                 textFont(TextSize::Title, QFont::DemiBold), theme.text);
    const QRectF below(strip.left(), strip.bottom() + 4, strip.width(), 16);
    if (below.bottom() <= m_cellArea.bottom() + 2)
        drawText(painter, below, Qt::AlignVCenter, tr("by worker"), textFont(TextSize::Caption),
                 theme.text3);
}

void PoolStage::paintRate(QPainter &painter)
{
    if (!isTooFastForTokens() || isEnded())
        return;
    const QRectF room(m_layout.queue.right() + 4, m_layout.queue.top() - 4,
                      m_layout.workers.left() - m_layout.queue.right() - 6, 16);
    if (const auto rate = gaugeAt(log()->gauges, PoolGauges::Throughput, snapshot()->timeNs))
        drawText(painter, room, Qt::AlignLeft | Qt::AlignVCenter,
                 tr("%1/s").arg(shortNumber(*rate)), textFont(TextSize::Tick),
                 Theme::current().text3);
}

} // namespace proclab
