// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/monitor/process_source.h"

#include <QList>

#include <map>

namespace proclab::test {

/// Processes and a clock that a test sets by hand.
class FakeProcessSource final : public ProcessSource
{
public:
    struct Process
    {
        quint64 startTicks = 1;
        ProcessCounters counters;
        qint64 parentPid = 0;
        QByteArray name = {};
        char state = 'S';
    };

    std::vector<ProcessEntry> list() override
    {
        std::vector<ProcessEntry> entries;
        for (const auto &[pid, process] : processes)
            entries.push_back(
                {{pid, process.startTicks}, process.parentPid, process.name, process.state});
        return entries;
    }

    std::optional<ProcessKey> identify(qint64 pid) override
    {
        const auto found = processes.find(pid);
        if (found == processes.end())
            return std::nullopt;
        return ProcessKey{pid, found->second.startTicks};
    }
    std::optional<char> stateOf(const ProcessKey &key) override
    {
        const auto found = processes.find(key.pid);
        if (found == processes.end() || found->second.startTicks != key.startTicks)
            return std::nullopt;
        return found->second.state;
    }
    std::optional<ProcessCounters> read(const ProcessKey &key) override
    {
        const auto found = processes.find(key.pid);
        if (found == processes.end() || found->second.startTicks != key.startTicks)
            return std::nullopt;
        return found->second.counters;
    }
    void forget(const ProcessKey &key) override { forgotten.append(key); }
    qint64 nowNs() const override { return now; }

    std::map<qint64, Process> processes; ///< By PID.
    QList<ProcessKey> forgotten;         ///< What forget() was called for, in order.
    qint64 now = 0;                      ///< What nowNs() says.
};

} // namespace proclab::test
