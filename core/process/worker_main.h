// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

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
[[nodiscard]] std::optional<int> workerMain(int argc, char **argv);

} // namespace proclab
