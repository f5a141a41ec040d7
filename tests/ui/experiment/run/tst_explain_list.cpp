// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/own_settings.h"
#include "ui/experiment/run/explain_list.h"

#include "core/experiment/spec/kind.h"
#include "core/process/engine.h"
#include "tests/support/made_run.h"
#include "ui/experiment/form/spec_form.h"
#include "ui/experiment/run/experiment_page.h"
#include "ui/experiment/run/explain_line.h"
#include "ui/experiment/run/run_dock.h"
#include "ui/experiment/timeline/timeline_view.h"
#include "ui/shared/theme.h"

#include <QApplication>
#include <QLabel>
#include <QPushButton>
#include <QSettings>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <memory>

using namespace Qt::StringLiterals;
using namespace proclab;
using test::MadeRun;

namespace {

constexpr int explainTab = 4;
constexpr int patience = 60'000;

/// Half of the updates of half a second were lost.
MadeRun raceRun()
{
    MadeRun run(u"counter"_s, 0.5);
    run.addChild();
    run.result.outcome = QJsonObject{{u"expected"_s, 20'000}, {u"lost_updates"_s, 10'000}};
    return run;
}

template<typename Widget>
QList<Widget *> shown(const QWidget &parent)
{
    QList<Widget *> widgets = parent.findChildren<Widget *>();
    widgets.removeIf([](const Widget *widget) { return !widget->isVisible(); });
    return widgets;
}

/// The texts of the labels in sight.
QString wordsOn(const QWidget &parent)
{
    QStringList texts;
    for (const QLabel *label : shown<QLabel>(parent))
        texts << label->text();
    return texts.join(u'\n');
}

} // namespace

class tst_ExplainList : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init() { QSettings().clear(); }
    void saysWhatIsToCome();
    void lineIsChosen_data();
    void lineIsChosen();
    void wordsHaveTheirRoom_data();
    void wordsHaveTheirRoom();
    void chosenLineIsShownOnTheTimeline();
    void trialIsRun();

private:
    QTemporaryDir m_folder;
    std::unique_ptr<Engine> m_engine;
};

void tst_ExplainList::initTestCase()
{
    QVERIFY(m_folder.isValid());
    test::keepSettingsIn(m_folder.path());
    Theme::apply(*qApp, Theme::Mode::Dark);
    m_engine = std::make_unique<Engine>();
}

void tst_ExplainList::saysWhatIsToCome()
{
    ExplainList list;
    list.show();
    QVERIFY(wordsOn(list).contains(u"No run yet"));
    list.showWaiting();
    QVERIFY(wordsOn(list).contains(u"when it has ended"));
    list.showResult(raceRun().result);
    QTRY_VERIFY2(wordsOn(list).contains(u"updates were lost"), qPrintable(wordsOn(list)));
    QVERIFY(!wordsOn(list).contains(u"when it has ended"));
    QVERIFY(wordsOn(list).contains(u"500\u00A0ms"));
    list.showNone();
    QVERIFY(shown<ExplainLine>(list).isEmpty());
}

void tst_ExplainList::lineIsChosen_data()
{
    QTest::addColumn<int>("key");
    QTest::newRow("click") << 0;
    QTest::newRow("Enter") << int{Qt::Key_Enter};
    QTest::newRow("Return") << int{Qt::Key_Return};
    QTest::newRow("Space") << int{Qt::Key_Space};
}

void tst_ExplainList::lineIsChosen()
{
    QFETCH(const int, key);
    const MadeRun run = raceRun();
    ExplainList list;
    list.resize(600, 200);
    list.show();
    list.showResult(run.result);
    QByteArray rule;
    connect(&list, &ExplainList::chosen, this,
            [&rule](const Explanation &explanation) { rule = explanation.note.code; });
    QTRY_VERIFY(!shown<ExplainLine>(list).isEmpty());
    ExplainLine *line = shown<ExplainLine>(list).first();
    QVERIFY(line->accessibleName().startsWith(u"Warning: 10"));
    QVERIFY(line->focusPolicy() & Qt::TabFocus);
    if (key == 0)
        QTest::mouseClick(line, Qt::LeftButton);
    else
        QTest::keyClick(line, static_cast<Qt::Key>(key));
    QCOMPARE(rule, "counter.updates_lost"_ba);
    QSignalSpy asked(&list, &ExplainList::trialAsked);
    auto *button = shown<QPushButton>(list).first();
    QCOMPARE(button->text(), u"Try: Protection lock instead of lock"_s);
    if (key == 0)
        QTest::mouseClick(button, Qt::LeftButton);
    else
        QTest::keyClick(button, Qt::Key_Space);
    QCOMPARE(asked.size(), 1);
    QCOMPARE(asked.front().front().toJsonObject(), (QJsonObject{{u"counter.mode"_s, u"lock"_s}}));
}

