// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/roles.h"
#include "tests/support/sample_run.h"
#include "ui/experiment/timeline/timeline_view.h"
#include "ui/shared/theme.h"

#include <QAccessible>
#include <QApplication>
#include <QImage>
#include <QSignalSpy>
#include <QTest>
#include <QWheelEvent>
#include <QWindow>

#include <csignal>
#include <cstdlib>

using namespace proclab;
using namespace Qt::StringLiterals;

namespace {

constexpr qint64 second = 1'000'000'000;

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

/// A round corner is not the same to the last bit wherever it is painted.
bool looksAlike(const QColor &a, const QColor &b)
{
    constexpr int most = 8;
    return std::abs(a.red() - b.red()) <= most && std::abs(a.green() - b.green()) <= most &&
           std::abs(a.blue() - b.blue()) <= most;
}

StageSnapshotPointer snapshotAt(const SampleRun &run, qint64 timeNs)
{
    auto snapshot = std::make_shared<StageSnapshot>(*run.snapshot);
    snapshot->timeNs = timeNs;
    return snapshot;
}

/// A run that goes on: each worker has one task after the other, of its own length, the last one
/// still open.
class GrowingRun
{
public:
    explicit GrowingRun(const QList<qint64> &taskNs) : m_taskNs(taskNs)
    {
        m_log->addProcess({.name = u"main"_s, .colorIndex = -1});
        for (int i = 1; i <= taskNs.size(); ++i)
            m_log->addProcess({.name = u"worker-%1"_s.arg(i),
                               .role = test::worker(),
                               .pid = 1'000 + i,
                               .colorIndex = i - 1});
    }

    [[nodiscard]] std::shared_ptr<RunLog> log() const { return m_log; }

    StageSnapshotPointer advanceTo(qint64 timeNs)
    {
        auto snapshot = std::make_shared<StageSnapshot>();
        snapshot->timeNs = timeNs;
        snapshot->processes.append(ProcessLive{.process = 0});
        for (int i = 1; i <= m_taskNs.size(); ++i) {
            const qint64 length = m_taskNs[i - 1];
            AppendLog<Span> &spans = m_log->lane(i).spans;
            auto task = static_cast<quint32>(spans.size());
            for (; (task + 1) * length <= timeNs; ++task)
                spans.append({task * length, task * length + length * 9 / 10, task, 1,
                              task % 3 == 0 ? Span::Activity::Sleeping : Span::Activity::Running,
                              1});
            snapshot->processes.append(ProcessLive{.process = i,
                                                   .state = ProcessState::Running,
                                                   .currentIndex = task,
                                                   .currentSinceNs = task * length});
        }
        return snapshot;
    }

    void crash(int process, qint64 timeNs)
    {
        m_log->updateProcess(process, [timeNs](ProcessRecord &record) {
            record.endNs = timeNs;
            record.signal = SIGSEGV;
        });
    }

private:
    const QList<qint64> m_taskNs;
    std::shared_ptr<RunLog> m_log = std::make_shared<RunLog>();
};

} // namespace

class tst_TimelineView : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();
    void cleanup();
    void withoutARunNothingIsShown();
    void everyProcessHasALane();
    void barsHaveTheColorOfTheirProcess();
    void clickSelectsTheProcess();
    void arrowsWalkTheLanes();
    void escapeSelectsNone();
    void selectionFromOutsideIsNotSentBack();
    void followingMovesWithTime();
    void wheelZoomsAtThePointer();
    void zoomingOutEnds_data();
    void zoomingOutEnds();
    void dragPansAndStopsFollowing();
    void doubleClickFits();
    void keys_data();
    void keys();
    void endFollowsAgain();
    void manyLanesScrollToTheSelected();
    void lanesAreAccessible();
    void pointerMovesTheCursor();
    void lanesFitWhereTheyCan_data();
    void lanesFitWhereTheyCan();
    void queueHasALane();
    void lockHasALane();
    void droppedBarsAreHatched();
    void keptPictureIsThatOfAFreshView_data();
    void keptPictureIsThatOfAFreshView();

private:
    void wheel(const QPoint &at, int delta);

    SampleRun m_run;
    std::unique_ptr<TimelineView> m_view;
};

void tst_TimelineView::initTestCase()
{
    Theme::apply(*qApp, Theme::Mode::Dark);
}

