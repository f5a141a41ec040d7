// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QtGlobal>

#include <optional>

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
    std::optional<quint64> residentBytes; ///< statm.
};

/// Reads the operating system's counters of processes.
class ProcessSource
{
public:
    virtual ~ProcessSource() = default;
    /// The identity of @p pid now; nullopt if there is none.
    [[nodiscard]] virtual std::optional<ProcessKey> identify(qint64 pid) = 0;
    /// nullopt once the process is gone.
    [[nodiscard]] virtual std::optional<ProcessCounters> read(const ProcessKey &key) = 0;
    /// Lets go of what read() keeps open for @p key.
    virtual void forget(const ProcessKey &key) = 0;
    /// CLOCK_MONOTONIC, ns.
    [[nodiscard]] virtual qint64 nowNs() const = 0;
};

} // namespace proclab
