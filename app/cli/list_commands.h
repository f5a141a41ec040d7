// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/command_line.h"

namespace proclab::cli {

/// The commands that start nothing. Each returns the exit status.
[[nodiscard]] int checkSpec(const CommandLine &line);
[[nodiscard]] int listPresets(const CommandLine &line);
[[nodiscard]] int listWorkloads(const CommandLine &line);

} // namespace proclab::cli
