// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/own_settings.h"
#include "ui/experiment/run/run_view.h"

#include "core/experiment/run/experiment_run.h"
#include "core/experiment/spec/kind.h"
#include "core/process/engine.h"
#include "tests/support/leak_check.h"
#include "tests/support/roles.h"
#include "tests/support/scripted_run.h"
#include "ui/charts/line_chart.h"
#include "ui/experiment/charts/chart_column.h"
#include "ui/experiment/run/run_summary.h"
#include "ui/experiment/stage/stage_view.h"
#include "ui/experiment/timeline/timeline_view.h"
#include "ui/shared/theme.h"

#include <QApplication>
#include <QBoxLayout>
#include <QJsonObject>
#include <QSettings>
#include <QSignalSpy>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>

#include <csignal>
#include <memory>

using namespace Qt::StringLiterals;
using namespace proclab;
using proclab::test::ScriptedRun;
using State = RunSource::State;

namespace {

constexpr int patience = 60'000;
constexpr qint64 second = 1'000'000'000;

/// @p count tasks of a tenth of a second for two workers.
ExperimentSpec poolSpec(int count)
{
    ExperimentSpec spec(u"pool"_s);
    spec.set(u"pool.workers"_s, 2);
    spec.set(u"tasks"_s, QJsonObject{{u"task"_s, u"io.sleep"_s},
                                     {u"args"_s, QJsonObject{{u"min_s"_s, 0.1}, {u"max_s"_s, 0.1}}},
                                     {u"count"_s, count}});
    return spec;
}

ProcessRecord workerRecord(int number)
{
    ProcessRecord record;
    record.role = test::worker();
    record.name = record.role->processName(number);
    record.colorIndex = number - 1;
    return record;
}

/// A window that is no page: it holds a view and nothing else.
struct Frame
{
    explicit Frame(const QString &kind) : view(new RunView(*findKind(kind), &window))
    {
        auto *layout = new QVBoxLayout(&window);
        layout->addWidget(view);
        window.resize(1300, 800);
        window.show();
    }
    [[nodiscard]] QString stageText() const
    {
        return view->findChild<StageView *>()->accessibleDescription();
    }
    [[nodiscard]] QString title() const { return view->findChild<Banner *>()->title(); }
    [[nodiscard]] bool isBannerShown() const { return view->findChild<Banner *>()->isVisible(); }
    [[nodiscard]] QImage picture() const
    {
        return view->findChild<StageView *>()->grab().toImage();
    }
    [[nodiscard]] int rows(const QString &table) const
    {
        for (const QTableView *found : view->findChildren<QTableView *>()) {
            if (found->accessibleName() == table)
                return found->model()->rowCount();
        }
        return -1;
    }

    QWidget window;
    RunView *view;
};

} // namespace

class tst_RunView : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init() { QSettings().clear(); }
    void everyKindHasAView_data();
    void everyKindHasAView();
    void idleViewFollowsTheSpec();
    void liveRunIsShownUntilItsEnd();
    void finishedRunShowsEachInstant();
    void liveRunGoesOnBehindAnInstant();
    void deathIsToldAtOnce();
    void runMayGoBeforeItsView();
    void nextRunForgetsTheOne();
    void summaryTellsProcessesFromItems();
    void layoutIsKept();

private:
    QTemporaryDir m_folder;
    std::unique_ptr<Engine> m_engine;
};

void tst_RunView::initTestCase()
{
    QVERIFY(m_folder.isValid());
    test::keepSettingsIn(m_folder.path());
    Theme::apply(*qApp, Theme::Mode::Dark);
    m_engine = std::make_unique<Engine>();
}

void tst_RunView::everyKindHasAView_data()
{
    QTest::addColumn<QString>("kind");
    for (const Kind &kind : kinds()) {
        if (kind.isAvailable())
            QTest::newRow(qPrintable(kind.name)) << kind.name;
    }
}

void tst_RunView::everyKindHasAView()
{
    QFETCH(const QString, kind);
    const Frame frame(kind);
    QCOMPARE(frame.view->status().state, State::Idle);
    QVERIFY(!frame.isBannerShown());
    QCOMPARE(frame.rows(u"Events"_s), 0);
    QVERIFY(!frame.picture().isNull());
}

void tst_RunView::idleViewFollowsTheSpec()
{
    const Frame frame(u"pool"_s);
    frame.view->showIdle(poolSpec(5));
    QVERIFY2(frame.stageText().contains(u"5 tasks"_s), qPrintable(frame.stageText()));
    ExperimentSpec edited = poolSpec(6);
    edited.set(u"pool.start_method"_s, u"spawn"_s);
    frame.view->setSpec(edited);
    QVERIFY2(frame.stageText().contains(u"6 tasks"_s), qPrintable(frame.stageText()));
    QCOMPARE(frame.view->status().startMethod, u"spawn"_s);
}

