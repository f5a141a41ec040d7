// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/process/process_kind.h"
#include "core/experiment/kinds/process/process_state.h"
#include "core/experiment/spec/kind.h"
#include "tests/support/painted_texts.h"
#include "ui/experiment/stage/process_actions.h"
#include "ui/experiment/stage/stage_view.h"
#include "ui/process/lifeline_layout.h"
#include "ui/shared/theme.h"

#include <QApplication>
#include <QJsonObject>
#include <QSignalSpy>
#include <QTest>
#include <QToolButton>

#include <csignal>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

constexpr qint64 ms = 1'000'000;

/// One that was joined, one that died and was not, and one that runs.
struct Sample
{
    ExperimentSpec spec{u"process"_s};
    std::shared_ptr<RunLog> log = std::make_shared<RunLog>();
    std::shared_ptr<StageSnapshot> snapshot = std::make_shared<StageSnapshot>();

    Sample()
    {
        spec.set(u"tasks"_s, QJsonObject{{u"task"_s, u"io.sleep"_s}, {u"count"_s, 3}});
        log->addProcess({.name = u"main"_s, .pid = 100, .colorIndex = -1});
        add(1, 400 * ms, 0, ProcessState::Ended);
        add(2, 500 * ms, SIGKILL, ProcessState::Crashed);
        add(3, -1, 0, ProcessState::Sleeping);
        auto lives = std::make_shared<LivesState>();
        lives->startCostNs = {7 * ms, 400'000, 390'000};
        lives->lives = {{-20 * ms, 7 * ms, 450 * ms, 100},
                        {-12 * ms, 6 * ms, LivesState::notYet, 100},
                        {-5 * ms, 4 * ms, LivesState::notYet, 100}};
        lives->joins = {{.child = 0, .endedNs = 450 * ms, .end = LivesState::InTime},
                        {.child = 1, .beganNs = 450 * ms}};
        snapshot->kindState = lives;
        snapshot->timeNs = 600 * ms;
        snapshot->total = 3;
        snapshot->processes.prepend({.process = 0, .state = ProcessState::Waiting});
    }

    void add(int number, qint64 endNs, int signal, ProcessState state)
    {
        const ProcessRole &role = findKind(u"process"_s)->roles[ProcessRoles::Child];
        const int process = log->addProcess({.name = role.processName(number),
                                             .role = &role,
                                             .pid = 100 + number,
                                             .colorIndex = number - 1,
                                             .startNs = -ms,
                                             .endNs = endNs,
                                             .signal = signal});
        snapshot->processes.append({.process = process, .state = state});
    }

    std::unique_ptr<StageView> show() const
    {
        std::unique_ptr<StageView> stage(makeStage(u"process"_s, nullptr));
        stage->resize(900, 500);
        stage->setRun(log, spec);
        stage->setSnapshot(snapshot);
        stage->show();
        return stage;
    }
};

} // namespace

class tst_Lifelines : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { Theme::apply(*qApp, Theme::Mode::Light); }
    void rowsDoNotOverlap_data();
    void rowsDoNotOverlap();
    void stageTellsEachLife();
    void signalsAreOfferedToWhatRuns_data();
    void signalsAreOfferedToWhatRuns();
    void buttonsSendTheirSignals();
    void buttonsStayInTheStage_data();
    void buttonsStayInTheStage();
};

void tst_Lifelines::rowsDoNotOverlap_data()
{
    QTest::addColumn<QSize>("size");
    QTest::addColumn<int>("children");
    for (const QSize size :
         {QSize(320, 160), QSize(560, 360), QSize(656, 510), QSize(1600, 1000)}) {
        for (const int children : {1, 2, 7, 12, 30, 64, 256})
            QTest::addRow("%d x %d, %d", size.width(), size.height(), children) << size << children;
    }
}

