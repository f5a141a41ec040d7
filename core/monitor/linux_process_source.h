// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/monitor/process_source.h"

#include <ctime>

#include <map>

namespace proclab {

/// The counters of Linux: the process's CPU clock (clock_getcpuclockid, nanoseconds, live), schedstat of
/// each thread, statm. Descriptors of the files are kept open between reads.
///
/// Threads: one source, one thread.
class LinuxProcessSource final : public ProcessSource
{
public:
    LinuxProcessSource() = default;
    ~LinuxProcessSource() override;
    Q_DISABLE_COPY_MOVE(LinuxProcessSource)

    std::optional<ProcessKey> identify(qint64 pid) override;
    std::optional<ProcessCounters> read(const ProcessKey &key) override;
    void forget(const ProcessKey &key) override;
    qint64 nowNs() const override;

private:
    struct Files
    {
        quint64 startTicks = 0;
        clockid_t cpuClock = 0;
        int statm = -1;
        int taskFolder = -1;
    };

    std::map<qint64, Files> m_open;
};

} // namespace proclab
