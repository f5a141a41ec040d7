// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/charts/chart_column.h"

#include "core/experiment/run/rate_meter.h"
#include "core/experiment/run/run_means.h"
#include "core/experiment/spec/kind.h"
#include "ui/charts/chart_ticks.h"
#include "ui/charts/line_chart.h"
#include "ui/shared/theme.h"

#include <algorithm>
#include <chrono>
#include <cmath>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace proclab {

namespace {

constexpr int maxLines = 12;
constexpr int maxMarks = 20;
constexpr int bandSeries = 5;
constexpr int sharedSeries = 0; // Of the memory chart; after it the processes' private memory.
constexpr std::size_t fewSamples = 3;
constexpr double firstRange = 5;
// Samples of one instant are read one after the other: what lies closer together is one instant.
constexpr qint64 instantNs = 20'000'000;

/// Up to the next whole tick, so that the axis moves in steps.
double timeRange(double seconds)
{
    if (seconds <= 0)
        return firstRange;
    const double step = niceCeiling(seconds / 5);
    return step * std::ceil(seconds / step);
}

QColor gaugeColor(int series, qsizetype count)
{
    const Theme &theme = Theme::current();
    if (count == 1)
        return theme.text2;
    const QColor colors[] = {theme.accent, theme.text, theme.text3};
    return colors[series % 3];
}

} // namespace

ChartColumn::ChartColumn(QWidget *parent) : QWidget(parent)
{
    setAttribute(Qt::WA_OpaquePaintEvent);
    m_pause.setSingleShot(true);
    m_pause.setInterval(100ms);
    connect(&m_pause, &QTimer::timeout, this, [this] {
        if (m_dirty)
            readNew();
    });
    rebuildCharts();
}

void ChartColumn::setSpec(const ExperimentSpec &spec)
{
    const bool sameKind = spec.kind() == m_spec.kind() && !m_charts.isEmpty();
    m_spec = spec;
    const Kind *kind = spec.kindInfo();
    m_gauges = kind ? kind->charts : QList<GaugeChart>();
    m_gauges.removeIf([&spec](const GaugeChart &chart) {
        return !chart.flagField.isEmpty() && !spec.value(chart.flagField).toBool();
    });
    // Those of a kind differ in number only.
    if (!sameKind || m_charts.size() != m_gauges.size() + 2)
        rebuildCharts();
    for (qsizetype i = 0; i < m_gauges.size(); ++i) {
        const QString field = m_gauges[i].limitField;
        const double limit = field.isEmpty() ? 0 : spec.number(field);
        QString label;
        if (kind && limit > 0) {
            for (const Field &entry : kind->schema) {
                if (entry.path == field)
                    label = entry.label.toLower();
            }
        }
        label += u' ' % shortNumber(limit);
        m_charts[i + 1]->setThreshold(limit > 0 ? std::optional(limit) : std::nullopt,
                                      label.trimmed());
    }
}

void ChartColumn::rebuildCharts()
{
    qDeleteAll(m_charts);
    m_charts.clear();
    m_cpu = new LineChart(this);
    m_cpu->setMinimumTop(100);
    m_cpu->setHelp(tr("CPU time of each process; 100 % is one core all the time.\n"
                      "More than 12 processes are shown as their range, quartiles and median."));
    m_charts.append(m_cpu);
    const Kind *kind = m_spec.kindInfo();
    const QString items = kind ? kind->items : QString();
    for (const GaugeChart &gauge : std::as_const(m_gauges)) {
        auto *chart = new LineChart(this);
        chart->setTitle(gauge.title, gauge.unit);
        QStringList help{gauge.help};
        if (gauge.rate)
            help << rateWindowText(gauge.isShare() ? QString() : items);
        chart->setHelp(help.join(u'\n'));
        chart->setLimit(gauge.maximum);
        chart->setStyle(gauge.rate    ? LineChart::Style::Means
                        : gauge.steps ? LineChart::Style::Steps
                                      : LineChart::Style::Lines);
        m_charts.append(chart);
    }
    m_memory = new LineChart(this);
    m_memory->setHelp(tr("Private is what a process has for itself, shared what it has in common "
                         "with others; each is the resident part."));
    m_charts.append(m_memory);
    for (LineChart *chart : std::as_const(m_charts)) {
        connect(chart, &LineChart::cursorMoved, this, [this](std::optional<double> seconds) {
            setCursor(seconds ? std::optional(std::llround(*seconds * 1e9)) : std::nullopt);
            Q_EMIT cursorMoved(m_cursorNs);
        });
        chart->show();
    }
    setRun(m_log);
    arrangeCharts();
}

