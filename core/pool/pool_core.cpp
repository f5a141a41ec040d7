// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/pool/pool_core.h"

#include "core/base/cores.h"
#include "core/pool/worker_pool.h"
#include "core/process/engine.h"
#include "core/runtime/task/task_registry.h"
#include "core/runtime/task/worker_process.h"

#include <QCoreApplication>
#include <QThread>

#include <algorithm>
#include <cerrno>
#include <cstring>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int maxWorkers = 256;
constexpr quint32 maxChunks = 4096; // In the workers' queue; further ones wait before it.
constexpr auto startLimit = std::chrono::seconds(60);
constexpr auto endLimit = std::chrono::seconds(5);

} // namespace

PoolCore::PoolCore(const PoolOptions &options, const PoolPolicy &policy)
    : m_options(options)
    , m_policy(policy)
    , m_workerCount(options.workers.value_or(std::min(usableCores(), options.maxWorkers)))
    , m_engine(options.engine ? *options.engine : Engine::global())
    , m_extents(firstExtent, options.argumentBytes)
{}

Result<std::shared_ptr<PoolCore>> PoolCore::open(const PoolOptions &options,
                                                 const PoolPolicy &policy,
                                                 const InitializerCall &initializer)
{
    if (!options.engine && !Engine::current())
        return Error{ErrorCode::InvalidState, {}, ErrorText::tr("no QCoreApplication")};
    if (const int workers = options.workers.value_or(1); workers < 1 || workers > maxWorkers)
        return invalidArgument(u"workers"_s, QString::number(workers),
                               ErrorText::tr("1 to %1").arg(maxWorkers));
    if (options.maxWorkers < options.workers.value_or(1) || options.maxWorkers > maxWorkers)
        return invalidArgument(
            u"maxWorkers"_s, QString::number(options.maxWorkers),
            ErrorText::tr("%1 to %2").arg(options.workers.value_or(1)).arg(maxWorkers));
    if (const int tasks = options.maxTasksPerWorker.value_or(1); tasks < 1)
        return invalidArgument(u"maxTasksPerWorker"_s, QString::number(tasks),
                               ErrorText::tr("1 or more"));
    if (static_cast<int>(runtime::nestingDepth()) >= options.maxNesting)
        return Error{ErrorCode::InvalidState,
                     {},
                     ErrorText::tr("nested too deep: a pool in a worker %1 deep")
                         .arg(runtime::nestingDepth()),
                     ErrorText::tr("at most %1").arg(options.maxNesting)};
    // A copy in a forked process is left as it is: nobody there can end it.
    const auto end = [](PoolCore *core) {
        if (!core->isOfParent())
            delete core;
    };
    std::shared_ptr<PoolCore> core(new PoolCore(options, policy), end);
    if (auto started = core->start(initializer); !started)
        return started.error();
    core->m_engine.beforeEnd(core, [core = core.get()] { core->shutDown(); });
    return core;
}

PoolCore::~PoolCore()
{
    if (m_workers)
        endWorkers();
}

/// The engine ends: what comes later finds no workers.
void PoolCore::shutDown()
{
    if (m_policy.finishes)
        close();
    else
        terminate();
    static_cast<void>(join(m_policy.finishes ? TimeLimit() : endLimit));
    endWorkers();
}

void PoolCore::endWorkers()
{
    runInEngine([this] {
        std::unique_ptr<WorkerPool> ended; // Destroyed after the mutex is free: it takes time.
        const std::lock_guard lock(m_mutex);
        ended = std::move(m_workers);
        m_hasEnded = true; // Also if they did not end in time.
        m_ended.notify_all();
    });
}

