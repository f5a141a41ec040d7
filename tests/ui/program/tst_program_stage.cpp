// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/program/program_kind.h"
#include "core/experiment/kinds/program/program_state.h"
#include "core/experiment/spec/kind.h"
#include "tests/support/painted_texts.h"
#include "ui/experiment/stage/stage_view.h"
#include "ui/program/program_layout.h"
#include "ui/shared/theme.h"

#include <QApplication>
#include <QJsonArray>
#include <QJsonObject>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QSignalSpy>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

constexpr qint64 ms = 1'000'000;
using Stream = OutputPiece::Stream;

/// Programs of which the first has written, and started a process.
struct Sample
{
    ExperimentSpec spec{u"program"_s};
    std::shared_ptr<RunLog> log = std::make_shared<RunLog>();
    std::shared_ptr<StageSnapshot> snapshot = std::make_shared<StageSnapshot>();
    std::shared_ptr<ProgramState> state = std::make_shared<ProgramState>();

    explicit Sample(int programs = 1)
    {
        spec.set(u"program"_s,
                 QJsonObject{{u"command"_s, QJsonArray{u"echo"_s, u"$HOME"_s, u"a b"_s}},
                             {u"timeout_s"_s, 2},
                             {u"instances"_s, programs}});
        log->addProcess({.name = u"main"_s, .pid = 100, .colorIndex = -1});
        snapshot->processes.append({.process = 0, .state = ProcessState::Waiting});
        const ProcessRole &role = findKind(u"program"_s)->roles[ProgramRoles::Program];
        for (int number = 1; number <= programs; ++number) {
            const int process = log->addProcess({.name = role.processName(number),
                                                 .role = &role,
                                                 .pid = 100 + number,
                                                 .colorIndex = number - 1});
            snapshot->processes.append({.process = process, .state = ProcessState::Sleeping});
            state->instances.push_back({});
        }
        state->instances[0] = {2'048, 5, 0, 1, 0};
        state->descendants = {{500, 101, 0, "child"}, {501, 500, 0, "grandchild"}};
        snapshot->kindState = state;
        snapshot->timeNs = 600 * ms;
        snapshot->total = static_cast<quint64>(programs);
        log->output.append({100 * ms, 1, Stream::Input, u"question\n"_s});
        log->output.append({200 * ms, 1, Stream::Output, u"answer\x1b[31m\n"_s});
        log->output.append({300 * ms, 1, Stream::Error, u"complaint\n"_s});
        log->output.append({700 * ms, 1, Stream::Output, u"later\n"_s});
    }

    void end(int process, int code)
    {
        log->updateProcess(process, [code](ProcessRecord &record) {
            record.endNs = 500 * ms;
            record.exitCode = code;
        });
        snapshot->processes[process].state =
            code == 0 ? ProcessState::Ended : ProcessState::Crashed;
    }

    std::unique_ptr<StageView> show(const QSize &size = {900, 500}) const
    {
        std::unique_ptr<StageView> stage(makeStage(u"program"_s, nullptr));
        stage->resize(size);
        stage->setRun(log, spec);
        stage->setSnapshot(snapshot);
        stage->show();
        return stage;
    }
};

QString terminalOf(const StageView &stage)
{
    return stage.findChild<QPlainTextEdit *>()->toPlainText();
}

} // namespace

class tst_ProgramStage : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { Theme::apply(*qApp, Theme::Mode::Light); }
    void partsDoNotOverlap_data();
    void partsDoNotOverlap();
    void argumentsStandInBoxes();
    void idleStageStartsNothing();
    void terminalShowsTheInstant();
    void selectedProgramIsShownAlone();
    void streamsHaveTheirColours();
    void longOutputIsShownSoon();
    void treeIsBelow();
    void endIsTold_data();
    void endIsTold();
    void typingReachesTheProgram();
    void inputIsOfferedToWhatTakesIt();
};

