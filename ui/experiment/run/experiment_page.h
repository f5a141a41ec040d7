// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/experiment_run.h"
#include "core/experiment/run/run_status.h"
#include "core/experiment/spec/spec.h"
#include "ui/experiment/run/page.h"

#include <QWidget>

#include <memory>

class QSplitter;
class QToolButton;

namespace proclab {

class Engine;
class RunView;
class SpecForm;
struct Kind;
struct Preset;

/// The page of a kind of experiment, for all kinds the same class: the form at the left, beside it
/// the view of the run. Holds the run.
class ExperimentPage final : public Page
{
    Q_OBJECT

public:
    /// @p kind is one that is available; @p engine must outlive the page.
    ExperimentPage(const Kind &kind, Engine &engine, QWidget *parent = nullptr);
    /// Ends a run that still goes on, with its children.
    ~ExperimentPage() override;

    [[nodiscard]] const Kind &kind() const { return m_kind; }
    [[nodiscard]] const ExperimentSpec &spec() const;
    /// Shows @p spec, which is of the page's kind and not from a preset; a run in progress goes on.
    void openSpec(const ExperimentSpec &spec) override;
    void openPreset(const Preset &preset) override;
    /// Name of the preset that "Reset to preset" goes back to; empty after openSpec().
    [[nodiscard]] QString presetName() const override { return m_presetName; }
    [[nodiscard]] QString fileTitle() const override;
    [[nodiscard]] bool isChanged() const override;

    /// Starts the run that the form describes. With faults: shows the first one instead.
    void run() override;
    void stop() override;
    [[nodiscard]] const RunStatus &status() const;
    [[nodiscard]] const RunStatus *runStatus() const override { return &status(); }
    [[nodiscard]] QString blockedBy() const override { return m_blockedBy; }
    /// The run in progress or the last one; null before the first.
    [[nodiscard]] const ExperimentRun *currentRun() const { return m_run.get(); }

    [[nodiscard]] bool isConfigShown() const;
    void setConfigShown(bool shown);
    [[nodiscard]] bool isDockShown() const;
    void setDockShown(bool shown);
    void toggleConfig() override { setConfigShown(!isConfigShown()); }
    void toggleDock() override { setDockShown(!isDockShown()); }
    void showDockTab(int index) override;

protected:
    void resizeEvent(QResizeEvent *event) override;

private:
    QWidget *makeConfigPane();
    void connectViews();
    void restoreLayout();
    /// Where the window is small the stage has it all, until the user asks for the other panes.
    void fitPanes();
    void showSpec(const ExperimentSpec &spec, const QString &origin);
    void takeEdit(const ExperimentSpec &spec);
    /// Runs the form's experiment with these values instead, by the field's path.
    void runTrial(const QJsonObject &trial);
    void updateBlockedBy();

    const Kind &m_kind;
    Engine &m_engine;
    std::unique_ptr<ExperimentRun> m_run;
    QString m_presetName;
    ExperimentSpec m_unchanged; ///< The form's at first.
    QString m_firstHint;        ///< Of what is not changed.
    ExperimentSpec m_original;  ///< What "Reset" goes back to.
    QString m_blockedBy;

    QWidget *m_config = nullptr;
    SpecForm *m_form = nullptr;
    QToolButton *m_reset = nullptr;
    RunView *m_view = nullptr;
    QSplitter *m_columns = nullptr; ///< Config, then the view.
    bool m_configWanted = true;
    bool m_dockWanted = true;
    bool m_isNarrow = false; ///< No room for the configuration beside the stage.
    bool m_isLow = false;    ///< No room for the dock below it.
};

} // namespace proclab
