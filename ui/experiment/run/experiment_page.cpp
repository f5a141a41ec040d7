// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/run/experiment_page.h"

#include "core/experiment/spec/kind.h"
#include "core/experiment/spec/presets.h"
#include "ui/experiment/form/spec_form.h"
#include "ui/experiment/run/run_view.h"
#include "ui/shared/icon.h"
#include "ui/shared/theme.h"

#include <QBoxLayout>
#include <QLabel>
#include <QScrollArea>
#include <QSettings>
#include <QSplitter>
#include <QToolButton>

#include <utility>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int configWidth = 280;
constexpr int paneHeadHeight = 40;
constexpr int padding = 16;
constexpr int configNeedsWidth = 820;
constexpr int dockNeedsHeight = 360;

} // namespace

ExperimentPage::ExperimentPage(const Kind &kind, Engine &engine, QWidget *parent)
    : Page(parent)
    , m_kind(kind)
    , m_engine(engine)
    , m_original(kind.name)
{
    setProperty("role", u"panel"_s);
    setAttribute(Qt::WA_StyledBackground);
    // Made in the order of the Tab key: configuration, then the view.
    m_columns = new QSplitter(Qt::Horizontal, this);
    m_columns->setObjectName(u"columns"_s);
    m_columns->setHandleWidth(1);
    m_columns->setChildrenCollapsible(false);
    m_columns->addWidget(makeConfigPane());
    m_view = new RunView(kind, m_columns);
    m_columns->addWidget(m_view);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_columns);

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
    const QString group = u"page/"_s % m_kind.name;
    QSettings().setValue(group % u'/' % m_columns->objectName(), m_columns->saveState());
    m_view->saveLayout(group);
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

void ExperimentPage::connectViews()
{
    connect(m_form, &SpecForm::specChanged, this, &ExperimentPage::takeEdit);
    connect(m_reset, &QToolButton::clicked, this, [this] {
        showSpec(m_original, m_presetName);
        m_view->setHint(m_firstHint);
        Q_EMIT statusChanged();
    });
    m_view->setCanSignal(true);
    connect(m_view, &RunView::signalAsked, this, [this](int process, int signal) {
        if (m_run)
            m_run->sendSignal(process, signal);
    });
    connect(m_view, &RunView::trialAsked, this, &ExperimentPage::runTrial);
    connect(m_view, &RunView::typed, this, [this](int process, const QString &text) {
        if (m_run)
            m_run->type(process, text);
    });
    connect(m_view, &RunView::inputEnded, this, [this](int process) {
        if (m_run)
            m_run->endInput(process);
    });
    connect(m_view, &RunView::statusChanged, this, &ExperimentPage::statusChanged);
    connect(m_view, &RunView::runEnded, this, [this] {
        m_form->setRunningSpec({});
        Q_EMIT runEnded();
    });
}

const ExperimentSpec &ExperimentPage::spec() const
{
    return m_form->spec();
}

const RunStatus &ExperimentPage::status() const
{
    return m_view->status();
}

void ExperimentPage::openSpec(const ExperimentSpec &spec)
{
    showSpec(spec, {});
    const bool canRun = m_form->faults().isEmpty();
    m_firstHint = canRun ? tr("From a file. Press F5 to run it.")
                         : tr("From a file. It can run once the marked fields are right.");
    m_view->setHint(m_firstHint);
    if (!canRun)
        m_form->focusFirstFault();
}

void ExperimentPage::openPreset(const Preset &preset)
{
    showSpec(preset.spec, preset.name);
    m_firstHint = preset.description;
    m_view->setHint(m_firstHint);
}

QString ExperimentPage::fileTitle() const
{
    // Without one in the file the text is a default.
    const QString path = u"title"_s;
    return m_presetName.isEmpty() && m_original.isSet(path) ? m_original.text(path) : QString();
}

bool ExperimentPage::isChanged() const
{
    return m_form->spec() != m_unchanged;
}

