// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/call/future.h"

#include "core/runtime/clock.h"
#include "core/runtime/trace/process_notes.h"

#include <QDebug>
#include <QObject>

#include <algorithm>
#include <climits>
#include <exception>

#include <sched.h>

namespace proclab {

/// Carries the news to another thread.
class SettledRelay final : public QObject
{
    Q_OBJECT

Q_SIGNALS:
    void settled();
};

namespace {

/// Notes that a callback runs: its thread does what the user wants meanwhile, so nobody who waits
/// for this process is stuck for sure.
class InCallback
{
public:
    InCallback()
    {
        if (m_notes)
            m_notes->beginCallback();
    }
    ~InCallback()
    {
        if (m_notes)
            m_notes->endCallback();
    }
    InCallback(const InCallback &) = delete;
    InCallback &operator=(const InCallback &) = delete;

private:
    runtime::ProcessNotes *const m_notes = runtime::ownNotes();
};

void call(const std::function<void()> &callback)
{
    const InCallback noted;
    try {
        callback();
    } catch (const std::exception &exception) {
        qWarning("A callback of a future threw: %s", exception.what());
    } catch (...) {
        qWarning("A callback of a future threw");
    }
}

} // namespace

FutureState::FutureState() = default;
FutureState::~FutureState() = default;

FutureState::Phase FutureState::phase() const
{
    const Phase settled = settledPhase();
    if (settled != Phase::Pending)
        return settled;
    if (!hasStarted())
        return settledPhase();
    return std::max(settledPhase(), Phase::Running);
}

/// Takes the lock, which is only held briefly, and returns the phase.
FutureState::Phase FutureState::lock()
{
    for (;;) {
        quint32 seen = m_phase.load(std::memory_order_relaxed) & ~lockBit;
        if (m_phase.compare_exchange_strong(seen, seen | lockBit, std::memory_order_acquire,
                                            std::memory_order_relaxed))
            return static_cast<Phase>(seen);
        ::sched_yield();
    }
}

void FutureState::unlock(Phase phase)
{
    m_phase.store(static_cast<quint32>(phase), std::memory_order_release);
}

bool FutureState::setRunning()
{
    const Phase phase = lock();
    unlock(phase == Phase::Pending ? Phase::Running : phase);
    return phase == Phase::Pending;
}

bool FutureState::settle(Outcome outcome)
{
    const bool isCancelled = !outcome && outcome.error().code == ErrorCode::Cancelled;
    const Phase phase = isCancelled ? Phase::Cancelled : outcome ? Phase::Done : Phase::Failed;
    return finish(phase, std::move(outcome), std::nullopt);
}

bool FutureState::cancel()
{
    return finish(Phase::Cancelled, Error{ErrorCode::Cancelled}, Phase::Pending) ||
           settledPhase() == Phase::Cancelled;
}

/// Settles it; if @p from is given, only out of that phase.
bool FutureState::finish(Phase phase, std::optional<Outcome> outcome, std::optional<Phase> from)
{
    if (const Phase before = lock(); before >= Phase::Cancelled || (from && before != *from)) {
        unlock(before);
        return false;
    }
    if (outcome)
        m_outcome = std::move(*outcome);
    const std::unique_ptr<Callbacks> callbacks = std::move(m_callbacks);
    // Also unlocks. Comes before the look at the waiters: one that counts itself later sees it.
    m_phase.store(static_cast<quint32>(phase), std::memory_order_seq_cst);
    if (m_waiters.load(std::memory_order_seq_cst) != 0)
        runtime::futexWake(m_phase, INT_MAX);
    if (callbacks) {
        for (const auto &[number, callback] : *callbacks)
            call(callback);
    }
    return true;
}

bool FutureState::wait(TimeLimit limit) const
{
    if (isSettled() || m_forkCount != runtime::forkCount())
        return isSettled();
    const qint64 limitNs = limit ? std::max<qint64>(limit->count(), 0) : -1;
    const qint64 end = runtime::nowNs() + limitNs;
    if (limitNs != 0)
        help();
    runtime::WaitScope noted;
    for (;;) {
        const quint32 seen = m_phase.load(std::memory_order_acquire); // With its lock.
        if (isSettled())
            return true;
        const qint64 left = limit ? end - runtime::nowNs() : -1;
        if (limit && left <= 0)
            return false;
        noted.sleepsFor({runtime::WaitSubject::Type::Calls}, limit ? end : runtime::noDeadline);
        // Counted before the second look at the phase, so that settling it later sees the waiter.
        m_waiters.fetch_add(1, std::memory_order_seq_cst);
        if (m_phase.load(std::memory_order_seq_cst) == seen)
            runtime::futexWait(m_phase, seen, left);
        m_waiters.fetch_sub(1, std::memory_order_relaxed);
    }
}

Error FutureState::whyNotSettled() const
{
    if (m_forkCount == runtime::forkCount())
        return {ErrorCode::Timeout};
    return {ErrorCode::InvalidState,
            {},
            ErrorText::tr("the result goes to the process that forked this one")};
}

quint64 FutureState::addCallback(std::function<void()> callback)
{
    if (m_forkCount == runtime::forkCount()) {
        const Phase phase = lock();
        if (phase < Phase::Cancelled) {
            static std::atomic<quint64> lastNumber = 0;
            if (!m_callbacks)
                m_callbacks = std::make_unique<Callbacks>();
            const quint64 number = ++lastNumber;
            m_callbacks->emplace_back(number, std::move(callback));
            unlock(phase);
            return number;
        }
        unlock(phase);
    }
    call(callback);
    return 0;
}

void FutureState::removeCallback(quint64 number)
{
    if (m_forkCount != runtime::forkCount())
        return;                    // Its lock may be held forever here.
    std::function<void()> removed; // Destroyed after the lock is free.
    const Phase phase = lock();
    if (m_callbacks) {
        const auto found =
            std::ranges::find(*m_callbacks, number, [](const auto &one) { return one.first; });
        if (found != m_callbacks->end()) {
            removed = std::move(found->second);
            m_callbacks->erase(found);
        }
    }
    unlock(phase);
}

void FutureState::then(QObject *context, std::function<void()> callback)
{
    // A connection ends with its receiver, in whatever thread that ends.
    const auto relay = std::make_shared<SettledRelay>();
    QObject::connect(
        relay.get(), &SettledRelay::settled, context,
        [callback = std::move(callback)] { call(callback); }, Qt::QueuedConnection);
    addCallback([relay] { Q_EMIT relay->settled(); });
}

} // namespace proclab

#include "future.moc"
