// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/executor/future.h"

#include "core/runtime/sync/clock.h"
#include "core/runtime/trace/process_notes.h"

#include <QDebug>
#include <QObject>

#include <algorithm>
#include <climits>
#include <exception>

namespace proclab {

/// Tells another thread.
class SettledRelay final : public QObject
{
    Q_OBJECT

Q_SIGNALS:
    void settled();
};

namespace {

/// While a callback runs its thread does what users want: who waits for them may not wait in vain.
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

FutureState::Phase FutureState::phase() const
{
    const Phase settled = settledPhase();
    if (settled != Phase::Pending)
        return settled;
    if (!hasStarted())
        return settledPhase();
    return std::max(settledPhase(), Phase::Running);
}

bool FutureState::setRunning()
{
    const std::lock_guard lock(m_mutex);
    if (settledPhase() != Phase::Pending)
        return false;
    m_phase.store(static_cast<quint32>(Phase::Running), std::memory_order_release);
    return true;
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

/// Settles it, if @p from is given only out of that phase.
bool FutureState::finish(Phase phase, std::optional<Outcome> outcome, std::optional<Phase> from)
{
    std::vector<std::pair<quint64, std::function<void()>>> callbacks;
    {
        const std::lock_guard lock(m_mutex);
        if (isSettled() || (from && settledPhase() != *from))
            return false;
        if (outcome)
            m_outcome = std::move(*outcome);
        m_phase.store(static_cast<quint32>(phase), std::memory_order_seq_cst);
        callbacks.swap(m_callbacks);
    }
    if (m_waiters.load(std::memory_order_seq_cst) != 0)
        runtime::futexWake(m_phase, INT_MAX);
    for (const auto &[number, callback] : callbacks)
        call(callback);
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
        const quint32 seen = m_phase.load(std::memory_order_acquire);
        if (seen >= static_cast<quint32>(Phase::Cancelled))
            return true;
        const qint64 left = limit ? end - runtime::nowNs() : -1;
        if (limit && left <= 0)
            return false;
        noted.sleepsFor({runtime::WaitSubject::Kind::Calls}, limit ? end : runtime::noDeadline);
        // Counted before the phase is looked at again: who settles it then sees the waiter.
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
        const std::lock_guard lock(m_mutex);
        if (!isSettled()) {
            m_callbacks.emplace_back(++m_lastCallback, std::move(callback));
            return m_lastCallback;
        }
    }
    call(callback);
    return 0;
}

void FutureState::removeCallback(quint64 number)
{
    if (m_forkCount != runtime::forkCount())
        return;                    // Its mutex may be held for ever here.
    std::function<void()> removed; // What it holds is let go after the mutex.
    const std::lock_guard lock(m_mutex);
    const auto found =
        std::ranges::find(m_callbacks, number, [](const auto &one) { return one.first; });
    if (found == m_callbacks.end())
        return;
    removed = std::move(found->second);
    m_callbacks.erase(found);
}

void FutureState::then(QObject *context, std::function<void()> callback)
{
    // A connection ends with its receiver, whichever thread that happens in.
    const auto relay = std::make_shared<SettledRelay>();
    QObject::connect(
        relay.get(), &SettledRelay::settled, context,
        [callback = std::move(callback)] { call(callback); }, Qt::QueuedConnection);
    addCallback([relay] { Q_EMIT relay->settled(); });
}

} // namespace proclab

#include "future.moc"
