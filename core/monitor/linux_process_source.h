// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/monitor/process_source.h"

#include <ctime>

#include <map>
#include <string>
#include <utility>

namespace proclab {

/// The counters of Linux: the process's CPU clock (clock_getcpuclockid, nanoseconds, live),
/// schedstat of each thread, statm. Their files are kept open between reads, three descriptors a
/// process; those of further threads are opened anew. Time that a thread has waited is forgotten
/// with its end. A process that has ended is read until its parent has taken its exit status.
///
/// Threads: one source, one thread.
class LinuxProcessSource final : public ProcessSource
{
public:
    /// @p folder holds the processes' folders. Only the CPU clock is not read there.
    explicit LinuxProcessSource(std::string folder = "/proc") : m_folder(std::move(folder)) {}
    ~LinuxProcessSource() override;
    Q_DISABLE_COPY_MOVE(LinuxProcessSource)

    std::vector<ProcessEntry> list() override;
    std::optional<ProcessKey> identify(qint64 pid) override;
    std::optional<char> stateOf(const ProcessKey &key) override;
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
        int schedstat = -1; ///< Of the main thread.
    };
    using OpenFiles = std::map<qint64, Files>; ///< By PID.

    /// The files of @p key, opened unless they are; end() if there is no such process.
    OpenFiles::iterator filesOf(const ProcessKey &key);
    void close(OpenFiles::iterator files);
    [[nodiscard]] std::string path(qint64 pid, const char *name) const;
    /// What stands in the `stat` of @p pid; nullopt: there is no such process.
    [[nodiscard]] std::optional<ProcessEntry> statOf(qint64 pid) const;

    std::string m_folder;
    OpenFiles m_open;
};

} // namespace proclab
