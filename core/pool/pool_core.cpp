// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/pool/pool_core.h"

#include "core/base/signal_name.h"
#include "core/runtime/task/task_registry.h"
#include "core/runtime/task/worker_process.h"

#include <QCoreApplication>
#include <QThread>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include <sched.h>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

using runtime::ArgumentRange;
using runtime::TaskDescriptor;

constexpr int maxWorkers = 256;
constexpr quint32 maxChunks = 4096; // In the workers' queue; further ones wait before it.
constexpr auto startLimit = std::chrono::seconds(60);
constexpr auto endLimit = std::chrono::seconds(5);
constexpr quint64 firstExtent = 64;            // Offset 0 means: none.
constexpr quint64 discardedBytes = 256 * 1024; // Extents from this size on go back to the system.

QString tr(const char *text)
{
    return QCoreApplication::translate("Error", text);
}

/// The calls' arguments one after the other, behind a table of where each begins.
std::vector<std::byte> joined(const std::vector<std::vector<std::byte>> &arguments)
{
    std::vector<std::byte> bytes;
    PayloadWriter writer(bytes);
    std::size_t end = (arguments.size() + 1) * sizeof(quint64);
    writer.size(end);
    for (const auto &one : arguments)
        writer.size(end += one.size());
    bytes.reserve(end);
    for (const auto &one : arguments)
        bytes.insert(bytes.end(), one.begin(), one.end());
    return bytes;
}

std::shared_ptr<const RemoteFailure> failureOf(const std::vector<std::byte> &bytes,
                                               const QString &worker)
{
    auto failure = std::make_shared<RemoteFailure>();
    try {
        const auto thrown = decodePayload<runtime::RemoteException>(bytes);
        failure->type = QString::fromStdString(thrown.type);
        failure->message = QString::fromStdString(thrown.message);
        failure->trace = tr("in %1, %2").arg(QString::fromStdString(thrown.where), worker);
        for (const std::string &one : thrown.nested) {
            failure->nested.append(QString::fromStdString(one));
            failure->trace += tr("\ncaused by %1").arg(failure->nested.back());
        }
        failure->rawType = thrown.rawType;
        failure->value = QByteArray(reinterpret_cast<const char *>(thrown.value.data()),
                                    static_cast<qsizetype>(thrown.value.size()));
    } catch (const std::exception &exception) {
        failure->message = QString::fromUtf8(exception.what());
    }
    return failure;
}

} // namespace

/// A chunk in the workers' hands, and the memory of its arguments.
class PoolCore::ChunkSink final : public ReportSink
{
public:
    ChunkSink(std::shared_ptr<PoolCore> core, std::shared_ptr<CallSink> sink, std::string_view name)
        : m_core(std::move(core))
        , m_sink(std::move(sink))
        , m_name(name)
    {}
    ~ChunkSink() override
    {
        if (extent)
            m_core->giveBack(*extent);
        if (isHanded)
            m_core->feed();
    }
    void take(TaskReport &&report) override
    {
        const auto position = static_cast<quint32>(report.index - first);
        if (report.status == TaskReport::Status::Done)
            m_sink->take(position, std::move(report.bytes));
        else
            m_sink->take(position, m_core->errorOf(report, m_name));
    }

    quint64 first = 0;
    std::optional<quint64> extent;
    bool isHanded = false;

private:
    const std::shared_ptr<PoolCore> m_core;
    const std::shared_ptr<CallSink> m_sink;
    const std::string_view m_name;
};

PoolCore::PoolCore(const PoolOptions &options, const PoolConduct &conduct)
    : m_options(options)
    , m_conduct(conduct)
    , m_workerCount(options.workers.value_or(std::min(usableCores(), maxWorkers)))
    , m_engine(options.engine ? *options.engine : Engine::global())
    , m_extents(firstExtent, options.argumentBytes)
{}

int usableCores()
{
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return 1;
    return std::max(CPU_COUNT(&allowed), 1);
}

