// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/spec/kind.h"
#include "ui/experiment/timeline/timeline_legend.h"
#include "ui/experiment/timeline/timeline_view.h"
#include "ui/shared/theme.h"

#include <QApplication>
#include <QTest>

#include <algorithm>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

constexpr double anyWidth = 2'000;
constexpr int smallestWidth = 320; // Of a timeline.

QStringList textsOf(const QList<LegendEntry> &entries)
{
    QStringList texts;
    for (const LegendEntry &entry : entries)
        texts << entry.text;
    return texts;
}

} // namespace

class tst_TimelineLegend : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void entriesAreThoseOfTheKind_data();
    void entriesAreThoseOfTheKind();
    void everyKindHasARow();
    void crashesAreThereAtAnyWidth_data();
    void crashesAreThereAtAnyWidth();
    void whatWasNotRecordedHasAnEntry();
    void entriesHaveTips();
};

void tst_TimelineLegend::initTestCase()
{
    Theme::apply(*qApp, Theme::Mode::Light);
}

void tst_TimelineLegend::entriesAreThoseOfTheKind_data()
{
    QTest::addColumn<QStringList>("texts");
    const QString onCore = u"On a core (process colour)"_s;
    const QString ready = u"Waiting for a core"_s;
    const QString crashed = u"Crashed"_s;
    for (const char *kind : {"pool", "executor"})
        QTest::newRow(kind) << QStringList{onCore, ready, u"In a task, sleeping"_s,
                                           u"Waiting for a task"_s, crashed};
    QTest::newRow("pipeline") << QStringList{
        onCore, ready, u"At work, sleeping"_s, u"Waiting, queue empty"_s, u"Blocked, queue full"_s,
        crashed};
    QTest::newRow("pipe") << QStringList{
        onCore, ready, u"At work, sleeping"_s, u"Waiting, pipe empty"_s, u"Blocked, pipe full"_s,
        crashed};
    for (const char *kind : {"process", "program"})
        QTest::newRow(kind) << QStringList{onCore, ready, u"At work, sleeping"_s, u"Not working"_s,
                                           crashed};
    QTest::newRow("fork") << QStringList{
        onCore, ready, u"At work, sleeping"_s, u"Not working"_s, u"Waiting for the lock"_s,
        crashed};
    QTest::newRow("counter") << QStringList{
        onCore, ready, u"At work, sleeping"_s, u"Not working"_s, u"Waiting for the lock"_s,
        crashed};
}

void tst_TimelineLegend::entriesAreThoseOfTheKind()
{
    QFETCH(const QStringList, texts);
    const Kind *kind = findKind(QString::fromLatin1(QTest::currentDataTag()));
    QVERIFY(kind);
    QCOMPARE(textsOf(layoutLegend(kind, false, anyWidth)), texts);
}

/// A kind that is added later gets one.
void tst_TimelineLegend::everyKindHasARow()
{
    for (const Kind &kind : kinds()) {
        if (kind.isAvailable())
            QVERIFY2(!textsOf(layoutLegend(&kind, false, anyWidth)).isEmpty(),
                     qPrintable(kind.name));
    }
}

void tst_TimelineLegend::crashesAreThereAtAnyWidth_data()
{
    QTest::addColumn<QString>("name");
    for (const Kind &kind : kinds()) {
        if (kind.isAvailable())
            QTest::newRow(qPrintable(kind.name)) << kind.name;
    }
}

void tst_TimelineLegend::crashesAreThereAtAnyWidth()
{
    QFETCH(const QString, name);
    QCOMPARE(TimelineView().minimumSizeHint().width(), smallestWidth);
    for (int width = smallestWidth; width < 1'200; width += 10) {
        const QList<LegendEntry> entries = layoutLegend(findKind(name), true, width);
        QVERIFY(textsOf(entries).contains(u"Crashed"_s));
        QVERIFY(entries.last().right <= width);
        for (qsizetype i = 1; i < entries.size(); ++i)
            QVERIFY(entries[i].left > entries[i - 1].right);
    }
    // The dock of a window of 1,024 pixels has all of them.
    QCOMPARE(layoutLegend(findKind(name), false, 690).size(),
             layoutLegend(findKind(name), false, anyWidth).size());
}

void tst_TimelineLegend::whatWasNotRecordedHasAnEntry()
{
    const Kind *kind = &usualKind();
    QVERIFY(!textsOf(layoutLegend(kind, false, anyWidth)).contains(u"Not recorded"_s));
    QCOMPARE(layoutLegend(kind, true, anyWidth).last().text, u"Not recorded"_s);
}

void tst_TimelineLegend::entriesHaveTips()
{
    TimelineView view;
    ExperimentSpec spec(usualKind().name);
    view.setSpec(spec);
    view.resize(900, 240);
    const auto entries = layoutLegend(&usualKind(), false, view.width());
    for (const LegendEntry &entry : entries) {
        QVERIFY(!entry.tip.isEmpty());
        QCOMPARE(view.tipAt({static_cast<int>(entry.left) + 5, view.height() - 8}), entry.tip);
    }
    // A short text is said in full.
    const auto brief = layoutLegend(&usualKind(), false, 500);
    QVERIFY(brief.first().tip.startsWith(u"On a core (process colour)\n"_s));
}

QTEST_MAIN(tst_TimelineLegend)
#include "tst_timeline_legend.moc"
