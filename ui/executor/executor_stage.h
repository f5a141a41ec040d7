// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/kinds/executor/executor_state.h"
#include "ui/experiment/stage/process_stage.h"
#include "ui/experiment/stage/task_cells.h"

#include <array>

class QPushButton;

namespace proclab {

/// Distances in the boxes of an executor's stage.
namespace executorBox {
constexpr double padding = 10;
constexpr double head = 26;
constexpr double cellsTop = head + 4; ///< Where the cells of the futures begin.
constexpr double foot = 24;           ///< The line below them.
constexpr double row = 18;
constexpr double tileHead = 20; ///< The heading of the tiles.
constexpr double tileHeight = 42;
} // namespace executorBox

/// Where the parts of an executor's stage are. What has no room is empty.
struct ExecutorLayout
{
    QRectF parent;
    QRectF counts;    ///< How many futures are in each state.
    QRectF submitted; ///< All futures in the order of submission.
    QRectF completed; ///< Those that have ended in the order of their ends.
    QRectF workersHead;
    QRectF workers;
    QRectF tilesHead;
    std::array<QRectF, 3> tiles; ///< What may become of futures when a worker dies.
    CellGrid grid;               ///< Of both boxes of futures; size 0: there is no room for all.

    /// The cells' place in @p box, one of futures.
    [[nodiscard]] static QRectF cellArea(const QRectF &box)
    {
        return box.adjusted(executorBox::padding, executorBox::cellsTop, -executorBox::padding,
                            -executorBox::foot);
    }
};
/// For @p futures. Pure.
[[nodiscard]] ExecutorLayout arrangeExecutor(const QRectF &area, quint64 futures);

/// The stage of an executor: futures as they were submitted, the workers that do them, futures as
/// they completed, and what becomes of them when a worker dies.
class ExecutorStage final : public ProcessStage
{
    Q_OBJECT

public:
    explicit ExecutorStage(QWidget *parent = nullptr);

    void setRun(std::shared_ptr<const RunLog> log, const ExperimentSpec &spec) override;
    void setSnapshot(const StageSnapshotPointer &snapshot) override;
    void setCanSignal(bool canSignal) override;

protected:
    QList<ProcessRecord> idleProcesses() const override;
    QString idleText() const override;
    QString idleTaskText(const ProcessRecord &process) const override;
    void arrange(const QRectF &area) override;
    void paintStill(QPainter &painter) override;
    void paintMoving(QPainter &painter) override;
    void describe(const ProcessLive &live, CardContent &content) const override;
    void findMoves(const StageSnapshot &before, const StageSnapshot &now) override;
    QString summaryText() const override;
    void readLog() override;

private:
    struct Future
    {
        quint32 index = 0;
        int process = -1; ///< That had it; -1: none did.
        TaskStatus status = TaskStatus::Done;
        bool isRetried = false;
        qint64 finishedNs = -1; ///< -1: it has not ended.
    };

    [[nodiscard]] quint64 total() const;
    [[nodiscard]] const ExecutorState &state() const;
    /// Of the picture, whether it has ended by then; null: it has not, or is not kept.
    [[nodiscard]] const Future *endedFuture(std::size_t index) const;
    [[nodiscard]] std::vector<Future> completedFutures() const;
    [[nodiscard]] quint64 runningCount() const;
    [[nodiscard]] quint64 endedCount() const;
    [[nodiscard]] quint64 readCount() const;
    [[nodiscard]] TaskCell cellOf(const Future &future) const;
    [[nodiscard]] QString parentText() const;
    [[nodiscard]] QString readingText() const;
    [[nodiscard]] QPolygonF taskPath(const QRectF &worker) const;
    [[nodiscard]] QPolygonF resultPath(const QRectF &worker) const;
    void paintHead(QPainter &painter, const QRectF &box, const QString &title, const QString &count,
                   const QString &brief) const;
    void paintWorkersHead(QPainter &painter) const;
    void paintCounts(QPainter &painter) const;
    void paintSubmitted(QPainter &painter) const;
    void paintTotals(QPainter &painter, const QRectF &area) const;
    void paintCompleted(QPainter &painter) const;
    void paintTiles(QPainter &painter) const;
    [[nodiscard]] QString fateText(const QString &onCrash) const;
    [[nodiscard]] int busiestWorker() const;
    void updateKillButton();

    ExecutorLayout m_layout;
    bool m_hasCards = true;        // Each worker has a card, so each has links.
    std::vector<Future> m_futures; // By number; empty while the grid has no room for all.
    std::vector<quint32> m_order;  // Of those that were done or failed, the first to end first.
    std::size_t m_tasksRead = 0;
    bool m_canKill = false;
    QPushButton *m_kill = nullptr; // The stage's child.
};

} // namespace proclab
