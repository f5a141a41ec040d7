// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/executor/executor_stage.h"

#include "core/experiment/kinds/executor/executor_kind.h"
#include "core/experiment/spec/kind.h"
#include "tests/support/painted_texts.h"
#include "ui/experiment/stage/stage_view.h"
#include "ui/shared/theme.h"

#include <QApplication>
#include <QJsonObject>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>

#include <csignal>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

constexpr qint64 ms = 1'000'000;

/// Six calls: #1 and #0 are done in that order, #2 and #3 run.
struct Sample
{
    ExperimentSpec spec{u"executor"_s};
    std::shared_ptr<RunLog> log = std::make_shared<RunLog>();
    std::shared_ptr<StageSnapshot> snapshot = std::make_shared<StageSnapshot>();
    std::shared_ptr<ExecutorState> state = std::make_shared<ExecutorState>();

    explicit Sample(const QString &order = u"as_completed"_s)
    {
        spec.set(u"executor"_s, QJsonObject{{u"max_workers"_s, 2}, {u"order"_s, order}});
        spec.set(u"tasks"_s, QJsonObject{{u"task"_s, u"io.sleep"_s}, {u"count"_s, 6}});
        log->addProcess({.name = u"main"_s, .pid = 100, .colorIndex = -1});
        snapshot->processes.append({.process = 0, .state = ProcessState::Waiting});
        snapshot->timeNs = 600 * ms;
        snapshot->total = 6;
        snapshot->queued = 2;
        snapshot->kindState = state;
        addWorker(1, 2, 20);
        addWorker(2, 3, 60);
        addTask(1, 2, TaskStatus::Done, 200 * ms);
        addTask(0, 1, TaskStatus::Done, 300 * ms);
        snapshot->done = 2;
    }

    void addWorker(int number, qint64 task, double cpuPercent)
    {
        const ProcessRole &role = findKind(u"executor"_s)->roles[ExecutorRoles::Worker];
        const int process = log->addProcess({.name = role.processName(number),
                                             .role = &role,
                                             .pid = 100 + number,
                                             .colorIndex = number - 1,
                                             .startNs = -ms});
        snapshot->processes.append({.process = process,
                                    .state = ProcessState::Running,
                                    .currentIndex = task,
                                    .currentSinceNs = 300 * ms,
                                    .done = 1,
                                    .cpuPercent = cpuPercent});
    }

    void addTask(quint32 index, int process, TaskStatus status, qint64 finishedNs)
    {
        TaskRecord task;
        task.index = index;
        task.process = process;
        task.status = status;
        task.startedNs = process > 0 ? 0 : -1;
        task.finishedNs = finishedNs;
        log->tasks.append(task);
    }

    /// Worker 2 dies in #3 and breaks the executor.
    void breakDown()
    {
        for (const int process : {1, 2}) {
            log->updateProcess(process, [process](ProcessRecord &record) {
                record.endNs = 590 * ms;
                record.signal = SIGKILL;
                record.endedByRun = process == 1;
            });
            snapshot->processes[process].state =
                process == 1 ? ProcessState::Ended : ProcessState::Crashed;
            snapshot->processes[process].currentIndex = -1;
        }
        addTask(3, 2, TaskStatus::Lost, 590 * ms);
        addTask(2, 1, TaskStatus::Lost, 590 * ms);
        for (const quint32 task : {4U, 5U}) // Told when all is over.
            addTask(task, -1, TaskStatus::Lost, 605 * ms);
        snapshot->lost = 4;
        snapshot->queued = 0;
        state->brokenBy = 2;
    }

    std::unique_ptr<StageView> show(const QSize &size = {900, 500}) const
    {
        std::unique_ptr<StageView> stage(makeStage(u"executor"_s, nullptr));
        stage->resize(size);
        stage->setRun(log, spec);
        stage->setSnapshot(snapshot);
        stage->show();
        return stage;
    }
};

QStringList wordsOn(StageView &stage)
{
    return test::wordsOf(test::paintedTexts(stage));
}

} // namespace

class tst_ExecutorStage : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { Theme::apply(*qApp, Theme::Mode::Light); }
    void partsDoNotOverlap_data();
    void partsDoNotOverlap();
    void stageTellsBothOrders();
    void readingInOrderWaits();
    void deathIsTold();
    void fewerWordsWhereThereIsLessRoom_data();
    void fewerWordsWhereThereIsLessRoom();
    void buttonKillsTheBusiest();
    void buttonIsThereWhileWorkersLive();
};