void ChartColumn::setRun(std::shared_ptr<const RunLog> log)
{
    m_log = std::move(log);
    m_processes.clear();
    m_samplesRead.clear();
    m_samples.clear();
    m_gaugesRead = 0;
    m_ratesEndedAt = 0;
    m_selectedRead = 0;
    m_nowNs = -1;
    m_cursorNs.reset();
    m_instant.reset();
    m_finishOf = 0;
    m_finishNs = 0;
    m_bands = false;
    for (LineChart *chart : std::as_const(m_charts)) {
        chart->clear();
        chart->setEmphasis(-1);
        chart->setTimeRange(firstRange);
        chart->setCursor(std::nullopt);
        chart->setEmptyText(tr("No data yet"));
    }
    m_cpu->setTitle(tr("CPU"), tr("% of one core, stacked"));
    m_cpu->setStyle(LineChart::Style::Stacked);
    setUpMemory();
    for (qsizetype i = 0; i < m_gauges.size(); ++i) {
        for (int k = 0; k < m_gauges[i].series.size(); ++k)
            m_charts[i + 1]->addSeries(m_gauges[i].series[k].name,
                                       gaugeColor(k, m_gauges[i].series.size()));
    }
    for (LineChart *chart : std::as_const(m_charts))
        chart->refresh();
}

void ChartColumn::setUpMemory()
{
    m_memory->setTitle(tr("Memory"), m_bands ? tr("MiB, largest") : tr("MiB of each"));
    m_memory->addSeries(tr("shared"), Theme::current().text3); // The most that one has.
}

void ChartColumn::advance(qint64 nowNs)
{
    if (!m_log)
        return;
    m_nowNs = nowNs;
    m_dirty = true;
    if (m_pause.isActive())
        updateHeads(); // The other views are of this instant already.
    else
        readNew();
}

void ChartColumn::readNew()
{
    m_dirty = false;
    m_pause.start();
    if (!m_log || m_nowNs < 0)
        return;
    m_processes = m_log->processes();
    readSamples();
    readGauges();
    endRates();
    updateTexts();
    updateMarks();
    const double now = toSeconds(m_nowNs);
    const bool ended = haveEnded(m_processes);
    const QString empty = ended ? tr("Too short for a sample") : tr("No data yet");
    const std::size_t count = sampleCount();
    const QString note = !ended || count >= fewSamples ? QString()
                         : count == 1                  ? tr("1 sample only")
                                                       : tr("%1 samples only").arg(count);
    for (LineChart *chart : std::as_const(m_charts)) {
        chart->setEmptyText(empty);
        chart->setNote(note);
        chart->setTimeRange(timeRange(now));
        chart->setNow(now);
        chart->refresh();
    }
}

/// The most of any process.
std::size_t ChartColumn::sampleCount() const
{
    std::size_t most = 0;
    for (int process = 1; process < m_processes.size(); ++process)
        most = std::max(most, m_log->lane(process).samples.size());
    return most;
}

bool ChartColumn::hasBands() const
{
    return m_processes.size() - 1 > maxLines;
}

void ChartColumn::readSamples()
{
    m_samplesRead.resize(static_cast<std::size_t>(m_processes.size()), 0);
    if (hasBands() && !m_bands)
        switchToBands();
    if (m_bands) {
        collectSamples();
        takeInstants();
        readSelectedInBands();
        return;
    }
    while (m_cpu->seriesCount() < m_processes.size() - 1) {
        const ProcessRecord &process = m_processes[m_cpu->seriesCount() + 1];
        const QColor color = Theme::current().process(process.colorIndex);
        m_cpu->addSeries(process.name, color);
        m_memory->addSeries(QString(), color, process.name);
        updateEmphasis();
    }
    for (int process = 1; process < m_processes.size(); ++process)
        readLines(process);
    labelPrivate();
    takeInstants();
}

/// One label for all: what they are, the colours tell whose. It stands at the curve that is drawn
/// last, over the others; not at one that ends before the run.
void ChartColumn::labelPrivate()
{
    int labelled = 0;
    for (int process = 1; process < m_processes.size(); ++process) {
        if (m_memory->history().last(sharedSeries + process) > 0 &&
            (labelled == 0 || !hasCrashed(m_processes[process])))
            labelled = process;
    }
    for (int process = 1; process < m_processes.size(); ++process)
        m_memory->setSeriesLabel(sharedSeries + process,
                                 process == labelled ? tr("private") : QString());
}

