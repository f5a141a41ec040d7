// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_result.h"

#include <QString>

namespace proclab::cli {

/// Runs the Python program of the experiment that @p result is of, which has one, and notes in
/// `result.python` what it came to, or why it failed, which is also said. Returns the signal that
/// cut it short, else 0. Runs an event loop.
[[nodiscard]] int runInPython(RunResult &result);

/// What it came to beside ours, a line a measure; empty if it was not run or has failed.
[[nodiscard]] QString pythonText(const RunResult &result);

} // namespace proclab::cli
