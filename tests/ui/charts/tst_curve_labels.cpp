// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/curve_labels.h"

#include <QTest>

using namespace proclab;

namespace {

const QRectF area(40, 8, 240, 90);
const QSizeF size(60, 13);

QPolygonF level(double y, double right)
{
    return {{area.left(), y}, {right, y}};
}

} // namespace

class tst_CurveLabels : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void standsRightOfTheEndWhereThereIsRoom();
    void crossesNoLine_data();
    void crossesNoLine();
    void leavesOutWhatIsTaken();
    void staysInTheArea();
};

void tst_CurveLabels::standsRightOfTheEndWhereThereIsRoom()
{
    const QList<QRectF> places = placeCurveLabels(area, {{{100, 50}, size}}, {level(50, 100)});
    QCOMPARE(places.size(), 1);
    QVERIFY(places[0].left() > 100);
    QVERIFY(std::abs(places[0].center().y() - 50) <= 2);
}

void tst_CurveLabels::crossesNoLine_data()
{
    QTest::addColumn<QList<double>>("heights");
    QTest::newRow("alone") << QList<double>{50};
    QTest::newRow("at the top") << QList<double>{area.top()};
    QTest::newRow("at the bottom") << QList<double>{area.bottom()};
    QTest::newRow("apart") << QList<double>{20, 80};
    QTest::newRow("close") << QList<double>{50, 56};
    QTest::newRow("on one another") << QList<double>{50, 50};
    QTest::newRow("three") << QList<double>{30, 36, 70};
}

void tst_CurveLabels::crossesNoLine()
{
    QFETCH(const QList<double>, heights);
    QList<CurveLabel> labels;
    QList<QPolygonF> lines;
    for (const double y : heights) {
        labels.append({{area.right(), y}, size});
        lines.append(level(y, area.right()));
    }
    const QList<QRectF> places = placeCurveLabels(area, labels, lines);
    QCOMPARE(places.size(), labels.size());
    for (qsizetype i = 0; i < places.size(); ++i) {
        for (const double y : heights)
            QVERIFY(y < places[i].top() || y > places[i].bottom());
        for (qsizetype k = 0; k < i; ++k)
            QVERIFY(!places[i].intersects(places[k]));
    }
}

void tst_CurveLabels::leavesOutWhatIsTaken()
{
    const QRectF taken(area.right() - 80, 30, 80, 18);
    const QList<QRectF> places =
        placeCurveLabels(area, {{{area.right(), 50}, size}}, {level(50, area.right())}, {taken});
    QVERIFY(!places[0].intersects(taken));
    QVERIFY(places[0].top() > 50);
}

void tst_CurveLabels::staysInTheArea()
{
    // The line has just begun, and there is no room at its right either.
    const QRectF narrow(40, 8, 64, 30);
    const QList<QRectF> places =
        placeCurveLabels(narrow, {{{60, 20}, size}}, {{{{40, 20}, {60, 20}}}});
    QVERIFY(places[0].left() >= narrow.left());
    QVERIFY(places[0].top() >= narrow.top());
    QVERIFY(places[0].bottom() <= narrow.bottom());
}

QTEST_GUILESS_MAIN(tst_CurveLabels)
#include "tst_curve_labels.moc"
