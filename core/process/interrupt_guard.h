// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <csignal>

namespace proclab {

/// Holds SIGINT (Ctrl+C) back until the end of the guard's scope. Then, Delay lets a signal act
/// that came meanwhile, and Ignore drops it. Guards may be nested.
///
/// A guard acts on the whole process, so guards of several threads must not overlap.
class InterruptGuard
{
public:
    enum class Mode { Delay, Ignore };

    explicit InterruptGuard(Mode mode = Mode::Delay);
    ~InterruptGuard();
    InterruptGuard(const InterruptGuard &) = delete;
    InterruptGuard &operator=(const InterruptGuard &) = delete;

    /// Whether a guard holds a signal back now.
    [[nodiscard]] static bool isPending();

private:
    const Mode m_mode;
    struct sigaction m_before = {};
};

} // namespace proclab
