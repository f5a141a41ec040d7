// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/run/frame_pacer.h"

#include <QTest>

using namespace proclab;

/// Pictures come each 50 ms.
class tst_FramePacer : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void picturesOfASecond_data();
    void picturesOfASecond();
    void scarcityHoldsForASecond();
};

namespace {

constexpr qint64 millisecond = 1'000'000;
constexpr qint64 stepNs = 50 * millisecond;

/// How many of the pictures of a second are drawn, once the first ones have told their cost.
int framesOfASecond(FramePacer &pacer, qint64 costNs, bool scarce)
{
    qint64 now = 0;
    qint64 cpu = 0;
    int drawn = 0;
    for (int picture = 0; picture < 60; ++picture, now += stepNs) {
        if (!pacer.takesFrame(now, cpu, scarce))
            continue;
        cpu += costNs;
        drawn += picture >= 40 ? 1 : 0;
    }
    return drawn;
}

} // namespace

void tst_FramePacer::picturesOfASecond_data()
{
    QTest::addColumn<int>("cores");
    QTest::addColumn<qint64>("costUs");
    QTest::addColumn<bool>("scarce");
    QTest::addColumn<int>("drawn");
    QTest::newRow("cheap: each") << 2 << qint64{1'000} << false << 20;
    QTest::newRow("at the budget: each") << 2 << qint64{2'250} << false << 20;
    QTest::newRow("dear: each second") << 2 << qint64{4'000} << false << 10;
    QTest::newRow("very dear: three") << 2 << qint64{100'000} << false << 3;
    QTest::newRow("cheap where cores are scarce") << 2 << qint64{500} << true << 20;
    QTest::newRow("dear where cores are scarce") << 2 << qint64{3'000} << true << 3;
    QTest::newRow("the same on many cores") << 64 << qint64{2'000} << true << 20;
}

void tst_FramePacer::picturesOfASecond()
{
    QFETCH(const int, cores);
    QFETCH(const qint64, costUs);
    QFETCH(const bool, scarce);
    FramePacer pacer(cores);
    QTEST(framesOfASecond(pacer, costUs * 1'000, scarce), "drawn");
}

void tst_FramePacer::scarcityHoldsForASecond()
{
    FramePacer pacer(2);
    constexpr qint64 cost = 2 * millisecond; // Each 50 ms: 4 %.
    QVERIFY(pacer.takesFrame(0, 0, true));
    QVERIFY(pacer.takesFrame(stepNs, cost, true)); // It tells what the first one cost.
    QVERIFY(!pacer.takesFrame(2 * stepNs, 2 * cost, false));
    QVERIFY(pacer.takesFrame(stepNs + 1'000 * millisecond, 2 * cost, false));
    QVERIFY(pacer.takesFrame(2 * stepNs + 1'000 * millisecond, 3 * cost, false));
}

QTEST_MAIN(tst_FramePacer)
#include "tst_frame_pacer.moc"
