// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/executor/executor_kind.h"
#include "ui/executor/executor_stage.h"
#include "ui/experiment/stage/stage_painting.h"
#include "ui/shared/theme.h"

#include <QPainter>
#include <QPushButton>

#include <algorithm>
#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

// What stands around the workers: futures as submitted and as completed, counts, what a death
// costs.

namespace {

constexpr int lastShown = 64; ///< Of the futures that completed, where there is no room for all.

/// The largest of some cells that are shown where not all have room.
constexpr double cellSize = 22;
constexpr double cellPitch = 27;

QString brief(quint64 count)
{
    return shortNumber(static_cast<double>(count));
}

} // namespace

void ExecutorStage::paintMoving(QPainter &painter)
{
    paintCounts(painter);
    paintSubmitted(painter);
    paintCompleted(painter);
    paintTiles(painter);
    paintWorkersHead(painter);
}

/// Where the button leaves the room.
void ExecutorStage::paintWorkersHead(QPainter &painter) const
{
    QRectF head = m_layout.workersHead;
    if (m_kill->isVisibleTo(this))
        head.setRight(m_kill->geometry().left() - 6);
    const QString title = tr("Workers");
    const QFont font = textFont(TextSize::Small, QFont::DemiBold);
    if (textWidth(title, font) <= head.width())
        drawText(painter, head, Qt::AlignVCenter, title, font, Theme::current().text);
}

void ExecutorStage::paintHead(QPainter &painter, const QRectF &box, const QString &title,
                              const QString &count, const QString &briefCount) const
{
    const QRectF head(box.left() + executorBox::padding, box.top() + 3,
                      box.width() - 2 * executorBox::padding, executorBox::head);
    const QFont font = textFont(TextSize::Small, QFont::DemiBold);
    drawText(painter, head, Qt::AlignVCenter, title, font, Theme::current().text);
    drawCount(painter, head.adjusted(textWidth(title, font) + 8, 0, 0, 0), count, briefCount);
}

/// How many futures are in each state: in two columns, or in one where these have no room.
void ExecutorStage::paintCounts(QPainter &painter) const
{
    const Theme &theme = Theme::current();
    const StageSnapshot *now = snapshot();
    struct Count
    {
        QString title;
        quint64 value;
        QColor color;
    };
    const auto bad = [&theme](quint64 count) { return count > 0 ? theme.crash : theme.text2; };
    const quint64 failed = now ? now->failed : 0;
    const quint64 lost = now ? now->lost : 0;
    const std::array counts{
        Count{tr("Pending"), now ? now->queued : total(), theme.text2},
        Count{tr("Running"), runningCount(), theme.text2},
        Count{tr("Done"), now ? now->done : 0, theme.text2},
        Count{tr("Failed"), failed, bad(failed)},
        Count{tr("Lost"), lost, bad(lost)},
        Count{tr("Cancelled"), now ? now->cancelled : 0, theme.text2},
    };
    const QRectF area = m_layout.counts.adjusted(0, 6, 0, -6);
    constexpr double columnGap = 18;
    const double width = std::floor((area.width() - columnGap) / 2);
    const bool isWide = hasRoomForFact({0, 0, width, 0}, tr("Cancelled"), brief(total()));
    for (std::size_t i = 0; i < counts.size(); ++i) {
        // The narrow one has room for three: what is not done yet stands in the boxes too.
        if (!isWide && (i < 2 || i == 5))
            continue;
        const std::size_t row = isWide ? i % 3 : i - 2;
        const double left = isWide && i >= 3 ? area.left() + width + columnGap : area.left();
        drawFact(painter,
                 {left, area.top() + static_cast<double>(row) * executorBox::row,
                  isWide ? width : area.width(), executorBox::row},
                 counts[i].title, brief(counts[i].value), counts[i].color);
    }
}

TaskCell ExecutorStage::cellOf(const Future &future) const
{
    using State = TaskCell::State;
    TaskCell cell{.index = future.index, .isRetried = future.isRetried};
    if (future.process >= 0 && future.process < processes().size())
        cell.colorIndex = processes()[future.process].colorIndex;
    switch (future.status) {
    case TaskStatus::Done:
        cell.state = State::Done;
        break;
    case TaskStatus::Failed:
        cell.state = State::Failed;
        break;
    case TaskStatus::Cancelled:
        cell.state = State::Cancelled;
        break;
    case TaskStatus::Lost:
        cell.state = State::Lost;
        break;
    }
    return cell;
}

