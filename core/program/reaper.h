// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/program/launch.h"

/// Reaps programs that nobody waits for any more, so that none stays a zombie.
namespace proclab {

/// Waits for the end of a program in place of its handles. Any thread.
void reapLater(OwnedDescriptor pidFd, pid_t pid);
/// Process group @p group has lost its leader, so others in it may become children of this process.
/// Any thread.
void noteGroup(pid_t group);
/// Reaps those that have ended. In the engine's thread.
void reapEnded();

} // namespace proclab