void tst_TimelineView::init()
{
    m_run = samplePool();
    m_view = std::make_unique<TimelineView>();
    m_view->resize(900, 240);
    m_view->setSpec(m_run.spec);
    m_view->setRun(m_run.log);
    m_view->setSnapshot(m_run.snapshot);
    m_view->show();
    QVERIFY(QTest::qWaitForWindowExposed(m_view.get()));
}

void tst_TimelineView::cleanup()
{
    m_view.reset();
}

void tst_TimelineView::wheel(const QPoint &at, int delta)
{
    QWheelEvent event(at, m_view->mapToGlobal(at), {}, QPoint(0, delta), Qt::NoButton,
                      Qt::NoModifier, Qt::NoScrollPhase, false);
    QApplication::sendEvent(m_view.get(), &event);
}

void tst_TimelineView::withoutARunNothingIsShown()
{
    m_view->setRun(nullptr);
    QCOMPARE(m_view->itemCount(), 0);
    QVERIFY(!m_view->grab().isNull());
    QTest::keyClick(m_view.get(), Qt::Key_Down);
    QTest::mouseClick(m_view.get(), Qt::LeftButton, {}, {300, 60});
}

void tst_TimelineView::everyProcessHasALane()
{
    QCOMPARE(m_view->itemCount(), m_run.log->processCount());
    QCOMPARE(m_view->itemName(0), u"main, waiting"_s);
    QCOMPARE(m_view->itemName(3), u"worker-3, SIGSEGV"_s);
    QVERIFY(m_view->itemName(4).startsWith(u"worker-5"_s)); // It took worker 3's place.
}

void tst_TimelineView::barsHaveTheColorOfTheirProcess()
{
    const QImage image = m_view->grab().toImage();
    for (int process = 0; process < 5; ++process)
        QVERIFY(contains(image, Theme::current().process(process)));
    QVERIFY(contains(image, Theme::current().crash));
}

void tst_TimelineView::clickSelectsTheProcess()
{
    QSignalSpy selected(m_view.get(), &TimelineView::processSelected);
    QTest::mouseClick(m_view.get(), Qt::LeftButton, {}, m_view->itemRect(2).center());
    QCOMPARE(selected.size(), 1);
    QCOMPARE(selected.front().front().toInt(), 2);
    QCOMPARE(m_view->currentItem(), 2);
}

void tst_TimelineView::arrowsWalkTheLanes()
{
    QSignalSpy selected(m_view.get(), &TimelineView::processSelected);
    QTest::keyClick(m_view.get(), Qt::Key_Down);
    QTest::keyClick(m_view.get(), Qt::Key_Down);
    QCOMPARE(m_view->currentItem(), 1);
    QTest::keyClick(m_view.get(), Qt::Key_Up);
    QTest::keyClick(m_view.get(), Qt::Key_Up);
    QCOMPARE(m_view->currentItem(), 0);
    QCOMPARE(selected.size(), 4);
}

void tst_TimelineView::escapeSelectsNone()
{
    m_view->setSelectedProcess(1);
    QSignalSpy selected(m_view.get(), &TimelineView::processSelected);
    QTest::keyClick(m_view.get(), Qt::Key_Escape);
    QCOMPARE(m_view->currentItem(), -1);
    QCOMPARE(selected.front().front().toInt(), -1);
}

void tst_TimelineView::selectionFromOutsideIsNotSentBack()
{
    QSignalSpy selected(m_view.get(), &TimelineView::processSelected);
    m_view->setSelectedProcess(2);
    QCOMPARE(m_view->currentItem(), 2);
    QVERIFY(selected.isEmpty());
}

void tst_TimelineView::followingMovesWithTime()
{
    QVERIFY(m_view->isFollowing());
    QCOMPARE(m_view->visibleRange().fromNs, qint64(0));
    m_view->setSnapshot(snapshotAt(m_run, 60 * second));
    QVERIFY(m_view->visibleRange().fromNs > 40 * second);
    QVERIFY(m_view->visibleRange().toNs >= 60 * second);
}

void tst_TimelineView::wheelZoomsAtThePointer()
{
    const QPoint at(500, 60);
    const TimeRange before = m_view->visibleRange();
    const int width = m_view->width() - 148;
    const qint64 under = before.timeAt(at.x() - 148, width);
    wheel(at, 120);
    const TimeRange after = m_view->visibleRange();
    QVERIFY(after.length() < before.length());
    QVERIFY(std::abs(after.timeAt(at.x() - 148, width) - under) < second / 1000);
    QVERIFY(!m_view->isFollowing());
    wheel(at, -120);
    QVERIFY(std::abs(m_view->visibleRange().length() - before.length()) < second / 1000);
}

