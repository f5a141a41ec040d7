// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/painted_texts.h"
#include "ui/charts/chart_history.h"
#include "ui/charts/chart_ticks.h"
#include "ui/charts/line_chart.h"
#include "ui/charts/stacked_bands.h"
#include "ui/shared/theme.h"

#include <QApplication>
#include <QClipboard>
#include <QMenu>
#include <QSignalSpy>
#include <QStackedWidget>
#include <QTest>

#include <algorithm>
#include <cstdlib>

using namespace proclab;
using namespace Qt::StringLiterals;

namespace {

/// Pixels that are nearly @p color: a line's edge is smoothed.
int countOf(const QImage &image, const QColor &color)
{
    const auto near = [](int a, int b) { return std::abs(a - b) < 48; };
    int count = 0;
    for (int y = 0; y < image.height(); ++y) {
        for (int x = 0; x < image.width(); ++x) {
            const QColor pixel = image.pixelColor(x, y);
            count += near(pixel.red(), color.red()) && near(pixel.green(), color.green()) &&
                     near(pixel.blue(), color.blue());
        }
    }
    return count;
}

} // namespace

class tst_LineChart : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void historyStaysBounded();
    void historyKeepsThePeak();
    void historyLeavesOutTimesBeforeZero();
    void stackedSumsTheSeries();
    void meanHoldsSinceTheValueBefore();
    void lineEndsWhereNothingWasMeasured();
    void stackedEndsWithItsProcess();
    void stackedEndsAtOnceWhereItIsSaid();
    void niceCeilingIsTheNextStep_data();
    void niceCeilingIsTheNextStep();
    void ticksAreInTheUnitOfTheRange();
    void emptyChartSaysSo();
    void seriesIsDrawnInItsColor();
    void themeChangeRecolors();
    void clearTakesEverythingBack();
    void valueTicksHaveOneUnit_data();
    void valueTicksHaveOneUnit();
    void valueStepIsTidy_data();
    void valueStepIsTidy();
    void valueAtHoldsForAWhile();
    void withoutRoomNothingIsDrawn();
    void pointerMovesTheCursor();
    void keysMoveTheCursor();
    void tableHasARowAStep();
    void menuCopiesTheTable();
    void bandsOfASmallShareAreSeen_data();
    void bandsOfASmallShareAreSeen();
    void bandsHaveNoSeams();
    void aLabelMayMove();
    void anEmptyShareReachesItsLimit();
};

