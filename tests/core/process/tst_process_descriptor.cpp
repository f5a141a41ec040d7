// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/process/process_descriptor.h"

#include <QTest>

#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

using namespace proclab;

class tst_ProcessDescriptor : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void endIsSeenAndSignalsArrive();
    void nobodyHasNoDescriptor_data();
    void nobodyHasNoDescriptor();
};

void tst_ProcessDescriptor::endIsSeenAndSignalsArrive()
{
    const pid_t pid = ::fork();
    if (pid == 0) {
        for (;;)
            ::pause();
    }
    auto opened = ProcessDescriptor::open(pid);
    QVERIFY(opened);
    const ProcessDescriptor process = std::move(*opened);
    QVERIFY(!process.hasEnded());
    process.sendSignal(SIGKILL);
    QTRY_VERIFY(process.hasEnded()); // A zombie has.
    int status = 0;
    QCOMPARE(::waitpid(pid, &status, 0), pid);
    QVERIFY(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    QVERIFY(process.hasEnded());
    process.sendSignal(SIGKILL); // Whoever has the PID now.
}

void tst_ProcessDescriptor::nobodyHasNoDescriptor_data()
{
    QTest::addColumn<qint64>("pid");
    QTest::newRow("none") << qint64{0};
    QTest::newRow("below 0") << qint64{-1};
    QTest::newRow("above all") << qint64{0x7fffffff};
}

void tst_ProcessDescriptor::nobodyHasNoDescriptor()
{
    QFETCH(const qint64, pid);
    const auto process = ProcessDescriptor::open(pid);
    QVERIFY(!process);
    QCOMPARE(process.error().code, ErrorCode::OsError);
}

QTEST_GUILESS_MAIN(tst_ProcessDescriptor)
#include "tst_process_descriptor.moc"
