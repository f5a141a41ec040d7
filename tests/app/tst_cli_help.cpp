// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/spec/kind.h"
#include "tests/support/cli_process.h"

#include <QProcess>
#include <QTest>

#include <algorithm>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

constexpr int patience = 60'000;

/// How one call ended; its lines without the last one's end.
struct Outcome
{
    int status = -1;
    QStringList output;
    QStringList errors;
};

Outcome call(const QStringList &arguments)
{
    QProcess process;
    process.start(test::cliProgram(), arguments);
    if (!process.waitForFinished(patience) || process.exitStatus() != QProcess::NormalExit)
        return {};
    const auto lines = [](const QByteArray &text) {
        return QString::fromUtf8(text).split(u'\n', Qt::SkipEmptyParts);
    };
    return {process.exitCode(), lines(process.readAllStandardOutput()),
            lines(process.readAllStandardError())};
}

QStringList words(const QString &line)
{
    return line.split(u' ', Qt::SkipEmptyParts);
}

/// The line of @p path in the help of a kind.
QString lineOf(const QStringList &help, const QString &path)
{
    const auto found = std::find_if(
        help.begin(), help.end(), [&](const QString &line) { return words(line).first() == path; });
    return found == help.end() ? QString() : *found;
}

} // namespace

class tst_CliHelp : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void helpIsOneHoweverItIsAskedFor_data();
    void helpIsOneHoweverItIsAskedFor();
    void exampleOfEveryCommandIsUnderstood_data();
    void exampleOfEveryCommandIsUnderstood();
    void helpOfAKindHasItsFieldsAndPresets_data();
    void helpOfAKindHasItsFieldsAndPresets();
    void fieldTellsRangeUnitAndDefault_data();
    void fieldTellsRangeUnitAndDefault();
    void plannedKindSaysSo_data();
    void plannedKindSaysSo();
    void nearestNameIsSuggested_data();
    void nearestNameIsSuggested();
};

void tst_CliHelp::helpIsOneHoweverItIsAskedFor_data()
{
    QTest::addColumn<QStringList>("one");
    QTest::addColumn<QStringList>("other");
    QTest::newRow("all") << QStringList{u"help"_s} << QStringList{u"--help"_s};
    QTest::newRow("all, briefly") << QStringList{u"help"_s} << QStringList{u"-h"_s};
    for (const QString &command : {u"run"_s, u"check"_s, u"presets"_s, u"workloads"_s, u"help"_s}) {
        QTest::newRow(qPrintable(command))
            << QStringList{u"help"_s, command} << QStringList{command, u"--help"_s};
    }
    QTest::newRow("--help before")
        << QStringList{u"--help"_s, u"run"_s} << QStringList{u"run"_s, u"-h"_s};
}

void tst_CliHelp::helpIsOneHoweverItIsAskedFor()
{
    QFETCH(const QStringList, one);
    QFETCH(const QStringList, other);
    const Outcome outcome = call(one);
    QCOMPARE(outcome.status, 0);
    QCOMPARE(outcome.errors, QStringList());
    QVERIFY(outcome.output.first().startsWith(u"Usage: proclab-cli "));
    QCOMPARE(call(other).output, outcome.output);
    for (const QString &line : outcome.output)
        QVERIFY2(line.size() <= 80, qPrintable(line));
}

void tst_CliHelp::exampleOfEveryCommandIsUnderstood_data()
{
    QTest::addColumn<QString>("command");
    for (const QString &line : call({u"help"_s}).output) {
        if (line.startsWith(u"  ") && !line.startsWith(u"  -"))
            QTest::newRow(qPrintable(words(line).first())) << words(line).first();
    }
}

void tst_CliHelp::exampleOfEveryCommandIsUnderstood()
{
    QFETCH(const QString, command);
    const Outcome help = call({u"help"_s, command});
    QCOMPARE(help.output[help.output.size() - 2], u"Example:"_s);
    const QStringList example = words(help.output.last());
    QCOMPARE(example.first(), u"proclab-cli"_s);
    QCOMPARE(example[1], command);
    // With --help behind it nothing is done.
    QCOMPARE(call(example.sliced(1) << u"--help"_s).status, 0);
}

void tst_CliHelp::helpOfAKindHasItsFieldsAndPresets_data()
{
    QTest::addColumn<QString>("name");
    for (const Kind &kind : kinds()) {
        if (kind.isAvailable())
            QTest::newRow(qPrintable(kind.name)) << kind.name;
    }
}

void tst_CliHelp::helpOfAKindHasItsFieldsAndPresets()
{
    QFETCH(const QString, name);
    const Kind &kind = *findKind(name);
    const Outcome help = call({u"help"_s, name});
    QCOMPARE(help.status, 0);
    QCOMPARE(help.errors, QStringList());
    QVERIFY(help.output.first().startsWith(name % u": "));
    for (const Field &field : kind.schema) {
        const QString line = lineOf(help.output, field.path);
        QVERIFY2(line.endsWith(u']') && line.contains(u" ["), qPrintable(field.path));
        QVERIFY2(line.contains(field.unit), qPrintable(line));
        QVERIFY2(line.contains(field.choices.join(u", "_s)), qPrintable(line));
    }
    for (const PresetInfo &preset : kind.presets)
        QVERIFY2(lineOf(help.output, preset.name).contains(preset.title), qPrintable(preset.name));
    // Its example is one that can run: only the file cannot be written.
    const QStringList example = words(help.output.last());
    const Outcome run = call(example.sliced(1) << u"--json"_s << u"/none/a.json"_s);
    QCOMPARE(run.errors.size(), 1);
    QVERIFY2(run.errors.first().startsWith(u"proclab-cli: /none/a.json: "),
             qPrintable(run.errors.first()));
}

