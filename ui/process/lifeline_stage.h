// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/kinds/process/process_state.h"
#include "ui/experiment/stage/process_stage.h"
#include "ui/experiment/timeline/timeline_layout.h"
#include "ui/process/lifeline_layout.h"

namespace proclab {

/// The stage of single processes: the parent with its calls of join(), a life line a child, from
/// its creation to being joined, and what starting a process costs.
class LifelineStage final : public ProcessStage
{
    Q_OBJECT

public:
    explicit LifelineStage(QWidget *parent = nullptr);

protected:
    QList<ProcessRecord> idleProcesses() const override;
    QString idleText() const override;
    QString idleTaskText(const ProcessRecord &process) const override;
    void arrange(const QRectF &area) override;
    void paintStill(QPainter &painter) override;
    void paintMoving(QPainter &painter) override;
    void describe(const ProcessLive &live, CardContent &content) const override;
    QString summaryText() const override;

private:
    /// Of the present picture, or of none.
    [[nodiscard]] LivesState state() const;
    [[nodiscard]] int childCount() const;
    [[nodiscard]] QString childName(int child) const;
    /// Of the run so far, from the first child's creation on.
    [[nodiscard]] TimeRange range(const LivesState &now) const;
    [[nodiscard]] QString parentText() const;
    [[nodiscard]] QString childText(const ProcessRecord &process,
                                    const LivesState::Life &life) const;

    void paintAxes(QPainter &painter, const TimeRange &times);
    void paintParent(QPainter &painter, const LivesState &now, const TimeRange &times);
    void paintJoin(QPainter &painter, const LivesState::Join &join, const TimeRange &times);
    void paintLife(QPainter &painter, int child, const LivesState::Life &life,
                   const TimeRange &times);
    void paintEnd(QPainter &painter, const ProcessRecord &process, const QRectF &lane, double x,
                  double free);
    void paintCosts(QPainter &painter, const LivesState &now);
    void paintLegend(QPainter &painter, const QRectF &room);

    LifelineLayout m_layout;
};

} // namespace proclab
