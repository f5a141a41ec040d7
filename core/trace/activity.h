// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/clock.h"
#include "core/runtime/trace/activity_body.h"
#include "core/sync/shared_handle.h"

#include <array>
#include <chrono>
#include <numeric>
#include <optional>

namespace proclab {

/// What a process is doing, as its Activity tells at one instant. Times are on the clock of
/// runtime::nowNs(), nanoseconds.
struct ActivityState
{
    using Phase = runtime::ActivityBody::Phase;
    using WaitFor = runtime::WaitFor;

    Phase phase = Phase::New;
    quint64 done = 0;            ///< Items.
    quint64 failed = 0;          ///< Items that failed.
    std::optional<quint64> item; ///< In hand.
    qint64 itemSinceNs = 0;
    std::optional<double> itemProgress; ///< How far it is, 0 to 1, if that is told.
    std::optional<WaitFor> wait;
    qint64 waitSinceNs = 0;
    /// By WaitFor, since it has begun to work; the present wait too.
    std::array<qint64, runtime::waitForCount> waitedNs = {};
    qint64 firstOperationNs = 0; ///< When the first item was begun; 0: none is done yet.
    qint64 lastOperationNs = 0;

    [[nodiscard]] qint64 waitedInAllNs() const
    {
        return std::accumulate(waitedNs.begin(), waitedNs.end(), qint64{0});
    }
    [[nodiscard]] qint64 waitedFor(WaitFor subject) const
    {
        return waitedNs[static_cast<std::size_t>(subject)];
    }
};

/// What one process tells observers of its work: how far it is, what it has in hand, what it waits
/// for, and how its time was spent. It lies in shared memory: telling costs some nanoseconds and no
/// message, and it can be read after a SIGKILL.
///
/// An observer makes one for each process and hands it over with the arguments; the process tells
/// through an ActivityReport.
///
/// Threads: any; one at a time drains.
class Activity : public SharedHandle
{
public:
    static constexpr auto kind = runtime::ObjectKind::Activity;

    /// OsError if there is no room: about 130 KiB.
    static Result<Activity> create()
    {
        auto object = make(kind, sizeof(runtime::ActivityBody));
        if (!object)
            return object.error();
        return of(std::move(*object));
    }
    static Activity of(runtime::ObjectRef object) { return Activity(std::move(object)); }

    [[nodiscard]] ActivityState state() const;
    /// The process's number in its tree, from Ready on; 0 before. See Queue::trafficOf().
    [[nodiscard]] quint32 member() const { return body().sharer.load(std::memory_order_acquire); }
    /// Hands the spans since @p cursor, which begins at 0, to @p take(const runtime::TraceSpan &);
    /// returns how many of them were overwritten before.
    template<typename Take>
    quint64 drain(std::uint64_t &cursor, Take take) const
    {
        return body().spans.drain(cursor, take);
    }

private:
    friend class ActivityReport;

    explicit Activity(runtime::ObjectRef object) : SharedHandle(std::move(object)) {}
    [[nodiscard]] runtime::ActivityBody &body() const
    {
        return object()->body<runtime::ActivityBody>();
    }
};

/// Reports the calling thread's work through an Activity, for as long as it lives. The thread's
/// waits for shared objects are reported without its doing, and setTaskProgress() of
/// core/trace/progress.h reports how far the item in hand is. While items come too fast for spans
/// of their own, some 6,400 a second, spans are summaries, and the clock is read for one item
/// in 32.
///
///     ActivityReport report(activity);
///     report.ready(); // An observer may wait for that, and then let it begin.
///     gate.wait();
///     report.start();
///     for (quint64 i = 0; i < count; ++i) {
///         report.begin(i);
///         …
///         report.finish();
///     }
///
/// Threads: the one that made it.
class ActivityReport final : private runtime::WaitObserver
{
public:
    enum class Detail {
        Summaries, ///< Where items come too fast for spans of their own.
        EveryItem, ///< A span for each item and each wait, which costs some 60 ns.
    };
    /// Whether an item was off the core most of its time.
    using Spent = runtime::Spent;

    explicit ActivityReport(const Activity &activity);
    ~ActivityReport();
    ActivityReport(const ActivityReport &) = delete;
    ActivityReport &operator=(const ActivityReport &) = delete;

    /// The clock as it was last read: when the item before was done, or some 32 items ago where
    /// items come fast.
    [[nodiscard]] qint64 lastReadingNs() const { return m_lastNs; }

    void ready();
    /// Also sets the beginning of the first span.
    void start();
    void setDetail(Detail detail) { m_detail = detail; }

    /// Item @p number is in hand from the end of the one before on.
    void begin(quint64 number)
    {
        m_number = number;
        m_spent = Spent::OnCore;
        m_body.begin(number, m_lastNs);
    }
    /// How the item in hand has spent its time so far: for its span, if it has to wait now. A wait
    /// of the item in hand, such as for room in a queue, divides it into two spans; only the first
    /// one counts it.
    void setSpent(Spent spent) { m_spent = spent; }
    /// The item in hand is done, and @p count - 1 that follow it.
    void finish(Spent spent = Spent::OnCore, quint32 count = 1)
    {
        m_body.finish(count);
        m_number += count - 1;
        if (m_isTold)
            tellRest(kindOf(spent), count - 1);
        else
            tell(kindOf(spent), count);
    }
    /// The item in hand has failed.
    void fail();
    /// An item that is not in hand has failed.
    void countFailure() { m_body.failed.fetch_add(1, std::memory_order_relaxed); }
    /// All work is done.
    void end();

private:
    static runtime::TraceKind kindOf(Spent spent)
    {
        return spent == Spent::OnCore  ? runtime::TraceKind::Running
               : spent == Spent::Ready ? runtime::TraceKind::Ready
                                       : runtime::TraceKind::Sleeping;
    }
    void waitBegan(runtime::WaitFor subject) override;
    void waitEnded() override;
    void tell(runtime::TraceKind kind, quint32 count)
    {
        m_untimed += count;
        if (m_detail == Detail::EveryItem || !m_spans.isCrowded() ||
            (m_sinceClock += count) >= itemsAClock)
            tellSpan(kind, runtime::nowNs());
    }
    void tellSpan(runtime::TraceKind kind, qint64 now);
    void tellUpToWait();
    void tellRest(runtime::TraceKind kind, quint32 more);
    void pushSpan(runtime::TraceKind kind, std::uint32_t index, quint32 count, qint64 now);

    static constexpr quint32 itemsAClock = 32;

    const Activity m_activity;
    runtime::ActivityBody &m_body;
    runtime::SpanWriter m_spans;
    WaitObserver *const m_outer;
    runtime::TaskProgress *const m_outerProgress;
    Detail m_detail = Detail::Summaries;
    quint64 m_number = 0;
    qint64 m_lastNs = 0;   ///< The last reading of the clock.
    qint64 m_waitedNs = 0; ///< In waits since then.
    quint32 m_untimed = 0; ///< Items since then.
    quint32 m_sinceClock = 0;
    Spent m_spent = Spent::OnCore;
    bool m_isTold = false; ///< The item in hand, up to a wait.
    runtime::WaitFor m_wait = runtime::WaitFor::Signal;
    qint64 m_waitBeganNs = 0;
};

} // namespace proclab
