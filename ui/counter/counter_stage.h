// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/kinds/counter/counter_state.h"
#include "ui/experiment/stage/process_stage.h"

namespace proclab {

/// Where the parts of a counter's stage are. Pure.
struct CounterLayout
{
    QRectF left;    ///< Processes, the first half.
    QRectF right;   ///< The others; empty for one process.
    QRectF counter; ///< The shared value, in the middle.
    QRectF result;  ///< Observed, expected, and the bar of what was kept and lost.
};
[[nodiscard]] CounterLayout arrangeCounter(const QRectF &area, int processes);

/// The stage of a shared counter: processes around one value in shared memory, its lock with holder
/// and waiters, and how many updates were kept.
class CounterStage final : public ProcessStage
{
    Q_OBJECT

public:
    explicit CounterStage(QWidget *parent = nullptr);

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
    [[nodiscard]] QString mode() const;
    [[nodiscard]] qint64 expected() const;
    /// Of the present picture, or of none.
    [[nodiscard]] CounterState state() const;
    [[nodiscard]] qint64 value() const;
    /// Increments made so far.
    [[nodiscard]] qint64 made() const;
    [[nodiscard]] qint64 lost() const;
    [[nodiscard]] bool isExact() const;
    [[nodiscard]] QString lockText() const;
    void paintLinks(QPainter &painter);
    void paintCounter(QPainter &painter);
    void paintResult(QPainter &painter);
    void paintBar(QPainter &painter, const QRectF &bar);

    CounterLayout m_layout;
};

} // namespace proclab
