// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/trace/activity.h"

#include "core/runtime/memory/object_space.h"

#include <algorithm>

#include <unistd.h>

namespace proclab {

using runtime::TraceKind;
using runtime::WaitFor;

namespace {

/// Shorter waits are counted, but have no span of their own.
constexpr qint64 shortestWaitSpanNs = 2'000;

TraceKind spanKindOf(WaitFor subject)
{
    switch (subject) {
    case WaitFor::Room:
        return TraceKind::BlockedOnFull;
    case WaitFor::Item:
        return TraceKind::WaitingOnEmpty;
    case WaitFor::Lock:
        return TraceKind::WaitingForLock;
    case WaitFor::Signal:
        break;
    }
    return TraceKind::Sleeping;
}

} // namespace

ActivityState Activity::state() const
{
    const runtime::ActivityBody &body = this->body();
    ActivityState state;
    state.phase = body.phase.load(std::memory_order_acquire);
    const std::uint64_t progress = body.progress.load(std::memory_order_acquire);
    state.done = progress / 2;
    if (progress % 2 != 0) {
        state.item = body.current.load(std::memory_order_relaxed);
        state.itemProgress = body.itemProgress.fraction();
    }
    state.itemSinceNs = body.currentSinceNs.load(std::memory_order_relaxed);
    state.failed = body.failed.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < state.waitedNs.size(); ++i)
        state.waitedNs[i] = body.waitedNs[i].load(std::memory_order_relaxed);
    if (const std::uint32_t wait = body.wait.load(std::memory_order_acquire); wait != 0) {
        state.wait = static_cast<WaitFor>(wait - 1);
        state.waitSinceNs = body.waitSinceNs.load(std::memory_order_relaxed);
    }
    if (state.wait && state.phase == ActivityState::Phase::Working) {
        state.waitedNs[static_cast<std::size_t>(*state.wait)] +=
            std::max<qint64>(0, runtime::nowNs() - state.waitSinceNs);
    }
    state.firstOperationNs = body.firstOperationNs.load(std::memory_order_relaxed);
    state.lastOperationNs = body.lastOperationNs.load(std::memory_order_relaxed);
    return state;
}

ActivityReport::ActivityReport(const Activity &activity)
    : m_activity(activity)
    , m_body(activity.body())
    , m_spans(m_body.spans)
    , m_outer(WaitObserver::setCurrent(this))
    , m_outerProgress(runtime::TaskProgress::setCurrent(&m_body.itemProgress))
    , m_lastNs(runtime::nowNs())
{
    m_body.pid.store(::getpid(), std::memory_order_relaxed);
    m_body.sharer.store(runtime::ObjectSpace::instance().self(), std::memory_order_release);
}

ActivityReport::~ActivityReport()
{
    runtime::TaskProgress::setCurrent(m_outerProgress);
    WaitObserver::setCurrent(m_outer);
}

void ActivityReport::ready()
{
    m_body.phase.store(runtime::ActivityBody::Phase::Ready, std::memory_order_release);
}

void ActivityReport::start()
{
    m_lastNs = runtime::nowNs();
    m_body.phase.store(runtime::ActivityBody::Phase::Working, std::memory_order_release);
}

void ActivityReport::fail()
{
    countFailure();
    m_body.drop();
    m_isTold = false;
    tell(TraceKind::Failed, 1);
}

void ActivityReport::end()
{
    if (m_untimed > 0)
        tellSpan(TraceKind::Running, runtime::nowNs());
    m_body.phase.store(runtime::ActivityBody::Phase::Done, std::memory_order_release);
}

void ActivityReport::waitBegan(WaitFor subject)
{
    m_wait = subject;
    m_waitBeganNs = runtime::nowNs();
    tellUpToWait();
    m_body.waitSinceNs.store(m_waitBeganNs, std::memory_order_relaxed);
    m_body.wait.store(1 + static_cast<std::uint32_t>(subject), std::memory_order_release);
}

void ActivityReport::waitEnded()
{
    const qint64 now = runtime::nowNs();
    m_body.wait.store(0, std::memory_order_relaxed);
    if (m_body.phase.load(std::memory_order_relaxed) != runtime::ActivityBody::Phase::Working)
        return; // At the gate.
    auto &waited = m_body.waitedNs[static_cast<std::size_t>(m_wait)];
    waited.store(waited.load(std::memory_order_relaxed) + (now - m_waitBeganNs),
                 std::memory_order_relaxed);
    const bool isShort = now - m_waitBeganNs <= shortestWaitSpanNs;
    if (m_untimed > 0 && !isShort) // What was done before it does not last as long.
        tellSpan(TraceKind::Running, m_waitBeganNs);
    m_waitedNs += now - m_waitBeganNs;
    const TraceKind kind = spanKindOf(m_wait);
    if (m_detail == Detail::EveryItem)
        m_body.spans.push({m_waitBeganNs, now, 0, 1, kind, 0});
    else if (!isShort)
        m_spans.add(kind, static_cast<std::uint32_t>(m_number), m_waitBeganNs, now);
    if (m_untimed == 0) { // The item's own span begins behind the wait.
        m_lastNs = now;
        m_waitedNs = 0;
    }
}

void ActivityReport::tellSpan(TraceKind kind, qint64 now)
{
    // The first of those since the last reading, where they are numbered one by one.
    const bool isInHand = m_body.progress.load(std::memory_order_relaxed) % 2 != 0;
    const quint64 next = m_number + (isInHand ? 0 : 1);
    const quint64 first = next > m_untimed ? next - m_untimed : 0;
    pushSpan(kind, static_cast<std::uint32_t>(first), m_untimed, now);
}

/// What was done for the item in hand does not wait with it. Where items come so fast that the
/// clock is not read for each, it goes with those before.
void ActivityReport::tellUpToWait()
{
    const bool isInHand = m_body.progress.load(std::memory_order_relaxed) % 2 != 0;
    if (!isInHand || m_untimed > 0 || m_waitBeganNs - m_lastNs <= shortestWaitSpanNs)
        return;
    pushSpan(kindOf(m_spent), static_cast<std::uint32_t>(m_number), m_isTold ? 0 : 1,
             m_waitBeganNs);
    m_isTold = true;
}

/// After the last wait of an item that is told up to there.
void ActivityReport::tellRest(TraceKind kind, quint32 more)
{
    m_isTold = false;
    const qint64 now = runtime::nowNs();
    m_body.lastOperationNs.store(now, std::memory_order_relaxed);
    if (more > 0 || now - m_lastNs > shortestWaitSpanNs)
        pushSpan(kind, static_cast<std::uint32_t>(m_number), more, now);
}

void ActivityReport::pushSpan(TraceKind kind, std::uint32_t index, quint32 count, qint64 now)
{
    if (m_detail == Detail::EveryItem)
        m_body.spans.push({m_lastNs, now, index, count, kind, 100});
    else
        m_spans.add(kind, index, m_lastNs, now, count, m_waitedNs);
    if (m_body.firstOperationNs.load(std::memory_order_relaxed) == 0)
        m_body.firstOperationNs.store(m_lastNs, std::memory_order_relaxed);
    m_body.lastOperationNs.store(now, std::memory_order_relaxed);
    m_untimed = 0;
    m_sinceClock = 0;
    m_lastNs = now;
    m_waitedNs = 0;
}

} // namespace proclab
