// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/executor/executor_stage.h"

#include "core/experiment/kinds/executor/executor_kind.h"
#include "core/experiment/spec/kind.h"
#include "ui/experiment/stage/stage_painting.h"
#include "ui/shared/theme.h"

#include <QPainter>
#include <QPushButton>

#include <algorithm>
#include <csignal>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

const ProcessRole &executorRole()
{
    return findKind(u"executor"_s)->roles[ExecutorRoles::Worker];
}

} // namespace

ExecutorStage::ExecutorStage(QWidget *parent) : ProcessStage(parent)
{
    setAccessibleName(tr("Executor stage"));
    setCardForm({.badgeWidth = 30, .waits = {}}); // The parent stands apart.
    m_kill = new QPushButton(tr("Kill a worker"), this);
    m_kill->setProperty("role", u"small"_s);
    m_kill->setToolTip(tr("SIGKILL to the worker that is busiest now"));
    m_kill->setFocusPolicy(Qt::StrongFocus);
    m_kill->hide();
    connect(m_kill, &QPushButton::clicked, this, [this] {
        if (const int worker = busiestWorker(); worker > 0)
            Q_EMIT signalAsked(worker, SIGKILL);
    });
}

void ExecutorStage::setRun(std::shared_ptr<const RunLog> log, const ExperimentSpec &spec)
{
    ProcessStage::setRun(std::move(log), spec);
    updateKillButton();
}

void ExecutorStage::setSnapshot(const StageSnapshotPointer &snapshot)
{
    ProcessStage::setSnapshot(snapshot);
    updateKillButton();
}

void ExecutorStage::setCanSignal(bool canSignal)
{
    ProcessStage::setCanSignal(canSignal);
    m_canKill = canSignal;
    updateKillButton();
}

/// One that works rather than one that waits, and of these the one that uses most of a core; -1:
/// none lives.
int ExecutorStage::busiestWorker() const
{
    const ProcessLive *busiest = nullptr;
    const auto rank = [](const ProcessLive &live) {
        return std::pair(live.currentIndex >= 0, live.cpuPercent);
    };
    for (qsizetype i = 1; snapshot() && i < snapshot()->processes.size(); ++i) {
        const ProcessLive &live = snapshot()->processes[i];
        if (!isOver(live.state) && (!busiest || rank(live) > rank(*busiest)))
            busiest = &live;
    }
    return busiest ? busiest->process : -1;
}

void ExecutorStage::updateKillButton()
{
    const bool isWanted = m_canKill && !isEnded() && busiestWorker() > 0;
    if (!isWanted && m_kill->hasFocus())
        setFocus();
    const QSize size = m_kill->sizeHint();
    const QRect head = m_layout.workersHead.toAlignedRect();
    m_kill->setGeometry({{head.right() + 1 - std::min(size.width(), head.width()), head.top()},
                         QSize(std::min(size.width(), head.width()), head.height())});
    m_kill->setVisible(isWanted);
}

QList<ProcessRecord> ExecutorStage::idleProcesses() const
{
    QList<ProcessRecord> processes{idleParent()};
    const int workers = std::clamp(executorWorkers(spec()), 0, 256);
    for (int i = 0; i < workers; ++i)
        processes.append(idleProcess(executorRole(), i + 1, i));
    return processes;
}

QString ExecutorStage::idleText() const
{
    const auto workers = static_cast<int>(processes().size()) - 1;
    const QString who =
        workers == 1 ? tr("1 worker process") : tr("%1 worker processes").arg(workers);
    const QString what =
        total() == 1 ? tr("1 call") : tr("%1 calls").arg(groupedNumber(qint64(total())));
    return tr("%1 will do %2 of %3").arg(who, what, spec().text(u"tasks.task"_s));
}

QString ExecutorStage::idleTaskText(const ProcessRecord &process) const
{
    return process.isParent() ? tr("submits calls") : tr("takes the next call");
}

quint64 ExecutorStage::total() const
{
    if (snapshot() && snapshot()->total > 0)
        return snapshot()->total;
    return static_cast<quint64>(std::max<qint64>(0, spec().bigInteger(u"tasks.count"_s)));
}

const ExecutorState &ExecutorStage::state() const
{
    static const ExecutorState none;
    return snapshot() ? snapshot()->state<ExecutorState>() : none;
}

void ExecutorStage::arrange(const QRectF &area)
{
    m_layout = arrangeExecutor(area, total());
    addPlace(0, m_layout.parent, CardStyle::Compact);
    const CardStyle style = addCards(m_layout.workers, shownProcesses(processes(), executorRole()));
    m_hasCards = style != CardStyle::Square;
    const std::size_t wanted = m_layout.grid.size > 0 ? static_cast<std::size_t>(total()) : 0;
    if (m_futures.size() != wanted) {
        m_futures.assign(wanted, Future());
        m_tasksRead = 0;
        readLog();
    }
    updateKillButton();
}

