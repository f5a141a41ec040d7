// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/run/experiment_page.h"

#include "core/experiment/spec/kind.h"
#include "core/experiment/spec/presets.h"
#include "ui/experiment/charts/chart_column.h"
#include "ui/experiment/form/spec_form.h"
#include "ui/experiment/run/run_dock.h"
#include "ui/experiment/run/run_summary.h"
#include "ui/experiment/stage/stage_view.h"
#include "ui/experiment/timeline/timeline_view.h"
#include "ui/shared/banner.h"
#include "ui/shared/icon.h"
#include "ui/shared/theme.h"

#include <QBoxLayout>
#include <QEvent>
#include <QLabel>
#include <QScrollArea>
#include <QSettings>
#include <QSplitter>
#include <QToolButton>

#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int configWidth = 280;
constexpr int chartsWidth = 304;
constexpr int paneHeadHeight = 40;
constexpr int padding = 16;
constexpr int chartsInDockBelow = 1280;
constexpr int frameMilliseconds = 16;

QSplitter *makeSplitter(Qt::Orientation orientation, const QString &name, QWidget *parent)
{
    auto *splitter = new QSplitter(orientation, parent);
    splitter->setObjectName(name);
    splitter->setHandleWidth(1);
    splitter->setChildrenCollapsible(false);
    return splitter;
}

} // namespace

ExperimentPage::ExperimentPage(const Kind &kind, Engine &engine, QWidget *parent)
    : Page(parent)
    , m_kind(kind)
    , m_engine(engine)
    , m_original(kind.name)
{
    setProperty("role", u"panel"_s);
    setAttribute(Qt::WA_StyledBackground);
    // Made in the order of the Tab key: configuration, stage, charts, dock.
    m_columns = makeSplitter(Qt::Horizontal, u"columns"_s, this);
    m_columns->addWidget(makeConfigPane());
    m_rows = makeSplitter(Qt::Vertical, u"rows"_s, m_columns);
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
    m_columns->addWidget(m_rows);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_columns);

    m_frameTimer.setInterval(frameMilliseconds);
    m_frameTimer.setTimerType(Qt::PreciseTimer);
    connectViews();
    restoreLayout();
    const auto first =
        kind.presets.isEmpty() ? std::nullopt : findPreset(kind.presets.first().name);
    if (first)
        openPreset(*first);
    else
        openSpec(ExperimentSpec(kind.name));
}

ExperimentPage::~ExperimentPage()
{
    saveLayout();
    if (m_run)
        m_run->disconnect(this);
}

QWidget *ExperimentPage::makeConfigPane()
{
    m_config = new QWidget(this);
    m_config->setProperty("role", u"panel"_s);
    m_config->setAttribute(Qt::WA_StyledBackground);
    m_config->setMinimumWidth(240);
    m_config->setMaximumWidth(420);

    auto *head = new QWidget(m_config);
    head->setProperty("role", u"bar"_s);
    head->setAttribute(Qt::WA_StyledBackground);
    head->setFixedHeight(paneHeadHeight);
    auto *title = new QLabel(tr("Configuration"), head);
    title->setFont(textFont(TextSize::Body, QFont::DemiBold));
    m_reset = new QToolButton(head);
    m_reset->setFont(textFont(TextSize::Small));
    m_reset->setIcon(icon(u"reset"_s));
    m_reset->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_reset->setFocusPolicy(Qt::StrongFocus);
    auto *headLayout = new QHBoxLayout(head);
    headLayout->setContentsMargins(padding, 0, 8, 0);
    headLayout->addWidget(title, 1);
    headLayout->addWidget(m_reset);

    m_form = new SpecForm(m_config);
    auto *scroll = new QScrollArea(m_config);
    scroll->setWidget(m_form);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);

    auto *column = new QVBoxLayout(m_config);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(head);
    column->addWidget(scroll, 1);
    return m_config;
}

QWidget *ExperimentPage::makeStagePane()
{
    auto *pane = new QWidget(this);
    pane->setProperty("role", u"panel"_s);
    pane->setAttribute(Qt::WA_StyledBackground);
    pane->setMinimumWidth(360);
    pane->setMinimumHeight(220);
    m_code = new QLabel(pane);
    m_code->setFont(monoFont(TextSize::Small));
    m_code->setProperty("tone", u"text2"_s);
    m_code->setTextFormat(Qt::PlainText);
    m_code->setFixedHeight(paneHeadHeight);
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
    column->setContentsMargins(padding, 0, padding, 0);
    column->setSpacing(0);
    column->addWidget(m_code);
    column->addWidget(m_banner);
    column->addWidget(m_hint);
    column->addSpacing(8);
    column->addWidget(m_stage, 1);
    column->addSpacing(8);
    return pane;
}

