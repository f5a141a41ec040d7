// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/roles.h"
#include "ui/experiment/stage/process_look.h"
#include "ui/experiment/timeline/timeline_lane.h"
#include "ui/experiment/timeline/timeline_layout.h"
#include "ui/experiment/timeline/timeline_tracks.h"

#include <QJsonArray>
#include <QTest>

#include <cmath>

#include <algorithm>

using namespace proclab;
using namespace Qt::StringLiterals;

namespace {

constexpr qint64 millisecond = 1'000'000;

void append(AppendLog<Span> &spans, qint64 startNs, qint64 endNs,
            Span::Activity kind = Span::Activity::Running)
{
    Span span;
    span.startNs = startNs;
    span.endNs = endNs;
    span.index = static_cast<quint32>(spans.size());
    span.activity = kind;
    spans.append(span);
}

ProcessRecord process(const QString &name, const ProcessRole *role, int replaces = -1)
{
    ProcessRecord record;
    record.name = name;
    record.role = role;
    record.replaces = replaces;
    return record;
}

} // namespace

class tst_TimelineLayout : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void wideSpansAreBars();
    void onlyWhatIsInRangeIsLaidOut();
    void narrowSpansMergeIntoColumns();
    void mergedSharesAddUp_data();
    void mergedSharesAddUp();
    void aFailedTaskMayHaveSlept();
    void indexTakesInWhatIsNew();
    void indexSumsEveryLevel();
    void workDoesNotGrowWithTheSpans();
    void spanIsFoundByTime_data();
    void spanIsFoundByTime();
    void openSpanFollowsTheState_data();
    void openSpanFollowsTheState();
    void ticksAreRoundAndApart_data();
    void ticksAreRoundAndApart();
    void zoomKeepsThePointInPlace();
    void zoomIsBounded();
    void rangesOnWholePixelsAreApartByWholePixels();
    void followingShowsTheEnd();
    void replacementStandsBelowTheReplaced();
    void rangesOfSummariesAreTrue_data();
    void rangesOfSummariesAreTrue();
    void countHoldsUntilTheNextSample();
    void countKeepsItsPeaks();
    void barOfANamedItemSaysItsName();
    void badgesAreShort_data();
    void badgesAreShort();
};

void tst_TimelineLayout::wideSpansAreBars()
{
    AppendLog<Span> spans;
    append(spans, 0, 100);
    append(spans, 200, 500);
    SpanIndex index;
    index.update(spans);
    const LaneLayout layout = layoutLane(spans, index, {0, 1000}, 100);
    QVERIFY(layout.columns.empty());
    QCOMPARE(layout.bars.size(), std::size_t(2));
    QCOMPARE(layout.bars[0].left, 0.0);
    QCOMPARE(layout.bars[0].right, 10.0);
    QCOMPARE(layout.bars[1].left, 20.0);
    QCOMPARE(layout.bars[1].right, 50.0);
    QCOMPARE(layout.bars[1].span, std::size_t(1));
}

void tst_TimelineLayout::onlyWhatIsInRangeIsLaidOut()
{
    AppendLog<Span> spans;
    for (int i = 0; i < 1000; ++i)
        append(spans, i * 100, i * 100 + 90);
    SpanIndex index;
    index.update(spans);
    const LaneLayout layout = layoutLane(spans, index, {50'000, 51'000}, 100);
    QVERIFY(layout.bars.size() >= 10 && layout.bars.size() <= 12);
    QVERIFY(layout.bars.front().span >= 499);
    QVERIFY(layout.bars.back().span <= 510);
}

