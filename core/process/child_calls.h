// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/process/process_group.h"

#include <vector>

#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>

/// Questions to the system about children, none of which waits.
namespace proclab {

/// -1 and errno if there is no such process.
[[nodiscard]] int openPidFd(qint64 pid);
/// Looks at the child behind @p pidFd, and reaps it if @p options is WEXITED alone. Unlike the C
/// library's waitid(), it also gives the usage. False if the child has not ended.
bool waitPidFd(int pidFd, int options, siginfo_t &info, rusage &usage);
[[nodiscard]] ChildExit exitOf(const siginfo_t &info, const rusage &usage);
/// 0, or the errno with which a start would fail half-way, where QProcess would not say why.
[[nodiscard]] int whyNoDescriptors();
[[nodiscard]] bool isChild(qint64 pid);
/// Kills whoever is left in process group @p group, and reaps the children of this program among
/// them. True if the group is empty.
bool endGroup(qint64 group);
/// The children of all threads of process @p parent (0: this one), zombies among them.
[[nodiscard]] std::vector<pid_t> childPids(pid_t parent = 0);
/// The name that prctl(PR_SET_NAME) gave it; a zombie keeps it.
[[nodiscard]] QByteArray processName(pid_t pid);

} // namespace proclab