void ExperimentPage::connectViews()
{
    connect(m_form, &SpecForm::specChanged, this, &ExperimentPage::takeEdit);
    connect(m_reset, &QToolButton::clicked, this, [this] { showSpec(m_original, m_presetName); });
    connect(m_stage, &StageView::processSelected, this, &ExperimentPage::selectProcess);
    connect(m_banner, &Banner::closed, this,
            [this] { m_deathsClosed = m_death ? m_death->deaths : 0; });
    connect(m_dock, &RunDock::processSelected, this, &ExperimentPage::selectProcess);
    // One cursor in all views of the time axis.
    connect(m_charts, &ChartColumn::cursorMoved, m_dock->timeline(), &TimelineView::setCursor);
    connect(m_dock->timeline(), &TimelineView::cursorMoved, m_charts, &ChartColumn::setCursor);
    connect(&m_frameTimer, &QTimer::timeout, this, [this] {
        if (!window()->isMinimized())
            drawFrame();
    });
}

const ExperimentSpec &ExperimentPage::spec() const
{
    return m_form->spec();
}

void ExperimentPage::openSpec(const ExperimentSpec &spec)
{
    showSpec(spec, {});
    const bool canRun = m_form->faults().isEmpty();
    m_hint->setText(canRun ? tr("From a file. Press F5 to run it.")
                           : tr("From a file. It can run once the marked fields are right."));
    if (!canRun)
        m_form->focusFirstFault();
}

void ExperimentPage::openPreset(const Preset &preset)
{
    showSpec(preset.spec, preset.name);
    m_hint->setText(preset.description);
}

void ExperimentPage::showSpec(const ExperimentSpec &spec, const QString &origin)
{
    m_original = spec;
    m_presetName = origin;
    m_reset->setText(origin.isEmpty() ? tr("Reset") : tr("Reset to preset"));
    m_form->setSpec(spec);
    if (!m_status.isActive())
        showIdle(spec);
    updateStatus();
}

void ExperimentPage::showIdle(const ExperimentSpec &spec)
{
    m_run.reset();
    m_drawn.reset();
    m_selected = -1;
    m_deaths.setRun({}, spec);
    m_death.reset();
    m_banner->hide();
    m_hint->show();
    m_code->setText(codeLine(spec));
    m_stage->setRun({}, spec);
    m_stage->setSpec(spec);
    m_charts->setSpec(spec);
    m_charts->setRun({});
    m_dock->timeline()->setSpec(spec);
    m_dock->setRun({});
}

void ExperimentPage::takeEdit(const ExperimentSpec &spec)
{
    // A run, or what it came to, stays on show until the next one; the idle diagram follows each
    // edit.
    if (!m_run) {
        m_stage->setSpec(spec);
        m_charts->setSpec(spec);
        m_code->setText(codeLine(spec));
    }
    updateStatus();
}

void ExperimentPage::run()
{
    if (m_status.isActive())
        return;
    if (!m_form->faults().isEmpty()) {
        m_form->focusFirstFault();
        return;
    }
    const ExperimentSpec spec = m_form->spec();
    m_banner->hide();
    m_hint->hide();
    m_selected = -1;
    m_drawn.reset();
    m_run = std::make_unique<ExperimentRun>(m_engine, spec);
    connect(m_run.get(), &ExperimentRun::stateChanged, this, &ExperimentPage::takeState);
    connect(m_run.get(), &ExperimentRun::ended, this, &ExperimentPage::finishRun);
    m_code->setText(codeLine(spec));
    m_charts->setSpec(spec);
    m_dock->timeline()->setSpec(spec);
    m_stage->setRun(m_run->log(), spec);
    m_deaths.setRun(m_run->log(), spec);
    m_death.reset();
    m_deathsClosed = 0;
    m_charts->setRun(m_run->log());
    m_dock->setRun(m_run->log());
    m_form->setRunningSpec(spec);
    const Result<void> started = m_run->start();
    if (!started) {
        m_banner->showMessage(Banner::Tone::Error, tr("The run was not started"),
                              errorText(started.error()));
        m_form->setRunningSpec({});
    }
    takeState();
}

void ExperimentPage::stop()
{
    if (m_run)
        m_run->stop();
}

void ExperimentPage::takeState()
{
    updateStatus();
    updateFrameTimer();
}

void ExperimentPage::finishRun()
{
    drawFrame(); // The last picture, also while the page is hidden.
    const RunSummary summary = summaryOf(m_run->result());
    QString detail = summary.detail;
    if (m_death)
        detail += (detail.isEmpty() ? QString() : u" · "_s) + m_death->title;
    m_banner->showMessage(summary.tone, summary.title, detail);
    m_form->setRunningSpec({});
    takeState();
    Q_EMIT runEnded();
}

/// Tells of a process that died as soon as it has, and again when more becomes known.
void ExperimentPage::showDeath()
{
    const std::optional<DeathNotice> death = m_deaths.advance();
    if (!death || death == m_death)
        return;
    m_death = death;
    const auto state = m_run->state();
    const bool goesOn =
        state == ExperimentRun::State::Starting || state == ExperimentRun::State::Running;
    if (goesOn && death->deaths > m_deathsClosed)
        m_banner->showMessage(Banner::Tone::Error, death->title, death->detail);
}

void ExperimentPage::updateFrameTimer()
{
    const bool wanted = m_status.isActive() && isVisible();
    if (wanted && !m_frameTimer.isActive())
        m_frameTimer.start();
    else if (!wanted)
        m_frameTimer.stop();
}

