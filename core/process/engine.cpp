// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/process/engine.h"

#include "core/runtime/task/worker_process.h"

#include <QCoreApplication>

#include <cstdlib>

#include <sys/prctl.h>
#include <sys/resource.h>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

/// For a worker that starts processes of its own: it ends when the worker exits, and they with it.
void makeWorkersApplication()
{
    static char name[] = "worker";
    static char *arguments[] = {name, nullptr};
    static int count = 1;
    static QCoreApplication *application = nullptr;
    application = new QCoreApplication(count, arguments);
    std::atexit([] { delete application; });
}

} // namespace

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
    Engine *engine = current();
    Q_ASSERT(engine);
    return *engine;
}

Engine *Engine::current()
{
    static std::mutex mutex;
    static Engine *engine = nullptr;
    static bool hasEnded = false;
    const std::lock_guard lock(mutex);
    if (engine || hasEnded)
        return engine;
    if (!QCoreApplication::instance()) {
        if (runtime::nestingDepth() == 0)
            return nullptr;
        makeWorkersApplication();
    }
    engine = new Engine(QCoreApplication::applicationFilePath());
    qAddPostRoutine([] {
        hasEnded = true;
        delete std::exchange(engine, nullptr);
    });
    return engine;
}

QString Engine::defaultWorkerProgram()
{
    return QCoreApplication::applicationDirPath() % u"/proclab-worker"_s;
}

} // namespace proclab
