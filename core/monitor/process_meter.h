// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/monitor/process_source.h"

#include <QHash>

#include <optional>

namespace proclab {

/// Rates of one process between two samples, in percent of one core.
struct ProcessRates
{
    qint64 timeNs = 0;                ///< When it was read, CLOCK_MONOTONIC.
    std::optional<double> cpuPercent; ///< Up to 100 for each thread; not known in the first sample.
    std::optional<double> readyPercent;
    std::optional<quint64> residentBytes;
    std::optional<quint64> sharedBytes; ///< Part of them.
    qint64 cpuNs = 0;                   ///< The total since the process began.
    std::optional<qint64> readyNs;
};

/// Turns counters into rates, for a set of processes.
///
/// Threads: use one meter from one thread; it is what the sampling thread holds.
class ProcessMeter
{
public:
    /// @p source must outlive the meter.
    explicit ProcessMeter(ProcessSource &source) : m_source(source) {}

    /// Begins to watch the process that has @p pid now; false if there is none.
    bool add(qint64 pid);
    /// Stops watching it; does nothing if it is not watched.
    void remove(qint64 pid);
    /// Reads @p pid now; nullopt if it is not watched or gone, even if another process has its PID.
    [[nodiscard]] std::optional<ProcessRates> sample(qint64 pid);
    /// Whether a signal such as SIGSTOP, or a debugger, keeps @p pid from running; false if it is
    /// not watched or gone.
    [[nodiscard]] bool isStopped(qint64 pid);

private:
    struct Watched
    {
        ProcessKey key;
        std::optional<ProcessCounters> last;
        qint64 lastNs = 0;
    };

    ProcessSource &m_source;
    QHash<qint64, Watched> m_watched;
};

} // namespace proclab
