// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/run_means.h"
#include "core/experiment/spec/kind.h"
#include "ui/charts/line_chart.h"
#include "ui/experiment/charts/chart_column.h"
#include "ui/shared/theme.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

/// In place of a value that is not known.
QString unknownText()
{
    return u"\u2013"_s;
}

} // namespace

// What stands at the right above each chart: the present, the mean of a run that has ended, or the
// values at the cursor.

void ChartColumn::updateTexts()
{
    for (qsizetype i = 0; i < m_gauges.size(); ++i) {
        const bool hasMean = m_gauges[i].rate && m_gauges[i].series.size() == 1;
        m_charts[i + 1]->setMean(hasMean ? meanOf(m_gauges[i], 0) : std::nullopt);
    }
    updateHeads();
}

void ChartColumn::updateHeads()
{
    if (m_cursorNs && m_log) {
        const double seconds = toSeconds(*m_cursorNs);
        m_cpu->setValueText(m_instant ? cpuTextOf(*m_instant) : cpuTextAt(seconds));
        m_memory->setValueText(memoryTextAt(seconds));
        for (qsizetype i = 0; i < m_gauges.size(); ++i)
            m_charts[i + 1]->setValueText(m_instant ? gaugeTextOf(i, m_instant->timeNs)
                                                    : gaugeTextAt(i, seconds));
        return;
    }
    m_cpu->setValueText(cpuText());
    m_memory->setValueText(memoryText());
    for (qsizetype i = 0; i < m_gauges.size(); ++i)
        m_charts[i + 1]->setValueText(gaugeText(i));
}

void ChartColumn::setCursor(std::optional<qint64> timeNs)
{
    // There is nothing to say of times that are still to come.
    if (timeNs && (*timeNs < 0 || *timeNs > m_nowNs))
        timeNs.reset();
    if (timeNs == m_cursorNs && !m_instant)
        return;
    m_instant.reset();
    m_cursorNs = timeNs;
    const auto seconds = timeNs ? std::optional(toSeconds(*timeNs)) : std::nullopt;
    for (LineChart *chart : std::as_const(m_charts))
        chart->setCursor(seconds);
    if (m_log)
        updateTexts();
}

void ChartColumn::setInstant(const StageSnapshotPointer &picture)
{
    setCursor(picture ? std::optional(picture->timeNs) : std::nullopt);
    m_instant = m_cursorNs ? picture : nullptr;
    if (m_instant)
        updateTexts();
}

/// Of a run that has ended.
qint64 ChartColumn::finishNs() const
{
    if (m_finishOf != m_log->gauges.size()) {
        m_finishOf = m_log->gauges.size();
        m_finishNs = workEndNs(*m_log);
    }
    return m_finishNs;
}

std::optional<double> ChartColumn::meanOf(const GaugeChart &chart, int series) const
{
    const std::size_t size = m_log ? m_log->gauges.size() : 0;
    if (size == 0)
        return std::nullopt;
    const qint64 endNs = haveEnded(m_processes) ? finishNs() : m_log->gauges[size - 1].timeNs;
    return meanRate(*m_log, chart.series[series].gauge, chart.maximum, endNs);
}

QString ChartColumn::cpuText() const
{
    if (haveEnded(m_processes)) {
        const double mean = meanCpuPercent(*m_log);
        return mean > 0 ? tr("mean %1\u00A0%").arg(std::lround(mean)) : QString();
    }
    double sum = 0;
    bool anyAlive = false;
    for (int process = 1; process < m_processes.size(); ++process) {
        const AppendLog<ProcessSample> &samples = m_log->lane(process).samples;
        const std::size_t count = sampleCountUntil(samples, m_nowNs);
        if (m_processes[process].endNs >= 0 || count == 0)
            continue;
        anyAlive = true;
        sum += static_cast<double>(samples[count - 1].cpuPercent);
    }
    return anyAlive ? tr("%1\u00A0%").arg(std::lround(sum)) : QString();
}

QString ChartColumn::cpuTextAt(double seconds) const
{
    if (m_bands) {
        const auto median = m_cpu->valueAt(2, seconds);
        return median ? tr("median %1\u00A0%").arg(std::lround(*median)) : unknownText();
    }
    double sum = 0;
    bool known = false;
    for (int series = 0; series < m_cpu->seriesCount(); ++series) {
        const auto value = m_cpu->valueAt(series, seconds);
        known = known || value.has_value();
        sum += value.value_or(0);
    }
    return known ? tr("%1\u00A0%").arg(std::lround(sum)) : unknownText();
}

/// The picture's processes were read shortly before its instant, which is already of the next
/// samples' time.
QString ChartColumn::cpuTextOf(const StageSnapshot &picture) const
{
    std::vector<double> known;
    for (const ProcessLive &live : picture.processes) {
        if (live.process > 0 && live.cpuPercent >= 0 && !isOver(live.state))
            known.push_back(live.cpuPercent);
    }
    if (known.empty())
        return unknownText();
    if (!m_bands)
        return tr("%1\u00A0%").arg(std::lround(std::accumulate(known.begin(), known.end(), 0.0)));
    std::sort(known.begin(), known.end());
    return tr("median %1\u00A0%").arg(std::lround(quantile(known, 0.5)));
}

