// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/process/engine.h"

#include "core/process/fork.h"
#include "core/runtime/task/fork_count.h"
#include "core/runtime/task/worker_process.h"
#include "core/runtime/trace/process_notes.h"

#include <QCoreApplication>
#include <QFile>

#include <cstdio>
#include <cstdlib>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

std::mutex theEngineMutex;
Engine *theEngine = nullptr; // Guarded by it.
bool hasEnded = false;

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

/// A program whose main() does not begin with workerMain() runs as a whole in what should be a
/// worker of it, and would start workers without end.
void refuseWorkerThatIsNone()
{
    QFile file(u"/proc/self/cmdline"_s);
    if (runtime::nestingDepth() > 0 || !file.open(QIODevice::ReadOnly))
        return;
    QByteArrayList words = file.readAll().split('\0');
    words.removeLast();
    std::vector<char *> arguments;
    for (QByteArray &word : words)
        arguments.push_back(word.data());
    runtime::WorkerArguments asked;
    if (!runtime::WorkerArguments::parse(arguments, asked) || asked.parentPid != ::getppid())
        return;
    std::fprintf(stderr,
                 "%s: this process was started as a worker, but is none: main() must begin with "
                 "proclab::workerMain()\n",
                 words.front().constData());
    ::_exit(runtime::refusedExitCode);
}

} // namespace

Engine::Engine(const QString &workerProgram)
    : m_workerProgram(workerProgram)
    , m_forkCount(runtime::forkCount())
    , m_thread(std::make_unique<QThread>())
    , m_context(std::make_unique<QObject>())
{
    Q_ASSERT(QCoreApplication::instance());
    refuseWorkerThatIsNone();
    process_detail::countForks();
    // Workers that the zygote forks through a process in between become this program's children.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    rlimit descriptors = {};
    if (::getrlimit(RLIMIT_NOFILE, &descriptors) == 0 &&
        descriptors.rlim_cur < descriptors.rlim_max) {
        descriptors.rlim_cur = descriptors.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &descriptors);
    }
    m_thread->setObjectName(u"engine"_s);
    m_context->moveToThread(m_thread.get());
    m_thread->start();
    // Once this returns the thread's loop runs and holds all the descriptors that it will hold.
    QMetaObject::invokeMethod(
        m_context.get(), [] { runtime::noteEngineThread(::gettid()); },
        Qt::BlockingQueuedConnection);
}

Engine::~Engine()
{
    if (m_forkCount != runtime::forkCount()) {
        static_cast<void>(m_thread.release());
        static_cast<void>(m_context.release());
        return;
    }
    std::vector<std::pair<std::weak_ptr<void>, std::function<void()>>> users;
    {
        const std::lock_guard lock(m_mutex);
        users.swap(m_users);
    }
    for (const auto &[user, end] : users) {
        if (const auto living = user.lock())
            end();
    }
    m_thread->quit();
    m_thread->wait();
    runtime::noteEngineThread(0);
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
    const std::lock_guard lock(theEngineMutex);
    if (theEngine || hasEnded)
        return theEngine;
    if (!QCoreApplication::instance()) {
        if (runtime::nestingDepth() == 0)
            return nullptr;
        makeWorkersApplication();
    }
    theEngine = new Engine(QCoreApplication::applicationFilePath());
    static bool isToEnd = false;
    if (!std::exchange(isToEnd, true))
        qAddPostRoutine(endCurrent);
    return theEngine;
}

void Engine::endCurrent()
{
    // Not locked: what it ends may ask for it.
    hasEnded = true;
    delete std::exchange(theEngine, nullptr);
}

void Engine::forget()
{
    new (&theEngineMutex) std::mutex;
    theEngine = nullptr;
}

QString Engine::defaultWorkerProgram()
{
    return QCoreApplication::applicationDirPath() % u"/proclab-worker"_s;
}

} // namespace proclab
