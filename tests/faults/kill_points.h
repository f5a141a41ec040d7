// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include <QString>
#include <QStringList>

/// Lets one process of several end, or stop, at the n-th kill point that they pass; see
/// core/runtime/kill_point.h.
namespace proclab::test {

/// In memory that the processes share; zero-filled: nobody is struck, but points are counted.
struct KillPlan
{
    // Written before the processes begin.
    std::atomic<std::uint64_t> at; ///< The point, counted from 1 over all of them; 0: none.
    std::atomic<int> signal;
    std::array<char, 32> only; ///< Points of this name alone count; empty: all do.

    std::atomic<std::uint64_t> passed;
    std::atomic<std::int32_t> victim; ///< PID; 0: nobody came that far.
    std::array<char, 32> point;       ///< Its name, once there is a victim.

    void begin(std::uint64_t at, int signal, const QString &only = {});
    [[nodiscard]] bool hasStruck() const { return victim.load(std::memory_order_acquire) != 0; }
    [[nodiscard]] QString pointName() const;
};

/// From here on this process, and whom it forks, go by @p plan; null: they don't any more.
void followKillPlan(KillPlan *plan);

/// The names of all kill points in the sources of core/runtime.
[[nodiscard]] QStringList allKillPoints();

} // namespace proclab::test
