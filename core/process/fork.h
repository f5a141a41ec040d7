// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"

#include <functional>

#include <sys/types.h>

namespace proclab {

/// Allows Process::fork(), and Processes with StartMethod::Fork that are copies of this one, from
/// now on. For programs that have no window and no thread that must not stand still: a copy has
/// only the thread that forks, and all that other threads held at that moment stays held in it.
/// The engine's own locks are seen to; those of other libraries, also Qt's, are not.
///
/// What belongs to the process that was copied stays its own: in the copy its pools, executors,
/// futures and Processes answer InvalidState, and shared objects may be used as ever. The copy
/// must not run the event loop of the thread that forked; that this thread ends interrupts a system
/// call of the copy once (EINTR).
void allowForkHere();
[[nodiscard]] bool isForkAllowed();

/// What to do around each such fork, as Python's os.register_at_fork(): what must not be copied
/// half-done is locked before and unlocked on both sides. They run in the thread that forks.
struct ForkHooks
{
    std::function<void()> before = {};   ///< Last registered first.
    std::function<void()> inParent = {}; ///< First registered first, also if the fork fails.
    std::function<void()> inChild = {};  ///< First registered first.
};
/// InvalidArgument if @p hooks are all empty. Any thread; not within a hook.
Result<void> addForkHooks(ForkHooks hooks);

namespace process_detail {

/// Forks the caller: 0 in the child, whose std::exit() runs what was registered there and leaves
/// the parent's be. OsError; Timeout if the engine's thread does not come to rest.
Result<pid_t> forkCaller();
/// Has forks counted, also those of others; see runtime::forkCount().
void countForks();

} // namespace process_detail

} // namespace proclab
