// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/command_line.h"

namespace proclab::cli {

/// `python`: prints an experiment as a Python program. Returns the exit status.
[[nodiscard]] int printPython(const CommandLine &line);

} // namespace proclab::cli