void tst_TimelineView::zoomingOutEnds_data()
{
    QTest::addColumn<bool>("byWheel");
    QTest::newRow("wheel") << true;
    QTest::newRow("keys") << false;
}

void tst_TimelineView::zoomingOutEnds()
{
    QFETCH(const bool, byWheel);
    m_view->fit();
    const qint64 whole = m_view->visibleRange().length();
    for (int i = 0; i < 200; ++i) {
        if (byWheel)
            wheel({500, 60}, -120);
        else
            QTest::keyClick(m_view.get(), Qt::Key_Minus);
        QVERIFY(m_view->visibleRange().length() <= 4 * whole);
    }
    QCOMPARE(m_view->visibleRange().length(), 4 * whole);
    QVERIFY(!m_view->grab().isNull());
}

void tst_TimelineView::dragPansAndStopsFollowing()
{
    QSignalSpy following(m_view.get(), &TimelineView::followingChanged);
    m_view->zoomIn();
    const TimeRange before = m_view->visibleRange();
    QTest::mousePress(m_view.get(), Qt::LeftButton, {}, {400, 60});
    QTest::mouseMove(m_view.get(), {480, 60});
    QTest::mouseMove(m_view.get(), {500, 60});
    QTest::mouseRelease(m_view.get(), Qt::LeftButton, {}, {500, 60});
    QVERIFY(m_view->visibleRange().fromNs < before.fromNs);
    QCOMPARE(m_view->visibleRange().length(), before.length());
    QVERIFY(!m_view->isFollowing());
    QCOMPARE(following.size(), 1);
    QCOMPARE(m_view->currentItem(), -1); // A drag selects nothing.
}

void tst_TimelineView::doubleClickFits()
{
    wheel({500, 60}, 720);
    QTest::mouseDClick(m_view.get(), Qt::LeftButton, {}, {500, 60});
    QCOMPARE(m_view->visibleRange().fromNs, qint64(0));
    QVERIFY(m_view->visibleRange().toNs >= m_run.snapshot->timeNs);
    QVERIFY(m_view->isFollowing());
}

void tst_TimelineView::keys_data()
{
    QTest::addColumn<Qt::Key>("key");
    QTest::addColumn<int>("length"); // -1: shorter, 0: the same, 1: longer.
    QTest::addColumn<int>("from");
    QTest::addColumn<bool>("follows");
    QTest::newRow("plus") << Qt::Key_Plus << -1 << 1 << true;
    QTest::newRow("minus") << Qt::Key_Minus << 1 << 0 << true;
    QTest::newRow("left") << Qt::Key_Left << 0 << -1 << false;
    QTest::newRow("right") << Qt::Key_Right << 0 << 1 << false;
    QTest::newRow("0") << Qt::Key_0 << 0 << 0 << true;
}

void tst_TimelineView::keys()
{
    QFETCH(const Qt::Key, key);
    const auto sign = [](qint64 number) { return (number > 0) - (number < 0); };
    const TimeRange before = m_view->visibleRange();
    QTest::keyClick(m_view.get(), key);
    const TimeRange after = m_view->visibleRange();
    QTEST(sign(after.length() - before.length()), "length");
    QTEST(sign(after.fromNs - before.fromNs), "from");
    QTEST(m_view->isFollowing(), "follows");
}

void tst_TimelineView::endFollowsAgain()
{
    QTest::keyClick(m_view.get(), Qt::Key_Left);
    QVERIFY(!m_view->isFollowing());
    QTest::keyClick(m_view.get(), Qt::Key_End);
    QVERIFY(m_view->isFollowing());
    QVERIFY(m_view->visibleRange().toNs >= m_run.snapshot->timeNs);
}

void tst_TimelineView::manyLanesScrollToTheSelected()
{
    const SampleRun run = samplePool({.workers = 64, .tasks = 400, .crashSeconds = 0});
    m_view->setSpec(run.spec);
    m_view->setRun(run.log);
    m_view->setSnapshot(run.snapshot);
    QCOMPARE(m_view->itemCount(), 65);
    QVERIFY(m_view->itemRect(64).top() > m_view->height());
    m_view->setSelectedProcess(64);
    QVERIFY(m_view->rect().contains(m_view->itemRect(64)));
}

