// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/task/worker_process.h"

#include <optional>

namespace proclab {

/// Call it first in main(): if this process was started as a worker of its own program it lives
/// that life here, and the exit code is for main() to return. It is C++'s `if __name__ ==
/// "__main__"`: what stands below runs in the program alone.
///
///     int main(int argc, char **argv)
///     {
///         if (const auto code = proclab::workerMain(argc, argv))
///             return *code;
///         …
///     }
[[nodiscard]] inline std::optional<int> workerMain(int argc, char **argv)
{
    int code = 0;
    return runtime::becomeWorker(argc, argv, code) ? std::optional<int>(code) : std::nullopt;
}

} // namespace proclab