void tst_ProgramStage::partsDoNotOverlap_data()
{
    QTest::addColumn<QSize>("size");
    QTest::addColumn<int>("programs");
    for (const QSize size :
         {QSize(320, 160), QSize(560, 360), QSize(656, 510), QSize(1600, 1000)}) {
        for (const int programs : {1, 2, 12, 64})
            QTest::addRow("%d x %d, %d", size.width(), size.height(), programs) << size << programs;
    }
}

void tst_ProgramStage::partsDoNotOverlap()
{
    QFETCH(const QSize, size);
    QFETCH(const int, programs);
    const QRectF area(QPointF(2, 2), QSizeF(size));
    const ProgramLayout layout = arrangeProgram(area, programs);
    const QRectF parts[] = {layout.arguments, layout.shell,    layout.cards,
                            layout.tree,      layout.terminal, layout.foot};
    QVERIFY(layout.terminal.width() >= 100 && layout.terminal.height() >= 40);
    for (std::size_t i = 0; i < std::size(parts); ++i) {
        QVERIFY(parts[i].isEmpty() || area.contains(parts[i]));
        for (std::size_t k = i + 1; k < std::size(parts); ++k)
            QVERIFY(!parts[i].intersects(parts[k]));
    }
}

void tst_ProgramStage::argumentsStandInBoxes()
{
    const auto stage = Sample().show();
    const QStringList words = test::wordsOf(test::paintedTexts(*stage));
    // Once for the program, once as a shell would read it.
    QCOMPARE(words.count(u"echo"_s), 2 + 1); // And on the card.
    QCOMPARE(words.count(u"a b"_s), 1);
    QCOMPARE(words.count(u"$HOME"_s), 2);
    QVERIFY(words.contains(u"its value"_s));
    QVERIFY(words.contains(u"What a shell would make of it: none is run"_s));
}

void tst_ProgramStage::idleStageStartsNothing()
{
    std::unique_ptr<StageView> stage(makeStage(u"program"_s, nullptr));
    stage->resize(900, 500);
    stage->setSpec(Sample().spec);
    const QStringList words = test::wordsOf(test::paintedTexts(*stage));
    QVERIFY(words.contains(u"$HOME"_s));
    QCOMPARE(terminalOf(*stage), QString());
    QVERIFY(stage->accessibleDescription().contains(u"without a shell"_s));
}

void tst_ProgramStage::terminalShowsTheInstant()
{
    const Sample sample;
    const auto stage = sample.show();
    const QString before = u"question\nanswer\u241b[31m\ncomplaint\n"_s;
    QCOMPARE(terminalOf(*stage), before);
    const auto later = std::make_shared<StageSnapshot>(*sample.snapshot);
    later->timeNs = 800 * ms;
    stage->setSnapshot(later);
    QCOMPARE(terminalOf(*stage), QString(before + u"later\n"_s));
    const auto earlier = std::make_shared<StageSnapshot>(*sample.snapshot);
    earlier->timeNs = 150 * ms;
    stage->setSnapshot(earlier);
    QCOMPARE(terminalOf(*stage), u"question\n"_s);
    stage->setRun(nullptr, sample.spec);
    QCOMPARE(terminalOf(*stage), QString());
}

void tst_ProgramStage::selectedProgramIsShownAlone()
{
    Sample sample(3);
    sample.log->output.append({750 * ms, 2, Stream::Output, u"second\n"_s});
    sample.snapshot->timeNs = 800 * ms;
    const auto stage = sample.show();
    QVERIFY(terminalOf(*stage).contains(u"later\nprogram-2\nsecond\n"_s));
    stage->setSelectedProcess(2);
    QCOMPARE(terminalOf(*stage), u"second\n"_s);
    stage->setSelectedProcess(3);
    QCOMPARE(terminalOf(*stage), QString());
    stage->setSelectedProcess(-1);
    QVERIFY(terminalOf(*stage).startsWith(u"program-1\nquestion\n"_s));
}

