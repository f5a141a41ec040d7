// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/codec.h"
#include "core/runtime/task/run_header.h"
#include "core/sync/event.h"
#include "core/sync/semaphore.h"
#include "core/trace/activity.h"

#include <exception>
#include <tuple>
#include <vector>

/// What the processes of experiments are made of, beside the library's own classes.
namespace proclab {

/// What each process of a scene is given beside its part.
struct Cue
{
    Activity activity;
    Semaphore standing; ///< A unit for each process that stands ready.
    Event gate;

    /// Reports that the process is ready, and waits until the gate opens.
    void await(ActivityReport &report) const
    {
        report.ready();
        (void)standing.release();
        (void)gate.wait();
        report.start();
    }
    [[nodiscard]] auto parts() const { return std::tie(activity, standing, gate); }
};

/// A workload that each item goes through, with its arguments.
struct Work
{
    static constexpr quint32 none = runtime::noTask; ///< No workload.

    quint32 workload = none;
    quint64 seed = 0;
    std::vector<std::byte> arguments = {};

    struct Outcome
    {
        runtime::Spent spent = runtime::Spent::OnCore;
        std::exception_ptr exception = nullptr; ///< That escaped from the workload.

        [[nodiscard]] bool isGood() const { return !exception; }
    };
    /// Runs it as number @p index; without a workload there is nothing to do, and all is good.
    [[nodiscard]] Outcome run(quint64 index) const;
    [[nodiscard]] auto parts() const { return std::tie(workload, seed, arguments); }
};

} // namespace proclab
