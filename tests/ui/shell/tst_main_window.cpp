// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/spec/kind.h"
#include "core/experiment/spec/presets.h"
#include "core/process/engine.h"
#include "tests/support/own_settings.h"
#include "ui/experiment/form/field_editor.h"
#include "ui/experiment/form/spec_form.h"
#include "ui/experiment/run/experiment_page.h"
#include "ui/shared/banner.h"
#include "ui/shared/combo_box.h"
#include "ui/shared/theme.h"
#include "ui/shell/main_window.h"
#include "ui/shell/nav_rail.h"
#include "ui/shell/pages.h"
#include "ui/shell/planned_page.h"
#include "ui/shell/run_progress.h"
#include "ui/shell/top_bar.h"
#include "ui/shell/window_size.h"

#include <QApplication>
#include <QComboBox>
#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QScreen>
#include <QSettings>
#include <QStackedWidget>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <memory>

using namespace Qt::StringLiterals;
using namespace proclab;

class tst_MainWindow : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();
    void cleanup();
    void everyPageCanBeShown_data();
    void everyPageCanBeShown();
    void unknownPageIsRefused();
    void digitsGoToPages();
    void railClickGoesToAPage();
    void panesFollowTheKeyboard();
    void narrowWindowCollapsesTheRail();
    void themeKeyTogglesTheTheme();
    void presetBoxListsThoseOfThePage();
    void changedPresetSaysSo();
    void faultDisablesRunAndSaysWhy();
    void experimentFileIsShownNotStarted();
    void guestOpensOnItsHostsPage();
    void badFileIsExplained_data();
    void badFileIsExplained();
    void hugeFileIsRefused();
    void manyFaultsLeaveThePageItsPlace();
    void windowFitsOnTheScreen_data();
    void windowFitsOnTheScreen();
    void windowOpensWithinItsScreen();
    void elapsedTimeReads_data();
    void elapsedTimeReads();

private:
    QTemporaryDir m_folder;
    std::unique_ptr<Engine> m_engine;
    std::unique_ptr<MainWindow> m_window;
};

void tst_MainWindow::initTestCase()
{
    QVERIFY(m_folder.isValid());
    test::keepSettingsIn(m_folder.path());
    Theme::apply(*qApp, Theme::Mode::Dark);
    m_engine = std::make_unique<Engine>();
}

void tst_MainWindow::init()
{
    QSettings().clear();
    m_window = std::make_unique<MainWindow>(*m_engine, MainWindow::CloseMode::EndSilently);
    QVERIFY(m_window->showPage(u"pool"_s));
    m_window->resize(1440, 900);
    m_window->show();
    QVERIFY(QTest::qWaitForWindowActive(m_window.get()));
}

void tst_MainWindow::cleanup()
{
    m_window.reset();
}

void tst_MainWindow::everyPageCanBeShown_data()
{
    QTest::addColumn<QString>("name");
    const QList<PageInfo> rows = pages();
    QCOMPARE(rows.size(), 12);
    for (const PageInfo &row : rows)
        QTest::newRow(qPrintable(row.name)) << row.name;
}

void tst_MainWindow::everyPageCanBeShown()
{
    QFETCH(const QString, name);
    QVERIFY(m_window->showPage(name));
    QCOMPARE(m_window->currentPageName(), name);
    const Kind *kind = findKind(name);
    const bool available = kind != nullptr && kind->isAvailable();
    QCOMPARE(m_window->currentExperiment() != nullptr, available);
    auto *stack = m_window->findChild<QStackedWidget *>();
    QVERIFY(stack != nullptr);
    if (!available) {
        QVERIFY(qobject_cast<PlannedPage *>(stack->currentWidget()) != nullptr);
        QVERIFY(!m_window->topBar()->runButton()->isVisible());
    } else {
        QVERIFY(m_window->topBar()->runButton()->isEnabled());
        QCOMPARE(m_window->currentExperiment()->presetName(), kind->presets.first().name);
    }
    const QImage picture = m_window->grab().toImage();
    QCOMPARE(picture.size(), m_window->size() * m_window->devicePixelRatioF());
}