void tst_TimelineView::lanesAreAccessible()
{
    m_view->setSelectedProcess(2);
    QAccessibleInterface *view = QAccessible::queryAccessibleInterface(m_view.get());
    QVERIFY(view);
    QCOMPARE(view->text(QAccessible::Name), u"Timeline"_s);
    QCOMPARE(view->childCount(), m_view->itemCount());
    QAccessibleInterface *lane = view->child(3);
    QVERIFY(lane);
    QCOMPARE(lane->text(QAccessible::Name), u"worker-3, SIGSEGV"_s);
    QVERIFY(lane->text(QAccessible::Value).contains(u"PID 48225"_s));
    QCOMPARE(view->indexOfChild(lane), 3);
    QVERIFY(view->child(2)->state().selected);
    QVERIFY(!lane->state().selected);
}

void tst_TimelineView::pointerMovesTheCursor()
{
    QSignalSpy moved(m_view.get(), &TimelineView::cursorMoved);
    QTest::mouseMove(m_view->windowHandle(), {301, 61});
    QTRY_COMPARE(moved.size(), 1);
    const auto timeNs = moved[0][0].value<std::optional<qint64>>();
    QVERIFY(timeNs);
    QCOMPARE(*timeNs, m_view->visibleRange().timeAt(301 - 148, m_view->width() - 148));
    const QImage with = m_view->grab().toImage();
    QCOMPARE(with.pixelColor(301, 200), Theme::current().text2);
    QTest::mouseMove(m_view->windowHandle(), {60, 60}); // The names.
    QTRY_COMPARE(moved.size(), 2);
    QVERIFY(!moved[1][0].value<std::optional<qint64>>());
    m_view->setCursor(second); // From outside: not sent back.
    QCOMPARE(moved.size(), 2);
}

void tst_TimelineView::lanesFitWhereTheyCan_data()
{
    QTest::addColumn<int>("room"); // Of all lanes.
    QTest::addColumn<int>("lane");
    QTest::newRow("much") << 280 << 28;
    QTest::newRow("less") << 150 << 25;
    QTest::newRow("little") << 108 << 18;
    QTest::newRow("too little") << 60 << 17;
}

void tst_TimelineView::lanesFitWhereTheyCan()
{
    QFETCH(const int, room);
    QCOMPARE(m_view->itemCount(), 6);
    m_view->resize(900, room + 24 + 26); // The axis and the legend.
    QTEST(m_view->itemRect(0).height(), "lane");
}

void tst_TimelineView::queueHasALane()
{
    const SampleRun run = samplePipeline();
    m_view->setSpec(run.spec);
    m_view->setRun(run.log);
    m_view->setSnapshot(run.snapshot);
    QCOMPARE(m_view->itemCount(), run.log->processCount() + 1);
    QCOMPARE(m_view->itemName(4), u"Queue depth"_s); // Below main and three producers.
    QVERIFY(m_view->itemValue(4).contains(u" / 16 items"_s));
    QVERIFY(m_view->itemName(5).startsWith(u"consumer-1"_s));
    QVERIFY(contains(m_view->grab(QRect(148, m_view->itemRect(4).top(), 700, 28)).toImage(),
                     Theme::current().full));
    // It is no process: a click selects none, the arrows pass it by.
    QTest::mouseClick(m_view.get(), Qt::LeftButton, {}, m_view->itemRect(4).center());
    QCOMPARE(m_view->currentItem(), -1);
    m_view->setSelectedProcess(3);
    QTest::keyClick(m_view.get(), Qt::Key_Down);
    QCOMPARE(m_view->currentItem(), 5);
    QTest::keyClick(m_view.get(), Qt::Key_Up);
    QCOMPARE(m_view->currentItem(), 3);
}

