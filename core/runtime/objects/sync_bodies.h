// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/memory/object_space.h"
#include "core/runtime/sync/shared_lock.h"
#include "core/runtime/sync/wait_point.h"
#include "core/runtime/trace/wait_observer.h"

#include <array>
#include <atomic>
#include <cstdint>

/// What locks, conditions and barriers keep in shared memory, which is zero-filled at first, and
/// what becomes of each when a process dies. Calls that wait end at a deadline on the clock of
/// nowNs().
namespace proclab::runtime {

/// A lock that reports a dead owner to the next one.
struct LockBody
{
    SharedLock lock;
    std::atomic<std::int32_t> deadPid; ///< The PID of the last owner that died.
    std::atomic<std::int64_t> diedNs;  ///< When that was noticed.
    /// The death was seen by a caller that could not report it; the next acquire() that can will.
    std::atomic<std::uint32_t> isUntold;

    SharedLock::Outcome acquire(ObjectSpace &space, std::int64_t deadlineNs)
    {
        if (lock.tryLock(space.self()))
            return SharedLock::Outcome::Acquired;
        const ObservedWait observed(WaitFor::Lock);
        return space.acquire(lock, deadlineNs);
    }
    /// Called with the lock held, after an acquire() whose caller cannot report a death.
    void keepUntold(SharedLock::Outcome outcome)
    {
        if (outcome == SharedLock::Outcome::Recovered)
            isUntold.store(1, std::memory_order_relaxed);
    }
    /// Called with the lock held: whether a death has not been reported; it counts as reported
    /// then.
    bool takeUntold()
    {
        return isUntold.load(std::memory_order_relaxed) != 0 &&
               isUntold.exchange(0, std::memory_order_relaxed) != 0;
    }
    void sharerDied(std::uint32_t sharer, std::int32_t pid);
};

/// A lock that its owner, a thread, may take again.
struct RLockBody
{
    LockBody plain;
    std::atomic<std::uint64_t> thread; ///< The thread of the owning process; see threadMark().
    std::uint32_t depth;               ///< How often the owner has taken it.

    [[nodiscard]] bool isMine(ObjectSpace &space) const
    {
        return plain.lock.owner() == static_cast<int>(space.self()) &&
               thread.load(std::memory_order_relaxed) == threadMark();
    }
    SharedLock::Outcome acquire(ObjectSpace &space, std::int64_t deadlineNs)
    {
        if (plain.lock.tryLock(space.self())) {
            thread.store(threadMark(), std::memory_order_relaxed);
            depth = 1;
            return SharedLock::Outcome::Acquired;
        }
        if (isMine(space)) {
            ++depth;
            return SharedLock::Outcome::Acquired;
        }
        return takeBackAt(space, 1, deadlineNs);
    }
    /// False if the caller is not its owner.
    bool release(ObjectSpace &space)
    {
        if (!isMine(space))
            return false;
        if (--depth == 0)
            giveUp();
        return true;
    }
    /// Releases it whatever its depth, which it returns for takeBackAt().
    std::uint32_t giveUp()
    {
        const std::uint32_t before = depth;
        thread.store(0, std::memory_order_relaxed);
        plain.lock.unlock();
        return before;
    }
    /// Takes it with depth @p newDepth.
    SharedLock::Outcome takeBackAt(ObjectSpace &space, std::uint32_t newDepth,
                                   std::int64_t deadlineNs);
    void sharerDied(std::uint32_t sharer, std::int32_t pid);

    /// A number that distinguishes the threads of one process.
    [[nodiscard]] static std::uint64_t threadMark()
    {
        return reinterpret_cast<std::uintptr_t>(&s_mark);
    }

private:
    inline static thread_local char s_mark = 0;
};

struct SemaphoreBody
{
    std::atomic<std::int32_t> value;
    std::int32_t limit; ///< 0: none; below: no unit at all.
    WaitPoint waiting;

