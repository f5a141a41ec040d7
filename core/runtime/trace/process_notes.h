// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/clock.h"
#include "core/runtime/futex.h"
#include "core/runtime/trace/event_ring.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What each process of a tree notes for the others, readable while it lives and after a SIGKILL:
/// what its threads wait for, and the last things that it did.
namespace proclab::runtime {

/// What a thread waits for, in one word.
struct WaitSubject
{
    enum class Type : std::uint8_t {
        None,
        Word,    ///< A futex of a lock, queue, … in the tree's memory; the number is its offset.
        Process, ///< The end of a process; the number is its PID.
        Calls,   ///< The results of this process's calls: a future, the end of a pool.
        Task,    ///< A task, in a pool's worker.
        Several, ///< Any of several things.
    };

    Type type = Type::None;
    std::uint64_t number = 0;

    [[nodiscard]] std::uint64_t word() const
    {
        return static_cast<std::uint64_t>(type) << 56 | number;
    }
    static WaitSubject of(std::uint64_t word)
    {
        return {static_cast<Type>(word >> 56), word & ((std::uint64_t{1} << 56) - 1)};
    }
};

/// The wait of one thread, as a reader sees it.
struct NotedWait
{
    std::uint64_t sequence = 0; ///< Distinguishes it from other waits noted in the same place.
    std::int32_t thread = 0;
    WaitSubject subject;
    std::uint32_t seen = 0; ///< While a Word holds this value, the thread sleeps on.
    std::int64_t sinceNs = 0;
    std::int64_t deadlineNs = noDeadline;
};

/// The notes of one process, in shared memory. Zero-filled is empty.
///
/// Threads: all threads of the process write, each its own waits; any process reads.
class ProcessNotes
{
public:
    /// Threads that can note a wait at the same time; further ones count as not waiting.
    static constexpr std::uint32_t maxWaits = 16;

    /// Begins the notes of a new process @p pid, and drops those of an earlier one.
    void restart(std::int32_t pid, bool usesCounter);
    /// The process whose notes they are, or were; 0 if none has used them.
    [[nodiscard]] std::int32_t pid() const { return m_pid.load(std::memory_order_acquire); }
    void setName(std::string_view name);
    [[nodiscard]] std::string name() const;
    /// The engine's thread, which only reacts to children, calls and timers; 0 if there is none.
    [[nodiscard]] std::int32_t engineThread() const { return m_engineThread.load(); }
    void setEngineThread(std::int32_t thread) { m_engineThread.store(thread); }
    /// Whether the engine's thread runs what users gave it.
    [[nodiscard]] bool isInCallback() const { return m_callbacks.load() != 0; }
    void beginCallback() { m_callbacks.fetch_add(1); }
    void endCallback() { m_callbacks.fetch_sub(1); }

    /// The place of a new wait of the calling thread; no value if all are in use.
    std::optional<std::uint32_t> beginWait(const NotedWait &wait);
    /// The thread in @p place is about to sleep once more.
    void stillWaits(std::uint32_t place, std::uint32_t seen)
    {
        m_waits[place].seen.store(seen, std::memory_order_relaxed);
    }
    void endWait(std::uint32_t place);

    [[nodiscard]] bool hasWaits() const
    {
        return m_placesInUse.load(std::memory_order_relaxed) != 0;
    }
    /// The wait in @p place; no value if there is none, or it begins or ends just now.
    [[nodiscard]] std::optional<NotedWait> wait(std::uint32_t place) const;

    EventRing events;

private:
    /// One cache line.
    struct alignas(64) Wait
    {
        std::atomic<std::uint64_t> sequence; ///< Odd while a thread waits.
        std::atomic<std::uint64_t> subject;
        std::atomic<std::int64_t> sinceNs;
        std::atomic<std::int64_t> deadlineNs;
        std::atomic<std::int32_t> thread;
        std::atomic<std::uint32_t> seen;
    };

    std::atomic<std::int32_t> m_pid;
    std::atomic<std::int32_t> m_engineThread;
    std::atomic<std::uint32_t> m_callbacks;
    std::atomic<std::uint32_t> m_placesInUse; ///< A bit for each.
    std::array<std::atomic<char>, 48> m_name; ///< Cut to it; ends at a zero or with the array.
    std::array<Wait, maxWaits> m_waits;
};

/// Called in a forked child before it notes anything, since it has none of its parent's threads.
void forgetThreads();
/// Notes which thread of this process is its engine's; 0 for none.
void noteEngineThread(std::int32_t thread);
/// This process's notes, which get a place in the tree's memory if they have none; null if the
/// process shares nothing with others.
[[nodiscard]] ProcessNotes *ownNotes();
/// Where @p address lies in the tree's memory; no value if it lies elsewhere.
[[nodiscard]] std::optional<std::uint64_t> offsetInTree(const void *address);

/// Notes that the calling thread waits, and for what, from its first sleep to the end of the scope.
/// A wait inside another one is part of that and is not noted. Costs nothing before the first
/// sleep.
class WaitScope
{
public:
    WaitScope() = default;
    /// For what is no word in shared memory.
    WaitScope(WaitSubject subject, std::int64_t deadlineNs) { begin(subject, 0, deadlineNs); }
    ~WaitScope()
    {
        if (m_notes)
            end();
    }
    WaitScope(const WaitScope &) = delete;
    WaitScope &operator=(const WaitScope &) = delete;

    /// Before each sleep on @p word while it holds @p seen.
    void sleepsOn(const FutexWord &word, std::uint32_t seen, std::int64_t deadlineNs)
    {
        if (m_notes)
            m_notes->stillWaits(m_place, seen);
        else if (!m_isTried)
            beginOn(word, seen, deadlineNs);
    }
    /// Before each sleep for what is no word in shared memory.
    void sleepsFor(WaitSubject subject, std::int64_t deadlineNs)
    {
        if (!m_isTried)
            begin(subject, 0, deadlineNs);
    }

private:
    void beginOn(const FutexWord &word, std::uint32_t seen, std::int64_t deadlineNs);
    void begin(WaitSubject subject, std::uint32_t seen, std::int64_t deadlineNs);
    void end();

    ProcessNotes *m_notes = nullptr; ///< Once the wait is noted.
    std::uint32_t m_place = 0;
    bool m_isTried = false;
    WaitSubject m_subject;
};

} // namespace proclab::runtime
