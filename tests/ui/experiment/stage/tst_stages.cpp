// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/spec/kind.h"
#include "tests/support/sample_run.h"
#include "ui/experiment/stage/stage_cards.h"
#include "ui/experiment/stage/stage_view.h"
#include "ui/shared/theme.h"

#include <QAccessible>
#include <QApplication>
#include <QImage>
#include <QJsonArray>
#include <QSet>
#include <QSignalSpy>
#include <QTest>

#include <functional>

using namespace proclab;
using namespace Qt::StringLiterals;

using MakeRun = std::function<SampleRun()>;
Q_DECLARE_METATYPE(MakeRun)

namespace {

enum class Phase { Idle, Shown };

std::unique_ptr<StageView> stageOf(const SampleRun &run, Phase phase, QSize size = {656, 510})
{
    std::unique_ptr<StageView> stage(makeStage(run.spec.kind(), nullptr));
    if (!stage)
        return stage;
    stage->resize(size);
    stage->setSpec(run.spec);
    if (phase == Phase::Shown) {
        stage->setRun(run.log, run.spec);
        stage->setSnapshot(run.snapshot);
    }
    stage->show();
    return stage;
}

int colorCount(const QImage &image)
{
    QSet<QRgb> colors;
    for (int y = 0; y < image.height(); y += 2) {
        for (int x = 0; x < image.width(); x += 2)
            colors.insert(image.pixel(x, y));
    }
    return static_cast<int>(colors.size());
}

bool contains(const QImage &image, const QColor &color)
{
    for (int y = 0; y < image.height(); ++y) {
        for (int x = 0; x < image.width(); ++x) {
            if (image.pixelColor(x, y).rgb() == color.rgb())
                return true;
        }
    }
    return false;
}

QAccessibleInterface *accessible(QObject *object)
{
    return QAccessible::queryAccessibleInterface(object);
}

QStringList names(StageView &stage)
{
    QAccessibleInterface *list = accessible(&stage);
    QStringList texts;
    for (int i = 0; i < list->childCount(); ++i)
        texts.append(list->child(i)->text(QAccessible::Name));
    return texts;
}

QPoint middleOf(StageView &stage, int item)
{
    return stage.mapFromGlobal(accessible(&stage)->child(item)->rect().center());
}

} // namespace

class tst_Stages : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { Theme::apply(*qApp, Theme::Mode::Dark); }
    void everyKindHasItsStage_data();
    void everyKindHasItsStage();
    void unknownKindHasNone();
    void everyPhaseIsDrawn_data();
    void everyPhaseIsDrawn();
    void keptCardsAreThoseOfAFreshStage_data();
    void keptCardsAreThoseOfAFreshStage();
    void tokensLeaveCardsFree();
    void poolSaysWhatItsProcessesDo();
    void pipelineSaysWhatItsProcessesDo();
    void pipelineSaysTheNamesOfItsItems();
    void counterSaysWhatWasLost();
    void counterIsExactWithALock();
    void idleStageFollowsTheSpec();
    void clickSelects();
    void arrowsWalkTheCards();
    void selectionFromOutsideIsNotSentBack();
    void nothingIsSelectedBeforeARun();
    void aNewRunForgetsTheOld();
    void themeChangeRepaints();
};

void tst_Stages::everyKindHasItsStage_data()
{
    QTest::addColumn<QString>("kind");
    for (const Kind &kind : kinds()) {
        if (kind.isAvailable())
            QTest::newRow(qPrintable(kind.name)) << kind.name;
    }
}

void tst_Stages::everyKindHasItsStage()
{
    QFETCH(const QString, kind);
    const std::unique_ptr<StageView> stage(makeStage(kind, nullptr));
    QVERIFY(stage);
    stage->setSpec(ExperimentSpec(kind));
    QVERIFY(!stage->accessibleName().isEmpty());
    QVERIFY(!stage->accessibleDescription().isEmpty());
}

void tst_Stages::unknownKindHasNone()
{
    QVERIFY(!makeStage(u"nothing"_s, nullptr));
}

