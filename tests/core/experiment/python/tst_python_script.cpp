// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/python/python_literal.h"
#include "core/experiment/python/python_run.h"
#include "core/experiment/python/python_script.h"
#include "core/experiment/spec/kind.h"
#include "core/experiment/spec/presets.h"
#include "core/runtime/workloads/workload.h"
#include "tests/support/cli_process.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <future>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

constexpr int patience = 60'000;

/// What python3 writes, to both outputs, when it is given @p input.
QByteArray python(const QStringList &arguments, const QByteArray &input)
{
    QProcess process;
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.start(u"python3"_s, QStringList{u"-X"_s, u"utf8"_s} + arguments);
    process.write(input);
    process.closeWriteChannel();
    if (!process.waitForFinished(patience))
        return "python3: " + process.errorString().toUtf8();
    return process.readAll();
}

/// Or why there is none.
QString scriptOf(const ExperimentSpec &spec)
{
    const Result<QString> script = pythonScript(spec);
    return script ? *script : errorText(script.error());
}

/// Other values that @p field may have, apart from numbers and texts.
QJsonArray choicesOf(const Field &field)
{
    switch (field.type) {
    case Field::Type::Choice:
        return QJsonArray::fromStringList(field.choices);
    case Field::Type::Flag:
        return {true, false};
    case Field::Type::IntegerOrAuto:
        return {u"auto"_s, 3};
    case Field::Type::Workload: {
        QJsonArray names;
        for (const runtime::WorkloadInfo &workload : runtime::workloads())
            names.append(QString::fromUtf8(workload.name.data(),
                                           static_cast<qsizetype>(workload.name.size())));
        return names;
    }
    case Field::Type::Integer:
    case Field::Type::Number:
        return {field.minimum, field.maximum};
    default:
        return {};
    }
}

} // namespace

class tst_PythonScript : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void literalReadsAsTheSameValue_data();
    void literalReadsAsTheSameValue();
    void literalShowsWhatItHolds();
    void presetsProgramIsRight_data();
    void presetsProgramIsRight();
    void settingsProgramIsRight_data();
    void settingsProgramIsRight();
    void settingsStandInTheProgram();
    void textsStayTexts_data();
    void textsStayTexts();
    void unknownKindIsRefused();
    void programThatNeverEndsIsEnded_data();
    void programThatNeverEndsIsEnded();

private:
    QByteArray faultsIn(const QString &program);

    QProcess m_checker;
};

void tst_PythonScript::initTestCase()
{
    m_checker.setProcessChannelMode(QProcess::ForwardedErrorChannel);
    m_checker.start(u"python3"_s, {QStringLiteral(CHECK_PROGRAM)});
    QVERIFY2(m_checker.waitForStarted(patience), qPrintable(m_checker.errorString()));
}

void tst_PythonScript::cleanupTestCase()
{
    m_checker.closeWriteChannel();
    QVERIFY(m_checker.waitForFinished(patience));
}

/// In one line; empty: none were found.
QByteArray tst_PythonScript::faultsIn(const QString &program)
{
    const QByteArray text = program.toUtf8();
    m_checker.write(QByteArray::number(text.size()) + '\n' + text);
    while (!m_checker.canReadLine()) {
        if (!m_checker.waitForReadyRead(patience))
            return "no answer";
    }
    return m_checker.readLine().trimmed();
}

