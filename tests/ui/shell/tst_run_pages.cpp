// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/number_text.h"
#include "core/experiment/spec/kind.h"
#include "core/experiment/spec/presets.h"
#include "core/process/engine.h"
#include "tests/support/leak_check.h"
#include "tests/support/own_settings.h"
#include "ui/experiment/form/field_editor.h"
#include "ui/experiment/form/spec_form.h"
#include "ui/experiment/run/experiment_page.h"
#include "ui/experiment/stage/stage_view.h"
#include "ui/shared/banner.h"
#include "ui/shared/theme.h"
#include "ui/shell/main_window.h"
#include "ui/shell/nav_rail.h"
#include "ui/shell/other_runs_bar.h"
#include "ui/shell/run_progress.h"
#include "ui/shell/status_line.h"
#include "ui/shell/top_bar.h"

#include <QApplication>
#include <QComboBox>
#include <QFileInfo>
#include <QJsonObject>
#include <QMessageBox>
#include <QPushButton>
#include <QRegularExpression>
#include <QSettings>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>

#include <memory>

#include <csignal>
#include <sys/types.h>

using namespace Qt::StringLiterals;
using namespace proclab;

using Edits = QList<QPair<QString, QString>>; // Path, what is typed.

constexpr int limitMs = 60'000;

/// The window from Run to the last figure, with the real engine and its processes.
class tst_RunPages : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();
    void cleanup();
    void runShowsWhatItCameTo_data();
    void runShowsWhatItCameTo();
    void failuresAreCounted();
    void deathIsToldWhileTheRunGoesOn_data();
    void deathIsToldWhileTheRunGoesOn();
    void stopEndsEveryProcess_data();
    void stopEndsEveryProcess();
    void focusGoesFromRunToStopAndBack();
    void closingDuringARunEndsEveryProcess_data();
    void closingDuringARunEndsEveryProcess();
    void questionCanBeDeclined();
    void presetChangeLeavesTheRunAlone();
    void themeSwitchDuringARun();
    void runGoesOnBehindAnotherPage();
    void runsAtOnceAreToldOnEachPage();

private:
    [[nodiscard]] ExperimentPage *page() const { return m_window->currentExperiment(); }
    [[nodiscard]] QPushButton *runButton() const { return m_window->topBar()->runButton(); }
    [[nodiscard]] FieldEditor *editor(const QString &path) const;
    void makeWindow(MainWindow::CloseMode mode);
    void type(const QString &path, const QString &text);
    void openLongRun(const QString &kind);
    [[nodiscard]] QStringList livingProcesses(const QList<ProcessRecord> &processes) const;
    void checkFigures();
    void checkTables(const RunResult &result);
    void checkStage(const RunResult &result);

    QTemporaryDir m_folder;
    std::unique_ptr<Engine> m_engine;
    std::unique_ptr<MainWindow> m_window;
};

void tst_RunPages::initTestCase()
{
    QVERIFY(m_folder.isValid());
    test::keepSettingsIn(m_folder.path());
    m_engine = std::make_unique<Engine>();
    QVERIFY2(QFileInfo(m_engine->workerProgram()).isExecutable(),
             qPrintable(m_engine->workerProgram()));
}

void tst_RunPages::init()
{
    QSettings().clear();
    Theme::apply(*qApp, Theme::Mode::Dark);
    makeWindow(MainWindow::CloseMode::EndSilently);
}

void tst_RunPages::cleanup()
{
    m_window.reset();
    QTRY_VERIFY2_WITH_TIMEOUT(test::childPids().isEmpty(), "a child is left", limitMs);
}

void tst_RunPages::makeWindow(MainWindow::CloseMode mode)
{
    m_window = std::make_unique<MainWindow>(*m_engine, mode);
    QVERIFY(m_window->showPage(u"pool"_s));
    m_window->resize(1440, 900);
    m_window->show();
    m_window->activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(m_window.get()));
}

FieldEditor *tst_RunPages::editor(const QString &path) const
{
    return page()->findChild<SpecForm *>()->editor(path);
}