void tst_CliHelp::fieldTellsRangeUnitAndDefault_data()
{
    QTest::addColumn<QString>("kind");
    QTest::addColumn<QString>("line");
    const auto row = [](const char *name, const QString &kind, const QString &line) {
        QTest::newRow(name) << kind << line;
    };
    row("integer with a unit", u"counter"_s, u"counter.processes integer 1 to 256 processes [2]"_s);
    row("integer without", u"counter"_s, u"counter.increments integer 1 to 1000000000 [10000]"_s);
    row("derived default", u"counter"_s,
        u"counter.gap_ns integer 0 to 1000000 ns [100 in mode none, else 0]"_s);
    row("default of the machine", u"pool"_s,
        u"pool.workers integer 1 to 256 processes [as many as there are cores]"_s);
    row("number", u"pool"_s, u"time_limit_s number 0 to 1000000 s [0]"_s);
    row("integer or auto", u"pool"_s,
        u"pool.chunk_size integer or auto 1 to 10000000 tasks, or auto [1 for apply and apply_async, else auto]"_s);
    row("choice", u"pool"_s, u"pool.on_crash choice fail, retry [fail]"_s);
    row("flag", u"pipe"_s, u"pipe.duplex flag true or false [true]"_s);
    row("text", u"pipe"_s, u"title text 0 to 1000 bytes [pipe]"_s);
    row("list of texts", u"pipeline"_s,
        u"pipeline.items list of texts 1 to 1000000 entries [none]"_s);
    row("workload", u"pipeline"_s,
        u"produce.task workload a name from proclab-cli workloads [none]"_s);
    row("arguments", u"pool"_s, u"tasks.args object what the workload takes [its defaults]"_s);
    row("list of arguments", u"pool"_s,
        u"tasks.args_list list of objects 1 to 10000000 entries [none]"_s);
}

void tst_CliHelp::fieldTellsRangeUnitAndDefault()
{
    QFETCH(const QString, kind);
    QFETCH(const QString, line);
    const QStringList help = call({u"help"_s, kind}).output;
    QCOMPARE(lineOf(help, words(line).first()).simplified(), line);
}

void tst_CliHelp::plannedKindSaysSo_data()
{
    QTest::addColumn<QString>("name");
    for (const Kind &kind : kinds()) {
        if (!kind.isAvailable())
            QTest::newRow(qPrintable(kind.name)) << kind.name;
    }
}

void tst_CliHelp::plannedKindSaysSo()
{
    QFETCH(const QString, name);
    const Outcome help = call({u"help"_s, name});
    QCOMPARE(help.status, 0);
    QCOMPARE(help.errors, QStringList());
    QCOMPARE(help.output.first(), QString(name % u": " % findKind(name)->subtitle));
    QVERIFY(help.output.last().contains(u"cannot run yet"));
}

void tst_CliHelp::nearestNameIsSuggested_data()
{
    QTest::addColumn<QString>("arguments");
    QTest::addColumn<QString>("name");
    const auto row = [](const QString &arguments, const QString &name) {
        QTest::newRow(qPrintable(arguments)) << arguments << name;
    };
    row(u"rn pool"_s, u"run"_s);
    row(u"workload"_s, u"workloads"_s);
    row(u"--hepl"_s, u"--help"_s);
    row(u"help polo"_s, u"pool"_s);
    row(u"help preset"_s, u"presets"_s);
    row(u"help exekutor"_s, u"executor"_s);
    row(u"run pool-prime"_s, u"pool-primes"_s);
    row(u"run counter_lock"_s, u"counter-lock"_s);
    row(u"run pool --jsn -"_s, u"--json"_s);
    row(u"presets --jason"_s, u"--json"_s);
    row(u"run pool --set pool.wrkers=2"_s, u"workers"_s);
    row(u"run pool --set pol.workers=2"_s, u"pool"_s);
    row(u"run pool --set workers=2"_s, u"pool.workers"_s);
    row(u"run pool --set pool.max_s=2"_s, u"tasks.args.max_s"_s);
    row(u"run pool --set tasks.args.mx_s=2"_s, u"max_s"_s);
    row(u"run pool --set tasks.task=io.slep"_s, u"io.sleep"_s);
    row(u"run pool --set pool.method=mapp"_s, u"map"_s);
    row(u"run pool --set pool.chunk_size=atuo"_s, u"auto"_s);
    row(u"run pool --set kind=poll"_s, u"pool"_s);
    row(u"run walk"_s, {});
    row(u"walk"_s, {});
    row(u"help walk"_s, {});
    row(u"run pool --walk"_s, {});
    row(u"run pool --set walk=1"_s, {});
    row(u"run pool --set pool.method=walk"_s, {});
}

void tst_CliHelp::nearestNameIsSuggested()
{
    QFETCH(const QString, arguments);
    QFETCH(const QString, name);
    const Outcome outcome = call(words(arguments));
    QCOMPARE(outcome.status, 2);
    QCOMPARE(outcome.output, QStringList());
    QCOMPARE(outcome.errors.size(), 1);
    const QString line = outcome.errors.first();
    QCOMPARE(line.section(u"; did you mean "_s, 1), name.isEmpty() ? QString() : name + u'?');
}

QTEST_GUILESS_MAIN(tst_CliHelp)
#include "tst_cli_help.moc"