void tst_PythonScript::literalReadsAsTheSameValue_data()
{
    QTest::addColumn<QJsonValue>("value");
    QTest::newRow("true") << QJsonValue(true);
    QTest::newRow("false") << QJsonValue(false);
    QTest::newRow("null") << QJsonValue();
    QTest::newRow("whole") << QJsonValue(200'000);
    QTest::newRow("largest seed") << QJsonValue(qint64{9'007'199'254'740'991});
    QTest::newRow("negative") << QJsonValue(-3'000'000'000.0);
    QTest::newRow("fraction") << QJsonValue(0.1);
    QTest::newRow("tiny") << QJsonValue(1e-300);
    QTest::newRow("huge") << QJsonValue(1e300);
    QTest::newRow("empty text") << QJsonValue(QString());
    QTest::newRow("quotes") << QJsonValue(u"\"\"\" ''' \" '"_s);
    QTest::newRow("backslashes") << QJsonValue(u"\\ \\\" \\n \\"_s);
    QTest::newRow("line ends") << QJsonValue(u"a\nb\rc\r\nd\u2028e\u2029f\u0085g\vh\fi"_s);
    QTest::newRow("controls") << QJsonValue(QString::fromUtf8("\0\x1b\x7f", 3));
    QTest::newRow("right to left") << QJsonValue(u"\u202e\u2066x\u2069\u200b"_s);
    QTest::newRow("other languages") << QJsonValue(u"Größe, 果物, תפוח, 🍎"_s);
    QTest::newRow("list") << QJsonValue(QJsonArray{1, u"two"_s, true, QJsonValue()});
    QTest::newRow("empty") << QJsonValue(QJsonArray{QJsonArray(), QJsonObject()});
    QJsonArray longList;
    for (int i = 0; i < 200; ++i)
        longList.append(u"item %1"_s.arg(i));
    QTest::newRow("long list") << QJsonValue(longList);
    QTest::newRow("object") << QJsonValue(
        QJsonObject{{u"min_s"_s, 0.5}, {u"a\"key\n"_s, QJsonObject{{u"x"_s, 1}}}});
}

void tst_PythonScript::literalReadsAsTheSameValue()
{
    QFETCH(const QJsonValue, value);
    const QByteArray read = python(
        {u"-c"_s, u"import ast, json, sys\n"
                  "print(json.dumps([ast.literal_eval(sys.stdin.buffer.read().decode())]))"_s},
        pythonLiteral(value).toUtf8());
    QCOMPARE(QJsonDocument::fromJson(read).array(), QJsonArray{value});
}

void tst_PythonScript::literalShowsWhatItHolds()
{
    QCOMPARE(pythonLiteral(u"Größe \"2 × 10\u202f000\"\n\u202e"_s),
             u"\"Größe \\\"2 × 10\u202f000\\\"\\n\\U0000202e\""_s);
    QCOMPARE(pythonLiteral(QString(QChar(0xd800))), u"\"\ufffd\""_s);
    QCOMPARE(pythonLiteral(1'000'000.0), u"1000000"_s);
}

void tst_PythonScript::presetsProgramIsRight_data()
{
    QTest::addColumn<QString>("name");
    for (const Preset &preset : presets())
        QTest::newRow(qPrintable(preset.name)) << preset.name;
}

void tst_PythonScript::presetsProgramIsRight()
{
    QFETCH(const QString, name);
    const QString script = scriptOf(findPreset(name)->spec);
    QVERIFY(!script.contains(u"#: "_s));
    QCOMPARE(faultsIn(script), QByteArray());
}

/// Every kind, with each value that a field may have.
void tst_PythonScript::settingsProgramIsRight_data()
{
    QTest::addColumn<QString>("preset");
    QTest::addColumn<QString>("path");
    QTest::addColumn<QJsonValue>("value");
    for (const Kind &kind : kinds()) {
        for (const PresetInfo &preset : kind.presets.mid(0, 1)) {
            for (const Field &field : kind.schema) {
                for (const QJsonValue &value : choicesOf(field))
                    QTest::addRow("%s, %s: %s", qPrintable(kind.name), qPrintable(field.path),
                                  qPrintable(pythonLiteral(value)))
                        << preset.name << field.path << value;
            }
        }
    }
}

void tst_PythonScript::settingsProgramIsRight()
{
    QFETCH(const QString, preset);
    QFETCH(const QString, path);
    QFETCH(const QJsonValue, value);
    ExperimentSpec spec = findPreset(preset)->spec;
    if (path.endsWith(u".task"_s)) {
        spec.set(path.chopped(4) + u"args"_s, QJsonValue::Undefined);
        spec.set(u"time_limit_s"_s, 5); // Some never end by themselves.
    }
    if (path == u"tasks.count"_s)
        spec.set(u"tasks.args_list"_s, QJsonValue::Undefined);
    spec.set(path, value);
    if (!spec.check().isEmpty())
        return; // Not beside the others that this preset sets.
    const QString script = scriptOf(spec);
    QVERIFY(!script.contains(u"#: "_s));
    QCOMPARE(faultsIn(script), QByteArray());
}

void tst_PythonScript::settingsStandInTheProgram()
{
    ExperimentSpec spec = findPreset(u"pool"_s)->spec;
    spec.set(u"seed"_s, qint64{9'007'199'254'740'991});
    spec.set(u"pool.workers"_s, 3);
    spec.set(u"tasks.args"_s, QJsonObject{{u"max_s"_s, 0.25}});
    const QString script = scriptOf(spec);
    for (const QString &line :
         {u"\nSEED = 9007199254740991  # "_s, u"\nWORKERS = 3  # "_s,
          u"\nTASK_ARGS = {\"max_s\": 0.25, \"min_s\": 0}  # "_s, u"\ndef io_sleep("_s})
        QVERIFY2(script.contains(line), qPrintable(script));
    for (const QString &word : {u"burn"_s, u"TIME_LIMIT_S"_s, u"CHUNK_SIZE"_s, u"imap"_s})
        QVERIFY2(!script.contains(word), qPrintable(script));
}

void tst_PythonScript::textsStayTexts_data()
{
    QTest::addColumn<QString>("text");
    QTest::newRow("quotes") << u"\"\"\"\nimport os\n'''"_s;
    QTest::newRow("end of a comment") << u"x\nraise SystemExit(1)\r\u2028raise SystemExit(2)"_s;
    QTest::newRow("backslash at the end") << u"C:\\"_s;
    QTest::newRow("the sources' own notation") << u"#: if x\n#: end __produce__ %1  #: seed"_s;
    QTest::newRow("nothing visible") << u"\0\u202e\u2066\u200b\ufeff"_s;
}

void tst_PythonScript::textsStayTexts()
{
    QFETCH(const QString, text);
    ExperimentSpec spec = findPreset(u"pipeline-fruit"_s)->spec;
    spec.set(u"title"_s, text);
    spec.set(u"pipeline.items"_s, QJsonArray{text, text, u"fig"_s});
    const QString script = scriptOf(spec);
    QCOMPARE(faultsIn(script), QByteArray());
    const QByteArray items = python(
        {u"-c"_s, u"import json, sys\n"
                  "names = {'__name__': 'a module'}\n"
                  "exec(compile(sys.stdin.buffer.read().decode(), 'program', 'exec'), names)\n"
                  "print(json.dumps(names['ITEMS']))"_s},
        script.toUtf8());
    QCOMPARE(QJsonDocument::fromJson(items).array(), (QJsonArray{text, text, u"fig"_s}));
}

void tst_PythonScript::unknownKindIsRefused()
{
    const auto script = pythonScript(ExperimentSpec(u"nothing"_s));
    QVERIFY(!script);
    QCOMPARE(script.error().code, ErrorCode::InvalidArgument);
    QCOMPARE(errorText(script.error()).section(u',', 0, 0),
             u"kind: \"nothing\" has no Python program; allowed: counter"_s);
}

void tst_PythonScript::programThatNeverEndsIsEnded_data()
{
    QTest::addColumn<int>("limitS");
    QTest::addColumn<ErrorCode>("error");
    QTest::newRow("by its limit") << 1 << ErrorCode::Timeout;
    QTest::newRow("by stop()") << 1'000 << ErrorCode::Cancelled;
}

void tst_PythonScript::programThatNeverEndsIsEnded()
{
    QFETCH(const int, limitS);
    QFETCH(const ErrorCode, error);
    const QTemporaryDir folder;
    const QString begun = folder.filePath(u"begun"_s);
    const QString script = u"import subprocess, time\n"
                           "child = subprocess.Popen(['sleep', '1000'])\n"
                           "print(child.pid, file=open(%1, 'w'), flush=True)\n"
                           "time.sleep(1000)\n"_s.arg(pythonLiteral(begun));
    PythonRun run(script, std::chrono::seconds(limitS));
    auto ended = std::async(std::launch::async, [&run] { return run.run(); });
    QFile file(begun);
    if (error == ErrorCode::Cancelled) {
        QTRY_VERIFY_WITH_TIMEOUT(file.size() > 1, patience);
        run.stop();
    }
    const Result<PythonResult> result = ended.get();
    QVERIFY(!result);
    QCOMPARE(result.error().code, error);
    if (file.open(QIODevice::ReadOnly)) { // A busy machine may take longer to begin.
        const pid_t child = file.readAll().trimmed().toInt();
        QTRY_VERIFY_WITH_TIMEOUT(test::hasEnded(child), patience);
    }
}

QTEST_GUILESS_MAIN(tst_PythonScript)
#include "tst_python_script.moc"
