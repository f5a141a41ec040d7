// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/scene.h"

#include "core/runtime/task/worker_process.h"
#include "core/runtime/workloads/workload.h"

namespace proclab {

Work::Outcome Work::run(quint64 index) const
{
    if (workload == none)
        return {};
    const runtime::WorkloadInfo &info = runtime::workloads()[workload];
    const runtime::ThreadUsage before = runtime::threadUsage();
    const std::int64_t begin = runtime::nowNs();
    Outcome outcome;
    try {
        const runtime::Arguments values(arguments, info.arguments);
        info.run(
            {values, index, seed, runtime::ownSignalPlace(), runtime::TaskProgress::current()});
    } catch (...) {
        outcome.exception = std::current_exception();
    }
    outcome.spent = runtime::threadUsage().spentSince(before, runtime::nowNs() - begin);
    return outcome;
}

} // namespace proclab
