// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

namespace proclab {

/// "SIGSEGV" for 11; "signal 40" for one without a name.
[[nodiscard]] QString signalName(int signal);

} // namespace proclab
