// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/run/run_view.h"

#include "core/experiment/spec/kind.h"
#include "core/runtime/clock.h"
#include "ui/experiment/charts/chart_column.h"
#include "ui/experiment/run/code_pane.h"
#include "ui/experiment/run/run_dock.h"
#include "ui/experiment/run/run_summary.h"
#include "ui/experiment/stage/stage_view.h"
#include "ui/experiment/timeline/timeline_view.h"
#include "ui/shared/theme.h"

#include <QBoxLayout>
#include <QLabel>
#include <QSettings>
#include <QSplitter>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int chartsWidth = 304;
constexpr int codeHeight = 40;
constexpr int lowCodeHeight = 28; // In a low window.
constexpr int lowHeight = 480;
constexpr int stagePadding = 16;
constexpr int chartsInDockBelow = 1280;
constexpr int frameMilliseconds = 25;

QSplitter *makeSplitter(Qt::Orientation orientation, const QString &name, QWidget *parent)
{
    auto *splitter = new QSplitter(orientation, parent);
    splitter->setObjectName(name);
    splitter->setHandleWidth(1);
    splitter->setChildrenCollapsible(false);
    return splitter;
}

} // namespace

RunView::RunView(const Kind &kind, QWidget *parent) : QWidget(parent), m_kind(kind)
{
    m_rows = makeSplitter(Qt::Vertical, u"rows"_s, this);
    m_upper = makeSplitter(Qt::Horizontal, u"upper"_s, m_rows);
    m_upper->addWidget(makeStagePane());
    m_charts = new ChartColumn(m_upper);
    m_charts->setAccessibleName(tr("Charts"));
    m_charts->setMinimumWidth(220);
    m_upper->addWidget(m_charts);
    m_dock = new RunDock(m_rows);
    m_dock->setMinimumHeight(120);
    m_rows->addWidget(m_upper);
    m_rows->addWidget(m_dock);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_rows);
    // The panes beside the stage keep their size when the window grows.
    m_upper->setSizes({4096 - chartsWidth, chartsWidth});
    m_upper->setStretchFactor(0, 1);
    m_upper->setStretchFactor(1, 0);
    m_rows->setSizes({69, 31});
    m_rows->setStretchFactor(0, 69);
    m_rows->setStretchFactor(1, 31);

    m_frameTimer.setInterval(frameMilliseconds);
    m_frameTimer.setTimerType(Qt::PreciseTimer);
    connectViews();
    showIdle(ExperimentSpec(kind.name));
}

QWidget *RunView::makeStagePane()
{
    auto *pane = new QWidget(this);
    pane->setProperty("role", u"panel"_s);
    pane->setAttribute(Qt::WA_StyledBackground);
    pane->setMinimumWidth(320);
    pane->setMinimumHeight(220);
    m_code = new QLabel(pane);
    m_code->setFont(monoFont(TextSize::Small));
    m_code->setProperty("tone", u"text2"_s);
    m_code->setTextFormat(Qt::PlainText);
    m_code->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_code->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
    m_hint = new QLabel(pane);
    m_hint->setFont(textFont(TextSize::Small));
    m_hint->setProperty("tone", u"text3"_s);
    m_hint->setTextFormat(Qt::PlainText);
    m_hint->setWordWrap(true);
    m_banner = new Banner(pane);
    m_stage = makeStage(m_kind.name, pane);
    Q_ASSERT(m_stage != nullptr);
    m_stage->setAccessibleName(tr("Stage: %1").arg(m_kind.title));

    auto *column = new QVBoxLayout(pane);
    column->setContentsMargins(stagePadding, 0, stagePadding, 0);
    column->setSpacing(0);
    column->addWidget(m_code);
    column->addWidget(m_banner);
    column->addWidget(m_hint);
    column->addSpacing(8);
    column->addWidget(m_stage, 1);
    column->addSpacing(8);
    return pane;
}

