// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shared/theme.h"
#include "ui/shell/machine_meter.h"

#include <QApplication>
#include <QFile>
#include <QImage>
#include <QTemporaryDir>
#include <QTest>

#include <memory>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

/// Cores from number @p first on, each with @p percent.
MachineLoad loadOf(int cores, std::optional<double> percent, int first = 0)
{
    MachineLoad load;
    for (int i = 0; i < cores; ++i)
        load.cores << CoreLoad{first + i, percent};
    load.memoryBytes = quint64(16) << 30;
    load.memoryUsedBytes = quint64(4) << 30;
    return load;
}

class PaintCount final : public QObject
{
public:
    bool eventFilter(QObject *, QEvent *event) override
    {
        count += event->type() == QEvent::Paint ? 1 : 0;
        return false;
    }
    int count = 0;
};

} // namespace

class tst_MachineMeter : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void unknownIsNotZero_data();
    void unknownIsNotZero();
    void tipHasTheKernelsNumbers();
    void tipOfAMergedSquareNamesItsCores();
    void gapsInTheNumbersAreSaid();
    void memoryThatIsNotKnownIsADash();
    void nothingIsPaintedWhileNothingChanges();

private:
    QImage picture(const MachineLoad &load);

    QTemporaryDir m_folder; // Without files: the meter shows what a test gives it.
    std::unique_ptr<MachineMeter> m_meter;
};

void tst_MachineMeter::init()
{
    Theme::apply(*qApp, Theme::Mode::Light);
    m_meter = std::make_unique<MachineMeter>(nullptr, m_folder.path().toLocal8Bit());
}

QImage tst_MachineMeter::picture(const MachineLoad &load)
{
    m_meter->setLoad(load);
    m_meter->resize(m_meter->sizeHint());
    QImage image(m_meter->size(), QImage::Format_RGB32);
    m_meter->render(&image);
    return image;
}

void tst_MachineMeter::unknownIsNotZero_data()
{
    QTest::addColumn<int>("cores");
    QTest::addColumn<bool>("compact");
    for (const int cores : {1, 2, 8, 64, 256, 1024}) {
        QTest::addRow("%d", cores) << cores << false;
        QTest::addRow("%d, compact", cores) << cores << true;
    }
}

void tst_MachineMeter::unknownIsNotZero()
{
    QFETCH(const int, cores);
    QFETCH(const bool, compact);
    m_meter->setCompact(compact);
    const QImage unknown = picture(loadOf(cores, std::nullopt));
    const QImage idle = picture(loadOf(cores, 0.0));
    const QImage busy = picture(loadOf(cores, 100.0));
    QVERIFY(unknown != idle);
    QVERIFY(idle != busy);
    // The machine stays within the rail.
    QCOMPARE(m_meter->width(), compact ? 48 : 200);
    QVERIFY(m_meter->height() <= 190);
    m_meter->setLoad(loadOf(cores, std::nullopt));
    QVERIFY(m_meter->tipAt({0, 0}).contains(u"– busy"_s));
    QVERIFY(!m_meter->tipAt({0, 0}).contains(u'%'));
}

void tst_MachineMeter::tipHasTheKernelsNumbers()
{
    MachineLoad load = loadOf(4, 12.34, 6);
    load.cores[1].percent.reset();
    picture(load);
    QStringList tips;
    for (int y = 0; y < m_meter->height(); ++y) {
        if (const QString tip = m_meter->tipAt({100, y}); !tips.contains(tip))
            tips << tip;
    }
    const QStringList expected{u"Cores 6–9: 12 % busy on average\nBusiest: core 6, 12 %\n"
                               "Memory: 4.0\u00A0GiB of 16\u00A0GiB in use"_s,
                               u"Core 6: 12.3 %"_s, u"Core 7: not known"_s, u"Core 8: 12.3 %"_s,
                               u"Core 9: 12.3 %"_s};
    QCOMPARE(tips, expected);
}

void tst_MachineMeter::tipOfAMergedSquareNamesItsCores()
{
    m_meter->setCompact(true);
    picture(loadOf(1024, 50.0));
    QCOMPARE(m_meter->tipAt({11, 13}), u"Cores 0–3: 50.0 % on average"_s);
}

void tst_MachineMeter::gapsInTheNumbersAreSaid()
{
    MachineLoad load = loadOf(2, 10.0);
    load.cores << CoreLoad{8, 10.0} << CoreLoad{10, 10.0} << CoreLoad{11, 10.0};
    picture(load);
    QVERIFY(m_meter->tipAt({0, 0}).startsWith(u"Cores 0–1, 8, 10–11: 10 %"_s));
}

void tst_MachineMeter::memoryThatIsNotKnownIsADash()
{
    MachineLoad load = loadOf(2, 10.0);
    load.memoryBytes = 0;
    picture(load);
    QVERIFY(!m_meter->tipAt({0, 0}).contains(u"Memory"_s));
}

void tst_MachineMeter::nothingIsPaintedWhileNothingChanges()
{
    QFile stat(m_folder.filePath(u"stat"_s));
    QVERIFY(stat.open(QIODevice::WriteOnly));
    stat.write("cpu0 1 0 0 1\ncpu1 1 0 0 1\n");
    stat.close();
    PaintCount paints;
    m_meter->installEventFilter(&paints);
    m_meter->show();
    QVERIFY(QTest::qWaitForWindowExposed(m_meter.get()));
    QTRY_VERIFY(m_meter->tipAt({0, 0}).contains(u"Cores 0–1: –"_s));
    QTest::qWait(50); // What the first reading brought is painted.
    const int before = paints.count;
    // Two more readings of the same.
    QTest::qWait(1'500);
    QCOMPARE(paints.count, before);
    m_meter->setLoad(loadOf(2, 50.2));
    QTRY_COMPARE(paints.count, before + 1);
    m_meter->setLoad(loadOf(2, 50.4)); // Also 50 %.
    QTest::qWait(50);
    QCOMPARE(paints.count, before + 1);
    QVERIFY(QFile::remove(stat.fileName()));
}

QTEST_MAIN(tst_MachineMeter)
#include "tst_machine_meter.moc"