void tst_RunPages::type(const QString &path, const QString &text)
{
    FieldEditor *field = editor(path);
    QVERIFY2(field != nullptr, qPrintable(path));
    QTest::mouseClick(field->control(), Qt::LeftButton);
    QTest::keyClick(field->control(), Qt::Key_A, Qt::ControlModifier);
    QTest::keyClicks(field->control(), text);
}

/// An experiment of @p kind that takes minutes, unless it is ended.
void tst_RunPages::openLongRun(const QString &kind)
{
    ExperimentSpec spec(kind);
    if (kind == u"pool"_s) {
        spec.set(u"pool.workers"_s, 3);
        spec.set(u"tasks.task"_s, u"io.sleep"_s);
        spec.set(u"tasks.args.min_s"_s, 60);
        spec.set(u"tasks.args.max_s"_s, 60);
        spec.set(u"tasks.count"_s, 9);
    } else if (kind == u"pipeline"_s) {
        spec.set(u"pipeline.producers"_s, 2);
        spec.set(u"pipeline.consumers"_s, 2);
        spec.set(u"consume.task"_s, u"io.sleep"_s);
        spec.set(u"consume.args.min_s"_s, 60);
        spec.set(u"consume.args.max_s"_s, 60);
    } else {
        spec.set(u"counter.processes"_s, 3);
        spec.set(u"counter.increments"_s, 10'000'000);
        spec.set(u"counter.mode"_s, u"lock"_s);
        spec.set(u"counter.gap_ns"_s, 100'000);
    }
    QVERIFY(m_window->openSpec(spec));
    QVERIFY2(page()->spec().check().isEmpty(), qPrintable(runButton()->toolTip()));
}

/// Which of @p processes are still there, by the folder of the program that they run: that of a
/// scene is not the worker's own.
QStringList tst_RunPages::livingProcesses(const QList<ProcessRecord> &processes) const
{
    const QString programs = QFileInfo(m_engine->workerProgram()).path();
    QStringList living;
    for (const ProcessRecord &process : processes) {
        const QFileInfo program(
            QFileInfo(u"/proc/%1/exe"_s.arg(static_cast<qint64>(process.pid))).symLinkTarget());
        if (!process.isParent() && program.path() == programs)
            living << process.name;
    }
    return living;
}

void tst_RunPages::checkFigures()
{
    const RunResult &result = page()->currentRun()->result();
    QVERIFY(!result.engineError);
    const WorkCounts work = result.work();
    const RunProgress *progress = m_window->topBar()->progress();
    QString count = u"%1 of %2 done"_s.arg(groupedNumber(static_cast<qint64>(work.done)),
                                           groupedNumber(static_cast<qint64>(work.total)));
    if (work.failed > 0)
        count += u", %1 failed"_s.arg(work.failed);
    QCOMPARE(progress->countText(), count);
    QCOMPARE(progress->elapsedText(), elapsedClock(result.elapsedSeconds));
    QCOMPARE(m_window->statusLine()->stateText(), u"Ended"_s);
    QVERIFY(runButton()->isEnabled());
    QVERIFY(!m_window->topBar()->stopButton()->isEnabled());
    const auto *banner = page()->findChild<Banner *>();
    QVERIFY(!banner->isHidden());
    const QString said = banner->title() % u' ' % banner->detail();
    if (!result.notice.isEmpty())
        QVERIFY2(said.contains(noticeText(result)), qPrintable(said));
    QVERIFY2(said.contains(durationText(result.elapsedSeconds)), qPrintable(said));
    checkStage(result);
    checkTables(result);
}

void tst_RunPages::checkStage(const RunResult &result)
{
    const QString said = page()->findChild<StageView *>()->accessibleDescription();
    const QJsonObject outcome = result.outcome.toObject();
    const auto number = [](const QJsonValue &value) { return groupedNumber(value.toInteger()); };
    QString expected;
    if (page()->kind().name == u"pool"_s)
        expected = u"%1 of %2 tasks done, 0 waiting, %3 failed"_s.arg(result.totals.done)
                       .arg(result.totals.tasks)
                       .arg(result.totals.failed);
    else if (page()->kind().name == u"pipeline"_s)
        expected = u"%1 of %2 items taken, 0 of %3 in the queue"_s.arg(
            number(outcome[u"consumed"_s]), number(outcome[u"produced"_s]),
            groupedNumber(result.spec.bigInteger(u"pipeline.capacity"_s)));
    else
        expected = u"counter at %1 of %2, %3 updates lost"_s.arg(
            number(outcome[u"final"_s]), number(outcome[u"expected"_s]),
            number(outcome[u"lost_updates"_s]));
    QVERIFY2(said.startsWith(expected), qPrintable(said % u" | "_s % expected));
}

void tst_RunPages::checkTables(const RunResult &result)
{
    const QAbstractItemModel *results = nullptr;
    const QAbstractItemModel *events = nullptr;
    for (const QTableView *table : page()->findChildren<QTableView *>())
        (table->accessibleName() == u"Results"_s ? results : events) = table->model();
    QVERIFY(results != nullptr && events != nullptr);
    const RunLog &log = *result.log;
    QCOMPARE(events->rowCount(), static_cast<int>(log.events().size()));
    for (int row = 0; row < events->rowCount(); ++row)
        QCOMPARE(events->index(row, 2).data().toString(),
                 eventText(log, log.events()[std::size_t(row)]));
    const QList<ProcessRecord> processes = log.processes();
    if (log.tasks.size() == 0) {
        QCOMPARE(results->rowCount(), processes.size() - 1);
        for (int row = 0; row < results->rowCount(); ++row) {
            QCOMPARE(results->index(row, 1).data().toString(), processes[row + 1].name);
            QCOMPARE(results->index(row, 3).data().toString(),
                     groupedNumber(static_cast<qint64>(processes[row + 1].done)));
        }
        return;
    }
    QCOMPARE(results->rowCount(), static_cast<int>(result.totals.tasks));
    for (int row = 0; row < results->rowCount(); ++row) {
        const TaskRecord &task = log.tasks[std::size_t(row)];
        QCOMPARE(results->index(row, 0).data().toString(), QString::number(task.index));
        QCOMPARE(withPlainNumbers(results->index(row, 3).data(Qt::ToolTipRole).toString()),
                 taskValueText(log, task));
        const bool failed = !taskErrorText(log, task).isEmpty();
        QCOMPARE(!results->index(row, 4).data().toString().isEmpty(), failed);
    }
}

void tst_RunPages::runShowsWhatItCameTo_data()
{
    QTest::addColumn<QString>("kind");
    QTest::addColumn<Edits>("edits");
    QTest::addColumn<QString>("choice"); // A combo box, stepped by Down.
    QTest::addColumn<QString>("faulty");
    QTest::newRow("pool") << u"pool"_s
                          << Edits{{u"pool.workers"_s, u"3"_s},
                                   {u"tasks.count"_s, u"7"_s},
                                   {u"tasks.args.max_s"_s, u"0.02"_s}}
                          << u"pool.method"_s << u"pool.workers"_s;
    QTest::newRow("pipeline") << u"pipeline"_s
                              << Edits{{u"pipeline.consumers"_s, u"2"_s},
                                       {u"produce.args.max_s"_s, u"0.05"_s},
                                       {u"consume.args.min_s"_s, u"0"_s},
                                       {u"consume.args.max_s"_s, u"0.02"_s}}
                              << QString() << u"pipeline.producers"_s;
    QTest::newRow("counter") << u"counter"_s
                             << Edits{{u"counter.processes"_s, u"3"_s},
                                      {u"counter.increments"_s, u"5000"_s}}
                             << u"counter.mode"_s << u"counter.processes"_s;
}

void tst_RunPages::runShowsWhatItCameTo()
{
    QFETCH(const QString, kind);
    QFETCH(const Edits, edits);
    QFETCH(const QString, choice);
    QFETCH(const QString, faulty);
    for (NavButton *button : m_window->rail()->findChildren<NavButton *>()) {
        if (button->accessibleName() == findKind(kind)->title)
            QTest::mouseClick(button, Qt::LeftButton);
    }
    QCOMPARE(m_window->currentPageName(), kind);
    for (const auto &[path, text] : edits) {
        type(path, text);
        QCOMPARE(page()->spec().value(path).toVariant().toDouble(), text.toDouble());
    }
    if (!choice.isEmpty()) {
        const QString before = page()->spec().text(choice);
        QTest::keyClick(editor(choice)->control(), Qt::Key_Down);
        QVERIFY(page()->spec().text(choice) != before);
    }

    const QString right = editor(faulty)->value().toVariant().toString();
    type(faulty, u"0"_s);
    QCOMPARE(editor(faulty)->note(), FieldEditor::Note::Error);
    QVERIFY(!editor(faulty)->noteText().isEmpty());
    QVERIFY(!runButton()->isEnabled());
    QTest::mouseClick(runButton(), Qt::LeftButton);
    QVERIFY(page()->currentRun() == nullptr);
    type(faulty, right);
    QCOMPARE(editor(faulty)->note(), FieldEditor::Note::None);
    QVERIFY(runButton()->isEnabled());

    QTest::mouseClick(runButton(), Qt::LeftButton);
    QVERIFY(page()->status().isActive());
    QVERIFY(!runButton()->isEnabled());
    QTRY_COMPARE_WITH_TIMEOUT(page()->status().state, ExperimentRun::State::Ended, limitMs);
    checkFigures();
    const std::shared_ptr<const RunLog> first = page()->currentRun()->log();

    QTest::keyClick(m_window.get(), Qt::Key_F5);
    QVERIFY(page()->status().isActive());
    QVERIFY(page()->currentRun()->log() != first);
    QTRY_COMPARE_WITH_TIMEOUT(page()->status().state, ExperimentRun::State::Ended, limitMs);
    checkFigures();
}

void tst_RunPages::failuresAreCounted()
{
    ExperimentSpec spec(u"pool"_s);
    spec.set(u"pool.workers"_s, 2);
    spec.set(u"tasks.task"_s, u"fail.throw"_s);
    spec.set(u"tasks.args.every"_s, 5);
    spec.set(u"tasks.count"_s, 20);
    QVERIFY(m_window->openSpec(spec));
    QTest::mouseClick(runButton(), Qt::LeftButton);
    QTRY_COMPARE_WITH_TIMEOUT(page()->status().state, ExperimentRun::State::Ended, limitMs);
    QCOMPARE(page()->currentRun()->result().totals.failed, 4u);
    checkFigures();
    QVERIFY(page()->findChild<Banner *>()->title().contains(u"4 failed"_s));
}

void tst_RunPages::deathIsToldWhileTheRunGoesOn_data()
{
    QTest::addColumn<QString>("kind");
    QTest::addColumn<QString>("victim");
    QTest::addColumn<QString>("title");
    QTest::addColumn<QString>("detail");
    QTest::newRow("worker") << u"pool"_s << u"worker-1"_s
                            << u"^worker-1 was killed from outside in task #\\d+ \\(SIGKILL\\)\\. "
                               "worker-\\d+ took its place .+ later\\.$"_s
                            << u"is lost\\. Python's Pool would wait for its result for ever\\.$"_s;
    QTest::newRow("consumer") << u"pipeline"_s << u"consumer-1"_s
                              << u"^consumer-1 was ended by SIGKILL\\. consumer-\\d+ took its "
                                 "place .+ later\\.$"_s
                              << u"In Python nothing would take its place\\.$"_s;
    QTest::newRow("producer") << u"pipeline"_s << u"producer-1"_s
                              << u"^producer-1 was ended by SIGKILL\\. producer-\\d+ took its "
                                 "place .+ later\\.$"_s
                              << u"In Python nothing would take its place\\.$"_s;
}

void tst_RunPages::deathIsToldWhileTheRunGoesOn()
{
    QFETCH(const QString, kind);
    QFETCH(const QString, victim);
    QFETCH(const QString, title);
    QFETCH(const QString, detail);
    openLongRun(kind);
    QTest::mouseClick(runButton(), Qt::LeftButton);
    const auto current = [this] { return page()->currentRun(); };
    const auto victimIsAtWork = [&] {
        if (!current() || !current()->snapshot())
            return false;
        const QList<ProcessRecord> processes = current()->log()->processes();
        for (const ProcessLive &live : current()->snapshot()->processes) {
            if (processes[live.process].name == victim && live.currentIndex >= 0)
                return true;
        }
        return false;
    };
    QTRY_VERIFY_WITH_TIMEOUT(victimIsAtWork(), limitMs);
    for (const ProcessRecord &process : current()->log()->processes()) {
        if (process.name == victim)
            QCOMPARE(::kill(static_cast<pid_t>(process.pid), SIGKILL), 0);
    }
    auto *banner = page()->findChild<Banner *>();
    const QRegularExpression wantedTitle(title);
    const QRegularExpression wantedDetail(detail);
    QTRY_VERIFY2_WITH_TIMEOUT(wantedTitle.match(banner->title()).hasMatch(),
                              qPrintable(banner->title()), limitMs);
    QVERIFY(page()->status().isActive());
    QVERIFY(banner->isVisible());
    QVERIFY2(wantedDetail.match(banner->detail()).hasMatch(), qPrintable(banner->detail()));

    auto *close = banner->findChild<QToolButton *>();
    QVERIFY(!close->accessibleName().isEmpty());
    QTest::mouseClick(close, Qt::LeftButton);
    const auto drawn = current()->snapshot();
    QTRY_VERIFY_WITH_TIMEOUT(current()->snapshot() != drawn, limitMs);
    QVERIFY(!banner->isVisible()); // Until another one dies.
    page()->stop();
    QTRY_VERIFY_WITH_TIMEOUT(!page()->status().isActive(), limitMs);
}

void tst_RunPages::stopEndsEveryProcess_data()
{
    QTest::addColumn<QString>("kind");
    for (const QString &kind : {u"pool"_s, u"pipeline"_s, u"counter"_s})
        QTest::newRow(qPrintable(kind)) << kind;
}

void tst_RunPages::stopEndsEveryProcess()
{
    QFETCH(const QString, kind);
    openLongRun(kind);
    QTest::mouseClick(runButton(), Qt::LeftButton);
    QTRY_COMPARE_WITH_TIMEOUT(page()->status().state, ExperimentRun::State::Running, limitMs);
    const auto log = page()->currentRun()->log();
    QVERIFY(livingProcesses(log->processes()).size() >= 3);
    QVERIFY(m_window->topBar()->stopButton()->isEnabled());
    QTest::mouseClick(m_window->topBar()->stopButton(), Qt::LeftButton);
    QTRY_COMPARE_WITH_TIMEOUT(page()->status().state, ExperimentRun::State::Ended, limitMs);
    QVERIFY(page()->currentRun()->result().stopped);
    QCOMPARE(livingProcesses(log->processes()), QStringList());
    QVERIFY(page()->findChild<Banner *>()->title().contains(u"Stopped"_s));
    QVERIFY(runButton()->isEnabled());
}

/// A click on Run, then Space: that ends the run, and does nothing else.
void tst_RunPages::focusGoesFromRunToStopAndBack()
{
    openLongRun(u"pool"_s);
    QTest::mouseClick(runButton(), Qt::LeftButton);
    const ExperimentRun *run = page()->currentRun();
    QVERIFY(run && run->isActive());
    QWidget *stop = m_window->topBar()->stopButton();
    QCOMPARE(QApplication::focusWidget(), stop);
    QTRY_COMPARE_WITH_TIMEOUT(run->state(), RunSource::State::Running, limitMs);
    QCOMPARE(QApplication::focusWidget(), stop);
    QTest::keyClick(stop, Qt::Key_Space);
    QTRY_COMPARE_WITH_TIMEOUT(run->state(), RunSource::State::Ended, limitMs);
    QTRY_COMPARE_WITH_TIMEOUT(QApplication::focusWidget(), runButton(), limitMs);
    QVERIFY(Theme::current().dark);
}

void tst_RunPages::closingDuringARunEndsEveryProcess_data()
{
    QTest::addColumn<QString>("kind");
    QTest::addColumn<bool>("asks");
    for (const QString &kind : {u"pool"_s, u"pipeline"_s, u"counter"_s}) {
        QTest::addRow("%s, asks", qPrintable(kind)) << kind << true;
        QTest::addRow("%s, silent", qPrintable(kind)) << kind << false;
    }
}

void tst_RunPages::closingDuringARunEndsEveryProcess()
{
    QFETCH(const QString, kind);
    QFETCH(const bool, asks);
    if (asks)
        makeWindow(MainWindow::CloseMode::Ask);
    openLongRun(kind);
    QTest::mouseClick(runButton(), Qt::LeftButton);
    QTRY_COMPARE_WITH_TIMEOUT(page()->status().state, ExperimentRun::State::Running, limitMs);
    const auto log = page()->currentRun()->log();
    QVERIFY(livingProcesses(log->processes()).size() >= 3);
    m_window->close();
    if (asks) {
        auto *question = m_window->findChild<QMessageBox *>();
        QVERIFY(question != nullptr && m_window->isVisible());
        QTest::mouseClick(question->buttons().first(), Qt::LeftButton);
    }
    QTRY_VERIFY_WITH_TIMEOUT(!m_window->isVisible(), limitMs);
    QCOMPARE(livingProcesses(log->processes()), QStringList());
    QVERIFY(!m_window->isAnyRunActive());
}

void tst_RunPages::questionCanBeDeclined()
{
    makeWindow(MainWindow::CloseMode::Ask);
    openLongRun(u"pool"_s);
    QTest::mouseClick(runButton(), Qt::LeftButton);
    QTRY_COMPARE_WITH_TIMEOUT(page()->status().state, ExperimentRun::State::Running, limitMs);
    m_window->close();
    QPointer<QMessageBox> question = m_window->findChild<QMessageBox *>();
    QVERIFY(question != nullptr);
    QTest::keyClick(question, Qt::Key_Escape);
    QTRY_VERIFY(question == nullptr);
    QVERIFY(m_window->isVisible());
    QVERIFY(page()->status().isActive());
    m_window->activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(m_window.get()));
    QTest::keyClick(m_window.get(), Qt::Key_F5, Qt::ShiftModifier);
    QTRY_COMPARE_WITH_TIMEOUT(page()->status().state, ExperimentRun::State::Ended, limitMs);
}

