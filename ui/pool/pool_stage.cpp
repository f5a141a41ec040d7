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

constexpr double headHeight = poolBox::head;
constexpr double rowHeight = poolBox::row;
constexpr double boxPadding = poolBox::padding;
constexpr double turnRoom = 14; // Less than a link needs to turn and end in an arrow.
constexpr double stripHeight = 18;
constexpr double parentHeight = 208;
constexpr double idleParentHeight = 60; // There is less to say.

const ProcessRole &workerRole()
{
    return findKind(u"pool"_s)->roles[PoolRoles::Worker];
}

/// "Running        4"
void drawRow(QPainter &painter, const QRectF &rect, const QString &label, const QString &value,
             const QColor &valueColor)
{
    const double used = drawText(painter, rect, Qt::AlignVCenter | Qt::AlignRight, value,
                                 textFont(TextSize::Caption), valueColor);
    drawText(painter, rect.adjusted(0, 0, -used - 6, 0), Qt::AlignVCenter, label,
             textFont(TextSize::Caption), Theme::current().text3);
}

/// A count at the right of a box's head; @p brief where @p text has no room.
void drawCount(QPainter &painter, const QRectF &rect, const QString &text, const QString &brief)
{
    const QFont font = textFont(TextSize::Caption);
    const bool fits = textWidth(text, font) <= rect.width();
    drawText(painter, rect, Qt::AlignVCenter | Qt::AlignRight, fits ? text : brief, font,
             Theme::current().text2);
}

QString countText(quint64 count)
{
    return groupedNumber(static_cast<qint64>(count));
}

QString briefNumber(quint64 count)
{
    return shortNumber(static_cast<double>(count));
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
    m_hasCards = style == CardStyle::Full || style == CardStyle::Compact;
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
        m_layout.results.adjusted(boxPadding, poolBox::cellsTop, -boxPadding,
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
    const double y = m_layout.queue.top() + headHeight / 2 + 2;
    const double trunk = m_layout.workers.left() - 12;
    const double target = worker.center().y() - std::min(12.0, worker.height() / 5);
    return {{m_layout.queue.right(), y}, {trunk, y}, {trunk, target}, {worker.left() - 1, target}};
}

QPolygonF PoolStage::resultPath(const QRectF &worker) const
{
    const double y = m_layout.results.top() + headHeight / 2 + 2;
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
                 QRectF(box.left() + boxPadding, box.top() + 3, box.width() - 2 * boxPadding,
                        headHeight),
                 Qt::AlignVCenter, title, head, theme.text);
    }
    paintLinks(painter);
}

