// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QRandomGenerator>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace proclab::test {

/// Whether @p pid is the zygote of pools or Processes of this program, or a worker that it has
/// forked.
[[nodiscard]] bool hasZygotesCommandLine(qint64 pid);

/// A child of this program, held by a descriptor, so that a signal never reaches another process
/// that got its number since.
class Victim
{
public:
    /// Holds nothing if @p pid is no child of this program.
    explicit Victim(qint64 pid);
    Victim(Victim &&other) noexcept;
    Victim &operator=(Victim &&other) noexcept;
    ~Victim();

    [[nodiscard]] qint64 pid() const { return m_pid; }
    /// False: it is gone.
    bool send(int signal) const;

private:
    qint64 m_pid;
    int m_fd;
};

/// Sends SIGKILL, and SIGSTOP with or without a later SIGCONT, to the workers of a pool, or other
/// children, and to their zygote, at random times, from a thread of its own; keeps the list of whom
/// it hit.
///
/// Threads: any. The numbers that it draws follow from the seed; when they strike does not.
class Killer
{
public:
    struct Counts
    {
        quint64 workers = 0;
        quint64 zygotes = 0;
        quint64 paused = 0;      ///< And sent on later.
        quint64 leftStopped = 0; ///< Until the pool ends them, or for a second if it need not.

        [[nodiscard]] quint64 kills() const { return workers + zygotes; }
    };

    /// @p meanPause: between two strikes. A worker of less than twelve such pauses is taken for one
    /// that may not be ready yet.
    Killer(quint32 seed, std::chrono::microseconds meanPause);
    ~Killer();
    Killer(const Killer &) = delete;
    Killer &operator=(const Killer &) = delete;

    using Targets = std::function<std::vector<qint64>()>;
    /// Strikes at those whose PIDs @p targets returns, which its thread calls, until release().
    /// @p mayLeaveStopped: somebody ends those who are stopped for long.
    void aimAt(Targets targets, bool mayLeaveStopped = false);
    /// Strikes no more; who is stopped goes on.
    void release();

    [[nodiscard]] Counts counts() const;
    [[nodiscard]] quint64 kills() const { return m_kills.load(std::memory_order_relaxed); }
    /// How often a process with that number was killed, was stopped.
    [[nodiscard]] int killsOf(qint64 pid) const;
    [[nodiscard]] int stopsOf(qint64 pid) const;

private:
    enum class StopKind { Pause, LeaveToPool };
    struct Stopped
    {
        Victim victim;
        qint64 untilNs;
        StopKind kind;
    };

    void run();
    void strike();
    bool kill(qint64 pid);
    bool killWorker(qint64 pid, qint64 now);
    void killZygote(qint64 now);
    [[nodiscard]] qint64 youngNs() const
    {
        return std::chrono::nanoseconds(12 * m_meanPause).count();
    }
    bool stop(qint64 pid, qint64 untilNs, StopKind kind);
    [[nodiscard]] bool isLeftStopped(qint64 pid) const;
    void sendOn(qint64 now);

    const std::chrono::microseconds m_meanPause;
    std::atomic<quint64> m_kills{0};
    mutable std::mutex m_mutex;
    std::condition_variable m_changed;
    // Guarded by m_mutex.
    QRandomGenerator m_random;
    Targets m_targets; ///< Empty: none.
    bool m_mayLeaveStopped = false;
    bool m_isToEnd = false;
    Counts m_counts;
    std::map<qint64, qint64> m_seenSince; ///< Living workers.
    qint64 m_zygoteStruckNs = 0;
    int m_youngInARow = 0; ///< Killed since the last that was ready.
    std::map<qint64, int> m_killsOf;
    std::map<qint64, int> m_stopsOf;
    std::vector<Stopped> m_stopped;

    std::thread m_thread; // The last member: it uses the others.
};

} // namespace proclab::test
