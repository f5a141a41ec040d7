// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/run_result.h"

#include "core/experiment/spec/kind.h"

namespace proclab {

WorkCounts RunResult::work() const
{
    const Kind *kind = spec.kindInfo();
    if (kind && kind->hasTasks)
        return {totals.tasks, totals.done, totals.failed, totals.cancelled, totals.lost};
    const StageSnapshotPointer last = log ? log->snapshots.newest() : nullptr;
    if (!last)
        return {};
    return {last->total, last->done, last->failed, last->cancelled, last->lost};
}

int RunResult::exitStatus() const
{
    if (engineError)
        return 3;
    const bool isWhole = totals.failed + totals.cancelled + totals.lost + failedItems == 0;
    return isWhole && !timeLimitReached && timeoutField.isEmpty() && !stopped ? 0 : 1;
}

} // namespace proclab
