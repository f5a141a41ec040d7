// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_log.h"
#include "core/experiment/run/stage_snapshot.h"
#include "core/experiment/spec/spec.h"

#include <QWidget>

#include <memory>

namespace proclab {

/// The processes of a run as they are at one instant, and what stands between them. One subclass a
/// kind, which paints. Before a run it shows the idle diagram of the current settings.
class StageView : public QWidget
{
    Q_OBJECT

public:
    using QWidget::QWidget;

    /// What the idle diagram shows; called on each edit.
    virtual void setSpec(const ExperimentSpec &spec) = 0;
    /// The run to show from now on; null: none, back to the idle diagram.
    virtual void setRun(std::shared_ptr<const RunLog> log, const ExperimentSpec &spec) = 0;
    /// The picture to show: the newest one, at most 60 a second, or that of an earlier instant.
    virtual void setSnapshot(const StageSnapshotPointer &snapshot) = 0;
    /// Position in RunLog::processes(); -1: none. Others are then drawn at 40 %.
    virtual void setSelectedProcess(int process) = 0;
    /// Whether the processes can be sent signals: the selected one then has buttons for that.
    virtual void setCanSignal(bool canSignal) = 0;

Q_SIGNALS:
    void processSelected(int process);
    void signalAsked(int process, int signal);
    /// The user typed @p text for the program @p process to read, or has no more for it.
    void typed(int process, const QString &text);
    void inputEnded(int process);
};

/// The stage of @p kind; null for a kind that has none yet.
[[nodiscard]] StageView *makeStage(const QString &kind, QWidget *parent);

} // namespace proclab