    /// Without waiting, not even where others wait for their turn.
    bool tryAcquire()
    {
        const WaitPoint::Turn turn(waiting);
        return tryAcquire(turn);
    }
    bool acquire(std::int64_t deadlineNs)
    {
        WaitPoint::Turn turn(waiting);
        return waiting.wait(
            turn, [this, &turn] { return tryAcquire(turn); }, deadlineNs);
    }
    /// False if that would exceed the limit.
    bool release(std::int32_t count);
    void sharerDied() { waiting.sleeperDied(); }

private:
    bool tryAcquire(const WaitPoint::Turn &turn);
};

struct EventBody
{
    std::atomic<std::uint64_t> state; ///< How often it was set, times two, plus one while it is.
    WaitPoint waiting;

    [[nodiscard]] bool isSet() const { return (state.load(std::memory_order_acquire) & 1) != 0; }
    void set();
    void clear() { state.fetch_and(~std::uint64_t{1}, std::memory_order_acq_rel); }
    bool wait(std::int64_t deadlineNs);
};

/// The sleepers of a condition, each in a place of its own, so that notify(n) wakes n that are
/// there. Everything but waitIn() by the owner of the condition's lock.
struct ConditionBody
{
    static constexpr std::uint32_t maxSleepers = 1024;

    /// owner's sharer number (24) | state (8); a futex.
    struct Sleeper
    {
        enum State : std::uint32_t { Free, Waiting, Notified };

        FutexWord word;
        std::atomic<std::uint64_t> ticket;
    };

    ObjectHandle lock;
    bool isRecursive; ///< The lock is an RLock.
    std::uint64_t lastTicket;
    std::atomic<std::uint32_t> used; ///< Places above were never used.
    std::array<Sleeper, maxSleepers> sleepers;

    /// A place for the caller, or maxSleepers if none is free.
    std::uint32_t enter(ObjectSpace &space);
    /// Sleeps until notified, without the lock; false if the time is over.
    bool sleep(std::uint32_t place, std::int64_t deadlineNs);
    /// Called with the lock again: whether it was notified.
    bool leave(std::uint32_t place);
    void notify(std::uint32_t count);
    void sharerDied(std::uint32_t sharer);
};

/// A meeting point of a fixed number of parties.
struct BarrierBody
{
    static constexpr std::uint32_t maxParties = 1024;

    enum class Passing { Passed, Broken, TimedOut, Last };
    struct Arrival
    {
        std::uint64_t round = 0;
        std::uint32_t position = 0; ///< Among the parties of the round.
    };

    SharedLock lock; ///< Guards all changes of what follows.
    std::uint32_t parties;
    std::atomic<std::uint32_t> arrived;      ///< As many as parties: the last runs the action.
    std::atomic<std::uint64_t> round;        ///< Rounds ended, times two, plus one: broken.
    std::atomic<std::uint64_t> brokenRounds; ///< A bit for each of the last 64 rounds.
    WaitPoint waiting;
    std::array<std::atomic<std::uint16_t>, maxParties> who; ///< The sharers that have arrived.

    [[nodiscard]] bool isBroken() const { return (round.load(std::memory_order_acquire) & 1) != 0; }
    [[nodiscard]] std::uint32_t waiters(ObjectSpace &space);
    /// Fills @p arrival. Last means that all are here: the caller runs the action and calls
    /// endRound(). TimedOut breaks the round, unless the caller could not yet enter it.
    Passing wait(ObjectSpace &space, std::int64_t deadlineNs, Arrival &arrival);
    /// False if the round did not pass: the action failed, or it was broken or reset meanwhile.
    bool endRound(ObjectSpace &space, const Arrival &last, bool isActionDone);
    void abort(ObjectSpace &space);
    void reset(ObjectSpace &space);
    void sharerDied(ObjectSpace &space, std::uint32_t sharer);

private:
    enum class Ending { Passed, Reset, Broken };

    void lockIt(ObjectSpace &space);
    bool lockWithRoom(ObjectSpace &space, std::int64_t deadlineNs);
    void lookAfter(ObjectSpace &space, std::uint32_t party);
    [[nodiscard]] bool hasPassed(std::uint64_t ended) const;
    void closeRound(Ending ending);
    void breakRound();
};

} // namespace proclab::runtime