void ExecutorStage::paintSubmitted(QPainter &painter) const
{
    const QRectF &box = m_layout.submitted;
    paintHead(painter, box, tr("As submitted"), tr("%1 futures").arg(brief(total())),
              brief(total()));
    const QRectF area = ExecutorLayout::cellArea(box);
    const QRectF foot(area.left(), box.bottom() - executorBox::foot, area.width(),
                      executorBox::foot);
    const quint64 pending = snapshot() ? snapshot()->queued : total();
    drawText(painter, foot, Qt::AlignVCenter,
             state().isBroken()        ? tr("broken: none goes on")
             : state().isTimedOut != 0 ? tr("time is up")
                                       : tr("%1 pending").arg(brief(pending)),
             textFont(TextSize::Caption),
             state().isBroken() ? Theme::current().crash : Theme::current().text3);
    if (m_futures.empty()) {
        paintTotals(painter, area);
        return;
    }
    std::vector<int> runningOn(m_futures.size(), -1);
    for (qsizetype i = 1; snapshot() && i < snapshot()->processes.size(); ++i) {
        const ProcessLive &live = snapshot()->processes[i];
        if (!isOver(live.state) && live.currentIndex >= 0 &&
            static_cast<std::size_t>(live.currentIndex) < runningOn.size())
            runningOn[static_cast<std::size_t>(live.currentIndex)] = live.process;
    }
    for (std::size_t i = 0; i < m_futures.size(); ++i) {
        TaskCell cell{.index = static_cast<quint32>(i)};
        int process = runningOn[i];
        if (const Future *ended = endedFuture(i)) {
            cell = cellOf(*ended);
            process = ended->process;
        } else {
            if (process >= 0 && process < processes().size()) {
                cell.state = TaskCell::State::Running;
                cell.colorIndex = processes()[process].colorIndex;
            }
            cell.isRetried =
                std::ranges::any_of(state().retries, [i](const ExecutorState::Retry &retry) {
                    return retry.future == static_cast<qint64>(i);
                });
        }
        painter.setOpacity(process >= 0 ? opacityOf(process) : 1);
        paintTaskCell(painter, m_layout.grid.cell(area, static_cast<int>(i)), cell);
    }
    painter.setOpacity(1);
}

/// Too many for a cell each: a strip of what has become of them.
void ExecutorStage::paintTotals(QPainter &painter, const QRectF &area) const
{
    constexpr double stripHeight = 18;
    const Theme &theme = Theme::current();
    const StageSnapshot *now = snapshot();
    const auto whole = static_cast<double>(std::max<quint64>(total(), 1));
    const QRectF strip(area.left(), std::floor(area.center().y() - stripHeight / 2), area.width(),
                       std::min(stripHeight, area.height()));
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.fillRect(strip, theme.hover);
    const quint64 done = now ? now->done : 0;
    const quint64 bad = now ? now->failed + now->lost : 0;
    const double share = static_cast<double>(done) / whole;
    QRectF part = strip;
    part.setWidth(strip.width() * share);
    painter.fillRect(part, theme.ok);
    if (bad > 0) {
        part.setLeft(part.right());
        part.setWidth(std::min(std::max(2.0, strip.width() * static_cast<double>(bad) / whole),
                               strip.right() - part.left()));
        painter.setBrushOrigin(strip.topLeft());
        painter.fillRect(part, theme.hatch(Theme::Hatch::Crashed, theme.crash,
                                           painter.device()->devicePixelRatioF()));
    }
    const QRectF above(strip.left(), area.top(), strip.width(), strip.top() - area.top() - 4);
    if (above.height() >= 20)
        drawText(painter, above, Qt::AlignBottom | Qt::AlignLeft,
                 tr("%1\u00A0%").arg(QString::number(std::floor(share * 1000) / 10)),
                 textFont(TextSize::Title, QFont::DemiBold), theme.text);
}

/// Those that have come to an end of their own, as far as they are kept; the last ones where there
/// is no room for all.
std::vector<ExecutorStage::Future> ExecutorStage::completedFutures() const
{
    std::vector<Future> futures;
    if (!m_futures.empty()) {
        for (const quint32 index : m_order) {
            if (const Future *ended = endedFuture(index))
                futures.push_back(*ended);
        }
        return futures;
    }
    for (std::size_t i = log() ? log()->tasks.size() : 0; snapshot() && i-- > 0;) {
        const TaskRecord &task = log()->tasks[i];
        if (task.finishedNs > snapshot()->timeNs)
            continue;
        futures.push_back(
            {task.index, task.process, task.status, task.attempts > 1, task.finishedNs});
        if (futures.size() >= lastShown)
            break;
    }
    std::ranges::stable_sort(futures, {}, &Future::finishedNs);
    return futures;
}