void tst_MainWindow::unknownPageIsRefused()
{
    QVERIFY(!m_window->showPage(u"pools"_s));
    QVERIFY(!m_window->showPage({}));
    QCOMPARE(m_window->currentPageName(), u"pool"_s);
}

void tst_MainWindow::digitsGoToPages()
{
    const QList<PageInfo> rows = pages();
    for (int digit = 1; digit <= 9; ++digit) {
        QTest::keyClick(m_window.get(), static_cast<Qt::Key>(Qt::Key_0 + digit),
                        Qt::ControlModifier);
        QCOMPARE(m_window->currentPageName(), rows[digit - 1].name);
    }
}

void tst_MainWindow::railClickGoesToAPage()
{
    const auto buttons = m_window->rail()->findChildren<NavButton *>();
    QCOMPARE(buttons.size(), pages().size());
    QTest::mouseClick(buttons.last(), Qt::LeftButton);
    QCOMPARE(m_window->currentPageName(), pages().last().name);
    QVERIFY(buttons.last()->isChecked());
}

void tst_MainWindow::panesFollowTheKeyboard()
{
    const ExperimentPage *page = m_window->currentExperiment();
    QVERIFY(page->isConfigShown());
    QTest::keyClick(m_window.get(), Qt::Key_B, Qt::ControlModifier | Qt::ShiftModifier);
    QVERIFY(!page->isConfigShown());
    QTest::keyClick(m_window.get(), Qt::Key_J, Qt::ControlModifier);
    QVERIFY(!page->isDockShown());
    QTest::keyClick(m_window.get(), Qt::Key_2, Qt::AltModifier); // Shows the dock with its tab.
    QVERIFY(page->isDockShown());
    QTest::keyClick(m_window.get(), Qt::Key_B, Qt::ControlModifier);
    QVERIFY(m_window->rail()->isCompact());
    QTest::keyClick(m_window.get(), Qt::Key_B, Qt::ControlModifier);
    QVERIFY(!m_window->rail()->isCompact());
}

void tst_MainWindow::narrowWindowCollapsesTheRail()
{
    QVERIFY(!m_window->rail()->isCompact());
    m_window->resize(1024, 700);
    QTRY_VERIFY(m_window->rail()->isCompact());
    QCOMPARE(m_window->size(), QSize(1024, 700));
    m_window->resize(1440, 900);
    QTRY_VERIFY(!m_window->rail()->isCompact());
}

void tst_MainWindow::themeKeyTogglesTheTheme()
{
    Theme::apply(*qApp, Theme::Mode::Dark);
    const QPoint onTheTopBar(m_window->width() - 4, 4);
    QCOMPARE(m_window->grab().toImage().pixelColor(onTheTopBar), Theme::current().panel);
    QTest::keyClick(m_window.get(), Qt::Key_L, Qt::ControlModifier | Qt::ShiftModifier);
    QVERIFY(!Theme::current().dark);
    QCOMPARE(m_window->grab().toImage().pixelColor(onTheTopBar), Theme::current().panel);
    QTest::keyClick(m_window.get(), Qt::Key_L, Qt::ControlModifier | Qt::ShiftModifier);
    QVERIFY(Theme::current().dark);
}

void tst_MainWindow::presetBoxListsThoseOfThePage()
{
    auto *box = m_window->topBar()->findChild<QComboBox *>();
    QVERIFY(box != nullptr);
    QStringList expected;
    for (const Preset &preset : presets()) {
        if (preset.spec.kind() == u"pool"_s)
            expected << preset.name;
    }
    QStringList listed;
    for (int index = 0; index < box->count(); ++index)
        listed << box->itemData(index).toString();
    QCOMPARE(listed, expected);

    box->setFocus();
    QTest::keyClick(box, Qt::Key_End);
    QCOMPARE(m_window->currentExperiment()->presetName(), expected.last());
}

