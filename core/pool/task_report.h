// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/payload/encoded_bytes.h"
#include "core/runtime/task/run_header.h"

#include <QtGlobal>

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace proclab {

/// Some tasks of one workload, numbered from `first` on.
struct TaskChunk
{
    /// Position in runtime::workloads(), or firstRegisteredTask + that of a registered one.
    quint32 workload = 0;
    quint64 first = 0;
    quint32 count = 1;
    runtime::ArgumentRange
        args{}; ///< In the input segment; if the offset is 0, see `inlineArgs`, at most 48 bytes.
    std::span<const std::byte> inlineArgs = {};
    /// Whether the range begins with this chunk's first task instead of task 0.
    bool hasOwnArguments = false;
    /// The size of each result, if all have the same: they go to ReportSink::storePacked() then.
    std::optional<quint8> packedBytes = std::nullopt;
};

/// Names one of the chunks under way.
struct ChunkTicket
{
    quint32 number = 0;
    quint64 generation = 0;
};

/// What became of one task. Times are CLOCK_MONOTONIC, ns.
struct TaskReport
{
    enum class Status { Done, Failed, Cancelled, Lost };
    enum class Cause { None, Exception, Exit, Signal, Timeout, Lost, Cancelled };

    quint64 index = 0;
    int worker = -1; ///< The pool's number of the worker process, from 0 in order of start; -1:
                     ///< never started.
    Status status = Status::Done;
    Cause cause = Cause::None;
    int code = 0; ///< Exit code or signal.
    int attempts = 1;
    runtime::Spent spent = runtime::Spent::OnCore; ///< Where most of its time went.
    qint64 submittedNs = 0;
    qint64 startedNs = 0; ///< 0: never started.
    qint64 finishedNs = 0;
    runtime::TaskValue value;
    std::string
        message; ///< A workload's exception as "type: what()", or a dead worker's lastWords().
    /// The encoded result of a registered task, or the encoded RemoteException if it threw.
    EncodedBytes bytes;
};

/// Learns what became of the tasks of one submit(), in place of the report handler. Each task is
/// reported once, by the engine's thread or by one that waits, and without a lock.
class ReportSink
{
public:
    virtual ~ReportSink() = default;
    virtual void report(TaskReport &&report) = 0;
    /// The first of two steps that replace report() where the chunk packs its results: copies the
    /// results of @p count tasks from number @p first on, and does no more, for the pool is locked.
    virtual void storePacked(quint64 first, quint32 count, const std::byte *results);
    /// The second step: the tasks whose results storePacked() has copied are done.
    virtual void reportPacked(quint64 first, quint32 count);
    /// The chunk is over and nobody reads its arguments any more. Comes before the last of its
    /// tasks is reported, since others may wait for what the handles are of.
    virtual void releaseHandles() {}
    /// The same, for what nobody waits for; comes after the last report.
    virtual void releaseArguments() {}
};

} // namespace proclab
