// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/chart_history.h"
#include "ui/charts/chart_ticks.h"
#include "ui/charts/line_chart.h"
#include "ui/shared/theme.h"

#include <QApplication>
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
    void stackedEndsWithItsProcess();
    void niceCeilingIsTheNextStep_data();
    void niceCeilingIsTheNextStep();
    void ticksAreInTheUnitOfTheRange();
    void emptyChartSaysSo();
    void seriesIsDrawnInItsColor();
    void themeChangeRecolors();
    void clearTakesEverythingBack();
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
    QCOMPARE(layers[0].y, (QVector<double>{10, 20, 30})); // Straight from 10 to 30.
    QCOMPARE(layers[1].y, (QVector<double>{11, 22, 33}));
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

QTEST_MAIN(tst_LineChart)
#include "tst_line_chart.moc"