Result<void> PoolCore::start(const InitializerCall &initializer)
{
    m_arguments = runtime::Segment::create("proclab-arguments", m_options.argumentBytes);
    if (!m_arguments.isValid())
        return osError({}, errno, ErrorText::tr("shared memory for arguments"));
    WorkerPoolConfig config;
    config.workerProgram = m_engine.workerProgram();
    config.workers = m_workerCount;
    config.maxWorkers = m_options.maxWorkers;
    config.startMethod = m_options.startMethod;
    config.tasksPerChunk = PoolCore::maxCallsPerChunk;
    config.chunks = maxChunks;
    config.maxTasksPerWorker = static_cast<quint64>(m_options.maxTasksPerWorker.value_or(0));
    config.onCrash = m_options.onCrash.value_or(m_policy.onCrash);
    config.onDemand = m_policy.onDemand || m_options.idleLimit.count() > 0;
    config.idleLimit = m_options.idleLimit;
    config.taskTimeout = m_options.taskTimeout;
    config.input = &m_arguments;
    config.resultBytesPerWorker = (m_options.resultBytesPerWorker + 63) / 64 * 64;
    config.initializer = initializer.task;
    m_initializerObjects = initializer.objects;
    if (initializer.task != runtime::noTask) {
        const auto placed = place(initializer.arguments);
        if (!placed)
            return placed.error();
        config.initializerArgs = *placed;
    }
    const auto environment = encodeEnvironment(m_options.environment);
    if (!environment)
        return environment.error();
    if (!environment->empty()) {
        const auto placed = place(std::as_bytes(std::span(*environment)));
        if (!placed)
            return placed.error();
        config.environment = *placed;
    }
    Result<void> opened;
    bool isReady = false;
    runInEngine([&] {
        m_workers = std::make_unique<WorkerPool>(config);
        m_workers->setRoomHandler([this] { feed(); });
        watch();
        QObject::connect(m_workers.get(), &WorkerPool::ready, m_workers.get(), [this, &isReady] {
            m_workers->openGate();
            const std::lock_guard lock(m_mutex);
            isReady = true;
            m_ended.notify_all();
        });
        opened = m_workers->open();
    });
    if (!opened || config.onDemand)
        return opened;
    std::unique_lock lock(m_mutex);
    m_ended.wait_for(lock, startLimit, [&] { return isReady || m_state != State::Open; });
    const Error error = m_givenUpBy.value_or(Error());
    const bool isBroken = m_state == State::Broken;
    lock.unlock();
    // The signal's reference to a variable of this call ends here.
    runInEngine(
        [this] { QObject::disconnect(m_workers.get(), &WorkerPool::ready, nullptr, nullptr); });
    if (isReady)
        return {};
    return isBroken ? error
                    : Error{ErrorCode::Timeout, {}, ErrorText::tr("the start of the workers")};
}

Result<runtime::ArgumentRange> PoolCore::place(std::span<const std::byte> bytes)
{
    const auto extent = m_extents.allocate(bytes.size() + 1);
    if (!extent || bytes.size() > maxArgumentBytes())
        return tooLarge();
    if (!bytes.empty())
        std::memcpy(m_arguments.data() + *extent, bytes.data(), bytes.size());
    return runtime::ArgumentRange{*extent, static_cast<quint32>(bytes.size()), 0};
}

void PoolCore::watch()
{
    WorkerPool *workers = m_workers.get();
    QObject::connect(workers, &WorkerPool::workerStarted, workers,
                     [this](int worker, qint64 pid, int) {
                         const std::lock_guard lock(m_mutex);
                         m_pids[worker] = pid;
                         m_living[worker] = pid;
                     });
    QObject::connect(workers, &WorkerPool::workerEnded, workers,
                     [this](int worker, const ChildExit &, bool, quint64) {
                         const std::lock_guard lock(m_mutex);
                         m_living.erase(worker);
                     });
    QObject::connect(workers, &WorkerPool::broken, workers, [this](const Error &error) {
        Error broken = error;
        broken.code = ErrorCode::BrokenPool;
        giveUp(broken);
    });
    QObject::connect(workers, &WorkerPool::closed, workers, [this] { noteClosed(); });
}

void PoolCore::noteClosed()
{
    std::shared_ptr<PoolCore> self;
    {
        const std::lock_guard lock(m_mutex);
        if (m_state != State::Broken)
            m_state = State::Ended;
        m_hasEnded = true;
        m_living.clear();
        self = std::move(m_self);
        m_ended.notify_all();
    }
    // Not here: this is called by what would go with it.
    QMetaObject::invokeMethod(
        m_engine.context(), [self = std::move(self)] {}, Qt::QueuedConnection);
}

void PoolCore::stayUntilEnded()
{
    if (isOfParent())
        return;
    const std::lock_guard lock(m_mutex);
    if (!m_hasEnded)
        m_self = shared_from_this();
}

void PoolCore::close(PendingCalls pending)
{
    if (isOfParent())
        return;
    Waiting waiting;
    std::vector<WithdrawnChunk> withdrawn;
    {
        const std::lock_guard lock(m_mutex);
        if (m_state > State::Closed)
            return;
        m_state = State::Closed;
        if (pending == PendingCalls::Cancel) {
            waiting = takeWaitingLocked(CallSink::Place::Withdrawn);
            if (m_workers)
                withdrawn = m_workers->withdrawAll();
        }
        closeWorkersLocked();
    }
    tellAll(waiting, Error{ErrorCode::Cancelled});
    for (const WithdrawnChunk &one : withdrawn) {
        for (quint32 i = 0; i < one.count; ++i) {
            TaskReport report;
            report.index = one.first + i;
            report.cause = TaskReport::Cause::Cancelled;
            report.status = TaskReport::Status::Cancelled;
            one.sink->report(std::move(report));
        }
    }
}

/// Once nothing waits before their queue.
void PoolCore::closeWorkersLocked()
{
    if (m_waiting.empty() && m_workers)
        QMetaObject::invokeMethod(m_workers.get(), &WorkerPool::close, Qt::QueuedConnection);
}

