// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/rate_meter.h"

#include <QTest>

using namespace proclab;

namespace {

constexpr qint64 ms = 1'000'000;

} // namespace

class tst_RateMeter : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void firstReadingIsTheRateSinceTheGate();
    void windowIsHalfASecond();
    void sameInstantChangesNothing();
    void sampleKeepsTheTotal();
};

void tst_RateMeter::firstReadingIsTheRateSinceTheGate()
{
    RateMeter meter;
    QCOMPARE(meter.add(4 * ms, 20'000), 5e6);
}

void tst_RateMeter::windowIsHalfASecond()
{
    RateMeter meter;
    for (int i = 1; i <= 20; ++i)
        meter.add(i * 50 * ms, i * 10); // 200 per second, for one second.
    QCOMPARE(meter.add(1050 * ms, 200), 180.0);
    for (int i = 22; i < 40; ++i)
        meter.add(i * 50 * ms, 200);
    QCOMPARE(meter.add(2000 * ms, 200), 0.0);
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
    meter.add(sample, 2, 12, 100); // 120 % of the time, since two clocks were read.
    QCOMPARE(sample.totals[2], 12.0);
    QCOMPARE(sample.values[2], 100.0);
    QCOMPARE(sample.values[0], 0.0);
}

QTEST_GUILESS_MAIN(tst_RateMeter)
#include "tst_rate_meter.moc"
