// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/cores.h"
#include "core/experiment/run/run_note.h"

#include <QJsonObject>
#include <QList>

namespace proclab {

class ExperimentSpec;
struct RunResult;

/// What a rule found in a finished run: something that happened, the numbers that it rests on, and
/// what would change it.
struct Explanation
{
    /// The rule, and its numbers. A rule of one kind begins with the kind's name and a dot.
    RunNote note = {};
    qint64 fromNs = 0; ///< Where in the run it can be seen, in ns since the gate.
    qint64 toNs = 0;
    QList<int> processes = {}; ///< Positions in RunLog::processes(), the most telling first; empty:
                               ///< all of the run.
    /// 0 … 1: which part of the run's time, or of its result, it tells of.
    double weight = 0;
    QJsonObject trial = {}; ///< Values to try instead, by the field's path; empty: none.
    bool isWarning = false; ///< Something went wrong, or the figures of the run mislead.
};

/// What happened in @p result, a run that has ended, the most telling first; on a machine of
/// @p cores. Never empty for a run of a kind that is known. Looks at each task; any thread.
[[nodiscard]] QList<Explanation> explain(const RunResult &result, int cores = usableCores());

/// The translated sentences of @p explanation, one of @p result.
[[nodiscard]] QString explanationText(const RunResult &result, const Explanation &explanation);
/// What @p trial changes in @p spec, by the labels of its fields: "Consumers 3 instead of 2".
[[nodiscard]] QString trialText(const ExperimentSpec &spec, const QJsonObject &trial);

} // namespace proclab
