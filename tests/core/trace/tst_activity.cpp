// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/ipc/queue.h"
#include "core/memory/value.h"
#include "core/process/process.h"
#include "core/process/process_scope.h"
#include "core/sync/event.h"
#include "core/sync/lock.h"
#include "core/sync/semaphore.h"
#include "core/trace/activity.h"
#include "core/trace/progress.h"
#include "tests/support/leak_check.h"
#include "tests/support/results.h"
#include "tests/support/worker_test_main.h"

#include <csignal>
#include <tuple>
#include <vector>

using namespace std::chrono_literals;
using namespace proclab;
using Phase = ActivityState::Phase;
using runtime::TraceKind;
using runtime::TraceSpan;
using runtime::WaitFor;
using test::made;

namespace {

constexpr auto patience = 30s;
constexpr int patienceMs = 30'000;

/// Tells of ten items, of which the fourth fails, and takes the eleventh in hand.
struct Storyteller
{
    Activity activity;
    Event gate;
    Event end;

    void run() const
    {
        ActivityReport report(activity);
        report.ready();
        (void)gate.wait();
        report.start();
        for (quint64 i = 0; i < 10; ++i) {
            report.begin(i);
            if (i == 3)
                report.fail();
            else
                report.finish(i == 5   ? ActivityReport::Spent::Asleep
                              : i == 6 ? ActivityReport::Spent::Ready
                                       : ActivityReport::Spent::OnCore);
        }
        report.begin(10);
        (void)end.wait();
        report.finish();
        report.end();
    }
    [[nodiscard]] auto parts() const { return std::tie(activity, gate, end); }
};

/// Tells how far it is with its second item only; goes on when it is let.
struct Climber
{
    Activity activity;
    Semaphore step;

    void run() const
    {
        ActivityReport report(activity);
        report.start();
        report.begin(0);
        (void)step.acquire();
        report.finish();
        report.begin(1);
        setTaskProgress(0.25);
        (void)step.acquire();
        setTaskProgress(7);
        (void)step.acquire();
        report.finish();
        report.begin(2);
        (void)step.acquire();
        report.finish();
        report.end();
    }
    [[nodiscard]] auto parts() const { return std::tie(activity, step); }
};

/// Waits for an item, for room, and for a lock.
struct Waiter
{
    Activity activity;
    Queue<int> items;
    Queue<int> full;
    Lock lock;

    void run() const
    {
        ActivityReport report(activity);
        report.start();
        (void)items.get();
        (void)full.put(1);
        (void)lock.acquire();
        (void)lock.release();
        report.end();
    }
    [[nodiscard]] auto parts() const { return std::tie(activity, items, full, lock); }
};

/// Works on an item for some milliseconds, and then waits for room for it.
struct Maker
{
    static constexpr qint64 workNs = 5'000'000;

    Activity activity;
    Queue<int> full;

    void run() const
    {
        ActivityReport report(activity);
        report.start();
        const qint64 begin = runtime::nowNs();
        for (quint64 i = 0; i < 2; ++i) {
            report.begin(i);
            while (runtime::nowNs() - begin < static_cast<qint64>(i + 1) * workNs) {
            }
            report.setSpent(ActivityReport::Spent::Asleep); // Of what it tells, nothing is checked.
            (void)full.put(1);
            report.finish(ActivityReport::Spent::Asleep);
        }
        report.end();
    }
    [[nodiscard]] auto parts() const { return std::tie(activity, full); }
};

std::vector<TraceSpan> drained(const Activity &activity)
{
    std::vector<TraceSpan> spans;
    std::uint64_t cursor = 0;
    activity.drain(cursor, [&spans](const TraceSpan &span) { spans.push_back(span); });
    return spans;
}

/// Spans of one kind.
qsizetype countOf(const std::vector<TraceSpan> &spans, TraceKind kind)
{
    return std::ranges::count(spans, kind, &TraceSpan::kind);
}

} // namespace

