// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/memory/object_space.h"
#include "core/runtime/task/worker_process.h"

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace proclab::runtime {

/// What a Process is started with: an object of the tree's memory, followed by the process's name,
/// its parent's name, and the encoded arguments.
struct ProcessStart
{
    /// Who lets the arguments' handles land: whoever sets it first, the process or, if it died
    /// before, its parent.
    std::atomic<std::uint32_t> landing;
    std::uint32_t task; ///< A registered one.
    std::uint32_t isDaemon;
    std::int32_t parentPid;
    std::uint32_t nameBytes;
    std::uint32_t parentNameBytes;
    std::uint64_t argumentBytes;

    static constexpr std::size_t bytes(std::size_t name, std::size_t parentName,
                                       std::size_t arguments)
    {
        return sizeof(ProcessStart) + name + parentName + arguments;
    }
    [[nodiscard]] std::string_view name() const { return {text(), nameBytes}; }
    [[nodiscard]] std::string_view parentName() const
    {
        return {text() + nameBytes, parentNameBytes};
    }
    [[nodiscard]] std::span<const std::byte> arguments() const
    {
        return {reinterpret_cast<const std::byte *>(text()) + nameBytes + parentNameBytes,
                argumentBytes};
    }
    /// True once: the caller lets the handles land.
    bool claimLanding() { return landing.exchange(1, std::memory_order_acq_rel) == 0; }

private:
    [[nodiscard]] const char *text() const { return reinterpret_cast<const char *>(this + 1); }
};

/// What a process knows of itself, as a Process; of the first of a tree nothing is set.
struct CurrentProcess
{
    std::string name = "MainProcess";
    bool isDaemon = false;
    std::int32_t parentPid = 0; ///< 0: it is no Process.
    std::string parentName;
    int parentFd = -1; ///< A pidfd: readable once the parent has ended.
    ProcessStart *start = nullptr;
};
[[nodiscard]] CurrentProcess &currentProcess();

/// The life of a Process, from decoding its arguments to its end; returns the exit code: 0, or 1 if
/// an exception escaped, whose kind and message are on standard error then.
int runProcess(WorkerProcess &process);

} // namespace proclab::runtime
