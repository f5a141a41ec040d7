// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/runner.h"

#include "core/runtime/sync/clock.h"

#include <QCoreApplication>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

void observeSlot(const runtime::ProcessSlot &slot, qint64 gateNs, ProcessLive &live)
{
    using runtime::Phase;
    using runtime::WaitKind;
    live.done = slot.done();
    const bool hasItem = slot.hasItem();
    live.currentIndex =
        hasItem ? static_cast<qint64>(slot.current.load(std::memory_order_relaxed)) : -1;
    live.currentSinceNs = slot.currentSinceNs.load(std::memory_order_relaxed) - gateNs;
    const Phase phase = slot.phase.load(std::memory_order_acquire);
    const WaitKind wait = slot.wait.load(std::memory_order_relaxed);
    if (phase <= Phase::Starting)
        live.state = ProcessState::Starting;
    else if (wait == WaitKind::Gate)
        live.state = ProcessState::Ready;
    else if (wait == WaitKind::Lock)
        live.state = ProcessState::WaitingForLock;
    else if (wait == WaitKind::QueueFull)
        live.state = ProcessState::BlockedOnFull;
    else if (wait == WaitKind::QueueEmpty)
        live.state = ProcessState::WaitingOnEmpty;
    else
        live.state = hasItem ? ProcessState::Running : ProcessState::Waiting;
    if (live.state != ProcessState::Running && wait != WaitKind::None)
        live.currentSinceNs = slot.waitSinceNs.load(std::memory_order_relaxed) - gateNs;
}

int ExperimentRunner::addProcess(const QString &name, ProcessRole role, qint64 pid, int replaces)
{
    ProcessRecord record;
    record.name = name;
    record.role = role;
    record.pid = pid;
    record.colorIndex = m_childCount++;
    record.startNs = sinceGate(runtime::nowNs());
    record.replaces = replaces;
    const int process = m_context.log.addProcess(record);
    if (replaces >= 0) {
        const QList<ProcessRecord> all = m_context.log.processes();
        const double milliseconds = static_cast<double>(record.startNs - all[replaces].endNs) / 1e6;
        addEvent(RunEvent::Severity::Info, process,
                 tr("%1 took the place of %2 after %3 ms")
                     .arg(name, all[replaces].name, QString::number(milliseconds, 'f', 1)));
    }
    return process;
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
    addEvent(
        RunEvent::Severity::Info, -1,
        tr("Gate open: %n process(es) stand ready", nullptr, m_context.log.processCount() - 1));
    Q_EMIT opened();
}

void ExperimentRunner::noteExit(int process, const ChildExit &exit, bool byRun, quint64 done)
{
    QString name;
    m_context.log.updateProcess(process, [&](ProcessRecord &record) {
        record.endNs = std::max<qint64>(sinceGate(runtime::nowNs()), record.startNs);
        record.exitCode = exit.exitCode;
        record.signal = exit.signal;
        record.endedByRun = byRun;
        record.done = done;
        if (exit.cpuNs)
            record.cpuSeconds = static_cast<double>(*exit.cpuNs) / 1e9;
        if (exit.peakResidentBytes)
            record.peakResidentBytes = std::max(record.peakResidentBytes, *exit.peakResidentBytes);
        name = record.name;
    });
    if (byRun || (exit.signal == 0 && exit.exitCode == 0))
        return;
    addEvent(RunEvent::Severity::Failure, process,
             exit.signal != 0 ? tr("%1 was ended by %2").arg(name, signalName(exit.signal))
                              : tr("%1 ended with exit code %2").arg(name).arg(exit.exitCode));
}

void ExperimentRunner::addEvent(RunEvent::Severity severity, int process, const QString &text)
{
    const qint64 now = gateNs() != 0 ? sinceGate(runtime::nowNs()) : 0;
    m_context.log.addEvent({now, severity, process, text});
}

} // namespace proclab
