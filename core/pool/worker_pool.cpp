// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/pool/worker_pool.h"

#include "core/base/signal_name.h"
#include "core/runtime/memory/object_space.h"
#include "core/runtime/memory/result_arena.h"
#include "core/runtime/task/task_registry.h"
#include "core/runtime/task/worker_process.h"

#include <QSocketNotifier>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

namespace proclab {

using runtime::TaskDescriptor;
using runtime::TaskState;
using runtime::TaskWord;

namespace {

constexpr int watchMs = 20;
constexpr int terminateGraceMs = 1'000;
constexpr int restartMs = 500; // By then there may be enough memory and processes again.
constexpr qint64 leaveGraceNs = 5'000'000'000; ///< For workers to leave once all work is done.

/// Why a pool is broken whose worker has died.
Error deathOf(int worker, const ChildExit &exit, int ownSignal)
{
    Error error;
    error.code = ErrorCode::BrokenPool;
    error.subject = ErrorText::tr("worker %1, PID %2").arg(worker + 1).arg(exit.pid);
    if (exit.signal == 0)
        error.found = ErrorText::tr("exit code %1").arg(exit.exitCode);
    else
        error.found = (ownSignal == exit.signal ? ErrorText::tr("signal %1")
                                                : ErrorText::tr("%1 from outside"))
                          .arg(signalName(exit.signal));
    return error;
}

} // namespace

WorkerPool::WorkerPool(const WorkerPoolConfig &config)
    : m_config(config)
    , m_slotCount(std::max(config.workers, config.maxWorkers))
    , m_wanted(config.workers)
    , m_workerOf(std::make_unique<std::atomic<int>[]>(static_cast<std::size_t>(m_slotCount)))
    , m_timedOut(static_cast<std::size_t>(m_slotCount), -1)
    , m_standstill(static_cast<std::size_t>(m_slotCount))
{
    for (int slot = 0; slot < m_slotCount; ++slot)
        m_workerOf[static_cast<std::size_t>(slot)] = -1;
    connect(&m_watch, &QTimer::timeout, this, &WorkerPool::watchTasks);
}

WorkerPool::~WorkerPool()
{
    m_wakeUps.reset();
    m_group.reset();
    if (m_eventFd >= 0)
        ::close(m_eventFd);
}

Result<void> WorkerPool::open()
{
    m_eventFd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (m_eventFd < 0)
        return osError({}, errno, ErrorText::tr("event descriptor"));
    if (const auto made = makeSegment(); !made)
        return made;
    m_chunks.resize(m_config.chunks);
    m_free.reserve(m_config.chunks);
    for (quint32 number = m_config.chunks; number-- > 0;)
        m_free.push_back(number);
    m_wakeUps = std::make_unique<QSocketNotifier>(m_eventFd, QSocketNotifier::Read);
    connect(m_wakeUps.get(), &QSocketNotifier::activated, this, [this] {
        quint64 count = 0;
        [[maybe_unused]] const auto size = ::read(m_eventFd, &count, sizeof count);
        checkReady();
        drain();
    });
    // Workers that are copies of this program share objects with it; the lab's worker program does
    // not.
    const int objectsFd =
        m_config.resultBytesPerWorker != 0 ? runtime::ObjectSpace::instance().descriptor() : -1;
    if (objectsFd >= 0)
        poolHeader().parentSharer = runtime::ObjectSpace::instance().tryTakeSelf();
    m_group = std::make_unique<ProcessGroup>(
        ProcessGroup::Config{m_config.workerProgram, m_config.startMethod, m_segment.fd(),
                             m_config.input ? m_config.input->fd() : -1, m_eventFd, objectsFd},
        *m_header);
    connect(m_group.get(), &ProcessGroup::started, this, &WorkerPool::handleStarted);
    connect(m_group.get(), &ProcessGroup::exited, this, &WorkerPool::handleExit);
    connect(m_group.get(), &ProcessGroup::startFailed, this, &WorkerPool::handleStartFailure);
    if (const auto opened = m_group->open(); !opened)
        return opened;
    m_state = State::Open;
    m_watch.start(watchMs);
    if (m_config.onDemand) {
        m_isReady = true;
        openGate();
        return {};
    }
    replaceWorkers();
    return {};
}

qint64 WorkerPool::openGate()
{
    const qint64 now = runtime::nowNs();
    m_header->gateNs.store(now, std::memory_order_relaxed);
    m_header->gate.store(1, std::memory_order_release);
    runtime::futexWake(m_header->gate, INT_MAX);
    arm();
    return now;
}

void WorkerPool::close()
{
    if (m_state == State::Open)
        m_state = State::Closing;
    endIfDone();
}

void WorkerPool::terminateBy(int signal)
{
    if (m_state == State::New || m_state == State::Closed || m_state == State::Terminating)
        return;
    {
        const std::lock_guard lock(m_mutex);
        drainLocked(); // What was finished in time counts.
        m_state = State::Terminating;
    }
    m_group->signalAll(signal);
    if (signal != SIGKILL)
        QTimer::singleShot(terminateGraceMs, this, [this] { m_group->killAll(); });
    endIfDone();
}

quint64 WorkerPool::queuedChunks() const
{
    return ring().size();
}

QList<quint32> WorkerPool::nextTasks(int most) const
{
    QList<quint32> next;
    const std::lock_guard lock(m_mutex);
    for (quint64 i = 0; next.size() < most; ++i) {
        const auto number = ring().peek(i);
        if (!number)
            break;
        const TaskDescriptor &waiting = task(*number);
        if (TaskWord::state(waiting.word.load(std::memory_order_acquire)) == TaskState::Ready)
            next.append(static_cast<quint32>(waiting.first +
                                             waiting.progress.load(std::memory_order_relaxed)));
    }
    return next;
}

// ---- workers

void WorkerPool::startWorker(quint32 slot, int replaces)
{
    setUpSlot(slot);
    m_timedOut[slot] = -1;
    m_standstill[slot] = {};
    // The worker gets its number once its process exists; until then the slot keeps the number of
    // the worker that it replaces.
    m_workerOf[slot].store(-2 - replaces, std::memory_order_release);
    ++m_present;
    m_group->start(slot, {runtime::Role::PoolWorker, slot, 0});
}

/// On demand: starts workers until there is one for each chunk under way, or all that there may be.
void WorkerPool::addWorkers()
{
    m_isAddWanted = false; // Before the chunks are counted: a later chunk asks again.
    if (m_state != State::Open && m_state != State::Closing)
        return;
    quint64 wanted = 0;
    {
        const std::lock_guard lock(m_mutex);
        wanted = std::min(m_underWay, static_cast<quint64>(m_wanted));
    }
    for (quint32 slot = 0; m_present < wanted && slot < quint32(m_slotCount); ++slot) {
        if (!m_group->isAlive(slot))
            startWorker(slot, -1);
    }
}

/// Starts those that are missing.
void WorkerPool::replaceWorkers()
{
    for (quint32 slot = 0; lacksWorkers() && slot < quint32(m_slotCount); ++slot) {
        if (!m_group->isAlive(slot))
            startWorker(slot, -1);
    }
}

void WorkerPool::resize(int workers)
{
    Q_ASSERT(workers >= 1 && workers <= m_slotCount);
    if (m_state != State::Open)
        return;
    m_wanted = workers;
    dismissSurplusWorkers();
    if (m_config.onDemand)
        addWorkers();
    else
        replaceWorkers();
}

/// Asks surplus workers to leave, idle ones first. One that was asked before and is still there may
/// stay if it is wanted again.
void WorkerPool::dismissSurplusWorkers()
{
    std::vector<quint32> slots;
    for (quint32 slot = m_usedSlots; slot-- > 0;) {
        if (m_group->isAlive(slot))
            slots.push_back(slot);
    }
    std::ranges::stable_partition(slots, [this](quint32 slot) {
        return m_header->slot(slot).isIdle.load(std::memory_order_relaxed) != 0;
    });
    const auto wanted = static_cast<std::size_t>(m_wanted);
    const std::size_t tooMany = slots.size() - std::min(slots.size(), wanted);
    for (std::size_t i = 0; i < slots.size(); ++i)
        m_header->slot(slots[i]).leave.store(i < tooMany ? 1 : 0, std::memory_order_relaxed);
    poolHeader().idle.wakeAll(m_header->parkOf());
}

void WorkerPool::handleStarted(quint32 slot, qint64 pid)
{
    const int replaces = -2 - m_workerOf[slot].load(std::memory_order_relaxed);
    m_workerOf[slot].store(++m_lastWorker, std::memory_order_release);
    Q_EMIT workerStarted(m_lastWorker, pid, replaces);
    drain(); // It may have finished tasks before it was told of.
    checkReady();
}

void WorkerPool::checkReady()
{
    if (m_isReady || m_state == State::Terminating)
        return;
    for (int slot = 0; slot < m_config.workers; ++slot) {
        const auto phase =
            m_header->slot(static_cast<quint32>(slot)).phase.load(std::memory_order_acquire);
        if (phase != runtime::Phase::Ready || workerIn(static_cast<quint32>(slot)) < 0)
            return;
    }
    m_isReady = true;
    Q_EMIT ready();
}

void WorkerPool::handleExit(quint32 slot, const ChildExit &exit)
{
    const int worker = workerIn(slot);
    --m_present;
    runtime::ProcessSlot &place = m_header->slot(slot);
    const bool wasReady = place.phase.load(std::memory_order_acquire) >= runtime::Phase::Ready;
    const bool isRecycled = place.recycled.load(std::memory_order_acquire) != 0;
    bool byPool = isRecycled || m_state == State::Terminating || m_timedOut[slot] >= 0;
    bool hasWork = false;
    std::optional<quint64> retried;
    {
        const std::lock_guard lock(m_mutex);
        recoverLocked(slot, worker, exit);
        hasWork = m_underWay != 0;
        retried = std::exchange(m_taskToRetry, std::nullopt);
    }
    const bool mayLeave = !hasWork && m_state == State::Closing;
    byPool = byPool || (mayLeave && (m_isOverdue || (exit.signal == 0 && exit.exitCode == 0)));
    poolHeader().idle.forgetSearches();
    poolHeader().idle.wakeAll(m_header->parkOf());
    Q_EMIT workerEnded(worker, exit, byPool, place.done());
    if (retried)
        Q_EMIT taskRetried(*retried, worker, place.currentSinceNs.load(std::memory_order_relaxed));
    const bool isRefusal = exit.exitCode == runtime::refusedExitCode && !wasReady;
    const bool hasNoInitializer = exit.exitCode == runtime::initializerExitCode &&
                                  exit.signal == 0 && place.failure.size != 0;
    // Before the reports: their receivers find the pool broken already.
    if (m_config.onCrash == OnCrash::Break && !byPool && !isRefusal && !hasNoInitializer)
        breakDown(deathOf(worker, exit, place.ownSignal.load(std::memory_order_acquire)));
    flushReports();
    const bool isHopeless = m_startDeaths.noteEnd(exit, wasReady, m_wanted, runtime::nowNs());
    if (isRefusal)
        breakDown({ErrorCode::ProcessFailed,
                   m_config.workerProgram,
                   ErrorText::tr("it is of another build than this program"),
                   {},
                   0});
    else if (hasNoInitializer)
        breakDown(initializerError(slot));
    else if (isHopeless)
        breakDown({ErrorCode::BrokenPool,
                   m_config.workerProgram,
                   ErrorText::tr("workers end before they are ready"),
                   {},
                   0});
    else if (m_config.onDemand)
        addWorkers();
    else if (lacksWorkers() && (m_state == State::Open || (m_state == State::Closing && hasWork)))
        startWorker(slot, worker);
    checkReady();
    endIfDone();
}

/// What the initializer threw in the worker that was in @p slot.
Error WorkerPool::initializerError(quint32 slot)
{
    QString text;
    try {
        const auto thrown =
            decodePayload<runtime::RemoteException>(takeExtent(m_header->slot(slot).failure, slot));
        text = QString::fromStdString(thrown.type + ": " + thrown.message);
    } catch (const std::exception &) {
        text = ErrorText::tr("unknown exception");
    }
    Error error;
    error.code = ErrorCode::BrokenPool;
    error.found = ErrorText::tr("the initializer failed (%1)").arg(text);
    if (m_state == State::Open || m_state == State::Closing) // The first of several.
        qWarning("%s", qUtf8Printable(errorText(error)));
    return error;
}

void WorkerPool::handleStartFailure(quint32 slot, const Error &error)
{
    const int replaces = -2 - m_workerOf[slot].exchange(-1, std::memory_order_acq_rel);
    --m_present;
    if (m_state == State::Terminating || m_state == State::Closed) {
        endIfDone();
        return;
    }
    if (!m_isReady || m_group->childCount() == 0) {
        breakDown(error);
        return;
    }
    Q_EMIT workerMissing(error);
    QTimer::singleShot(restartMs, this, [this, slot, replaces] {
        if (m_config.onDemand)
            addWorkers();
        else if ((m_state == State::Open || m_state == State::Closing) && lacksWorkers() &&
                 !m_group->isAlive(slot))
            startWorker(slot, replaces);
    });
}

void WorkerPool::breakDown(const Error &error)
{
    if (m_state == State::Terminating || m_state == State::Closed)
        return;
    m_restStatus = TaskReport::Status::Lost;
    Q_EMIT broken(error);
    terminate();
}

void WorkerPool::endIfDone()
{
    if (m_state != State::Closing && m_state != State::Terminating)
        return;
    if (m_state == State::Closing) {
        const std::lock_guard lock(m_mutex);
        if (m_underWay != 0)
            return;
        m_header->closing.store(1, std::memory_order_release);
        if (m_leaveByNs == 0)
            m_leaveByNs = runtime::nowNs() + leaveGraceNs;
    }
    poolHeader().idle.wakeAll(m_header->parkOf());
    if (m_group->childCount() > 0)
        return;
    if (m_state == State::Terminating)
        reportRest();
    m_state = State::Closed;
    m_watch.stop();
    m_wakeUps->setEnabled(false);
    Q_EMIT closed();
}

/// Kills workers whose task overruns its limit or that do not leave, and reports what long chunks
/// have finished so far.
void WorkerPool::watchTasks()
{
    const qint64 now = runtime::nowNs();
    const qint64 limit = std::chrono::nanoseconds(m_config.taskTimeout).count();
    if (m_leaveByNs != 0 && now > m_leaveByNs && !m_isOverdue) {
        m_isOverdue = true; // Perhaps it was stopped by a signal.
        m_group->killAll();
    }
    for (quint32 slot = 0; slot < m_usedSlots; ++slot) {
        const runtime::ProcessSlot &place = m_header->slot(slot);
        if (workerIn(slot) < 0)
            continue;
        if (!place.hasItem()) {
            if (limit > 0 && standsBetweenTasks(slot, now, limit))
                m_group->kill(slot); // Its chunk goes back to the queue.
            continue;
        }
        const quint64 index = place.current.load(std::memory_order_relaxed);
        if (limit > 0 && m_timedOut[slot] < 0 &&
            now - place.currentSinceNs.load(std::memory_order_relaxed) > limit) {
            m_timedOut[slot] = static_cast<qint64>(index);
            m_group->kill(slot);
        }
        if (m_config.tasksPerChunk == 1)
            continue;
        const std::lock_guard lock(m_mutex);
        const quint32 number = place.chunk.load(std::memory_order_acquire);
        const quint64 word = task(number).word.load(std::memory_order_acquire);
        const quint32 finished = task(number).progress.load(std::memory_order_acquire);
        // What it finished before comes first: results are given back in the order of their making.
        drainSlotLocked(slot);
        if (TaskWord::state(word) == TaskState::Running && TaskWord::owner(word) == slot &&
            task(number).word.load(std::memory_order_acquire) == word)
            reportFinishedLocked(number, finished, workerIn(slot));
    }
    // The worker that should take them may be stopped.
    const quint64 taken = ring().taken();
    if (std::exchange(m_takenChunks, taken) == taken)
        poolHeader().idle.wake(static_cast<quint32>(ring().size()), m_header->parkOf());
    // Also what others have finished: a worker that is stopped after it has taken the mark that the
    // parent sleeps, and before it wakes it, must not keep theirs.
    drain();
}

/// Whether the worker in @p slot has done nothing for @p limit though it waits for nothing: it was
/// stopped after it claimed a chunk and before it began.
bool WorkerPool::standsBetweenTasks(quint32 slot, qint64 now, qint64 limit)
{
    const runtime::ProcessSlot &place = m_header->slot(slot);
    Standstill &seen = m_standstill[slot];
    const quint64 progress = place.progress.load(std::memory_order_acquire);
    const bool waits = place.phase.load(std::memory_order_acquire) != runtime::Phase::Working ||
                       place.isIdle.load(std::memory_order_relaxed) != 0;
    if (waits || seen.progress != progress || seen.sinceNs == 0)
        seen = {progress, waits ? 0 : now};
    return seen.sinceNs != 0 && now - seen.sinceNs > limit;
}

} // namespace proclab
