// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/stage/process_look.h"

#include "ui/shared/draw_text.h"

#include <QCoreApplication>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

QString tr(const char *text)
{
    return QCoreApplication::translate("ProcessLook", text);
}

} // namespace

QString stateWord(ProcessState state)
{
    switch (state) {
    case ProcessState::Starting:
        return tr("Starting");
    case ProcessState::AtGate:
        return tr("At the gate");
    case ProcessState::Running:
        return tr("Running");
    case ProcessState::ReadyToRun:
        return tr("Ready");
    case ProcessState::Sleeping:
        return tr("Sleeping");
    case ProcessState::Waiting:
        return tr("Waiting");
    case ProcessState::WaitingForLock:
        return tr("Waiting for lock");
    case ProcessState::BlockedOnFull:
        return tr("Blocked");
    case ProcessState::WaitingOnEmpty:
        return tr("Empty");
    case ProcessState::Ended:
        return tr("Ended");
    case ProcessState::Stopped:
        return tr("Stopped");
    case ProcessState::Crashed:
        return tr("Crashed");
    }
    return {};
}

QString endText(const ProcessRecord &process)
{
    if (process.endedByRun)
        return tr("ended by the lab");
    if (process.signal != 0)
        return signalName(process.signal);
    if (process.exitCode != 0)
        return tr("exit code %1").arg(process.exitCode);
    return tr("ended");
}

QList<int> laneOrder(const QList<ProcessRecord> &processes)
{
    QList<QList<int>> successors(processes.size());
    QList<int> order;
    QList<int> pending; // A stack: the next lane is its last entry.
    const auto count = static_cast<int>(processes.size());
    for (int i = 0; i < count; ++i) {
        const int replaced = processes[i].replaces;
        if (replaced >= 0 && replaced < i)
            successors[replaced].append(i);
    }
    for (int i = 0; i < count; ++i) {
        if (processes[i].replaces >= 0 && processes[i].replaces < i)
            continue;
        pending.append(i);
        while (!pending.isEmpty()) {
            const int process = pending.takeLast();
            order.append(process);
            for (auto next = successors[process].crbegin(); next != successors[process].crend();
                 ++next)
                pending.append(*next);
        }
    }
    return order;
}

double widestStateWord(const QList<ProcessState> &waits, const QFont &font)
{
    const QList<ProcessState> states = QList{ProcessState::Running, ProcessState::Sleeping,
                                             ProcessState::Waiting, ProcessState::Stopped} +
                                       waits;
    double widest = 0;
    for (const ProcessState state : states)
        widest = std::max(widest, textWidth(stateWord(state), font));
    return widest + 1;
}

} // namespace proclab
