// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/rate_meter.h"

#include <QTest>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

constexpr qint64 ms = 1'000'000;

} // namespace

class tst_RateMeter : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void firstReadingIsTheRateSinceTheGate();
    void fastRateIsOfHalfASecond();
    void slowTasksGiveNoSquareWave();
    void rateFallsWhileNothingHappens();
    void rareEventsAreOfTenSeconds();
    void bytesFollowTheMessages();
    void shareIsOfHalfASecond();
    void windowIsNamed();
    void sameInstantChangesNothing();
    void sampleKeepsTheTotal();
};

void tst_RateMeter::firstReadingIsTheRateSinceTheGate()
{
    RateMeter meter;
    QCOMPARE(meter.add(4 * ms, 20'000), 5e6);
}

void tst_RateMeter::fastRateIsOfHalfASecond()
{
    RateMeter meter;
    for (int i = 1; i <= 20; ++i)
        meter.add(i * 50 * ms, i * 10);         // 200 per second, for one second.
    QCOMPARE(meter.add(1050 * ms, 300), 380.0); // 190 since the reading at 550 ms.
}

/// One worker, a task each 700 ms: in each half second there was one or none.
void tst_RateMeter::slowTasksGiveNoSquareWave()
{
    RateMeter meter;
    for (int i = 1; i < 600; ++i) {
        const double rate = meter.add(i * 50 * ms, i / 14);
        if (i < 14 * 8)
            continue;
        QVERIFY2(rate > 1.25 && rate < 1.43, qPrintable(QString::number(rate)));
    }
}

void tst_RateMeter::rateFallsWhileNothingHappens()
{
    RateMeter meter;
    for (int i = 1; i <= 20; ++i)
        meter.add(i * 50 * ms, i * 10);
    double before = meter.add(1010 * ms, 200);
    for (int i = 21; i < 2'000; ++i) { // 99 seconds
        const double rate = meter.add(i * 50 * ms, 200);
        QVERIFY(rate > 0);
        QVERIFY(rate <= before);
        before = rate;
    }
    QVERIFY(before < 1);
}

void tst_RateMeter::rareEventsAreOfTenSeconds()
{
    RateMeter meter;
    for (int i = 1; i <= 40; ++i) // One in four seconds, then one a second.
        meter.add(i * 1'000 * ms, i / 4);
    QCOMPARE(meter.add(40'500 * ms, 10), 3 / 12.5); // Since the one at 28 s.
    for (int i = 41; i <= 60; ++i)
        meter.add(i * 1'000 * ms, i - 30);
    QCOMPARE(meter.add(60'500 * ms, 30), 8 / 8.5);
}

void tst_RateMeter::bytesFollowTheMessages()
{
    RateMeter messages;
    RateMeter bytes;
    for (int i = 1; i <= 200; ++i) {
        const double rate = messages.add(i * 50 * ms, i / 20);
        QCOMPARE(bytes.add(i * 50 * ms, 1'000.0 * (i / 20), i / 20), 1'000 * rate);
    }
}

/// Of a wait that has ended nothing is left after half a second.
void tst_RateMeter::shareIsOfHalfASecond()
{
    RateMeter meter;
    for (int i = 1; i <= 20; ++i)
        QCOMPARE(meter.addShare(i * 50 * ms, i * 5), 100.0); // Percent times seconds.
    QCOMPARE(meter.addShare(1'100 * ms, 100), 80.0);
    for (int i = 23; i < 40; ++i)
        meter.addShare(i * 50 * ms, 100);
    QCOMPARE(meter.addShare(2'000 * ms, 100), 0.0);
}

void tst_RateMeter::windowIsNamed()
{
    QCOMPARE(
        rateWindowText(u"tasks"_s),
        u"Mean of the last 0.5 s or the last 8 tasks, whichever is longer, up to about 10 s"_s);
    QCOMPARE(rateWindowText({}), u"Mean of the last 0.5 s"_s);
}

void tst_RateMeter::sameInstantChangesNothing()
{
    RateMeter meter;
    QCOMPARE(meter.add(0, 0), 0.0);
    QCOMPARE(meter.add(10 * ms, 30), 3000.0);
    QCOMPARE(meter.add(10 * ms, 50), 3000.0);
    QCOMPARE(meter.add(20 * ms, 60), 3000.0);
}

void tst_RateMeter::sampleKeepsTheTotal()
{
    RateMeter meter;
    GaugeSample sample(3);
    sample.timeNs = 100 * ms;
    meter.addShare(sample, 2, 12); // 120 % of the time, since two clocks were read.
    QCOMPARE(sample.totals[2], 12.0);
    QCOMPARE(sample.values[2], 100.0);
    QCOMPARE(sample.values[0], 0.0);
}

QTEST_GUILESS_MAIN(tst_RateMeter)
#include "tst_rate_meter.moc"
