// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/monitor/process_meter.h"

#include "tests/support/fake_process_source.h"

#include <QTest>

using namespace proclab;
using proclab::test::FakeProcessSource;

namespace {

constexpr qint64 second = 1'000'000'000;
constexpr qint64 pid = 4711;

} // namespace

class tst_ProcessMeter : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void firstSampleHasNoRates();
    void ratesArePercentOfOneCore_data();
    void ratesArePercentOfOneCore();
    void unknownReadyTimeHasNoRate();
    void samplesAtOneInstantHaveNoRates();
    void unknownProcessIsNotWatched();
    void goneProcessHasNoSample();
    void nextProcessWithThePidIsAnother();
    void removedProcessIsForgotten();
    void processesAreKeptApart();
};

void tst_ProcessMeter::firstSampleHasNoRates()
{
    FakeProcessSource source;
    source.now = 5 * second;
    source.processes[pid] = {1, {2 * second, second, 4096}};
    ProcessMeter meter(source);
    QVERIFY(meter.add(pid));
    const auto rates = meter.sample(pid);
    QVERIFY(rates);
    QVERIFY(!rates->cpuPercent);
    QVERIFY(!rates->readyPercent);
    QCOMPARE(rates->timeNs, 5 * second);
    QCOMPARE(rates->cpuNs, 2 * second);
    QCOMPARE(rates->readyNs.value(), second);
    QCOMPARE(rates->residentBytes.value(), quint64{4096});
}

void tst_ProcessMeter::ratesArePercentOfOneCore_data()
{
    QTest::addColumn<qint64>("passedNs");
    QTest::addColumn<qint64>("cpuNs");
    QTest::addColumn<qint64>("readyNs");
    QTest::addColumn<double>("cpuPercent");
    QTest::addColumn<double>("readyPercent");
    QTest::newRow("idle") << second << qint64{0} << qint64{0} << 0.0 << 0.0;
    QTest::newRow("half a core") << second << second / 2 << second / 4 << 50.0 << 25.0;
    QTest::newRow("one core for 10 ms")
        << second / 100 << second / 100 << qint64{0} << 100.0 << 0.0;
    QTest::newRow("three threads, two cores")
        << 2 * second << 4 * second << 2 * second << 200.0 << 100.0;
}

void tst_ProcessMeter::ratesArePercentOfOneCore()
{
    QFETCH(const qint64, passedNs);
    QFETCH(const qint64, cpuNs);
    QFETCH(const qint64, readyNs);
    FakeProcessSource source;
    source.now = 100 * second;
    source.processes[pid] = {1, {7 * second, 3 * second, 4096}};
    ProcessMeter meter(source);
    QVERIFY(meter.add(pid));
    QVERIFY(meter.sample(pid));
    for (int tick = 0; tick < 3; ++tick) { // Each from the sample before, not from the first.
        ProcessCounters &counters = source.processes[pid].counters;
        source.now += passedNs;
        counters.cpuNs += cpuNs;
        *counters.readyNs += readyNs;
        const auto rates = meter.sample(pid);
        QVERIFY(rates);
        QTEST(rates->cpuPercent.value(), "cpuPercent");
        QTEST(rates->readyPercent.value(), "readyPercent");
    }
}

void tst_ProcessMeter::unknownReadyTimeHasNoRate()
{
    FakeProcessSource source;
    source.processes[pid] = {1, {0, std::nullopt, std::nullopt}};
    ProcessMeter meter(source);
    QVERIFY(meter.add(pid));
    QVERIFY(meter.sample(pid));
    source.now = second;
    source.processes[pid].counters.readyNs = second; // Known from here on.
    auto rates = meter.sample(pid);
    QVERIFY(rates);
    QCOMPARE(rates->cpuPercent.value(), 0.0);
    QVERIFY(!rates->readyPercent);
    QVERIFY(!rates->residentBytes);
    source.now = 2 * second;
    rates = meter.sample(pid);
    QCOMPARE(rates.value().readyPercent.value(), 0.0);
}

void tst_ProcessMeter::samplesAtOneInstantHaveNoRates()
{
    FakeProcessSource source;
    source.now = second;
    source.processes[pid] = {};
    ProcessMeter meter(source);
    QVERIFY(meter.add(pid));
    QVERIFY(meter.sample(pid));
    const auto rates = meter.sample(pid);
    QVERIFY(rates);
    QVERIFY(!rates->cpuPercent);
}

void tst_ProcessMeter::unknownProcessIsNotWatched()
{
    FakeProcessSource source;
    ProcessMeter meter(source);
    QVERIFY(!meter.add(pid));
    QVERIFY(!meter.sample(pid));
    source.processes[pid] = {};
    QVERIFY(!meter.sample(pid));
    QVERIFY(meter.add(pid));
    QVERIFY(meter.sample(pid));
}

void tst_ProcessMeter::goneProcessHasNoSample()
{
    FakeProcessSource source;
    source.processes[pid] = {};
    ProcessMeter meter(source);
    QVERIFY(meter.add(pid));
    QVERIFY(meter.sample(pid));
    source.processes.erase(pid);
    QVERIFY(!meter.sample(pid));
}

void tst_ProcessMeter::nextProcessWithThePidIsAnother()
{
    FakeProcessSource source;
    source.processes[pid] = {1, {9 * second, 0, 0}};
    ProcessMeter meter(source);
    QVERIFY(meter.add(pid));
    QVERIFY(meter.sample(pid));
    source.processes[pid] = {2, {second, 0, 0}};
    source.now = second;
    QVERIFY(!meter.sample(pid));
    QVERIFY(meter.add(pid));
    const auto rates = meter.sample(pid);
    QVERIFY(rates);
    QVERIFY(!rates->cpuPercent); // No rate from the other one's counters.
}

void tst_ProcessMeter::removedProcessIsForgotten()
{
    FakeProcessSource source;
    source.processes[pid] = {3, {}};
    ProcessMeter meter(source);
    meter.remove(pid);
    QVERIFY(source.forgotten.isEmpty());
    QVERIFY(meter.add(pid));
    meter.remove(pid);
    QCOMPARE(source.forgotten, (QList<ProcessKey>{{pid, 3}}));
    QVERIFY(!meter.sample(pid));
}

void tst_ProcessMeter::processesAreKeptApart()
{
    FakeProcessSource source;
    source.processes[1] = {};
    source.processes[2] = {};
    ProcessMeter meter(source);
    QVERIFY(meter.add(1));
    QVERIFY(meter.add(2));
    QVERIFY(meter.sample(1));
    QVERIFY(meter.sample(2));
    source.now = second;
    source.processes[1].counters.cpuNs = second;
    QCOMPARE(meter.sample(1).value().cpuPercent.value(), 100.0);
    QCOMPARE(meter.sample(2).value().cpuPercent.value(), 0.0);
}

QTEST_GUILESS_MAIN(tst_ProcessMeter)
#include "tst_process_meter.moc"