void ExecutorStage::readLog()
{
    const std::size_t size = log() ? log()->tasks.size() : 0;
    if (size < m_tasksRead || size == 0) { // Another run's log, or none.
        m_tasksRead = 0;
        m_futures.assign(m_futures.size(), Future());
    }
    if (m_futures.empty() || m_tasksRead == size)
        return;
    for (; m_tasksRead < size; ++m_tasksRead) {
        const TaskRecord &task = log()->tasks[m_tasksRead];
        if (task.index < m_futures.size())
            m_futures[task.index] = {task.index, task.process, task.status, task.attempts > 1,
                                     std::max<qint64>(0, task.finishedNs)};
    }
    m_order.clear();
    for (const Future &future : m_futures) {
        if (future.finishedNs >= 0 &&
            (future.status == TaskStatus::Done || future.status == TaskStatus::Failed))
            m_order.push_back(future.index);
    }
    std::ranges::stable_sort(m_order, {},
                             [this](quint32 index) { return m_futures[index].finishedNs; });
}

const ExecutorStage::Future *ExecutorStage::endedFuture(std::size_t index) const
{
    if (!snapshot() || index >= m_futures.size())
        return nullptr;
    const Future &future = m_futures[index];
    // What never began is told once all workers are gone.
    const bool hasEnded =
        future.finishedNs >= 0 && (future.finishedNs <= snapshot()->timeNs || isEnded());
    return hasEnded ? &future : nullptr;
}

quint64 ExecutorStage::runningCount() const
{
    quint64 running = 0;
    for (qsizetype i = 1; snapshot() && i < snapshot()->processes.size(); ++i) {
        const ProcessLive &live = snapshot()->processes[i];
        running += live.currentIndex >= 0 && !isOver(live.state) ? 1 : 0;
    }
    return running;
}

quint64 ExecutorStage::endedCount() const
{
    const StageSnapshot *now = snapshot();
    return now ? now->done + now->failed + now->cancelled + now->lost : 0;
}

/// How many results the parent has got: all that have ended, or those before the first that has
/// not.
quint64 ExecutorStage::readCount() const
{
    if (readsAsCompleted(spec()) || m_futures.empty())
        return endedCount();
    std::size_t read = 0;
    while (endedFuture(read))
        ++read;
    return read;
}

/// What the parent is in.
QString ExecutorStage::parentText() const
{
    if (isEnded())
        return tr("all joined");
    if (readsAsCompleted(spec()))
        return tr("reads");
    const quint64 read = readCount();
    return m_futures.empty() || read >= total() ? tr("reads") : tr("needs #%1").arg(read);
}

void ExecutorStage::describe(const ProcessLive &live, CardContent &content) const
{
    if (content.process.isParent()) {
        content.taskText = parentText();
        if (!m_futures.empty())
            content.count = tr("%1 read").arg(readCount());
        return;
    }
    content.count = tr("%1 done").arg(shortNumber(static_cast<double>(live.done)));
    if (live.currentIndex >= 0)
        content.taskText = spec().text(u"tasks.task"_s);
    else if (live.state == ProcessState::Waiting)
        content.taskText = tr("for the next call");
}

QPolygonF ExecutorStage::taskPath(const QRectF &worker) const
{
    const double y = m_layout.submitted.top() + executorBox::head / 2 + 2;
    const double trunk = m_layout.workers.left() - 11;
    const double target = worker.center().y();
    return {
        {m_layout.submitted.right(), y}, {trunk, y}, {trunk, target}, {worker.left() - 1, target}};
}

QPolygonF ExecutorStage::resultPath(const QRectF &worker) const
{
    const double y = m_layout.completed.top() + executorBox::head / 2 + 2;
    const double trunk = m_layout.workers.right() + 9;
    const double from = worker.center().y();
    return {{worker.right(), from}, {trunk, from}, {trunk, y}, {m_layout.completed.left() - 1, y}};
}

void ExecutorStage::paintStill(QPainter &painter)
{
    drawBox(painter, m_layout.submitted);
    drawBox(painter, m_layout.completed);
    const QColor color = Theme::current().borderStrong;
    const double x = m_layout.parent.center().x();
    drawLink(painter, {{x, m_layout.parent.bottom()}, {x, m_layout.submitted.top() - 1}}, color,
             Link::Tasks);
    QList<QRectF> ends;
    for (const Place &place : places().mid(1)) {
        if (m_hasCards && !hasCrashed(processes()[place.process]))
            ends.append(place.rect);
    }
    if (!m_hasCards)
        ends.append(m_layout.workers);
    for (const QRectF &end : std::as_const(ends)) {
        drawLink(painter, taskPath(end), color, Link::Tasks);
        drawLink(painter, resultPath(end), color, Link::Results);
    }
}

void ExecutorStage::findMoves(const StageSnapshot &before, const StageSnapshot &now)
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

QString ExecutorStage::summaryText() const
{
    const StageSnapshot *now = snapshot();
    if (!now)
        return idleText();
    const auto grouped = [](quint64 count) { return groupedNumber(static_cast<qint64>(count)); };
    QString text =
        tr("%1 of %2 futures done, %3 pending, %4 failed")
            .arg(grouped(now->done), grouped(total()), grouped(now->queued), grouped(now->failed));
    if (now->lost + now->cancelled > 0)
        text += tr(", %1 lost, %2 cancelled").arg(grouped(now->lost), grouped(now->cancelled));
    return state().isBroken() ? tr("%1; the executor is broken").arg(text) : text;
}

} // namespace proclab
