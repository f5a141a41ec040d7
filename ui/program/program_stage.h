// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/kinds/program/program_state.h"
#include "ui/experiment/stage/process_stage.h"
#include "ui/program/program_layout.h"

namespace proclab {

class TerminalPane;

/// The stage of external programs: the arguments as boxes, and what a shell would have made of
/// them; the programs and what they have started; a terminal with what they read and write; the
/// time limit and the end.
class ProgramStage final : public ProcessStage
{
    Q_OBJECT

public:
    explicit ProgramStage(QWidget *parent = nullptr);

    void setRun(std::shared_ptr<const RunLog> log, const ExperimentSpec &spec) override;
    void setSnapshot(const StageSnapshotPointer &snapshot) override;
    void setSelectedProcess(int process) override;
    void setCanSignal(bool canSignal) override;

protected:
    QList<ProcessRecord> idleProcesses() const override;
    QString idleText() const override;
    QString idleTaskText(const ProcessRecord &process) const override;
    void arrange(const QRectF &area) override;
    void paintStill(QPainter &painter) override;
    void paintMoving(QPainter &painter) override;
    void describe(const ProcessLive &live, CardContent &content) const override;
    QString summaryText() const override;
    bool event(QEvent *event) override;

private:
    /// Of the present picture, or of none.
    [[nodiscard]] const ProgramState &state() const;
    [[nodiscard]] QStringList command() const;
    [[nodiscard]] int programCount() const { return static_cast<int>(processes().size()) - 1; }
    [[nodiscard]] int endedCount() const;
    [[nodiscard]] QString endOf(const ProcessRecord &process) const;
    void updateTerminal();

    void paintArguments(QPainter &painter);
    void paintShell(QPainter &painter);
    void paintTree(QPainter &painter);
    void paintFoot(QPainter &painter);

    ProgramLayout m_layout;
    TerminalPane *m_terminal;
    bool m_isPresent = false; ///< What is shown goes on, and can be acted on.
};

} // namespace proclab
