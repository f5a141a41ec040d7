// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_log.h"
#include "core/experiment/run/stage_snapshot.h"

#include <QJsonObject>
#include <QWidget>

#include <memory>

class QLabel;
class QPushButton;
class QStackedWidget;
class QTabBar;
class QToolButton;

namespace proclab {

class ChartColumn;
class CodePane;
class CountPill;
class EventsModel;
class ExplainList;
class ResultsModel;
class TimelineView;
struct Explanation;
struct Kind;
struct RunResult;

/// The pane below the stage: timeline, events, results and code of a run and what explains them, in
/// narrow windows the charts too.
class RunDock final : public QWidget
{
    Q_OBJECT

public:
    explicit RunDock(QWidget *parent = nullptr);

    /// The run of @p kind to show from now on; null: none.
    void setRun(const std::shared_ptr<const RunLog> &log, const Kind &kind);
    /// Takes in what is new.
    void advance(const StageSnapshotPointer &snapshot);
    /// The run on show has ended with @p result.
    void explainResult(const RunResult &result);
    void setSelectedProcess(int process);

    /// Takes @p charts in as the last tab; they become a child of the dock.
    void takeCharts(ChartColumn *charts);
    /// Gives the charts back, without a parent's layout; null if it had none.
    ChartColumn *releaseCharts();

    [[nodiscard]] int tabCount() const;
    void setCurrentTab(int index);
    [[nodiscard]] int currentTab() const;
    [[nodiscard]] TimelineView *timeline() const { return m_timeline; }
    [[nodiscard]] CodePane *code() const { return m_code; }

Q_SIGNALS:
    void processSelected(int process);
    /// What is explained is about @p process, which may be selected already.
    void processExplained(int process);
    /// The user wants a run with these values, by the field's path.
    void trialAsked(const QJsonObject &trial);

protected:
    void resizeEvent(QResizeEvent *event) override;

private:
    void createPages();
    void createTools(QWidget *row);
    QWidget *tablePage(QWidget *table, const QString &emptyText, QLabel *&empty);
    void addTab(const QString &title, QWidget *page, const QString &tip);
    void showTab(int index);
    void showExplained(const Explanation &explanation);
    void updateCounts();
    void showCount(int tab, CountPill *pill, int count, bool isBad);
    void countFailures();

    std::shared_ptr<const RunLog> m_log;
    std::size_t m_countedEvents = 0;
    bool m_hasFailure = false;
    QTabBar *m_tabs;
    QStackedWidget *m_pages;
    TimelineView *m_timeline;
    EventsModel *m_events;
    ResultsModel *m_results;
    CodePane *m_code;
    ExplainList *m_explain;
    ChartColumn *m_charts = nullptr;
    QLabel *m_noEvents = nullptr;
    QLabel *m_noResults = nullptr;
    CountPill *m_eventCount = nullptr;
    CountPill *m_resultCount = nullptr;
    QWidget *m_tools = nullptr;
    QPushButton *m_follow = nullptr;
};

} // namespace proclab
