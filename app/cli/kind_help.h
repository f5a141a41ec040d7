// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

namespace proclab {

struct Kind;

} // namespace proclab

namespace proclab::cli {

/// What can be set in an experiment of @p kind, a line each: path, type, range with its unit, and
/// default; then the kind's presets. A planned kind says that it can't run yet.
[[nodiscard]] QString kindHelp(const Kind &kind);

} // namespace proclab::cli
