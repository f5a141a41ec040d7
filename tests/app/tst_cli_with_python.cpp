// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/cli_process.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <csignal>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

constexpr int patience = 60'000;

/// The begin of a python3 that tells its version.
const QByteArray version = "if [ \"$3\" = -c ]; then echo 3.11.2; exit; fi\n";

QJsonObject jsonOf(QProcess &process)
{
    return QJsonDocument::fromJson(process.readAllStandardOutput()).object();
}

} // namespace

/// `run --with-python`
class tst_CliWithPython : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void cleanup() { QTRY_VERIFY_WITH_TIMEOUT(m_orphans.isNobodyLeft(), patience); }

    void bothRunsAreInTheResult();
    void summaryComparesThem();
    void pythonThatFailsIsOneLine_data();
    void pythonThatFailsIsOneLine();
    void signalEndsPythonToo_data();
    void signalEndsPythonToo();

private:
    void start(QProcess &process, const QStringList &arguments) const;
    void startWithOurs(QProcess &process, const QByteArray &script) const;

    QTemporaryDir m_folder;
    test::OrphanCheck m_orphans;
};

/// Runs a small experiment.
void tst_CliWithPython::start(QProcess &process, const QStringList &arguments) const
{
    const QStringList command{u"run"_s, u"pool"_s, u"--with-python"_s, u"--set"_s,
                              u"tasks.args.max_s=0.01"_s};
    process.start(test::cliProgram(), command + arguments);
}

/// The same, with nothing in PATH but a python3 that is @p script, for a shell; empty: none.
void tst_CliWithPython::startWithOurs(QProcess &process, const QByteArray &script) const
{
    QFile file(m_folder.filePath(u"python3"_s));
    file.remove();
    if (!script.isEmpty()) {
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("#!/bin/sh\n" + script);
        file.close();
        QVERIFY(file.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner));
    }
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert(u"PATH"_s, m_folder.path());
    process.setProcessEnvironment(environment);
    start(process, {u"--quiet"_s, u"--json"_s, u"-"_s});
}

void tst_CliWithPython::bothRunsAreInTheResult()
{
    QProcess process;
    start(process, {u"--quiet"_s, u"--json"_s, u"-"_s});
    QVERIFY(process.waitForFinished(patience));
    QCOMPARE(process.readAllStandardError(), QByteArray());
    QCOMPARE(process.exitCode(), 0);
    const QJsonObject json = jsonOf(process);
    const QJsonValue python = json[u"python"_s];
    QCOMPARE(python[u"error"_s], QJsonValue());
    QVERIFY(python[u"version"_s].toString().startsWith(u"3."_s));
    QCOMPARE(python[u"totals"_s][u"done"_s], json[u"totals"_s][u"done"_s]);
    QVERIFY(python[u"outcome"_s].isObject());
    QCOMPARE(python[u"ratios"_s][u"elapsed_s"_s].toDouble(),
             json[u"elapsed_s"_s].toDouble() / python[u"elapsed_s"_s].toDouble());
    QVERIFY(python[u"ratios"_s][u"throughput_per_s"_s].toDouble() > 0);
}

void tst_CliWithPython::summaryComparesThem()
{
    QProcess process;
    start(process, {});
    QVERIFY(process.waitForFinished(patience));
    const QByteArray output = process.readAllStandardOutput();
    QVERIFY2(output.contains("\nBeside Python 3."), output.constData());
    QVERIFY2(output.contains(" × Python's "), output.constData());
}

void tst_CliWithPython::pythonThatFailsIsOneLine_data()
{
    QTest::addColumn<QByteArray>("python");
    QTest::addColumn<QByteArray>("error");
    QTest::newRow("missing") << QByteArray() << "it is not in PATH; needed: 3.9 or later"_ba;
    QTest::newRow("old") << "echo 3.8.10"_ba
                         << "this is version 3.8.10; needed: 3.9 or later"_ba;
    QTest::newRow("broken") << "exit 1"_ba
                            << "exit code 1: the process failed"_ba;
    QTest::newRow("no Python at all") << "echo hello"_ba
                                      << "it tells no version: the process failed"_ba;
    QTest::newRow("killed") << "kill -9 $$"_ba
                            << "SIGKILL: the process failed"_ba;
    QTest::newRow("program fails")
        << version + "echo Traceback >&2; echo 'MemoryError: no' >&2; exit 3"
        << "MemoryError: no, exit code 3: the process failed"_ba;
    QTest::newRow("program prints nothing") << version + "echo"
                                            << "it has printed no result: the process failed"_ba;
    QTest::newRow("program prints something else")
        << version + "echo '{\"totals\": 7}'"
        << "it has printed no result: the process failed"_ba;
}

void tst_CliWithPython::pythonThatFailsIsOneLine()
{
    QFETCH(const QByteArray, python);
    QFETCH(const QByteArray, error);
    QProcess process;
    startWithOurs(process, python);
    QVERIFY(process.waitForFinished(patience));
    QCOMPARE(process.exitCode(), 0); // The run itself went well.
    QCOMPARE(process.readAllStandardError(), QByteArray("proclab-cli: python3: " + error + '\n'));
    const QJsonObject json = jsonOf(process);
    QCOMPARE(json[u"totals"_s][u"done"_s].toInt(), 5);
    QCOMPARE(json[u"python"_s][u"error"_s].toString(), QString::fromUtf8("python3: " + error));
}

void tst_CliWithPython::signalEndsPythonToo_data()
{
    QTest::addColumn<int>("signal");
    QTest::newRow("Ctrl+C") << SIGINT;
    QTest::newRow("SIGTERM") << SIGTERM;
}

void tst_CliWithPython::signalEndsPythonToo()
{
    QFETCH(const int, signal);
    const QString begun = m_folder.filePath(u"begun"_s);
    QFile::remove(begun);
    QProcess process;
    // It has a child, as a pool has workers.
    startWithOurs(process,
                  version + "/bin/sleep 1000 &\necho $! >" + QFile::encodeName(begun) + "\nwait");
    QFile file(begun);
    QTRY_VERIFY_WITH_TIMEOUT(file.size() > 1, patience);
    QVERIFY(file.open(QIODevice::ReadOnly));
    const pid_t child = file.readAll().trimmed().toInt();
    QVERIFY(child > 1);
    ::kill(static_cast<pid_t>(process.processId()), signal);
    QVERIFY(process.waitForFinished(patience));
    QCOMPARE(process.exitCode(), 128 + signal);
    QCOMPARE(process.readAllStandardError(), QByteArray());
    QCOMPARE(jsonOf(process)[u"totals"_s][u"done"_s].toInt(), 5);
    QTRY_VERIFY_WITH_TIMEOUT(test::hasEnded(child), patience);
}

QTEST_GUILESS_MAIN(tst_CliWithPython)
#include "tst_cli_with_python.moc"
