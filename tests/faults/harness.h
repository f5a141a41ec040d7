// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <QStringList>

#include <chrono>
#include <functional>

/// What the programs that kill have in common: see README.md.
namespace proclab::test {

/// The memory that this program has now.
[[nodiscard]] qint64 residentKiB();
/// ProcLab's names in /dev/shm.
[[nodiscard]] QStringList sharedMemoryNames();
/// Each child's name and state, for who looks into a hang.
[[nodiscard]] QString childStates();

/// Starts this program with --as-parent, --seed and @p arguments(number), lets it work, perhaps
/// stops it for a while, and kills it at a random time: whom it leaves must end by themselves.
/// @p count times, or until @p limit is over. The exit code.
///
/// Blocking: for as long. It becomes a subreaper.
int killParents(quint64 count, quint32 seed, std::chrono::seconds limit,
                const std::function<QStringList(quint64)> &arguments);

} // namespace proclab::test