void PoolStage::paintLinks(QPainter &painter)
{
    const QColor color = Theme::current().borderStrong;
    const QRectF &parent = m_layout.parent;
    const double queueY = m_layout.queue.top() + headHeight / 2 + 2;
    const double resultsY = m_layout.results.bottom() - headHeight;
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

void PoolStage::paintQueue(QPainter &painter)
{
    const Theme &theme = Theme::current();
    const QRectF &box = m_layout.queue;
    const quint64 waiting = snapshot() ? snapshot()->queued : total();
    const QRectF head(box.left() + boxPadding, box.top() + 3, box.width() - 2 * boxPadding,
                      headHeight);
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
    const QRectF row(head.left(), box.bottom() - rowHeight - 6, head.width(), rowHeight);
    painter.fillRect(QRectF(row.left(), row.top() - rowHeight - 5, row.width(), 1), theme.border);
    drawRow(painter, row.translated(0, -rowHeight), tr("Chunk size"),
            spec().value(u"pool.chunk_size"_s).toVariant().toString(), theme.text2);
    drawRow(painter, row, tr("Finish in"), remainingText(), theme.text2);
}

void PoolStage::paintWaitingTasks(QPainter &painter)
{
    const Theme &theme = Theme::current();
    const QRectF &box = m_layout.queue;
    const double bottom =
        box.bottom() - (m_layout.queueHasRows ? poolBox::queueRows : poolBox::foot);
    const QRectF area(box.left() + boxPadding, box.top() + poolBox::tokensTop,
                      box.width() - 2 * boxPadding, bottom - box.top() - poolBox::tokensTop);
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

QString PoolStage::remainingText() const
{
    const StageSnapshot *now = snapshot();
    if (!now || isEnded() || now->done == 0 || now->timeNs <= 0)
        return u"\u2013"_s;
    const quint64 over = now->done + now->failed + now->cancelled + now->lost;
    if (over >= now->total)
        return u"\u2013"_s;
    const double perTask = static_cast<double>(now->timeNs) / 1e9 / static_cast<double>(over);
    return tr("about %1").arg(durationText(perTask * static_cast<double>(now->total - over)));
}

void PoolStage::paintResults(QPainter &painter)
{
    const Theme &theme = Theme::current();
    const QRectF &box = m_layout.results;
    const quint64 done = snapshot() ? snapshot()->done : 0;
    const QRectF head(box.left() + boxPadding, box.top() + 3, box.width() - 2 * boxPadding,
                      headHeight);
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
    const QRectF row(head.left(), box.bottom() - rowHeight - 6, head.width(), rowHeight);
    painter.fillRect(QRectF(row.left(), row.top() - 2 * rowHeight - 5, row.width(), 1),
                     theme.border);
    drawRow(painter, row.translated(0, -2 * rowHeight), tr("Running"), countText(running),
            theme.text2);
    drawRow(painter, row.translated(0, -rowHeight), tr("Failed"), countText(failed),
            failed > 0 ? theme.crash : theme.text2);
    drawRow(painter, row, tr("Not done"), countText(lost + cancelled),
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
    for (std::size_t i = 0; i < m_cells.size(); ++i)
        paintCell(painter, m_grid.cell(m_cellArea, static_cast<int>(i)), static_cast<int>(i),
                  runningOn[i]);
    painter.setOpacity(1);
}

void PoolStage::paintCell(QPainter &painter, const QRectF &rect, int index, int runningOn)
{
    const Theme &theme = Theme::current();
    const Cell &known = m_cells[static_cast<std::size_t>(index)];
    const bool isFinished = snapshot() && known.finishedNs <= snapshot()->timeNs;
    const Cell cell = isFinished ? known : Cell();
    const int process = cell.process >= 0 ? cell.process : runningOn;
    const bool isKnown = process >= 0 && process < processes().size();
    const int colorIndex = isKnown ? processes()[process].colorIndex : -1;
    const double radius = rect.width() >= 16 ? 4 : rect.width() >= 7 ? 2 : 0;
    QColor textColor = theme.text3;
    QPen pen(theme.border, 1);
    QBrush brush(Qt::NoBrush);
    painter.setOpacity(isKnown ? opacityOf(process) : 1);
    const bool isBad = cell.status == TaskStatus::Failed || cell.status == TaskStatus::Lost;
    if (isBad) {
        pen.setColor(theme.crash);
        brush =
            theme.hatch(Theme::Hatch::Crashed, theme.crash, painter.device()->devicePixelRatioF());
        painter.setBrushOrigin(rect.topLeft());
    } else if (cell.status == TaskStatus::Cancelled) {
        brush = theme.hover; // Nobody is to blame.
    } else if (cell.process >= 0) {
        pen = Qt::NoPen;
        brush = theme.process(colorIndex);
        textColor = theme.onProcess(colorIndex);
    } else if (runningOn >= 0) {
        pen = QPen(theme.process(colorIndex), rect.width() >= 11 ? 1.5 : 1);
        brush = theme.tint(theme.process(colorIndex), 0.2);
        textColor = theme.text;
    }
    painter.setRenderHint(QPainter::Antialiasing, radius > 0);
    painter.setPen(pen);
    painter.setBrush(brush);
    const double edge = pen.style() == Qt::NoPen ? 0 : pen.widthF() / 2;
    painter.drawRoundedRect(rect.adjusted(edge, edge, -edge, -edge), radius, radius);
    if (isBad && rect.width() >= 16) {
        drawCrashDisc(painter, rect.center(), 6);
    } else if (rect.width() >= 22) {
        drawText(painter, rect, Qt::AlignCenter, QString::number(index),
                 textFont(rect.width() >= 32 ? TextSize::Small : TextSize::Tick, QFont::Medium),
                 textColor);
    }
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
    const double rate =
        gaugeAt(log()->gauges, PoolGauges::Throughput, snapshot()->timeNs).value_or(0);
    drawText(painter, room, Qt::AlignLeft | Qt::AlignVCenter, tr("%1/s").arg(shortNumber(rate)),
             textFont(TextSize::Tick), Theme::current().text3);
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
