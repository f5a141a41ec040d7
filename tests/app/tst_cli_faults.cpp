// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/cli_process.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <functional>

#include <sys/resource.h>

using namespace Qt::StringLiterals;
using namespace proclab::test;

namespace {

constexpr int patience = 60'000;

/// How one call ended, under the limits that @p prepare set in the child.
struct Outcome
{
    int status = -1;
    QByteArray output;
    QByteArray errors;
};

Outcome call(const QStringList &arguments, const std::function<void()> &prepare)
{
    QProcess process;
    process.setChildProcessModifier(prepare);
    process.start(cliProgram(), arguments);
    // A hang fails here.
    const bool isNormal =
        process.waitForFinished(30'000) && process.exitStatus() == QProcess::NormalExit;
    return {isNormal ? process.exitCode() : -1, process.readAllStandardOutput(),
            process.readAllStandardError()};
}

std::function<void()> limited(__rlimit_resource resource, rlim_t most)
{
    return [resource, most] {
        const rlimit limit{most, most};
        ::setrlimit(resource, &limit);
    };
}

bool isOneLine(const QByteArray &errors)
{
    return errors.startsWith("proclab-cli: ") && errors.count('\n') == 1 && errors.endsWith('\n');
}

} // namespace

class tst_CliFaults : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void cleanup() { QTRY_VERIFY_WITH_TIMEOUT(m_orphans.isNobodyLeft(), patience); }

    void killedProgramLeavesNoChild_data();
    void killedProgramLeavesNoChild();
    void fewDescriptorsAreOneError_data();
    void fewDescriptorsAreOneError();
    void tooLargeSegmentIsOneError_data();
    void tooLargeSegmentIsOneError();
    void littleMemoryIsOneError();
    void closedOutputIsOneError_data();
    void closedOutputIsOneError();
    void nothingOpenIsNoFailure();
    void tooLargeExperimentIsOneError();

private:
    QTemporaryDir m_folder;
    OrphanCheck m_orphans;
};

void tst_CliFaults::killedProgramLeavesNoChild_data()
{
    QTest::addColumn<QString>("start");
    QTest::newRow("spawn") << u"spawn"_s;
    QTest::newRow("forkserver") << u"forkserver"_s;
}

void tst_CliFaults::killedProgramLeavesNoChild()
{
    QFETCH(const QString, start);
    QProcess process;
    process.start(cliProgram(),
                  {u"run"_s, u"pool"_s, u"--set"_s, u"pool.start_method="_s + start, u"--set"_s,
                   u"tasks.args.min_s=3600"_s, u"--set"_s, u"tasks.args.max_s=3600"_s});
    QVERIFY(process.waitForStarted(patience));
    // The four workers, and the zygote where there is one.
    const qsizetype expected = start == u"spawn"_s ? 4 : 5;
    QTRY_VERIFY_WITH_TIMEOUT(childrenOf(process.processId()).size() >= expected, patience);
    const QList<pid_t> children = childrenOf(process.processId());
    process.kill();
    QVERIFY(process.waitForFinished(patience));
    QTRY_VERIFY_WITH_TIMEOUT(haveEnded(children), 10'000);
}

void tst_CliFaults::fewDescriptorsAreOneError_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<int>("descriptors");
    QTest::addColumn<QString>("start");
    const QList<QStringList> runs{
        {u"pool"_s, u"--set"_s, u"pool.workers=8"_s, u"--set"_s, u"tasks.args.max_s=0.05"_s},
        {u"pipeline-fruit"_s, u"--set"_s, u"consume={\"task\":\"noop\"}"_s, u"--set"_s,
         u"produce={\"task\":\"noop\"}"_s},
        {u"counter-lock"_s}};
    for (const QStringList &run : runs) {
        for (const int descriptors : {12, 14, 16, 20, 24, 28, 32, 40, 64}) {
            for (const char *start : {"spawn", "forkserver"})
                QTest::addRow("%s, %d, %s", qPrintable(run.first()), descriptors, start)
                    << run << descriptors << QString::fromLatin1(start);
        }
    }
}

void tst_CliFaults::fewDescriptorsAreOneError()
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    QSKIP("A sanitizer needs descriptors for its own checks");
#endif
    QFETCH(const QStringList, arguments);
    QFETCH(const int, descriptors);
    QFETCH(const QString, start);
    const QString kind = arguments.first().section(u'-', 0, 0);
    const Outcome outcome = call(QStringList{u"run"_s} + arguments +
                                     QStringList{u"--quiet"_s, u"--json"_s, u"-"_s, u"--set"_s,
                                                 kind + u".start_method="_s + start},
                                 limited(RLIMIT_NOFILE, static_cast<rlim_t>(descriptors)));
    if (descriptors <= 16)
        QCOMPARE(outcome.status, 3);
    if (descriptors >= 64)
        QCOMPARE(outcome.status, 0);
    QVERIFY2(outcome.status == 0 || outcome.status == 3, outcome.errors.constData());
    if (outcome.status == 0)
        QCOMPARE(outcome.errors, QByteArray());
    else
        QVERIFY2(isOneLine(outcome.errors) && outcome.errors.contains("Too many open files"),
                 outcome.errors.constData());
    // What there is of a result is written, and adds up.
    const QJsonObject json = QJsonDocument::fromJson(outcome.output).object();
    QCOMPARE(json[u"engine_error"_s].isNull(), outcome.status == 0);
    const QJsonValue totals = json[u"totals"_s];
    QCOMPARE(totals[u"done"_s].toInt() + totals[u"failed"_s].toInt() +
                 totals[u"cancelled"_s].toInt() + totals[u"lost"_s].toInt(),
             totals[u"tasks"_s].toInt(-1));
}