void tst_RunView::liveRunIsShownUntilItsEnd()
{
    const Frame frame(u"pool"_s);
    ExperimentRun run(*m_engine, poolSpec(20));
    QSignalSpy ended(frame.view, &RunView::runEnded);
    frame.view->showRun(run);
    QVERIFY(run.start());
    QVERIFY(frame.view->status().isActive());
    QTRY_VERIFY_WITH_TIMEOUT(frame.view->status().done > 0, patience);
    QVERIFY(frame.stageText().contains(u" of 20 tasks done"_s));
    frame.view->setSpec(poolSpec(7)); // An edit leaves the run alone.
    QVERIFY(frame.stageText().contains(u" of 20 tasks done"_s));
    QTRY_COMPARE_WITH_TIMEOUT(ended.size(), 1, patience);
    QCOMPARE(frame.view->status().state, State::Ended);
    QCOMPARE(frame.view->status().done, quint64{20});
    QCOMPARE(frame.stageText(), u"20 of 20 tasks done, 0 waiting, 0 failed"_s);
    QVERIFY(frame.isBannerShown());
    QVERIFY2(frame.title().startsWith(u"20 done in "_s), qPrintable(frame.title()));
    QCOMPARE(frame.rows(u"Results"_s), 20);
    QVERIFY(frame.rows(u"Events"_s) > 0);
    QTRY_VERIFY2_WITH_TIMEOUT(test::childPids().isEmpty(), "a child is left", patience);
}

void tst_RunView::finishedRunShowsEachInstant()
{
    RunResult result;
    {
        ExperimentRun run(*m_engine, poolSpec(20));
        QSignalSpy ended(&run, &ExperimentRun::ended);
        QVERIFY(run.start());
        QVERIFY(ended.wait(patience));
        result = run.result();
    }
    const FinishedRun finished(result);
    const Frame frame(u"pool"_s);
    frame.view->showRun(finished);
    QCOMPARE(frame.view->status().state, State::Ended);
    QVERIFY(frame.isBannerShown());
    const QString atEnd = u"20 of 20 tasks done, 0 waiting, 0 failed"_s;
    QCOMPARE(frame.stageText(), atEnd);
    QCOMPARE(frame.rows(u"Results"_s), 20);
    const QImage picture = frame.picture();

    const qint64 half = finished.snapshot()->timeNs / 2;
    const StageSnapshotPointer then = finished.snapshotAt(half);
    QVERIFY(then->done < 20);
    frame.view->setInstant(half);
    QCOMPARE(frame.view->instant(), half);
    QVERIFY2(frame.stageText().startsWith(u"%1 of 20 tasks done"_s.arg(then->done)),
             qPrintable(frame.stageText()));
    QVERIFY(frame.picture() != picture);
    frame.view->setInstant(0);
    QVERIFY2(frame.stageText().startsWith(u"0 of 20 tasks done"_s), qPrintable(frame.stageText()));
    frame.view->setInstant(std::nullopt);
    QCOMPARE(frame.stageText(), atEnd);
    QTRY_COMPARE_WITH_TIMEOUT(frame.picture(), picture, patience); // Tokens come to rest.
}

void tst_RunView::liveRunGoesOnBehindAnInstant()
{
    ScriptedRun run(poolSpec(9));
    run.writableLog().addProcess({});
    run.writableLog().addProcess(workerRecord(1));
    run.writableLog().addProcess(workerRecord(2));
    const auto show = [&run](qint64 timeNs, quint64 done) {
        StageSnapshot picture;
        picture.timeNs = timeNs;
        picture.processes = {{.process = 0, .state = ProcessState::Waiting},
                             {.process = 1, .state = ProcessState::Running},
                             {.process = 2, .state = ProcessState::Running}};
        picture.total = 9;
        picture.done = done;
        run.writableLog().snapshots.append(std::make_shared<StageSnapshot>(picture));
    };
    const Frame frame(u"pool"_s);
    frame.view->showRun(run);
    run.setState(State::Running);
    show(second, 2);
    QTRY_VERIFY_WITH_TIMEOUT(frame.stageText().startsWith(u"2 of 9"_s), patience);
    frame.view->setInstant(second);
    show(2 * second, 5);
    QTRY_COMPARE_WITH_TIMEOUT(frame.view->status().done, quint64{5}, patience);
    QVERIFY2(frame.stageText().startsWith(u"2 of 9"_s), qPrintable(frame.stageText()));
    frame.view->setInstant(std::nullopt);
    QVERIFY2(frame.stageText().startsWith(u"5 of 9"_s), qPrintable(frame.stageText()));
}

