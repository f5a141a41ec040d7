// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/program/program_kind.h"
#include "core/experiment/kinds/program/program_output.h"
#include "core/experiment/kinds/program/program_state.h"
#include "core/experiment/run/experiment_run.h"
#include "core/process/engine.h"
#include "tests/support/leak_check.h"
#include "tests/support/run_to_end.h"

#include <QJsonArray>
#include <QJsonObject>
#include <QRandomGenerator>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>

#include <csignal>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

using test::patience;
using Stream = OutputPiece::Stream;

ExperimentSpec programOf(const QStringList &command, const QJsonObject &more = {})
{
    ExperimentSpec spec(u"program"_s);
    spec.set(u"program"_s, more);
    spec.set(u"program.command"_s, QJsonArray::fromStringList(command));
    return spec;
}

/// A Python program, which is no shell.
ExperimentSpec python(const QString &code, const QJsonObject &more = {})
{
    return programOf({u"python3"_s, u"-c"_s, code}, more);
}

QJsonObject outcomeOf(const ExperimentRun &run)
{
    return run.result().outcome.toObject();
}

QString textOf(const RunLog &log, Stream stream)
{
    QString text;
    for (std::size_t i = 0; i < log.output.size(); ++i) {
        if (log.output[i].stream == stream)
            text += log.output[i].text;
    }
    return text;
}

QList<QByteArray> eventCodes(const ExperimentRun &run)
{
    QList<QByteArray> codes;
    const AppendLog<RunEvent> &events = run.log()->events();
    for (std::size_t i = 0; i < events.size(); ++i)
        codes.append(events[i].note.code);
    return codes;
}

/// Starts @p run and waits until its output holds @p text.
bool runUntil(ExperimentRun &run, const QString &text)
{
    return run.start() &&
           QTest::qWaitFor([&] { return textOf(*run.log(), Stream::Output).contains(text); },
                           patience);
}

bool waitForEnd(const ExperimentRun &run)
{
    return QTest::qWaitFor([&] { return run.state() == RunSource::State::Ended; }, patience);
}

} // namespace

class tst_ProgramExperiment : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    /// Programs are started by the engine of all programs, which is then there for good.
    void initTestCase() { QVERIFY(Engine::current()); }
    void init() { m_before = std::make_unique<test::LeakCheck>(); }
    void cleanup() { QTRY_COMPARE_WITH_TIMEOUT(m_before->leftovers(), QString(), patience); }

    void outcomeIsExact_data();
    void outcomeIsExact();
    void argumentsAreNotRead();
    void instancesHaveAnOutcomeEach();
    void badSpecIsTold_data();
    void badSpecIsTold();
    void checkStartsNothing();
    void programThatCannotBeStartedIsOneLine();
    void outputIsBounded();
    void outputIsKeptWithItsTimes();
    void whatIsLeftBehindIsEnded_data();
    void whatIsLeftBehindIsEnded();
    void treeIsSeen();
    void conversationIsTyped();
    void endOfInputIsTyped();
    void withoutTypingInputEnds();
    void killedOneIsNamed_data();
    void killedOneIsNamed();
    void stopEndsAll();
    void timeLimitEndsAll();
    void stateSurvivesPacking();
    void keptOutputSplitsNoCharacter();

private:
    Engine m_engine;
    std::unique_ptr<test::LeakCheck> m_before;
};

