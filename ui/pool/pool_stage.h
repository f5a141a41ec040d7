// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/experiment/stage/process_stage.h"
#include "ui/experiment/stage/task_cells.h"

namespace proclab {

/// Distances in the boxes of a pool's stage.
namespace poolBox {
constexpr double padding = 10;
constexpr double head = 26;
constexpr double row = 18;
constexpr double foot = 6;
constexpr double tokenHeight = 22;
constexpr double tokenGap = 5;
constexpr double tokenPitch = tokenHeight + tokenGap;
constexpr double tokensTop = head + 6;     ///< Where the queue's tasks begin.
constexpr double cellsTop = head + 4;      ///< Where the cells of the results begin.
constexpr double queueRows = 2 * row + 16; ///< The rows below the tasks, with the space around.
constexpr double resultRows = 3 * row + 14;
} // namespace poolBox

/// What a pool's stage has to show.
struct PoolNeeds
{
    double parentHeight = 0; ///< Of the card of `main`.
    double tokenWidth = 0;   ///< Of a waiting task.
    quint64 tasks = 0;
};

/// Where the parts of a pool's stage are. The boxes are as high as what they show.
struct PoolLayout
{
    QRectF parent;
    QRectF queue;
    QRectF results;
    QRectF workers;
    bool queueHasRows = false; ///< Room for more than the waiting tasks.
    bool resultsHaveRows = false;
};
/// Pure.
[[nodiscard]] PoolLayout arrangePool(const QRectF &area, const PoolNeeds &needs);

/// The stage of a pool: the parent submits tasks to one queue, workers take them, results come
/// back.
class PoolStage final : public ProcessStage
{
    Q_OBJECT

public:
    explicit PoolStage(QWidget *parent = nullptr);

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
    struct Cell
    {
        int process = -1; ///< Who finished it; -1: not yet finished.
        TaskStatus status = TaskStatus::Done;
        qint64 finishedNs = 0;
    };

    [[nodiscard]] quint64 total() const;
    [[nodiscard]] QPolygonF taskPath(const QRectF &worker) const;
    [[nodiscard]] QPolygonF resultPath(const QRectF &worker) const;
    [[nodiscard]] static QString countText(quint64 count);
    [[nodiscard]] static QString briefNumber(quint64 count);
    [[nodiscard]] static double tokenWidth(quint64 number);
    void arrangeCells();
    void paintLinks(QPainter &painter);
    void paintLitLinks(QPainter &painter);
    void paintQueue(QPainter &painter);
    void paintWaitingTasks(QPainter &painter);
    void paintResults(QPainter &painter);
    void paintCells(QPainter &painter);
    [[nodiscard]] TaskCell cellOf(std::size_t index, int runningOn) const;
    void paintTotals(QPainter &painter);
    void paintRate(QPainter &painter);
    [[nodiscard]] QString remainingText() const;
    [[nodiscard]] QList<CardContent::Fact> parentFacts(const ProcessLive &live) const;

    PoolLayout m_layout;
    QRectF m_cellArea;
    CellGrid m_grid;
    bool m_hasCards = true;    // Each worker has a card, so each has a link.
    std::vector<Cell> m_cells; // By task; empty while the grid has no room for all.
    std::size_t m_tasksRead = 0;
};

} // namespace proclab
