// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/runner.h"
#include "core/monitor/process_meter.h"

#include <QThread>
#include <QTimer>

#include <mutex>

namespace proclab {

/// Watches a run from a thread of its own: 20 times a second it reads the processes' clocks and
/// the shared memory, and appends to the log what it read and the picture that the stage draws.
/// The processes send it nothing. Its first reading, which takes longest, is done before the gate
/// opens, in the thread that opens it: it would take a core from processes that begin.
///
/// Threads: use it only from the engine's thread.
class RunSampler final
{
public:
    static constexpr int intervalMs = 50;

    /// @p runner, @p log and @p source outlive the sampler. From start() to stop() @p source
    /// belongs to the sampler's thread.
    RunSampler(ExperimentRunner &runner, RunLog &log, ProcessSource &source);
    ~RunSampler();

    void start();
    /// Ends the thread, then records the end of the run once, from the calling thread.
    void stop();

private:
    struct Watch
    {
        bool isWatched = false;
        bool isFinal = false;
        qint64 lastNs = 0; ///< CLOCK_MONOTONIC of the last sample.
        qint64 lastCpuNs = 0;
        double cpuPercent = -1;
        double readyPercent = 0; ///< Since the sample before.
        double readyShare = 0;   ///< Since the first sample of the run, 0 … 1.
        qint64 firstNs = 0;      ///< When that was, CLOCK_MONOTONIC; 0: not yet.
        qint64 firstReadyNs = 0;
        bool isStopped = false;
    };

    enum class Tick { Regular, Last };
    void tick(Tick kind);
    /// What the clocks of process @p live say of its state, which its own notes cannot know.
    void refineState(ProcessLive &live, qint64 timeNs) const;
    void sampleBeforeGate();
    void appendGauges(const GaugeSample &gauges);
    void sample(int process, const ProcessRecord &record, qint64 gateNs);
    void sampleParent(const ProcessRecord &record, qint64 gateNs);
    void sampleEnd(int process, const ProcessRecord &record);
    ProcessLive pictureOf(int process, const ProcessRecord &record) const;

    ExperimentRunner &m_runner;
    RunLog &m_log;
    QThread m_thread;
    QTimer m_timer;
    std::mutex m_reading; ///< Guards all below.
    ProcessMeter m_meter;
    std::vector<Watch> m_watches;
    quint64 m_ticks = 0;
    qint64 m_pictureNs = 0; ///< The instant of the newest picture, on the run's axis.
};

} // namespace proclab
