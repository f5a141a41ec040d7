// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/kinds/program/program_output.h"
#include "core/experiment/spec/spec.h"
#include "core/process/process_group.h"
#include "core/program/launch.h"
#include "core/program/program.h"

#include <QJsonObject>

#include <limits>
#include <optional>
#include <vector>

#include <poll.h>

namespace proclab {

/// How the programs of @p spec are started, with pipes and the whole environment.
[[nodiscard]] ProgramOptions programOptionsOf(const ExperimentSpec &spec);
/// How their bytes are text.
[[nodiscard]] TextFormat programFormatOf(const ExperimentSpec &spec);

/// One program of a run: its streams, and what became of it. Nothing here waits.
/// Times are CLOCK_MONOTONIC, in nanoseconds.
struct ProgramInstance
{
    using Stream = OutputPiece::Stream;
    static constexpr qint64 never = std::numeric_limits<qint64>::max();

    /// @p mostBytes are kept of each stream.
    ProgramInstance(Program started, const TextFormat &format, qint64 mostBytes)
        : program(std::move(started))
        , output(format, mostBytes)
        , error(format, mostBytes)
    {}

    Program program;
    OwnedDescriptor pidFd;
    int log = -1; ///< Position in RunLog::processes().
    qint64 deadlineNs = never;
    qint64 drainUntilNs = 0; ///< When its pipes are given up; 0: it has not ended.
    ChildExit exit = {};
    QByteArray unsent = {};  ///< Of its input.
    bool keepsInput = false; ///< More may come.
    bool isTimedOut = false;
    bool isReaped = false; ///< It is gone, and all it wrote is here.
    bool isOutputOpen = true;
    bool isErrorOpen = true;
    KeptOutput output;
    KeptOutput error;

    [[nodiscard]] bool hasEnded() const { return drainUntilNs != 0; }
    [[nodiscard]] bool endedWell() const { return exit.signal == 0 && exit.exitCode == 0; }
    [[nodiscard]] KeptOutput &kept(Stream stream)
    {
        return stream == Stream::Output ? output : error;
    }
    [[nodiscard]] qint64 droppedBytes() const
    {
        return output.droppedBytes() + error.droppedBytes();
    }

    /// Adds the descriptors at which something may happen next.
    void addPolled(std::vector<pollfd> &polled) const;
    /// Writes as much of its input as it takes, and closes that if no more will come. Returns what
    /// it took.
    QByteArray send();
    /// Reads what has come of @p stream, once. Returns what is kept of it; nullopt: it is closed.
    std::optional<QString> read(Stream stream);
    /// Its result, @p number in the run: @p process is its record in the log, which says how it was
    /// ended. @p checksCode: only exit code 0 is good.
    [[nodiscard]] TaskRecord record(const ProcessRecord &process, std::size_t number,
                                    bool checksCode) const;
    /// The outcome as results have it.
    [[nodiscard]] QJsonObject outcome() const;
};

} // namespace proclab
