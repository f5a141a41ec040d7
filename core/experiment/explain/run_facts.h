// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/explain/explanation.h"
#include "core/experiment/run/run_result.h"

#include <vector>

namespace proclab {

/// How a process, or several together, spent the time since the gate, as it was sampled.
struct TimeAccount
{
    double seconds = 0; ///< That were sampled, from the gate or the start to the end.
    double onCore = 0;  ///< Seconds of them.
    double ready = 0;   ///< Waiting for a core.

    void add(const TimeAccount &other);
    [[nodiscard]] double coreShare() const { return seconds > 0 ? onCore / seconds : 0; }
    [[nodiscard]] double readyShare() const { return seconds > 0 ? ready / seconds : 0; }
};

/// What rules read of a run that has ended: computed once for all of them.
struct RunFacts
{
    /// Shorter runs were sampled fewer than four times: that tells nothing about shares of time.
    static constexpr double leastSampledSeconds = 0.2;

    /// @p ended must outlive the facts, and have a log; the machine has @p usable cores.
    RunFacts(const RunResult &ended, int usable);

    [[nodiscard]] double seconds() const { return result.elapsedSeconds; }
    [[nodiscard]] bool hasShares() const { return children.seconds > 0 && isLongEnough; }
    /// How many cores the children kept busy, on average.
    [[nodiscard]] double usedCores() const
    {
        return aliveSeconds > 0 ? children.onCore / aliveSeconds : 0;
    }
    [[nodiscard]] TimeAccount ofRole(int role) const;
    [[nodiscard]] double outcome(QLatin1StringView key) const
    {
        return result.outcome[key].toDouble();
    }
    /// An explanation that holds for all of the run.
    [[nodiscard]] Explanation ofAll(const QByteArray &rule, const QJsonObject &numbers,
                                    double weight) const
    {
        return {.note = {rule, numbers}, .toNs = endNs, .weight = weight};
    }

    const RunResult &result;
    const ExperimentSpec &spec;
    const RunLog &log;
    const int cores;
    const QList<ProcessRecord> processes;
    std::vector<TimeAccount> accounts; ///< By process; of the parent its time on a core.
    TimeAccount children;              ///< All added up.
    int crew = 0;                      ///< Children that are no replacements.
    double aliveSeconds = 0;           ///< From the gate to the end of the last child.
    qint64 endNs = 0;                  ///< The last result.
    bool isLongEnough = false;
};

} // namespace proclab
