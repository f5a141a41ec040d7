// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/top_bar.h"

#include "ui/shared/combo_box.h"
#include "ui/shared/icon.h"
#include "ui/shared/style_sheet.h"
#include "ui/shared/theme.h"
#include "ui/shell/run_progress.h"

#include <QBoxLayout>
#include <QEvent>
#include <QLabel>
#include <QPushButton>
#include <QSignalBlocker>
#include <QToolButton>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int topBarHeight = 56;
constexpr int titleWidth = 164;
constexpr int narrowestPreset = 216;
constexpr int compactPreset = 112;
constexpr int compactBelow = 760;
constexpr int widestPreset = 320;
constexpr int titleNeedsWidth = 520; // The rail says the page too.
constexpr int longestTitle = 200;    // Of a file.
constexpr qint64 startingNoticeAfterMs = 300;

} // namespace

TopBar::TopBar(QWidget *parent)
    : QWidget(parent)
    , m_titles(new QWidget(this))
    , m_title(new QLabel(m_titles))
    , m_subtitle(new QLabel(m_titles))
    , m_controls(new QWidget(this))
    , m_presets(new ComboBox(m_controls))
    , m_run(new QPushButton(m_controls))
    , m_stop(new QPushButton(m_controls))
    , m_rule(new QFrame(m_controls))
    , m_progress(new RunProgress(m_controls))
    , m_theme(new QToolButton(this))
{
    setProperty("role", u"bar"_s);
    setAttribute(Qt::WA_StyledBackground);
    setFixedHeight(topBarHeight);
    auto *row = new QHBoxLayout(this);
    row->setContentsMargins(16, 0, 16, 1);
    createTitle();
    createControls();
    row->addWidget(m_controls, 1);
    row->addStretch(0);
    row->addWidget(m_theme);

    m_theme->setFocusPolicy(Qt::StrongFocus);
    m_theme->setFixedSize(32, 32);
    connect(m_theme, &QToolButton::clicked, this, &TopBar::themeRequested);
    updateButtons();
    updateThemeButton();
    fitWidth();
}

void TopBar::createTitle()
{
    m_title->setFont(textFont(TextSize::Title, QFont::DemiBold));
    m_subtitle->setFont(textFont(TextSize::Caption));
    m_subtitle->setProperty("tone", u"text3"_s);
    for (QLabel *label : {m_title, m_subtitle})
        label->setTextFormat(Qt::PlainText);
    auto *texts = new QVBoxLayout(m_titles);
    texts->setSpacing(0);
    texts->setContentsMargins(0, 8, 0, 8);
    texts->addStretch(1);
    texts->addWidget(m_title);
    texts->addWidget(m_subtitle);
    texts->addStretch(1);
    layout()->addWidget(m_titles);
}

void TopBar::createControls()
{
    m_presets->setProperty("role", u"preset"_s);
    m_presets->setCaption(tr("Preset"));
    m_presets->setAccessibleName(tr("Preset"));
    m_presets->setMaximumWidth(widestPreset);
    m_run->setProperty("role", u"primary"_s);
    m_run->setText(tr("Run"));
    m_stop->setText(tr("Stop"));
    m_stop->setToolTip(tr("End the run and its processes (Shift+F5)"));
    for (QPushButton *button : {m_run, m_stop}) {
        button->setFont(textFont(TextSize::Body, QFont::Medium));
    }
    m_rule->setProperty("role", u"rule"_s);
    m_rule->setFixedSize(1, 24);

    auto *row = new QHBoxLayout(m_controls);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(8);
    row->addWidget(m_presets);
    row->addSpacing(8);
    row->addWidget(m_run);
    row->addWidget(m_stop);
    row->addSpacing(8);
    row->addWidget(m_rule);
    row->addSpacing(8);
    row->addWidget(m_progress, 1);
    row->addStretch(0);

    connect(m_presets, &QComboBox::activated, this, [this](int index) {
        updatePresetTip();
        const QString name = m_presets->itemData(index).toString();
        if (!name.isEmpty())
            Q_EMIT presetChosen(name);
    });
    connect(m_run, &QPushButton::clicked, this, &TopBar::runRequested);
    connect(m_stop, &QPushButton::clicked, this, &TopBar::stopRequested);
}

void TopBar::setPage(const PageInfo &page, const QList<Preset> &presets)
{
    m_title->setText(page.title);
    m_subtitle->setText(page.subtitle);
    const QSignalBlocker blocker(m_presets);
    m_presets->clear();
    for (const Preset &preset : presets) {
        m_presets->addItem(preset.title, preset.name);
        m_presets->setItemData(m_presets->count() - 1, preset.description, Qt::ToolTipRole);
    }
    m_controls->setVisible(!presets.isEmpty());
}

bool TopBar::hasFocusOnTheme() const
{
    return window()->focusWidget() == m_theme;
}