/// From the log: of samples that lie close together a chart keeps their mean only.
QString ChartColumn::gaugeTextOf(qsizetype index, qint64 pictureNs) const
{
    const GaugeChart &chart = m_gauges[index];
    const bool hasRates = chart.rate && haveEnded(m_processes);
    QStringList parts;
    for (int k = 0; k < chart.series.size(); ++k) {
        const auto value = hasRates ? rateAt(ratesUntil(*m_log, chart, k, finishNs()), pictureNs)
                                    : gaugeAt(m_log->gauges, chart.series[k].gauge, pictureNs);
        if (!value)
            return unknownText();
        parts.append(seriesText(chart, k, *value));
    }
    return parts.join(u" \u00B7 "_s);
}

QString ChartColumn::memoryTextAt(double seconds) const
{
    const auto bytes = [](double mib) {
        return static_cast<quint64>(std::llround(mib * mebibyte));
    };
    double largest = 0;
    for (int series = 1; series < m_memory->seriesCount(); ++series)
        largest = std::max(largest, m_memory->valueAt(series, seconds).value_or(0));
    return memoryText(bytes(largest), bytes(m_memory->valueAt(0, seconds).value_or(0)));
}

QString ChartColumn::memoryText() const
{
    quint64 largestPrivate = 0;
    quint64 largestShared = 0;
    for (int process = 1; process < m_processes.size(); ++process) {
        const AppendLog<ProcessSample> &samples = m_log->lane(process).samples;
        const std::size_t count = sampleCountUntil(samples, m_nowNs);
        if (count == 0 || m_processes[process].endNs >= 0)
            continue;
        const ProcessSample &last = samples[count - 1];
        largestPrivate = std::max(largestPrivate, last.privateBytes());
        largestShared = std::max(largestShared, last.sharedBytes);
    }
    return largestPrivate + largestShared > 0 ? memoryText(largestPrivate, largestShared)
                                              : QString();
}

QString ChartColumn::memoryText(quint64 privateBytes, quint64 sharedBytes)
{
    if (privateBytes + sharedBytes == 0)
        return unknownText();
    return tr("%1 + %2").arg(bytesText(privateBytes), bytesText(sharedBytes));
}

QString ChartColumn::gaugeNumber(const GaugeChart &chart, double value) const
{
    QString text = shortNumber(value);
    const double limit = chart.limitField.isEmpty() ? 0 : m_spec.number(chart.limitField);
    if (limit > 0)
        text += u" / "_s % shortNumber(limit);
    if (chart.unit.contains(u"/s"_s))
        text += u"\u00A0/s"_s;
    else if (chart.unit.startsWith(u'%'))
        text += u"\u00A0%"_s;
    return text;
}

/// "get 48 /s": the name of a series where there are several, and its value. The last has the unit.
QString ChartColumn::seriesText(const GaugeChart &chart, int series, double value) const
{
    const QString &name = chart.series[series].name;
    const bool isLast = series + 1 == chart.series.size();
    const double shown = chart.isShare() && chart.series.size() > 1 ? std::round(value) : value;
    const QString number = isLast ? gaugeNumber(chart, shown) : shortNumber(shown);
    return name.isEmpty() ? number : QString(name % u' ' % number);
}

QString ChartColumn::gaugeText(qsizetype index) const
{
    const GaugeChart &chart = m_gauges[index];
    const std::size_t size = m_log->gauges.size();
    if (size == 0 || chart.series.isEmpty())
        return {};
    if (chart.rate && size == 1)
        return {};
    const bool isMean = chart.rate && haveEnded(m_processes);
    // Of several series the last one: what came out. Of shares each tells something else.
    const auto last = static_cast<int>(chart.series.size()) - 1;
    QStringList parts;
    for (int k = chart.isShare() ? 0 : last; k <= last; ++k) {
        const auto value =
            isMean ? meanOf(chart, k) : gaugeAt(m_log->gauges, chart.series[k].gauge, m_nowNs);
        parts.append(seriesText(chart, k, value.value_or(0)));
    }
    const QString text = parts.join(u" \u00B7 "_s);
    return isMean ? tr("mean %1").arg(text) : text;
}

QString ChartColumn::gaugeTextAt(qsizetype index, double seconds) const
{
    const GaugeChart &chart = m_gauges[index];
    QStringList parts;
    for (int k = 0; k < chart.series.size(); ++k) {
        const auto value = m_charts[index + 1]->valueAt(k, seconds);
        if (!value)
            return unknownText();
        parts.append(seriesText(chart, k, *value));
    }
    return parts.join(u" \u00B7 "_s);
}

} // namespace proclab
