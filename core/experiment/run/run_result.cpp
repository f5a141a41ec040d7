// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/run_result.h"

namespace proclab {

int RunResult::exitStatus() const
{
    if (engineError)
        return 3;
    const bool isWhole = totals.failed + totals.cancelled + totals.lost + failedItems == 0;
    return isWhole && !timeLimitReached && !stopped ? 0 : 1;
}

} // namespace proclab
