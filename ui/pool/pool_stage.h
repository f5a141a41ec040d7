// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/experiment/stage/process_stage.h"

namespace proclab {

/// Where the parts of a pool's stage are. Pure.
struct PoolLayout
{
    QRectF parent;
    QRectF queue;
    QRectF results;
    QRectF workers;
};
/// @p tallestParent: of the card of `main`, pixels.
[[nodiscard]] PoolLayout arrangePool(const QRectF &area, double tallestParent);

/// Square cells in rows, as large as @p count of them fit into @p area; size 0: they do not.
struct CellGrid
{
    double size = 0;
    double pitch = 0;
    int columns = 0;

    [[nodiscard]] QRectF cell(const QRectF &area, int index) const
    {
        return {area.left() + (index % columns) * pitch, area.top() + (index / columns) * pitch,
                size, size};
    }
};
[[nodiscard]] CellGrid fitCells(const QRectF &area, quint64 count);

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
    void arrangeBoxes();
    void paintLinks(QPainter &painter);
    void paintLitLinks(QPainter &painter);
    void paintQueue(QPainter &painter);
    void paintWaitingTasks(QPainter &painter);
    void paintResults(QPainter &painter);
    void paintCells(QPainter &painter);
    void paintCell(QPainter &painter, const QRectF &rect, int index, int runningOn);
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