void ChartColumn::readLines(int process)
{
    const AppendLog<ProcessSample> &samples = m_log->lane(process).samples;
    const ProcessRecord &record = m_processes[process];
    const int series = process - 1;
    std::size_t &next = m_samplesRead[static_cast<std::size_t>(process)];
    for (const std::size_t size = samples.size(); next < size; ++next) {
        const ProcessSample &sample = samples[next];
        const double seconds = toSeconds(sample.timeNs);
        const auto percent = static_cast<double>(sample.cpuPercent);
        // A sample is the mean since the one before; the first since the process began.
        if (next == 0)
            m_cpu->append(series, toSeconds(std::max<qint64>(record.startNs, 0)), percent);
        m_cpu->append(series, seconds, percent);
        if (sample.residentBytes == 0) // A process that has ended has none.
            continue;
        m_samples.push_back(timed(sample));
        m_memory->append(sharedSeries + process, seconds, m_samples.back().privateMib);
    }
    if (record.endNs >= 0)
        m_cpu->end(series, toSeconds(record.endNs));
}

void ChartColumn::switchToBands()
{
    m_bands = true;
    std::fill(m_samplesRead.begin(), m_samplesRead.end(), 0);
    m_samples.clear();
    m_selectedRead = 0;
    m_cpu->clear();
    m_memory->clear();
    m_cpu->setTitle(tr("CPU"), tr("% of a core: range, quartiles"));
    m_cpu->setStyle(LineChart::Style::Bands);
    for (int i = 0; i < bandSeries; ++i)
        m_cpu->addSeries(QString(), Theme::current().accent);
    m_cpu->addSeries(QString(), Theme::current().text, tr("selected process"));
    setUpMemory();
    m_memory->addSeries(tr("private"), Theme::current().text2);
    updateColors();
}

ChartColumn::TimedSample ChartColumn::timed(const ProcessSample &sample)
{
    return {sample.timeNs, static_cast<double>(sample.cpuPercent),
            static_cast<double>(sample.privateBytes()) / mebibyte,
            static_cast<double>(sample.sharedBytes) / mebibyte};
}

void ChartColumn::collectSamples()
{
    for (int process = 1; process < m_processes.size(); ++process) {
        const AppendLog<ProcessSample> &samples = m_log->lane(process).samples;
        std::size_t &next = m_samplesRead[static_cast<std::size_t>(process)];
        for (const std::size_t size = samples.size(); next < size; ++next) {
            // What a process did before it ended is no instant of all of them.
            if (samples[next].residentBytes > 0 || next == 0)
                m_samples.push_back(timed(samples[next]));
        }
    }
}

/// What is known of all processes at one instant, once it is complete.
void ChartColumn::takeInstants()
{
    std::sort(m_samples.begin(), m_samples.end(),
              [](const TimedSample &a, const TimedSample &b) { return a.timeNs < b.timeNs; });
    std::size_t begin = 0;
    while (begin < m_samples.size()) {
        const qint64 end = m_samples[begin].timeNs + instantNs;
        if (m_samples.back().timeNs < end && !haveEnded(m_processes))
            break; // More of this instant may follow.
        std::size_t next = begin;
        while (next < m_samples.size() && m_samples[next].timeNs < end)
            ++next;
        takeInstant(begin, next);
        begin = next;
    }
    m_samples.erase(m_samples.begin(), m_samples.begin() + static_cast<std::ptrdiff_t>(begin));
}

void ChartColumn::takeInstant(std::size_t begin, std::size_t end)
{
    std::vector<double> cpu;
    double largestPrivate = 0;
    double largestShared = 0;
    for (std::size_t i = begin; i < end; ++i) {
        cpu.push_back(m_samples[i].cpuPercent);
        largestPrivate = std::max(largestPrivate, m_samples[i].privateMib);
        largestShared = std::max(largestShared, m_samples[i].sharedMib);
    }
    const double seconds = toSeconds(m_samples[begin].timeNs);
    if (largestShared > 0)
        m_memory->append(sharedSeries, seconds, largestShared);
    if (!m_bands)
        return;
    if (largestPrivate > 0)
        m_memory->append(sharedSeries + 1, seconds, largestPrivate);
    std::sort(cpu.begin(), cpu.end());
    // A sample is the mean since the one before; the first since the gate.
    const bool isFirst = m_cpu->showsNoData();
    for (int i = 0; i < bandSeries; ++i) {
        if (isFirst)
            m_cpu->append(i, 0, quantile(cpu, i / 4.0));
        m_cpu->append(i, seconds, quantile(cpu, i / 4.0));
    }
}

