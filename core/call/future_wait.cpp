// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/call/future_wait.h"

#include "core/runtime/trace/process_notes.h"

#include <algorithm>

namespace proclab {

namespace {

/// Waits until others make @p holds true; false if that did not happen within @p limit.
template<typename Holds>
bool waitUntilHolds(std::condition_variable &changed, std::unique_lock<std::mutex> &lock,
                    TimeLimit limit, Holds holds)
{
    if (holds())
        return true;
    const std::int64_t deadline = deadlineOf(limit);
    const runtime::WaitScope noted({runtime::WaitSubject::Type::Calls}, deadline);
    if (limit)
        return changed.wait_for(lock, std::max(*limit, std::chrono::nanoseconds(0)), holds);
    changed.wait(lock, holds);
    return true;
}

} // namespace

FutureWatch::FutureWatch(std::vector<std::shared_ptr<FutureState>> states)
    : m_shared(std::make_shared<Shared>())
{
    m_watched.reserve(states.size());
    for (std::size_t i = 0; i < states.size(); ++i) {
        const FutureState *state = states[i].get(); // Raw, for it is the state that calls.
        const quint64 callback = states[i]->addCallback([shared = m_shared, state, i] {
            const std::lock_guard lock(shared->mutex);
            shared->settled.push_back(i);
            ++shared->settledCount;
            shared->failedCount += state->phase() == FutureState::Phase::Failed ? 1 : 0;
            shared->changed.notify_all();
        });
        m_watched.push_back({std::move(states[i]), callback});
    }
}

FutureWatch::~FutureWatch()
{
    for (const Watched &one : m_watched) {
        if (one.state)
            one.state->removeCallback(one.callback);
    }
}

void FutureWatch::waitUntil(ReturnWhen when, TimeLimit limit)
{
    std::unique_lock lock(m_shared->mutex);
    const auto holds = [this, when] {
        const Shared &now = *m_shared;
        return now.settledCount == m_watched.size() ||
               (when == ReturnWhen::FirstCompleted && now.settledCount > 0) ||
               (when == ReturnWhen::FirstException && now.failedCount > 0);
    };
    waitUntilHolds(m_shared->changed, lock, limit, holds);
}

Result<std::size_t> FutureWatch::next(TimeLimit limit)
{
    if (m_given == m_watched.size())
        return Error{ErrorCode::EndOfStream};
    std::unique_lock lock(m_shared->mutex);
    const auto hasNext = [this] { return !m_shared->settled.empty(); };
    if (!waitUntilHolds(m_shared->changed, lock, limit, hasNext))
        return Error{ErrorCode::Timeout,
                     {},
                     ErrorText::tr("%1 of %2 futures unfinished")
                         .arg(m_watched.size() - m_given)
                         .arg(m_watched.size())};
    const std::size_t position = m_shared->settled.front();
    m_shared->settled.pop_front();
    lock.unlock();
    ++m_given;
    m_watched[position].state.reset();
    return position;
}

} // namespace proclab
