// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/run_sampler.h"

#include "core/runtime/clock.h"

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

/// A task that began within it may have had most of a sample's time before.
constexpr qint64 stateAfterNs = 80'000'000;
/// Of so many ticks one looks whether processes that use no core are stopped: a look costs more
/// than a sample.
constexpr quint64 ticksPerStopLook = 4;

/// Of the first reading: since the process started, of which the parent may have been told late.
double percentSinceStart(const ProcessRates &rates, qint64 startNs)
{
    const qint64 passed = rates.timeNs - startNs;
    if (passed <= 0)
        return -1;
    return std::min(100.0, static_cast<double>(rates.cpuNs) * 100 / static_cast<double>(passed));
}

/// When the last of the processes ended, and the parent was through, on the run's axis; now, if one
/// has not ended.
qint64 endOfAll(const RunLog &log, const QList<ProcessRecord> &processes, qint64 gateNs)
{
    const AppendLog<Span> &parents = log.lane(0).spans;
    qint64 last = parents.isEmpty() ? 0 : parents[parents.size() - 1].endNs;
    for (int process = 1; process < processes.size(); ++process) {
        if (processes[process].endNs < 0)
            return runtime::nowNs() - gateNs;
        last = std::max(last, processes[process].endNs);
    }
    return last;
}

} // namespace

RunSampler::RunSampler(ExperimentRunner &runner, RunLog &log, ProcessSource &source)
    : m_runner(runner)
    , m_log(log)
    , m_meter(source)
{
    m_thread.setObjectName(u"sampler"_s);
    m_timer.setTimerType(Qt::PreciseTimer);
    m_timer.setInterval(intervalMs);
    m_timer.moveToThread(&m_thread);
    QObject::connect(&m_thread, &QThread::started, &m_timer, qOverload<>(&QTimer::start));
    QObject::connect(&m_thread, &QThread::finished, &m_timer, &QTimer::stop);
    QObject::connect(&m_timer, &QTimer::timeout, &m_timer, [this] { tick(Tick::Regular); });
    QObject::connect(
        &runner, &ExperimentRunner::aboutToOpen, &m_timer, [this] { sampleBeforeGate(); },
        Qt::DirectConnection);
}

RunSampler::~RunSampler()
{
    m_thread.quit();
    m_thread.wait();
}

void RunSampler::start()
{
    {
        // Hands over to the thread what was made here. QThread does so too, but by locks that the
        // thread sanitizer does not see.
        const std::lock_guard lock(m_reading);
    }
    m_thread.start();
    // Once this returns the thread's loop runs and holds all the descriptors that it will hold.
    QMetaObject::invokeMethod(
        &m_timer, [] {}, Qt::BlockingQueuedConnection);
}

void RunSampler::stop()
{
    m_thread.quit();
    m_thread.wait();
    tick(Tick::Last);
}

/// Where the processes' clocks stand when the work begins: even a run that is over before the next
/// tick has a stretch to take the mean of.
void RunSampler::sampleBeforeGate()
{
    const std::lock_guard lock(m_reading);
    const QList<ProcessRecord> processes = m_log.processes();
    m_watches.resize(static_cast<std::size_t>(processes.size()));
    for (int process = 0; process < processes.size(); ++process)
        sample(process, processes[process], 0);
}

void RunSampler::appendGauges(const GaugeSample &gauges)
{
    if (m_log.gauges.isEmpty())
        m_log.gauges.append(m_runner.gaugesAtGate());
    m_log.gauges.append(gauges);
}

