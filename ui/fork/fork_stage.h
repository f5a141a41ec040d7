// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/kinds/fork/fork_state.h"
#include "ui/experiment/stage/process_stage.h"
#include "ui/fork/fork_layout.h"

namespace proclab {

/// The stage of a fork: the memory of the parent and of each child in blocks of pages, shared or
/// its own as the kernel counts them; what the one call returned on both sides, and the variable
/// that both have.
class ForkStage final : public ProcessStage
{
    Q_OBJECT

public:
    explicit ForkStage(QWidget *parent = nullptr);

protected:
    QList<ProcessRecord> idleProcesses() const override;
    QString idleText() const override;
    QString idleTaskText(const ProcessRecord &process) const override;
    void arrange(const QRectF &area) override;
    void paintStill(QPainter &) override {}
    void paintMoving(QPainter &painter) override;
    void describe(const ProcessLive &live, CardContent &content) const override;
    QString summaryText() const override;

private:
    /// One line beside a card. The shorter value is for where the other has no room.
    struct Fact
    {
        QString label;
        QString value;
        QString shortValue;
        bool isWarning = false;
        bool isLock = false;
    };

    [[nodiscard]] ForkState state() const;
    [[nodiscard]] int childCount() const;
    [[nodiscard]] bool isBesideThread() const;
    /// Of the process that plays child number @p child, from 0; -1: there is none yet.
    [[nodiscard]] int placeOf(int child) const;
    [[nodiscard]] QList<Fact> parentFacts(const ForkState &now) const;
    [[nodiscard]] QList<Fact> childFacts(const ForkState::Child &child) const;
    [[nodiscard]] QString writesText() const;

    void paintPanel(QPainter &painter, const ForkPanel &panel, const QList<Fact> &facts) const;
    void paintFact(QPainter &painter, const QRectF &line, const Fact &fact) const;
    void paintParentsMemory(QPainter &painter, const ForkState &now) const;
    void paintChildsMemory(QPainter &painter, const ForkState &now, int child) const;
    void paintLegend(QPainter &painter, const ForkState &now) const;

    ForkLayout m_layout;
};

} // namespace proclab
