// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/core_layout.h"

#include <QTest>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

constexpr int wide = 168;  // Of the rail's 200 pixels.
constexpr int narrow = 28; // Of the rail's 48 pixels.
constexpr int mostHeight = 112;

} // namespace

class tst_CoreLayout : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void eachCoreHasAPlaceOfItsOwn_data();
    void eachCoreHasAPlaceOfItsOwn();
    void anyNumberOfCoresFits();
    void positionsFindTheirCell();
    void partsOfARowLieBesideEachOther();
};

void tst_CoreLayout::eachCoreHasAPlaceOfItsOwn_data()
{
    using Form = CoreLayout::Form;
    QTest::addColumn<int>("cores");
    QTest::addColumn<CoreRoom>("room");
    QTest::addColumn<Form>("form");
    QTest::addColumn<int>("coresPerCell");
    QTest::addColumn<int>("smallestEdge");
    QTest::newRow("1") << 1 << CoreRoom::Wide << Form::Rows << 1 << 14;
    QTest::newRow("2") << 2 << CoreRoom::Wide << Form::Rows << 1 << 14;
    QTest::newRow("8") << 8 << CoreRoom::Wide << Form::Rows << 1 << 14;
    QTest::newRow("12") << 12 << CoreRoom::Wide << Form::Grid << 1 << 12;
    QTest::newRow("64") << 64 << CoreRoom::Wide << Form::Grid << 1 << 8;
    QTest::newRow("256") << 256 << CoreRoom::Wide << Form::Grid << 1 << 5;
    QTest::newRow("1024") << 1024 << CoreRoom::Wide << Form::Grid << 1 << 2;
    QTest::newRow("8192") << 8192 << CoreRoom::Wide << Form::Grid << 8 << 2;
    QTest::newRow("1, narrow") << 1 << CoreRoom::Narrow << Form::Columns << 1 << 6;
    QTest::newRow("8, narrow") << 8 << CoreRoom::Narrow << Form::Columns << 1 << 2;
    QTest::newRow("64, narrow") << 64 << CoreRoom::Narrow << Form::Grid << 1 << 2;
    QTest::newRow("256, narrow") << 256 << CoreRoom::Narrow << Form::Grid << 1 << 2;
    QTest::newRow("1024, narrow") << 1024 << CoreRoom::Narrow << Form::Grid << 4 << 2;
}

void tst_CoreLayout::eachCoreHasAPlaceOfItsOwn()
{
    QFETCH(const int, cores);
    QFETCH(const CoreRoom, room);
    QFETCH(const CoreLayout::Form, form);
    QFETCH(const int, coresPerCell);
    QFETCH(const int, smallestEdge);
    const int width = room == CoreRoom::Wide ? wide : narrow;
    const CoreLayout layout = layoutCores(cores, width, room);
    QCOMPARE(layout.form, form);
    QCOMPARE(layout.coresPerCell, coresPerCell);
    QVERIFY(layout.cells * coresPerCell >= cores);
    QVERIFY((layout.cells - 1) * coresPerCell < cores);
    QVERIFY(std::min(layout.inner.width(), layout.inner.height()) >= smallestEdge);
    QVERIFY(layout.size().width() <= width);
    QVERIFY(layout.size().height() <= mostHeight);
    const QRect room0(QPoint(), layout.size());
    for (int i = 0; i < layout.cells; ++i) {
        QVERIFY(room0.contains(layout.cell(i)));
        for (int other = 0; other < i; ++other)
            QVERIFY(!layout.cell(i).intersects(layout.cell(other)));
    }
}

void tst_CoreLayout::anyNumberOfCoresFits()
{
    for (int cores = 0; cores < 5000; ++cores) {
        for (const CoreRoom room : {CoreRoom::Wide, CoreRoom::Narrow}) {
            const int width = room == CoreRoom::Wide ? wide : narrow;
            const CoreLayout layout = layoutCores(cores, width, room);
            QVERIFY2(layout.size().width() <= width, qPrintable(QString::number(cores)));
            QVERIFY2(layout.size().height() <= mostHeight, qPrintable(QString::number(cores)));
        }
    }
}

void tst_CoreLayout::positionsFindTheirCell()
{
    const CoreLayout layout = layoutCores(100, wide, CoreRoom::Wide);
    for (int i = 0; i < layout.cells; ++i)
        QCOMPARE(layout.cellAt(layout.cell(i).center()), i);
    QCOMPARE(layout.cellAt({-1, 0}), -1);
    QCOMPARE(layout.cellAt({0, layout.size().height()}), -1);
    QCOMPARE(layout.cellAt({layout.size().width(), 0}), -1);
    QCOMPARE(layoutCores(0, wide, CoreRoom::Wide).cellAt({0, 0}), -1);
}

void tst_CoreLayout::partsOfARowLieBesideEachOther()
{
    const QRect row(0, 14, wide, 14);
    const CoreRow parts = layoutCoreRow(row, 28, 35);
    for (const QRect &part : {parts.number, parts.bar, parts.share})
        QVERIFY(row.contains(part));
    QVERIFY(parts.number.right() < parts.bar.left());
    QVERIFY(parts.bar.right() < parts.share.left());
    QVERIFY(parts.bar.width() >= 80);
}

QTEST_GUILESS_MAIN(tst_CoreLayout)
#include "tst_core_layout.moc"
