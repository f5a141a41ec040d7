// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_result.h"

#include <QString>

namespace proclab::cli {

/// Seconds for people: "0.012 s", "3.41 s", "2:05.3".
[[nodiscard]] QString secondsText(double seconds);
/// A rate for people: "12.4", "1234567".
[[nodiscard]] QString rateText(double perSecond);
/// What a kind's throughput counts: "tasks/s".
[[nodiscard]] QString rateUnit(const ExperimentSpec &spec);

/// What the run came to, in a few lines.
[[nodiscard]] QString summaryText(const RunResult &result);
/// Why it came out so: a sentence or more for each thing that was found, with what to try.
[[nodiscard]] QString explainText(const RunResult &result);
/// Says on standard error, one line each, what failed; of many tasks the first ten.
void printFailures(const RunResult &result);

} // namespace proclab::cli
