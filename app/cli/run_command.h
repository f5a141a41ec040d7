// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/command_line.h"

namespace proclab::cli {

/// `run`: runs one experiment to its end, with progress and summary. Returns the exit status. Runs
/// an event loop.
[[nodiscard]] int runExperiment(const CommandLine &line);

} // namespace proclab::cli
