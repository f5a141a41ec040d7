// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/fork/fork_kind.h"
#include "core/experiment/kinds/fork/fork_state.h"
#include "core/experiment/spec/kind.h"
#include "tests/support/painted_texts.h"
#include "ui/experiment/stage/stage_view.h"
#include "ui/fork/fork_layout.h"
#include "ui/shared/theme.h"

#include <QApplication>
#include <QImage>
#include <QJsonObject>
#include <QTest>

#include <csignal>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

constexpr qint64 mebibyte = 1 << 20;

/// A parent with a child that has copied the first half of its 64 MiB.
struct Sample
{
    ExperimentSpec spec{u"fork"_s};
    std::shared_ptr<RunLog> log = std::make_shared<RunLog>();
    std::shared_ptr<StageSnapshot> snapshot = std::make_shared<StageSnapshot>();
    std::shared_ptr<ForkState> state = std::make_shared<ForkState>();

    Sample()
    {
        log->addProcess({.name = u"main"_s, .pid = 100, .colorIndex = -1});
        snapshot->processes.append({.process = 0, .state = ProcessState::Waiting});
        add(ForkRoles::Parent, u"parent"_s, 0);
        add(ForkRoles::Child, u"child-1"_s, 1);
        const ForkMemory memory = forkMemory(spec);
        state->pages = memory.pages;
        state->cells = memory.cells;
        state->valueBefore = 10;
        state->countsPages = 1;
        state->children = {{.pid = 102,
                            .returned = 0,
                            .value = 11,
                            .writtenPages = memory.pages / 2,
                            .copiedBytes = 32 * mebibyte,
                            .sharedBytes = 32 * mebibyte,
                            .forkNs = 1'500'000}};
        for (qint64 i = 0; i < 2 * memory.cells; ++i)
            state->ownPages.push_back(
                i % memory.cells < memory.cells / 2 ? state->pagesOf(i % memory.cells) : 0);
        snapshot->kindState = state;
        snapshot->timeNs = 600'000'000;
        snapshot->total = static_cast<quint64>(memory.cells);
        snapshot->done = snapshot->total / 2;
    }

    void add(ForkRoles::Role role, const QString &name, int colorIndex)
    {
        const int process = log->addProcess({.name = name,
                                             .role = &findKind(u"fork"_s)->roles[role],
                                             .pid = 101 + colorIndex,
                                             .colorIndex = colorIndex});
        snapshot->processes.append({.process = process, .state = ProcessState::Running});
    }

    std::unique_ptr<StageView> show() const
    {
        std::unique_ptr<StageView> stage(makeStage(u"fork"_s, nullptr));
        stage->resize(900, 500);
        stage->setRun(log, spec);
        stage->setSnapshot(snapshot);
        stage->show();
        return stage;
    }
};

QStringList wordsOf(StageView &stage)
{
    return test::wordsOf(test::paintedTexts(stage));
}

/// How many pixels of @p stage have exactly this colour.
int pixelsOf(StageView &stage, const QColor &color)
{
    const QImage image = stage.grab().toImage().convertToFormat(QImage::Format_RGB32);
    int count = 0;
    for (int y = 0; y < image.height(); ++y) {
        for (int x = 0; x < image.width(); ++x)
            count += image.pixel(x, y) == color.rgb() ? 1 : 0;
    }
    return count;
}

} // namespace

class tst_ForkStage : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { Theme::apply(*qApp, Theme::Mode::Light); }
    void partsDoNotOverlap_data();
    void partsDoNotOverlap();
    void blocksFillTheirRoom_data();
    void blocksFillTheirRoom();
    void stageTellsBothSides();
    void copiedBlocksAreDrawnAsCounted();
    void nothingIsDrawnThatWasNotCounted();
    void lockIsTold();
    void anyStateIsDrawn_data();
    void anyStateIsDrawn();
};

void tst_ForkStage::partsDoNotOverlap_data()
{
    QTest::addColumn<QSize>("size");
    QTest::addColumn<int>("children");
    for (const QSize size :
         {QSize(320, 160), QSize(560, 360), QSize(656, 510), QSize(1600, 1000)}) {
        for (const int children : {1, 2, 3, 7, 12, 30, 64})
            QTest::addRow("%d x %d, %d", size.width(), size.height(), children) << size << children;
    }
}

void tst_ForkStage::partsDoNotOverlap()
{
    QFETCH(const QSize, size);
    QFETCH(const int, children);
    const QRectF area(QPointF(2, 2), QSizeF(size));
    const ForkLayout layout = arrangeFork(area, children, 4);
    QCOMPARE(layout.children.size(), children);
    QList<QRectF> all{layout.legend};
    for (const ForkPanel &panel : QList<ForkPanel>{layout.parent} + layout.children) {
        all << panel.card << panel.lines << panel.memory;
        QVERIFY(panel.memory.width() >= 4 && panel.memory.height() >= 4);
    }
    for (qsizetype i = 0; i < all.size(); ++i) {
        QVERIFY(all[i].isEmpty() || area.contains(all[i]));
        for (qsizetype k = i + 1; k < all.size(); ++k)
            QVERIFY(!all[i].intersects(all[k]));
    }
}

