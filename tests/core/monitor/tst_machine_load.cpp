// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/monitor/machine_load.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

bool writeFile(const QString &name, const QByteArray &contents)
{
    QFile file(name);
    return file.open(QIODevice::WriteOnly) && file.write(contents) == contents.size();
}

} // namespace

class tst_MachineLoad : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void coresAreReadFromStat();
    void otherTextIsPassedOver();
    void loadIsTheDifferenceOfTwoReadings();
    void memoryIsWhatIsNotAvailable();
    void missingFilesGiveNothing();
    void thisMachineHasCores();
};

void tst_MachineLoad::coresAreReadFromStat()
{
    const QList<CoreTicks> cores = parseCoreTicks("cpu  10 0 10 80 0 0 0 0 0 0\n"
                                                  "cpu0 5 1 4 40 3 1 1 2 9 9\n"
                                                  "cpu3 5 0 5 40 0 0 0 0 0 0\n"
                                                  "intr 12 3 4\n");
    const QList<CoreTicks> expected{{0, 14, 57}, {3, 10, 50}};
    QCOMPARE(cores, expected);
}

void tst_MachineLoad::otherTextIsPassedOver()
{
    QVERIFY(parseCoreTicks({}).isEmpty());
    QVERIFY(parseCoreTicks("cpufreq 1 2 3 4 5\ncpu0 1 2\n\n\0x").isEmpty());
}

void tst_MachineLoad::loadIsTheDifferenceOfTwoReadings()
{
    QTemporaryDir folder;
    QVERIFY(folder.isValid());
    const QString stat = folder.filePath(u"stat"_s);
    MachineLoadSource source(folder.path().toLocal8Bit());
    QVERIFY(writeFile(stat, "cpu0 100 0 0 100 0 0 0 0\ncpu1 0 0 0 200 0 0 0 0\n"));
    const MachineLoad first = source.sample();
    QCOMPARE(first.corePercent.size(), 2);
    QVERIFY(!first.corePercent[0]);
    // Core 0 was busy for 30 of 40 ticks; core 1 went back a tick, as the kernel's counters may.
    QVERIFY(writeFile(stat, "cpu0 130 0 0 110 0 0 0 0\ncpu1 0 0 0 199 0 0 0 0\n"));
    const MachineLoad second = source.sample();
    QCOMPARE(second.corePercent[0], std::optional<double>(75.0));
    QCOMPARE(second.corePercent[1], std::optional<double>(0.0));
}

void tst_MachineLoad::memoryIsWhatIsNotAvailable()
{
    MachineLoad load;
    parseMemory("MemTotal:       1000 kB\nMemFree: 100 kB\nMemAvailable:   400 kB\n", load);
    QCOMPARE(load.memoryBytes, quint64(1000 * 1024));
    QCOMPARE(load.memoryUsedBytes, quint64(600 * 1024));
    parseMemory("MemTotal: 1 kB\nMemAvailable: 2 kB", load);
    QCOMPARE(load.memoryUsedBytes, quint64(0));
}

void tst_MachineLoad::missingFilesGiveNothing()
{
    QTemporaryDir folder;
    MachineLoadSource source(folder.path().toLocal8Bit());
    const MachineLoad load = source.sample();
    QVERIFY(load.corePercent.isEmpty());
    QCOMPARE(load.memoryBytes, quint64(0));
}

void tst_MachineLoad::thisMachineHasCores()
{
    MachineLoadSource source;
    const MachineLoad load = source.sample();
    QVERIFY(!load.corePercent.isEmpty());
    QVERIFY(load.memoryUsedBytes <= load.memoryBytes);
    QVERIFY(load.memoryBytes > 0);
}

QTEST_GUILESS_MAIN(tst_MachineLoad)
#include "tst_machine_load.moc"