void tst_RunPages::presetChangeLeavesTheRunAlone()
{
    openLongRun(u"counter"_s);
    QTest::mouseClick(runButton(), Qt::LeftButton);
    QTRY_COMPARE_WITH_TIMEOUT(page()->status().state, ExperimentRun::State::Running, limitMs);
    const ExperimentRun *run = page()->currentRun();
    const ExperimentSpec running = run->spec();
    auto *box = m_window->topBar()->findChild<QComboBox *>();
    QTest::keyClick(box, Qt::Key_Home);
    const QString chosen = box->itemData(0).toString();
    QVERIFY(findPreset(chosen));
    QCOMPARE(page()->presetName(), chosen);
    QVERIFY(page()->spec() == findPreset(chosen)->spec);
    QCOMPARE(page()->currentRun(), run);
    QVERIFY(run->spec() == running);
    QVERIFY(page()->status().isActive());
    QCOMPARE(editor(u"counter.processes"_s)->note(), FieldEditor::Note::Edited);
    QTest::keyClick(m_window.get(), Qt::Key_F5, Qt::ShiftModifier);
    QTRY_COMPARE_WITH_TIMEOUT(page()->status().state, ExperimentRun::State::Ended, limitMs);
    QCOMPARE(editor(u"counter.processes"_s)->note(), FieldEditor::Note::None);

    QTest::mouseClick(runButton(), Qt::LeftButton);
    QTRY_COMPARE_WITH_TIMEOUT(page()->status().state, ExperimentRun::State::Ended, limitMs);
    QCOMPARE(page()->currentRun()->spec().text(u"counter.mode"_s),
             findPreset(chosen)->spec.text(u"counter.mode"_s));
    checkFigures();
}

