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
    m_outer = ProcessHost::setOfThread(m_host);
}

ProcessScope::~ProcessScope()
{
    ProcessHost::setOfThread(std::move(m_outer));
    if (m_host)
        m_host->close();
}

} // namespace proclab
