// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/stage_snapshot.h"
#include "core/process/start_method.h"

#include <array>
#include <vector>

namespace proclab {

/// The lives of the children, and how the parent waits for them. Times are on the run's axis, in
/// nanoseconds; what lies before the gate is negative.
struct LivesState final : KindState
{
    static constexpr qint64 notYet = -1; ///< Of what cannot be before the gate.
    static constexpr std::size_t methods = 3;

    struct Life
    {
        qint64 createdNs = 0; ///< When the parent asked for it.
        qint64 startNs = 0;   ///< How long it took until it was there; 0: it is not yet.
        qint64 joinedNs = notYet;
        qint64 parentPid = 0; ///< As it said itself; 0: it has not yet.

        bool operator==(const Life &) const = default;
    };
    /// How a call of join() ended.
    enum JoinEnd : qint64 {
        BrokenOff, ///< The run was stopped, or the call has not ended yet.
        InTime,    ///< The child has ended.
        TimedOut,
    };
    /// One call of join().
    struct Join
    {
        qint64 child = 0; ///< Place in lives.
        qint64 beganNs = 0;
        qint64 endedNs = notYet; ///< notYet: the parent still waits.
        qint64 end = BrokenOff;  ///< A JoinEnd.
        qint64 isAtExit = 0;     ///< The parent is through, and ends once its children have.

        bool operator==(const Join &) const = default;
    };

    /// What starting a process costs, by StartMethod: from start() to its first instruction, the
    /// median of some. 0: not measured.
    std::array<qint64, methods> startCostNs = {};
    std::vector<Life> lives; ///< In order of start.
    std::vector<Join> joins; ///< In order of call.

    [[nodiscard]] qint64 startCostOf(StartMethod method) const
    {
        return startCostNs[static_cast<std::size_t>(method)];
    }
    /// The call of join() that the parent is in; null: none.
    [[nodiscard]] const Join *currentJoin() const
    {
        return joins.empty() || joins.back().endedNs != notYet ? nullptr : &joins.back();
    }

    [[nodiscard]] std::vector<qint64> packed(qint64 timeNs) const override;
    [[nodiscard]] std::shared_ptr<const KindState> unpacked(std::span<const qint64> numbers,
                                                            qint64 timeNs) const override;
};

} // namespace proclab
