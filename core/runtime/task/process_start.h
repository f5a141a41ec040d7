// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/memory/object_space.h"
#include "core/runtime/task/worker_process.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace proclab::runtime {

/// What a Process is started with: an object of the tree's memory, followed by the process's name,
/// its parent's name, what is special in its environment, and the encoded arguments.
struct ProcessStart
{
    ObjectHandle parcel; ///< Keeps what the arguments' handles are of, until they have landed.
    std::uint32_t task;  ///< A registered one.
    std::uint32_t isDaemon;
    std::uint32_t startMethod; ///< A StartMethod, for whom this program's runtime has none.
    std::int32_t parentPid;
    std::uint32_t nameBytes;
    std::uint32_t parentNameBytes;
    std::uint32_t environmentBytes;
    std::uint64_t argumentBytes;

    [[nodiscard]] std::string_view name() const { return {text(), nameBytes}; }
    [[nodiscard]] std::string_view parentName() const
    {
        return {text() + nameBytes, parentNameBytes};
    }
    /// See takeEnvironment().
    [[nodiscard]] std::span<const std::byte> environment() const
    {
        return std::as_bytes(std::span(text() + nameBytes + parentNameBytes, environmentBytes));
    }
    [[nodiscard]] std::span<const std::byte> arguments() const
    {
        return {reinterpret_cast<const std::byte *>(text()) + nameBytes + parentNameBytes +
                    environmentBytes,
                argumentBytes};
    }
    /// By the process, and whoever comes after it.
    void releaseParcel(ObjectSpace &space) const { space.endFlight(parcel); }

private:
    [[nodiscard]] const char *text() const { return reinterpret_cast<const char *>(this + 1); }
};

/// What a process knows of itself, as a Process; of the first of a tree nothing is set.
struct CurrentProcess
{
    std::string name = "MainProcess";
    bool isDaemon = false;
    std::uint32_t startMethod = 0;
    std::int32_t parentPid = 0; ///< 0: it is no Process.
    std::string parentName;
    int parentFd = -1; ///< A pidfd: readable once the parent has ended.
    ObjectRef start;   ///< Its ProcessStart.
};
[[nodiscard]] CurrentProcess &currentProcess();

/// Makes this process the one that @p start describes. False: whoever started it is gone, and so is
/// it in a moment.
bool becomeProcess(ObjectHandle start);
/// The same for one that was forked from another, which had a parent of its own to follow.
bool becomeForkedProcess(ObjectHandle start);
/// Runs the target of this process; returns the exit code: 0, or 1 if an exception escaped, whose
/// kind and message are on standard error then.
int runTarget();

} // namespace proclab::runtime
