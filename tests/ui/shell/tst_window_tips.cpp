// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/spec/presets.h"
#include "core/process/engine.h"
#include "tests/support/own_settings.h"
#include "tests/support/window_run.h"
#include "ui/charts/line_chart.h"
#include "ui/shared/theme.h"
#include "ui/shell/main_window.h"
#include "ui/shell/pages.h"
#include "ui/shell/status_line.h"
#include "ui/shell/top_bar.h"

#include <QAbstractButton>
#include <QApplication>
#include <QComboBox>
#include <QHeaderView>
#include <QLabel>
#include <QSettings>
#include <QTabBar>
#include <QTemporaryDir>
#include <QTest>

#include <memory>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

QString nameOf(const QWidget *widget)
{
    QString name = QString::fromLatin1(widget->metaObject()->className());
    if (const auto *label = qobject_cast<const QLabel *>(widget))
        name += u" \"%1\""_s.arg(label->text());
    if (const auto *button = qobject_cast<const QAbstractButton *>(widget))
        name += u" \"%1\""_s.arg(button->text());
    return name + u' ' + widget->accessibleName();
}

/// As Qt looks for it: a widget without one shows its parent's.
QString tipOf(const QWidget *widget)
{
    for (; widget && !widget->isWindow(); widget = widget->parentWidget()) {
        if (!widget->toolTip().isEmpty())
            return widget->toolTip();
    }
    return {};
}

QStringList widgetsWithoutTip(const QWidget &window)
{
    QStringList found;
    for (const QWidget *widget : window.findChildren<QWidget *>()) {
        const bool isInStatusLine = qobject_cast<const StatusLine *>(widget->parentWidget());
        const bool needsTip = qobject_cast<const QComboBox *>(widget) ||
                              qobject_cast<const QAbstractButton *>(widget) ||
                              (isInStatusLine && qobject_cast<const QLabel *>(widget));
        if (needsTip && widget->isVisible() && tipOf(widget).isEmpty())
            found << nameOf(widget);
    }
    return found;
}

QStringList headsWithoutTip(const QWidget &window)
{
    QStringList found;
    for (const auto *head : window.findChildren<QHeaderView *>()) {
        const QAbstractItemModel *model = head->model();
        if (head->orientation() != Qt::Horizontal || !model)
            continue;
        for (int section = 0; section < model->columnCount(); ++section) {
            if (model->headerData(section, Qt::Horizontal, Qt::ToolTipRole).toString().isEmpty())
                found << model->headerData(section, Qt::Horizontal).toString();
        }
    }
    for (const auto *tabs : window.findChildren<QTabBar *>()) {
        for (int tab = 0; tab < tabs->count(); ++tab) {
            if (tabs->tabToolTip(tab).isEmpty())
                found << tabs->tabText(tab);
        }
    }
    for (const auto *chart : window.findChildren<LineChart *>()) {
        if (chart->help().isEmpty())
            found << chart->accessibleName();
    }
    return found;
}

} // namespace

class tst_WindowTips : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init() { QSettings().clear(); }
    void whatStandsOnAPageIsExplained_data();
    void whatStandsOnAPageIsExplained();
    void fileStandsUnderItsTitle_data();
    void fileStandsUnderItsTitle();

private:
    QTemporaryDir m_folder;
    std::unique_ptr<Engine> m_engine;
};

void tst_WindowTips::initTestCase()
{
    QVERIFY(m_folder.isValid());
    test::keepSettingsIn(m_folder.path());
    Theme::apply(*qApp, Theme::Mode::Light);
    m_engine = std::make_unique<Engine>();
}

void tst_WindowTips::whatStandsOnAPageIsExplained_data()
{
    QTest::addColumn<QString>("page");
    for (const PageInfo &info : pages())
        QTest::newRow(qPrintable(info.name)) << info.name;
}

void tst_WindowTips::whatStandsOnAPageIsExplained()
{
    QFETCH(const QString, page);
    MainWindow window(*m_engine, MainWindow::CloseMode::EndSilently);
    window.show();
    QVERIFY(window.showPage(page));
    window.runCurrent();
    QVERIFY(test::waitForEndOfRun(window));
    for (const QSize &size : {QSize(1024, 700), QSize(1440, 900)}) {
        window.resize(size);
        QCoreApplication::processEvents();
        QStringList missing = widgetsWithoutTip(window);
        missing += headsWithoutTip(window);
        QVERIFY2(missing.isEmpty(), qPrintable(missing.join(u'\n')));
    }
}

void tst_WindowTips::fileStandsUnderItsTitle_data()
{
    QTest::addColumn<QString>("title");
    QTest::addColumn<QString>("shown");
    QTest::newRow("title") << u"Twelve <b>workers</b>"_s << u"Twelve <b>workers</b>"_s;
    QTest::newRow("none") << QString() << u"From a file"_s;
    QTest::newRow("two lines") << u" Twelve\nworkers "_s << u"Twelve workers"_s;
}

void tst_WindowTips::fileStandsUnderItsTitle()
{
    QFETCH(const QString, title);
    QFETCH(const QString, shown);
    const Preset preset = presets().constFirst();
    ExperimentSpec spec = preset.spec;
    spec.set(u"title"_s, title.isEmpty() ? QJsonValue(QJsonValue::Undefined) : QJsonValue(title));
    MainWindow window(*m_engine, MainWindow::CloseMode::EndSilently);
    window.show();
    QVERIFY(window.openSpec(spec));
    const auto *combo = window.findChild<TopBar *>()->findChild<QComboBox *>();
    QCOMPARE(combo->currentText(), shown);
    QVERIFY(combo->toolTip().contains(shown.toHtmlEscaped()));
    QVERIFY(combo->toolTip().contains(u"opened from a file"_s));
    // It is there again after a look at another page, and gone with a preset.
    QVERIFY(window.showPage(u"guide"_s));
    QVERIFY(window.showPage(pageOfKind(spec.kind())));
    QCOMPARE(combo->currentText(), shown);
    QVERIFY(window.openPreset(preset));
    QCOMPARE(combo->currentText(), preset.title);
    QVERIFY(combo->findText(shown) < 0 || shown == preset.title);
    QVERIFY(combo->toolTip().contains(preset.description.toHtmlEscaped()));
}

QTEST_MAIN(tst_WindowTips)
#include "tst_window_tips.moc"
