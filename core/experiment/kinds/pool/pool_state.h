// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/stage_snapshot.h"

#include <QList>

namespace proclab {

struct PoolState final : KindState
{
    QList<quint32> nextTasks; ///< Tasks that wait, the next first, at most 64.

    [[nodiscard]] std::vector<qint64> packed(qint64) const override
    {
        return {nextTasks.begin(), nextTasks.end()};
    }
    [[nodiscard]] std::shared_ptr<const KindState> unpacked(std::span<const qint64> numbers,
                                                            qint64) const override
    {
        auto state = std::make_shared<PoolState>();
        for (const qint64 task : numbers)
            state->nextTasks.append(static_cast<quint32>(task));
        return state;
    }
};

} // namespace proclab
