// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/experiment/run/run_log.h"
#include "core/experiment/spec/spec.h"

#include <QDateTime>
#include <QJsonObject>
#include <QJsonValue>

#include <memory>
#include <optional>

class QIODevice;

namespace proclab {

struct RunTotals
{
    quint64 tasks = 0;
    quint64 done = 0;
    quint64 failed = 0;
    quint64 cancelled = 0;
    quint64 lost = 0;
    quint64 retried = 0;
    double throughputPerS = 0; ///< done / elapsed.
};

/// How far work has come; in all, and what became of it.
struct WorkCounts
{
    quint64 total = 0;
    quint64 done = 0;
    quint64 failed = 0;
    quint64 cancelled = 0;
    quint64 lost = 0;
};

/// What a run came to: the finished report. The single tasks stay in the log that it shares.
struct RunResult
{
    ExperimentSpec spec; ///< As run: the drawn seed filled in.
    quint64 seed = 0;
    QDateTime started; ///< UTC.
    double startupSeconds = 0;
    double elapsedSeconds = 0; ///< Gate to last result.
    RunTotals totals;
    QJsonValue outcome;            ///< By kind; see the result's format.
    quint64 failedItems = 0;       ///< Items that failed or were lost, where a result is no item's.
    bool stopped = false;          ///< Ended by Stop or a signal.
    bool timeLimitReached = false; ///< The run's time_limit_s ended it.
    QString timeoutField = {};     ///< A timeout of its kind that was reached; empty: none.
    std::optional<Error> engineError; ///< The engine itself failed (exit status 3).
    RunNote notice;                   ///< A shown effect, such as lost updates; may be empty.
    bool noticeIsGood = true;
    QJsonObject python; ///< What the experiment's Python program came to; empty: it was not run.
    std::shared_ptr<const RunLog> log;

    /// How far its work came, in what the run's pictures count: tasks, items, messages, increments.
    /// The totals count results, which of most kinds are the processes'.
    [[nodiscard]] WorkCounts work() const;
    /// 0, 1 or 3, as proclab-cli ends.
    [[nodiscard]] int exitStatus() const;
};

/// The notice of @p result in one translated line, "13 482 of 20 000: 6 518 updates were lost, …";
/// empty if there is none.
[[nodiscard]] QString noticeText(const RunResult &result);

/// Writes the result as JSON, one record at a time: no tree of a whole large result is built.
/// False: the device failed, see its errorString(). Blocking; use it from any thread once the run
/// has ended.
bool writeResultJson(const RunResult &result, QIODevice &device);
/// Writes index, worker, pid, value, error_type, submitted_s, started_s, finished_s, a line a task.
bool writeResultCsv(const RunResult &result, QIODevice &device);

} // namespace proclab