void PoolCore::terminate()
{
    terminate(Error{ErrorCode::Cancelled, {}, ErrorText::tr("the pool was terminated")});
}

void PoolCore::terminate(const Error &reason, bool gently)
{
    if (isOfParent())
        return;
    giveUp(reason);
    const std::lock_guard lock(m_mutex);
    if (m_workers)
        QMetaObject::invokeMethod(m_workers.get(),
                                  gently ? &WorkerPool::terminateGently : &WorkerPool::terminate,
                                  Qt::QueuedConnection);
}

void PoolCore::end()
{
    if (isOfParent())
        return;
    bool isOpen = false;
    {
        const std::lock_guard lock(m_mutex);
        isOpen = m_state == State::Open;
    }
    if (isOpen)
        qWarning("A pool was left open: its %d workers are ended", m_workerCount.load());
    terminate();
    static_cast<void>(join(std::nullopt));
}

Error PoolCore::ofParent()
{
    return {ErrorCode::InvalidState,
            {},
            ErrorText::tr("the pool is of the process that forked this one")};
}

/// Nothing that waits will be done any more.
void PoolCore::giveUp(const Error &error)
{
    Waiting waiting;
    {
        const std::lock_guard lock(m_mutex);
        if (m_state == State::Ended || m_state == State::Broken)
            return;
        m_state = error.code == ErrorCode::BrokenPool ? State::Broken : State::Closed;
        m_givenUpBy = error;
        waiting = takeWaitingLocked(CallSink::Place::GivenUp);
        m_ended.notify_all();
    }
    tellAll(waiting, error);
}

/// The sinks that wait, without withdrawn ones; the caller reports to them.
PoolCore::Waiting PoolCore::takeWaitingLocked(CallSink::Place place)
{
    Waiting waiting;
    waiting.swap(m_waiting);
    std::erase_if(waiting,
                  [](const auto &sink) { return sink->m_place != CallSink::Place::Waiting; });
    for (const auto &sink : waiting)
        sink->m_place = place;
    return waiting;
}

void PoolCore::tellAll(const Waiting &waiting, const Error &error)
{
    for (const auto &sink : waiting)
        sink->endAll(error);
}

Result<void> PoolCore::join(TimeLimit limit)
{
    if (isOfParent())
        return ofParent();
    std::unique_lock lock(m_mutex);
    if (m_state == State::Open)
        return Error{ErrorCode::InvalidState, {}, ErrorText::tr("the pool is open")};
    if (m_hasEnded) // The engine may have ended too.
        return {};
    if (QThread::currentThread() == m_engine.context()->thread())
        return Error{
            ErrorCode::InvalidState, {}, ErrorText::tr("a callback cannot wait for the pool")};
    const auto hasEnded = [this] { return m_hasEnded; };
    const runtime::WaitScope noted({runtime::WaitSubject::Type::Calls}, deadlineOf(limit));
    if (!limit)
        m_ended.wait(lock, hasEnded);
    else if (!m_ended.wait_for(lock, std::max(*limit, std::chrono::nanoseconds(0)), hasEnded))
        return Error{ErrorCode::Timeout};
    return {};
}

Result<void> PoolCore::resize(int workers)
{
    if (isOfParent())
        return ofParent();
    if (workers < 1 || workers > m_options.maxWorkers)
        return invalidArgument(u"workers"_s, QString::number(workers),
                               ErrorText::tr("1 to %1").arg(m_options.maxWorkers));
    const std::lock_guard lock(m_mutex);
    if (m_state == State::Broken)
        return *m_givenUpBy;
    if (m_state != State::Open)
        return Error{ErrorCode::ShutDown, {}, ErrorText::tr("the pool")};
    m_workerCount = workers;
    // In the order of the calls, as they are under the mutex.
    QMetaObject::invokeMethod(
        m_workers.get(), [pool = m_workers.get(), workers] { pool->resize(workers); },
        Qt::QueuedConnection);
    return {};
}

std::vector<qint64> PoolCore::workerPids() const
{
    if (isOfParent())
        return {};
    const std::lock_guard lock(m_mutex);
    std::vector<qint64> pids;
    for (const auto &[worker, pid] : m_living)
        pids.push_back(pid);
    return pids;
}

PoolMemory PoolCore::memoryInUse() const
{
    if (isOfParent())
        return {};
    PoolMemory memory;
    if (m_workers)
        memory.results = m_workers->resultBytes();
    const std::lock_guard lock(m_extentsMutex);
    memory.arguments = m_extents.usedBytes();
    return memory;
}

/// Calls @p function in the engine's thread and waits for it.
void PoolCore::runInEngine(const std::function<void()> &function) const
{
    if (QThread::currentThread() == m_engine.context()->thread())
        function();
    else
        QMetaObject::invokeMethod(m_engine.context(), function, Qt::BlockingQueuedConnection);
}

} // namespace proclab