class tst_Activity : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void workIsSeen_data() { test::addStartMethods(); }
    void workIsSeen();
    void isReadAfterASigkill();
    void progressIsOfTheItemInHand_data() { test::addStartMethods(); }
    void progressIsOfTheItemInHand();
    void progressIsReadAfterASigkill();
    void progressGoesToTheInnerReport();
    void waitsAreToldApart();
    void workBeforeAWaitIsSeen();
    void crowdedItemsAreSummedUp();
    void everyItemHasItsSpan();
};

void tst_Activity::workIsSeen()
{
    const ProcessScope scope; // Also after a failure nobody is left.
    QFETCH(const StartMethod, method);
    const Storyteller story{made(Activity::create()), made(Event::create()), made(Event::create())};
    QCOMPARE(story.activity.state().phase, Phase::New);
    QCOMPARE(story.activity.member(), 0U);
    const Process process = made(Process::create({.startMethod = method}, story));
    QVERIFY(process.start());
    QTRY_COMPARE_WITH_TIMEOUT(story.activity.state().phase, Phase::Ready, patienceMs);
    QVERIFY(story.activity.member() != 0);
    QCOMPARE(story.activity.state().waitedFor(WaitFor::Signal), 0); // What is before the start.

    const qint64 before = runtime::nowNs();
    story.gate.set();
    const auto waitsInTheLast = [&story] {
        const ActivityState now = story.activity.state();
        return now.item == std::optional<quint64>(10) && now.wait;
    };
    QTRY_VERIFY_WITH_TIMEOUT(waitsInTheLast(), patienceMs);
    const ActivityState state = story.activity.state();
    QCOMPARE(state.phase, Phase::Working);
    QCOMPARE(state.done, 9U);
    QCOMPARE(state.failed, 1U);
    QCOMPARE(state.item, std::optional<quint64>(10));
    QVERIFY(state.itemSinceNs >= before && state.itemSinceNs <= runtime::nowNs());
    QCOMPARE(*state.wait, WaitFor::Signal);
    QVERIFY(state.waitSinceNs >= state.itemSinceNs);
    QVERIFY(state.waitedFor(WaitFor::Signal) >= 0);
    QVERIFY(state.firstOperationNs >= before && state.lastOperationNs >= state.firstOperationNs);

    story.end.set();
    QVERIFY(process.join(patience));
    const ActivityState last = story.activity.state();
    QCOMPARE(last.phase, Phase::Done);
    QCOMPARE(last.done, 10U);
    QVERIFY(!last.item && !last.wait);
    const auto spans = drained(story.activity);
    QCOMPARE(countOf(spans, TraceKind::Failed), 1);
    QVERIFY(countOf(spans, TraceKind::Sleeping) >= 1);
    QVERIFY(countOf(spans, TraceKind::Ready) >= 1);
    QVERIFY(countOf(spans, TraceKind::Running) >= 8);
    for (std::size_t i = 1; i < spans.size(); ++i)
        QVERIFY(spans[i].endNs >= spans[i - 1].endNs && spans[i].startNs <= spans[i].endNs);
}

void tst_Activity::isReadAfterASigkill()
{
    const ProcessScope scope; // Also after a failure nobody is left.
    const Storyteller story{made(Activity::create()), made(Event::create()), made(Event::create())};
    const Process process = made(Process::create({}, story));
    QVERIFY(process.start());
    story.gate.set();
    QTRY_VERIFY_WITH_TIMEOUT(story.activity.state().item == std::optional<quint64>(10), patienceMs);
    QVERIFY(process.kill());
    QVERIFY(process.join(patience));
    const ActivityState state = story.activity.state();
    QCOMPARE(state.phase, Phase::Working);
    QCOMPARE(state.done, 9U);
    QCOMPARE(state.item, std::optional<quint64>(10));
    const auto end = made(process.end());
    QVERIFY(end);
    QCOMPARE(end->signal, SIGKILL);
    QVERIFY(!end->isOwnSignal);
}

