// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/stage_snapshot.h"

#include <QList>

#include <vector>

namespace proclab {

/// What an executor's stage draws beyond what the log tells of futures that have ended.
struct ExecutorState final : KindState
{
    /// A future that was tried once more.
    struct Retry
    {
        qint64 future = 0;
        qint64 process = 0; ///< That died in it, a position in the log.

        bool operator==(const Retry &) const = default;
    };

    qint64 brokenBy = -1;       ///< The worker that broke the executor, a position in the log.
    qint64 isTimedOut = 0;      ///< Whether its time was up.
    std::vector<Retry> retries; ///< In order, at most 64.
    QList<quint32> next;        ///< Pending futures, the next first, at most 64.

    [[nodiscard]] bool isBroken() const { return brokenBy >= 0; }
    [[nodiscard]] std::vector<qint64> packed(qint64 timeNs) const override;
    [[nodiscard]] std::shared_ptr<const KindState> unpacked(std::span<const qint64> numbers,
                                                            qint64 timeNs) const override;
};

} // namespace proclab