void RunView::connectViews()
{
    connect(m_stage, &StageView::processSelected, this, &RunView::selectProcess);
    connect(m_stage, &StageView::signalAsked, this, &RunView::signalAsked);
    connect(m_stage, &StageView::typed, this, &RunView::typed);
    connect(m_stage, &StageView::inputEnded, this, &RunView::inputEnded);
    connect(m_banner, &Banner::closed, this,
            [this] { m_deathsClosed = m_death ? m_death->deaths : 0; });
    connect(m_dock, &RunDock::processSelected, this, &RunView::selectProcess);
    connect(m_dock, &RunDock::processExplained, this, [this](int process) {
        if (process != m_selected)
            selectProcess(process);
    });
    connect(m_dock, &RunDock::trialAsked, this, &RunView::trialAsked);
    // One cursor in all views of the time axis.
    connect(m_charts, &ChartColumn::cursorMoved, this, &RunView::moveCursor);
    connect(m_dock->timeline(), &TimelineView::cursorMoved, this, &RunView::moveCursor);
    connect(&m_frameTimer, &QTimer::timeout, this, [this] {
        if (!window()->isMinimized())
            drawFrame();
    });
}

void RunView::showIdle(const ExperimentSpec &spec)
{
    if (m_run)
        m_run->disconnect(this);
    m_run.clear();
    m_banner->hide();
    m_hint->show();
    showLog({}, spec);
    setSpec(spec);
    takeState();
}

void RunView::showRun(const RunSource &run)
{
    if (m_run)
        m_run->disconnect(this);
    m_run = &run;
    m_banner->hide();
    m_hint->hide();
    showLog(run.log(), run.spec());
    connect(&run, &RunSource::stateChanged, this, &RunView::takeState);
    connect(&run, &RunSource::ended, this, [this] {
        showEnd();
        Q_EMIT runEnded();
    });
    if (run.state() == RunSource::State::Ended)
        showEnd();
    takeState();
}

void RunView::showLog(const std::shared_ptr<const RunLog> &log, const ExperimentSpec &spec)
{
    m_log = log;
    m_drawn.reset();
    m_instant.reset();
    m_shownThen.reset();
    m_selected = -1;
    m_deaths.setRun(log, spec);
    m_death.reset();
    m_deathsClosed = 0;
    m_code->setText(codeLine(spec));
    m_charts->setSpec(spec);
    m_dock->timeline()->setSpec(spec);
    m_dock->code()->setResult(nullptr);
    m_stage->setRun(log, spec);
    m_charts->setRun(log);
    m_dock->setRun(log, m_kind);
}

void RunView::setSpec(const ExperimentSpec &spec)
{
    m_spec = spec;
    m_dock->code()->setSpec(spec);
    if (m_log)
        return;
    m_code->setText(codeLine(spec));
    m_stage->setSpec(spec);
    m_charts->setSpec(spec);
    updateStatus();
}

void RunView::setHint(const QString &text)
{
    m_hint->setText(text);
}

void RunView::showMessage(Banner::Tone tone, const QString &title, const QString &detail)
{
    m_banner->showMessage(tone, title, detail);
}

void RunView::takeState()
{
    updateStatus();
    updateFrameTimer();
}

void RunView::showEnd()
{
    // The last picture, also while the view is hidden, and whatever came after it.
    if (const StageSnapshotPointer last = m_run->snapshot())
        draw(last);
    m_dock->code()->setResult(&m_run->result());
    m_dock->explainResult(m_run->result());
    const RunSummary summary = summaryOf(m_run->result());
    QString detail = summary.detail;
    if (m_death)
        detail += (detail.isEmpty() ? QString() : u" · "_s) + m_death->title;
    m_banner->showMessage(summary.tone, summary.title, detail);
    takeState();
}

/// Tells of a process that died as soon as it has, and again when more becomes known.
void RunView::showDeath()
{
    const std::optional<DeathNotice> death = m_deaths.advance();
    if (!death || death == m_death)
        return;
    m_death = death;
    const auto state = m_run->state();
    const bool goesOn = state == RunSource::State::Starting || state == RunSource::State::Running;
    if (goesOn && death->deaths > m_deathsClosed)
        m_banner->showMessage(Banner::Tone::Error, death->title, death->detail);
}

void RunView::updateFrameTimer()
{
    const bool wanted = m_status.isActive() && isVisible();
    if (wanted && !m_frameTimer.isActive())
        m_frameTimer.start();
    else if (!wanted)
        m_frameTimer.stop();
}

void RunView::drawFrame()
{
    if (!m_run) {
        m_frameTimer.stop();
        return;
    }
    const StageSnapshotPointer snapshot = m_run->snapshot();
    if (snapshot && snapshot != m_drawn &&
        m_pacer.takesFrame(runtime::nowNs(), runtime::threadCpuNs(), snapshot->waitsForCores()))
        draw(snapshot);
    if (snapshot)
        return;
    showDeath(); // It starts.
    updateStatus();
}

