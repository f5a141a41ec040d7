// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace proclab::cli {

/// How proclab-cli ends; 128 + N: ended by signal N.
enum ExitStatus {
    AllWentWell = 0,
    TaskFailed = 1,
    BadUsage = 2,     ///< Or an invalid experiment: nothing was started.
    EngineFailed = 3, ///< Or a result that could not be written.
};

} // namespace proclab::cli
