// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/experiment_run.h"
#include "core/experiment/spec/spec.h"
#include "ui/experiment/run/page.h"
#include "ui/experiment/run/death_watch.h"
#include "ui/experiment/run/run_status.h"

#include <QTimer>
#include <QWidget>

#include <memory>

class QLabel;
class QSplitter;
class QToolButton;

namespace proclab {

class Banner;
class ChartColumn;
class Engine;
class RunDock;
class SpecForm;
class StageView;
struct Kind;
struct Preset;

/// The page of a kind of experiment, for all kinds the same class: the form at the left, the stage,
/// the charts, the dock with timeline and tables. Holds the run.
///
/// Draws at most 60 times a second, only what is new, and nothing while it is hidden.
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

    /// Starts the run that the form describes. With faults: shows the first one instead.
    void run() override;
    void stop() override;
    [[nodiscard]] const RunStatus &status() const { return m_status; }
    [[nodiscard]] const RunStatus *runStatus() const override { return &m_status; }
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
    void showEvent(QShowEvent *event) override;
    void hideEvent(QHideEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;

private:
    QWidget *makeConfigPane();
    QWidget *makeStagePane();
    void connectViews();
    void restoreLayout();
    void saveLayout() const;
    void placeCharts();
    void showSpec(const ExperimentSpec &spec, const QString &origin);
    void showIdle(const ExperimentSpec &spec);
    void takeEdit(const ExperimentSpec &spec);
    void takeState();
    void finishRun();
    void showDeath();
    void updateFrameTimer();
    void drawFrame();
    void updateStatus();
    void selectProcess(int process);

    const Kind &m_kind;
    Engine &m_engine;
    std::unique_ptr<ExperimentRun> m_run;
    StageSnapshotPointer m_drawn; ///< What the views show now.
    QString m_presetName;
    ExperimentSpec m_original; ///< What "Reset" goes back to.
    RunStatus m_status;
    DeathWatch m_deaths;
    std::optional<DeathNotice> m_death; ///< Of the run on show.
    int m_deathsClosed = 0;             ///< The bar was closed when so many had died.
    QTimer m_frameTimer;
    int m_selected = -1;

    QWidget *m_config = nullptr;
    SpecForm *m_form = nullptr;
    QToolButton *m_reset = nullptr;
    QLabel *m_code = nullptr;
    QLabel *m_hint = nullptr;
    Banner *m_banner = nullptr;
    StageView *m_stage = nullptr;
    ChartColumn *m_charts = nullptr;
    RunDock *m_dock = nullptr;
    QSplitter *m_columns = nullptr; ///< Config, then the rest.
    QSplitter *m_rows = nullptr;    ///< Stage with charts, then the dock.
    QSplitter *m_upper = nullptr;   ///< Stage, charts.
    bool m_chartsInDock = false;
};

} // namespace proclab