void tst_ProgramExperiment::outcomeIsExact_data()
{
    QTest::addColumn<ExperimentSpec>("spec");
    QTest::addColumn<QJsonObject>("outcome");
    QTest::addColumn<int>("status");
    const auto outcome = [](int code, int signal, bool timedOut, const QString &output,
                            const QString &error) {
        return QJsonObject{{u"exit_code"_s, code},     {u"signal"_s, signal},
                           {u"timed_out"_s, timedOut}, {u"stdout"_s, output},
                           {u"stderr"_s, error},       {u"dropped_bytes"_s, 0}};
    };
    QTest::newRow("output") << programOf({u"echo"_s, u"ä b"_s})
                            << outcome(0, 0, false, u"ä b\n"_s, {}) << 0;
    QTest::newRow("input") << programOf({u"cat"_s}, {{u"stdin"_s, u"one\ntwo"_s}})
                           << outcome(0, 0, false, u"one\ntwo"_s, {}) << 0;
    QTest::newRow("no input") << programOf({u"cat"_s}) << outcome(0, 0, false, {}, {}) << 0;
    QTest::newRow("input that nobody reads")
        << programOf({u"true"_s}, {{u"stdin"_s, QString(60'000, u'x')}})
        << outcome(0, 0, false, {}, {}) << 0;
    const QString both = u"import sys; print('out'); sys.stderr.write('err'); sys.exit(7)"_s;
    QTest::newRow("exit code") << python(both) << outcome(7, 0, false, u"out\n"_s, u"err"_s) << 0;
    QTest::newRow("exit code, checked")
        << python(both, {{u"check"_s, true}}) << outcome(7, 0, false, u"out\n"_s, u"err"_s) << 1;
    const QString crash = u"import os; os.kill(os.getpid(), 11)"_s;
    QTest::newRow("signal") << python(crash) << outcome(0, SIGSEGV, false, {}, {}) << 0;
    QTest::newRow("signal, checked")
        << python(crash, {{u"check"_s, true}}) << outcome(0, SIGSEGV, false, {}, {}) << 1;
    QTest::newRow("timeout") << programOf({u"sleep"_s, u"60"_s}, {{u"timeout_s"_s, 0.2}})
                             << outcome(0, SIGKILL, true, {}, {}) << 1;
    QTest::newRow("timeout without SIGTERM")
        << python(u"import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"_s,
                  {{u"timeout_s"_s, 0.3}})
        << outcome(0, SIGKILL, true, {}, {}) << 1;
    QTest::newRow("closed streams")
        << python(u"import os, time; os.close(0); os.close(1); os.close(2); time.sleep(0.1)"_s,
                  {{u"stdin"_s, u"x"_s}})
        << outcome(0, 0, false, {}, {}) << 0;
    QTest::newRow("no text") << python(
                                    uR"(import sys; sys.stdout.buffer.write(b'a\xff\xc3b\xc3'))"_s)
                             << outcome(0, 0, false, u"a\uFFFD\uFFFDb\uFFFD"_s, {}) << 0;
    QTest::newRow("latin-1")
        << python(
               uR"(import sys; b = sys.stdin.buffer.read(); sys.stdout.buffer.write(b + b'\xe4'))"_s,
               {{u"encoding"_s, u"latin-1"_s}, {u"stdin"_s, u"ö"_s}})
        << outcome(0, 0, false, u"öä"_s, {}) << 0;
    QTest::newRow("utf-16") << programOf({u"cat"_s},
                                         {{u"encoding"_s, u"utf-16-le"_s}, {u"stdin"_s, u"öä"_s}})
                            << outcome(0, 0, false, u"öä"_s, {}) << 0;
    QTest::newRow("surroundings")
        << python(u"import os; print(os.environ['COLOUR'], os.getcwd(), 'PATH' in os.environ)"_s,
                  {{u"environment"_s, QJsonObject{{u"COLOUR"_s, u"$blue;"_s}}},
                   {u"working_directory"_s, u"/"_s}})
        << outcome(0, 0, false, u"$blue; / True\n"_s, {}) << 0;
}

void tst_ProgramExperiment::outcomeIsExact()
{
    QFETCH(const ExperimentSpec, spec);
    QFETCH(const QJsonObject, outcome);
    QFETCH(const int, status);
    ExperimentRun run(m_engine, spec);
    QVERIFY(test::runToEnd(run));
    QCOMPARE(outcomeOf(run), outcome);
    QCOMPARE(run.result().exitStatus(), status);
    QVERIFY(test::addsUp(run.result().totals));
    QCOMPARE(textOf(*run.log(), Stream::Output), outcome[u"stdout"_s].toString());
    QCOMPARE(textOf(*run.log(), Stream::Error), outcome[u"stderr"_s].toString());
}

/// Whatever a shell would obey arrives as it stands.
void tst_ProgramExperiment::argumentsAreNotRead()
{
    const QTemporaryDir folder;
    QFile file(folder.filePath(u"a.txt"_s));
    QVERIFY(file.open(QIODevice::WriteOnly));
    const QStringList words{u"$HOME"_s,
                            u"*.txt"_s,
                            u"; touch b.txt"_s,
                            u"$(touch c.txt)"_s,
                            u"`date`"_s,
                            u"| cat"_s,
                            u"> d.txt"_s,
                            u"a  b"_s,
                            u"'\""_s,
                            u"\\"_s,
                            u"~"_s,
                            u"#"_s,
                            u""_s,
                            u"line\nend"_s};
    ExperimentRun run(m_engine, programOf(QStringList{u"python3"_s, u"-c"_s,
                                                      u"import json, sys; "
                                                      "print(json.dumps(sys.argv[1:]))"_s} +
                                              words,
                                          {{u"working_directory"_s, folder.path()}}));
    QVERIFY(test::runToEnd(run));
    const QByteArray output = outcomeOf(run)[u"stdout"_s].toString().toUtf8();
    QCOMPARE(QJsonDocument::fromJson(output).array(), QJsonArray::fromStringList(words));
    QCOMPARE(QDir(folder.path()).entryList(QDir::Files), QStringList{u"a.txt"_s});
}

void tst_ProgramExperiment::instancesHaveAnOutcomeEach()
{
    constexpr int count = 12;
    ExperimentRun run(m_engine,
                      programOf({u"cat"_s}, {{u"stdin"_s, u"same"_s}, {u"instances"_s, count}}));
    QVERIFY(test::runToEnd(run));
    const QJsonArray outcomes = run.result().outcome.toArray();
    QCOMPARE(outcomes.size(), count);
    for (const QJsonValue &outcome : outcomes)
        QCOMPARE(outcome[u"stdout"_s].toString(), u"same"_s);
    QCOMPARE(run.result().totals.done, quint64{count});
    QCOMPARE(run.log()->processes().size(), count + 1);
}

void tst_ProgramExperiment::badSpecIsTold_data()
{
    QTest::addColumn<ExperimentSpec>("spec");
    QTest::addColumn<QString>("line");
    const auto row = [](const char *name, const ExperimentSpec &spec, const QString &line) {
        QTest::newRow(name) << spec << line;
    };
    row("no program", programOf({u"no-such-program"_s}),
        u"program.command.0: \"no-such-program\" is not in PATH; allowed: a program in PATH, or a "
        "path with a \"/\""_s);
    row("no file", programOf({u"./none"_s}),
        u"program.command.0: \"./none\" does not exist; allowed: a file that may be executed"_s);
    row("folder", programOf({u"/tmp"_s}), u"program.command.0: \"/tmp\" is no file; "_s);
    row("not executable", programOf({u"/etc/passwd"_s}),
        u"program.command.0: \"/etc/passwd\" may not be executed; "_s);
    row("empty name", programOf({QString()}), u"program.command.0: an empty text; "_s);
    row("zero byte", programOf({u"echo"_s, QString(QChar(0))}), u"program.command.1: "_s);
    row("no command", programOf({}), u"program.command: a list of 0; allowed: 1 to 1000 entries"_s);
    ExperimentSpec line = programOf({u"ls"_s});
    line.set(u"program.command"_s, u"ls -l"_s);
    row("shell line", line, u"program.command: \"ls -l\" is a text; allowed: a list of texts"_s);
    row("other PATH",
        programOf({u"ls"_s}, {{u"environment"_s, QJsonObject{{u"PATH"_s, u"/none"_s}}}}),
        u"program.command.0: \"ls\" is not in PATH"_s);
    row("variable without value",
        programOf({u"ls"_s}, {{u"environment"_s, QJsonObject{{u"A"_s, 1}}}}),
        u"program.environment.A: 1 is a number; allowed: a text"_s);
    row("variable without name",
        programOf({u"ls"_s}, {{u"environment"_s, QJsonObject{{u"A=B"_s, u"1"_s}}}}),
        u"program.environment.A=B: "_s);
    row("no folder", programOf({u"ls"_s}, {{u"working_directory"_s, u"/none"_s}}),
        u"program.working_directory: \"/none\" is no folder; "_s);
    row("encoding", programOf({u"ls"_s}, {{u"encoding"_s, u"ebcdic"_s}}), u"program.encoding: "_s);
    row("too many", programOf({u"ls"_s}, {{u"instances"_s, 0}}), u"program.instances: "_s);
}

void tst_ProgramExperiment::badSpecIsTold()
{
    QFETCH(const ExperimentSpec, spec);
    QFETCH(const QString, line);
    const QList<Error> faults = spec.check();
    QCOMPARE(faults.size(), 1);
    const QString text = errorText(faults.first());
    QVERIFY2(text.startsWith(line) && !text.contains(u'\n'), qPrintable(text));
    ExperimentRun run(m_engine, spec);
    QVERIFY(!run.start());
}

void tst_ProgramExperiment::checkStartsNothing()
{
    const QTemporaryDir folder;
    const QString mark = folder.filePath(u"mark"_s);
    QVERIFY(programOf({u"touch"_s, mark}).check().isEmpty());
    QVERIFY(!QFile::exists(mark));
}

/// It is there and executable, but the system does not run it.
void tst_ProgramExperiment::programThatCannotBeStartedIsOneLine()
{
    const QTemporaryDir folder;
    const QString path = folder.filePath(u"script"_s);
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    QVERIFY(file.write("#!/no/such/interpreter\n") > 0);
    file.close();
    QVERIFY(file.setPermissions(QFile::ReadOwner | QFile::ExeOwner));
    ExperimentRun run(m_engine, programOf({path}, {{u"instances"_s, 3}}));
    QVERIFY(test::runToEnd(run));
    QVERIFY(run.result().engineError);
    QCOMPARE(run.result().exitStatus(), 3);
    const QString line = errorText(*run.result().engineError);
    QVERIFY2(line.contains(path) && !line.contains(u'\n'), qPrintable(line));
}

void tst_ProgramExperiment::outputIsBounded()
{
    constexpr qint64 written = 40'000'000;
    ExperimentRun run(m_engine,
                      programOf({u"head"_s, u"-c"_s, QString::number(written), u"/dev/zero"_s}));
    QVERIFY(test::runToEnd(run));
    const QJsonObject outcome = outcomeOf(run);
    const qint64 kept = outcome[u"stdout"_s].toString().size();
    QVERIFY(kept > 0 && kept <= 1 << 20);
    QCOMPARE(outcome[u"dropped_bytes"_s].toInteger(), written - kept);
    QCOMPARE(textOf(*run.log(), Stream::Output).size(), kept);
    QCOMPARE(eventCodes(run).count("program.output_dropped"), 1);
    QVERIFY(noticeText(run.result()).contains(u"not kept"_s));
    QCOMPARE(run.result().exitStatus(), 0);
}

void tst_ProgramExperiment::outputIsKeptWithItsTimes()
{
    ExperimentRun run(m_engine,
                      python(u"import time\nfor i in range(3):\n    print(i, flush=True)\n"
                             "    time.sleep(0.1)"_s));
    QVERIFY(test::runToEnd(run));
    const AppendLog<OutputPiece> &pieces = run.log()->output;
    QVERIFY(pieces.size() >= 3);
    for (std::size_t i = 1; i < pieces.size(); ++i)
        QVERIFY(pieces[i - 1].timeNs <= pieces[i].timeNs);
    QVERIFY(pieces[2].timeNs - pieces[0].timeNs >= 150'000'000);
    QVERIFY(pieces[0].timeNs > 0 && pieces[0].process == 1);
}

void tst_ProgramExperiment::whatIsLeftBehindIsEnded_data()
{
    QTest::addColumn<QString>("code");
    const QString leave = u"import os, time\n"
                          "if os.fork() == 0:\n"
                          "    %1\n"
                          "    time.sleep(600)\n"
                          "    os._exit(0)\n"
                          "print('left', flush=True)\n"_s;
    QTest::newRow("in its group") << leave.arg(u"pass"_s);
    QTest::newRow("in a session of its own") << leave.arg(u"os.setsid()"_s);
    QTest::newRow("twice removed") << leave.arg(u"os.setsid(); os.fork()"_s);
    QTest::newRow("without the pipes") << leave.arg(u"os.setsid(); os.closerange(0, 9)"_s);
}

void tst_ProgramExperiment::whatIsLeftBehindIsEnded()
{
    QFETCH(const QString, code);
    ExperimentRun run(m_engine, python(code));
    QVERIFY(test::runToEnd(run));
    QCOMPARE(outcomeOf(run)[u"stdout"_s].toString(), u"left\n"_s);
    QCOMPARE(eventCodes(run).count("program.left_behind"), 1);
    QCOMPARE(run.result().exitStatus(), 0);
}

void tst_ProgramExperiment::treeIsSeen()
{
    ExperimentRun run(m_engine, python(u"import subprocess\nsubprocess.run(['sleep', '600'])"_s));
    QVERIFY(run.start());
    const auto below = [&run] {
        const StageSnapshotPointer picture = run.snapshot();
        return picture ? picture->state<ProgramState>().descendants
                       : std::vector<ProgramState::Descendant>();
    };
    QTRY_VERIFY_WITH_TIMEOUT(below().size() == 1 && below().front().name == "sleep", patience);
    QCOMPARE(below().front().parentPid, run.log()->processes().at(1).pid);
    QCOMPARE(below().front().instance, 0);
    run.stop();
    QVERIFY(waitForEnd(run));
}

void tst_ProgramExperiment::conversationIsTyped()
{
    ExperimentRun run(m_engine, programOf({u"python3"_s, u"-iqu"_s, u"-c"_s, u"print('hi')"_s}));
    run.setCanType(true);
    QVERIFY(runUntil(run, u"hi"_s));
    run.type(1, u"6 * 7\n"_s);
    QTRY_VERIFY_WITH_TIMEOUT(textOf(*run.log(), Stream::Output).contains(u"42"_s), patience);
    QCOMPARE(textOf(*run.log(), Stream::Input), u"6 * 7\n"_s);
    run.type(2, u"nobody\n"_s);
    run.type(1, u"raise SystemExit(5)\n"_s);
    QVERIFY(waitForEnd(run));
    QCOMPARE(outcomeOf(run)[u"exit_code"_s].toInt(), 5);
}

void tst_ProgramExperiment::endOfInputIsTyped()
{
    ExperimentRun run(m_engine, programOf({u"cat"_s}));
    run.setCanType(true);
    QVERIFY(run.start());
    QTRY_VERIFY_WITH_TIMEOUT(run.state() == RunSource::State::Running, patience);
    run.type(1, u"last"_s);
    QTRY_VERIFY_WITH_TIMEOUT(textOf(*run.log(), Stream::Output) == u"last"_s, patience);
    QVERIFY(run.snapshot());
    run.endInput(1);
    QVERIFY(waitForEnd(run));
    QCOMPARE(outcomeOf(run)[u"stdout"_s].toString(), u"last"_s);
    run.type(1, u"too late"_s);
    run.endInput(1);
}

void tst_ProgramExperiment::withoutTypingInputEnds()
{
    // A text in the spec is all there is, also in a window.
    ExperimentRun run(m_engine, programOf({u"cat"_s}, {{u"stdin"_s, u"all"_s}}));
    run.setCanType(true);
    QVERIFY(test::runToEnd(run));
    QCOMPARE(outcomeOf(run)[u"stdout"_s].toString(), u"all"_s);
    ExperimentRun several(m_engine, programOf({u"cat"_s}, {{u"instances"_s, 2}}));
    several.setCanType(true);
    QVERIFY(test::runToEnd(several));
}

void tst_ProgramExperiment::killedOneIsNamed_data()
{
    QTest::addColumn<bool>("isChecked");
    QTest::newRow("not checked") << false;
    QTest::newRow("checked") << true;
}

void tst_ProgramExperiment::killedOneIsNamed()
{
    QFETCH(const bool, isChecked);
    QRandomGenerator random = test::drawnGenerator();
    ExperimentRun run(m_engine, programOf({u"sleep"_s, u"0.5"_s},
                                          {{u"instances"_s, 4}, {u"check"_s, isChecked}}));
    QVERIFY(run.start());
    QTRY_VERIFY_WITH_TIMEOUT(run.state() == RunSource::State::Running, patience);
    const int victim = random.bounded(1, 5);
    QTimer::singleShot(random.bounded(300), &run, [&] { run.sendSignal(victim, SIGKILL); });
    QVERIFY(waitForEnd(run));
    const QJsonArray outcomes = run.result().outcome.toArray();
    for (int i = 0; i < 4; ++i)
        QCOMPARE(outcomes[i][u"signal"_s].toInt(), i + 1 == victim ? SIGKILL : 0);
    QCOMPARE(run.result().exitStatus(), isChecked ? 1 : 0);
    QCOMPARE(run.result().totals.failed, quint64{isChecked ? 1U : 0U});
    QCOMPARE(eventCodes(run).count("process_signalled"), 1);
    QVERIFY(noticeText(run.result()).contains(u"3 of 4"_s));
}

void tst_ProgramExperiment::stopEndsAll()
{
    ExperimentRun run(
        m_engine, python(u"import signal, subprocess, sys\nsignal.signal(15, signal.SIG_IGN)\n"
                         "child = subprocess.Popen(['sleep', '600'])\nprint('there', flush=True)"
                         "\nchild.wait()"_s,
                         {{u"instances"_s, 3}}));
    QVERIFY(runUntil(run, u"there"_s));
    run.stop();
    QVERIFY(waitForEnd(run));
    QVERIFY(run.result().stopped);
    QCOMPARE(run.result().totals.cancelled, 3U);
    QCOMPARE(run.result().outcome.toArray().size(), 3);
}

void tst_ProgramExperiment::timeLimitEndsAll()
{
    ExperimentSpec spec = programOf({u"yes"_s});
    spec.set(u"time_limit_s"_s, 0.3);
    ExperimentRun run(m_engine, spec);
    QVERIFY(test::runToEnd(run));
    QVERIFY(run.result().timeLimitReached);
    QCOMPARE(run.result().exitStatus(), 1);
    QVERIFY(outcomeOf(run)[u"stdout"_s].toString().startsWith(u"y\ny\n"_s));
}

void tst_ProgramExperiment::stateSurvivesPacking()
{
    ProgramState state;
    state.instances = {{5, 6, 7, 1, 0}, {1 << 30, 0, 0, 0, 1}};
    state.descendants = {
        {100, 99, 0, "python3"}, {101, 100, 1, "fifteen letters"}, {102, 1, 1, ""}};
    const auto unpacked = state.unpacked(state.packed(0), 0);
    const auto &again = dynamic_cast<const ProgramState &>(*unpacked);
    QVERIFY(again.instances == state.instances);
    QVERIFY(again.descendants == state.descendants);
    QVERIFY(state.unpacked({}, 0));
}

void tst_ProgramExperiment::keptOutputSplitsNoCharacter()
{
    KeptOutput kept({}, 5);
    QCOMPARE(kept.take("a\xc3"), u"a"_s);
    QCOMPARE(kept.take("\xa4"), u"ä"_s);
    QCOMPARE(kept.take("b\xc3\xa4"), u"b\uFFFD"_s);
    QCOMPARE(kept.take("more"), QString());
    QCOMPARE(kept.text(), u"aäb\uFFFD"_s);
    QCOMPARE(kept.bytes(), 10);
    QCOMPARE(kept.droppedBytes(), 5);
}

QTEST_GUILESS_MAIN(tst_ProgramExperiment)
#include "tst_program_experiment.moc"