void tst_TimelineView::lockHasALane()
{
    const SampleRun run = sampleCounter({.locked = true});
    const auto lane = [&run](int process) -> AppendLog<Span> & {
        return run.log->lane(process).spans;
    };
    const qint64 from = run.snapshot->timeNs;
    lane(1).append({from, from + 2'000'000, 7, 1, Span::Activity::Running, 1});
    lane(2).append({from, from + 2'000'000, 0, 1, Span::Activity::WaitingForLock, 0});
    m_view->setSpec(run.spec);
    m_view->setRun(run.log);
    m_view->setSnapshot(snapshotAt(run, from + 2'000'000));
    m_view->grab(); // Which takes in the spans.
    m_view->setSnapshot(snapshotAt(run, from + 2'000'001));
    const int last = m_view->itemCount() - 1;
    QCOMPARE(m_view->itemName(last), u"Lock held by"_s);
    const QImage image = m_view->grab(QRect(148, m_view->itemRect(last).top(), 750, 28)).toImage();
    QVERIFY(contains(image, Theme::current().process(0)));
    QVERIFY(!contains(image, Theme::current().process(1)));
}

void tst_TimelineView::droppedBarsAreHatched()
{
    const auto log = std::make_shared<RunLog>();
    log->addProcess({.name = u"main"_s});
    log->addProcess({.name = u"consumer-1"_s, .role = test::consumer()});
    log->lane(1).spans.append({0, 4 * second, 0, 70'000, Span::Activity::Dropped, 0});
    log->droppedSpans = 70'000;
    m_view->setSpec(ExperimentSpec(u"pipeline"_s));
    m_view->setRun(log);
    m_view->setSnapshot(snapshotAt(m_run, 4 * second));
    const QImage image = m_view->grab(QRect(200, m_view->itemRect(2).top(), 300, 28)).toImage();
    QVERIFY(contains(image, Theme::current().idle)); // Its outline.
    QVERIFY(!contains(image, Theme::current().process(0)));
}

void tst_TimelineView::keptPictureIsThatOfAFreshView_data()
{
    QTest::addColumn<qint64>("fromNs");
    QTest::addColumn<qint64>("toNs");
    QTest::addColumn<int>("workers");
    QTest::addColumn<int>("selected");
    QTest::addColumn<bool>("crash");
    QTest::newRow("the axis stands") << 6 * second << 9 * second << 6 << -1 << false;
    QTest::newRow("the axis moves") << 9 * second << 14 * second << 6 << -1 << false;
    QTest::newRow("dense") << 9 * second << 14 * second << 18 << -1 << false;
    QTest::newRow("one selected") << 9 * second << 14 * second << 6 << 2 << false;
    QTest::newRow("one crashes") << 9 * second << 14 * second << 6 << -1 << true;
}

/// What is moved and painted in parts looks like what is painted at once.
void tst_TimelineView::keptPictureIsThatOfAFreshView()
{
    QFETCH(const qint64, fromNs);
    QFETCH(const qint64, toNs);
    QFETCH(const int, workers);
    QFETCH(const int, selected);
    QFETCH(const bool, crash);
    const QList<qint64> lengths{second / 50, second / 9, second / 3,
                                second,      7 * second, 11 * second};
    QList<qint64> taskNs;
    for (int i = 0; i < workers; ++i)
        taskNs.append(lengths[i % lengths.size()]);
    GrowingRun run(taskNs);
    const auto show = [&run, selected](TimelineView &view) {
        view.resize(900, 300);
        view.setRun(run.log());
        view.setSelectedProcess(selected);
    };
    TimelineView kept;
    show(kept);
    StageSnapshotPointer last;
    QImage keptPicture;
    for (qint64 timeNs = fromNs; timeNs <= toNs; timeNs += second / 20) {
        if (crash && timeNs == fromNs + second)
            run.crash(3, timeNs);
        last = run.advanceTo(timeNs);
        kept.setSnapshot(last);
        keptPicture = kept.grab().toImage();
    }
    TimelineView fresh;
    show(fresh);
    fresh.setSnapshot(last);
    const QImage freshPicture = fresh.grab().toImage();
    QVERIFY(contains(freshPicture, Theme::current().process(std::max(selected, 1) - 1)));
    QPoint first(-1, -1);
    int different = 0;
    for (int y = 0; y < freshPicture.height(); ++y) {
        for (int x = 0; x < freshPicture.width(); ++x) {
            if (looksAlike(keptPicture.pixelColor(x, y), freshPicture.pixelColor(x, y)))
                continue;
            if (different++ == 0)
                first = {x, y};
        }
    }
    QVERIFY2(
        different == 0,
        qPrintable(u"%1 pixels differ, the first at %2, %3"_s.arg(different).arg(first.x()).arg(
            first.y())));
}

QTEST_MAIN(tst_TimelineView)
#include "tst_timeline_view.moc"
