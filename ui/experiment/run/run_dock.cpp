// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/run/run_dock.h"

#include "core/experiment/explain/explanation.h"
#include "core/experiment/spec/kind.h"
#include "ui/experiment/charts/chart_column.h"
#include "ui/experiment/run/code_pane.h"
#include "ui/experiment/run/explain_list.h"
#include "ui/experiment/run/run_tables.h"
#include "ui/experiment/timeline/timeline_view.h"
#include "ui/shared/count_pill.h"
#include "ui/shared/icon.h"
#include "ui/shared/theme.h"

#include <QBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QStackedLayout>
#include <QStackedWidget>
#include <QTabBar>
#include <QToolButton>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int tabRowHeight = 36;
constexpr int followTextFrom = 720; ///< Below this width the button has its icon alone.
constexpr int timelineTab = 0;
constexpr int eventsTab = 1;
constexpr int resultsTab = 2;

QToolButton *toolButton(const QString &iconName, const QString &text, QWidget *parent)
{
    auto *button = new QToolButton(parent);
    button->setIcon(icon(iconName));
    button->setAccessibleName(text);
    button->setToolTip(text);
    button->setFocusPolicy(Qt::StrongFocus);
    return button;
}

} // namespace

RunDock::RunDock(QWidget *parent)
    : QWidget(parent)
    , m_tabs(new QTabBar(this))
    , m_pages(new QStackedWidget(this))
    , m_timeline(new TimelineView(this))
    , m_events(new EventsModel(this))
    , m_results(new ResultsModel(this))
    , m_code(new CodePane(this))
    , m_explain(new ExplainList(this))
{
    setProperty("role", u"panel"_s);
    setAttribute(Qt::WA_StyledBackground);
    m_tabs->setDrawBase(false);
    m_tabs->setExpanding(false);
    m_tabs->setUsesScrollButtons(false); // There is room for all.
    m_tabs->setFont(textFont(TextSize::Body, QFont::Medium));
    m_tabs->setAccessibleName(tr("Dock"));

    auto *row = new QWidget(this);
    row->setProperty("role", u"bar"_s);
    row->setAttribute(Qt::WA_StyledBackground);
    row->setFixedHeight(tabRowHeight);
    auto *rowLayout = new QHBoxLayout(row);
    rowLayout->setContentsMargins(8, 0, 12, 1);
    rowLayout->setSpacing(4);
    rowLayout->addWidget(m_tabs);
    rowLayout->addStretch(1);
    createTools(row);

    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(row);
    column->addWidget(m_pages, 1);

    createPages();
    connect(m_tabs, &QTabBar::currentChanged, this, &RunDock::showTab);
    connect(m_timeline, &TimelineView::processSelected, this, &RunDock::processSelected);
    connect(m_explain, &ExplainList::chosen, this, &RunDock::showExplained);
    connect(m_explain, &ExplainList::trialAsked, this, &RunDock::trialAsked);
    showTab(timelineTab);
}

void RunDock::createPages()
{
    addTab(tr("Timeline"), m_timeline, tr("What each process did, over time"));

    auto *events = new DataTable(m_events, this);
    events->setAccessibleName(tr("Events"));
    addTab(tr("Events"), tablePage(events, tr("No events yet. They come with a run."), m_noEvents),
           tr("Starts, ends and faults of the processes"));
    m_eventCount = new CountPill(m_tabs);

    auto *results = new DataTable(m_results, this);
    results->setAccessibleName(tr("Results"));
    addTab(tr("Results"),
           tablePage(results, tr("No results yet. They come with a run."), m_noResults),
           tr("What came out of each task or process"));
    m_resultCount = new CountPill(m_tabs);

    addTab(tr("Code"), m_code, tr("The same in Python, and what runs here in C++"));
    addTab(tr("Explain"), m_explain, tr("What happened in the run, why, and what would change it"));
}

QWidget *RunDock::tablePage(QWidget *table, const QString &emptyText, QLabel *&empty)
{
    auto *page = new QWidget(this);
    auto *stack = new QStackedLayout(page);
    empty = new QLabel(emptyText, page);
    empty->setProperty("tone", u"text3"_s);
    empty->setAlignment(Qt::AlignCenter);
    stack->addWidget(empty);
    stack->addWidget(table);
    return page;
}

void RunDock::addTab(const QString &title, QWidget *page, const QString &tip)
{
    m_pages->addWidget(page);
    m_tabs->setTabToolTip(m_tabs->addTab(title), tip);
}

