// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/trace/process_notes.h"

#include <QTest>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

using namespace proclab::runtime;

namespace {

constexpr int writers = 4;
constexpr std::uint64_t rounds = 20'000;

/// A value that only one subject goes with.
constexpr std::uint64_t twinOf(std::uint64_t subject)
{
    return subject * 0x9e37'79b9'7f4a'7c15;
}

} // namespace

/// What a process notes of itself, written and read by several threads.
class tst_ProcessNotes : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void lastEventsComeOldestFirst_data();
    void lastEventsComeOldestFirst();
    void timesAreMonotonicNanoseconds_data() { lastEventsComeOldestFirst_data(); }
    void timesAreMonotonicNanoseconds();
    void eventsAreNeverMixed();
    void waitsAreNotedAndGone();
    void onlySoManyWaitsAreNoted();
    void waitsAreNeverMixed();
    void restartForgets();
    void namesAreCutBetweenCharacters();
};

void tst_ProcessNotes::lastEventsComeOldestFirst_data()
{
    QTest::addColumn<bool>("usesCounter");
    QTest::newRow("system clock") << false;
    QTest::newRow("processor's counter") << true;
}

void tst_ProcessNotes::lastEventsComeOldestFirst()
{
    QFETCH(const bool, usesCounter);
    const auto ring = std::make_unique<EventRing>();
    ring->restart(usesCounter);
    QVERIFY(ring->last(10).empty());
    constexpr std::uint64_t count = EventRing::capacity + 100;
    for (std::uint64_t i = 0; i < count; ++i)
        ring->record(EventKind::TaskBegan, i, twinOf(i));
    const auto all = ring->last(2 * EventRing::capacity);
    QCOMPARE(all.size(), EventRing::capacity);
    for (std::uint64_t i = 0; i < all.size(); ++i) {
        QCOMPARE(all[i].subject, i + 100);
        QCOMPARE(all[i].value, twinOf(i + 100));
        QVERIFY(all[i].kind == EventKind::TaskBegan);
        QVERIFY(i == 0 || all[i].timeNs >= all[i - 1].timeNs);
    }
    const auto few = ring->last(3);
    QCOMPARE(few.size(), std::size_t{3});
    QCOMPARE(few.back().subject, count - 1);
}

void tst_ProcessNotes::timesAreMonotonicNanoseconds()
{
    QFETCH(const bool, usesCounter);
    const auto ring = std::make_unique<EventRing>();
    ring->restart(usesCounter);
    constexpr std::int64_t slackNs = 1'000'000;
    for (int i = 0; i < 20; ++i) {
        const std::int64_t before = nowNs();
        ring->record(EventKind::WaitBegan, 0, 0);
        const std::int64_t after = nowNs();
        const TraceEvent event = ring->last(1).at(0);
        QVERIFY2(event.timeNs > before - slackNs,
                 qPrintable(QString::number(event.timeNs - before)));
        QVERIFY2(event.timeNs < after + slackNs, qPrintable(QString::number(event.timeNs - after)));
    }
}

void tst_ProcessNotes::eventsAreNeverMixed()
{
    const auto ring = std::make_unique<EventRing>();
    ring->restart(true);
    std::atomic<int> writing = writers;
    std::vector<std::thread> threads;
    for (int writer = 0; writer < writers; ++writer) {
        threads.emplace_back([&ring, &writing, writer] {
            for (std::uint64_t i = 0; i < rounds; ++i) {
                const std::uint64_t subject = i << 8 | static_cast<std::uint64_t>(writer);
                ring->record(EventKind::TaskEnded, subject, twinOf(subject));
            }
            --writing;
        });
    }
    std::uint64_t read = 0;
    bool isRight = true;
    bool haveEnded = false;
    do {
        haveEnded = writing == 0; // Once more then: they may have been faster than the first look.
        std::array<std::uint64_t, writers> next{};
        for (const TraceEvent &event : ring->last(EventRing::capacity)) {
            std::uint64_t &least = next[event.subject & 0xff];
            isRight = isRight && event.value == twinOf(event.subject) &&
                      event.kind == EventKind::TaskEnded && (event.subject >> 8) + 1 > least;
            least = (event.subject >> 8) + 1;
            ++read;
        }
    } while (!haveEnded);
    for (std::thread &thread : threads)
        thread.join();
    QVERIFY(isRight);
    QVERIFY(read > 0);
    QVERIFY(!ring->last(1).empty());
}

