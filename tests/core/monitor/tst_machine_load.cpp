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
    void coresKeepTheirNumbers();
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
    const QList<CoreLoad> unknown{{0, std::nullopt}, {1, std::nullopt}};
    QCOMPARE(source.sample().cores, unknown);
    // Core 0 was busy for 30 of 40 ticks; core 1 went back a tick, as the kernel's counters may.
    QVERIFY(writeFile(stat, "cpu0 130 0 0 110 0 0 0 0\ncpu1 0 0 0 199 0 0 0 0\n"));
    const QList<CoreLoad> oneKnown{{0, 75.0}, {1, std::nullopt}};
    QCOMPARE(source.sample().cores, oneKnown);
}

void tst_MachineLoad::coresKeepTheirNumbers()
{
    QTemporaryDir folder;
    QVERIFY(folder.isValid());
    const QString stat = folder.filePath(u"stat"_s);
    MachineLoadSource source(folder.path().toLocal8Bit());
    QVERIFY(writeFile(stat, "cpu0 0 0 0 0\ncpu2 0 0 0 0\ncpu5 0 0 0 0\n"));
    QCOMPARE(source.sample().cores.size(), 3);
    // Core 2 went off line, core 3 came on line.
    QVERIFY(writeFile(stat, "cpu0 10 0 0 0\ncpu3 10 0 0 0\ncpu5 5 0 0 5\n"));
    const QList<CoreLoad> expected{{0, 100.0}, {3, std::nullopt}, {5, 50.0}};
    QCOMPARE(source.sample().cores, expected);
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
    QVERIFY(load.cores.isEmpty());
    QCOMPARE(load.memoryBytes, quint64(0));
}

void tst_MachineLoad::thisMachineHasCores()
{
    MachineLoadSource source;
    const MachineLoad load = source.sample();
    QVERIFY(!load.cores.isEmpty());
    QVERIFY(load.memoryUsedBytes <= load.memoryBytes);
    QVERIFY(load.memoryBytes > 0);
}

QTEST_GUILESS_MAIN(tst_MachineLoad)
#include "tst_machine_load.moc"
