// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"
#include "core/process/start_method.h"
#include "tests/faults/killer.h"

#include <QRandomGenerator>
#include <QString>

#include <chrono>

namespace proclab::test {

/// How long a call in a round may take before it counts as hanging; its process then exits with
/// exitHangs.
constexpr std::chrono::seconds callLimit{40};
/// The whole round.
constexpr std::chrono::seconds roundLimit{60};

/// What the processes of scenes exit with when they find something.
enum ExitCode {
    exitGood = 0,
    exitHangs = 21,
    exitDamaged,    ///< What came is not what was sent.
    exitDisordered, ///< Nor in that order.
    exitOtherGone,  ///< The other side of a pipe was; right if it was killed.
    exitWrongError, ///< A call failed that may not.
};
[[nodiscard]] QString exitText(int code);

/// What a round is played with.
struct Round
{
    QRandomGenerator &random;
    Killer &killer;             ///< Released when the round begins, and when it ends.
    bool isUntilKilled = false; ///< Somebody kills this program.

    [[nodiscard]] StartMethod startMethod() const
    {
        return random.bounded(12) == 0 ? StartMethod::Spawn : StartMethod::ForkServer;
    }
};

/// Plays one round with objects and processes of its own, of which the killer takes some, and
/// judges what came of it: empty, or what was wrong.
using Scene = QString (*)(Round &round);

QString playQueue(Round &round);
QString playPipe(Round &round);
QString playLock(Round &round);
QString playExecutor(Round &round);
QString playProcess(Round &round);
QString playProgram(Round &round);

} // namespace proclab::test