void tst_RunPages::themeSwitchDuringARun()
{
    QVERIFY(m_window->openPreset(*findPreset(u"pool-crash"_s)));
    QTest::mouseClick(runButton(), Qt::LeftButton);
    QTRY_COMPARE_WITH_TIMEOUT(page()->status().state, ExperimentRun::State::Running, limitMs);
    for (const bool dark : {false, true, false}) {
        const quint64 done = page()->status().done;
        QTest::keyClick(m_window.get(), Qt::Key_L, Qt::ControlModifier | Qt::ShiftModifier);
        QCOMPARE(Theme::current().dark, dark);
        const QImage picture = m_window->grab().toImage();
        QCOMPARE(picture.pixelColor(picture.width() - 4, 4), Theme::current().panel);
        QTRY_VERIFY_WITH_TIMEOUT(page()->status().done > done, limitMs);
    }
    QTRY_COMPARE_WITH_TIMEOUT(page()->status().state, ExperimentRun::State::Ended, limitMs);
    QCOMPARE(page()->currentRun()->result().totals.failed, 1u);
    checkFigures();
}

void tst_RunPages::runGoesOnBehindAnotherPage()
{
    QVERIFY(m_window->openPreset(*findPreset(u"pool-tiny"_s)));
    type(u"tasks.count"_s, u"3000"_s);
    QTest::mouseClick(runButton(), Qt::LeftButton);
    QVERIFY(page()->status().isActive());
    const ExperimentPage *pool = page();
    QTest::keyClick(m_window.get(), Qt::Key_8, Qt::ControlModifier);
    QCOMPARE(m_window->currentPageName(), u"counter"_s);
    QVERIFY(!m_window->topBar()->stopButton()->isEnabled()); // This page's own run.
    QTest::mouseClick(runButton(), Qt::LeftButton);          // Two at once.
    QTRY_COMPARE_WITH_TIMEOUT(page()->status().state, ExperimentRun::State::Ended, limitMs);
    checkFigures();
    QTRY_COMPARE_WITH_TIMEOUT(pool->status().state, ExperimentRun::State::Ended, limitMs);
    QTest::keyClick(m_window.get(), Qt::Key_4, Qt::ControlModifier);
    QCOMPARE(page(), pool);
    QCOMPARE(pool->currentRun()->result().totals.done, 3000u);
    const RunProgress *progress = m_window->topBar()->progress();
    QCOMPARE(progress->countText(), u"%1 of %1 done"_s.arg(groupedNumber(3000)));
    QVERIFY(!m_window->isAnyRunActive());
}