void RunSampler::tick(Tick kind)
{
    const std::lock_guard lock(m_reading);
    const qint64 cpuBefore = runtime::threadCpuNs();
    const qint64 gate = m_runner.gateNs();
    const QList<ProcessRecord> processes = m_log.processes();
    m_watches.resize(static_cast<std::size_t>(processes.size()));
    auto snapshot = std::make_shared<StageSnapshot>();
    snapshot->processes.reserve(processes.size());
    for (int process = 0; process < processes.size(); ++process) {
        if (process > 0 ||
            kind == Tick::Regular) // What the parent does after the end is the lab's.
            sample(process, processes[process], gate);
        snapshot->processes.append(pictureOf(process, processes[process]));
    }
    m_runner.drainTrace();
    // From here on, so that no bar ends after the instant of the picture.
    m_pictureNs = gate == 0            ? 0
                  : kind == Tick::Last ? std::max(m_pictureNs + 1, endOfAll(m_log, processes, gate))
                                       : runtime::nowNs() - gate;
    snapshot->timeNs = m_pictureNs;
    GaugeSample gauges = m_runner.noGauges();
    gauges.timeNs = snapshot->timeNs;
    if (kind == Tick::Last) {
        // All counts are final, and have been since the last task was finished.
        const std::size_t size = m_log.gauges.size();
        const qint64 finish = lastFinishNs(m_log);
        if (finish > (size > 0 ? m_log.gauges[size - 1].timeNs : 0))
            gauges.timeNs = std::min(finish, snapshot->timeNs);
    }
    m_runner.observe(*snapshot, gauges);
    // Of who has ended since the first look nobody told the runner anything any more: what it did
    // stands in its record.
    const QList<ProcessRecord> after = m_log.processes();
    for (ProcessLive &live : snapshot->processes) {
        const ProcessRecord &record = after[live.process];
        if (record.endNs >= 0 && !isOver(live.state))
            live = pictureOf(live.process, record);
        refineState(live, snapshot->timeNs);
    }
    m_runner.countShown(*snapshot, gauges);
    ++m_ticks;
    if (gate != 0)
        appendGauges(gauges);
    m_log.snapshots.append(std::move(snapshot));
    m_log.samplerCpuNs.fetch_add(
        static_cast<quint64>(std::max<qint64>(0, runtime::threadCpuNs() - cpuBefore)),
        std::memory_order_relaxed);
}

void RunSampler::refineState(ProcessLive &live, qint64 timeNs) const
{
    const Watch &watch = m_watches[static_cast<std::size_t>(live.process)];
    if (isOver(live.state))
        return;
    if (watch.isStopped)
        live.state = ProcessState::Stopped;
    else if (live.state == ProcessState::Running && watch.cpuPercent >= 0 &&
             timeNs - live.currentSinceNs > stateAfterNs)
        live.state = stateInTask(watch.cpuPercent, watch.readyPercent);
}

void RunSampler::sampleParent(const ProcessRecord &record, qint64 gate)
{
    const std::optional<qint64> cpuNs = m_runner.parentCpuNs();
    if (!cpuNs)
        return;
    Watch &watch = m_watches[0];
    const qint64 now = runtime::nowNs();
    if (watch.lastNs > 0 && now > watch.lastNs)
        watch.cpuPercent = static_cast<double>(*cpuNs - watch.lastCpuNs) * 100 /
                           static_cast<double>(now - watch.lastNs);
    watch.lastNs = now;
    watch.lastCpuNs = *cpuNs;
    if (!watch.isWatched)
        watch.isWatched = m_meter.add(record.pid);
    const auto all = m_meter.sample(record.pid); // Its memory is that of the whole program.
    if (gate != 0 && watch.cpuPercent >= 0 && all)
        m_log.lane(0).samples.append({now - gate, static_cast<float>(watch.cpuPercent), 0,
                                      all->residentBytes.value_or(0),
                                      all->sharedBytes.value_or(0)});
}

