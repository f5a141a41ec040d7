// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/stage_snapshot.h"

namespace proclab {

struct PipeState final : KindState
{
    qint64 toParent = 0; ///< Messages that the child has sent and the parent has not received yet.
    qint64 toChild = 0;  ///< Answers on their way back.
    qint64 sent = 0;     ///< Messages, by the child.
    qint64 meanRoundTripNs = 0; ///< 0: none yet.

    [[nodiscard]] std::vector<qint64> packed(qint64) const override
    {
        return {toParent, toChild, sent, meanRoundTripNs};
    }
    [[nodiscard]] std::shared_ptr<const KindState> unpacked(std::span<const qint64> numbers,
                                                            qint64) const override
    {
        auto state = std::make_shared<PipeState>();
        if (numbers.size() == 4) {
            state->toParent = numbers[0];
            state->toChild = numbers[1];
            state->sent = numbers[2];
            state->meanRoundTripNs = numbers[3];
        }
        return state;
    }
};

} // namespace proclab
