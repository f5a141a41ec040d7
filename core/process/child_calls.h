// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/process/process_group.h"

#include <vector>

#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>

/// What ProcessGroup asks the system about children. None of it waits.
namespace proclab {

/// -1: errno.
[[nodiscard]] int openPidFd(qint64 pid);
/// Looks at (and with WEXITED alone, reaps) the child behind @p pidFd; the kernel's call also gives
/// the usage, which the C library's wrapper leaves out. False: it has not ended.
bool waitPidFd(int pidFd, int options, siginfo_t &info, rusage &usage);
[[nodiscard]] ChildExit exitOf(const siginfo_t &info, const rusage &usage);
/// 0, or the errno with which a start would fail half-way, where QProcess cannot tell the reason.
[[nodiscard]] int whyNoDescriptors();
[[nodiscard]] bool isChild(qint64 pid);
/// Kills whoever is left in process group @p group, and reaps those that are this program's
/// children. True: nobody is.
bool endGroup(qint64 group);
/// The children of a process, of all its threads, zombies among them; 0: of this one.
[[nodiscard]] std::vector<pid_t> childPids(pid_t parent = 0);
/// As prctl(PR_SET_NAME) gave it; a zombie keeps it.
[[nodiscard]] QByteArray processName(pid_t pid);

} // namespace proclab
