// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/roles.h"
#include "ui/counter/counter_stage.h"
#include "ui/experiment/stage/stage_cards.h"
#include "ui/pipeline/pipeline_stage.h"
#include "ui/pool/pool_stage.h"

#include <QTest>

#include <algorithm>
#include <cmath>

using namespace proclab;
using namespace Qt::StringLiterals;

namespace {

bool overlap(const QList<QRectF> &rects)
{
    for (qsizetype i = 0; i < rects.size(); ++i) {
        for (qsizetype k = i + 1; k < rects.size(); ++k) {
            if (rects[i].intersects(rects[k]))
                return true;
        }
    }
    return false;
}

} // namespace

/// Where the parts of a stage are, before anything is painted.
class tst_StageLayout : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void cardsFitWithoutOverlap_data();
    void cardsFitWithoutOverlap();
    void fewCardsReachAsFarAsMany();
    void deadAreShownWhileThereAreFew();
    void poolBoxesAreAsHighAsWhatTheyShow_data();
    void poolBoxesAreAsHighAsWhatTheyShow();
    void poolBoxesDoNotOverlap_data();
    void poolBoxesDoNotOverlap();
    void cellsFit_data();
    void cellsFit();
    void tankShowsEverySlotWhereItFits();
    void aLowTankHasSlots_data();
    void aLowTankHasSlots();
};

void tst_StageLayout::cardsFitWithoutOverlap_data()
{
    QTest::addColumn<int>("count");
    QTest::addColumn<QSize>("size");
    QTest::addColumn<CardStyle>("style");
    QTest::newRow("4 in much room") << 4 << QSize(240, 500) << CardStyle::Full;
    QTest::newRow("4 in little room") << 4 << QSize(240, 300) << CardStyle::Compact;
    QTest::newRow("12 in much room") << 12 << QSize(240, 1200) << CardStyle::Full;
    QTest::newRow("5 in very little room") << 5 << QSize(240, 112) << CardStyle::Row;
    QTest::newRow("5 in least room") << 5 << QSize(240, 100) << CardStyle::Square;
    QTest::newRow("12 in little room") << 12 << QSize(240, 400) << CardStyle::Row;
    QTest::newRow("16") << 16 << QSize(240, 500) << CardStyle::Row;
    QTest::newRow("16 in much room") << 16 << QSize(240, 2000) << CardStyle::Row;
    QTest::newRow("40") << 40 << QSize(240, 1200) << CardStyle::Row;
    QTest::newRow("41") << 41 << QSize(240, 1200) << CardStyle::Square;
    QTest::newRow("256") << 256 << QSize(200, 328) << CardStyle::Square;
}

void tst_StageLayout::cardsFitWithoutOverlap()
{
    QFETCH(const int, count);
    QFETCH(const QSize, size);
    const QRectF area(QPointF(10, 20), QSizeF(size));
    const CardLayout layout = arrangeCards(area, QList<bool>(count, false));
    QTEST(layout.style, "style");
    QCOMPARE(layout.rects.size(), count);
    QVERIFY(!overlap(layout.rects));
    for (const QRectF &rect : layout.rects)
        QVERIFY(area.contains(rect));
}

void tst_StageLayout::fewCardsReachAsFarAsMany()
{
    const QRectF area(0, 0, 200, 452);
    const QList<QRectF> two = arrangeCards(area, {false, false}).rects;
    const QList<QRectF> three = arrangeCards(area, {false, false, false}).rects;
    QVERIFY(std::abs(two.first().top() - three.first().top()) <= 2);
    QVERIFY(std::abs(two.last().bottom() - three.last().bottom()) <= 2);
}

void tst_StageLayout::deadAreShownWhileThereAreFew()
{
    QList<ProcessRecord> processes(1);
    for (int i = 1; i <= 6; ++i) { // Each one but the last died and was replaced by the next.
        ProcessRecord process;
        process.role = test::worker();
        process.signal = i < 6 ? 11 : 0;
        process.endNs = i < 6 ? i : -1;
        process.replaces = i > 1 ? i - 1 : -1;
        processes.append(process);
    }
    QCOMPARE(shownProcesses(processes, *test::worker()), (QList<int>{4, 5, 6}));
    processes[5].endedByRun = true; // Recycled: no failure, no card.
    QCOMPARE(shownProcesses(processes, *test::worker()), (QList<int>{3, 4, 6}));
}

void tst_StageLayout::poolBoxesAreAsHighAsWhatTheyShow_data()
{
    QTest::addColumn<QSize>("size");
    QTest::addColumn<quint64>("tasks");
    for (const QSize size : {QSize(656, 510), QSize(1600, 1000)}) {
        for (const quint64 tasks : {1, 5, 24, 200, 2'000, 100'000})
            QTest::addRow("%d x %d, %llu tasks", size.width(), size.height(), tasks)
                << size << tasks;
    }
}