void tst_LineChart::historyStaysBounded()
{
    ChartHistory history(64, 0.001);
    history.addSeries();
    for (int i = 0; i < 100'000; ++i)
        history.append(0, i * 0.05, i % 7);
    const ChartHistory::Points points = history.line(0);
    QVERIFY(points.x.size() <= 2 * 64);
    QVERIFY(points.x.size() > 32);
    QVERIFY(std::is_sorted(points.x.begin(), points.x.end()));
    QVERIFY(points.x.last() <= 5000);
}

void tst_LineChart::historyKeepsThePeak()
{
    ChartHistory history(64, 0.001);
    history.addSeries();
    for (int i = 0; i < 20'000; ++i)
        history.append(0, i * 0.05, i == 7777 ? 99 : 1);
    const ChartHistory::Points points = history.line(0);
    QCOMPARE(*std::max_element(points.y.begin(), points.y.end()), 99.0);
    QCOMPARE(*std::min_element(points.y.begin(), points.y.end()), 1.0);
}

void tst_LineChart::historyLeavesOutTimesBeforeZero()
{
    ChartHistory history;
    history.addSeries();
    history.append(0, -0.01, 5);
    QVERIFY(history.isEmpty());
    history.append(0, 0, 6);
    QVERIFY(!history.isEmpty());
    QCOMPARE(history.last(0), 6.0);
}

void tst_LineChart::stackedSumsTheSeries()
{
    ChartHistory history(100, 1);
    history.addSeries();
    history.addSeries();
    history.append(0, 1, 10);
    history.append(0, 3, 30);
    history.append(1, 1, 1);
    history.append(1, 2, 2);
    history.append(1, 3, 3);
    const auto layers = history.stacked(2, 0);
    QCOMPARE(layers.size(), std::size_t(2));
    QCOMPARE(layers[0].y, (QVector<double>{10, 30, 30})); // The mean from 1 to 3 is 30.
    QCOMPARE(layers[1].y, (QVector<double>{11, 32, 33}));
}

void tst_LineChart::meanHoldsSinceTheValueBefore()
{
    ChartHistory history(100, 1);
    history.addSeries();
    history.append(0, 1, 10);
    history.append(0, 4, 40);
    QCOMPARE(history.meanOver(0, 0.9), std::nullopt);
    QCOMPARE(history.meanOver(0, 1), std::optional(10.0));
    QCOMPARE(history.meanOver(0, 1.1), std::optional(40.0));
    QCOMPARE(history.meanOver(0, 4), std::optional(40.0));
    QCOMPARE(history.meanOver(0, 4.1), std::nullopt);
}

void tst_LineChart::lineEndsWhereNothingWasMeasured()
{
    ChartHistory history(100, 0.1);
    history.addSeries();
    for (const double seconds : {1.0, 1.5, 2.0, 7.0, 7.5})
        history.append(0, seconds, 5);
    const auto points = history.line(0, 0, 1);
    QCOMPARE(points.x, (QVector<double>{1.0, 1.5, 2.0, 2.0, 7.0, 7.5}));
    QVERIFY(qIsNaN(points.y[3]));
    QCOMPARE(points.y[4], 5.0);
    QCOMPARE(history.line(0).x, (QVector<double>{1.0, 1.5, 2.0, 7.0, 7.5})); // Means: all of it is.
    QCOMPARE(history.line(0, 3, 1).x.size(), 2); // Steps of three seconds have no such gap.
}

void tst_LineChart::stackedEndsWithItsProcess()
{
    ChartHistory history(100, 1);
    history.addSeries();
    history.addSeries();
    for (int t = 0; t < 10; ++t)
        history.append(1, t, 5);
    history.append(0, 2, 50); // Lives at 2 only.
    const auto layers = history.stacked(2, 1);
    QCOMPARE(layers[0].y[1], 0.0);
    QCOMPARE(layers[0].y[2], 50.0);
    QCOMPARE(layers[0].y[3], 50.0); // Held for one second.
    QCOMPARE(layers[0].y[4], 0.0);
    QCOMPARE(layers[1].y[4], 5.0);
}

void tst_LineChart::stackedEndsAtOnceWhereItIsSaid()
{
    ChartHistory history(4, 1);
    history.addSeries();
    history.addSeries();
    history.append(0, 0, 30);
    history.append(0, 2, 30);
    history.end(0, 2);
    for (const double seconds : {0.0, 3.0, 7.0})
        history.append(1, seconds, 10);
    QCOMPARE(history.step(), 2.0); // The end shares a step with the last value, which stays whole.
    const auto layers = history.stacked(2, 100);
    QCOMPARE(layers[0].y, (QVector<double>{30, 30, 0}));
    QCOMPARE(layers[1].y, (QVector<double>{40, 40, 10}));
}

void tst_LineChart::niceCeilingIsTheNextStep_data()
{
    QTest::addColumn<double>("number");
    QTest::addColumn<double>("ceiling");
    QTest::newRow("nothing") << 0.0 << 1.0;
    QTest::newRow("a step itself") << 5.0 << 5.0;
    QTest::newRow("just above") << 5.1 << 10.0;
    QTest::newRow("between 2 and 2.5") << 230.0 << 250.0;
    QTest::newRow("small") << 0.0011 << 0.002;
}

void tst_LineChart::niceCeilingIsTheNextStep()
{
    QFETCH(const double, number);
    QFETCH(const double, ceiling);
    QCOMPARE(niceCeiling(number), ceiling);
}

void tst_LineChart::ticksAreInTheUnitOfTheRange()
{
    QCOMPARE(timeTickText(0.5, 5), u"0.5"_s);
    QCOMPARE(timeTickUnit(5), u"s"_s);
    QCOMPARE(timeTickText(0.015, 0.02), u"15"_s);
    QCOMPARE(timeTickUnit(0.02), u"ms"_s);
    QCOMPARE(timeTickText(120, 1200), u"2"_s);
    QCOMPARE(timeTickUnit(1200), u"min"_s);
}

void tst_LineChart::emptyChartSaysSo()
{
    LineChart chart;
    chart.setTitle(u"CPU"_s, u"% of one core"_s);
    chart.addSeries({}, Qt::red);
    QVERIFY(chart.showsNoData());
    QCOMPARE(chart.accessibleName(), u"CPU, % of one core"_s);
    chart.append(0, 1, 2);
    QVERIFY(!chart.showsNoData());
}

void tst_LineChart::seriesIsDrawnInItsColor()
{
    LineChart chart;
    chart.resize(304, 160);
    const QColor color(0x12, 0xAB, 0x34);
    chart.setStyle(LineChart::Style::Steps);
    chart.addSeries({}, color);
    for (int i = 0; i < 50; ++i)
        chart.append(0, i * 0.1, i < 25 ? 10 : 40);
    chart.setTimeRange(5);
    chart.setNow(4.9);
    chart.show();
    QVERIFY(QTest::qWaitForWindowExposed(&chart));
    QTRY_VERIFY(countOf(chart.grab().toImage(), color) > 100);
}

void tst_LineChart::themeChangeRecolors()
{
    LineChart chart;
    chart.resize(304, 160);
    chart.show();
    QVERIFY(QTest::qWaitForWindowExposed(&chart));
    Theme::apply(*qApp, Theme::Mode::Light);
    QTRY_VERIFY(countOf(chart.grab().toImage(), Theme::current().panel) > 10'000);
    Theme::apply(*qApp, Theme::Mode::Dark);
    QTRY_VERIFY(countOf(chart.grab().toImage(), Theme::current().panel) > 10'000);
}

void tst_LineChart::clearTakesEverythingBack()
{
    LineChart chart;
    chart.addSeries(u"put"_s, Qt::red);
    chart.addSeries(u"get"_s, Qt::blue);
    chart.append(1, 1, 1);
    chart.setValueText(u"18 /s"_s);
    chart.clear();
    QCOMPARE(chart.seriesCount(), 0);
    QVERIFY(chart.showsNoData());
    QVERIFY(chart.valueText().isEmpty());
}

void tst_LineChart::valueTicksHaveOneUnit_data()
{
    QTest::addColumn<double>("top");
    QTest::addColumn<QList<double>>("values");
    QTest::addColumn<QStringList>("labels");
    QTest::newRow("small") << 5.0 << QList<double>{0, 2.5, 5}
                           << QStringList{u"0"_s, u"2.5"_s, u"5"_s};
    QTest::newRow("thousands") << 7'500.0 << QList<double>{2'500, 7'500}
                               << QStringList{u"2\u202F500"_s, u"7\u202F500"_s};
    QTest::newRow("beyond ten thousand") << 15'000.0 << QList<double>{0, 5'000, 10'000, 15'000}
                                         << QStringList{u"0"_s, u"5k"_s, u"10k"_s, u"15k"_s};
    QTest::newRow("up to a million")
        << 1e6 << QList<double>{250e3, 500e3, 1e6} << QStringList{u"0.25M"_s, u"0.5M"_s, u"1M"_s};
}

void tst_LineChart::valueTicksHaveOneUnit()
{
    QFETCH(const double, top);
    QFETCH(const QList<double>, values);
    QStringList labels;
    for (const double value : values)
        labels.append(valueTickText(value, top));
    QTEST(labels, "labels");
}

void tst_LineChart::valueStepIsTidy_data()
{
    QTest::addColumn<double>("top");
    QTest::addColumn<bool>("whole");
    QTest::addColumn<double>("step");
    QTest::newRow("a share") << 1.0 << false << 0.25;
    QTest::newRow("one item") << 1.0 << true << 1.0;
    QTest::newRow("nine items") << 9.0 << true << 5.0;
    QTest::newRow("nine") << 9.0 << false << 2.5;
    QTest::newRow("a hundred items") << 100.0 << true << 25.0;
}

void tst_LineChart::valueStepIsTidy()
{
    QFETCH(const double, top);
    QFETCH(const bool, whole);
    QTEST(valueStep(top, whole), "step");
}

void tst_LineChart::valueAtHoldsForAWhile()
{
    ChartHistory history(100, 0.1);
    history.addSeries();
    history.append(0, 1, 7);
    history.append(0, 2, 8);
    QVERIFY(!history.valueAt(0, 0.5, 0.3));
    QCOMPARE(history.valueAt(0, 1, 0.3), std::optional(7.0));
    QCOMPARE(history.valueAt(0, 1.2, 0.3), std::optional(7.0));
    QVERIFY(!history.valueAt(0, 1.6, 0.3));
    QCOMPARE(history.valueAt(0, 2.1, 0.3), std::optional(8.0));
    QVERIFY(!history.valueAt(0, 1e9, 0.3));
}

namespace {

QStringList printed;

void keepMessage(QtMsgType, const QMessageLogContext &, const QString &text)
{
    printed.append(text);
}

} // namespace

/// A chart behind another page, or squeezed to nothing, must not even try to draw.
void tst_LineChart::withoutRoomNothingIsDrawn()
{
    printed.clear();
    const QtMessageHandler before = qInstallMessageHandler(keepMessage);
    {
        QStackedWidget pages;
        auto *front = new QWidget;
        auto *back = new QWidget;
        auto *chart = new LineChart(back);
        chart->addSeries(u"put"_s, Qt::red);
        pages.addWidget(front);
        pages.addWidget(back);
        pages.resize(400, 300);
        pages.show();
        const bool exposed = QTest::qWaitForWindowExposed(&pages);
        for (const QSize &size : {QSize(0, 0), QSize(200, 0), QSize(0, 100), QSize(200, 28),
                                  QSize(200, 40), QSize(200, 160)}) {
            for (const int page : {0, 1}) {
                pages.setCurrentIndex(page);
                chart->append(0, 1, 2);
                chart->resize(size);
                chart->refresh();
                QCoreApplication::processEvents();
                chart->grab();
            }
        }
        QCoreApplication::processEvents();
        qInstallMessageHandler(before);
        QVERIFY(exposed);
    }
    QCOMPARE(printed, QStringList());
}

void tst_LineChart::pointerMovesTheCursor()
{
    LineChart chart;
    chart.resize(304, 160);
    chart.addSeries({}, Qt::red);
    chart.setTimeRange(10);
    for (int i = 0; i <= 10; ++i)
        chart.append(0, i, i);
    chart.show();
    QVERIFY(QTest::qWaitForWindowExposed(&chart));
    chart.grab();
    QSignalSpy moved(&chart, &LineChart::cursorMoved);
    QTest::mouseMove(&chart, {159, 90}); // Half way between the margins of 40 and 26.
    QTRY_VERIFY(chart.cursor());
    QVERIFY(std::abs(*chart.cursor() - 5) < 0.1);
    QCOMPARE(moved.size(), 1);
    QCOMPARE(chart.valueAt(0, *chart.cursor()).has_value(), true);
    QTest::mouseMove(&chart, {162, 10}); // The head.
    QTRY_VERIFY(!chart.cursor());
    QCOMPARE(moved.size(), 2);
}

void tst_LineChart::keysMoveTheCursor()
{
    LineChart chart;
    chart.resize(304, 160);
    chart.addSeries({}, Qt::red);
    chart.setTimeRange(10);
    QTest::keyClick(&chart, Qt::Key_Left);
    QVERIFY(!chart.cursor()); // Nothing to be seen yet.
    chart.append(0, 8, 1);
    chart.setNow(8);
    QTest::keyClick(&chart, Qt::Key_Left);
    QVERIFY(chart.cursor());
    QCOMPARE(*chart.cursor(), 7.9);
    QTest::keyClick(&chart, Qt::Key_Right);
    QCOMPARE(*chart.cursor(), 8.0);
    QTest::keyClick(&chart, Qt::Key_Escape);
    QVERIFY(!chart.cursor());
}

void tst_LineChart::tableHasARowAStep()
{
    LineChart chart;
    chart.setTitle(u"Memory"_s, u"MiB"_s);
    chart.addSeries({}, Qt::red, u"worker-1"_s);
    chart.addSeries({}, Qt::blue, u"a \"quoted\", one"_s);
    chart.append(0, 0.5, 1.5);
    chart.append(1, 0.5, 3);
    chart.append(0, 1, 2);
    QCOMPARE(chart.tableText(), u"time_s,worker-1 (MiB),\"a \"\"quoted\"\", one (MiB)\"\n"
                                "0.500000,1.5,3\n1.000000,2,\n"_s);
}

void tst_LineChart::menuCopiesTheTable()
{
    LineChart chart;
    chart.resize(304, 160);
    chart.setTitle(u"CPU"_s, u"%"_s);
    chart.addSeries({}, Qt::red);
    chart.append(0, 0.25, 50);
    chart.show();
    QVERIFY(QTest::qWaitForWindowExposed(&chart));
    QContextMenuEvent event(QContextMenuEvent::Keyboard, {20, 20},
                            chart.mapToGlobal(QPoint(20, 20)));
    QApplication::sendEvent(&chart, &event);
    const auto *menu = chart.findChild<QMenu *>();
    QVERIFY(menu);
    QCOMPARE(menu->actions().size(), 1);
    menu->actions().first()->trigger();
    QCOMPARE(QApplication::clipboard()->text(), u"time_s,CPU (%)\n0.250000,50\n"_s);
}

void tst_LineChart::bandsOfASmallShareAreSeen_data()
{
    QTest::addColumn<int>("bands");
    QTest::newRow("4") << 4;
    QTest::newRow("12") << 12;
}

void tst_LineChart::bandsOfASmallShareAreSeen()
{
    QFETCH(const int, bands);
    Theme::apply(*qApp, Theme::Mode::Light);
    LineChart chart;
    chart.setStyle(LineChart::Style::Stacked);
    chart.setMinimumTop(200);
    chart.resize(304, 124); // As on a page with four charts.
    // Every second process works little and changes all the time.
    for (int i = 0; i < bands; ++i) {
        chart.addSeries(QString(), i % 2 == 0 ? QColor(Qt::red) : QColor(Qt::blue));
        for (int at = 0; at <= 80; ++at)
            chart.append(i, at / 20.0, i % 2 == 0 ? 180.0 / bands : 2 + at % 2);
    }
    chart.setTimeRange(4);
    chart.setNow(4);
    chart.show();
    chart.drawNow();
    const QImage image = chart.grab().toImage();
    const QColor blue = Theme::current().tint(Qt::blue, 0.8);
    // A row of pixels for each.
    QVERIFY2(countOf(image, blue) >= bands / 2 * 200,
             qPrintable(QString::number(countOf(image, blue))));
}

void tst_LineChart::bandsHaveNoSeams()
{
    // Values of which a pixel is 2.
    QCOMPARE(bandBottom(10, 10, 2), 10.0);
    QCOMPARE(bandBottom(10, 26, 2), 10.0);
    QCOMPARE(bandBottom(10, 11, 2), 9.0);
}

void tst_LineChart::aLabelMayMove()
{
    LineChart chart;
    chart.addSeries(u"private"_s, Qt::red, u"worker-1"_s);
    chart.addSeries(QString(), Qt::blue, u"worker-2"_s);
    chart.setSeriesLabel(0, QString());
    chart.setSeriesLabel(1, u"private"_s);
    for (const int series : {0, 1}) {
        chart.append(series, 0, 1);
        chart.append(series, 1, 1 + series);
    }
    chart.resize(304, 124);
    chart.show();
    chart.drawNow();
    const QList<test::PaintedText> texts = test::plotTexts(chart);
    QCOMPARE(std::count_if(texts.begin(), texts.end(),
                           [](const auto &text) { return text.text == u"private"_s; }),
             1);
    QVERIFY(chart.tableText().contains(u"worker-1"_s));
}

void tst_LineChart::anEmptyShareReachesItsLimit()
{
    LineChart chart;
    chart.setLimit(100);
    chart.resize(304, 124);
    chart.show();
    chart.drawNow();
    QCOMPARE(chart.top(), 100.0);
}

QTEST_MAIN(tst_LineChart)
#include "tst_line_chart.moc"
