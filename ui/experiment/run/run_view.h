// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/cores.h"
#include "core/experiment/run/run_status.h"
#include "core/experiment/spec/spec.h"
#include "ui/experiment/run/death_watch.h"
#include "ui/experiment/run/frame_pacer.h"
#include "ui/shared/banner.h"

#include <QJsonObject>
#include <QPointer>
#include <QTimer>
#include <QWidget>

#include <memory>
#include <optional>

class QLabel;
class QSplitter;

namespace proclab {

class ChartColumn;
class RunDock;
class StageView;
struct Kind;

/// A run: its stage, charts, timeline, tables, and what it came to. It has no form and starts
/// nothing, so a page, a lesson or a comparison can hold it. Without a run it shows what one of the
/// current settings would look like.
///
/// Draws each new picture of the run once, in all its views, and nothing while it is hidden.
class RunView final : public QWidget
{
    Q_OBJECT

public:
    /// Shows runs of @p kind, which is one that is available.
    explicit RunView(const Kind &kind, QWidget *parent = nullptr);

    /// Shows @p run from now on. It may end before the view does; what it had is then still shown.
    void showRun(const RunSource &run);
    /// Shows no run, but what a run of @p spec would look like.
    void showIdle(const ExperimentSpec &spec);
    /// The settings have changed; a run on show stays.
    void setSpec(const ExperimentSpec &spec);
    /// A line above the stage while no run is shown.
    void setHint(const QString &text);
    /// A bar above the stage; the run's own come in its place.
    void showMessage(Banner::Tone tone, const QString &title, const QString &detail);

    /// Whether the user may send signals to the processes of the run on show; see signalAsked().
    void setCanSignal(bool canSignal);

    /// Shows the processes as they were at @p timeNs on the run's axis: the newest picture that is
    /// no later, whose instant charts and timeline mark; nullopt: the present, as it goes on.
    void setInstant(std::optional<qint64> timeNs);
    [[nodiscard]] std::optional<qint64> instant() const { return m_instant; }

    [[nodiscard]] const RunStatus &status() const { return m_status; }

    [[nodiscard]] bool isDockShown() const;
    void setDockShown(bool shown);
    void showDockTab(int index);
    /// The sizes of its panes, under @p group of the settings.
    void restoreLayout(const QString &group);
    void saveLayout(const QString &group) const;

Q_SIGNALS:
    void statusChanged();
    /// The run on show has ended, and all of it is shown.
    void runEnded();
    void signalAsked(int process, int signal);
    /// The user wants a run with these values instead, by the field's path.
    void trialAsked(const QJsonObject &trial);
    void typed(int process, const QString &text);
    void inputEnded(int process);

protected:
    void showEvent(QShowEvent *event) override;
    void hideEvent(QHideEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;

private:
    QWidget *makeStagePane();
    void connectViews();
    void placeCharts();
    void showLog(const std::shared_ptr<const RunLog> &log, const ExperimentSpec &spec);
    void takeState();
    void showEnd();
    void showDeath();
    void moveCursor(std::optional<qint64> timeNs);
    void updateFrameTimer();
    void drawFrame();
    void draw(const StageSnapshotPointer &snapshot);
    void updateStatus();
    void updateCanSignal();
    void selectProcess(int process);

    const Kind &m_kind;
    ExperimentSpec m_spec; ///< Of the idle diagram.
    QPointer<const RunSource> m_run;
    std::shared_ptr<const RunLog> m_log; ///< Of the run on show; null: none.
    StageSnapshotPointer m_drawn;        ///< The newest that the views know.
    std::optional<qint64> m_instant;
    StageSnapshotPointer m_shownThen; ///< The picture of m_instant.
    RunStatus m_status;
    DeathWatch m_deaths;
    std::optional<DeathNotice> m_death; ///< Of the run on show.
    int m_deathsClosed = 0;             ///< The bar was closed when so many had died.
    QTimer m_frameTimer;
    FramePacer m_pacer{usableCores()};
    int m_selected = -1;
    bool m_canSignal = false;

    QLabel *m_code = nullptr;
    QLabel *m_hint = nullptr;
    Banner *m_banner = nullptr;
    StageView *m_stage = nullptr;
    ChartColumn *m_charts = nullptr;
    RunDock *m_dock = nullptr;
    QSplitter *m_rows = nullptr;  ///< Stage with charts, then the dock.
    QSplitter *m_upper = nullptr; ///< Stage, charts.
    bool m_chartsInDock = false;
};

} // namespace proclab
