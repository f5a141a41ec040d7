// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/command_line.h"

namespace proclab::cli {

/// `help`: what there is, or about one command or kind. Returns the exit status.
[[nodiscard]] int showHelp(const CommandLine &line);

} // namespace proclab::cli
