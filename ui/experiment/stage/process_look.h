// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_log.h"
#include "core/experiment/run/stage_snapshot.h"

#include <QFont>
#include <QList>
#include <QString>

namespace proclab {

/// "Running", "Waiting for lock"; translated.
[[nodiscard]] QString stateWord(ProcessState state);
/// "SIGSEGV" for a signal, "exit code 3", "ended by the lab", "ended".
[[nodiscard]] QString endText(const ProcessRecord &process);
/// Positions of @p processes in the order of lanes and cards: as started, but one that took over
/// from another stands right below it.
[[nodiscard]] QList<int> laneOrder(const QList<ProcessRecord> &processes);

/// How wide the widest word is for a state that a card shows, with those of @p waits.
[[nodiscard]] double widestStateWord(const QList<ProcessState> &waits, const QFont &font);

} // namespace proclab
