// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/run_means.h"

#include "core/experiment/run/rate_meter.h"

#include <algorithm>

namespace proclab {

namespace {

double limited(double value, double maximum)
{
    return maximum > 0 ? std::min(value, maximum) : value;
}

} // namespace

double quantile(const std::vector<double> &sorted, double share)
{
    const double at = share * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(at);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

qint64 workEndNs(const RunLog &log)
{
    const std::size_t size = log.gauges.size();
    if (size == 0)
        return 0;
    const qint64 lastNs = log.gauges[size - 1].timeNs;
    const qint64 finishNs = lastFinishNs(log);
    return finishNs > 0 ? std::min(finishNs, lastNs) : lastNs;
}

std::optional<double> meanRate(const RunLog &log, int gauge, double maximum, qint64 endNs)
{
    const std::size_t size = log.gauges.size();
    const qint64 lengthNs = endNs - log.workBeginNs.load(std::memory_order_relaxed);
    if (size == 0 || lengthNs <= 0)
        return std::nullopt;
    const double total = log.gauges[size - 1].totals[static_cast<std::size_t>(gauge)];
    return limited(total * 1e9 / static_cast<double>(lengthNs), maximum);
}

std::vector<RatePoint> ratesUntil(const RunLog &log, const GaugeChart &chart, qsizetype series,
                                  qint64 endNs)
{
    const AppendLog<GaugeSample> &samples = log.gauges;
    const std::size_t size = samples.size();
    const GaugeChart::Series &shown = chart.series[series];
    const auto gauge = static_cast<std::size_t>(shown.gauge);
    const auto events = shown.events < 0 ? gauge : static_cast<std::size_t>(shown.events);
    const qint64 beginNs = log.workBeginNs.load(std::memory_order_relaxed);
    std::vector<RatePoint> rates;
    RateMeter meter;
    bool isLast = false;
    for (std::size_t at = 1; at < size && !isLast; ++at) {
        isLast = samples[at].timeNs >= endNs;
        const qint64 timeNs = isLast ? endNs : samples[at].timeNs;
        const std::vector<double> &totals = samples[isLast ? size - 1 : at].totals;
        const qint64 sinceBegin = timeNs - beginNs;
        if (sinceBegin <= 0)
            continue;
        const double rate = chart.isShare()
                                ? limited(meter.addShare(sinceBegin, totals[gauge]), chart.maximum)
                                : meter.add(sinceBegin, totals[gauge], totals[events]);
        if (rates.empty()) // The first that is known holds since the work began.
            rates.push_back({beginNs, rate});
        rates.push_back({timeNs, rate});
    }
    return rates;
}

std::optional<double> rateAt(const std::vector<RatePoint> &rates, qint64 timeNs)
{
    if (rates.empty() || timeNs < rates.front().timeNs)
        return std::nullopt;
    const auto found =
        std::lower_bound(rates.begin(), rates.end(), timeNs,
                         [](const RatePoint &point, qint64 ns) { return point.timeNs < ns; });
    return found == rates.end() ? std::nullopt : std::optional(found->value);
}

double meanCpuPercent(const RunLog &log)
{
    const QList<ProcessRecord> processes = log.processes();
    double sum = 0;
    qint64 endNs = 0;
    for (int process = 1; process < processes.size(); ++process) {
        const AppendLog<ProcessSample> &samples = log.lane(process).samples;
        qint64 fromNs = std::max<qint64>(processes[process].startNs, 0);
        for (std::size_t i = 0, size = samples.size(); i < size; ++i) {
            const qint64 length = std::max<qint64>(0, samples[i].timeNs - fromNs);
            sum += static_cast<double>(samples[i].cpuPercent) * static_cast<double>(length);
            fromNs = samples[i].timeNs;
        }
        endNs = std::max(endNs, processes[process].endNs);
    }
    return endNs > 0 ? sum / static_cast<double>(endNs) : 0;
}

float workShare(const AppendLog<ProcessSample> &samples, qint64 beginNs, qint64 endNs)
{
    const std::size_t first = sampleCountUntil(samples, beginNs);
    const std::size_t end = sampleCountUntil(samples, endNs);
    float percent = 0;
    for (std::size_t at = first; at < end; ++at)
        percent += samples[at].cpuPercent + samples[at].readyPercent;
    return first < end ? std::min(1.0F, percent / (100 * static_cast<float>(end - first))) : 1.0F;
}

} // namespace proclab