void TopBar::setCurrentPreset(const QString &name, const QString &fileTitle)
{
    const QSignalBlocker blocker(m_presets);
    if (const int fromFile = m_presets->findData(QString()); fromFile >= 0)
        m_presets->removeItem(fromFile);
    int index = name.isEmpty() ? -1 : m_presets->findData(name);
    if (index < 0) {
        const QString title = fileTitle.simplified().left(longestTitle);
        m_presets->addItem(title.isEmpty() ? tr("From a file") : title, QString());
        index = m_presets->count() - 1;
        m_presets->setItemData(index, tr("This experiment was opened from a file."),
                               Qt::ToolTipRole);
    }
    m_presets->setCurrentIndex(index);
    updatePresetTip();
}

void TopBar::updatePresetTip()
{
    const QString about = m_presets->currentData(Qt::ToolTipRole).toString();
    // As HTML it breaks its lines.
    m_presets->setToolTip(u"<qt><b>"_s % m_presets->currentText().toHtmlEscaped() % u"</b><br>"_s %
                          about.toHtmlEscaped() % u"</qt>"_s);
}

void TopBar::setChanged(bool isChanged)
{
    if (isChanged == m_isChanged)
        return;
    m_isChanged = isChanged;
    m_presets->setRemark(isChanged ? tr("changed") : QString());
}

void TopBar::setStatus(const RunStatus &status, const QString &blockedBy)
{
    using State = RunSource::State;
    if (status.state == State::Starting && m_status.state != State::Starting)
        m_starting.start();
    m_status = status;
    m_blockedBy = blockedBy;
    m_progress->setStatus(status);
    updateButtons();
}

void TopBar::updateButtons()
{
    using State = RunSource::State;
    const bool active = m_status.isActive();
    const bool canRun = !active && m_blockedBy.isEmpty();
    QString text = tr("Run");
    if (m_status.state == State::Starting && m_starting.isValid() &&
        m_starting.elapsed() > startingNoticeAfterMs) {
        text = m_status.processes > 0
                   ? tr("Starting %1 of %2").arg(m_status.startedProcesses).arg(m_status.processes)
                   : tr("Starting");
    }
    QString tip = tr("Start the experiment (F5)");
    if (active)
        tip = tr("It runs already");
    else if (!canRun)
        tip = m_blockedBy;
    const bool stopping = m_status.state == State::Stopping;
    // This is called for each frame: nothing is set that stands already.
    if (m_run->text() != text)
        m_run->setText(text);
    if (m_run->toolTip() != tip)
        m_run->setToolTip(tip);
    const QString stopText = stopping ? tr("Stopping") : tr("Stop");
    if (m_stop->text() != stopText)
        m_stop->setText(stopText);
    const bool canStop = active && !stopping;
    keepFocus(canRun, canStop);
    if (m_run->isEnabled() != canRun || m_run->icon().isNull()) {
        m_run->setEnabled(canRun);
        m_run->setIcon(icon(u"play"_s, IconTone::OnAccent));
    }
    if (m_stop->isEnabled() != canStop || m_stop->icon().isNull()) {
        m_stop->setEnabled(canStop);
        m_stop->setIcon(icon(u"stop"_s, IconTone::Crash));
    }
}

/// The focus goes from Run to Stop and back, not to whatever comes next: a Space after a click on
/// Run would do that.
void TopBar::keepFocus(bool canRun, bool canStop)
{
    const QPushButton *held = m_run->hasFocus() ? m_run : m_stop->hasFocus() ? m_stop : nullptr;
    m_owesFocus = m_owesFocus && window()->focusWidget() == nullptr;
    if (!held && !m_owesFocus)
        return;
    if (held && (held == m_run ? canRun : canStop))
        return;
    QPushButton *next = canStop ? m_stop : canRun ? m_run : nullptr;
    m_owesFocus = next == nullptr; // Until one of them can be used.
    if (next) {
        next->setEnabled(true);
        next->setFocus();
    } else if (QWidget *focus = window()->focusWidget()) {
        focus->clearFocus();
    }
}

void TopBar::changeEvent(QEvent *event)
{
    if (event->type() == QEvent::PaletteChange && m_theme != nullptr)
        updateThemeButton();
    QWidget::changeEvent(event);
}

void TopBar::resizeEvent(QResizeEvent *event)
{
    QWidget::resizeEvent(event);
    fitWidth();
}

void TopBar::fitWidth()
{
    const bool compact = width() < compactBelow;
    layout()->setSpacing(compact ? 8 : 16);
    m_titles->setMinimumWidth(compact ? 0 : titleWidth);
    m_titles->setVisible(width() >= titleNeedsWidth);
    m_subtitle->setVisible(!compact);
    m_presets->setMinimumWidth(compact ? compactPreset : narrowestPreset);
    m_rule->setVisible(!compact);
    for (QPushButton *button : {m_run, m_stop})
        button->setMinimumWidth(compact ? 0 : 82);
}

void TopBar::updateThemeButton()
{
    const bool dark = Theme::current().dark;
    m_theme->setIcon(icon(dark ? u"sun"_s : u"moon"_s));
    const QString text = dark ? tr("Light theme (Ctrl+Shift+L)") : tr("Dark theme (Ctrl+Shift+L)");
    m_theme->setToolTip(text);
    m_theme->setAccessibleName(text);
}

} // namespace proclab