void RunDock::createTools(QWidget *row)
{
    m_tools = new QWidget(row);
    auto *tools = new QHBoxLayout(m_tools);
    tools->setContentsMargins(0, 0, 0, 0);
    tools->setSpacing(4);
    m_follow = new QPushButton(icon(u"follow"_s), tr("Follow"), m_tools);
    m_follow->setAccessibleName(m_follow->text());
    m_follow->setProperty("role", u"small"_s);
    m_follow->setFont(textFont(TextSize::Small));
    m_follow->setCheckable(true);
    m_follow->setChecked(m_timeline->isFollowing());
    m_follow->setToolTip(tr("Keep the present in view (End)"));
    auto *zoomOut = toolButton(u"zoom-out"_s, tr("Zoom out (−)"), m_tools);
    auto *zoomIn = toolButton(u"zoom-in"_s, tr("Zoom in (+)"), m_tools);
    auto *fit = toolButton(u"fit"_s, tr("Show the whole run (0)"), m_tools);
    for (QWidget *tool : {static_cast<QWidget *>(m_follow), static_cast<QWidget *>(zoomOut),
                          static_cast<QWidget *>(zoomIn), static_cast<QWidget *>(fit)})
        tools->addWidget(tool);
    row->layout()->addWidget(m_tools);

    connect(m_follow, &QPushButton::toggled, m_timeline, &TimelineView::setFollowing);
    connect(m_timeline, &TimelineView::followingChanged, m_follow, &QPushButton::setChecked);
    connect(zoomOut, &QToolButton::clicked, m_timeline, &TimelineView::zoomOut);
    connect(zoomIn, &QToolButton::clicked, m_timeline, &TimelineView::zoomIn);
    connect(fit, &QToolButton::clicked, m_timeline, &TimelineView::fit);
}

void RunDock::setRun(const std::shared_ptr<const RunLog> &log, const Kind &kind)
{
    m_log = log;
    m_countedEvents = 0;
    m_hasFailure = false;
    m_timeline->setRun(log);
    m_events->setRun(log);
    m_results->setRun(log, kind.hasTasks ? ResultsModel::Results::OfTasks
                                         : ResultsModel::Results::OfProcesses);
    if (log)
        m_explain->showWaiting();
    else
        m_explain->showNone();
    updateCounts();
}

void RunDock::advance(const StageSnapshotPointer &snapshot)
{
    if (snapshot)
        m_timeline->setSnapshot(snapshot);
    m_events->refresh();
    m_results->refresh();
    updateCounts();
}

void RunDock::explainResult(const RunResult &result)
{
    m_explain->showResult(result);
}

void RunDock::showExplained(const Explanation &explanation)
{
    setCurrentTab(timelineTab);
    m_timeline->showRange({explanation.fromNs, explanation.toNs});
    m_timeline->setFocus(Qt::OtherFocusReason);
    if (!explanation.processes.isEmpty())
        Q_EMIT processExplained(explanation.processes.first());
}

void RunDock::setSelectedProcess(int process)
{
    m_timeline->setSelectedProcess(process);
}

void RunDock::takeCharts(ChartColumn *charts)
{
    m_charts = charts;
    addTab(tr("Charts"), charts, tr("CPU, memory and the figures of the run, over time"));
    // Not shown here: under another page the Tab key would get lost in them.
    showTab(m_tabs->currentIndex());
}

ChartColumn *RunDock::releaseCharts()
{
    ChartColumn *charts = std::exchange(m_charts, nullptr);
    if (charts != nullptr) {
        const int index = m_pages->indexOf(charts);
        m_pages->removeWidget(charts);
        m_tabs->removeTab(index);
    }
    return charts;
}

int RunDock::tabCount() const
{
    return m_tabs->count();
}

void RunDock::setCurrentTab(int index)
{
    if (index >= 0 && index < m_tabs->count())
        m_tabs->setCurrentIndex(index);
}

int RunDock::currentTab() const
{
    return m_tabs->currentIndex();
}

void RunDock::showTab(int index)
{
    m_pages->setCurrentIndex(index);
    m_tools->setVisible(m_pages->currentWidget() == m_timeline);
}

void RunDock::resizeEvent(QResizeEvent *event)
{
    QWidget::resizeEvent(event);
    m_follow->setText(width() < followTextFrom ? QString() : m_follow->accessibleName());
}

void RunDock::updateCounts()
{
    countFailures();
    const int events = m_events->rowCount();
    const int results = m_results->rowCount();
    static_cast<QStackedLayout *>(m_noEvents->parentWidget()->layout())
        ->setCurrentIndex(events > 0 ? 1 : 0);
    static_cast<QStackedLayout *>(m_noResults->parentWidget()->layout())
        ->setCurrentIndex(results > 0 ? 1 : 0);
    showCount(eventsTab, m_eventCount, events, m_hasFailure);
    showCount(resultsTab, m_resultCount, results, false);
}

void RunDock::showCount(int tab, CountPill *pill, int count, bool isBad)
{
    if (!pill->setCount(count, isBad))
        return;
    // An empty pill would still take its room. A tab bar hides the widget that it replaces, also by
    // itself, so the pill is shown afterwards.
    m_tabs->setTabButton(tab, QTabBar::RightSide, nullptr);
    if (count > 0)
        m_tabs->setTabButton(tab, QTabBar::RightSide, pill);
    pill->setVisible(count > 0);
}

void RunDock::countFailures()
{
    if (!m_log)
        return;
    const AppendLog<RunEvent> &events = m_log->events();
    for (const std::size_t size = events.size(); m_countedEvents < size; ++m_countedEvents) {
        if (events[m_countedEvents].severity == RunEvent::Severity::Failure)
            m_hasFailure = true;
    }
}

} // namespace proclab