void tst_ForkStage::blocksFillTheirRoom_data()
{
    QTest::addColumn<QSizeF>("size");
    QTest::addColumn<int>("cells");
    for (const int cells : {32, 48, 112, 192, 256}) {
        for (const QSizeF size : {QSizeF(30, 20), QSizeF(300, 200), QSizeF(90, 700)})
            QTest::addRow("%d, %g x %g", cells, size.width(), size.height()) << size << cells;
    }
}

void tst_ForkStage::blocksFillTheirRoom()
{
    QFETCH(const QSizeF, size);
    QFETCH(const int, cells);
    const QRectF area(QPointF(5, 7), size);
    const BlockGrid grid(area, cells);
    QRectF all;
    for (int i = 0; i < cells; ++i) {
        all |= grid.cell(i);
        QVERIFY(area.contains(grid.cell(i)));
        for (int k = 0; k < i; ++k)
            QVERIFY(!grid.cell(i).intersects(grid.cell(k)));
    }
    QVERIFY(all.width() >= size.width() - 3 && all.height() >= size.height() - 3);
}

void tst_ForkStage::stageTellsBothSides()
{
    const auto stage = Sample().show();
    const QStringList words = wordsOf(*stage);
    for (const QString &word : {u"returned 102"_s, u"returned 0"_s, u"10"_s, u"11, its own copy"_s,
                                u"32\u00A0MiB copied, 32\u00A0MiB shared"_s, u"1 forked"_s,
                                u"writes to 25\u00A0% of it"_s})
        QVERIFY2(words.contains(word), qPrintable(word + u" in "_s + words.join(u'|')));
    QCOMPARE(stage->accessibleDescription(),
             u"128 of 256 blocks gone through, copied: 32\u00A0MiB, shared: 32\u00A0MiB"_s);
    Sample ended;
    ended.state->valueAfter = 10;
    QVERIFY(wordsOf(*ended.show()).contains(u"10, as before"_s));
}

void tst_ForkStage::copiedBlocksAreDrawnAsCounted()
{
    const Sample half;
    const QColor child = Theme::current().process(1);
    Sample quarter;
    const auto begin = quarter.state->ownPages.begin() + quarter.state->cells;
    std::fill(begin + quarter.state->cells / 4, quarter.state->ownPages.end(), 0);
    Sample none;
    std::fill(none.state->ownPages.begin(), none.state->ownPages.end(), 0);
    const int rest = pixelsOf(*none.show(), child); // Badge, legend.
    const int ofHalf = pixelsOf(*half.show(), child) - rest;
    const int ofQuarter = pixelsOf(*quarter.show(), child) - rest;
    QVERIFY(ofQuarter > 1'000);
    QVERIFY(std::abs(ofHalf - 2 * ofQuarter) < ofQuarter / 20);
}

void tst_ForkStage::nothingIsDrawnThatWasNotCounted()
{
    Sample sample;
    sample.state->countsPages = 0;
    sample.state->children[0].copiedBytes = ForkState::notKnown;
    const auto stage = sample.show();
    const QStringList words = wordsOf(*stage);
    QVERIFY(words.contains(u"not counted by this kernel"_s));
    QVERIFY(stage->accessibleDescription().contains(u"copied: not known"_s));
}

void tst_ForkStage::lockIsTold()
{
    Sample sample;
    sample.spec.set(u"fork.beside_thread"_s, true);
    sample.state->lockIsFree = 1;
    sample.state->children[0].value = ForkState::notKnown;
    sample.state->children[0].waitsForLock = 1;
    const QStringList words = wordsOf(*sample.show());
    for (const QString &word : {u"released by its thread"_s,
                                u"held, by a thread that is not here"_s, u"waits for the lock"_s})
        QVERIFY2(words.contains(word), qPrintable(word + u" in "_s + words.join(u'|')));
}

void tst_ForkStage::anyStateIsDrawn_data()
{
    QTest::addColumn<ForkState>("state");
    ForkState odd;
    QTest::newRow("none") << odd;
    odd.children = {{}, {}, {}};
    odd.cells = 7; // Fewer than are drawn.
    odd.pages = 3;
    odd.ownPages = {1};
    QTest::newRow("cut off") << odd;
}

void tst_ForkStage::anyStateIsDrawn()
{
    QFETCH(const ForkState, state);
    Sample sample;
    sample.snapshot->kindState = std::make_shared<ForkState>(state);
    const auto stage = sample.show();
    QVERIFY(!stage->grab().isNull());
    QVERIFY(!stage->accessibleDescription().isEmpty());
}

QTEST_MAIN(tst_ForkStage)
#include "tst_fork_stage.moc"
