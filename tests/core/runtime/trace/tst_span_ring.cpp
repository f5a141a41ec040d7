// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/trace/span_ring.h"

#include <QTest>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

using namespace proclab::runtime;

namespace {

/// A span whose every field follows from its number, so that a torn one shows.
TraceSpan spanOf(std::uint32_t number)
{
    return {std::int64_t{number} * 10,
            std::int64_t{number} * 10 + 7,
            number,
            number + 1,
            static_cast<TraceKind>(number % 7),
            static_cast<std::uint8_t>(number % 101)};
}

bool isSame(const TraceSpan &a, const TraceSpan &b)
{
    return a.startNs == b.startNs && a.endNs == b.endNs && a.index == b.index &&
           a.count == b.count && a.kind == b.kind && a.busyPercent == b.busyPercent;
}

std::vector<TraceSpan> drained(const SpanRing &ring)
{
    std::vector<TraceSpan> spans;
    std::uint64_t cursor = 0;
    ring.drain(cursor, [&spans](const TraceSpan &span) { spans.push_back(span); });
    return spans;
}

constexpr std::int64_t ms = 1'000'000;

} // namespace

class tst_SpanRing : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void spansComeInOrderOnce();
    void overwrittenSpansAreCounted_data();
    void overwrittenSpansAreCounted();
    void readerBesideTheWriterSeesNoTornSpan();
    void fewSpansAreKeptSingly();
    void crowdedSpansBecomeOneSummary();
    void summaryCountsWorkAndNotWaits();
    void summaryBeginsWithItsFirstItem();
    void waitsAreNoWork();
    void longSpanIsKeptInACrowd();
    void severalItemsInOneSpanAreBusy();
    void crowdIsKnownInTheNextWindow();
    void endOfTheWriterFlushes();
};

void tst_SpanRing::spansComeInOrderOnce()
{
    const auto ring = std::make_unique<SpanRing>();
    std::uint64_t cursor = 0;
    std::vector<TraceSpan> spans;
    const auto take = [&spans](const TraceSpan &span) { spans.push_back(span); };
    QCOMPARE(ring->drain(cursor, take), 0U);
    for (std::uint32_t i = 0; i < 100; ++i) {
        ring->push(spanOf(i));
        if (i % 33 == 0)
            QCOMPARE(ring->drain(cursor, take), 0U);
    }
    QCOMPARE(ring->drain(cursor, take), 0U);
    QCOMPARE(ring->drain(cursor, take), 0U);
    QCOMPARE(cursor, 100U);
    QCOMPARE(spans.size(), std::size_t{100});
    for (std::uint32_t i = 0; i < 100; ++i)
        QVERIFY(isSame(spans[i], spanOf(i)));
}

void tst_SpanRing::overwrittenSpansAreCounted_data()
{
    QTest::addColumn<quint32>("pushed");
    QTest::addColumn<quint64>("missed");
    constexpr auto capacity = static_cast<quint32>(SpanRing::capacity);
    QTest::newRow("exactly full") << capacity << quint64{0};
    QTest::newRow("one more") << capacity + 1 << quint64{1};
    QTest::newRow("three rings") << capacity * 3 + 5 << quint64{capacity} * 2 + 5;
}

void tst_SpanRing::overwrittenSpansAreCounted()
{
    QFETCH(const quint32, pushed);
    QFETCH(const quint64, missed);
    const auto ring = std::make_unique<SpanRing>();
    for (std::uint32_t i = 0; i < pushed; ++i)
        ring->push(spanOf(i));
    std::uint64_t cursor = 0;
    auto next = static_cast<std::uint32_t>(missed);
    bool inOrder = true;
    const auto take = [&](const TraceSpan &span) {
        inOrder = inOrder && isSame(span, spanOf(next++));
    };
    QCOMPARE(ring->drain(cursor, take), missed);
    QVERIFY(inOrder);
    QCOMPARE(next, pushed);
    QCOMPARE(cursor, quint64{pushed});
}

