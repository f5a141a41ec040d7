// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/kinds/pipe/pipe_state.h"
#include "ui/experiment/stage/process_stage.h"

namespace proclab {

/// Where the parts of a pipe's stage are. Pure.
struct PipeLayout
{
    QRectF parent;
    QRectF child;
    QRectF messages;        ///< The way from the child to the parent.
    QRectF answers;         ///< The way back.
    QRectF result;          ///< What has arrived, and how long it took.
    double titleHeight = 0; ///< Of the room above a way; too low for a title where there is little.
};
[[nodiscard]] PipeLayout arrangePipe(const QRectF &area);

/// The stage of a pipe: the parent at one end, the child at the other, and what is on the way in
/// each direction.
class PipeStage final : public ProcessStage
{
    Q_OBJECT

public:
    explicit PipeStage(QWidget *parent = nullptr);

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
    [[nodiscard]] bool isDuplex() const;
    [[nodiscard]] quint64 messageBytes() const;
    /// Of the present picture, or of none.
    [[nodiscard]] PipeState state() const;
    [[nodiscard]] bool hasReceivedAll() const;
    /// Position of the process that has the child's end, or had it last; -1: there is none.
    [[nodiscard]] int child() const;
    /// The child's end was open, and is no more.
    [[nodiscard]] bool isChildsEndClosed() const;
    /// One direction, with @p count messages on @p way.
    void paintWay(QPainter &painter, const QRectF &way, const QString &title, qint64 count,
                  bool isTowardsParent);
    void paintCells(QPainter &painter, const QRectF &way, qint64 count, bool isTowardsParent);
    void paintClosedEnd(QPainter &painter);
    void paintResult(QPainter &painter);
    [[nodiscard]] QPolygonF path(bool isTowardsParent) const;

    PipeLayout m_layout;
};

} // namespace proclab