/// What the parent does with them.
QString ExecutorStage::readingText() const
{
    if (readsAsCompleted(spec()))
        return tr("read as they come");
    if (!snapshot() || m_futures.empty())
        return tr("read in order");
    const quint64 waiting = endedCount() - readCount();
    return waiting > 0 ? tr("%1 wait for #%2").arg(waiting).arg(readCount())
                       : tr("all of them read");
}

void ExecutorStage::paintCompleted(QPainter &painter) const
{
    const QRectF &box = m_layout.completed;
    const QRectF area = ExecutorLayout::cellArea(box);
    const quint64 ended = snapshot() ? snapshot()->done + snapshot()->failed : 0;
    paintHead(painter, box, tr("As completed"), tr("%1 of %2").arg(brief(ended), brief(total())),
              brief(ended));
    drawText(painter,
             {area.left(), box.bottom() - executorBox::foot, area.width(), executorBox::foot},
             Qt::AlignVCenter, readingText(), textFont(TextSize::Caption), Theme::current().text3);
    std::vector<Future> futures = completedFutures();
    CellGrid grid = m_layout.grid;
    if (grid.size <= 0) {
        grid = {cellSize, cellPitch,
                static_cast<int>((area.width() + cellPitch - cellSize) / cellPitch)};
        const auto rows = static_cast<int>((area.height() + cellPitch - cellSize) / cellPitch);
        const auto room = static_cast<std::size_t>(std::max(0, grid.columns * rows));
        if (futures.size() > room)
            futures.erase(futures.begin(), futures.end() - static_cast<std::ptrdiff_t>(room));
    }
    const quint64 read = readCount();
    for (std::size_t i = 0; i < futures.size(); ++i) {
        TaskCell cell = cellOf(futures[i]);
        cell.isPale = !readsAsCompleted(spec()) && !m_futures.empty() && cell.index >= read;
        painter.setOpacity(futures[i].process >= 0 ? opacityOf(futures[i].process) : 1);
        paintTaskCell(painter, grid.cell(area, static_cast<int>(i)), cell);
    }
    painter.setOpacity(1);
}

/// What became of the futures when workers died, or would.
QString ExecutorStage::fateText(const QString &onCrash) const
{
    const bool isChosen = onCrash == spec().text(u"executor.on_crash"_s);
    const auto died = std::count_if(processes().begin(), processes().end(), hasCrashed);
    if (isChosen && !isIdle() && died > 0) {
        if (state().isBroken())
            return tr("%1 died: %2 lost").arg(died).arg(brief(snapshot()->lost));
        if (!state().retries.empty())
            return tr("%1 died: %2 tried once more").arg(died).arg(state().retries.size());
        return tr("%1 died, the others go on").arg(died);
    }
    return onCrash == u"break"_s  ? tr("all that are left fail")
           : onCrash == u"fail"_s ? tr("only its future fails")
                                  : tr("it runs once more");
}

void ExecutorStage::paintTiles(QPainter &painter) const
{
    if (m_layout.tilesHead.isEmpty())
        return;
    const Theme &theme = Theme::current();
    drawText(painter, m_layout.tilesHead, Qt::AlignVCenter, tr("When a worker dies"),
             textFont(TextSize::Caption), theme.text3);
    const QStringList choices{u"break"_s, u"fail"_s, u"retry"_s};
    for (std::size_t i = 0; i < m_layout.tiles.size(); ++i) {
        const QString &choice = choices[static_cast<qsizetype>(i)];
        const bool isChosen = choice == spec().text(u"executor.on_crash"_s);
        const QRectF &tile = m_layout.tiles[i];
        drawBox(painter, tile);
        if (isChosen) {
            painter.setRenderHint(QPainter::Antialiasing);
            painter.setPen(QPen(theme.accent, 1.5));
            painter.setBrush(Qt::NoBrush);
            painter.drawRoundedRect(tile.adjusted(0.75, 0.75, -0.75, -0.75), 6, 6);
        }
        const QRectF inner = tile.adjusted(executorBox::padding, 3, -executorBox::padding, -3);
        const double half = inner.height() / 2;
        drawText(painter, {inner.left(), inner.top(), inner.width(), half}, Qt::AlignVCenter,
                 choice, monoFont(TextSize::Caption, QFont::DemiBold),
                 isChosen ? theme.text : theme.text3);
        const QString fate = fateText(choice);
        drawText(painter, {inner.left(), inner.top() + half, inner.width(), half}, Qt::AlignVCenter,
                 fate, fittingFont(fate, inner.width()), isChosen ? theme.text2 : theme.text3);
    }
}

} // namespace proclab