Result<std::shared_ptr<PoolCore>> PoolCore::open(const PoolOptions &options,
                                                 const PoolConduct &conduct, quint32 initializer,
                                                 std::span<const std::byte> initializerArgs)
{
    if (!QCoreApplication::instance())
        return Error{ErrorCode::InvalidState, {}, tr("no QCoreApplication")};
    if (const int workers = options.workers.value_or(1); workers < 1 || workers > maxWorkers)
        return invalidArgument(u"workers"_s, QString::number(workers),
                               tr("1 to %1").arg(maxWorkers));
    if (const int tasks = options.maxTasksPerWorker.value_or(1); tasks < 1)
        return invalidArgument(u"maxTasksPerWorker"_s, QString::number(tasks), tr("1 or more"));
    if (static_cast<int>(runtime::nestingDepth()) >= options.maxNesting)
        return Error{ErrorCode::InvalidState,
                     {},
                     tr("nested too deep: a pool in a worker %1 deep").arg(runtime::nestingDepth()),
                     tr("at most %1").arg(options.maxNesting)};
    std::shared_ptr<PoolCore> core(new PoolCore(options, conduct));
    if (auto started = core->start(initializer, initializerArgs); !started)
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
    if (m_conduct.finishes)
        close();
    else
        terminate();
    static_cast<void>(join(m_conduct.finishes ? TimeLimit() : endLimit));
    endWorkers();
}

void PoolCore::endWorkers()
{
    runInEngine([this] {
        std::unique_ptr<WorkerPool> ended; // Let go after the mutex: its end takes its time.
        const std::lock_guard lock(m_mutex);
        ended = std::move(m_workers);
    });
}