/// All views at one instant.
void RunView::draw(const StageSnapshotPointer &snapshot)
{
    m_drawn = snapshot;
    if (!m_instant)
        m_stage->setSnapshot(snapshot);
    m_dock->advance(snapshot);
    m_charts->advance(snapshot->timeNs);
    showDeath();
    updateStatus();
}

void RunView::setInstant(std::optional<qint64> timeNs)
{
    m_instant = m_log ? timeNs : std::nullopt;
    m_shownThen = m_instant ? m_log->snapshots.at(*m_instant) : nullptr;
    updateCanSignal();
    if (const StageSnapshotPointer &snapshot = m_shownThen ? m_shownThen : m_drawn)
        m_stage->setSnapshot(snapshot);
    moveCursor(std::nullopt);
}

/// Without a pointer over them, charts and timeline mark the instant that is shown.
void RunView::moveCursor(std::optional<qint64> timeNs)
{
    if (timeNs || !m_shownThen) {
        m_charts->setCursor(timeNs);
        m_dock->timeline()->setCursor(timeNs);
        return;
    }
    m_charts->setInstant(m_shownThen);
    m_dock->timeline()->setCursor(m_shownThen->timeNs);
}

void RunView::updateStatus()
{
    // A run that is gone has told all that it will.
    if (!m_run && m_log)
        return;
    // What stands beside the views is of the picture that they draw.
    const StageSnapshotPointer picture = !m_run ? nullptr : m_drawn ? m_drawn : m_run->snapshot();
    const RunStatus status = m_run ? statusOf(*m_run, picture) : idleStatus(m_spec);
    if (status == m_status)
        return;
    m_status = status;
    updateCanSignal();
    Q_EMIT statusChanged();
}

void RunView::setCanSignal(bool canSignal)
{
    m_canSignal = canSignal;
    updateCanSignal();
}

/// Of the present only: what is looked back on is over.
void RunView::updateCanSignal()
{
    m_stage->setCanSignal(m_canSignal && !m_instant && m_status.state == RunSource::State::Running);
}

void RunView::selectProcess(int process)
{
    m_selected = process == m_selected ? -1 : process;
    m_stage->setSelectedProcess(m_selected);
    m_dock->setSelectedProcess(m_selected);
    m_charts->setSelectedProcess(m_selected);
}

bool RunView::isDockShown() const
{
    return !m_dock->isHidden();
}

void RunView::setDockShown(bool shown)
{
    m_dock->setVisible(shown);
}

void RunView::showDockTab(int index)
{
    setDockShown(true);
    m_dock->setCurrentTab(index);
}

void RunView::restoreLayout(const QString &group)
{
    const QSettings settings;
    for (QSplitter *splitter : {m_rows, m_upper})
        splitter->restoreState(settings.value(group % u'/' % splitter->objectName()).toByteArray());
}

void RunView::saveLayout(const QString &group) const
{
    QSettings settings;
    for (const QSplitter *splitter : {m_rows, m_upper}) {
        if (splitter == m_upper && m_chartsInDock)
            continue;
        settings.setValue(group % u'/' % splitter->objectName(), splitter->saveState());
    }
}

void RunView::placeCharts()
{
    const bool inDock = window()->width() < chartsInDockBelow;
    if (inDock == m_chartsInDock)
        return;
    m_chartsInDock = inDock;
    if (inDock) {
        m_dock->takeCharts(m_charts);
        return;
    }
    m_dock->releaseCharts();
    m_upper->addWidget(m_charts);
    m_charts->show();
    m_upper->setSizes({m_upper->width() - chartsWidth, chartsWidth});
}

void RunView::showEvent(QShowEvent *event)
{
    QWidget::showEvent(event);
    placeCharts();
    if (m_status.isActive())
        drawFrame();
    updateFrameTimer();
}

void RunView::hideEvent(QHideEvent *event)
{
    QWidget::hideEvent(event);
    updateFrameTimer();
}

void RunView::resizeEvent(QResizeEvent *event)
{
    QWidget::resizeEvent(event);
    m_code->setFixedHeight(height() < lowHeight ? lowCodeHeight : codeHeight);
    placeCharts();
}

} // namespace proclab