void tst_TimelineLayout::narrowSpansMergeIntoColumns()
{
    AppendLog<Span> spans;
    for (int i = 0; i < 10'000; ++i)
        append(spans, i * 100, i * 100 + 50);
    SpanIndex index;
    index.update(spans);
    const LaneLayout layout = layoutLane(spans, index, {0, 1'000'000}, 100);
    QVERIFY(layout.bars.empty());
    QCOMPARE(layout.columns.size(), std::size_t(100));
    quint64 count = 0;
    for (const TimelineColumn &column : layout.columns) {
        QVERIFY2(std::abs(column.shares.work - 0.5) < 0.02,
                 qPrintable(QString::number(column.shares.work)));
        count += column.count;
    }
    QCOMPARE(count, quint64(10'000));
}

void tst_TimelineLayout::mergedSharesAddUp_data()
{
    QTest::addColumn<Span::Activity>("kind");
    QTest::addColumn<double>("work");
    QTest::addColumn<double>("ready");
    QTest::addColumn<double>("sleeping");
    QTest::addColumn<double>("full");
    QTest::addColumn<double>("lock");
    QTest::newRow("running") << Span::Activity::Running << 1.0 << 0.0 << 0.0 << 0.0 << 0.0;
    QTest::newRow("failed") << Span::Activity::Failed << 1.0 << 0.0 << 0.0 << 0.0 << 0.0;
    QTest::newRow("ready") << Span::Activity::ReadyToRun << 0.0 << 1.0 << 0.0 << 0.0 << 0.0;
    QTest::newRow("sleeping") << Span::Activity::Sleeping << 0.0 << 0.0 << 1.0 << 0.0 << 0.0;
    QTest::newRow("queue full") << Span::Activity::BlockedOnFull << 0.0 << 0.0 << 0.0 << 1.0 << 0.0;
    QTest::newRow("queue empty") << Span::Activity::WaitingOnEmpty << 0.0 << 0.0 << 0.0 << 0.0
                                 << 0.0;
    QTest::newRow("not recorded") << Span::Activity::Dropped << 0.0 << 0.0 << 0.0 << 0.0 << 0.0;
    QTest::newRow("lock") << Span::Activity::WaitingForLock << 0.0 << 0.0 << 0.0 << 0.0 << 1.0;
}

void tst_TimelineLayout::aFailedTaskMayHaveSlept()
{
    TimeShares shares;
    shares.add({0, 100, 0, 1, Span::Activity::Failed, 0.25F}, 100);
    QCOMPARE(shares.work, 25.0);
    QCOMPARE(shares.sleeping, 75.0);
    QCOMPARE(shares.busy(), 100.0);
}

void tst_TimelineLayout::mergedSharesAddUp()
{
    QFETCH(const Span::Activity, kind);
    AppendLog<Span> spans;
    for (int i = 0; i < 5'000; ++i)
        append(spans, i * 70, i * 70 + 70, kind);
    SpanIndex index;
    index.update(spans);
    const LaneLayout layout = layoutLane(spans, index, {0, 350'000}, 50);
    QCOMPARE(layout.columns.size(), std::size_t(50));
    for (const TimelineColumn &column : layout.columns) {
        QTEST(std::round(column.shares.work * 100) / 100, "work");
        QTEST(std::round(column.shares.readyToRun * 100) / 100, "ready");
        QTEST(std::round(column.shares.sleeping * 100) / 100, "sleeping");
        QTEST(std::round(column.shares.blockedOnFull * 100) / 100, "full");
        QTEST(std::round(column.shares.waitingForLock * 100) / 100, "lock");
    }
}

void tst_TimelineLayout::indexTakesInWhatIsNew()
{
    AppendLog<Span> spans;
    SpanIndex index;
    for (int i = 0; i < 3; ++i)
        append(spans, i * 10, i * 10 + 5);
    index.update(spans);
    QCOMPARE(index.spanCount(), std::size_t(3));
    QCOMPARE(index.total().work, 15.0);
    append(spans, 100, 200, Span::Activity::Sleeping);
    index.update(spans);
    QCOMPARE(index.spanCount(), std::size_t(4));
    QCOMPARE(index.total().work, 15.0);
    QCOMPARE(index.total().busy(), 115.0);
}

void tst_TimelineLayout::indexSumsEveryLevel()
{
    AppendLog<Span> spans;
    SpanIndex index;
    for (int i = 0; i < 70'000; ++i) {
        append(spans, i * 10, i * 10 + 5);
        if (i % 977 == 0)
            index.update(spans);
    }
    index.update(spans);
    QVERIFY(index.levelCount() >= 4);
    QVERIFY(index.level(index.levelCount() - 1).size() <= SpanIndex::fanOut);
    for (std::size_t level = 0; level < index.levelCount(); ++level) {
        quint64 count = 0;
        double work = 0;
        for (const SpanIndex::Node &node : index.level(level)) {
            count += node.count;
            work += node.shares.work;
        }
        QCOMPARE(count, quint64(70'000));
        QCOMPARE(work, 350'000.0);
        QCOMPARE(index.level(level).back().endNs, qint64(699'995));
    }
}

void tst_TimelineLayout::workDoesNotGrowWithTheSpans()
{
    AppendLog<Span> spans;
    for (int i = 0; i < 200'000; ++i)
        append(spans, i * 10, i * 10 + 9);
    SpanIndex index;
    index.update(spans);
    const LaneLayout layout = layoutLane(spans, index, {0, 2'000'000}, 300);
    QVERIFY(layout.bars.empty());
    QCOMPARE(layout.columns.size(), std::size_t(300));
}

void tst_TimelineLayout::spanIsFoundByTime_data()
{
    QTest::addColumn<qint64>("timeNs");
    QTest::addColumn<qint64>("span");
    QTest::newRow("before all") << qint64(5) << qint64(-1);
    QTest::newRow("at a start") << qint64(10) << qint64(0);
    QTest::newRow("in a gap") << qint64(25) << qint64(-1);
    QTest::newRow("in the last") << qint64(55) << qint64(2);
    QTest::newRow("after all") << qint64(99) << qint64(-1);
}

void tst_TimelineLayout::spanIsFoundByTime()
{
    QFETCH(const qint64, timeNs);
    AppendLog<Span> spans;
    append(spans, 10, 20);
    append(spans, 30, 40);
    append(spans, 50, 60);
    QTEST(spanAt(spans, spans.size(), timeNs), "span");
}

void tst_TimelineLayout::openSpanFollowsTheState_data()
{
    QTest::addColumn<ProcessState>("state");
    QTest::addColumn<qint64>("currentIndex");
    QTest::addColumn<bool>("drawn");
    QTest::addColumn<qint64>("startNs");
    QTest::newRow("running a task") << ProcessState::Running << qint64(4) << true << qint64(700);
    QTest::newRow("in a task, without a core")
        << ProcessState::ReadyToRun << qint64(4) << true << qint64(700);
    QTest::newRow("stopped in a task") << ProcessState::Stopped << qint64(4) << true << qint64(700);
    QTest::newRow("stopped without one")
        << ProcessState::Stopped << qint64(-1) << false << qint64(0);
    QTest::newRow("asleep in a task") << ProcessState::Sleeping << qint64(4) << true << qint64(700);
    QTest::newRow("blocked without an item")
        << ProcessState::BlockedOnFull << qint64(-1) << true << qint64(700);
    QTest::newRow("waiting for a task")
        << ProcessState::Waiting << qint64(-1) << false << qint64(0);
    QTest::newRow("dead") << ProcessState::Crashed << qint64(4) << false << qint64(0);
}

void tst_TimelineLayout::openSpanFollowsTheState()
{
    QFETCH(const ProcessState, state);
    QFETCH(const qint64, currentIndex);
    QFETCH(const bool, drawn);
    ProcessLive live;
    live.state = state;
    live.currentIndex = currentIndex;
    live.currentSinceNs = 700;
    const auto span = openSpan(live, ProcessRecord(), 500, 1000);
    QCOMPARE(span.has_value(), drawn);
    if (!span)
        return;
    QTEST(span->startNs, "startNs");
    QCOMPARE(span->endNs, qint64(1000));
    QCOMPARE(span->count, currentIndex >= 0 ? 1U : 0U);
}

void tst_TimelineLayout::ticksAreRoundAndApart_data()
{
    QTest::addColumn<qint64>("fromNs");
    QTest::addColumn<qint64>("toNs");
    QTest::addColumn<QString>("first");
    QTest::addColumn<QString>("second");
    QTest::newRow("seconds") << qint64(0) << 5'000 * millisecond << u"0\u00A0s"_s << u"1\u00A0s"_s;
    QTest::newRow("half seconds") << 4'600 * millisecond << 7'000 * millisecond << u"5.0\u00A0s"_s
                                  << u"5.5\u00A0s"_s;
    QTest::newRow("milliseconds") << qint64(0) << 25 * millisecond << u"0\u00A0ms"_s
                                  << u"5\u00A0ms"_s;
    QTest::newRow("microseconds") << qint64(0) << qint64(9'000) << u"0\u00A0\u00B5s"_s
                                  << u"2\u00A0\u00B5s"_s;
    QTest::newRow("before the gate") << -2'000 * millisecond << 3'000 * millisecond
                                     << u"\u22122\u00A0s"_s << u"\u22121\u00A0s"_s;
}

void tst_TimelineLayout::ticksAreRoundAndApart()
{
    QFETCH(const qint64, fromNs);
    QFETCH(const qint64, toNs);
    const TimeRange range{fromNs, toNs};
    const QList<TimeTick> ticks = timeTicks(range, 600, 90);
    QVERIFY(ticks.size() >= 2);
    QTEST(ticks[0].label, "first");
    QTEST(ticks[1].label, "second");
    for (qsizetype i = 1; i < ticks.size(); ++i) {
        QVERIFY(range.pixel(ticks[i].timeNs, 600) - range.pixel(ticks[i - 1].timeNs, 600) >= 89);
        QVERIFY(ticks[i].timeNs <= toNs);
    }
}

void tst_TimelineLayout::zoomKeepsThePointInPlace()
{
    const TimeRange range{1'000'000, 3'000'000};
    const TimeRange closer = zoomed(range, 0.5, 1'500'000, 100'000'000);
    QCOMPARE(closer.length(), qint64(1'000'000));
    QCOMPARE(closer.pixel(1'500'000, 800), range.pixel(1'500'000, 800));
}

void tst_TimelineLayout::zoomIsBounded()
{
    const TimeRange range{0, 1'000'000};
    QCOMPARE(zoomed(range, 1e-9, 500, 10'000'000).length(), qint64(1'000));
    QCOMPARE(zoomed(range, 1e9, 500, 10'000'000).length(), qint64(10'000'000));
}

void tst_TimelineLayout::rangesOnWholePixelsAreApartByWholePixels()
{
    constexpr double pixels = 977;
    constexpr qint64 lengthNs = 10'000'000'000;
    const double nsPerPixel = static_cast<double>(lengthNs) / pixels;
    const TimeRange first = onWholePixels({123'456'789, 123'456'789 + lengthNs}, pixels);
    QVERIFY(first.fromNs <= 123'456'789);
    for (qint64 fromNs = 123'456'789; fromNs < 20 * lengthNs; fromNs += 49'999'991) {
        const TimeRange range = onWholePixels({fromNs, fromNs + lengthNs}, pixels);
        QCOMPARE(range.length(), lengthNs);
        QVERIFY(range.fromNs <= fromNs && fromNs - range.fromNs <= std::llround(nsPerPixel));
        const double apart = static_cast<double>(range.fromNs - first.fromNs) / nsPerPixel;
        QVERIFY(std::abs(apart - std::round(apart)) < 1e-3);
    }
}

void tst_TimelineLayout::followingShowsTheEnd()
{
    QCOMPARE(followingRange(100, 1000), (TimeRange{0, 1000}));
    const TimeRange late = followingRange(5000, 1000);
    QCOMPARE(late.length(), qint64(1000));
    QVERIFY(late.toNs > 5000 && late.fromNs < 5000);
    const TimeRange whole = fittingRange(4'260 * millisecond);
    QCOMPARE(whole.fromNs, qint64(0));
    QVERIFY(whole.toNs > 4'260 * millisecond && whole.toNs <= 6'000 * millisecond);
}

void tst_TimelineLayout::replacementStandsBelowTheReplaced()
{
    const QList<ProcessRecord> processes{
        process(u"main"_s, nullptr), process(u"worker-1"_s, test::worker()),
        process(u"worker-2"_s, test::worker()), process(u"worker-3"_s, test::worker(), 1),
        process(u"worker-4"_s, test::worker(), 3)};
    QCOMPARE(laneOrder(processes), (QList<int>{0, 1, 3, 4, 2}));
}

void tst_TimelineLayout::rangesOfSummariesAreTrue_data()
{
    QTest::addColumn<const ProcessRole *>("role");
    QTest::addColumn<int>("producers");
    QTest::addColumn<quint32>("count");
    QTest::addColumn<QString>("begin");
    QTest::newRow("one") << test::consumer() << 1 << 1U << u"#1000: "_s;
    QTest::newRow("increments") << test::process() << 1 << 9'000U << u"#1000\u20139999: "_s;
    QTest::newRow("a producer's") << test::producer() << 1 << 32U << u"#1000\u20131031: "_s;
    QTest::newRow("one of three") << test::producer() << 3 << 32U << u"32 items: "_s;
    QTest::newRow("of all producers") << test::consumer() << 1 << 32U << u"32 items: "_s;
    QTest::newRow("nothing in hand") << test::process() << 1 << 0U << u"many short ones"_s;
}

void tst_TimelineLayout::rangesOfSummariesAreTrue()
{
    QFETCH(const ProcessRole *const, role);
    QFETCH(const int, producers);
    QFETCH(const quint32, count);
    QFETCH(const QString, begin);
    ExperimentSpec spec(u"pipeline"_s);
    spec.set(u"pipeline.producers"_s, producers);
    Span span;
    span.endNs = 1'800'000;
    span.index = 1'000;
    span.count = count;
    span.activity = count == 1 ? Span::Activity::Running : Span::Activity::Busy;
    const QString text = spanText(span, role, ItemNames(spec));
    QVERIFY2(text.startsWith(begin), qPrintable(text));
}

void tst_TimelineLayout::countHoldsUntilTheNextSample()
{
    AppendLog<GaugeSample> samples;
    for (const auto &[timeNs, depth] :
         {std::pair(0, 0.0), std::pair(200, 8.0), std::pair(500, 3.0)}) {
        GaugeSample sample(3);
        sample.timeNs = timeNs;
        sample.values[2] = depth;
        samples.append(sample);
    }
    const std::vector<CountColumn> columns = countColumns(samples, 2, {0, 1'000}, 10, 700);
    QCOMPARE(columns.size(), std::size_t(10));
    QCOMPARE(columns[0].largest, 0.0F);
    QCOMPARE(columns[3].largest, 8.0F);
    QCOMPARE(columns[3].smallest, 8.0F);
    QCOMPARE(columns[7].largest, 3.0F);
    QCOMPARE(columns[8].largest, -1.0F); // Still to come.
    // In the middle of a sample's time: what came before holds.
    QCOMPARE(countColumns(samples, 2, {300, 400}, 4, 700)[0].largest, 8.0F);
    QCOMPARE(gaugeAt(samples, 2, 499), std::optional(8.0));
    QVERIFY(!gaugeAt(samples, 2, -1));
    QVERIFY(countColumns(AppendLog<GaugeSample>(), 2, {0, 10}, 3, 5)[0].largest < 0);
}

void tst_TimelineLayout::countKeepsItsPeaks()
{
    AppendLog<GaugeSample> samples;
    for (int i = 0; i < 12'000; ++i) {
        GaugeSample sample(1);
        sample.timeNs = i * 50;
        sample.values[0] = i == 7'777 ? 99 : 5;
        samples.append(sample);
    }
    const std::vector<CountColumn> columns = countColumns(samples, 0, {0, 600'000}, 300, 600'000);
    float largest = 0;
    for (const CountColumn &column : columns) {
        QCOMPARE(column.smallest, 5.0F);
        largest = std::max(largest, column.largest);
    }
    QCOMPARE(largest, 99.0F);
}

void tst_TimelineLayout::barOfANamedItemSaysItsName()
{
    ExperimentSpec spec(u"pipeline"_s);
    spec.set(u"pipeline.items"_s, QJsonArray{u"apple"_s, u"banana"_s});
    Span span;
    span.index = 1;
    span.endNs = 2'000'000;
    const QString text = spanText(span, test::consumer(), ItemNames(spec));
    QVERIFY2(text.startsWith(u"banana: on a core"_s), qPrintable(text));
}

void tst_TimelineLayout::badgesAreShort_data()
{
    QTest::addColumn<QString>("name");
    QTest::addColumn<const ProcessRole *>("role");
    QTest::addColumn<QString>("badge");
    const ProcessRole *none = nullptr;
    QTest::newRow("parent") << u"main"_s << none << u"main"_s;
    QTest::newRow("worker") << u"worker-12"_s << test::worker() << u"W12"_s;
    QTest::newRow("producer") << u"producer-1"_s << test::producer() << u"P1"_s;
    QTest::newRow("consumer") << u"consumer-2"_s << test::consumer() << u"C2"_s;
    QTest::newRow("process") << u"process-2"_s << test::process() << u"P2"_s;
    QTest::newRow("many processes") << u"process-40"_s << test::process() << u"P40"_s;
}

void tst_TimelineLayout::badgesAreShort()
{
    QFETCH(const QString, name);
    QFETCH(const ProcessRole *const, role);
    QTEST(shortName(process(name, role)), "badge");
}

QTEST_GUILESS_MAIN(tst_TimelineLayout)
#include "tst_timeline_layout.moc"