void tst_SpanRing::readerBesideTheWriterSeesNoTornSpan()
{
    constexpr std::uint32_t spans = 400'000;
    const auto ring = std::make_unique<SpanRing>();
    std::atomic<bool> isWritten{false};
    std::thread writer([&ring, &isWritten] {
        for (std::uint32_t i = 0; i < spans; ++i)
            ring->push(spanOf(i));
        isWritten = true;
    });
    std::uint64_t cursor = 0;
    std::uint64_t seen = 0;
    std::uint64_t missed = 0;
    std::uint64_t torn = 0;
    std::uint64_t backwards = 0;
    std::int64_t last = -1;
    const auto take = [&](const TraceSpan &span) {
        ++seen;
        torn += isSame(span, spanOf(span.index)) ? 0 : 1;
        backwards += std::int64_t{span.index} > last ? 0 : 1;
        last = span.index;
    };
    while (!isWritten)
        missed += ring->drain(cursor, take);
    writer.join();
    missed += ring->drain(cursor, take);
    QCOMPARE(torn, 0U);
    QCOMPARE(backwards, 0U);
    QCOMPARE(seen + missed, quint64{spans});
    QCOMPARE(last, std::int64_t{spans - 1});
}

void tst_SpanRing::fewSpansAreKeptSingly()
{
    const auto ring = std::make_unique<SpanRing>();
    {
        SpanWriter writer(*ring);
        for (std::uint32_t i = 0; i < 200; ++i) // 50 a window.
            writer.add(TraceKind::Running, i, i * ms / 5, i * ms / 5 + ms / 10);
        QVERIFY(!writer.isCrowded());
    }
    const std::vector<TraceSpan> spans = drained(*ring);
    QCOMPARE(spans.size(), std::size_t{200});
    for (std::uint32_t i = 0; i < 200; ++i) {
        QCOMPARE(spans[i].index, i);
        QCOMPARE(spans[i].kind, TraceKind::Running);
        QCOMPARE(spans[i].count, 1U);
    }
}