void tst_ProcessNotes::waitsAreNotedAndGone()
{
    const auto notes = std::make_unique<ProcessNotes>();
    notes->restart(7, false);
    QCOMPARE(notes->pid(), 7);
    QVERIFY(!notes->hasWaits());
    NotedWait wait;
    wait.thread = 11;
    wait.subject = {WaitSubject::Type::Process, 99};
    wait.sinceNs = 5;
    wait.deadlineNs = 1'000;
    const auto place = notes->beginWait(wait);
    QVERIFY(place);
    QVERIFY(notes->hasWaits());
    const auto noted = notes->wait(*place);
    QVERIFY(noted);
    QCOMPARE(noted->thread, 11);
    QVERIFY(noted->subject.type == WaitSubject::Type::Process);
    QCOMPARE(noted->subject.number, std::uint64_t{99});
    QCOMPARE(noted->sinceNs, std::int64_t{5});
    QCOMPARE(noted->deadlineNs, std::int64_t{1'000});
    notes->stillWaits(*place, 3);
    QCOMPARE(notes->wait(*place)->seen, 3U);
    notes->endWait(*place);
    QVERIFY(!notes->hasWaits());
    QVERIFY(!notes->wait(*place));
    // The next one in the same place is another.
    QCOMPARE(notes->beginWait(wait), place);
    QVERIFY(notes->wait(*place)->sequence != noted->sequence);
}

void tst_ProcessNotes::onlySoManyWaitsAreNoted()
{
    const auto notes = std::make_unique<ProcessNotes>();
    for (std::uint32_t i = 0; i < ProcessNotes::maxWaits; ++i)
        QCOMPARE(notes->beginWait({}), std::optional(i));
    QVERIFY(!notes->beginWait({}));
    notes->endWait(3);
    QCOMPARE(notes->beginWait({}), std::optional(3U));
}

void tst_ProcessNotes::waitsAreNeverMixed()
{
    const auto notes = std::make_unique<ProcessNotes>();
    std::atomic<int> writing = writers;
    std::vector<std::thread> threads;
    for (int writer = 0; writer < writers; ++writer) {
        threads.emplace_back([&notes, &writing, writer] {
            for (std::uint64_t i = 0; i < rounds; ++i) {
                NotedWait wait;
                wait.thread = writer;
                wait.subject = {WaitSubject::Type::Word, i};
                wait.sinceNs = static_cast<std::int64_t>(twinOf(i));
                if (const auto place = notes->beginWait(wait))
                    notes->endWait(*place);
            }
            --writing;
        });
    }
    bool isRight = true;
    do {
        for (std::uint32_t place = 0; place < ProcessNotes::maxWaits; ++place) {
            if (const auto wait = notes->wait(place))
                isRight = isRight &&
                          wait->sinceNs == static_cast<std::int64_t>(twinOf(wait->subject.number));
        }
    } while (writing > 0);
    for (std::thread &thread : threads)
        thread.join();
    QVERIFY(isRight);
    QVERIFY(!notes->hasWaits());
}

void tst_ProcessNotes::restartForgets()
{
    const auto notes = std::make_unique<ProcessNotes>();
    notes->restart(7, false);
    notes->setName("first");
    QVERIFY(notes->beginWait({}));
    notes->events.record(EventKind::TaskBegan, 1, 2);
    notes->restart(8, true);
    QCOMPARE(notes->pid(), 8);
    QVERIFY(notes->name().empty());
    QVERIFY(!notes->hasWaits());
    QVERIFY(!notes->wait(0));
    QVERIFY(notes->events.last(10).empty());
}

void tst_ProcessNotes::namesAreCutBetweenCharacters()
{
    const auto notes = std::make_unique<ProcessNotes>();
    notes->setName("worker");
    QCOMPARE(notes->name(), std::string("worker"));
    notes->setName(std::string(47, 'x') + "\xC3\xA4");
    QCOMPARE(notes->name(), std::string(47, 'x'));
}

QTEST_GUILESS_MAIN(tst_ProcessNotes)
#include "tst_process_notes.moc"