void ExperimentPage::drawFrame()
{
    if (!m_run)
        return;
    const StageSnapshotPointer snapshot = m_run->snapshot();
    if (snapshot && snapshot != m_drawn) {
        m_drawn = snapshot;
        m_stage->setSnapshot(snapshot);
        m_dock->advance(snapshot);
        m_charts->advance(snapshot->timeNs);
    } else {
        m_dock->advance({}); // Tables fill faster than pictures come.
    }
    showDeath();
    updateStatus();
}

void ExperimentPage::updateStatus()
{
    RunStatus status;
    const QList<Error> &faults = m_form->faults();
    if (!faults.isEmpty())
        status.blockedBy = errorText(faults.first());
    const QString methodPath = m_kind.name % u".start_method"_s;
    if (m_run) {
        const RunLog &log = *m_run->log();
        status.state = m_run->state();
        status.elapsedSeconds = m_run->elapsedSeconds();
        status.events = log.events().size();
        status.droppedSpans = log.droppedSpans.load(std::memory_order_relaxed);
        status.startMethod = m_run->spec().text(methodPath);
        const double sampling =
            static_cast<double>(log.samplerCpuNs.load(std::memory_order_relaxed)) / 1e9;
        if (status.elapsedSeconds > 0.2)
            status.samplingPercent = std::round(1000 * sampling / status.elapsedSeconds) / 10;
        if (const StageSnapshotPointer snapshot = m_run->snapshot()) {
            status.total = snapshot->total;
            status.done = snapshot->done;
            status.failedTasks = snapshot->failed;
            status.cancelled = snapshot->cancelled;
            status.lost = snapshot->lost;
            for (const ProcessLive &process : snapshot->processes.mid(1)) {
                ++status.processes;
                if (process.state != ProcessState::Starting)
                    ++status.startedProcesses;
            }
        }
        if (status.state == ExperimentRun::State::Ended) {
            const RunResult &result = m_run->result();
            status.failed = result.engineError.has_value();
            status.elapsedSeconds = result.elapsedSeconds;
            status.total = result.totals.tasks;
            status.done = result.totals.done;
            status.failedTasks = result.totals.failed;
            status.cancelled = result.totals.cancelled;
            status.lost = result.totals.lost;
        }
    } else {
        status.startMethod = m_form->spec().text(methodPath);
    }
    if (status == m_status)
        return;
    m_status = status;
    Q_EMIT statusChanged();
}

void ExperimentPage::selectProcess(int process)
{
    m_selected = process == m_selected ? -1 : process;
    m_stage->setSelectedProcess(m_selected);
    m_dock->setSelectedProcess(m_selected);
    m_charts->setSelectedProcess(m_selected);
}

bool ExperimentPage::isConfigShown() const
{
    return !m_config->isHidden();
}

void ExperimentPage::setConfigShown(bool shown)
{
    m_config->setVisible(shown);
}

bool ExperimentPage::isDockShown() const
{
    return !m_dock->isHidden();
}

void ExperimentPage::setDockShown(bool shown)
{
    m_dock->setVisible(shown);
}

void ExperimentPage::showDockTab(int index)
{
    setDockShown(true);
    m_dock->setCurrentTab(index);
}

void ExperimentPage::restoreLayout()
{
    const QSettings settings;
    for (QSplitter *splitter : {m_columns, m_rows, m_upper}) {
        const QString key = u"page/%1/%2"_s.arg(m_kind.name, splitter->objectName());
        if (!splitter->restoreState(settings.value(key).toByteArray())) {
            if (splitter == m_columns)
                splitter->setSizes({configWidth, 4096 - configWidth});
            else if (splitter == m_upper)
                splitter->setSizes({4096 - chartsWidth, chartsWidth});
            else
                splitter->setSizes({69, 31});
        }
    }
    // The panes beside the stage keep their size when the window grows.
    m_columns->setStretchFactor(0, 0);
    m_columns->setStretchFactor(1, 1);
    m_upper->setStretchFactor(0, 1);
    m_upper->setStretchFactor(1, 0);
    m_rows->setStretchFactor(0, 69);
    m_rows->setStretchFactor(1, 31);
}

void ExperimentPage::saveLayout() const
{
    QSettings settings;
    for (const QSplitter *splitter : {m_columns, m_rows, m_upper}) {
        if (splitter == m_upper && m_chartsInDock)
            continue;
        settings.setValue(u"page/%1/%2"_s.arg(m_kind.name, splitter->objectName()),
                          splitter->saveState());
    }
}

void ExperimentPage::placeCharts()
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

void ExperimentPage::showEvent(QShowEvent *event)
{
    QWidget::showEvent(event);
    placeCharts();
    if (m_status.isActive())
        drawFrame();
    updateFrameTimer();
}

void ExperimentPage::hideEvent(QHideEvent *event)
{
    QWidget::hideEvent(event);
    updateFrameTimer();
}

void ExperimentPage::resizeEvent(QResizeEvent *event)
{
    QWidget::resizeEvent(event);
    placeCharts();
}

} // namespace proclab
