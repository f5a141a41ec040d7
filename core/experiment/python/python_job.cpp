// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/python/python_job.h"

#include <system_error>

namespace proclab {

PythonJob::~PythonJob()
{
    stop();
    if (m_thread.joinable())
        m_thread.join();
}

Result<void> PythonJob::start(const QString &script, std::chrono::seconds limit)
{
    if (isRunning())
        return Error{ErrorCode::InvalidState};
    m_run = std::make_unique<PythonRun>(script, limit);
    try {
        m_thread = std::thread([this] {
            Result<PythonResult> result = m_run->run();
            QMetaObject::invokeMethod(
                this,
                [this, result = std::move(result)] {
                    m_thread.join();
                    m_run.reset();
                    Q_EMIT ended(result);
                },
                Qt::QueuedConnection);
        });
    } catch (const std::system_error &error) {
        m_run.reset();
        return osError({}, error.code().value(), ErrorText::tr("thread of a run"));
    }
    return {};
}

void PythonJob::stop()
{
    if (m_run)
        m_run->stop();
}

} // namespace proclab