void tst_ExplainList::wordsHaveTheirRoom_data()
{
    QTest::addColumn<bool>("isDark");
    QTest::addColumn<int>("width");
    for (const int width : {300, 600, 1400}) {
        QTest::addRow("dark, %d", width) << true << width;
        QTest::addRow("light, %d", width) << false << width;
    }
}

void tst_ExplainList::wordsHaveTheirRoom()
{
    QFETCH(const bool, isDark);
    QFETCH(const int, width);
    Theme::apply(*qApp, isDark ? Theme::Mode::Dark : Theme::Mode::Light);
    ExplainList list;
    list.resize(width, 200);
    list.show();
    list.showResult(raceRun().result);
    QVERIFY(QTest::qWaitForWindowExposed(&list));
    QTRY_VERIFY(!shown<ExplainLine>(list).isEmpty());
    QVERIFY(list.widget()->width() <= list.viewport()->width());
    for (const QLabel *label : shown<QLabel>(list)) {
        QVERIFY2(!label->wordWrap() || label->heightForWidth(label->width()) <= label->height(),
                 qPrintable(label->text()));
    }
    QCOMPARE(list.grab().toImage().pixelColor(2, 2).rgb(), Theme::current().panel.rgb());
}

void tst_ExplainList::chosenLineIsShownOnTheTimeline()
{
    MadeRun run(u"pool"_s, 2);
    run.result.spec.set(u"tasks.count"_s, 4);
    const int dead = run.addChildUntil(1.5);
    run.addTask(dead, 1.25, 1.5, TaskError::Exit);
    run.log->updateProcess(dead, [](ProcessRecord &record) { record.exitCode = 3; });
    RunDock dock;
    dock.resize(1000, 300);
    dock.timeline()->setSpec(run.result.spec);
    dock.setRun(run.log, usualKind());
    auto last = std::make_shared<StageSnapshot>();
    last->timeNs = MadeRun::ns(2);
    dock.advance(last);
    dock.show();
    dock.setCurrentTab(explainTab);
    dock.explainResult(run.result);
    QSignalSpy explained(&dock, &RunDock::processExplained);
    QTRY_VERIFY(!shown<ExplainLine>(dock).isEmpty());
    ExplainLine *line = shown<ExplainLine>(dock).first();
    QVERIFY(line->accessibleName().contains(u"exit code 3"));
    QTest::mouseClick(line, Qt::LeftButton);
    QCOMPARE(dock.currentTab(), 0);
    const TimeRange range = dock.timeline()->visibleRange();
    QVERIFY(range.fromNs < MadeRun::ns(1.25) && range.fromNs > MadeRun::ns(1));
    QVERIFY(range.toNs > MadeRun::ns(1.5) && range.toNs < MadeRun::ns(1.75));
    QCOMPARE(explained.size(), 1);
    QCOMPARE(explained.front().front().toInt(), dead);
}

/// A race, and then the same with the lock that is proposed.
void tst_ExplainList::trialIsRun()
{
    ExperimentPage page(*findKind(u"counter"_s), *m_engine);
    page.resize(1300, 800);
    page.show();
    page.showDockTab(explainTab);
    const auto *list = page.findChild<ExplainList *>();
    page.run();
    QVERIFY(shown<ExplainLine>(*list).isEmpty());
    QTRY_VERIFY_WITH_TIMEOUT(!shown<ExplainLine>(*list).isEmpty(), patience);
    QCOMPARE(page.spec().text(u"counter.mode"_s), u"none"_s);
    QVERIFY2(wordsOn(*list).contains(u" lost ("), qPrintable(wordsOn(*list)));
    QPushButton *button = shown<QPushButton>(*list).first();
    QCOMPARE(button->text(), u"Try: Protection lock instead of none"_s);
    QTest::mouseClick(button, Qt::LeftButton);
    QCOMPARE(page.spec().text(u"counter.mode"_s), u"lock"_s);
    QVERIFY(page.findChild<SpecForm *>()->faults().isEmpty());
    QTRY_COMPARE_WITH_TIMEOUT(page.status().state, RunSource::State::Ended, patience);
    QCOMPARE(page.currentRun()->result().spec.text(u"counter.mode"_s), u"lock"_s);
    QVERIFY(!wordsOn(*list).contains(u" lost ("));
}

QTEST_MAIN(tst_ExplainList)
#include "tst_explain_list.moc"