void tst_ProgramStage::streamsHaveTheirColours()
{
    const auto stage = Sample().show();
    QTextDocument *document = stage->findChild<QPlainTextEdit *>()->document();
    const auto colourOf = [document](const QString &word) {
        QTextCursor cursor = document->find(word);
        return cursor.charFormat().foreground().color();
    };
    const Theme &theme = Theme::current();
    QCOMPARE(colourOf(u"question"_s), theme.accent);
    QCOMPARE(colourOf(u"answer"_s), theme.text);
    QCOMPARE(colourOf(u"complaint"_s), theme.warn);
}

void tst_ProgramStage::longOutputIsShownSoon()
{
    const Sample sample;
    sample.log->output.append({750 * ms, 1, Stream::Output, QString(1 << 20, u'x')});
    sample.log->output.append({760 * ms, 1, Stream::Output, u"\nend"_s});
    sample.snapshot->timeNs = 800 * ms;
    const auto stage = sample.show();
    QVERIFY(terminalOf(*stage).endsWith(u"x\nend"_s));
}

void tst_ProgramStage::treeIsBelow()
{
    const auto stage = Sample().show();
    const QStringList words = test::wordsOf(test::paintedTexts(*stage));
    QVERIFY(words.contains(u"Processes below: 2"_s));
    QVERIFY(words.contains(u"child  500"_s));
    QVERIFY(words.contains(u"grandchild  501"_s));
}

void tst_ProgramStage::endIsTold_data()
{
    QTest::addColumn<int>("code");
    QTest::addColumn<bool>("isTimedOut");
    QTest::addColumn<QString>("text");
    QTest::newRow("well") << 0 << false << u"exit code 0"_s;
    QTest::newRow("not well") << 3 << false << u"exit code 3"_s;
    QTest::newRow("timeout") << 0 << true << u"timed out"_s;
}

void tst_ProgramStage::endIsTold()
{
    QFETCH(const int, code);
    QFETCH(const bool, isTimedOut);
    QFETCH(const QString, text);
    Sample sample;
    sample.end(1, code);
    sample.state->instances[0].timedOut = isTimedOut ? 1 : 0;
    const auto stage = sample.show();
    const QStringList words = test::wordsOf(test::paintedTexts(*stage));
    QVERIFY2(words.contains(text), qPrintable(words.join(u'|')));
}

void tst_ProgramStage::typingReachesTheProgram()
{
    const auto stage = Sample().show();
    stage->setCanSignal(true);
    auto *line = stage->findChild<QLineEdit *>();
    QVERIFY(line->isVisibleTo(stage.get()));
    QSignalSpy typed(stage.get(), &StageView::typed);
    QSignalSpy ended(stage.get(), &StageView::inputEnded);
    line->setFocus();
    QTest::keyClicks(line, u"6 * 7"_s);
    QTest::keyClick(line, Qt::Key_Return);
    QCOMPARE(typed, QList<QVariantList>({{1, u"6 * 7\n"_s}}));
    QCOMPARE(line->text(), QString());
    QVERIFY(QTest::qWaitForWindowActive(stage.get()));
    QTest::keyClick(line, Qt::Key_D, Qt::ControlModifier);
    QCOMPARE(ended, QList<QVariantList>({{1}}));
}

void tst_ProgramStage::inputIsOfferedToWhatTakesIt()
{
    Sample sample;
    const auto stage = sample.show();
    const auto *line = stage->findChild<QLineEdit *>();
    QVERIFY(!line->isVisibleTo(stage.get())); // What is shown is over.
    stage->setCanSignal(true);
    QVERIFY(line->isVisibleTo(stage.get()));
    const auto closed = std::make_shared<StageSnapshot>(*sample.snapshot);
    const auto state = std::make_shared<ProgramState>(*sample.state);
    state->instances[0].takesInput = 0;
    closed->kindState = state;
    stage->setSnapshot(closed);
    QVERIFY(!line->isVisibleTo(stage.get()));
}

QTEST_MAIN(tst_ProgramStage)
#include "tst_program_stage.moc"
