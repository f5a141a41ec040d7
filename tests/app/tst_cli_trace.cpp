// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/cli_process.h"
#include "tests/support/trace_check.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <csignal>
#include <memory>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

constexpr int patience = 60'000;

test::TraceCheck checked(const QByteArray &file)
{
    test::TraceCheck trace;
    for (const QByteArray &line : file.split('\n'))
        trace.take(line);
    trace.end();
    return trace;
}

QByteArray contentOf(const QString &name)
{
    QFile file(name);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

} // namespace

/// `run … --trace FILE`
class tst_CliTrace : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init() { m_process = std::make_unique<QProcess>(); }
    void cleanup() { m_process.reset(); }

    void traceIsWritten_data();
    void traceIsWritten();
    void interruptedRunLeavesATrace();
    void faultIsOneLine_data();
    void faultIsOneLine();
    void closedPipeIsNoFailure();

private:
    [[nodiscard]] QString path(const QString &name) const { return m_folder.filePath(name); }
    [[nodiscard]] bool call(const QStringList &arguments)
    {
        m_process->start(test::cliProgram(), QStringList{u"run"_s} + arguments);
        return m_process->waitForFinished(patience) &&
               m_process->exitStatus() == QProcess::NormalExit;
    }

    QTemporaryDir m_folder;
    std::unique_ptr<QProcess> m_process;
};

void tst_CliTrace::traceIsWritten_data()
{
    QTest::addColumn<bool>("toFile");
    QTest::newRow("file") << true;
    QTest::newRow("standard output") << false;
}

void tst_CliTrace::traceIsWritten()
{
    QFETCH(const bool, toFile);
    const QString json = path(u"result.json"_s);
    const QString trace = toFile ? path(u"trace.json"_s) : u"-"_s;
    QVERIFY(call({u"counter-lock"_s, u"--quiet"_s, u"--json"_s, json, u"--trace"_s, trace}));
    QCOMPARE(m_process->exitCode(), 0);
    QCOMPARE(m_process->readAllStandardError(), QByteArray());
    const QByteArray output = m_process->readAllStandardOutput();
    QCOMPARE(output.isEmpty(), toFile);
    const test::TraceCheck told = checked(toFile ? contentOf(trace) : output);
    QVERIFY2(told.faults.isEmpty(), qPrintable(told.faults.value(0)));
    QCOMPARE(told.processes.size(), 3);
    for (const QJsonValue &worker :
         QJsonDocument::fromJson(contentOf(json))[u"workers"_s].toArray()) {
        const auto process = told.processes.value(worker[u"pid"_s].toInteger());
        QCOMPARE(process.name, worker[u"name"_s].toString());
        QCOMPARE(process.done, worker[u"tasks"_s].toInteger());
    }
}

void tst_CliTrace::interruptedRunLeavesATrace()
{
    const QString trace = path(u"interrupted.json"_s);
    m_process->start(test::cliProgram(),
                     {u"run"_s, u"pool"_s, u"--quiet"_s, u"--json"_s, u"-"_s, u"--trace"_s, trace,
                      u"--set"_s, u"tasks.args={\"min_s\":3600,\"max_s\":3600}"_s});
    QVERIFY(m_process->waitForStarted(patience));
    QTRY_VERIFY_WITH_TIMEOUT(test::childrenOf(m_process->processId()).size() >= 4, patience);
    QCOMPARE(::kill(static_cast<pid_t>(m_process->processId()), SIGINT), 0);
    QVERIFY(m_process->waitForFinished(patience));
    QCOMPARE(m_process->exitStatus(), QProcess::NormalExit);
    QCOMPARE(m_process->exitCode(), 128 + SIGINT);
    const test::TraceCheck told = checked(contentOf(trace));
    QVERIFY2(told.faults.isEmpty(), qPrintable(told.faults.value(0)));
    for (const QJsonValue &worker :
         QJsonDocument::fromJson(m_process->readAllStandardOutput())[u"workers"_s].toArray())
        QCOMPARE(told.processes.value(worker[u"pid"_s].toInteger()).done, 0);
}

void tst_CliTrace::faultIsOneLine_data()
{
    QTest::addColumn<QStringList>("options");
    QTest::addColumn<int>("status");
    QTest::addColumn<QString>("line");
    const QString json = path(u"same.json"_s);
    QTest::newRow("full device")
        << QStringList{u"--trace"_s, u"/dev/full"_s} << 3
        << u"/dev/full: write: the system refused (No space left on device)"_s;
    QTest::newRow("no folder") << QStringList{u"--trace"_s, path(u"none/a.json"_s)} << 2
                               << QString(path(u"none/a.json"_s) % u": ");
    QTest::newRow("no value") << QStringList{u"--trace"_s} << 2
                              << u"--trace: a value is missing; needed: FILE|-"_s;
    QTest::newRow("where the result goes")
        << QStringList{u"--trace"_s, json, u"--json"_s, json} << 2
        << u"--trace: \"%1\" is also where --json goes; allowed: another file"_s.arg(json);
    QTest::newRow("where the table goes")
        << QStringList{u"--trace"_s, u"-"_s, u"--csv"_s, u"-"_s} << 2
        << u"--trace: \"-\" is also where --csv goes; allowed: another file"_s;
}

void tst_CliTrace::faultIsOneLine()
{
    QFETCH(const QStringList, options);
    QFETCH(const int, status);
    QFETCH(const QString, line);
    QVERIFY(call(QStringList{u"counter-lock"_s, u"--quiet"_s} + options));
    QCOMPARE(m_process->exitCode(), status);
    QCOMPARE(m_process->readAllStandardOutput(), QByteArray());
    const QByteArray errors = m_process->readAllStandardError();
    QCOMPARE(errors.count('\n'), 1);
    QVERIFY2(errors.startsWith(QByteArray("proclab-cli: " + line.toUtf8())), errors.constData());
}

void tst_CliTrace::closedPipeIsNoFailure()
{
    m_process->start(test::cliProgram(),
                     {u"run"_s, u"pool-tiny"_s, u"--trace"_s, u"-"_s, u"--quiet"_s});
    QVERIFY(m_process->waitForStarted(patience));
    m_process->closeReadChannel(QProcess::StandardOutput);
    QVERIFY(m_process->waitForFinished(patience));
    QCOMPARE(m_process->exitStatus(), QProcess::NormalExit);
    QCOMPARE(m_process->exitCode(), 0);
    QCOMPARE(m_process->readAllStandardError(), QByteArray());
}

QTEST_GUILESS_MAIN(tst_CliTrace)
#include "tst_cli_trace.moc"
