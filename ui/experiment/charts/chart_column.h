// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_log.h"
#include "core/experiment/spec/gauge_chart.h"
#include "core/experiment/spec/spec.h"

#include <QList>
#include <QTimer>
#include <QWidget>

#include <memory>
#include <optional>
#include <vector>

namespace proclab {

class LineChart;

/// The charts of a run, one below the other on one time axis: CPU per process (lines up to 12
/// processes, beyond that bands of minimum, quartiles and maximum), then the kind's own gauges,
/// then memory where there is room for it.
class ChartColumn final : public QWidget
{
    Q_OBJECT

public:
    explicit ChartColumn(QWidget *parent = nullptr);

    /// Which charts there are, from the kind of @p spec; empty axes and "No data yet".
    void setSpec(const ExperimentSpec &spec);
    /// The run to show from now on; null: none.
    void setRun(std::shared_ptr<const RunLog> log);
    /// Draws what is new up to @p nowNs; redraws at most ten times a second.
    void advance(qint64 nowNs);
    void setSelectedProcess(int process);
    /// Marks @p timeNs in all charts, whose heads then show the values of that time; nullopt: none.
    void setCursor(std::optional<qint64> timeNs);
    /// Marks the instant of @p picture, one of the run's, in all charts, whose heads then say what
    /// it tells; null: none.
    void setInstant(const StageSnapshotPointer &picture);

    /// The charts from the top, CPU first, memory last; for tests and exports.
    [[nodiscard]] const QList<LineChart *> &charts() const { return m_charts; }

Q_SIGNALS:
    /// The pointer over a chart is at @p timeNs; nullopt: it has left.
    void cursorMoved(std::optional<qint64> timeNs);

public:
    QSize sizeHint() const override { return {304, 560}; }
    QSize minimumSizeHint() const override { return {200, 160}; }

protected:
    void changeEvent(QEvent *event) override;
    void paintEvent(QPaintEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;

private:
    struct TimedSample
    {
        qint64 timeNs;
        double cpuPercent;
        double privateMib;
        double sharedMib;
    };

    static constexpr double mebibyte = 1024.0 * 1024.0;

    static double toSeconds(qint64 timeNs) { return static_cast<double>(timeNs) / 1e9; }
    void rebuildCharts();
    void setUpMemory();
    void arrangeCharts();
    void readNew();
    void readSamples();
    void readLines(int process);
    void labelPrivate();
    void switchToBands();
    void collectSamples();
    void takeInstants();
    void takeInstant(std::size_t begin, std::size_t end);
    [[nodiscard]] static TimedSample timed(const ProcessSample &sample);
    [[nodiscard]] std::size_t sampleCount() const;
    void readSelectedInBands();
    void readGauges();
    void endRates();
    void updateColors();
    void updateEmphasis();
    void updateTexts();
    void updateHeads();
    void updateMarks();
    [[nodiscard]] QString cpuText() const;
    [[nodiscard]] QString memoryText() const;
    /// "412 KiB + 3.0 MiB": private and shared.
    [[nodiscard]] static QString memoryText(quint64 privateBytes, quint64 sharedBytes);
    [[nodiscard]] QString seriesText(const GaugeChart &chart, int series, double value) const;
    [[nodiscard]] QString gaugeText(qsizetype index) const;
    [[nodiscard]] QString cpuTextAt(double seconds) const;
    [[nodiscard]] QString cpuTextOf(const StageSnapshot &picture) const;
    [[nodiscard]] QString gaugeTextOf(qsizetype index, qint64 pictureNs) const;
    [[nodiscard]] QString memoryTextAt(double seconds) const;
    [[nodiscard]] QString gaugeTextAt(qsizetype index, double seconds) const;
    [[nodiscard]] QString gaugeNumber(const GaugeChart &chart, double value) const;
    [[nodiscard]] std::optional<double> meanOf(const GaugeChart &chart, int series) const;
    [[nodiscard]] qint64 finishNs() const;
    [[nodiscard]] bool hasBands() const;

    ExperimentSpec m_spec;
    QList<GaugeChart> m_gauges;
    std::shared_ptr<const RunLog> m_log;
    QList<ProcessRecord> m_processes;
    QList<LineChart *> m_charts; // CPU, one for each gauge chart, memory.
    LineChart *m_cpu = nullptr;
    LineChart *m_memory = nullptr;
    std::vector<std::size_t> m_samplesRead; // By process: the next sample to take in.
    std::vector<TimedSample> m_samples;     // Those whose instant may not be complete yet.
    std::size_t m_selectedRead = 0;         // In bands: the selected process's next sample.
    std::size_t m_gaugesRead = 0;
    std::size_t m_ratesEndedAt = 0; // So many samples were there when the rates were closed.
    qint64 m_nowNs = -1;
    std::optional<qint64> m_cursorNs;
    StageSnapshotPointer m_instant;     // The picture that the cursor marks; null: none.
    mutable std::size_t m_finishOf = 0; // So many samples were there when m_finishNs was found.
    mutable qint64 m_finishNs = 0;
    int m_selected = -1;
    bool m_bands = false;
    QTimer m_pause; // Runs while the last look into the log is less than 100 ms old.
    bool m_dirty = false;
};

} // namespace proclab
