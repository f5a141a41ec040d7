// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <csignal>

namespace proclab {

/// Keeps SIGINT (Ctrl+C) away from what this process does until the end of its scope: Delay lets a
/// signal that came meanwhile act then, Ignore forgets it. Guards may be nested.
///
/// For the whole process: guards of several threads must not overlap.
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
