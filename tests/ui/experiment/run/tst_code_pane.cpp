// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/python/python_script.h"
#include "core/experiment/run/run_result.h"
#include "core/experiment/spec/kind.h"
#include "core/experiment/spec/presets.h"
#include "ui/experiment/run/code_pane.h"
#include "ui/shared/theme.h"

#include <QApplication>
#include <QClipboard>
#include <QJsonObject>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

constexpr int patience = 60'000;

ExperimentSpec sleepOf(double seconds)
{
    ExperimentSpec spec(u"process"_s);
    spec.set(u"seed"_s, 7);
    spec.set(u"process.start_method"_s, u"fork"_s);
    spec.set(u"tasks"_s,
             QJsonObject{{u"task"_s, u"io.sleep"_s},
                         {u"args"_s, QJsonObject{{u"min_s"_s, seconds}, {u"max_s"_s, seconds}}},
                         {u"count"_s, 1}});
    return spec;
}

template<typename Widget>
Widget *named(const QWidget &pane, const QString &name)
{
    for (auto *widget : pane.findChildren<Widget *>()) {
        if (widget->accessibleName() == name || widget->property("text").toString() == name)
            return widget;
    }
    return nullptr;
}

QString codeIn(const CodePane &pane, const QString &name)
{
    return named<QPlainTextEdit>(pane, name)->toPlainText();
}

/// What it says of a run with Python; empty: nothing.
QString saidBy(const CodePane &pane)
{
    for (const auto *label : pane.findChildren<QLabel *>()) {
        if (label->wordWrap())
            return label->isVisible() ? label->text() : QString();
    }
    return {};
}

} // namespace

class tst_CodePane : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { Theme::apply(*qApp, Theme::Mode::Dark); }
    void everyKindHasItsCode_data();
    void everyKindHasItsCode();
    void editsAreShown();
    void faultySettingsHaveNoProgram();
    void programIsCopied();
    void pythonStandsBesideOurs();
    void pythonIsStopped();
};

void tst_CodePane::everyKindHasItsCode_data()
{
    QTest::addColumn<QString>("kind");
    for (const Kind &kind : kinds()) {
        if (kind.isAvailable())
            QTest::newRow(qPrintable(kind.name)) << kind.name;
    }
}

void tst_CodePane::everyKindHasItsCode()
{
    QFETCH(const QString, kind);
    const ExperimentSpec spec = findPreset(findKind(kind)->presets.first().name)->spec;
    CodePane pane;
    pane.setSpec(spec);
    pane.show();
    QCOMPARE(codeIn(pane, u"Python program"_s), *pythonScript(spec));
    QVERIFY(codeIn(pane, u"C++ source"_s).contains(u"#include \"core/experiment/kinds/"_s + kind));
}

void tst_CodePane::editsAreShown()
{
    CodePane pane;
    ExperimentSpec spec = sleepOf(0.1);
    pane.setSpec(spec);
    pane.show();
    QVERIFY(codeIn(pane, u"Python program"_s).contains(u"TASKS = 1"_s));
    spec.set(u"tasks.count"_s, 3);
    pane.setSpec(spec);
    QVERIFY(codeIn(pane, u"Python program"_s).contains(u"TASKS = 3"_s));
    // What is not seen is not made, but once it is.
    pane.hide();
    spec.set(u"tasks.count"_s, 5);
    pane.setSpec(spec);
    pane.show();
    QVERIFY(codeIn(pane, u"Python program"_s).contains(u"TASKS = 5"_s));
}

void tst_CodePane::faultySettingsHaveNoProgram()
{
    CodePane pane;
    ExperimentSpec spec = sleepOf(0.1);
    spec.set(u"tasks.count"_s, 100'000);
    pane.setSpec(spec);
    pane.show();
    QVERIFY(codeIn(pane, u"Python program"_s).startsWith(u"# "_s));
    for (const QString &name : {u"Run with Python"_s, u"Save…"_s})
        QVERIFY(!named<QPushButton>(pane, name)->isEnabled());
}

void tst_CodePane::programIsCopied()
{
    CodePane pane;
    pane.setSpec(sleepOf(0.1));
    pane.show();
    QTest::mouseClick(named<QPushButton>(pane, u"Copy the Python program"_s), Qt::LeftButton);
    QCOMPARE(QApplication::clipboard()->text(), codeIn(pane, u"Python program"_s));
}

void tst_CodePane::pythonStandsBesideOurs()
{
    RunResult ours;
    ours.spec = sleepOf(0.05);
    ours.elapsedSeconds = 0.05;
    ours.startupSeconds = 0.01;
    CodePane pane;
    pane.setSpec(ours.spec);
    pane.setResult(&ours);
    pane.show();
    QCOMPARE(saidBy(pane), QString());
    QTest::mouseClick(named<QPushButton>(pane, u"Run with Python"_s), Qt::LeftButton);
    QVERIFY(named<QPushButton>(pane, u"Stop Python"_s));
    QTRY_VERIFY_WITH_TIMEOUT(named<QPushButton>(pane, u"Run with Python"_s), patience);
    QVERIFY2(saidBy(pane).startsWith(u"Python 3."_s), qPrintable(saidBy(pane)));
    QVERIFY2(saidBy(pane).contains(u"Time: 50\u00A0ms here, "_s), qPrintable(saidBy(pane)));
    // Another run has other figures.
    pane.setResult(nullptr);
    QCOMPARE(saidBy(pane), QString());
}

void tst_CodePane::pythonIsStopped()
{
    CodePane pane;
    pane.setSpec(sleepOf(600));
    pane.show();
    QTest::mouseClick(named<QPushButton>(pane, u"Run with Python"_s), Qt::LeftButton);
    QTest::mouseClick(named<QPushButton>(pane, u"Stop Python"_s), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(named<QPushButton>(pane, u"Run with Python"_s), patience);
    QVERIFY(!saidBy(pane).isEmpty());
}

QTEST_MAIN(tst_CodePane)
#include "tst_code_pane.moc"