void tst_StageLayout::poolBoxesAreAsHighAsWhatTheyShow()
{
    QFETCH(const QSize, size);
    QFETCH(const quint64, tasks);
    const QRectF area(QPointF(0, 0), QSizeF(size));
    const PoolLayout pool = arrangePool(area, {208, 22, tasks});
    QVERIFY(pool.queueHasRows && pool.resultsHaveRows);
    // In the middle, at the level of the cards.
    const double middle = (pool.queue.top() + pool.results.bottom()) / 2;
    QVERIFY(std::abs(middle - area.center().y()) <= 1);
    const QRectF room = pool.results.adjusted(poolBox::padding, poolBox::cellsTop,
                                              -poolBox::padding, -poolBox::resultRows);
    const CellGrid grid = fitCells(room, tasks);
    if (grid.size > 0) {
        const QRectF last = grid.cell(room, static_cast<int>(tasks) - 1);
        QVERIFY(room.bottom() - last.bottom() < grid.pitch);
    } else {
        QVERIFY(room.height() < 100 || room.height() < area.height() / 2);
    }
    const double tokens = pool.queue.height() - poolBox::tokensTop - poolBox::queueRows;
    QCOMPARE(std::fmod(tokens + poolBox::tokenGap, poolBox::tokenHeight + poolBox::tokenGap), 0.0);
}

void tst_StageLayout::poolBoxesDoNotOverlap_data()
{
    QTest::addColumn<QSize>("size");
    for (const QSize size : {QSize(560, 360), QSize(656, 510), QSize(900, 400), QSize(1600, 1000)})
        QTest::addRow("%d x %d", size.width(), size.height()) << size;
}

void tst_StageLayout::poolBoxesDoNotOverlap()
{
    QFETCH(const QSize, size);
    const QRectF area(QPointF(0, 0), QSizeF(size));
    const PoolLayout pool = arrangePool(area, {208, 22, 24});
    QVERIFY(!overlap({pool.parent, pool.queue, pool.results, pool.workers}));
    const PipelineLayout pipeline = arrangePipeline(area);
    QVERIFY(!overlap({pipeline.producers, pipeline.tank, pipeline.parent, pipeline.consumers}));
    const CounterLayout counter = arrangeCounter(area, 2);
    QVERIFY(!overlap({counter.left, counter.counter, counter.right, counter.result}));
    for (const QRectF &rect :
         {pool.parent, pool.queue, pool.results, pool.workers, pipeline.producers, pipeline.tank,
          pipeline.consumers, counter.left, counter.right, counter.result})
        QVERIFY(area.contains(rect));
}

void tst_StageLayout::cellsFit_data()
{
    QTest::addColumn<quint64>("count");
    QTest::addColumn<bool>("fits");
    QTest::newRow("24") << quint64(24) << true;
    QTest::newRow("400") << quint64(400) << true;
    QTest::newRow("100,000") << quint64(100'000) << false;
}

void tst_StageLayout::cellsFit()
{
    QFETCH(const quint64, count);
    QFETCH(const bool, fits);
    const QRectF area(5, 5, 132, 180);
    const CellGrid grid = fitCells(area, count);
    QCOMPARE(grid.size > 0, fits);
    if (fits)
        QVERIFY(area.contains(grid.cell(area, static_cast<int>(count) - 1)));
}

void tst_StageLayout::tankShowsEverySlotWhereItFits()
{
    QVERIFY(scaleTank(400, 16).isExact);
    QCOMPARE(scaleTank(400, 16).shownItems, 16);
    QVERIFY(scaleTank(400, 16).slotHeight * 16 <= 400);
    QVERIFY(!scaleTank(400, 1000).isExact);
    QVERIFY(!scaleTank(400, 0).isExact);
    QVERIFY(scaleTank(400, 1000).shownItems * scaleTank(400, 1000).slotHeight <= 400);
}

void tst_StageLayout::aLowTankHasSlots_data()
{
    QTest::addColumn<double>("height");
    QTest::addColumn<quint64>("capacity");
    QTest::addColumn<int>("least");
    // A window of 720 x 450, without a run and after one that was stopped.
    QTest::newRow("small queue") << 160.0 << quint64(3) << 3;
    QTest::newRow("large queue") << 160.0 << quint64(16) << 4;
    QTest::newRow("beside a banner") << 120.0 << quint64(16) << 2;
}

void tst_StageLayout::aLowTankHasSlots()
{
    QFETCH(const double, height);
    QFETCH(const quint64, capacity);
    const PipelineLayout layout = arrangePipeline({0, 0, 640, height});
    QVERIFY(!overlap({layout.producers, layout.tank, layout.parent, layout.consumers}));
    QTEST(std::min(scaleTank(layout.tank.height(), capacity).shownItems, 4), "least");
}

QTEST_MAIN(tst_StageLayout)
#include "tst_stage_layout.moc"
