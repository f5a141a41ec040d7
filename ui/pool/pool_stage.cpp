// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pool/pool_stage.h"

#include "core/experiment/kinds/pool/pool_kind.h"
#include "core/experiment/kinds/pool/pool_state.h"
#include "core/experiment/spec/kind.h"
#include "ui/experiment/stage/stage_painting.h"
#include "ui/shared/theme.h"

#include <QPainter>

#include <algorithm>
#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr double turnRoom = 14; // Less than a link needs to turn and end in an arrow.
constexpr double parentHeight = 208;
constexpr double idleParentHeight = 60; // There is less to say.

const ProcessRole &workerRole()
{
    return findKind(u"pool"_s)->roles[PoolRoles::Worker];
}

} // namespace

PoolStage::PoolStage(QWidget *parent) : ProcessStage(parent)
{
    setAccessibleName(tr("Pool stage"));
    setCardForm({.badgeWidth = 30, .waits = {}}); // The parent stands apart.
}

QList<ProcessRecord> PoolStage::idleProcesses() const
{
    QList<ProcessRecord> processes{idleParent()};
    const int workers = std::clamp(spec().integer(u"pool.workers"_s), 0, 256);
    for (int i = 0; i < workers; ++i)
        processes.append(idleProcess(workerRole(), i + 1, i));
    return processes;
}

QString PoolStage::idleText() const
{
    const auto workers = static_cast<int>(processes().size()) - 1;
    const QString who =
        workers == 1 ? tr("1 worker process") : tr("%1 worker processes").arg(workers);
    const QString what = total() == 1 ? tr("1 task") : tr("%1 tasks").arg(countText(total()));
    return tr("%1 will share %2 of %3").arg(who, what, spec().text(u"tasks.task"_s));
}

QString PoolStage::idleTaskText(const ProcessRecord &process) const
{
    return process.isParent() ? tr("submits tasks") : tr("takes the next task");
}

QString PoolStage::countText(quint64 count)
{
    return groupedNumber(static_cast<qint64>(count));
}

QString PoolStage::briefNumber(quint64 count)
{
    return shortNumber(static_cast<double>(count));
}

quint64 PoolStage::total() const
{
    if (snapshot() && snapshot()->total > 0)
        return snapshot()->total;
    const QJsonValue count = spec().value(u"tasks.count"_s);
    return static_cast<quint64>(std::max<qint64>(0, count.toInteger()));
}

void PoolStage::arrange(const QRectF &area)
{
    m_layout = arrangePool(area, {isIdle() ? idleParentHeight : parentHeight,
                                  tokenWidth(std::max<quint64>(total(), 1) - 1), total()});
    addPlace(0, m_layout.parent, isIdle() ? CardStyle::Compact : CardStyle::Full);
    const CardStyle style = addCards(m_layout.workers, shownProcesses(processes(), workerRole()));
    m_hasCards = style != CardStyle::Square;
    arrangeCells();
}

/// Of a task whose number has as many digits as @p number.
double PoolStage::tokenWidth(quint64 number)
{
    const QString widest(QString::number(number).size(), u'0');
    return std::max(poolBox::tokenHeight,
                    std::ceil(textWidth(widest, monoFont(TextSize::Tick))) + 8);
}

void PoolStage::arrangeCells()
{
    m_cellArea =
        m_layout.results.adjusted(poolBox::padding, poolBox::cellsTop, -poolBox::padding,
                                  m_layout.resultsHaveRows ? -poolBox::resultRows : -poolBox::foot);
    m_grid = fitCells(m_cellArea, total());
    const std::size_t wanted = m_grid.size > 0 ? static_cast<std::size_t>(total()) : 0;
    if (m_cells.size() == wanted)
        return;
    m_cells.assign(wanted, Cell());
    m_tasksRead = 0;
    readLog();
}

void PoolStage::readLog()
{
    if (!log()) {
        m_tasksRead = 0;
        std::fill(m_cells.begin(), m_cells.end(), Cell());
        return;
    }
    if (m_cells.empty())
        return;
    const std::size_t size = log()->tasks.size();
    if (size < m_tasksRead) { // Another run's log.
        m_tasksRead = 0;
        std::fill(m_cells.begin(), m_cells.end(), Cell());
    }
    for (; m_tasksRead < size; ++m_tasksRead) {
        const TaskRecord &task = log()->tasks[m_tasksRead];
        if (task.index < m_cells.size())
            m_cells[task.index] = {task.process, task.status, task.finishedNs};
    }
}

QPolygonF PoolStage::taskPath(const QRectF &worker) const
{
    const double y = m_layout.queue.top() + poolBox::head / 2 + 2;
    const double trunk = m_layout.workers.left() - 12;
    const double target = worker.center().y() - std::min(12.0, worker.height() / 5);
    return {{m_layout.queue.right(), y}, {trunk, y}, {trunk, target}, {worker.left() - 1, target}};
}

QPolygonF PoolStage::resultPath(const QRectF &worker) const
{
    const double y = m_layout.results.top() + poolBox::head / 2 + 2;
    const double trunk = std::max(m_layout.workers.left() - 24, m_layout.results.right() + 4);
    const double from = worker.center().y() + std::min(12.0, worker.height() / 5);
    return {{worker.left(), from}, {trunk, from}, {trunk, y}, {m_layout.results.right() + 1, y}};
}

void PoolStage::paintStill(QPainter &painter)
{
    drawBox(painter, m_layout.queue);
    drawBox(painter, m_layout.results);
    const Theme &theme = Theme::current();
    const QFont head = textFont(TextSize::Small, QFont::DemiBold);
    for (const auto &[box, title] : {std::pair(m_layout.queue, tr("Task queue")),
                                     std::pair(m_layout.results, tr("Results"))}) {
        drawText(painter,
                 QRectF(box.left() + poolBox::padding, box.top() + 3,
                        box.width() - 2 * poolBox::padding, poolBox::head),
                 Qt::AlignVCenter, title, head, theme.text);
    }
    paintLinks(painter);
}

