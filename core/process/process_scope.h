// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/process/process_host.h"

namespace proclab {

/// Makes the Processes that the calling thread starts while it lives its own: they have a server
/// process of their own for forkserver and fork, and at the end of the scope those that still run
/// are killed, with all that they have started. Nothing of them is left then.
///
///     ProcessScope scope;
///     child->start();
///     … // However this is left, the child is gone.
///
/// Threads: made and ended by one thread; killAll() from any. Blocking: its end, at most about 4 s,
/// where a process cannot die.
/// Errors: InvalidState, ShutDown, OsError in error(); processes cannot be started then.
class ProcessScope
{
public:
    using Output = ProcessGroup::Output;

    /// @p engine: that runs them, with its worker program, which outlives the scope; null:
    /// Engine::current().
    explicit ProcessScope(Engine *engine = nullptr, Output output = Output::Inherited);
    ~ProcessScope();
    ProcessScope(const ProcessScope &) = delete;
    ProcessScope &operator=(const ProcessScope &) = delete;

    [[nodiscard]] const std::optional<Error> &error() const { return m_error; }
    void killAll() const
    {
        if (m_host)
            m_host->killAll();
    }
    /// Null: there is an error.
    [[nodiscard]] const std::shared_ptr<ProcessHost> &host() const { return m_host; }

private:
    std::shared_ptr<ProcessHost> m_host;
    ProcessHost::OfThread m_outer;
    std::optional<Error> m_error;
    const quint32 m_forkCount = runtime::forkCount();
};

} // namespace proclab
