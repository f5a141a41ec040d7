// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/cli_process.h"

#include <QProcess>
#include <QRegularExpression>
#include <QSet>
#include <QTest>

#include <algorithm>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

constexpr int patience = 60'000;

} // namespace

/// What a run shows on a terminal while it goes on.
class tst_CliTerminal : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void progressFitsAndIsCleared_data();
    void progressFitsAndIsCleared();
    void summaryIsPlainAndAligned();
};

void tst_CliTerminal::progressFitsAndIsCleared_data()
{
    QTest::addColumn<int>("columns");
    QTest::addColumn<int>("rows");
    QTest::addColumn<QStringList>("parts");
    QTest::newRow("usual") << 80 << 40
                           << QStringList{u"[........................]"_s, u" of 20 done"_s,
                                          u"worker-20 "_s, u"sleeping"_s};
    QTest::newRow("narrow") << 60 << 10
                            << QStringList{u"[..........]"_s, u" of 20 done"_s, u"worker-1 "_s,
                                           u"more"_s};
    QTest::newRow("no room for a bar") << 40 << 10 << QStringList{u" of 20 done"_s, u"worker-1 "_s};
    QTest::newRow("one line") << 40 << 3 << QStringList{u" of 20 done"_s};
    QTest::newRow("nearly nothing") << 2 << 1 << QStringList();
}

void tst_CliTerminal::progressFitsAndIsCleared()
{
    QFETCH(const int, columns);
    QFETCH(const int, rows);
    QFETCH(const QStringList, parts);
    const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    QVERIFY(terminal >= 0 && ::grantpt(terminal) == 0 && ::unlockpt(terminal) == 0);
    const winsize size{static_cast<unsigned short>(rows), static_cast<unsigned short>(columns), 0,
                       0};
    QCOMPARE(::ioctl(terminal, TIOCSWINSZ, &size), 0);
    QProcess process;
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert(u"TERM"_s, u"xterm"_s);
    process.setProcessEnvironment(environment);
    process.setStandardErrorFile(QString::fromLocal8Bit(::ptsname(terminal)));
    process.start(test::cliProgram(), {u"run"_s, u"pool"_s, u"--set"_s, u"tasks.args.min_s=0.8"_s,
                                       u"--set"_s, u"tasks.args.max_s=0.8"_s, u"--set"_s,
                                       u"tasks.count=20"_s, u"--set"_s, u"pool.workers=20"_s});
    QVERIFY(process.waitForStarted(patience));
    // Kept open, or what the program wrote is gone with it.
    const int keep = ::open(::ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
    QByteArray shown;
    const auto readTerminal = [&] {
        char bytes[4096];
        for (ssize_t count = 0; (count = ::read(terminal, bytes, sizeof bytes)) > 0;)
            shown.append(bytes, count);
        return process.state() == QProcess::NotRunning;
    };
    QTRY_VERIFY_WITH_TIMEOUT(readTerminal(), patience);
    readTerminal();
    ::close(keep);
    ::close(terminal);
    QCOMPARE(process.exitCode(), 0);
    for (const QString &part : parts)
        QVERIFY2(shown.contains(part.toUtf8()), shown.constData());
    QVERIFY(shown.endsWith("\x1b[J"));
    // No line wraps, and none scrolls out of reach before it is drawn anew.
    const QRegularExpression control(u"\x1b\\[[0-9]*[AJK]|\r"_s);
    for (const QString &drawn : QString::fromUtf8(shown).split(u"\x1b[J"_s)) {
        QVERIFY(drawn.count(u'\n') <= std::max(1, rows - 1));
        for (QString line : drawn.split(u'\n'))
            QVERIFY2(line.remove(control).size() < columns, qPrintable(line));
    }
}

void tst_CliTerminal::summaryIsPlainAndAligned()
{
    QProcess process;
    process.start(test::cliProgram(),
                  {u"run"_s, u"counter-lock"_s, u"--set"_s, u"title=\u001b[31mred"_s, u"--set"_s,
                   u"counter.processes=1"_s});
    QVERIFY(process.waitForFinished(patience));
    const QString output = QString::fromUtf8(process.readAllStandardOutput());
    QVERIFY2(output.startsWith(u"\\u001b[31mred: 1 of 1 process done in "), qPrintable(output));
    const QRegularExpression figure(u"^  [A-Z][^:]*: +"_s, QRegularExpression::MultilineOption);
    QSet<qsizetype> columns;
    for (const QRegularExpressionMatch &match : figure.globalMatch(output))
        columns.insert(match.capturedLength());
    QCOMPARE(columns.size(), 1);
}

QTEST_GUILESS_MAIN(tst_CliTerminal)
#include "tst_cli_terminal.moc"
