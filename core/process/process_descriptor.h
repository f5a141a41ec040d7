// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"

namespace proclab {

/// A process that need not be a child of this one, such as a grandchild: a pidfd. It stays that
/// process, whoever has its PID later.
///
/// Threads: any. Blocking: never.
class ProcessDescriptor
{
public:
    /// OsError: there is no process @p pid, or no descriptor is left.
    [[nodiscard]] static Result<ProcessDescriptor> open(qint64 pid);

    ProcessDescriptor(ProcessDescriptor &&other) noexcept;
    ProcessDescriptor &operator=(ProcessDescriptor &&other) noexcept;
    ~ProcessDescriptor();

    /// Also true while it is a zombie.
    [[nodiscard]] bool hasEnded() const;
    /// Without effect once it has ended.
    void sendSignal(int number) const;

private:
    explicit ProcessDescriptor(int fd) : m_fd(fd) {}

    int m_fd = -1;
};

} // namespace proclab
