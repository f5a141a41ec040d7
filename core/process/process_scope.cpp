// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/process/process_scope.h"

#include <QCoreApplication>

namespace proclab {

ProcessScope::ProcessScope(Engine *engine, Output output)
{
    if (!engine)
        engine = Engine::current();
    auto host = engine ? ProcessHost::make(*engine, output)
                       : Error{QCoreApplication::instance() ? ErrorCode::ShutDown
                                                            : ErrorCode::InvalidState};
    if (host)
        m_host = std::move(*host);
    else
        m_error = host.error();
    m_outer = ProcessHost::setOfThread({m_host, m_error});
}

ProcessScope::~ProcessScope()
{
    if (m_forkCount != runtime::forkCount()) {
        // This is a forked process: the scope, and all in it, is the parent's to end.
        new ProcessHost::OfThread(std::move(m_outer));
        new std::shared_ptr<ProcessHost>(std::move(m_host));
        return;
    }
    ProcessHost::setOfThread(std::move(m_outer));
    if (m_host)
        m_host->close();
}

} // namespace proclab
