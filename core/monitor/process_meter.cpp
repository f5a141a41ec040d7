// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/monitor/process_meter.h"

namespace proclab {

bool ProcessMeter::add(qint64 pid)
{
    const auto key = m_source.identify(pid);
    if (!key)
        return false;
    m_watched.insert(pid, {*key, std::nullopt, 0});
    return true;
}

void ProcessMeter::remove(qint64 pid)
{
    const auto found = m_watched.constFind(pid);
    if (found == m_watched.cend())
        return;
    m_source.forget(found->key);
    m_watched.erase(found);
}

std::optional<ProcessRates> ProcessMeter::sample(qint64 pid)
{
    const auto found = m_watched.find(pid);
    if (found == m_watched.end())
        return std::nullopt;
    const auto counters = m_source.read(found->key);
    if (!counters)
        return std::nullopt;
    ProcessRates rates;
    rates.timeNs = m_source.nowNs();
    rates.cpuNs = counters->cpuNs;
    rates.readyNs = counters->readyNs;
    rates.residentBytes = counters->residentBytes;
    const double passed = static_cast<double>(rates.timeNs - found->lastNs);
    if (found->last && passed > 0) {
        rates.cpuPercent = static_cast<double>(counters->cpuNs - found->last->cpuNs) * 100 / passed;
        if (counters->readyNs && found->last->readyNs)
            rates.readyPercent = static_cast<double>(*counters->readyNs - *found->last->readyNs) * 100 / passed;
    }
    found->last = counters;
    found->lastNs = rates.timeNs;
    return rates;
}

} // namespace proclab