void tst_Stages::everyPhaseIsDrawn_data()
{
    QTest::addColumn<MakeRun>("make");
    QTest::addColumn<bool>("idle");
    QTest::addColumn<QSize>("size");
    const QSize usual(656, 510);
    const QSize smallest(560, 360);
    const MakeRun pool = [] { return samplePool(); };
    const MakeRun poolEnded = [] { return samplePool({.seconds = 60}); };
    const MakeRun manyWorkers = [] {
        return samplePool({.workers = 16, .tasks = 20'000, .seconds = 2, .meanTaskSeconds = 0.005});
    };
    const MakeRun hundred = [] { return samplePool({.workers = 100, .tasks = 300}); };
    const MakeRun pipeline = [] { return samplePipeline(); };
    const MakeRun pipelineEnded = [] { return samplePipeline({.seconds = 60}); };
    const MakeRun longQueue = [] { return samplePipeline({.producers = 20, .capacity = 1000}); };
    const MakeRun unbounded = [] { return samplePipeline({.capacity = 0, .seconds = 0.05}); };
    const MakeRun counter = [] { return sampleCounter({.progress = 0.5}); };
    const MakeRun counterEnded = [] { return sampleCounter(); };
    const MakeRun locked = [] { return sampleCounter({.locked = true, .progress = 0.5}); };
    const MakeRun manyCounters = [] { return sampleCounter({.processes = 64, .locked = true}); };
    QTest::newRow("pool idle") << pool << true << usual;
    QTest::newRow("pool idle, smallest") << pool << true << smallest;
    QTest::newRow("pool running with a crash") << pool << false << usual;
    QTest::newRow("pool running, smallest") << pool << false << smallest;
    QTest::newRow("pool ended") << poolEnded << false << usual;
    QTest::newRow("pool, 16 workers") << manyWorkers << false << usual;
    QTest::newRow("pool, 100 workers") << hundred << false << smallest;
    QTest::newRow("pool, far too small") << hundred << false << QSize(120, 60);
    QTest::newRow("pipeline idle") << pipeline << true << usual;
    QTest::newRow("pipeline running") << pipeline << false << usual;
    QTest::newRow("pipeline running, smallest") << pipeline << false << smallest;
    QTest::newRow("pipeline ended") << pipelineEnded << false << usual;
    QTest::newRow("pipeline, capacity 1,000") << longQueue << false << usual;
    QTest::newRow("pipeline, no limit") << unbounded << false << usual;
    QTest::newRow("pipeline, far too small") << longQueue << false << QSize(120, 60);
    QTest::newRow("counter idle") << counter << true << usual;
    QTest::newRow("counter running") << counter << false << usual;
    QTest::newRow("counter ended") << counterEnded << false << usual;
    QTest::newRow("counter with a lock") << locked << false << smallest;
    QTest::newRow("counter, 64 processes") << manyCounters << false << usual;
    QTest::newRow("counter, far too small") << manyCounters << false << QSize(120, 60);
}

void tst_Stages::everyPhaseIsDrawn()
{
    QFETCH(const MakeRun, make);
    QFETCH(const bool, idle);
    QFETCH(const QSize, size);
    const SampleRun run = make();
    const auto stage = stageOf(run, idle ? Phase::Idle : Phase::Shown, size);
    QVERIFY(QTest::qWaitForWindowExposed(stage.get()));
    const QImage image = stage->grab().toImage();
    QVERIFY(colorCount(image) > 4);
    QVERIFY(!stage->accessibleDescription().isEmpty());
    QVERIFY(accessible(stage.get())->childCount() >= 1);
    if (size.width() >= 560)
        QVERIFY(contains(image, Theme::current().process(0)));
}

void tst_Stages::keptCardsAreThoseOfAFreshStage_data()
{
    QTest::addColumn<int>("workers");
    QTest::addColumn<int>("selected");
    QTest::newRow("cards") << 4 << -1;
    QTest::newRow("rows") << 16 << -1;
    QTest::newRow("squares") << 64 << -1;
    QTest::newRow("one selected") << 64 << 7;
}

/// What was painted before and kept looks like what is painted at once.
void tst_Stages::keptCardsAreThoseOfAFreshStage()
{
    QFETCH(const int, workers);
    QFETCH(const int, selected);
    const SampleRun run = samplePool({.workers = workers, .tasks = 2'000});
    const auto pictureOf = [&run, selected](const QList<StageSnapshotPointer> &snapshots) {
        std::unique_ptr<StageView> stage(makeStage(run.spec.kind(), nullptr));
        stage->resize(656, 510);
        stage->setRun(run.log, run.spec);
        QImage picture;
        for (const StageSnapshotPointer &snapshot : snapshots) {
            stage->setSnapshot(snapshot);
            stage->setSelectedProcess(selected);
            picture = stage->grab().toImage();
        }
        return picture;
    };
    QList<StageSnapshotPointer> snapshots;
    for (const ProcessState state : {ProcessState::Sleeping, ProcessState::Waiting,
                                     ProcessState::Running, ProcessState::Sleeping}) {
        auto snapshot = std::make_shared<StageSnapshot>(*run.snapshot);
        for (ProcessLive &live : snapshot->processes) {
            if (live.process % 2 == 1)
                live.state = state;
        }
        snapshots.append(snapshot);
    }
    QCOMPARE(pictureOf(snapshots), pictureOf({snapshots.last()}));
    QVERIFY(pictureOf({snapshots[2]}) != pictureOf({snapshots.last()}));
}

void tst_Stages::tokensLeaveCardsFree()
{
    const SampleRun run = samplePool();
    auto next = std::make_shared<StageSnapshot>(*run.snapshot);
    next->timeNs += 50'000'000;
    for (ProcessLive &live : next->processes) {
        live.state = ProcessState::Running;
        if (live.process == 0)
            continue;
        live.done += 1; // A result is on its way from each worker, and the next task to it.
        live.currentIndex = live.process;
    }
    const auto still = stageOf(run, Phase::Idle);
    still->setRun(run.log, run.spec);
    still->setSnapshot(next);
    const QImage withoutTokens = still->grab().toImage();
    QList<QRect> cards;
    for (int item = 0; item < accessible(still.get())->childCount(); ++item) {
        const QRect card = accessible(still.get())->child(item)->rect();
        cards.append(QRect(still->mapFromGlobal(card.topLeft()), card.size()));
    }
    const auto moving = stageOf(run, Phase::Shown);
    moving->setSnapshot(next);
    bool areFree = true;
    const bool haveArrived = QTest::qWaitFor([&] {
        const QImage now = moving->grab().toImage();
        for (const QRect &card : std::as_const(cards))
            areFree = areFree && now.copy(card) == withoutTokens.copy(card);
        return now == withoutTokens;
    });
    QVERIFY(haveArrived);
    QVERIFY(areFree);
}

void tst_Stages::poolSaysWhatItsProcessesDo()
{
    const SampleRun run = samplePool();
    const auto stage = stageOf(run, Phase::Shown);
    const QStringList texts = names(*stage);
    QCOMPARE(texts.size(), 6); // The parent, four workers, the one that died.
    QCOMPARE(texts[0], u"main, waiting"_s);
    QVERIFY(texts[1].startsWith(u"worker-1, running in #"_s) ||
            texts[1].startsWith(u"worker-1, sleeping in #"_s));
    QVERIFY2(texts[3].startsWith(u"worker-3, SIGSEGV in #"_s), qPrintable(texts[3]));
    QVERIFY(texts[4].startsWith(u"worker-5"_s));
    const QString value = accessible(stage.get())->child(1)->text(QAccessible::Value);
    QVERIFY2(value.startsWith(u"PID 48211, CPU "_s), qPrintable(value));
    QVERIFY(stage->accessibleDescription().startsWith(
        u"%1 of 24 tasks done, %2 waiting"_s.arg(run.snapshot->done).arg(run.snapshot->queued)));
    const QImage image = stage->grab().toImage();
    for (int process = 0; process < 5; ++process)
        QVERIFY(contains(image, Theme::current().process(process)));
}

void tst_Stages::pipelineSaysWhatItsProcessesDo()
{
    const SampleRun run = samplePipeline();
    const auto stage = stageOf(run, Phase::Shown);
    const QString all = names(*stage).join(u'\n');
    QVERIFY2(all.contains(u"producer-2, blocked"_s), qPrintable(all));
    QVERIFY2(all.contains(u"consumer-1, running"_s), qPrintable(all));
    QVERIFY(stage->accessibleDescription().contains(
        u"%1 of 16 in the queue"_s.arg(run.snapshot->queued)));
    QVERIFY(contains(stage->grab().toImage(), Theme::current().full));
}

void tst_Stages::pipelineSaysTheNamesOfItsItems()
{
    SampleRun run = samplePipeline();
    QVERIFY2(names(*stageOf(run, Phase::Shown)).join(u'\n').contains(u"consumer-1, running in #"_s),
             qPrintable(names(*stageOf(run, Phase::Shown)).join(u'\n')));
    QJsonArray fruit;
    for (int i = 0; i < 1'000; ++i)
        fruit.append(u"apple %1"_s.arg(i));
    run.spec.set(u"pipeline.items"_s, fruit);
    const QString all = names(*stageOf(run, Phase::Shown)).join(u'\n');
    QVERIFY2(all.contains(u"consumer-1, running in apple "_s), qPrintable(all));
    QVERIFY2(all.contains(u"producer-2, blocked in apple "_s), qPrintable(all));
    QVERIFY2(!all.contains(u'#'), qPrintable(all));
}

void tst_Stages::counterSaysWhatWasLost()
{
    const auto stage = stageOf(sampleCounter(), Phase::Shown);
    QCOMPARE(stage->accessibleDescription(),
             u"counter at %1 of %2, %3 updates lost, no lock"_s.arg(
                 groupedNumber(13'482), groupedNumber(20'000), groupedNumber(6'518)));
    QVERIFY(contains(stage->grab().toImage(), Theme::current().crash));
}

void tst_Stages::counterIsExactWithALock()
{
    const auto running = stageOf(sampleCounter({.locked = true, .progress = 0.5}), Phase::Shown);
    QVERIFY(running->accessibleDescription().endsWith(u"held by P1, 1 waiting"_s));
    QCOMPARE(names(*running),
             (QStringList{u"process-1, running"_s, u"process-2, waiting for lock"_s}));
    const auto ended = stageOf(sampleCounter({.locked = true}), Phase::Shown);
    QVERIFY(ended->accessibleDescription().contains(u", 0 updates lost"_s));
    QVERIFY(contains(ended->grab().toImage(), Theme::current().ok));
}

void tst_Stages::idleStageFollowsTheSpec()
{
    SampleRun run = samplePool();
    const auto stage = stageOf(run, Phase::Idle);
    QCOMPARE(names(*stage).size(), 5);
    run.spec.set(u"pool.workers"_s, 7);
    stage->setSpec(run.spec);
    QCOMPARE(names(*stage).size(), 8);
    QVERIFY(stage->accessibleDescription().startsWith(u"7 worker processes will share 24 tasks"_s));
}

void tst_Stages::clickSelects()
{
    const auto stage = stageOf(samplePool(), Phase::Shown);
    QSignalSpy selected(stage.get(), &StageView::processSelected);
    QTest::mouseClick(stage.get(), Qt::LeftButton, {}, middleOf(*stage, 2));
    QTest::mouseClick(stage.get(), Qt::LeftButton, {}, middleOf(*stage, 4));
    QTest::mouseClick(stage.get(), Qt::LeftButton, {}, QPoint(4, stage->height() - 4));
    QCOMPARE(selected.size(), 3);
    QCOMPARE(selected[0].front().toInt(), 2);
    QCOMPARE(selected[1].front().toInt(), 5); // Worker 5 stands below worker 3, whom it replaced.
    QCOMPARE(selected[2].front().toInt(), -1);
}

void tst_Stages::arrowsWalkTheCards()
{
    const auto stage = stageOf(samplePool(), Phase::Shown);
    QSignalSpy selected(stage.get(), &StageView::processSelected);
    for (const Qt::Key key :
         {Qt::Key_Down, Qt::Key_Right, Qt::Key_Up, Qt::Key_End, Qt::Key_Home, Qt::Key_Escape})
        QTest::keyClick(stage.get(), key);
    QList<int> processes;
    for (const QList<QVariant> &arguments : selected)
        processes.append(arguments.front().toInt());
    QCOMPARE(processes, (QList<int>{0, 1, 0, 4, 0, -1}));
}

void tst_Stages::selectionFromOutsideIsNotSentBack()
{
    const auto stage = stageOf(samplePool(), Phase::Shown);
    QSignalSpy selected(stage.get(), &StageView::processSelected);
    const QImage before = stage->grab().toImage();
    stage->setSelectedProcess(2);
    QVERIFY(accessible(stage.get())->child(2)->state().selected);
    QVERIFY(stage->grab().toImage() != before);
    QVERIFY(selected.isEmpty());
}

void tst_Stages::nothingIsSelectedBeforeARun()
{
    const auto stage = stageOf(samplePool(), Phase::Idle);
    QSignalSpy selected(stage.get(), &StageView::processSelected);
    QTest::keyClick(stage.get(), Qt::Key_Down);
    QTest::mouseClick(stage.get(), Qt::LeftButton, {}, middleOf(*stage, 1));
    for (const QList<QVariant> &arguments : selected)
        QCOMPARE(arguments.front().toInt(), -1);
}

void tst_Stages::aNewRunForgetsTheOld()
{
    const SampleRun large = samplePool({.workers = 8, .tasks = 40});
    const auto stage = stageOf(large, Phase::Shown);
    stage->setSelectedProcess(8);
    const SampleRun small = samplePool({.workers = 1, .tasks = 3, .crashSeconds = 0});
    stage->setRun(small.log, small.spec);
    stage->setSnapshot(small.snapshot);
    QCOMPARE(names(*stage).size(), 2);
    QVERIFY(!accessible(stage.get())->child(1)->state().selected);
    stage->setRun(nullptr, large.spec);
    QCOMPARE(names(*stage).size(), 9);
    QCOMPARE(names(*stage)[1], u"worker-1"_s);
}

void tst_Stages::themeChangeRepaints()
{
    const auto stage = stageOf(samplePool(), Phase::Shown);
    Theme::apply(*qApp, Theme::Mode::Light);
    QVERIFY(contains(stage->grab().toImage(), Theme::current().panel));
    Theme::apply(*qApp, Theme::Mode::Dark);
    QVERIFY(contains(stage->grab().toImage(), Theme::current().panel));
}

QTEST_MAIN(tst_Stages)
#include "tst_stages.moc"