void tst_Activity::progressIsOfTheItemInHand()
{
    const ProcessScope scope; // Also after a failure nobody is left.
    QFETCH(const StartMethod, method);
    const Climber climber{made(Activity::create()), made(Semaphore::create(0))};
    const Process process = made(Process::create({.startMethod = method}, climber));
    QVERIFY(process.start());
    const auto stands = [&climber](quint64 item, std::optional<double> progress) {
        const ActivityState state = climber.activity.state();
        return state.item == std::optional(item) && state.itemProgress == progress;
    };
    QTRY_VERIFY_WITH_TIMEOUT(stands(0, std::nullopt), patienceMs);
    QVERIFY(climber.step.release());
    QTRY_VERIFY_WITH_TIMEOUT(stands(1, 0.25), patienceMs);
    QVERIFY(climber.step.release());
    QTRY_VERIFY_WITH_TIMEOUT(stands(1, 1), patienceMs);
    QVERIFY(climber.step.release());
    QTRY_VERIFY_WITH_TIMEOUT(stands(2, std::nullopt), patienceMs);
    QVERIFY(climber.step.release());
    QVERIFY(process.join(patience));
    QVERIFY(!climber.activity.state().itemProgress);
}

void tst_Activity::progressIsReadAfterASigkill()
{
    const ProcessScope scope; // Also after a failure nobody is left.
    const Climber climber{made(Activity::create()), made(Semaphore::create(1))};
    const Process process = made(Process::create({}, climber));
    QVERIFY(process.start());
    QTRY_COMPARE_WITH_TIMEOUT(climber.activity.state().itemProgress, std::optional(0.25),
                              patienceMs);
    QVERIFY(process.kill());
    QVERIFY(process.join(patience));
    QCOMPARE(climber.activity.state().itemProgress, std::optional(0.25));
}

void tst_Activity::progressGoesToTheInnerReport()
{
    setTaskProgress(0.5); // Nobody looks.
    const Activity outer = made(Activity::create());
    const Activity inner = made(Activity::create());
    const auto tellsOf = [](const Activity &activity) { return activity.state().itemProgress; };
    {
        ActivityReport report(outer);
        report.begin(0);
        {
            ActivityReport own(inner);
            own.begin(0);
            setTaskProgress(0.125);
        }
        QCOMPARE(tellsOf(inner), std::optional(0.125));
        QVERIFY(!tellsOf(outer));
        setTaskProgress(0.75);
    }
    setTaskProgress(0.5);
    QCOMPARE(tellsOf(inner), std::optional(0.125));
    QCOMPARE(tellsOf(outer), std::optional(0.75));
}

void tst_Activity::waitsAreToldApart()
{
    const ProcessScope scope; // Also after a failure nobody is left.
    const Waiter waiter{made(Activity::create()), made(Queue<int>::create()),
                        made(Queue<int>::create(1)), made(Lock::create())};
    QVERIFY(waiter.full.put(0));
    QVERIFY(waiter.lock.acquire());
    const Process process = made(Process::create({}, waiter));
    QVERIFY(process.start());
    const auto waitsFor = [&waiter](WaitFor subject) {
        return waiter.activity.state().wait == std::optional(subject);
    };
    QTRY_VERIFY_WITH_TIMEOUT(waitsFor(WaitFor::Item), patienceMs);
    QVERIFY(waiter.items.put(1));
    QTRY_VERIFY_WITH_TIMEOUT(waitsFor(WaitFor::Room), patienceMs);
    QVERIFY(waiter.full.get());
    QTRY_VERIFY_WITH_TIMEOUT(waitsFor(WaitFor::Lock), patienceMs);
    QVERIFY(waiter.activity.state().waitedFor(WaitFor::Lock) >= 0);
    QVERIFY(waiter.lock.release());
    QVERIFY(process.join(patience));
    const ActivityState state = waiter.activity.state();
    QCOMPARE(state.phase, Phase::Done);
    for (const WaitFor subject : {WaitFor::Item, WaitFor::Room, WaitFor::Lock})
        QVERIFY(state.waitedFor(subject) > 0);
    QCOMPARE(state.waitedFor(WaitFor::Signal), 0);
    const auto spans = drained(waiter.activity);
    QCOMPARE(countOf(spans, TraceKind::WaitingOnEmpty), 1);
    QCOMPARE(countOf(spans, TraceKind::BlockedOnFull), 1);
    QCOMPARE(countOf(spans, TraceKind::WaitingForLock), 1);
}

