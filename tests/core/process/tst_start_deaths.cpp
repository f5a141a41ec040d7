// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/process/start_deaths.h"

#include <QTest>

using namespace proclab;

namespace {

constexpr qint64 second = 1'000'000'000;

ChildExit endedBy(int signal)
{
    ChildExit exit;
    exit.signal = signal;
    return exit;
}

} // namespace

class tst_StartDeaths : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void severalInARowAreEnough_data();
    void severalInARowAreEnough();
    void onlyKillsAreBorneForTenSeconds();
    void oneThatIsReadyBeginsANewRow();
    void killsInBetweenHideNothing();
};

void tst_StartDeaths::severalInARowAreEnough_data()
{
    QTest::addColumn<int>("signal");
    QTest::newRow("exit") << 0;
    QTest::newRow("crash") << SIGSEGV;
}

void tst_StartDeaths::severalInARowAreEnough()
{
    QFETCH(const int, signal);
    StartDeaths deaths;
    for (int i = 0; i < 5; ++i)
        QVERIFY(!deaths.noteEnd(endedBy(signal), false, 2, 0));
    QVERIFY(deaths.noteEnd(endedBy(signal), false, 2, 0));
}

void tst_StartDeaths::onlyKillsAreBorneForTenSeconds()
{
    StartDeaths deaths;
    for (int i = 0; i < 1'000; ++i)
        QVERIFY(!deaths.noteEnd(endedBy(SIGKILL), false, 2, 5 * second));
    QVERIFY(!deaths.noteEnd(endedBy(SIGKILL), false, 2, 14 * second));
    QVERIFY(deaths.noteEnd(endedBy(SIGKILL), false, 2, 16 * second));
    // Two that are far apart are no row.
    StartDeaths few;
    QVERIFY(!few.noteEnd(endedBy(SIGKILL), false, 2, 0));
    QVERIFY(!few.noteEnd(endedBy(SIGKILL), false, 2, 60 * second));
}

void tst_StartDeaths::oneThatIsReadyBeginsANewRow()
{
    StartDeaths deaths;
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 5; ++i)
            QVERIFY(!deaths.noteEnd(endedBy(0), false, 2, round * 20 * second));
        QVERIFY(!deaths.noteEnd(endedBy(0), true, 2, round * 20 * second));
    }
}

void tst_StartDeaths::killsInBetweenHideNothing()
{
    StartDeaths deaths;
    for (int i = 0; i < 5; ++i) {
        QVERIFY(!deaths.noteEnd(endedBy(0), false, 2, 0));
        QVERIFY(!deaths.noteEnd(endedBy(SIGKILL), false, 2, 0));
    }
    QVERIFY(deaths.noteEnd(endedBy(SIGSEGV), false, 2, 0));
}

QTEST_APPLESS_MAIN(tst_StartDeaths)
#include "tst_start_deaths.moc"
