// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>
#include <QString>
#include <QThread>

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace proclab {

/// The engine's thread starts, watches and ends every child process. It lives as long as the
/// program, because a child's parent-death signal fires when the thread that started it ends. A
/// program has one engine.
///
/// Threads: any. A QCoreApplication must exist.
class Engine
{
public:
    /// @p workerProgram is the absolute path of proclab-worker; if it does not exist, starting a
    /// run fails.
    explicit Engine(const QString &workerProgram = defaultWorkerProgram());
    /// Ends its users, then the thread; all runs must have ended.
    ~Engine();
    Engine(const Engine &) = delete;
    Engine &operator=(const Engine &) = delete;

    /// The engine of programs that are their own workers (see worker_main.h). Made at first use,
    /// and ended after the application object.
    [[nodiscard]] static Engine &global();
    /// The same, but null without an application object, and after the engine has ended. In a
    /// worker of its own program, this makes the application object.
    [[nodiscard]] static Engine *current();
    /// proclab-worker beside the running program.
    [[nodiscard]] static QString defaultWorkerProgram();
    [[nodiscard]] const QString &workerProgram() const { return m_workerProgram; }
    /// The object to whose thread engine objects are moved and calls are posted.
    [[nodiscard]] QObject *context() { return m_context.get(); }
    /// Has @p end called before this engine ends, unless @p user is gone by then. It must leave no
    /// object in the engine's thread.
    void beforeEnd(std::weak_ptr<void> user, std::function<void()> end);

    /// Ends current() for good.
    static void endCurrent();
    /// Called in a forked process: drops the parent's engine, so that another one is made if
    /// needed.
    static void forget();

private:
    const QString m_workerProgram;
    const quint32 m_forkCount;
    // Never destroyed in the copy of an engine in a forked process, which has no such thread.
    std::unique_ptr<QThread> m_thread;
    std::unique_ptr<QObject> m_context;
    std::mutex m_mutex;
    std::vector<std::pair<std::weak_ptr<void>, std::function<void()>>> m_users; ///< Guarded by it.
};

} // namespace proclab
