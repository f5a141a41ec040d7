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

/// The engine's thread: it starts, watches and ends every child process, and lives as long as the
/// program (a child's parent-death signal fires when the thread that started it ends). One for each
/// program.
///
/// Threads: any. A QCoreApplication must exist.
class Engine
{
public:
    /// @p workerProgram: absolute path of proclab-worker; a program that is not there is reported
    /// when a run starts.
    explicit Engine(const QString &workerProgram = defaultWorkerProgram());
    /// Ends its users, then the thread; all runs must have ended.
    ~Engine();
    Engine(const Engine &) = delete;
    Engine &operator=(const Engine &) = delete;

    /// The engine of programs that are their own workers (see worker_main.h): made at first use,
    /// ended after the application object.
    [[nodiscard]] static Engine &global();
    /// The same, for a caller that may have no application object; null then, and once the engine
    /// has ended. A worker of its own program gets an application object here.
    [[nodiscard]] static Engine *current();
    /// proclab-worker beside the running program.
    [[nodiscard]] static QString defaultWorkerProgram();
    [[nodiscard]] const QString &workerProgram() const { return m_workerProgram; }
    /// The object whose thread runs the engine: move engine objects there, post calls to it.
    [[nodiscard]] QObject *context() { return m_context.get(); }
    /// Calls @p end before this engine ends, unless @p user is gone by then; it must leave no
    /// object in the engine's thread.
    void beforeEnd(std::weak_ptr<void> user, std::function<void()> end);

    /// Ends current(); there is none later.
    static void endCurrent();
    /// In a process that was forked: current() is the parent's, and another is made when needed.
    static void forget();

private:
    const QString m_workerProgram;
    const quint32 m_forkCount;
    // Left where they are, if this is the copy of an engine in a forked process: the thread is not.
    std::unique_ptr<QThread> m_thread;
    std::unique_ptr<QObject> m_context;
    std::mutex m_mutex;
    std::vector<std::pair<std::weak_ptr<void>, std::function<void()>>> m_users; ///< Guarded by it.
};

} // namespace proclab
