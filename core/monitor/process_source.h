// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArray>

#include <optional>
#include <vector>

namespace proclab {

/// Identity of a process over time: a PID alone is used again.
struct ProcessKey
{
    qint64 pid = 0;
    quint64 startTicks = 0; ///< Field 22 of /proc/PID/stat.

    bool operator==(const ProcessKey &) const = default;
};

/// Counters of one process at one instant; each only grows, but for memory, threads and state.
struct ProcessCounters
{
    qint64 cpuNs = 0;              ///< All threads, user and system, from the process's CPU clock.
    std::optional<qint64> readyNs; ///< Waiting for a core, all threads: schedstat.
    /// In memory, from statm: all of it, and the part that is shared with other processes (pages of
    /// files and of shared memory). The rest is the process's own.
    std::optional<quint64> residentBytes;
    std::optional<quint64> sharedBytes = std::nullopt;
};

/// One process in a list of all.
struct ProcessEntry
{
    ProcessKey key;
    qint64 parentPid = 0; ///< 0: none that can be seen from here.
    QByteArray name;      ///< As the kernel has it: at most 15 bytes, any of them but 0.
    char state = '?';     ///< The kernel's letter: R runs or is ready, S sleeps, D waits for a
                          ///< device, T is stopped, t is traced, Z has ended, I is idle.

    bool operator==(const ProcessEntry &) const = default;
};

/// Reads the operating system's list of processes and their counters.
class ProcessSource
{
public:
    virtual ~ProcessSource() = default;
    /// All processes that can be seen, by PID. Not one instant: some may have ended meanwhile, and
    /// the parent of one that has is still named.
    [[nodiscard]] virtual std::vector<ProcessEntry> list() = 0;
    /// The identity of @p pid now; nullopt if there is none.
    [[nodiscard]] virtual std::optional<ProcessKey> identify(qint64 pid) = 0;
    /// As ProcessEntry::state; nullopt once the process is gone.
    [[nodiscard]] virtual std::optional<char> stateOf(const ProcessKey &key) = 0;
    /// nullopt once the process is gone.
    [[nodiscard]] virtual std::optional<ProcessCounters> read(const ProcessKey &key) = 0;
    /// Closes what read() keeps open for @p key.
    virtual void forget(const ProcessKey &key) = 0;
    /// CLOCK_MONOTONIC, ns.
    [[nodiscard]] virtual qint64 nowNs() const = 0;
};

} // namespace proclab
