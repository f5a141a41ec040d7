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
    void standsAsideOfASteepLine();
    void levelLabelLeavesTheCurveFree_data();
    void levelLabelLeavesTheCurveFree();
    void noteTouchesNothing_data();
    void noteTouchesNothing();
    void noteWithoutRoomHasNoPlace();
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

void tst_CurveLabels::standsAsideOfASteepLine()
{
    // Its last stretch jumps up and down all over the height.
    QPolygonF line{{area.left(), 50}};
    for (double x = area.right() - 70; x <= area.right(); x += 4) {
        line.append({x, area.top()});
        line.append({x + 2, area.bottom()});
    }
    const QRectF place = placeCurveLabels(area, {{line.last(), size}}, {line}).constFirst();
    QVERIFY(place.right() < area.right() - 70);
    QVERIFY(place.top() > 50 || place.bottom() < 50);
}

void tst_CurveLabels::levelLabelLeavesTheCurveFree_data()
{
    QTest::addColumn<QPolygonF>("line");
    QTest::addColumn<bool>("atRight");
    QTest::newRow("above, at the left") << QPolygonF{{40, 45}, {110, 45}} << false;
    QTest::newRow("above, at the right") << QPolygonF{{200, 45}, {280, 45}} << true;
    QTest::newRow("on it") << QPolygonF{{40, 50}, {280, 50}} << false;
    QTest::newRow("on both sides, at the left")
        << QPolygonF{{40, 44}, {70, 44}, {70, 56}, {110, 56}, {110, 8}, {280, 8}} << false;
}

void tst_CurveLabels::levelLabelLeavesTheCurveFree()
{
    QFETCH(const QPolygonF, line);
    QFETCH(const bool, atRight);
    const QRectF place = placeLineLabel(area, {50, size, atRight}, {line}, {});
    QVERIFY(area.contains(place));
    QVERIFY(place.bottom() < 50 || place.top() > 50);
    for (qsizetype i = 1; i < line.size(); ++i) {
        const QRectF around =
            QRectF(line[i - 1], line[i]).normalized().adjusted(-0.1, -0.1, 0.1, 0.1);
        QVERIFY(!around.intersects(place));
    }
}

void tst_CurveLabels::noteTouchesNothing_data()
{
    QTest::addColumn<QPolygonF>("line");
    QTest::addColumn<Below>("below");
    QTest::newRow("near the top") << QPolygonF{{40, 12}, {280, 12}} << Below::Free;
    QTest::newRow("a point in the middle") << QPolygonF{{159, 14}, {161, 14}} << Below::Free;
    QTest::newRow("a slope") << QPolygonF{{40, 98}, {280, 8}} << Below::Free;
    QTest::newRow("a low fill") << QPolygonF{{40, 60}, {280, 60}} << Below::Filled;
    QTest::newRow("a high fill, half the time") << QPolygonF{{40, 9}, {150, 9}} << Below::Filled;
}

void tst_CurveLabels::noteTouchesNothing()
{
    QFETCH(const QPolygonF, line);
    QFETCH(const Below, below);
    const QList<QRectF> taken{QRectF(200, area.top(), 3, area.height()), QRectF(44, 40, 60, 13)};
    const std::optional<QRectF> place = placeNote(area, size, {line}, taken, below);
    QVERIFY(place.has_value());
    QVERIFY(area.contains(*place));
    for (const QRectF &other : taken)
        QVERIFY(!place->intersects(other));
    const QPointF slope = line.last() - line.first();
    for (double x = std::max(place->left(), line.first().x());
         x <= std::min(place->right(), line.last().x()); x += 1) {
        const double y = line.first().y() + (x - line.first().x()) / slope.x() * slope.y();
        QVERIFY(y < place->top() || y > place->bottom());
        QVERIFY(below == Below::Free || y > place->bottom());
    }
}

void tst_CurveLabels::noteWithoutRoomHasNoPlace()
{
    QVERIFY(!placeNote(area, {80, 13}, {level(9, area.right())}, {}, Below::Filled));
    QVERIFY(!placeNote(area, {80, 13}, {}, {area}, Below::Free));
    QVERIFY(!placeNote(area, {area.width() + 1, 13}, {}, {}, Below::Free));
}

QTEST_GUILESS_MAIN(tst_CurveLabels)
#include "tst_curve_labels.moc"
