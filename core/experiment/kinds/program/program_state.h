// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/stage_snapshot.h"

#include <QByteArray>

#include <vector>

namespace proclab {

/// What the programs have written so far, and the processes that they have started. The texts
/// themselves stand in RunLog::output.
struct ProgramState final : KindState
{
    /// One of the programs that the run starts.
    struct Instance
    {
        qint64 outputBytes = 0;  ///< All that came.
        qint64 errorBytes = 0;   ///< All that came.
        qint64 droppedBytes = 0; ///< Of both: not kept.
        qint64 takesInput = 0;   ///< 1: its input is open, and can be typed.
        qint64 timedOut = 0;     ///< 1: its time limit has ended it.

        bool operator==(const Instance &) const = default;
    };
    /// A process below a program.
    struct Descendant
    {
        qint64 pid = 0;
        qint64 parentPid = 0; ///< That of this process for one whose parent has left it.
        qint64 instance = 0;  ///< Place in instances.
        QByteArray name;      ///< As the kernel has it: at most 15 bytes.

        bool operator==(const Descendant &) const = default;
    };

    std::vector<Instance> instances;     ///< In order of start.
    std::vector<Descendant> descendants; ///< Each below its parent.

    [[nodiscard]] std::vector<qint64> packed(qint64 timeNs) const override;
    [[nodiscard]] std::shared_ptr<const KindState> unpacked(std::span<const qint64> numbers,
                                                            qint64 timeNs) const override;
};

} // namespace proclab
