// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/memory/array.h"
#include "core/memory/value.h"

#include <tuple>

namespace proclab {

/// Where processes wait for each other so that they really run side by side from then on: an
/// experiment that shows what happens between them must not leave that to luck. They are let go
/// when as many of them run at one instant as there are cores, or all. Each tells the others that
/// it runs by writing the time, and is bound to a core of its own meanwhile: two of them may
/// otherwise share one for long, while another is free or is used by somebody else.
///
/// Processes: each calls leave() once.
struct StartingLine
{
    enum class Start : qint32 {
        Waiting,
        SideBySide,
        OneByOne, ///< Half a second was not enough, or there is one core: they ran in turn.
    };

    /// OsError.
    static Result<StartingLine> create(quint32 processes);
    /// Waits for the others. Uses its core all the time.
    void leave() const;
    /// Lets the processes go that wait for the one that has died.
    void giveUp() const;
    [[nodiscard]] Start start() const;

    Value<qint32> arrived;
    Value<qint32> started; ///< A Start.
    Array<qint64> seen;    ///< When each process ran last, CLOCK_MONOTONIC, a cache line apart.

    [[nodiscard]] auto parts() const { return std::tie(arrived, started, seen); }
};

} // namespace proclab
