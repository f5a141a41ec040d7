// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/process/engine.h"
#include "core/waits/wait_graph.h"

#include <QObject>

#include <memory>

namespace proclab {

/// Reports deadlocks among the program and the processes below it, each once, about 100 ms after it
/// has formed. It looks every 50 ms, but closely only while some thread has waited for longer than
/// that, and reports what two looks have seen. It ends no process.
///
/// Threads: made, used and destroyed in one thread, which need not be the engine's and needs no
/// event loop. deadlockFound() is emitted in the engine's thread: connect with a context object, or
/// with Qt::DirectConnection to act even while all other threads wait.
/// Blocking: the constructor and the destructor, until the engine's thread is between two events.
class DeadlockWatch final : public QObject
{
    Q_OBJECT

public:
    explicit DeadlockWatch(Engine &engine = Engine::global(), QObject *parent = nullptr);
    ~DeadlockWatch() override;

Q_SIGNALS:
    void deadlockFound(const proclab::Deadlock &deadlock);

private:
    class Looker;

    void end();

    Engine &m_engine;
    std::shared_ptr<Looker> m_looker; ///< Lives in the engine's thread.
};

} // namespace proclab
