// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/kinds/pipeline/pipeline_state.h"
#include "ui/experiment/stage/process_stage.h"

namespace proclab {

/// Where the parts of a pipeline's stage are. Pure.
struct PipelineLayout
{
    QRectF producers;
    QRectF tank;           ///< The queue's slots, without title and scale.
    double headHeight = 0; ///< Of the title above it and the links that go in.
    QRectF parent;
    QRectF consumers;
};
[[nodiscard]] PipelineLayout arrangePipeline(const QRectF &area);

/// How the queue is drawn.
struct TankScale
{
    double slotHeight = 0; ///< Of one item.
    int shownItems = 0;    ///< How many items have room, from the bottom.
    bool isExact = false;  ///< Every slot of the capacity is drawn.
};
[[nodiscard]] TankScale scaleTank(double height, quint64 capacity);

/// The stage of a pipeline: producers put items into a bounded queue, consumers take them. Items
/// stand in the order in which they leave, the next at the bottom.
class PipelineStage final : public ProcessStage
{
    Q_OBJECT

public:
    explicit PipelineStage(QWidget *parent = nullptr);

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

private:
    [[nodiscard]] quint64 capacity() const;
    [[nodiscard]] quint64 depth() const;
    [[nodiscard]] bool isNearlyFull() const;
    [[nodiscard]] QPolygonF putPath(const QRectF &producer) const;
    [[nodiscard]] QPolygonF parentPath(const QRectF &column) const;
    [[nodiscard]] QPolygonF takePath(const QRectF &consumer) const;
    void paintTank(QPainter &painter);
    void paintHead(QPainter &painter);
    void paintLevel(QPainter &painter);
    void paintItems(QPainter &painter);
    void paintItem(QPainter &painter, const QRectF &slot, const QueuedItem &item);
    void paintFill(QPainter &painter);
    void paintWaits(QPainter &painter);

    PipelineLayout m_layout;
    TankScale m_scale;
    bool m_producersHaveCards = true;
    bool m_consumersHaveCards = true;
};

} // namespace proclab