void tst_SpanRing::crowdedSpansBecomeOneSummary()
{
    const auto ring = std::make_unique<SpanRing>();
    const std::int64_t start = 100 * ms;
    {
        SpanWriter writer(*ring);
        for (std::uint32_t i = 0; i < 1'000; ++i) // Within one window: each works 2 of its 5 us.
            writer.add(TraceKind::Running, i, start + i * 5'000, start + i * 5'000 + 2'000);
    }
    const std::vector<TraceSpan> spans = drained(*ring);
    QCOMPARE(spans.size(), std::size_t{65}); // 64 single ones, one for all the rest.
    const TraceSpan &summary = spans.back();
    QCOMPARE(summary.kind, TraceKind::Busy);
    QCOMPARE(summary.index, 64U);
    QCOMPARE(summary.count, 1'000U - 64);
    QCOMPARE(summary.startNs, start + 64 * 5'000);
    QCOMPARE(summary.endNs, start + 999 * 5'000 + 2'000);
    QCOMPARE(int{summary.busyPercent}, 40);
}

void tst_SpanRing::summaryCountsWorkAndNotWaits()
{
    const auto ring = std::make_unique<SpanRing>();
    {
        SpanWriter writer(*ring);
        std::int64_t now = 100 * ms;
        for (std::uint32_t i = 0; i < 400; ++i) {
            writer.add(TraceKind::Running, i, now, now + 3'000);
            writer.add(TraceKind::WaitingOnEmpty, i, now + 3'000, now + 12'000);
            now += 12'000;
        }
    }
    const std::vector<TraceSpan> spans = drained(*ring);
    QCOMPARE(spans.size(), std::size_t{65});
    QCOMPARE(spans.back().count, 400U - 32); // The first 32 stand singly, with their waits.
    QCOMPARE(int{spans.back().busyPercent}, 25);
}

/// A wait before the first item of a summary counts as none, and gives it no number.
void tst_SpanRing::summaryBeginsWithItsFirstItem()
{
    const auto ring = std::make_unique<SpanRing>();
    {
        SpanWriter writer(*ring);
        std::int64_t now = 100 * ms;
        for (std::uint32_t i = 0; i < 64; ++i, now += 1'000)
            writer.add(TraceKind::Running, i, now, now + 1'000);
        writer.add(TraceKind::WaitingOnEmpty, 0, now, now + 5'000);
        writer.add(TraceKind::Running, 64, now + 5'000, now + 10'000);
    }
    const std::vector<TraceSpan> spans = drained(*ring);
    QCOMPARE(spans.size(), std::size_t{65});
    QCOMPARE(spans.back().index, 64U);
    QCOMPARE(spans.back().count, 1U);
    QCOMPARE(int{spans.back().busyPercent}, 50);
}

/// Increments that are timed together, with the waits for the lock among them.
void tst_SpanRing::waitsAreNoWork()
{
    const auto ring = std::make_unique<SpanRing>();
    {
        SpanWriter writer(*ring);
        for (std::uint32_t i = 0; i < 4; ++i)
            writer.add(TraceKind::Running, 1'000 + 256 * i, (100 + i) * ms, (101 + i) * ms, 256,
                       3 * ms / 4);
    }
    const std::vector<TraceSpan> spans = drained(*ring);
    QCOMPARE(spans.size(), std::size_t{1});
    QCOMPARE(spans[0].index, 1'000U);
    QCOMPARE(spans[0].count, 1'024U);
    QCOMPARE(int{spans[0].busyPercent}, 25);
}

void tst_SpanRing::longSpanIsKeptInACrowd()
{
    const auto ring = std::make_unique<SpanRing>();
    const std::int64_t start = 100 * ms;
    SpanWriter writer(*ring);
    for (std::uint32_t i = 0; i < 100; ++i)
        writer.add(TraceKind::Running, i, start + i * 1'000, start + i * 1'000 + 500);
    writer.add(TraceKind::Sleeping, 100, start + ms, start + 30 * ms);
    const std::vector<TraceSpan> spans = drained(*ring);
    QCOMPARE(spans.size(), std::size_t{66}); // 64, their summary, the long one, without a flush().
    QCOMPARE(spans[64].kind, TraceKind::Busy);
    QCOMPARE(spans[64].count, 36U);
    QCOMPARE(spans[65].kind, TraceKind::Sleeping);
    QCOMPARE(spans[65].index, 100U);
    QCOMPARE(spans[65].endNs, start + 30 * ms);
}

void tst_SpanRing::severalItemsInOneSpanAreBusy()
{
    const auto ring = std::make_unique<SpanRing>();
    SpanWriter writer(*ring);
    writer.add(TraceKind::Running, 5, 100 * ms, 101 * ms, 32);
    const std::vector<TraceSpan> spans = drained(*ring);
    QCOMPARE(spans.size(), std::size_t{1});
    QCOMPARE(spans[0].kind, TraceKind::Busy);
    QCOMPARE(spans[0].count, 32U);
    QCOMPARE(spans[0].index, 5U);
}

void tst_SpanRing::crowdIsKnownInTheNextWindow()
{
    const auto ring = std::make_unique<SpanRing>();
    SpanWriter writer(*ring);
    std::int64_t now = 100 * ms;
    const auto addCrowd = [&writer, &now] {
        for (std::uint32_t i = 0; i < 100; ++i, now += 1'000)
            writer.add(TraceKind::Running, i, now, now + 500);
    };
    addCrowd();
    QVERIFY(!writer.isCrowded()); // A single crowded window may be chance.
    now += 11 * ms;
    addCrowd();
    QVERIFY(writer.isCrowded());
    now += 11 * ms;
    writer.add(TraceKind::Running, 0, now, now + 500);
    QVERIFY(!writer.isCrowded());
}

void tst_SpanRing::endOfTheWriterFlushes()
{
    const auto ring = std::make_unique<SpanRing>();
    {
        SpanWriter writer(*ring);
        for (std::uint32_t i = 0; i < 70; ++i)
            writer.add(TraceKind::Running, i, 100 * ms + i, 100 * ms + i);
        QCOMPARE(drained(*ring).size(), std::size_t{64});
    }
    const std::vector<TraceSpan> spans = drained(*ring);
    QCOMPARE(spans.size(), std::size_t{65});
    QCOMPARE(spans.back().count, 6U);
    QVERIFY(spans.back().busyPercent <= 100);
}

QTEST_GUILESS_MAIN(tst_SpanRing)
#include "tst_span_ring.moc"
