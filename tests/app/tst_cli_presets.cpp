// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/spec/kind.h"
#include "core/experiment/spec/presets.h"
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

constexpr int patience = 100'000;

} // namespace

/// Every preset as it is, to its end.
class tst_CliPresets : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void cleanup() { QTRY_VERIFY_WITH_TIMEOUT(m_orphans.isNobodyLeft(), patience); }

    void presetRunsToItsEnd_data();
    void presetRunsToItsEnd();
    void unavailableKindIsRefused_data();
    void unavailableKindIsRefused();

private:
    QTemporaryDir m_folder;
    test::OrphanCheck m_orphans;
};

void tst_CliPresets::presetRunsToItsEnd_data()
{
    QTest::addColumn<QString>("name");
    for (const Preset &preset : presets())
        QTest::newRow(qPrintable(preset.name)) << preset.name;
}

void tst_CliPresets::presetRunsToItsEnd()
{
    QFETCH(const QString, name);
    QProcess process;
    QStringList arguments{u"run"_s, name, u"--quiet"_s, u"--json"_s, u"-"_s};
    // Where others use all cores each of its answers takes milliseconds, and it has very many.
    if (name == u"pipe-ping-pong"_s)
        arguments << u"--set"_s << u"pipe.messages=2000"_s;
    process.start(test::cliProgram(), arguments);
    QVERIFY(process.waitForFinished(patience));
    QCOMPARE(process.exitStatus(), QProcess::NormalExit);
    // What fails in it on purpose is told, a line each.
    const int failures = QHash<QString, int>{
        {u"pool-crash"_s, 1},
        {u"executor-broken"_s, 9},
        {u"process-exit-codes"_s, 3},
        {u"process-daemon"_s, 2},
        {u"program-timeout"_s, 1},
        {u"program-exit-code"_s,
         1}}.value(name);
    QCOMPARE(process.exitCode(), failures > 0 ? 1 : 0);
    const QByteArray errors = process.readAllStandardError();
    QCOMPARE(errors.count('\n'), failures);
    const QJsonObject json = QJsonDocument::fromJson(process.readAllStandardOutput()).object();
    const QJsonValue totals = json[u"totals"_s];
    const auto total = [&totals](const char *key) {
        return totals[QString::fromLatin1(key)].toInteger(-1);
    };
    QVERIFY(total("tasks") > 0);
    QCOMPARE(total("done") + total("failed") + total("cancelled") + total("lost"), total("tasks"));
    const int lost = name == u"executor-broken"_s ? 8 : 0; // With one that fails.
    QCOMPARE(total("failed"), failures - lost);
    QCOMPARE(total("cancelled"), 0);
    QCOMPARE(total("lost"), lost);
    QCOMPARE(json[u"results"_s].toArray().size(), total("tasks"));
    for (const QJsonValue &result : json[u"results"_s].toArray()) {
        const bool isLost = result[u"error"_s][u"type"_s] == u"lost"_s;
        QVERIFY(isLost || (result[u"worker"_s].isString() && result[u"pid"_s].toInt() > 1));
    }
    const QJsonValue outcome = json[u"outcome"_s];
    if (name.startsWith(u"pipeline"_s)) {
        QVERIFY(outcome[u"produced"_s].toInteger() > 0);
        QCOMPARE(outcome[u"consumed"_s], outcome[u"produced"_s]);
    }
    if (name.startsWith(u"counter"_s))
        QCOMPARE(outcome[u"final"_s].toInteger() + outcome[u"lost_updates"_s].toInteger(),
                 outcome[u"expected"_s].toInteger());
    for (const QJsonValue &worker : json[u"workers"_s].toArray())
        QVERIFY(::kill(worker[u"pid"_s].toInt(), 0) != 0);
}

void tst_CliPresets::unavailableKindIsRefused_data()
{
    QTest::addColumn<QString>("name");
    for (const Kind &kind : kinds()) {
        if (!kind.isAvailable())
            QTest::newRow(qPrintable(kind.name)) << kind.name;
    }
    QTest::newRow("no kind at all") << u"pols"_s;
}

void tst_CliPresets::unavailableKindIsRefused()
{
    QFETCH(const QString, name);
    const QString path = m_folder.filePath(name + u".proclab.json"_s);
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    QVERIFY(file.write("{\"version\":1,\"kind\":\"" + name.toUtf8() + "\"}") > 0);
    file.close();
    for (const QString &command : {u"check"_s, u"run"_s}) {
        QProcess process;
        process.start(test::cliProgram(), {command, path});
        QVERIFY(process.waitForFinished(patience));
        QCOMPARE(process.exitStatus(), QProcess::NormalExit);
        QCOMPARE(process.exitCode(), 2);
        QCOMPARE(process.readAllStandardOutput(), QByteArray());
        const QByteArray errors = process.readAllStandardError();
        QCOMPARE(errors.count('\n'), 1);
        QVERIFY2(errors.startsWith("proclab-cli: kind: "), errors.constData());
    }
}

QTEST_GUILESS_MAIN(tst_CliPresets)
#include "tst_cli_presets.moc"
