// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/process/worker_main.h"

#include "core/runtime/task/worker_process.h"

namespace proclab {

std::optional<int> workerMain(int argc, char **argv)
{
    int code = 0;
    return runtime::becomeWorker(argc, argv, code) ? std::optional<int>(code) : std::nullopt;
}

} // namespace proclab
