// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/call/future.h"
#include "core/runtime/clock.h"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace proclab {

/// What waitFor() waits for. FirstException: the first that failed, or else all.
enum class ReturnWhen { FirstCompleted, FirstException, AllCompleted };

/// Watches distinct states until some of them are settled.
///
/// Threads: any; the states may be settled by any thread meanwhile.
class FutureWatch
{
public:
    explicit FutureWatch(std::vector<std::shared_ptr<FutureState>> states);
    ~FutureWatch();
    FutureWatch(const FutureWatch &) = delete;
    FutureWatch &operator=(const FutureWatch &) = delete;

    /// Waits until @p when holds or the time is up.
    void waitUntil(ReturnWhen when, TimeLimit limit);
    /// The position of the next settled state, each once, in the order in which they were settled;
    /// those that were settled before come first. EndOfStream after the last, Timeout.
    Result<std::size_t> next(TimeLimit limit);

private:
    struct Shared
    {
        std::mutex mutex;
        std::condition_variable changed;
        // Guarded by mutex.
        std::deque<std::size_t> settled; ///< Positions that next() has not returned yet.
        std::size_t settledCount = 0;
        std::size_t failedCount = 0;
    };

    struct Watched
    {
        std::shared_ptr<FutureState> state; ///< None: given out.
        quint64 callback = 0;
    };

    const std::shared_ptr<Shared> m_shared;
    std::vector<Watched> m_watched;
    std::size_t m_given = 0;
};

/// The distinct ones of @p futures, in their order.
template<typename T>
[[nodiscard]] std::vector<Future<T>> distinct(std::span<const Future<T>> futures)
{
    std::vector<Future<T>> once;
    std::set<const FutureState *> seen;
    for (const Future<T> &future : futures) {
        if (seen.insert(future.state().get()).second)
            once.push_back(future);
    }
    return once;
}

template<typename T>
[[nodiscard]] std::vector<std::shared_ptr<FutureState>>
statesOf(const std::vector<Future<T>> &futures)
{
    std::vector<std::shared_ptr<FutureState>> states;
    for (const Future<T> &future : futures)
        states.push_back(future.state());
    return states;
}

template<typename T>
struct WaitResult
{
    std::vector<Future<T>> done; ///< With value, error or cancelled.
    std::vector<Future<T>> notDone;
};

/// Like Python's concurrent.futures.wait(): blocks until @p when holds for @p futures or the time
/// is up. Each of them is then once in one of the two groups, in the order of @p futures.
template<typename T>
[[nodiscard]] WaitResult<T> waitFor(const std::vector<Future<T>> &futures,
                                    ReturnWhen when = ReturnWhen::AllCompleted,
                                    TimeLimit limit = std::nullopt)
{
    const std::vector<Future<T>> once = distinct<T>(futures);
    FutureWatch(statesOf(once)).waitUntil(when, limit);
    WaitResult<T> result;
    for (const Future<T> &future : once)
        (future.isDone() ? result.done : result.notDone).push_back(future);
    return result;
}

/// Futures one by one as they complete; see asCompleted().
///
/// Threads: one at a time.
template<typename T>
class CompletionStream
{
public:
    CompletionStream(std::vector<Future<T>> futures, TimeLimit limit)
        : m_watch(std::make_unique<FutureWatch>(statesOf(futures)))
        , m_endNs(limit ? std::optional(runtime::nowNs() + limit->count()) : std::nullopt)
    {
        for (Future<T> &future : futures)
            m_futures.emplace_back(std::move(future));
    }

    /// The next one that is done. EndOfStream after the last; Timeout, which says how many are
    /// left.
    Result<Future<T>> next()
    {
        TimeLimit left;
        if (m_endNs)
            left = std::chrono::nanoseconds(*m_endNs - runtime::nowNs());
        const Result<std::size_t> position = m_watch->next(left);
        if (!position)
            return position.error();
        return *std::exchange(m_futures[*position], std::nullopt);
    }

private:
    std::unique_ptr<FutureWatch> m_watch;
    std::optional<qint64> m_endNs;                   ///< CLOCK_MONOTONIC.
    std::vector<std::optional<Future<T>>> m_futures; ///< None: given out.
};

/// Like Python's as_completed(): the distinct ones of @p futures, each when it is done; those that
/// are done already come first. @p limit counts from now. The stream drops a future once it has
/// returned it.
template<typename T>
[[nodiscard]] CompletionStream<T> asCompleted(const std::vector<Future<T>> &futures,
                                              TimeLimit limit = std::nullopt)
{
    return CompletionStream<T>(distinct<T>(futures), limit);
}

} // namespace proclab