void ChartColumn::readSelectedInBands()
{
    if (m_selected < 1 || m_selected >= m_processes.size())
        return;
    const AppendLog<ProcessSample> &samples = m_log->lane(m_selected).samples;
    for (const std::size_t size = samples.size(); m_selectedRead < size; ++m_selectedRead) {
        const ProcessSample &sample = samples[m_selectedRead];
        m_cpu->append(bandSeries, toSeconds(sample.timeNs), static_cast<double>(sample.cpuPercent));
    }
}

void ChartColumn::readGauges()
{
    const AppendLog<GaugeSample> &samples = m_log->gauges;
    for (const std::size_t size = samples.size(); m_gaugesRead < size; ++m_gaugesRead) {
        const GaugeSample &sample = samples[m_gaugesRead];
        for (qsizetype i = 0; i < m_gauges.size(); ++i) {
            const QList<GaugeChart::Series> &series = m_gauges[i].series;
            // At the gate no rate is known yet; the first that is holds since then.
            if (m_gauges[i].rate && m_gaugesRead == 0)
                continue;
            for (int k = 0; k < series.size(); ++k) {
                const double value = sample.values[static_cast<std::size_t>(series[k].gauge)];
                if (m_gauges[i].rate && m_gaugesRead == 1)
                    m_charts[i + 1]->append(k, toSeconds(samples[0].timeNs), value);
                m_charts[i + 1]->append(k, toSeconds(sample.timeNs), value);
            }
        }
    }
}

/// Once the run has ended it is known when the work was done.
void ChartColumn::endRates()
{
    const std::size_t size = m_log->gauges.size();
    if (!haveEnded(m_processes) || size < 2 || size == m_ratesEndedAt)
        return;
    m_ratesEndedAt = size;
    for (qsizetype i = 0; i < m_gauges.size(); ++i) {
        const GaugeChart &gauge = m_gauges[i];
        for (int k = 0; gauge.rate && k < gauge.series.size(); ++k) {
            LineChart *chart = m_charts[i + 1];
            chart->clearSeries(k);
            for (const RatePoint &point : ratesUntil(*m_log, gauge, k, finishNs()))
                chart->append(k, toSeconds(point.timeNs), point.value);
        }
    }
}

void ChartColumn::updateMarks()
{
    QList<double> marks;
    for (const ProcessRecord &process : std::as_const(m_processes)) {
        if (hasCrashed(process) && marks.size() < maxMarks)
            marks.append(toSeconds(process.endNs));
    }
    for (LineChart *chart : std::as_const(m_charts))
        chart->setMarks(marks);
}

void ChartColumn::setSelectedProcess(int process)
{
    if (process == m_selected)
        return;
    m_selected = process;
    if (m_bands) {
        m_selectedRead = 0;
        m_cpu->clearSeries(bandSeries);
        readSelectedInBands();
        updateColors();
        m_cpu->refresh();
    } else {
        updateEmphasis();
    }
}

void ChartColumn::updateEmphasis()
{
    const int series = m_selected - 1;
    const bool known = series >= 0 && series < m_cpu->seriesCount();
    m_cpu->setEmphasis(known ? series : -1);
    m_memory->setEmphasis(known && !m_bands ? sharedSeries + m_selected : -1);
}

void ChartColumn::updateColors()
{
    const Theme &theme = Theme::current();
    for (qsizetype i = 0; i < m_gauges.size(); ++i) {
        for (int k = 0; k < m_charts[i + 1]->seriesCount(); ++k)
            m_charts[i + 1]->setSeriesColor(k, gaugeColor(k, m_gauges[i].series.size()));
    }
    m_memory->setSeriesColor(sharedSeries, theme.text3);
    if (m_bands) {
        for (int i = 0; i < bandSeries; ++i)
            m_cpu->setSeriesColor(i, theme.accent);
        if (m_selected >= 1 && m_selected < m_processes.size())
            m_cpu->setSeriesColor(bandSeries, theme.process(m_processes[m_selected].colorIndex));
        m_memory->setSeriesColor(sharedSeries + 1, theme.text2);
        return;
    }
    for (int i = 0; i < m_cpu->seriesCount(); ++i) {
        const QColor color = theme.process(m_processes[i + 1].colorIndex);
        m_cpu->setSeriesColor(i, color);
        m_memory->setSeriesColor(sharedSeries + 1 + i, color);
    }
}

} // namespace proclab