void tst_Activity::workBeforeAWaitIsSeen()
{
    const ProcessScope scope; // Also after a failure nobody is left.
    const Maker maker{made(Activity::create()), made(Queue<int>::create(1))};
    QVERIFY(maker.full.put(0));
    const Process process = made(Process::create({}, maker));
    QVERIFY(process.start());
    const auto waits = [&maker] { return maker.activity.state().wait == WaitFor::Room; };
    QTRY_VERIFY_WITH_TIMEOUT(waits(), patienceMs);
    const auto soFar = drained(maker.activity);
    QCOMPARE(soFar.size(), std::size_t{1}); // While it still waits.
    QCOMPARE(soFar[0].kind, TraceKind::Sleeping);
    QCOMPARE(soFar[0].index, 0U);
    QVERIFY(soFar[0].endNs - soFar[0].startNs >= Maker::workNs / 2);
    QVERIFY(soFar[0].endNs <= maker.activity.state().waitSinceNs);
    QCOMPARE(maker.activity.state().done, 0U);

    for (int i = 0; i < 2; ++i) // The second item waits too.
        QVERIFY(maker.full.get());
    QVERIFY(process.join(patience));
    QCOMPARE(maker.activity.state().done, 2U);
    quint64 counted = 0;
    qint64 endNs = 0;
    for (const TraceSpan &span : drained(maker.activity)) {
        QVERIFY(span.startNs >= endNs && span.endNs >= span.startNs);
        endNs = span.endNs;
        if (span.kind != TraceKind::BlockedOnFull)
            counted += span.count;
    }
    QCOMPARE(counted, 2U); // Each item once, although a wait divides it.
    QVERIFY(endNs <= maker.activity.state().lastOperationNs);
}

void tst_Activity::crowdedItemsAreSummedUp()
{
    constexpr quint64 items = 200'000;
    const Activity activity = made(Activity::create());
    {
        ActivityReport report(activity);
        report.start();
        for (quint64 i = 0; i < items; ++i) {
            report.begin(i);
            report.finish();
        }
        report.end();
    }
    QCOMPARE(activity.state().done, items);
    quint64 count = 0;
    bool hasSummary = false;
    for (const TraceSpan &span : drained(activity)) {
        count += span.count;
        hasSummary = hasSummary || span.kind == TraceKind::Busy;
    }
    QCOMPARE(count, items);
    QVERIFY(hasSummary);
}

void tst_Activity::everyItemHasItsSpan()
{
    constexpr quint32 items = 1'000;
    const Activity activity = made(Activity::create());
    ActivityReport report(activity);
    report.setDetail(ActivityReport::Detail::EveryItem);
    report.start();
    for (quint64 i = 0; i < items; ++i) {
        report.begin(i);
        report.finish();
    }
    const auto spans = drained(activity);
    QCOMPARE(spans.size(), std::size_t{items});
    for (quint32 i = 0; i < items; ++i) {
        QCOMPARE(spans[i].index, i);
        QCOMPARE(spans[i].count, 1U);
    }
    // In batches, whose spans begin with their first.
    report.begin(items);
    report.finish(ActivityReport::Spent::OnCore, 256);
    QCOMPARE(drained(activity).back().index, items);
    QCOMPARE(drained(activity).back().count, 256U);
    QCOMPARE(activity.state().done, quint64{items} + 256);
}

PROCLAB_WORKER_TEST_MAIN(tst_Activity)
#include "tst_activity.moc"
