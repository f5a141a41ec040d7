// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/executor/future.h"

#include "core/runtime/sync/clock.h"

#include <QDebug>

#include <algorithm>
#include <climits>
#include <exception>

namespace proclab {

namespace {

void call(const std::function<void()> &callback)
{
    try {
        callback();
    } catch (const std::exception &exception) {
        qWarning("A callback of a future threw: %s", exception.what());
    } catch (...) {
        qWarning("A callback of a future threw");
    }
}

} // namespace

bool FutureState::setRunning()
{
    auto pending = static_cast<quint32>(Phase::Pending);
    return m_phase.compare_exchange_strong(pending, static_cast<quint32>(Phase::Running),
                                           std::memory_order_acq_rel);
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
           phase() == Phase::Cancelled;
}

/// Settles it, if @p from is given only out of that phase.
bool FutureState::finish(Phase phase, Outcome outcome, std::optional<Phase> from)
{
    std::vector<std::function<void()>> callbacks;
    {
        const std::lock_guard lock(m_mutex);
        if (isSettled())
            return false;
        std::swap(m_outcome, outcome);
        auto before = static_cast<quint32>(from.value_or(this->phase()));
        const auto after = static_cast<quint32>(phase);
        // Only setRunning() changes it beside, once.
        while (!m_phase.compare_exchange_strong(before, after, std::memory_order_seq_cst)) {
            if (from) {
                std::swap(m_outcome, outcome);
                return false;
            }
        }
        callbacks.swap(m_callbacks);
    }
    if (m_waiters.load(std::memory_order_seq_cst) != 0)
        runtime::futexWake(m_phase, INT_MAX);
    for (const auto &callback : callbacks)
        call(callback);
    return true;
}

bool FutureState::wait(TimeLimit limit) const
{
    if (isSettled())
        return true;
    const qint64 limitNs = limit ? std::max<qint64>(limit->count(), 0) : -1;
    const qint64 end = runtime::nowNs() + limitNs;
    if (help && limitNs != 0)
        help(*this);
    for (;;) {
        const quint32 seen = m_phase.load(std::memory_order_acquire);
        if (seen >= static_cast<quint32>(Phase::Cancelled))
            return true;
        const qint64 left = limit ? end - runtime::nowNs() : -1;
        if (limit && left <= 0)
            return false;
        // Counted before the phase is looked at again: who settles it then sees the waiter.
        m_waiters.fetch_add(1, std::memory_order_seq_cst);
        if (m_phase.load(std::memory_order_seq_cst) == seen)
            runtime::futexWait(m_phase, seen, left);
        m_waiters.fetch_sub(1, std::memory_order_relaxed);
    }
}

void FutureState::addCallback(std::function<void()> callback)
{
    {
        const std::lock_guard lock(m_mutex);
        if (!isSettled()) {
            m_callbacks.push_back(std::move(callback));
            return;
        }
    }
    call(callback);
}

} // namespace proclab