void tst_ExecutorStage::partsDoNotOverlap_data()
{
    QTest::addColumn<QSize>("size");
    QTest::addColumn<quint64>("futures");
    for (const QSize size :
         {QSize(320, 160), QSize(560, 360), QSize(656, 510), QSize(1600, 1000)}) {
        for (const quint64 futures : {1, 12, 64, 1'000, 1'000'000})
            QTest::addRow("%d x %d, %llu", size.width(), size.height(), futures) << size << futures;
    }
}

void tst_ExecutorStage::partsDoNotOverlap()
{
    QFETCH(const QSize, size);
    QFETCH(const quint64, futures);
    const QRectF area(QPointF(2, 2), QSizeF(size));
    const ExecutorLayout layout = arrangeExecutor(area, futures);
    QList<QRectF> all{layout.parent,    layout.counts,      layout.submitted,
                      layout.completed, layout.workersHead, layout.workers};
    if (!layout.tilesHead.isEmpty())
        all << layout.tilesHead << layout.tiles[0] << layout.tiles[1] << layout.tiles[2];
    for (qsizetype i = 0; i < all.size(); ++i) {
        QVERIFY(all[i].isEmpty() || area.contains(all[i]));
        for (qsizetype k = i + 1; k < all.size(); ++k)
            QVERIFY(!all[i].intersects(all[k]));
    }
    if (layout.grid.size > 0) {
        const QRectF cells = ExecutorLayout::cellArea(layout.completed);
        QVERIFY(cells.contains(layout.grid.cell(cells, static_cast<int>(futures) - 1)));
    }
}

void tst_ExecutorStage::stageTellsBothOrders()
{
    const auto stage = Sample().show();
    const QStringList words = wordsOn(*stage);
    for (const QString &word : {u"As submitted"_s, u"6 futures"_s, u"As completed"_s, u"2 of 6"_s,
                                u"2 pending"_s, u"read as they come"_s, u"break"_s})
        QVERIFY2(words.contains(word), qPrintable(word + u" in "_s + words.join(u'|')));
    // All as submitted, then those that have completed, the first to end first.
    QStringList numbers;
    for (const QString &word : words) {
        if (word.size() == 1 && word[0].isDigit())
            numbers << word;
    }
    const qsizetype first = numbers.join(QString()).indexOf(u"012345"_s);
    QVERIFY(first >= 0);
    QCOMPARE(numbers.mid(first + 6, 2), (QStringList{u"1"_s, u"0"_s}));
    QCOMPARE(stage->accessibleDescription(), u"2 of 6 futures done, 2 pending, 0 failed"_s);
}

void tst_ExecutorStage::readingInOrderWaits()
{
    Sample sample(u"submitted"_s);
    sample.snapshot->timeNs = 250 * ms; // Only #1 is done.
    sample.snapshot->done = 1;
    auto stage = sample.show();
    QStringList words = wordsOn(*stage);
    QVERIFY(words.contains(u"1 wait for #0"_s));
    QVERIFY(words.contains(u"needs #0"_s));
    sample.snapshot->timeNs = 350 * ms;
    sample.snapshot->done = 2;
    stage = sample.show();
    words = wordsOn(*stage);
    QVERIFY(words.contains(u"all of them read"_s));
    QVERIFY(words.contains(u"needs #2"_s));
}

void tst_ExecutorStage::deathIsTold()
{
    Sample sample;
    sample.breakDown();
    const auto stage = sample.show();
    const QStringList words = wordsOn(*stage);
    for (const QString &word : {u"broken: none goes on"_s, u"1 died: 4 lost"_s})
        QVERIFY2(words.contains(word), qPrintable(word + u" in "_s + words.join(u'|')));
    QCOMPARE(stage->accessibleDescription(),
             u"2 of 6 futures done, 0 pending, 0 failed, 4 lost, 0 cancelled; the executor is "
             "broken"_s);
}

void tst_ExecutorStage::fewerWordsWhereThereIsLessRoom_data()
{
    QTest::addColumn<QSize>("size");
    for (const QSize size : {QSize(560, 360), QSize(656, 480), QSize(1000, 600), QSize(1600, 1000)})
        QTest::addRow("%d x %d", size.width(), size.height()) << size;
}

void tst_ExecutorStage::fewerWordsWhereThereIsLessRoom()
{
    QFETCH(const QSize, size);
    Sample sample;
    sample.breakDown();
    const auto stage = sample.show(size);
    for (const test::PaintedText &text : test::paintedTexts(*stage)) {
        QVERIFY2(!text.text.contains(u'…'), qPrintable(text.text));
        QVERIFY2(text.coveredBy.isNull(), qPrintable(text.text));
    }
}

void tst_ExecutorStage::buttonKillsTheBusiest()
{
    const auto stage = Sample().show();
    stage->setCanSignal(true);
    auto *button = stage->findChild<QPushButton *>();
    QVERIFY(button && button->isVisible());
    QVERIFY(stage->rect().contains(button->geometry()));
    QSignalSpy asked(stage.get(), &StageView::signalAsked);
    QTest::mouseClick(button, Qt::LeftButton);
    QCOMPARE(asked, (QList<QVariantList>{{2, SIGKILL}}));
}

void tst_ExecutorStage::buttonIsThereWhileWorkersLive()
{
    Sample sample;
    auto stage = sample.show();
    QVERIFY(!stage->findChild<QPushButton *>()->isVisible()); // Of the past.
    sample.breakDown();
    stage = sample.show();
    stage->setCanSignal(true);
    QVERIFY(!stage->findChild<QPushButton *>()->isVisible());
}

QTEST_MAIN(tst_ExecutorStage)
#include "tst_executor_stage.moc"
