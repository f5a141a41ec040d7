// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/process/interrupt_guard.h"

namespace proclab {

namespace {

volatile std::sig_atomic_t hasCome = 0; // For a guard that delays.

} // namespace

InterruptGuard::InterruptGuard(Mode mode) : m_mode(mode)
{
    struct sigaction action = {};
    if (mode == Mode::Ignore)
        action.sa_handler = SIG_IGN;
    else
        action.sa_handler = [](int) { hasCome = 1; };
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGINT, &action, &m_before);
}

InterruptGuard::~InterruptGuard()
{
    ::sigaction(SIGINT, &m_before, nullptr);
    if (m_mode == Mode::Delay && hasCome) {
        hasCome = 0;
        ::raise(SIGINT); // For the previous handler, which may be that of a guard around this one.
    }
}

bool InterruptGuard::isPending()
{
    return hasCome != 0;
}

} // namespace proclab
