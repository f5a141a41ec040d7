// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/stage_snapshot.h"

namespace proclab {

struct CounterState final : KindState
{
    qint64 value = 0;
    qint64 expected = 0;
    int lockOwner = -1; ///< Position in RunLog::processes(); -1: free.
    int lockWaiters = 0;

    [[nodiscard]] std::vector<qint64> packed(qint64) const override
    {
        return {value, expected, lockOwner, lockWaiters};
    }
    [[nodiscard]] std::shared_ptr<const KindState> unpacked(std::span<const qint64> numbers,
                                                            qint64) const override
    {
        auto state = std::make_shared<CounterState>();
        if (numbers.size() == 4) {
            state->value = numbers[0];
            state->expected = numbers[1];
            state->lockOwner = static_cast<int>(numbers[2]);
            state->lockWaiters = static_cast<int>(numbers[3]);
        }
        return state;
    }
};

} // namespace proclab
