// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/experiment/stage/stage_cards.h"

namespace proclab {

class ItemNames;
class RunLog;

/// The share of its time from which on a process's wait for a core is a warning.
inline constexpr double notedReadyShare = 0.1;

/// What a card with room for it says of a child, the most telling first: its CPU time, its last
/// task or item, how much of its time it waited for a core, its private memory. @p record is as
/// processesAt() gives it for the instant @p timeNs of the picture @p live.
[[nodiscard]] QList<CardContent::Fact> processFacts(const RunLog &log, const ProcessRecord &record,
                                                    const ProcessLive &live, qint64 timeNs,
                                                    const ItemNames &names);

/// The last task or item that a process had ended by @p timeNs: "#4 978 ms"; of many short ones the
/// mean, "1.2 µs each"; a dash before the first.
[[nodiscard]] QString lastWorkText(const AppendLog<Span> &spans, qint64 timeNs,
                                   const ItemNames &names);

} // namespace proclab
