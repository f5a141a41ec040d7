// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/codec.h"
#include "core/base/result.h"
#include "core/base/time_limit.h"
#include "core/call/remote_error.h"
#include "core/runtime/futex.h"
#include "core/runtime/payload/encoded_bytes.h"
#include "core/runtime/task/fork_count.h"

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

class QObject;
template<typename T>
class QFuture;
template<typename T>
class QPromise;

namespace proclab {

/// The state that all handles of one task share, or of several tasks whose results belong together.
/// This class is settled by its holder alone; derived ones know where their tasks are.
///
/// Threads: any.
class FutureState
{
public:
    enum class Phase : quint32 { Pending, Running, Cancelled, Done, Failed };
    /// The encoded result (empty for several tasks, whose results lie elsewhere), or the error of
    /// the first that failed.
    using Outcome = Result<EncodedBytes>;

    FutureState();
    virtual ~FutureState();
    FutureState(const FutureState &) = delete;
    FutureState &operator=(const FutureState &) = delete;

    [[nodiscard]] Phase phase() const;
    [[nodiscard]] bool isSettled() const { return settledPhase() >= Phase::Cancelled; }
    [[nodiscard]] bool isCancelled() const { return settledPhase() == Phase::Cancelled; }
    /// Valid once isSettled(); it never changes then.
    [[nodiscard]] const Outcome &outcome() const { return m_outcome; }

    /// Pending -> Running; false if it was not pending.
    bool setRunning();
    /// Settles it, wakes the waiters and runs the callbacks; false if it is settled already.
    bool settle(Outcome outcome);
    /// Pending -> Cancelled; true if it is cancelled now, by this call or an earlier one.
    virtual bool cancel();
    /// False if it was not settled within @p limit; at once in a process that was forked since,
    /// where it never will be.
    [[nodiscard]] bool wait(TimeLimit limit) const;
    /// The error with which a wait in vain ends.
    [[nodiscard]] Error whyNotSettled() const;
    /// Runs @p callback once this is settled, in the thread that settles it; or at once if it is
    /// settled, or never will be here (see wait()). What the callback throws is logged and goes no
    /// further. Returns a number for removeCallback().
    quint64 addCallback(std::function<void()> callback);
    /// Forgets a callback, but does not stop one that runs.
    void removeCallback(quint64 number);
    /// Has the event loop of @p context's thread run @p callback once this is settled, unless
    /// @p context is gone by then.
    void then(QObject *context, std::function<void()> callback);

protected:
    /// settle() in two steps, for a holder that alone settles this.
    void prepare(EncodedBytes result) { m_outcome = std::move(result); }
    void settlePrepared() { finish(Phase::Done, std::nullopt, std::nullopt); }
    /// Called by a thread that is about to wait: fetches results that come soon.
    virtual void help() const {}
    /// Whether a worker has taken a task, though nobody has called setRunning().
    [[nodiscard]] virtual bool hasStarted() const { return false; }

private:
    using Callbacks = std::vector<std::pair<quint64, std::function<void()>>>;
    static constexpr quint32 lockBit = 16; ///< Beside the phase, in its word.

    [[nodiscard]] Phase settledPhase() const
    {
        return static_cast<Phase>(m_phase.load(std::memory_order_acquire) & ~lockBit);
    }
    Phase lock();
    void unlock(Phase phase);
    /// Takes the prepared outcome if @p outcome has no value.
    bool finish(Phase phase, std::optional<Outcome> outcome, std::optional<Phase> from);

    const quint32 m_forkCount = runtime::forkCount();
    runtime::FutexWord m_phase{
        0}; ///< With a bit as a lock, which is held briefly: a mutex would be large.
    mutable std::atomic<int> m_waiters{0};
    // Guarded by lock(); the outcome until it is settled.
    Outcome m_outcome = Error{ErrorCode::InvalidState};
    std::unique_ptr<Callbacks> m_callbacks; ///< None yet: null.
};

/// A handle of a result that is still to come. Copies are handles of one result; the task goes on
/// after the last of them is gone.
///
/// Threads: any. Blocking: only result(), error() and wait().
template<typename T>
class Future
{
public:
    using Phase = FutureState::Phase;
    /// Makes the value out of a state that is Done; throws what decoding throws.
    using Decoder = T (*)(const FutureState &);

