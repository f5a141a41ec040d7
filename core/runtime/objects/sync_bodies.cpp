// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/objects/sync_bodies.h"

#include <algorithm>
#include <limits>

namespace proclab::runtime {

// LockBody

void LockBody::sharerDied(std::uint32_t sharer, std::int32_t pid)
{
    if (lock.owner() == static_cast<int>(sharer)) {
        deadPid.store(pid, std::memory_order_relaxed);
        diedNs.store(nowNs(), std::memory_order_relaxed);
    }
    lock.recover(sharer);
}

// RLockBody

SharedLock::Outcome RLockBody::takeBackAt(ObjectSpace &space, std::uint32_t newDepth,
                                          std::int64_t deadlineNs)
{
    const auto outcome = plain.acquire(space, deadlineNs);
    if (outcome != SharedLock::Outcome::GivenUp) {
        thread.store(threadMark(), std::memory_order_relaxed);
        depth = newDepth;
    }
    return outcome;
}

void RLockBody::sharerDied(std::uint32_t sharer, std::int32_t pid)
{
    // The next owner's threads may be at the same addresses as the dead one's.
    if (plain.lock.owner() == static_cast<int>(sharer))
        thread.store(0, std::memory_order_relaxed);
    plain.sharerDied(sharer, pid);
}

// SemaphoreBody

bool SemaphoreBody::tryAcquire(const WaitPoint::Turn &turn)
{
    if (!turn.mayPass())
        return false;
    std::int32_t units = value.load(std::memory_order_relaxed);
    while (units > 0) {
        if (value.compare_exchange_weak(units, units - 1, std::memory_order_acquire,
                                        std::memory_order_relaxed))
            return true;
    }
    return false;
}

bool SemaphoreBody::release(std::int32_t count)
{
    const std::int32_t most =
        limit == 0 ? std::numeric_limits<std::int32_t>::max() : std::max(limit, 0);
    std::int32_t units = value.load(std::memory_order_relaxed);
    do {
        if (units > most - count)
            return false;
    } while (!value.compare_exchange_weak(units, units + count, std::memory_order_release,
                                          std::memory_order_relaxed));
    waiting.notify(count);
    return true;
}

// EventBody

void EventBody::set()
{
    std::uint64_t was = state.load(std::memory_order_relaxed);
    do {
        if ((was & 1) != 0)
            return;
    } while (!state.compare_exchange_weak(was, was + 3, std::memory_order_acq_rel));
    waiting.notify();
}

/// Also true for a waiter that began before it was set and looks only after it was cleared again.
bool EventBody::wait(std::int64_t deadlineNs)
{
    const std::uint64_t before = state.load(std::memory_order_acquire);
    if ((before & 1) != 0)
        return true;
    return waiting.wait([this, before] { return state.load(std::memory_order_acquire) != before; },
                        deadlineNs);
}

// ConditionBody

std::uint32_t ConditionBody::enter(ObjectSpace &space)
{
    for (std::uint32_t place = 0; place < maxSleepers; ++place) {
        Sleeper &sleeper = sleepers[place];
        if (sleeper.word.load(std::memory_order_acquire) != Sleeper::Free)
            continue;
        sleeper.ticket.store(++lastTicket, std::memory_order_relaxed);
        // First, so that a place taken by a process that dies here is found.
        if (used.load(std::memory_order_relaxed) <= place)
            used.store(place + 1, std::memory_order_release);
        sleeper.word.store(space.self() << 8 | Sleeper::Waiting, std::memory_order_release);
        return place;
    }
    return maxSleepers;
}

bool ConditionBody::sleep(std::uint32_t place, std::int64_t deadlineNs)
{
    FutexWord &word = sleepers[place].word;
    const ObservedWait observed(WaitFor::Signal);
    WaitScope noted;
    for (;;) {
        const std::uint32_t seen = word.load(std::memory_order_acquire);
        if ((seen & 0xff) == Sleeper::Notified)
            return true;
        const std::int64_t leftNs = deadlineNs - nowNs();
        if (leftNs <= 0)
            return false;
        noted.sleepsOn(word, seen, deadlineNs);
        futexWait(word, seen, std::min(leftNs, parkNs));
    }
}

bool ConditionBody::leave(std::uint32_t place)
{
    return (sleepers[place].word.exchange(Sleeper::Free, std::memory_order_acq_rel) & 0xff) ==
           Sleeper::Notified;
}

void ConditionBody::notify(std::uint32_t count)
{
    const std::uint32_t places = used.load(std::memory_order_acquire);
    for (; count > 0; --count) {
        Sleeper *first = nullptr;
        for (std::uint32_t place = 0; place < places; ++place) {
            Sleeper &sleeper = sleepers[place];
            if ((sleeper.word.load(std::memory_order_acquire) & 0xff) == Sleeper::Waiting &&
                (!first || sleeper.ticket.load() < first->ticket.load()))
                first = &sleeper;
        }
        if (!first)
            return;
        std::uint32_t word = first->word.load(std::memory_order_acquire);
        if ((word & 0xff) != Sleeper::Waiting ||
            !first->word.compare_exchange_strong(word, (word & ~0xffU) | Sleeper::Notified)) {
            ++count; // It has died meanwhile.
            continue;
        }
        futexWake(first->word, 1);
    }
}

/// A notification that a dead sleeper did not take goes on to another.
void ConditionBody::sharerDied(std::uint32_t sharer)
{
    std::uint32_t lost = 0;
    for (std::uint32_t place = 0; place < used.load(std::memory_order_acquire); ++place) {
        std::uint32_t word = sleepers[place].word.load(std::memory_order_acquire);
        if (word >> 8 == sharer && word != Sleeper::Free &&
            sleepers[place].word.compare_exchange_strong(word, Sleeper::Free))
            lost += (word & 0xff) == Sleeper::Notified ? 1 : 0;
    }
    notify(lost);
}

// BarrierBody

void BarrierBody::lockIt(ObjectSpace &space)
{
    // A process that died in here may have left it half done; nobody may pass by mistake.
    if (space.acquire(lock) == SharedLock::Outcome::Recovered)
        breakRound();
}

std::uint32_t BarrierBody::waiters(ObjectSpace &space)
{
    lockIt(space);
    const std::uint32_t count = arrived;
    lock.unlock();
    return count;
}

/// Takes the lock once the caller can enter a round; false if the time is over.
bool BarrierBody::lockWithRoom(ObjectSpace &space, std::int64_t deadlineNs)
{
    for (;;) {
        lockIt(space);
        if (arrived < parties || isBroken())
            return true;
        // Read under the lock, so as not to wait for a round that is over.
        const std::uint64_t full = round.load(std::memory_order_relaxed);
        lock.unlock();
        if (!waiting.wait([this, full] { return round.load(std::memory_order_acquire) != full; },
                          deadlineNs, [&] { lookAfter(space, parties - 1); }))
            return false;
    }
}

BarrierBody::Passing BarrierBody::wait(ObjectSpace &space, std::int64_t deadlineNs,
                                       Arrival &arrival)
{
    if (!lockWithRoom(space, deadlineNs))
        return Passing::TimedOut;
    if (isBroken()) {
        lock.unlock();
        return Passing::Broken;
    }
    const std::uint64_t mine = round.load(std::memory_order_relaxed);
    arrival = {mine, arrived};
    who[arrival.position] = static_cast<std::uint16_t>(space.self());
    const bool isLast = ++arrived == parties;
    lock.unlock();
    if (isLast)
        return Passing::Last;
    const auto hasEnded = [this, mine] { return round.load(std::memory_order_acquire) != mine; };
    if (!waiting.wait(hasEnded, deadlineNs, [&] { lookAfter(space, arrival.position + 1); })) {
        lockIt(space);
        const bool isLate = !hasEnded();
        if (isLate)
            breakRound();
        lock.unlock();
        if (isLate)
            return Passing::TimedOut;
    }
    return hasPassed(mine) ? Passing::Passed : Passing::Broken;
}

/// Parties that wait with the caller may die without anyone noticing. So each watches the party
/// that arrived next, and the last one the first: if any is dead, a living one sees a dead one.
void BarrierBody::lookAfter(ObjectSpace &space, std::uint32_t party)
{
    if (const std::uint32_t count = std::min(arrived.load(), parties); count > 0)
        space.recover(who[party % count]);
}

bool BarrierBody::endRound(ObjectSpace &space, const Arrival &last, bool isActionDone)
{
    lockIt(space);
    const bool isOpen = round.load(std::memory_order_relaxed) == last.round;
    if (isOpen)
        closeRound(isActionDone ? Ending::Passed : Ending::Broken);
    lock.unlock();
    return isOpen && isActionDone;
}

void BarrierBody::abort(ObjectSpace &space)
{
    lockIt(space);
    breakRound();
    lock.unlock();
}

void BarrierBody::reset(ObjectSpace &space)
{
    lockIt(space);
    closeRound(Ending::Reset);
    lock.unlock();
}

void BarrierBody::sharerDied(ObjectSpace &space, std::uint32_t sharer)
{
    lock.recover(sharer);
    const auto isHere = [this, sharer] {
        const auto end = who.begin() + std::min(arrived.load(), parties);
        return std::find(who.begin(), end, sharer) != end;
    };
    if (!isHere())
        return;
    lockIt(space);
    if (isHere())
        breakRound();
    lock.unlock();
}

/// How a round ended, for a party that waited in it and looks only now.
bool BarrierBody::hasPassed(std::uint64_t ended) const
{
    const std::uint64_t bit = std::uint64_t{1} << (ended / 2) % 64;
    const bool isMarked = (brokenRounds.load(std::memory_order_acquire) & bit) != 0;
    // After 64 more rounds the mark may belong to another one; nobody may pass by mistake.
    return !isMarked && round.load(std::memory_order_acquire) / 2 - ended / 2 < 64;
}

void BarrierBody::closeRound(Ending ending)
{
    const std::uint64_t ended = round.load(std::memory_order_relaxed) / 2;
    const std::uint64_t bit = std::uint64_t{1} << ended % 64;
    if (ending == Ending::Passed)
        brokenRounds.fetch_and(~bit, std::memory_order_release);
    else
        brokenRounds.fetch_or(bit, std::memory_order_release);
    arrived = 0;
    round.store((ended + 1) * 2 + (ending == Ending::Broken ? 1 : 0), std::memory_order_release);
    waiting.notify();
}

void BarrierBody::breakRound()
{
    if (!isBroken())
        closeRound(Ending::Broken);
}

} // namespace proclab::runtime
