// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/monitor/process_meter.h"

#include <algorithm>

namespace proclab {

namespace {

/// Percent of @p passedNs. Never below 0: what a thread has waited leaves the sum when it ends.
double percentOf(qint64 spentNs, qint64 passedNs)
{
    return static_cast<double>(std::max<qint64>(spentNs, 0)) * 100 / static_cast<double>(passedNs);
}

} // namespace

bool ProcessMeter::add(qint64 pid)
{
    const auto key = m_source.identify(pid);
    if (!key)
        return false;
    remove(pid);
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
    rates.sharedBytes = counters->sharedBytes;
    const qint64 passedNs = rates.timeNs - found->lastNs;
    if (found->last && passedNs > 0) {
        rates.cpuPercent = percentOf(counters->cpuNs - found->last->cpuNs, passedNs);
        if (counters->readyNs && found->last->readyNs)
            rates.readyPercent = percentOf(*counters->readyNs - *found->last->readyNs, passedNs);
    }
    found->last = counters;
    found->lastNs = rates.timeNs;
    return rates;
}

bool ProcessMeter::isStopped(qint64 pid)
{
    const auto found = m_watched.constFind(pid);
    if (found == m_watched.cend())
        return false;
    const char state = m_source.stateOf(found->key).value_or('X');
    return state == 'T' || state == 't';
}

} // namespace proclab
