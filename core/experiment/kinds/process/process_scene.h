// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/scene.h"
#include "core/memory/array.h"
#include "core/memory/value.h"

#include <tuple>

namespace proclab::process {

/// What a child tells of itself, in shared memory.
struct Life
{
    qint64 beganNs = 0; ///< When it was there, CLOCK_MONOTONIC; 0: not yet.
    qint64 parentPid = 0;
};

/// Does one task and ends. Like the target of Python's Process: nothing that it returns reaches the
/// parent, and an exception that escapes ends it with code 1.
struct Child
{
    Cue cue;
    Work work;
    Array<Life> lives;
    quint32 number = 0; ///< Its place in the lives, and the number of its task.

    void run() const;
    [[nodiscard]] auto parts() const { return std::tie(cue, work, lives, number); }
};

/// Tells when it was there, and ends: what starting a process costs.
struct Arrival
{
    Value<qint64> beganNs;

    void run() const;
    [[nodiscard]] auto parts() const { return std::tie(beganNs); }
};

} // namespace proclab::process