void RunSampler::sample(int process, const ProcessRecord &record, qint64 gate)
{
    if (record.isParent()) {
        sampleParent(record, gate);
        return;
    }
    Watch &watch = m_watches[static_cast<std::size_t>(process)];
    if (watch.isFinal)
        return;
    if (record.endNs >= 0 || (record.signal != 0 && gate == 0)) {
        sampleEnd(process, record);
        return;
    }
    if (!watch.isWatched)
        watch.isWatched = m_meter.add(record.pid);
    const auto rates = m_meter.sample(record.pid);
    if (!rates)
        return;
    watch.cpuPercent = rates->cpuPercent ? *rates->cpuPercent
                       : gate != 0       ? percentSinceStart(*rates, gate + record.startNs)
                                         : -1;
    // Of no time at all nothing is known: the last one stands.
    watch.readyPercent = rates->readyPercent.value_or(std::max(0.0, watch.readyPercent));
    if (rates->readyNs) {
        if (gate == 0 || watch.firstNs == 0) {
            watch.firstNs = rates->timeNs;
            watch.firstReadyNs = *rates->readyNs;
        } else if (rates->timeNs > watch.firstNs) {
            watch.readyShare = static_cast<double>(*rates->readyNs - watch.firstReadyNs) /
                               static_cast<double>(rates->timeNs - watch.firstNs);
        }
    }
    if (watch.cpuPercent > 0)
        watch.isStopped = false;
    else if (m_ticks % ticksPerStopLook == 0)
        watch.isStopped = m_meter.isStopped(record.pid);
    watch.lastNs = rates->timeNs;
    watch.lastCpuNs = rates->cpuNs;
    m_log.updateProcess(process, [&rates](ProcessRecord &live) {
        if (live.endNs >= 0)
            return; // Ended meanwhile: the kernel's own account stands.
        live.cpuSeconds = static_cast<double>(rates->cpuNs) / 1e9;
        if (rates->readyNs)
            live.readySeconds = static_cast<double>(*rates->readyNs) / 1e9;
        live.peakResidentBytes = std::max(live.peakResidentBytes, rates->residentBytes.value_or(0));
    });
    if (gate != 0 && watch.cpuPercent >= 0)
        m_log.lane(process).samples.append(
            {rates->timeNs - gate, static_cast<float>(watch.cpuPercent),
             static_cast<float>(watch.readyPercent), rates->residentBytes.value_or(0),
             rates->sharedBytes.value_or(0) + m_runner.sharedSinceFork(process)});
}

/// The stretch between the last sample and the end. Its CPU time is from the account that the
/// process left. How long it was ready nobody tells any more: as large a part as in the sample
/// before.
void RunSampler::sampleEnd(int process, const ProcessRecord &record)
{
    Watch &watch = m_watches[static_cast<std::size_t>(process)];
    const double readyBefore = std::max(0.0, watch.readyPercent);
    watch.isFinal = true;
    watch.cpuPercent = 0;
    m_meter.remove(record.pid);
    const qint64 gate = m_runner.gateNs();
    if (gate == 0)
        return;
    const qint64 lastNs = watch.lastNs > 0 ? watch.lastNs - gate : record.startNs;
    const double spentCpu = record.cpuSeconds * 1e9 - static_cast<double>(watch.lastCpuNs);
    const auto length = static_cast<double>(record.endNs - lastNs);
    if (length <= 0)
        return;
    const double percent = std::max(0.0, spentCpu) * 100 / length;
    const double ready = std::clamp(100 - percent, 0.0, readyBefore);
    const double readyNs = ready * length / 100;
    m_log.updateProcess(process,
                        [readyNs](ProcessRecord &ended) { ended.readySeconds += readyNs / 1e9; });
    if (watch.firstNs != 0) {
        const auto before = static_cast<double>(watch.lastNs - watch.firstNs);
        watch.readyShare = (watch.readyShare * before + readyNs) / (before + length);
    }
    auto &samples = m_log.lane(process).samples;
    samples.append({record.endNs, static_cast<float>(percent), static_cast<float>(ready), 0, 0});
}

ProcessLive RunSampler::pictureOf(int process, const ProcessRecord &record) const
{
    ProcessLive live;
    live.process = process;
    live.done = record.done;
    if (record.endNs > 0)
        live.waitingShare = record.waitingSeconds * 1e9 / static_cast<double>(record.endNs);
    const Watch &watch = m_watches[static_cast<std::size_t>(process)];
    live.cpuPercent = watch.cpuPercent;
    live.readyShare = watch.readyShare;
    if (record.isParent())
        live.state = ProcessState::Waiting;
    else if (record.endNs >= 0)
        live.state = hasCrashed(record) ? ProcessState::Crashed : ProcessState::Ended;
    return live;
}

} // namespace proclab
