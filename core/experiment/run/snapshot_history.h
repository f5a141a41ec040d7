// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/stage_snapshot.h"

#include <QByteArray>

#include <mutex>
#include <vector>

namespace proclab {

/// Every picture that a run's sampler made, so that a view can show any instant of the run.
///
/// Cost: the newest 64 pictures as they are; the others packed, as differences from the picture
/// before. An hour at 20 pictures a second takes 62 MB at most for 64 processes around a queue, if
/// in each picture every process has another task and every place of the queue another item; 45 MB
/// without the queue, 4 MB with 4 processes. Packing takes about 0.1 % of a core. What is unpacked
/// again has its times to the microsecond, its CPU and waiting shares to a tenth of a percent.
///
/// Threads: append() from one thread at a time; everything else from any thread.
class SnapshotHistory
{
public:
    /// @p snapshot is no earlier than the one before.
    void append(StageSnapshotPointer snapshot);
    [[nodiscard]] std::size_t size() const;
    /// Null before the first.
    [[nodiscard]] StageSnapshotPointer newest() const;
    /// The newest picture that is no later than @p timeNs; the first one for a time before it; null
    /// if there is none.
    [[nodiscard]] StageSnapshotPointer at(qint64 timeNs) const;
    /// What the packed pictures take.
    [[nodiscard]] std::size_t packedBytes() const;

private:
    using Snapshots = std::vector<StageSnapshotPointer>;
    struct Block
    {
        qint64 fromNs = 0;
        QByteArray packed;
    };

    mutable std::mutex m_mutex;
    // Guarded by m_mutex.
    std::vector<Block> m_blocks;
    Snapshots m_recent; ///< Not packed yet.
    std::size_t m_packedBytes = 0;
    mutable std::size_t m_unpackedBlock = 0; ///< Whose pictures are in m_unpacked.
    mutable Snapshots m_unpacked;
};

} // namespace proclab