void tst_RunPages::runsAtOnceAreToldOnEachPage()
{
    const OtherRunsBar *bar = m_window->otherRunsBar();
    openLongRun(u"pool"_s);
    QTest::mouseClick(runButton(), Qt::LeftButton);
    ExperimentPage *pool = page();
    QTRY_COMPARE_WITH_TIMEOUT(pool->status().state, ExperimentRun::State::Running, limitMs);
    QVERIFY(!bar->isVisible());
    openLongRun(u"pipeline"_s);
    QVERIFY(!bar->isVisible()); // Nothing of this page is disturbed yet.
    QTest::mouseClick(runButton(), Qt::LeftButton);
    ExperimentPage *pipeline = page();
    QTRY_COMPARE_WITH_TIMEOUT(pipeline->status().state, ExperimentRun::State::Running, limitMs);
    QVERIFY(bar->isVisible());
    QCOMPARE(bar->banner()->title(), u"Another run is going on (Pool)"_s);
    QVERIFY(m_window->showPage(u"pool"_s));
    QVERIFY(bar->isVisible());
    QCOMPARE(bar->banner()->title(), u"Another run is going on (Queue pipeline)"_s);

    auto *close = bar->findChild<QToolButton *>();
    QTest::mouseClick(close, Qt::LeftButton);
    QVERIFY(!bar->isVisible());
    QVERIFY(m_window->showPage(u"pipeline"_s));
    QVERIFY(bar->isVisible());
    auto *stop = bar->findChild<QPushButton *>();
    QCOMPARE(stop->text(), u"Stop Pool"_s);
    QTest::mouseClick(stop, Qt::LeftButton);
    QTRY_COMPARE_WITH_TIMEOUT(pool->status().state, ExperimentRun::State::Ended, limitMs);
    QVERIFY(!bar->isVisible());
    QVERIFY(pipeline->status().isActive());
    pipeline->stop();
    QTRY_VERIFY_WITH_TIMEOUT(!m_window->isAnyRunActive(), limitMs);
}

QTEST_MAIN(tst_RunPages)
#include "tst_run_pages.moc"