Result<void> PoolCore::start(quint32 initializer, std::span<const std::byte> initializerArgs)
{
    m_arguments = runtime::Segment::create("proclab-arguments", m_options.argumentBytes);
    if (!m_arguments.isValid())
        return osError({}, errno, tr("shared memory for arguments"));
    WorkerPoolConfig config;
    config.workerProgram = m_engine.workerProgram();
    config.workers = m_workerCount;
    config.startMethod = m_options.startMethod;
    config.tasksPerChunk = PoolCore::maxCallsPerChunk;
    config.chunks = maxChunks;
    config.maxTasksPerWorker = static_cast<quint64>(m_options.maxTasksPerWorker.value_or(0));
    config.onCrash = m_options.onCrash.value_or(m_conduct.onCrash);
    config.onDemand = m_conduct.onDemand || m_options.idleLimit.count() > 0;
    config.idleLimit = m_options.idleLimit;
    config.taskTimeout = m_options.taskTimeout;
    config.input = &m_arguments;
    config.resultBytesPerWorker = (m_options.resultBytesPerWorker + 63) / 64 * 64;
    config.initializer = initializer;
    if (initializer != runtime::noTask) {
        const quint64 place = m_extents.allocate(initializerArgs.size() + 1).value_or(0);
        std::memcpy(m_arguments.data() + place, initializerArgs.data(), initializerArgs.size());
        config.initializerArgs = {place, static_cast<quint32>(initializerArgs.size()), 0};
    }
    Result<void> opened;
    bool isReady = false;
    runInEngine([&] {
        m_workers = std::make_unique<WorkerPool>(config);
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
    return isBroken ? error : Error{ErrorCode::Timeout, {}, tr("the start of the workers")};
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
    const std::lock_guard lock(m_mutex);
    if (!m_hasEnded)
        m_self = shared_from_this();
}

Result<void> PoolCore::submit(CallChunk chunk, std::shared_ptr<CallSink> sink)
{
    std::shared_ptr<void> handed; // Let go after the mutex: its end may feed the workers.
    const std::lock_guard lock(m_mutex);
    if (m_state == State::Broken)
        return *m_givenUpBy;
    if (m_state != State::Open)
        return Error{ErrorCode::ShutDown, {}, tr("the pool")};
    if (!canEverHold(chunk))
        return Error{ErrorCode::EncodeError, {}, tr("arguments larger than the pool's memory")};
    sink->m_place = CallSink::Place::Waiting;
    sink->m_count = static_cast<quint32>(chunk.arguments.size());
    Waiting waiting{std::move(chunk), std::move(sink)};
    if (m_waiting.empty())
        handed = hand(waiting);
    if (!handed)
        m_waiting.push_back(std::move(waiting));
    return {};
}

/// Else it would wait for ever, and those behind it too.
bool PoolCore::canEverHold(const CallChunk &chunk) const
{
    const auto &calls = chunk.arguments;
    if (calls.size() == 1 && calls[0].size() <= TaskDescriptor::inlineBytes)
        return true;
    quint64 bytes = (calls.size() + 1) * sizeof(quint64);
    for (const auto &one : calls)
        bytes += one.size();
    constexpr quint64 maxBytes = std::numeric_limits<decltype(ArgumentRange::size)>::max();
    return bytes <= std::min(maxBytes, m_options.argumentBytes - firstExtent);
}

std::shared_ptr<void> PoolCore::hand(Waiting &waiting)
{
    CallChunk &calls = waiting.chunk;
    const auto count = static_cast<quint32>(calls.arguments.size());
    const bool isInline = count == 1 && calls.arguments[0].size() <= TaskDescriptor::inlineBytes;
    std::vector<std::byte> table;
    if (count > 1)
        table = joined(calls.arguments);
    const std::vector<std::byte> &bytes = count > 1 ? table : calls.arguments[0];
    const auto sink = std::make_shared<ChunkSink>(shared_from_this(), waiting.sink, calls.name);
    TaskChunk chunk;
    chunk.workload = calls.task;
    chunk.count = count;
    chunk.first = sink->first = m_nextCall;
    if (isInline) {
        chunk.inlineArgs = bytes;
    } else {
        {
            const std::lock_guard lock(m_extentsMutex);
            sink->extent = m_extents.allocate(bytes.size());
        }
        if (!sink->extent)
            return nullptr;
        std::memcpy(m_arguments.data() + *sink->extent, bytes.data(), bytes.size());
        chunk.args = {*sink->extent, static_cast<quint32>(bytes.size()),
                      count > 1 ? ArgumentRange::eachOwn : 0};
    }
    const auto ticket = m_workers->submit(chunk, sink);
    if (!ticket)
        return nullptr;
    waiting.sink->m_place = CallSink::Place::Handed;
    waiting.sink->m_ticket = *ticket;
    sink->isHanded = true;
    m_nextCall += count;
    return sink;
}

void PoolCore::feed()
{
    std::vector<std::shared_ptr<void>> handed; // See submit().
    const std::lock_guard lock(m_mutex);
    while (!m_waiting.empty() && m_state <= State::Closed) {
        Waiting &next = m_waiting.front();
        if (next.sink->m_place == CallSink::Place::Waiting) {
            auto one = hand(next);
            if (!one)
                return;
            handed.push_back(std::move(one));
        }
        m_waiting.pop_front();
    }
    if (m_state == State::Closed)
        closeWorkersLocked();
}

bool PoolCore::withdraw(CallSink &sink)
{
    std::optional<WithdrawnChunk> withdrawn; // Let go after the mutex, see submit().
    {
        const std::lock_guard lock(m_mutex);
        if (sink.m_place == CallSink::Place::Withdrawn)
            return true;
        if (sink.m_place == CallSink::Place::Handed && m_workers)
            withdrawn = m_workers->withdraw(sink.m_ticket);
        if (sink.m_place != CallSink::Place::Waiting && !withdrawn)
            return false;
        sink.m_place = CallSink::Place::Withdrawn; // feed() leaves it out.
    }
    for (quint32 i = 0; i < sink.m_count; ++i)
        sink.take(i, Error{ErrorCode::Cancelled});
    return true;
}

bool PoolCore::hasStarted(const CallSink &sink) const
{
    const std::lock_guard lock(m_mutex);
    return sink.m_place == CallSink::Place::Handed &&
           (!m_workers || m_workers->hasStarted(sink.m_ticket));
}

void PoolCore::giveBack(quint64 extent)
{
    const std::lock_guard lock(m_extentsMutex);
    const quint64 length = m_extents.giveBack(extent);
    if (length >= discardedBytes)
        m_arguments.discard(extent, length);
}

std::size_t PoolCore::chunkSize(std::size_t count, std::size_t wanted) const
{
    const std::size_t shares = 4 * static_cast<std::size_t>(m_workerCount);
    const std::size_t size = wanted != 0 ? wanted : (count + shares - 1) / shares;
    return std::clamp<std::size_t>(size, 1, maxCallsPerChunk);
}

void PoolCore::help(const FutureState &state) const
{
    if (m_workers)
        m_workers->collectUntil([&state] { return state.isSettled(); });
}

void PoolCore::close(Pending pending)
{
    std::deque<Waiting> waiting;
    std::vector<WithdrawnChunk> withdrawn;
    {
        const std::lock_guard lock(m_mutex);
        if (m_state > State::Closed)
            return;
        m_state = State::Closed;
        if (pending == Pending::Cancel) {
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
            one.sink->take(std::move(report));
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
    terminate(Error{ErrorCode::Cancelled, {}, tr("the pool was terminated")});
}

void PoolCore::terminate(const Error &reason, bool gently)
{
    giveUp(reason);
    const std::lock_guard lock(m_mutex);
    if (m_workers)
        QMetaObject::invokeMethod(m_workers.get(),
                                  gently ? &WorkerPool::terminateGently : &WorkerPool::terminate,
                                  Qt::QueuedConnection);
}

void PoolCore::end()
{
    bool isOpen = false;
    {
        const std::lock_guard lock(m_mutex);
        isOpen = m_state == State::Open;
    }
    if (isOpen)
        qWarning("A pool was left open: its %d workers are ended", m_workerCount);
    terminate();
    static_cast<void>(join(std::nullopt));
}

/// Nothing that waits will be done any more.
void PoolCore::giveUp(const Error &error)
{
    std::deque<Waiting> waiting;
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

/// What waits, without what was withdrawn; the caller tells it.
std::deque<PoolCore::Waiting> PoolCore::takeWaitingLocked(CallSink::Place place)
{
    std::deque<Waiting> waiting;
    waiting.swap(m_waiting);
    std::erase_if(waiting,
                  [](const Waiting &one) { return one.sink->m_place != CallSink::Place::Waiting; });
    for (const Waiting &one : waiting)
        one.sink->m_place = place;
    return waiting;
}

void PoolCore::tellAll(const std::deque<Waiting> &waiting, const Error &error)
{
    for (const Waiting &one : waiting) {
        for (quint32 i = 0; i < one.chunk.arguments.size(); ++i)
            one.sink->take(i, error);
    }
}

Result<void> PoolCore::join(TimeLimit limit)
{
    if (QThread::currentThread() == m_engine.context()->thread())
        return Error{ErrorCode::InvalidState, {}, tr("a callback cannot wait for the pool")};
    std::unique_lock lock(m_mutex);
    if (m_state == State::Open)
        return Error{ErrorCode::InvalidState, {}, tr("the pool is open")};
    const auto hasEnded = [this] { return m_hasEnded; };
    if (!limit)
        m_ended.wait(lock, hasEnded);
    else if (!m_ended.wait_for(lock, std::max(*limit, std::chrono::nanoseconds(0)), hasEnded))
        return Error{ErrorCode::Timeout};
    return {};
}

std::vector<qint64> PoolCore::workerPids() const
{
    const std::lock_guard lock(m_mutex);
    std::vector<qint64> pids;
    for (const auto &[worker, pid] : m_living)
        pids.push_back(pid);
    return pids;
}

Error PoolCore::errorOf(const TaskReport &report, std::string_view task) const
{
    using Cause = TaskReport::Cause;
    const std::unique_lock lock(m_mutex);
    const auto known = m_pids.find(report.worker);
    const QString worker = known == m_pids.end()
                               ? tr("no worker")
                               : tr("worker %1, PID %2").arg(report.worker + 1).arg(known->second);
    const QString name = QString::fromUtf8(task.data(), static_cast<qsizetype>(task.size()));
    const QString where = tr("%1 in %2, attempt %3").arg(worker, name).arg(report.attempts);
    switch (report.cause) {
    case Cause::Exception: {
        auto failure = failureOf(report.bytes, worker);
        const bool isEncoding = failure->rawType == typeid(EncodeFailure).name();
        Error error{isEncoding ? ErrorCode::EncodeError : ErrorCode::RemoteError, name,
                    failure->type % u": "_s % failure->message};
        error.remote = std::move(failure);
        return error;
    }
    case Cause::Exit:
        return {deathCode(), where, tr("exit code %1").arg(report.code)};
    case Cause::Signal:
        return {deathCode(), where, tr("signal %1").arg(signalName(report.code))};
    case Cause::Timeout:
        return {ErrorCode::Timeout, where};
    case Cause::Lost:
        if (m_state == State::Broken && report.worker < 0)
            return *m_givenUpBy;
        return {deathCode(), where, tr("%1 from outside").arg(signalName(report.code))};
    case Cause::Cancelled:
    case Cause::None:
        break;
    }
    return m_givenUpBy.value_or(Error{ErrorCode::Cancelled});
}

/// With what a call fails whose worker died.
ErrorCode PoolCore::deathCode() const
{
    const bool breaks = m_options.onCrash.value_or(m_conduct.onCrash) == OnCrash::Break;
    return breaks ? ErrorCode::BrokenPool : ErrorCode::WorkerDied;
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