    Future(std::shared_ptr<FutureState> state, Decoder decode)
        : m_state(std::move(state))
        , m_decode(decode)
    {}

    [[nodiscard]] Phase phase() const { return m_state->phase(); }
    [[nodiscard]] bool isRunning() const { return phase() == Phase::Running; }
    [[nodiscard]] bool isCancelled() const { return phase() == Phase::Cancelled; }
    /// Done, failed or cancelled.
    [[nodiscard]] bool isDone() const { return m_state->isSettled(); }
    /// Whether it ended without an error; InvalidState before it has ended.
    [[nodiscard]] Result<bool> isSuccessful() const
    {
        if (!isDone())
            return Error{ErrorCode::InvalidState};
        return phase() == Phase::Done;
    }

    /// Its value, decoded at each call: Timeout if it does not come within @p limit, Cancelled, or
    /// what the task failed with. EncodeError if the bytes that came are no T.
    [[nodiscard]] Result<T> result(TimeLimit limit = std::nullopt) const
    {
        if (!m_state->wait(limit))
            return m_state->whyNotSettled();
        const FutureState::Outcome &outcome = m_state->outcome();
        if (!outcome)
            return outcome.error();
        try {
            return m_decode(*m_state);
        } catch (const std::exception &exception) {
            return encodeError(exception);
        } catch (...) {
            return Error{ErrorCode::EncodeError};
        }
    }
    /// The error that result() would give, or no value if there is none. Itself fails with Timeout
    /// and Cancelled.
    [[nodiscard]] Result<std::optional<Error>> error(TimeLimit limit = std::nullopt) const
    {
        if (!m_state->wait(limit))
            return m_state->whyNotSettled();
        if (isCancelled())
            return m_state->outcome().error();
        const FutureState::Outcome &outcome = m_state->outcome();
        return outcome ? std::optional<Error>() : std::optional<Error>(outcome.error());
    }
    [[nodiscard]] bool wait(TimeLimit limit = std::nullopt) const { return m_state->wait(limit); }

    /// True if it is cancelled now. A task that runs or has ended cannot be cancelled, nor can the
    /// results of several tasks.
    bool cancel() const { return m_state->cancel(); }
    /// Calls @p callback with this handle once it has ended; see FutureState::addCallback().
    template<typename Callback>
    void onDone(Callback callback) const
    {
        m_state->addCallback([self = *this, callback = std::move(callback)] { callback(self); });
    }
    /// Calls @p callback with this handle in the thread of @p context, which needs an event loop,
    /// once it has ended; not if @p context is gone by then.
    template<typename Callback>
    void then(QObject *context, Callback callback) const
    {
        m_state->then(context, [self = *this, callback = std::move(callback)] { callback(self); });
    }
    /// The same result as a QFuture. It is cancelled if this is, and throws what valueOrThrow()
    /// would. Cancelling the QFuture does not cancel this. Needs <QFuture> and <QPromise>.
    [[nodiscard]] QFuture<T> toQFuture() const
    {
        const auto promise = std::make_shared<QPromise<T>>();
        promise->start();
        onDone([promise](const Future &done) {
            try {
                if (done.isCancelled())
                    promise->future().cancel();
                else
                    promise->addResult(valueOrThrow(done.result()));
            } catch (...) {
                promise->setException(std::current_exception());
            }
            promise->finish();
        });
        return promise->future();
    }

    [[nodiscard]] const std::shared_ptr<FutureState> &state() const { return m_state; }

private:
    std::shared_ptr<FutureState> m_state;
    Decoder m_decode;
};

} // namespace proclab
