// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/stage_snapshot.h"

#include <QList>

namespace proclab {

/// One item in the queue, in leaving order.
struct QueuedItem
{
    quint32 index = 0; ///< Its number in the run, from 0; of an END among the ENDs.
    int producer = -1; ///< Position in RunLog::processes(); -1: the parent (an END).
    bool isEnd = false;
    qint64 ageNs = 0;
};

struct PipelineState final : KindState
{
    quint64 capacity = 0;    ///< Of the queue; 0: unbounded.
    QList<QueuedItem> items; ///< The next to leave, at most 64.

    [[nodiscard]] std::vector<qint64> packed(qint64 timeNs) const override;
    [[nodiscard]] std::shared_ptr<const KindState> unpacked(std::span<const qint64> numbers,
                                                            qint64 timeNs) const override;
};

} // namespace proclab
