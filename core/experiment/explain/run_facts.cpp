// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/explain/run_facts.h"

#include "core/experiment/spec/kind.h"

#include <algorithm>

namespace proclab {

namespace {

TimeAccount accountOf(const ProcessRecord &process, const AppendLog<ProcessSample> &samples)
{
    TimeAccount account;
    qint64 fromNs = std::max<qint64>(process.startNs, 0);
    for (std::size_t i = 0, size = samples.size(); i < size; ++i) {
        const ProcessSample &sample = samples[i];
        const double seconds = static_cast<double>(sample.timeNs - fromNs) / 1e9;
        if (seconds <= 0)
            continue;
        account.add({seconds, seconds * static_cast<double>(sample.cpuPercent) / 100,
                     seconds * static_cast<double>(sample.readyPercent) / 100});
        fromNs = sample.timeNs;
    }
    return account;
}

} // namespace

void TimeAccount::add(const TimeAccount &other)
{
    seconds += other.seconds;
    onCore += other.onCore;
    ready += other.ready;
}

RunFacts::RunFacts(const RunResult &ended, int usable)
    : result(ended)
    , spec(ended.spec)
    , log(*ended.log)
    , cores(usable)
    , processes(log.processes())
    , accounts(static_cast<std::size_t>(processes.size()))
    , endNs(static_cast<qint64>(ended.elapsedSeconds * 1e9))
{
    for (int process = 0; process < processes.size(); ++process) {
        const ProcessRecord &record = processes[process];
        TimeAccount &account = accounts[static_cast<std::size_t>(process)];
        account = accountOf(record, log.lane(process).samples);
        if (record.isParent())
            continue;
        children.add(account);
        crew += record.replaces < 0 ? 1 : 0;
        aliveSeconds = std::max(aliveSeconds, static_cast<double>(record.endNs) / 1e9);
    }
    isLongEnough = seconds() >= leastSampledSeconds;
}

TimeAccount RunFacts::ofRole(int role) const
{
    const ProcessRole *wanted = &spec.kindInfo()->roles[static_cast<std::size_t>(role)];
    TimeAccount account;
    for (int process = 0; process < processes.size(); ++process) {
        if (processes[process].role == wanted)
            account.add(accounts[static_cast<std::size_t>(process)]);
    }
    return account;
}

} // namespace proclab