void tst_CliFaults::tooLargeSegmentIsOneError_data()
{
    QTest::addColumn<bool>("isFileLimit");
    QTest::newRow("address space") << false;
    QTest::newRow("file size") << true;
}

void tst_CliFaults::tooLargeSegmentIsOneError()
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    QSKIP("A sanitizer takes terabytes of addresses for itself");
#endif
    QFETCH(const bool, isFileLimit);
    const Outcome outcome =
        call({u"run"_s, u"pipeline-slow-consumers"_s, u"--json"_s, u"-"_s, u"--set"_s,
              u"pipeline.item_bytes=4096"_s, u"--set"_s, u"pipeline.capacity=1000000"_s},
             limited(isFileLimit ? RLIMIT_FSIZE : RLIMIT_AS, rlim_t{1} << 30));
    QCOMPARE(outcome.status, 3);
    QVERIFY2(isOneLine(outcome.errors) && outcome.errors.contains("shared memory of "),
             outcome.errors.constData());
    QVERIFY(QJsonDocument::fromJson(outcome.output).object()[u"engine_error"_s].isString());
}

void tst_CliFaults::littleMemoryIsOneError()
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    QSKIP("A sanitizer takes terabytes of addresses for itself");
#endif
    int refused = 0;
    for (rlim_t mebibytes = 400; mebibytes >= 100; mebibytes -= 20) {
        const Outcome outcome =
            call({u"run"_s, u"counter-lock"_s, u"--quiet"_s}, limited(RLIMIT_AS, mebibytes << 20));
        if (outcome.status == 127)
            break; // Not even its libraries can be loaded.
        QVERIFY2(outcome.status == 0 || (outcome.status == 3 && isOneLine(outcome.errors)),
                 outcome.errors.constData());
        refused += outcome.status == 3 ? 1 : 0;
        QVERIFY(m_orphans.isNobodyLeft());
    }
    QVERIFY(refused > 0);
}

void tst_CliFaults::closedOutputIsOneError_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::newRow("summary") << QStringList();
    QTest::newRow("result") << QStringList{u"--quiet"_s, u"--json"_s, u"-"_s};
    QTest::newRow("table, beside a file")
        << QStringList{u"--quiet"_s, u"--csv"_s, u"-"_s, u"--json"_s, u"%1"_s};
}

void tst_CliFaults::closedOutputIsOneError()
{
    QFETCH(QStringList, arguments);
    const QString file = m_folder.filePath(u"result.json"_s);
    arguments.replaceInStrings(u"%1"_s, file);
    const Outcome outcome =
        call(QStringList{u"run"_s, u"counter-lock"_s} + arguments, [] { ::close(STDOUT_FILENO); });
    QCOMPARE(outcome.status, 3);
    QVERIFY2(isOneLine(outcome.errors) && outcome.errors.contains("standard output"),
             outcome.errors.constData());
    if (!arguments.contains(file))
        return;
    QFile written(file);
    QVERIFY(written.open(QIODevice::ReadOnly)); // Nothing else went into it.
    QCOMPARE(QJsonDocument::fromJson(written.readAll()).object()[u"kind"_s],
             QJsonValue(u"counter"_s));
}

void tst_CliFaults::nothingOpenIsNoFailure()
{
    const QString file = m_folder.filePath(u"alone.json"_s);
    const Outcome outcome =
        call({u"run"_s, u"counter-lock"_s, u"--quiet"_s, u"--json"_s, file}, [] {
            for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
                ::close(fd);
        });
    QCOMPARE(outcome.status, 0);
    QVERIFY(QFileInfo::exists(file));
}

void tst_CliFaults::tooLargeExperimentIsOneError()
{
    QByteArray json = R"({"version":1,"kind":"pipeline","pipeline":{"items":["a")";
    json += QByteArray(R"(,"a")").repeated(3'250'000) + "]}}";
    const QString name = m_folder.filePath(u"huge.proclab.json"_s);
    QFile file(name);
    QVERIFY(file.open(QIODevice::WriteOnly) && file.write(json) == json.size());
    file.close();
    const auto expected = [](const QString &subject) -> QByteArray {
        return "proclab-cli: " + subject.toUtf8() +
               ": the file is too large; allowed: at most 2 MiB\n";
    };
    for (const QString &command : {u"check"_s, u"run"_s}) {
        const Outcome ofFile = call({command, name}, [] {});
        QCOMPARE(ofFile.status, 2);
        QCOMPARE(ofFile.errors, expected(name));

        QProcess process;
        process.setStandardInputFile(name);
        process.start(cliProgram(), {command, u"-"_s});
        QVERIFY(process.waitForFinished(patience));
        QCOMPARE(process.exitCode(), 2);
        QCOMPARE(process.readAllStandardError(), expected(u"standard input"_s));
    }
}

QTEST_GUILESS_MAIN(tst_CliFaults)
#include "tst_cli_faults.moc"
