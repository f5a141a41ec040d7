// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>

namespace proclab::runtime {

/// How far the task or item in hand is, in shared memory: a fraction of its work, unless nothing is
/// told. Zero-filled is nothing told.
///
/// One thread tells; any process reads, also after a SIGKILL.
class TaskProgress
{
public:
    /// A new task has told nothing yet.
    void reset() { m_told.store(0, std::memory_order_relaxed); }
    /// What lies outside 0 to 1 counts as the nearer end; what is no number counts as 0.
    void tell(double fraction)
    {
        const double inside = fraction > 0 ? std::min(fraction, 1.0) : 0;
        m_told.store(1 + static_cast<std::uint32_t>(inside * whole), std::memory_order_relaxed);
    }
    /// 0 to 1; no value: nothing is told.
    [[nodiscard]] std::optional<double> fraction() const
    {
        const std::uint32_t told = m_told.load(std::memory_order_relaxed);
        if (told == 0)
            return std::nullopt;
        return std::min<double>(told - 1, whole) / whole;
    }

    /// Where the calling thread's task tells how far it is; null: nobody looks.
    [[nodiscard]] static TaskProgress *current() { return s_current; }
    /// Returns the one before.
    static TaskProgress *setCurrent(TaskProgress *progress)
    {
        return std::exchange(s_current, progress);
    }

private:
    static constexpr double whole = 1'000'000;

    inline static thread_local TaskProgress *s_current = nullptr;
    std::atomic<std::uint32_t> m_told; ///< 1 and the millionths; 0: nothing.
};

} // namespace proclab::runtime