void PoolStage::paintLinks(QPainter &painter)
{
    const QColor color = Theme::current().borderStrong;
    const QRectF &parent = m_layout.parent;
    const double queueY = m_layout.queue.top() + poolBox::head / 2 + 2;
    const double resultsY = m_layout.results.bottom() - poolBox::head;
    const bool above = queueY < parent.top() - turnRoom;
    const double y = above ? queueY : std::max(queueY, parent.top() + turnRoom);
    const QPointF from =
        above ? QPointF(parent.center().x(), parent.top()) : QPointF(parent.right(), y);
    drawLink(painter, {from, {from.x(), y}, {m_layout.queue.left() - 1, y}}, color, Link::Tasks);
    const bool below = resultsY > parent.bottom() + turnRoom;
    const double backY =
        below ? resultsY : std::min(parent.bottom(), m_layout.results.bottom()) - turnRoom;
    const QPointF target = below ? QPointF(parent.center().x(), parent.bottom() + 1)
                                 : QPointF(parent.right() + 1, backY);
    QPolygonF back{{m_layout.results.left(), backY}, {target.x(), backY}};
    if (below)
        back.append(target);
    drawLink(painter, back, color, Link::Results);
    if (!m_hasCards) {
        drawLink(painter, taskPath(m_layout.workers), color, Link::Tasks);
        drawLink(painter, resultPath(m_layout.workers), color, Link::Results);
        return;
    }
    for (const Place &place : places().mid(1)) {
        if (hasCrashed(processes()[place.process]))
            continue;
        drawLink(painter, taskPath(place.rect), color, Link::Tasks);
        drawLink(painter, resultPath(place.rect), color, Link::Results);
    }
}

void PoolStage::paintMoving(QPainter &painter)
{
    paintLitLinks(painter);
    paintQueue(painter);
    paintResults(painter);
    paintRate(painter);
}

void PoolStage::paintLitLinks(QPainter &painter)
{
    if (!m_hasCards)
        return;
    const Theme &theme = Theme::current();
    for (const Place &place : places().mid(1)) {
        const ProcessLive *now = live(place.process);
        if (!now || now->currentIndex < 0 || hasCrashed(processes()[place.process]))
            continue;
        painter.setOpacity(opacityOf(place.process));
        const QPolygonF path = taskPath(place.rect);
        drawLink(painter, {path[2], path[3]}, theme.process(processes()[place.process].colorIndex),
                 Link::Tasks);
    }
    painter.setOpacity(1);
}

void PoolStage::describe(const ProcessLive &live, CardContent &content) const
{
    if (content.process.isParent()) {
        content.taskText =
            isEnded() ? tr("all joined") : tr("in %1()").arg(spec().text(u"pool.method"_s));
        content.count = tr("%1 back").arg(briefNumber(snapshot()->done + snapshot()->failed));
        content.facts = parentFacts(live);
        return;
    }
    content.count = tr("%1 done").arg(shortNumber(static_cast<double>(live.done)));
    if (live.currentIndex >= 0)
        content.taskText = spec().text(u"tasks.task"_s);
    else if (live.state == ProcessState::Waiting)
        content.taskText = tr("for the next task");
}

/// What is measured of the parent itself, and what it has seen of its workers.
QList<CardContent::Fact> PoolStage::parentFacts(const ProcessLive &live) const
{
    const auto dead = std::count_if(processes().begin(), processes().end(), hasCrashed);
    using Tone = CardContent::Fact::Tone;
    const QString unknown = u"\u2013"_s;
    QString memory = unknown;
    const AppendLog<ProcessSample> &samples = log()->lane(0).samples;
    if (const std::size_t count = sampleCountUntil(samples, snapshot()->timeNs); count > 0)
        memory = bytesText(samples[count - 1].residentBytes);
    return {{tr("CPU"), live.cpuPercent < 0 || isEnded()
                            ? unknown
                            : tr("%1\u00A0%").arg(std::lround(live.cpuPercent))},
            {tr("Started"), groupedNumber(static_cast<qint64>(processes().size()) - 1)},
            {tr("Crashed"), groupedNumber(dead), dead > 0 ? Tone::Bad : Tone::Plain},
            {tr("Memory"), memory},
            {tr("Results"), briefNumber(snapshot()->done)}};
}

void PoolStage::findMoves(const StageSnapshot &before, const StageSnapshot &now)
{
    if (!m_hasCards)
        return;
    for (const Place &place : places()) {
        if (place.process == 0 || place.process >= before.processes.size())
            continue;
        const ProcessLive &was = before.processes[place.process];
        const ProcessLive &is = now.processes[place.process];
        const int colorIndex = processes()[place.process].colorIndex;
        if (is.done > was.done)
            moveToken(resultPath(place.rect),
                      was.currentIndex >= 0 ? QString::number(was.currentIndex) : QString(),
                      colorIndex);
        if (is.currentIndex >= 0 && is.currentIndex != was.currentIndex)
            moveToken(taskPath(place.rect), QString::number(is.currentIndex), colorIndex);
    }
}

QString PoolStage::summaryText() const
{
    const StageSnapshot *now = snapshot();
    return now ? tr("%1 of %2 tasks done, %3 waiting, %4 failed")
                     .arg(countText(now->done), countText(total()), countText(now->queued),
                          countText(now->failed))
               : idleText();
}

} // namespace proclab