void tst_RunView::deathIsToldAtOnce()
{
    ScriptedRun run(poolSpec(9));
    run.writableLog().addProcess({});
    run.writableLog().addProcess(workerRecord(1));
    const Frame frame(u"pool"_s);
    frame.view->showRun(run);
    run.setState(State::Running);
    QVERIFY(!frame.isBannerShown());
    run.writableLog().updateProcess(1, [](ProcessRecord &record) {
        record.endNs = second;
        record.signal = SIGKILL;
    });
    QTRY_VERIFY_WITH_TIMEOUT(frame.isBannerShown(), patience);
    QCOMPARE(frame.title(), u"worker-1 was ended by SIGKILL."_s);
    RunResult result;
    result.totals = {.tasks = 9, .done = 8, .lost = 1};
    run.end(result);
    QCOMPARE(frame.title(), u"8 of 9 done, 1 lost"_s);
}

void tst_RunView::runMayGoBeforeItsView()
{
    Frame frame(u"pool"_s);
    {
        ScriptedRun run(poolSpec(9));
        run.writableLog().addProcess({});
        frame.view->showRun(run);
        StageSnapshot picture;
        picture.processes = {{.process = 0}};
        picture.total = 9;
        picture.done = 4;
        run.writableLog().snapshots.append(std::make_shared<StageSnapshot>(picture));
        run.end();
    }
    QVERIFY(frame.stageText().startsWith(u"4 of 9"_s));
    frame.view->setInstant(0);
    frame.view->setSpec(poolSpec(7));
    frame.window.hide();
    frame.window.show();
    QVERIFY(frame.stageText().startsWith(u"4 of 9"_s));
    QCOMPARE(frame.view->status().state, State::Ended);
    frame.view->showIdle(poolSpec(7));
    QCOMPARE(frame.view->status().state, State::Idle);
    QVERIFY(frame.stageText().contains(u"7 tasks"_s));
}

void tst_RunView::nextRunForgetsTheOne()
{
    const Frame frame(u"pool"_s);
    ScriptedRun first(poolSpec(9));
    first.writableLog().addProcess({});
    first.writableLog().addEvent({});
    frame.view->showRun(first);
    first.end();
    frame.view->setInstant(second);
    QCOMPARE(frame.rows(u"Events"_s), 1);
    QVERIFY(frame.isBannerShown());
    ScriptedRun next(poolSpec(5));
    next.writableLog().addProcess({});
    frame.view->showRun(next);
    QVERIFY(!frame.isBannerShown());
    QVERIFY(!frame.view->instant());
    QCOMPARE(frame.rows(u"Events"_s), 0);
    QCOMPARE(frame.view->status().state, State::Idle);
    QSignalSpy ended(frame.view, &RunView::runEnded);
    first.end(); // Whatever the first one still says.
    QVERIFY(ended.isEmpty());
    QVERIFY(!frame.isBannerShown());
}

void tst_RunView::summaryTellsProcessesFromItems()
{
    const auto log = std::make_shared<RunLog>();
    StageSnapshot picture;
    picture.total = 80;
    picture.done = 79;
    picture.failed = 1;
    log->snapshots.append(std::make_shared<StageSnapshot>(picture));
    RunResult result;
    result.spec = ExperimentSpec(u"pipeline"_s);
    result.log = log;
    result.totals = {.tasks = 5, .done = 5};
    QVERIFY(summaryOf(result).title.startsWith(u"79 done in "_s));
    result.totals = {.tasks = 6, .done = 5, .failed = 1};
    QCOMPARE(summaryOf(result).title,
             u"Processes that failed: 1 of 6 \u00B7 79 of 80 done, 1 failed"_s);
}

void tst_RunView::layoutIsKept()
{
    {
        const Frame frame(u"pool"_s);
        frame.view->setDockShown(false);
        QVERIFY(!frame.view->isDockShown());
        frame.view->showDockTab(1);
        QVERIFY(frame.view->isDockShown());
        frame.view->saveLayout(u"test"_s);
    }
    QVERIFY(!QSettings().value(u"test/rows"_s).toByteArray().isEmpty());
    QVERIFY(!QSettings().value(u"test/upper"_s).toByteArray().isEmpty());
    const Frame frame(u"pool"_s);
    const int before = frame.view->findChild<ChartColumn *>()->width();
    frame.view->restoreLayout(u"test"_s);
    QCOMPARE(frame.view->findChild<ChartColumn *>()->width(), before);
}

QTEST_MAIN(tst_RunView)
#include "tst_run_view.moc"