void ExperimentPage::showSpec(const ExperimentSpec &spec, const QString &origin)
{
    m_original = spec;
    m_presetName = origin;
    m_reset->setText(origin.isEmpty() ? tr("Reset") : tr("Reset to preset"));
    m_reset->setToolTip(origin.isEmpty() ? tr("Take back all changes since the file was opened")
                                         : tr("Take back all changes to the preset"));
    m_form->setSpec(spec);
    m_unchanged = m_form->spec();
    if (!status().isActive()) {
        m_run.reset();
        m_view->showIdle(spec);
    }
    updateBlockedBy();
}

/// A run, or what it came to, stays on show until the next one; the idle diagram follows each edit.
void ExperimentPage::takeEdit(const ExperimentSpec &spec)
{
    m_view->setSpec(spec);
    // What is said of a preset need not be true any more.
    m_view->setHint(isChanged() && !m_presetName.isEmpty()
                        ? tr("Changed from the preset. Press F5 to run it.")
                        : m_firstHint);
    updateBlockedBy();
    Q_EMIT statusChanged();
}

void ExperimentPage::runTrial(const QJsonObject &trial)
{
    m_form->finishEdit();
    ExperimentSpec spec = m_form->spec();
    for (auto value = trial.begin(); value != trial.end(); ++value)
        spec.set(value.key(), *value);
    m_form->setSpec(spec);
    takeEdit(m_form->spec());
    run();
}

void ExperimentPage::updateBlockedBy()
{
    const QList<Error> &faults = m_form->faults();
    const QString reason = faults.isEmpty() ? QString() : errorText(faults.first());
    if (reason == m_blockedBy)
        return;
    m_blockedBy = reason;
    Q_EMIT statusChanged();
}

void ExperimentPage::run()
{
    if (status().isActive())
        return;
    m_form->finishEdit();
    if (!m_form->faults().isEmpty()) {
        m_form->focusFirstFault();
        return;
    }
    ExperimentSpec spec = m_form->spec();
    spec.tellChangesSince(m_unchanged);
    m_run = std::make_unique<ExperimentRun>(m_engine, spec);
    m_run->setCanType(true);
    m_view->showRun(*m_run);
    m_form->setRunningSpec(m_form->spec());
    const Result<void> started = m_run->start();
    if (!started) {
        m_view->showMessage(Banner::Tone::Error, tr("The run was not started"),
                            errorText(started.error()));
        m_form->setRunningSpec({});
    }
}

void ExperimentPage::stop()
{
    if (m_run)
        m_run->stop();
}

bool ExperimentPage::isConfigShown() const
{
    return !m_config->isHidden();
}

void ExperimentPage::setConfigShown(bool shown)
{
    m_configWanted = shown;
    m_config->setVisible(shown);
}

bool ExperimentPage::isDockShown() const
{
    return m_view->isDockShown();
}

void ExperimentPage::setDockShown(bool shown)
{
    m_dockWanted = shown;
    m_view->setDockShown(shown);
}

void ExperimentPage::showDockTab(int index)
{
    m_dockWanted = true;
    m_view->showDockTab(index);
}

void ExperimentPage::resizeEvent(QResizeEvent *event)
{
    Page::resizeEvent(event);
    fitPanes();
}

void ExperimentPage::fitPanes()
{
    const bool narrow = width() < configNeedsWidth;
    const bool low = height() < dockNeedsHeight;
    if (narrow != std::exchange(m_isNarrow, narrow))
        m_config->setVisible(m_configWanted && !narrow);
    if (low != std::exchange(m_isLow, low))
        m_view->setDockShown(m_dockWanted && !low);
}

void ExperimentPage::restoreLayout()
{
    const QString group = u"page/"_s % m_kind.name;
    const QSettings settings;
    if (!m_columns->restoreState(
            settings.value(group % u'/' % m_columns->objectName()).toByteArray()))
        m_columns->setSizes({configWidth, 4096 - configWidth});
    // The form keeps its width when the window grows.
    m_columns->setStretchFactor(0, 0);
    m_columns->setStretchFactor(1, 1);
    m_view->restoreLayout(group);
}

} // namespace proclab
