// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

/// PROCLAB_KILL_POINT("put.claimed") marks a place between two steps that other processes can see.
/// It does nothing, except in the build of the engine for tests/faults, where a process may end at
/// any such place so that a test can show what follows.
#ifdef PROCLAB_KILL_POINTS

namespace proclab::runtime {

/// Defined by the tests.
void killPoint(const char *name);

} // namespace proclab::runtime

#define PROCLAB_KILL_POINT(name) ::proclab::runtime::killPoint(name)
#else
#define PROCLAB_KILL_POINT(name) static_cast<void>(0)
#endif
