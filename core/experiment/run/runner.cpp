// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/runner.h"

#include "core/experiment/spec/kind.h"
#include "core/runtime/clock.h"

#include <algorithm>

#include <csignal>

#include <pthread.h>

using namespace Qt::StringLiterals;

namespace proclab {

const Kind &ExperimentRunner::kind() const
{
    return *m_context.spec.kindInfo();
}

GaugeSample ExperimentRunner::noGauges() const
{
    return GaugeSample(kind().gauges.size());
}

int ExperimentRunner::addProcess(const ProcessRole &role, const QString &name, qint64 pid,
                                 int replaces)
{
    ProcessRecord record;
    record.name = name;
    record.role = &role;
    record.pid = pid;
    record.colorIndex = m_childCount++;
    record.startNs = sinceGate(runtime::nowNs());
    record.replaces = replaces;
    const int process = m_context.log.addProcess(record);
    if (replaces >= 0) {
        const QList<ProcessRecord> all = m_context.log.processes();
        const double milliseconds = static_cast<double>(record.startNs - all[replaces].endNs) / 1e6;
        addEvent(
            RunEvent::Severity::Info, process,
            {"process_replaced"_ba, {{"replaces"_L1, replaces}, {"after_ms"_L1, milliseconds}}});
    }
    return process;
}

void ExperimentRunner::sendSignal(int process, int signal)
{
    const QList<ProcessRecord> all = m_context.log.processes();
    // The engine reaps and notes an end in this thread, in one go: the PID is still the child's.
    if (process > 0 && process < all.size() && all[process].endNs < 0)
        (void)::kill(static_cast<pid_t>(all[process].pid), signal);
}

void ExperimentRunner::noteParentsThread()
{
    clockid_t clock = CLOCK_MONOTONIC;
    if (::pthread_getcpuclockid(::pthread_self(), &clock) == 0)
        m_parentsClock.store(clock, std::memory_order_release);
}

std::optional<qint64> ExperimentRunner::parentCpuNs() const
{
    const clockid_t clock = m_parentsClock.load(std::memory_order_acquire);
    timespec time = {};
    if (clock == CLOCK_MONOTONIC || ::clock_gettime(clock, &time) != 0) // It may have ended.
        return {};
    return qint64{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

void ExperimentRunner::noteGate(qint64 gateNs)
{
    m_gateNs.store(gateNs, std::memory_order_release);
    for (int process = 0; process < m_context.log.processCount(); ++process)
        m_context.log.updateProcess(process, [gateNs](ProcessRecord &record) {
            record.startNs -= gateNs;
            if (record.endNs >= 0)
                record.endNs -= gateNs;
        });
    addEvent(RunEvent::Severity::Info, -1,
             {"gate_open"_ba, {{"processes"_L1, m_context.log.processCount() - 1}}});
    Q_EMIT opened();
}

void ExperimentRunner::noteExit(int process, const ChildExit &exit, bool byRun, quint64 done,
                                qint64 waitedNs)
{
    m_context.log.updateProcess(process, [&](ProcessRecord &record) {
        record.endNs = std::max<qint64>(sinceGate(runtime::nowNs()), record.startNs);
        record.exitCode = exit.exitCode;
        record.signal = exit.signal;
        record.endedByRun = byRun;
        record.done = done;
        record.waitingSeconds = static_cast<double>(waitedNs) / 1e9;
        if (exit.cpuNs)
            record.cpuSeconds = static_cast<double>(*exit.cpuNs) / 1e9;
        if (exit.peakResidentBytes)
            record.peakResidentBytes = std::max(record.peakResidentBytes, *exit.peakResidentBytes);
    });
    if (byRun || (exit.signal == 0 && exit.exitCode == 0))
        return;
    addEvent(RunEvent::Severity::Failure, process,
             exit.signal != 0 ? RunNote{"process_signalled"_ba, {{"signal"_L1, exit.signal}}}
                              : RunNote{"process_exited"_ba, {{"exit_code"_L1, exit.exitCode}}});
}

void ExperimentRunner::addEvent(RunEvent::Severity severity, int process, const RunNote &note)
{
    const qint64 now = gateNs() != 0 ? sinceGate(runtime::nowNs()) : 0;
    m_context.log.addEvent({now, severity, process, note});
}

} // namespace proclab
