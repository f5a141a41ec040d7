// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/waits/deadlock_watch.h"

#include <QThread>
#include <QTimer>

#include <algorithm>
#include <chrono>

namespace proclab {

using namespace std::chrono_literals;

namespace {

constexpr std::chrono::milliseconds lookEvery = 50ms;

bool isIn(const QList<Deadlock> &deadlocks, const Deadlock &deadlock)
{
    return std::ranges::any_of(deadlocks,
                               [&deadlock](const Deadlock &one) { return one.isSameAs(deadlock); });
}

/// Whether all its members still wait as they did.
bool isThere(const Deadlock &deadlock, const WaitGraph &graph)
{
    return std::ranges::all_of(deadlock.members, [&graph](const Wait &member) {
        return std::ranges::any_of(graph.waits(),
                                   [&member](const Wait &wait) { return wait.isSameAs(member); });
    });
}

} // namespace

/// Looks; made, used and ended in the engine's thread.
class DeadlockWatch::Looker
{
public:
    explicit Looker(DeadlockWatch &watch) : m_watch(watch) {}

    void begin()
    {
        m_timer = std::make_unique<QTimer>();
        QObject::connect(m_timer.get(), &QTimer::timeout, m_timer.get(), [this] { look(); });
        m_timer->start(lookEvery);
    }
    void end() { m_timer.reset(); }

private:
    void look()
    {
        WaitGraph graph;
        if (WaitGraph::hasWaitOfAge(lookEvery))
            graph = WaitGraph::snapshot();
        // A deadlock that one look misses is not over: its threads wake now and then to look up.
        m_told.removeIf([&graph](const Deadlock &deadlock) { return !isThere(deadlock, graph); });
        QList<Deadlock> seen = graph.deadlocks();
        for (const Deadlock &deadlock : seen) {
            if (isIn(m_told, deadlock) || !isIn(m_seen, deadlock))
                continue;
            m_told.append(deadlock);
            Q_EMIT m_watch.deadlockFound(deadlock);
        }
        m_seen = std::move(seen);
    }

    DeadlockWatch &m_watch;
    std::unique_ptr<QTimer> m_timer;
    QList<Deadlock> m_seen; ///< By the last look.
    QList<Deadlock> m_told; ///< And not over yet.
};

DeadlockWatch::DeadlockWatch(Engine &engine, QObject *parent)
    : QObject(parent)
    , m_engine(engine)
    , m_looker(std::make_shared<Looker>(*this))
{
    qRegisterMetaType<Deadlock>();
    const auto begin = [looker = m_looker] { looker->begin(); };
    if (QThread::currentThread() == m_engine.context()->thread())
        begin();
    else
        QMetaObject::invokeMethod(m_engine.context(), begin, Qt::BlockingQueuedConnection);
    m_engine.beforeEnd(m_looker, [this] { end(); });
}

DeadlockWatch::~DeadlockWatch()
{
    end();
}

void DeadlockWatch::end()
{
    if (!m_looker)
        return;
    const auto looker = std::move(m_looker);
    if (QThread::currentThread() == m_engine.context()->thread())
        looker->end();
    else
        QMetaObject::invokeMethod(
            m_engine.context(), [&looker] { looker->end(); }, Qt::BlockingQueuedConnection);
}

} // namespace proclab
