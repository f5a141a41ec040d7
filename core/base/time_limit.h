// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/clock.h"

#include <algorithm>
#include <chrono>
#include <optional>

namespace proclab {

/// How long a call may wait; without a value, as long as it takes. Negative values count as 0.
using TimeLimit = std::optional<std::chrono::nanoseconds>;

/// The end of a wait of @p limit that begins now, on the clock of runtime::nowNs().
[[nodiscard]] inline std::int64_t deadlineOf(TimeLimit limit)
{
    if (!limit)
        return runtime::noDeadline;
    const std::int64_t now = runtime::nowNs();
    const std::int64_t length = std::max<std::int64_t>(limit->count(), 0);
    return length > runtime::noDeadline - now ? runtime::noDeadline : now + length;
}

} // namespace proclab