void tst_MainWindow::changedPresetSaysSo()
{
    const Preset preset = findPreset(u"counter-lock"_s).value();
    QVERIFY(m_window->openPreset(preset));
    const ExperimentPage *page = m_window->currentExperiment();
    const auto *box = m_window->topBar()->findChild<ComboBox *>();
    auto *line = qobject_cast<QLineEdit *>(
        page->findChild<SpecForm *>()->editor(u"counter.processes"_s)->control());
    const auto saysWhatItPromises = [page, &preset] {
        const QList<QLabel *> labels = page->findChildren<QLabel *>();
        return std::ranges::any_of(
            labels, [&preset](const QLabel *label) { return label->text() == preset.description; });
    };
    const auto type = [line](const QString &text) {
        line->selectAll();
        QTest::keyClicks(line, text);
    };
    QVERIFY(saysWhatItPromises());
    QCOMPARE(box->remark(), QString());
    type(u"3"_s);
    QVERIFY(page->isChanged());
    QCOMPARE(box->remark(), u"changed"_s);
    QVERIFY(!saysWhatItPromises());
    type(u"2"_s); // As it was.
    QVERIFY(!page->isChanged());
    QCOMPARE(box->remark(), QString());
    QVERIFY(saysWhatItPromises());
}

void tst_MainWindow::faultDisablesRunAndSaysWhy()
{
    ExperimentSpec spec(u"pool"_s);
    spec.set(u"pool.workers"_s, 0);
    QVERIFY(m_window->openSpec(spec));
    const QPushButton *run = m_window->topBar()->runButton();
    QVERIFY(!run->isEnabled());
    QVERIFY2(run->toolTip().contains(u"pool.workers"_s), qPrintable(run->toolTip()));
    QTest::keyClick(m_window.get(), Qt::Key_F5);
    QVERIFY(m_window->currentExperiment()->currentRun() == nullptr);
    QVERIFY(!m_window->isAnyRunActive());
}

void tst_MainWindow::experimentFileIsShownNotStarted()
{
    QFile file(m_folder.filePath(u"mine.proclab.json"_s));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(R"({"version": 1, "kind": "counter", "counter": {"processes": 3}})");
    file.close();
    m_window->openFile(file.fileName());
    QCOMPARE(m_window->currentPageName(), u"counter"_s);
    const ExperimentPage *page = m_window->currentExperiment();
    QCOMPARE(page->spec().integer(u"counter.processes"_s), 3);
    QCOMPARE(page->presetName(), QString());
    QVERIFY(page->currentRun() == nullptr);
    QVERIFY(m_window->banner()->isHidden());
}

/// A kind without a page of its own: its presets and files open on that of its host.
void tst_MainWindow::guestOpensOnItsHostsPage()
{
    for (const Kind &kind : kinds()) {
        const QString page = pageOfKind(kind.name);
        QCOMPARE(page, kind.page.isEmpty() ? kind.name : kind.page);
        QVERIFY2(m_window->showPage(page), qPrintable(kind.name));
    }
    Kind guest = *findKind(u"pipeline"_s);
    guest.page = u"counter"_s;
    const auto window = std::make_unique<MainWindow>(*m_engine, MainWindow::CloseMode::EndSilently);
    QVERIFY(window->showPage(u"counter"_s));
    const ExperimentPage *host = window->currentExperiment();
    QVERIFY(window->showKind(guest));
    QCOMPARE(window->currentPageName(), u"counter"_s);
    const ExperimentPage *shown = window->currentExperiment();
    QVERIFY(shown != host);
    QCOMPARE(shown->kind().name, u"pipeline"_s);
    // The page goes on showing its guest until another of its kinds is opened.
    QVERIFY(window->showPage(u"pool"_s));
    QVERIFY(window->showPage(u"counter"_s));
    QCOMPARE(window->currentExperiment(), shown);
    QVERIFY(window->showKind(*findKind(u"counter"_s)));
    QCOMPARE(window->currentExperiment(), host);
    guest.makeRunner = nullptr;
    QVERIFY(!window->showKind(guest));
    QCOMPARE(window->currentExperiment(), host);
}

void tst_MainWindow::badFileIsExplained_data()
{
    QTest::addColumn<QByteArray>("contents");
    QTest::newRow("no JSON") << QByteArray("{ \"version\": ");
    QTest::newRow("empty") << QByteArray();
    QTest::newRow("a kind that there is not") << QByteArray(R"({"version": 1, "kind": "pond"})");
    QTest::newRow("an unknown key") << QByteArray(
        R"({"version": 1, "kind": "pool", "tasks": {"task": "cpu.primes", "count": 1}, "worker": 3})");
}

