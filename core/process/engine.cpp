// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/process/engine.h"

#include <QCoreApplication>

#include <sys/prctl.h>
#include <sys/resource.h>

using namespace Qt::StringLiterals;

namespace proclab {

Engine::Engine(const QString &workerProgram) : m_workerProgram(workerProgram)
{
    Q_ASSERT(QCoreApplication::instance());
    // Workers that the zygote forks through a process in between become this program's children.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    rlimit descriptors = {};
    if (::getrlimit(RLIMIT_NOFILE, &descriptors) == 0 &&
        descriptors.rlim_cur < descriptors.rlim_max) {
        descriptors.rlim_cur = descriptors.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &descriptors);
    }
    m_thread.setObjectName(u"engine"_s);
    m_context.moveToThread(&m_thread);
    m_thread.start();
    // Once this returns the thread's loop runs and holds all the descriptors that it will hold.
    QMetaObject::invokeMethod(
        &m_context, [] {}, Qt::BlockingQueuedConnection);
}

Engine::~Engine()
{
    std::vector<std::pair<std::weak_ptr<void>, std::function<void()>>> users;
    {
        const std::lock_guard lock(m_mutex);
        users.swap(m_users);
    }
    for (const auto &[user, end] : users) {
        if (const auto living = user.lock())
            end();
    }
    m_thread.quit();
    m_thread.wait();
}

void Engine::beforeEnd(std::weak_ptr<void> user, std::function<void()> end)
{
    const std::lock_guard lock(m_mutex);
    std::erase_if(m_users, [](const auto &known) { return known.first.expired(); });
    m_users.emplace_back(std::move(user), std::move(end));
}

Engine &Engine::global()
{
    static std::mutex mutex;
    static std::unique_ptr<Engine> engine;
    const std::lock_guard lock(mutex);
    if (!engine) {
        engine = std::make_unique<Engine>(QCoreApplication::applicationFilePath());
        qAddPostRoutine([] { engine.reset(); });
    }
    return *engine;
}

QString Engine::defaultWorkerProgram()
{
    return QCoreApplication::applicationDirPath() % u"/proclab-worker"_s;
}

} // namespace proclab