void tst_Lifelines::rowsDoNotOverlap()
{
    QFETCH(const QSize, size);
    QFETCH(const int, children);
    const QRectF area(QPointF(2, 2), QSizeF(size));
    const LifelineLayout layout = arrangeLifelines(area, children);
    QCOMPARE(layout.children.size(), children);
    QList<QRectF> all{layout.parent.card, layout.parent.lane, layout.costs};
    for (const Lifeline &child : layout.children)
        all << child.card << child.lane;
    // Of 256 on the smallest stage there is no room for all.
    const bool isCrowded = children == 256 && size.height() < 400;
    for (qsizetype i = 0; i < all.size(); ++i) {
        QVERIFY(isCrowded || all[i].isEmpty() || area.contains(all[i]));
        for (qsizetype k = i + 1; k < all.size(); ++k)
            QVERIFY(!all[i].intersects(all[k]));
    }
}

void tst_Lifelines::stageTellsEachLife()
{
    const auto stage = Sample().show();
    const QStringList words = test::wordsOf(test::paintedTexts(*stage));
    for (const QString &word :
         {u"exit code 0, joined"_s, u"exit 0"_s, u"SIGKILL"_s, u"join(process-1)"_s,
          u"in join(P2)"_s, u"1 of 3 joined"_s, u"parent 100"_s, u"390\u00A0µs"_s})
        QVERIFY2(words.contains(word), qPrintable(word + u" in "_s + words.join(u'|')));
    QCOMPARE(stage->accessibleDescription(),
             u"2 of 3 children have ended, the parent is in join(P2)"_s);
}

void tst_Lifelines::signalsAreOfferedToWhatRuns_data()
{
    QTest::addColumn<int>("process");
    QTest::addColumn<bool>("canSignal");
    QTest::addColumn<bool>("isOffered");
    QTest::newRow("none is selected") << -1 << true << false;
    QTest::newRow("the parent") << 0 << true << false;
    QTest::newRow("has ended") << 1 << true << false;
    QTest::newRow("has died") << 2 << true << false;
    QTest::newRow("runs") << 3 << true << true;
    QTest::newRow("runs, in the past") << 3 << false << false;
}

void tst_Lifelines::signalsAreOfferedToWhatRuns()
{
    QFETCH(const int, process);
    QFETCH(const bool, canSignal);
    QFETCH(const bool, isOffered);
    const auto stage = Sample().show();
    stage->setCanSignal(canSignal);
    stage->setSelectedProcess(process);
    const auto *actions = stage->findChild<ProcessActions *>();
    QCOMPARE(actions && actions->isVisible(), isOffered);
    stage->setCanSignal(false);
    QVERIFY(!actions || !actions->isVisible());
}

void tst_Lifelines::buttonsSendTheirSignals()
{
    const auto stage = Sample().show();
    stage->setCanSignal(true);
    stage->setSelectedProcess(3);
    QSignalSpy asked(stage.get(), &StageView::signalAsked);
    auto *actions = stage->findChild<ProcessActions *>();
    QVERIFY(actions);
    QCOMPARE(actions->accessibleName(), u"Signals to process-3"_s);
    QList<QVariantList> expected;
    for (const int signal : {SIGSTOP, SIGCONT, SIGTERM, SIGKILL})
        expected.append({3, signal});
    for (QToolButton *button : actions->findChildren<QToolButton *>()) {
        QVERIFY(!button->toolTip().isEmpty());
        QTest::mouseClick(button, Qt::LeftButton);
    }
    QCOMPARE(asked, expected);
}

void tst_Lifelines::buttonsStayInTheStage_data()
{
    QTest::addColumn<QSize>("size");
    for (const QSize size : {QSize(320, 200), QSize(560, 360), QSize(1600, 1000)})
        QTest::addRow("%d x %d", size.width(), size.height()) << size;
}

void tst_Lifelines::buttonsStayInTheStage()
{
    QFETCH(const QSize, size);
    const auto stage = Sample().show();
    stage->setCanSignal(true);
    stage->setSelectedProcess(3);
    stage->resize(size);
    const auto *actions = stage->findChild<ProcessActions *>();
    QVERIFY(actions && actions->isVisible());
    QVERIFY(stage->rect().contains(actions->geometry()));
}

QTEST_MAIN(tst_Lifelines)
#include "tst_lifelines.moc"