void tst_MainWindow::badFileIsExplained()
{
    QFETCH(const QByteArray, contents);
    QFile file(m_folder.filePath(u"bad.proclab.json"_s));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(contents);
    file.close();
    m_window->openFile(file.fileName());
    QVERIFY(!m_window->banner()->isHidden());
    QVERIFY(m_window->banner()->title().contains(u"bad.proclab.json"_s));
    QVERIFY(!m_window->banner()->detail().isEmpty());
    QCOMPARE(m_window->currentPageName(), u"pool"_s);
}

void tst_MainWindow::hugeFileIsRefused()
{
    QFile file(m_folder.filePath(u"huge.proclab.json"_s));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(R"({"version": 1, "kind": "pipeline", "pipeline": {"items": ["a")");
    file.write(QByteArray(R"(,"a")").repeated(3'250'000) + "]}}");
    file.close();
    m_window->openFile(file.fileName());
    QVERIFY(m_window->banner()->isVisible());
    const QString detail = m_window->banner()->detail();
    QCOMPARE(detail, file.fileName() + u": the file is too large; allowed: at most 2 MiB"_s);
    QCOMPARE(m_window->currentPageName(), u"pool"_s);
}

void tst_MainWindow::manyFaultsLeaveThePageItsPlace()
{
    QFile file(m_folder.filePath(u"faults.proclab.json"_s));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(R"({"version": 1, "kind": "counter")");
    for (int i = 0; i < 500; ++i)
        file.write(",\"key" + QByteArray::number(i) + "\":0");
    file.write("}");
    file.close();
    m_window->openFile(file.fileName());
    const QStringList lines = m_window->banner()->detail().split(u'\n');
    QCOMPARE(lines.size(), 9);
    QCOMPARE(lines.last(), u"and 492 more"_s);
    QVERIFY(m_window->banner()->sizeHint().height() < m_window->height() / 3);
}

void tst_MainWindow::windowFitsOnTheScreen_data()
{
    QTest::addColumn<QSize>("available");
    QTest::addColumn<QSize>("first");
    QTest::addColumn<QSize>("smallest");
    const QSize frame(8, 40);
    QTest::newRow("1920 x 1200") << QSize(1920, 1200) << QSize(1440, 900) << QSize(1024, 700);
    QTest::newRow("at 150 %") << QSize(1280, 800) << QSize(1280, 800) - frame << QSize(1024, 700);
    QTest::newRow("at 200 %") << QSize(960, 600) << QSize(960, 600) - frame
                              << QSize(960, 600) - frame;
    QTest::newRow("wide and low") << QSize(3840, 720) << QSize(1440, 680) << QSize(1024, 680);
    QTest::newRow("no screen") << QSize(0, 0) << QSize(1, 1) << QSize(1, 1);
}

void tst_MainWindow::windowFitsOnTheScreen()
{
    QFETCH(const QSize, available);
    QTEST(firstWindowSize(available), "first");
    QTEST(smallestWindowSize(available), "smallest");
}

void tst_MainWindow::windowOpensWithinItsScreen()
{
    const MainWindow window(*m_engine, MainWindow::CloseMode::EndSilently);
    const QSize available = window.screen()->availableSize();
    QCOMPARE(window.size(), firstWindowSize(available));
    QCOMPARE(window.minimumSize(), smallestWindowSize(available));
}

void tst_MainWindow::elapsedTimeReads_data()
{
    QTest::addColumn<double>("seconds");
    QTest::addColumn<QString>("text");
    QTest::newRow("nothing") << 0.0 << u"00:00.00"_s;
    QTest::newRow("seconds") << 4.267 << u"00:04.27"_s;
    QTest::newRow("minutes") << 162.1 << u"02:42.10"_s;
    QTest::newRow("hours") << 3723.5 << u"1:02:03.50"_s;
    QTest::newRow("below zero") << -1.0 << u"00:00.00"_s;
}

void tst_MainWindow::elapsedTimeReads()
{
    QFETCH(const double, seconds);
    QFETCH(const QString, text);
    QCOMPARE(elapsedClock(seconds), text);
}

QTEST_MAIN(tst_MainWindow)
#include "tst_main_window.moc"
