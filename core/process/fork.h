// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"

#include <functional>

#include <sys/types.h>

namespace proclab {

/// From now on allows Process::fork(), and Processes with StartMethod::Fork that are copies of this
/// one. Only for programs without a window and without threads that must not stand still: a copy
/// has only the thread that forks, and what other threads held at that moment stays held in it. The
/// engine takes care of its own locks, but not of those of other libraries, Qt included.
///
/// A copy can use shared objects as before. The pools, executors, futures and Processes of its
/// parent answer InvalidState in it. It must not run the event loop of the thread that forked. When
/// that thread ends, a system call of the copy is interrupted once (EINTR).
void allowForkHere();
[[nodiscard]] bool isForkAllowed();

/// What to do around each such fork. Like Python's os.register_at_fork(): locks what must not be
/// copied half-done before the fork, and unlocks it on both sides. Runs in the thread that forks.
struct ForkHooks
{
    std::function<void()> before = {};   ///< Last registered first.
    std::function<void()> inParent = {}; ///< First registered first, also if the fork fails.
    std::function<void()> inChild = {};  ///< First registered first.
};
/// InvalidArgument if all of @p hooks are empty. Any thread, but not within a hook.
Result<void> addForkHooks(ForkHooks hooks);

namespace process_detail {

/// Forks the caller; 0 in the child, whose std::exit() runs what was registered in it and nothing
/// of the parent's. OsError; Timeout if the engine's thread does not come to rest.
Result<pid_t> forkCaller();
/// Starts to count forks, also those by other code; see runtime::forkCount().
void countForks();

} // namespace process_detail

} // namespace proclab
