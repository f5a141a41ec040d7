// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/python/python_run.h"

#include <QObject>

#include <memory>
#include <thread>

namespace proclab {

/// Runs a program of pythonScript() beside an event loop.
///
/// Threads: use it only from the thread it was created in, which needs an event loop. Blocking:
/// only the destructor of one that runs: it ends the program, which takes a moment, at most 2 s.
class PythonJob final : public QObject
{
    Q_OBJECT

public:
    using QObject::QObject;
    ~PythonJob() override;

    /// ended() follows. InvalidState: it runs; OsError: there is no memory for a thread.
    Result<void> start(const QString &script, std::chrono::seconds limit);
    /// Ends the program; ended() follows soon.
    void stop();
    [[nodiscard]] bool isRunning() const { return m_run != nullptr; }

Q_SIGNALS:
    /// What PythonRun::run() gave.
    void ended(const proclab::Result<proclab::PythonResult> &result);

private:
    std::unique_ptr<PythonRun> m_run; ///< Null: none runs.
    std::thread m_thread;
};

} // namespace proclab
