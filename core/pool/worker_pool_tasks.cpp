// SPDX-License-Identifier: GPL-3.0-or-later

// How tasks go into the pool and come out of it; worker_pool.cpp has the workers.

#include "core/pool/worker_pool.h"

#include "core/runtime/memory/result_arena.h"

#include <algorithm>
#include <csignal>
#include <cstring>

#include <sched.h>

namespace proclab {

using runtime::TaskDescriptor;
using runtime::TaskState;
using runtime::TaskWord;

namespace {

/// Somebody in apply().
class WaitingCaller final : public ReportSink
{
public:
    void report(TaskReport &&task) override
    {
        result = std::move(task);
        const std::lock_guard lock(m_mutex);
        m_isDone.store(true, std::memory_order_release);
        m_done.notify_one();
    }
    [[nodiscard]] bool isDone() const { return m_isDone.load(std::memory_order_acquire); }
    void wait()
    {
        std::unique_lock lock(m_mutex);
        m_done.wait(lock, [this] { return isDone(); });
    }

    TaskReport result; ///< Once isDone().

private:
    std::atomic<bool> m_isDone{false};
    std::mutex m_mutex;
    std::condition_variable m_done;
};

constexpr qint64 applySpinNs = 60'000;
/// A sleeping worker is often woken on the waker's core, where a spinning waiter would keep it from
/// running. For this long after a wake-up, waiters yield after some quick looks. At other times
/// they do not, for two that share a core and yield to each other would stay there.
constexpr qint64 wakeNs = 200'000;
constexpr int hotRounds = 8;
/// About how many reports are handed out before more are collected, while they are still in the
/// core's cache.
constexpr std::size_t reportsAtATime = 4'096;

/// The position of the first mark of a failure from @p begin on; @p end: there is none.
quint32 firstFailed(const std::uint8_t *failed, quint32 begin, quint32 end)
{
    if (end - begin == 1)
        return failed[begin] == 1 ? begin : end;
    const void *found = std::memchr(failed + begin, 1, end - begin);
    return found ? static_cast<quint32>(static_cast<const std::uint8_t *>(found) - failed) : end;
}

} // namespace

void ReportSink::storePacked(quint64, quint32, const std::byte *)
{
    Q_UNREACHABLE();
}

void ReportSink::reportPacked(quint64, quint32)
{
    Q_UNREACHABLE();
}

// ---- submitting, from any thread

std::optional<ChunkTicket> WorkerPool::submit(const TaskChunk &chunk,
                                              std::shared_ptr<ReportSink> sink)
{
    const auto ticket = submitQuietly(chunk, std::move(sink));
    if (ticket)
        wake();
    return ticket;
}

std::optional<ChunkTicket> WorkerPool::submitQuietly(const TaskChunk &chunk,
                                                     std::shared_ptr<ReportSink> sink)
{
    const std::lock_guard lock(m_mutex);
    return submitLocked(chunk, std::move(sink));
}

void WorkerPool::wake()
{
    if (poolHeader().idle.wakeFor(ring().size(), m_header->parkOf()))
        m_wokenNs.store(runtime::nowNs(), std::memory_order_relaxed);
}

std::optional<ChunkTicket> WorkerPool::submitLocked(const TaskChunk &chunk,
                                                    std::shared_ptr<ReportSink> sink)
{
    Q_ASSERT(chunk.count >= 1 && chunk.count <= m_config.tasksPerChunk);
    if (m_free.empty() || m_state == State::Terminating || m_state == State::Closed)
        return std::nullopt;
    const quint32 number = m_free.back();
    m_free.pop_back();
    ++m_underWay;
    // Reports of packed results carry no times.
    m_chunks[number] = {chunk.packedBytes ? 0 : runtime::nowNs(), 0, 1, false, std::move(sink)};
    TaskDescriptor &added = task(number);
    added.progress.store(0, std::memory_order_relaxed);
    added.count = chunk.count;
    added.first = chunk.first;
    added.args = chunk.args;
    added.workload = chunk.workload;
    added.inlineSize =
        static_cast<quint8>(std::min(chunk.inlineArgs.size(), TaskDescriptor::inlineBytes));
    added.flags = static_cast<quint8>((chunk.hasOwnArguments ? TaskDescriptor::ownArguments : 0) |
                                      (chunk.packedBytes ? TaskDescriptor::packsResults : 0));
    added.resultBytes = chunk.packedBytes.value_or(0);
    if (added.inlineSize != 0)
        std::memcpy(added.inlineArgs.data(), chunk.inlineArgs.data(), added.inlineSize);
    requeueLocked(number);
    if (m_config.onDemand)
        wantWorkerLocked();
    return ChunkTicket{number, TaskWord::generation(added.word.load(std::memory_order_relaxed))};
}

/// Has the engine's thread start workers if there are fewer than chunks for them.
void WorkerPool::wantWorkerLocked()
{
    const quint64 present = m_present.load(std::memory_order_relaxed);
    if (present < m_underWay && present < static_cast<quint64>(m_wanted) &&
        !m_isAddWanted.exchange(true))
        QMetaObject::invokeMethod(this, &WorkerPool::addWorkers, Qt::QueuedConnection);
}

std::optional<WithdrawnChunk> WorkerPool::withdraw(const ChunkTicket &ticket)
{
    const std::lock_guard lock(m_mutex);
    return withdrawLocked(ticket.number, ticket.generation);
}

std::vector<WithdrawnChunk> WorkerPool::withdrawAll()
{
    std::vector<WithdrawnChunk> all;
    const std::lock_guard lock(m_mutex);
    for (quint32 number = 0; number < m_config.chunks; ++number) {
        const quint64 word = task(number).word.load(std::memory_order_acquire);
        if (auto withdrawn = withdrawLocked(number, TaskWord::generation(word)))
            all.push_back(std::move(*withdrawn));
    }
    return all;
}

/// The chunk's place stays taken until a worker reaches it; otherwise a later chunk could take it
/// and overtake others.
std::optional<WithdrawnChunk> WorkerPool::withdrawLocked(quint32 number, quint64 generation)
{
    const quint32 owner = TaskWord::owner(task(number).word.load(std::memory_order_relaxed));
    std::uint64_t ready = TaskWord::make(generation, owner, TaskState::Ready);
    const quint64 withdrawn = TaskWord::make(generation, owner, TaskState::Withdrawn);
    if (!task(number).word.compare_exchange_strong(ready, withdrawn, std::memory_order_acq_rel))
        return std::nullopt;
    ChunkState &state = m_chunks[number];
    state.isWithdrawn = true;
    return WithdrawnChunk{state.sink, task(number).first + state.reported,
                          task(number).count - state.reported};
}

bool WorkerPool::hasStarted(const ChunkTicket &ticket) const
{
    const quint64 word = task(ticket.number).word.load(std::memory_order_acquire);
    return TaskWord::generation(word) != ticket.generation ||
           TaskWord::state(word) == TaskState::Running || TaskWord::state(word) == TaskState::Done;
}

/// Makes a descriptor that is complete ready to be claimed.
void WorkerPool::requeueLocked(quint32 number)
{
    const quint64 word = task(number).word.load(std::memory_order_relaxed);
    task(number).word.store(TaskWord::make(TaskWord::generation(word) + 1, 0, TaskState::Ready),
                            std::memory_order_release);
    if (!m_overflow.empty() || !ring().push(number))
        m_overflow.push_back(number);
}

TaskReport WorkerPool::apply(const TaskChunk &chunk)
{
    const auto caller = std::make_shared<WaitingCaller>();
    if (!submit(chunk, caller)) {
        TaskReport refused;
        refused.index = chunk.first;
        refused.status = TaskReport::Status::Cancelled;
        refused.cause = TaskReport::Cause::Cancelled;
        return refused;
    }
    collectUntil([&caller] { return caller->isDone(); });
    caller->wait();
    return std::move(caller->result);
}

void WorkerPool::collectUntil(const std::function<bool()> &isDone)
{
    // For a short time this thread fetches the result itself, without a detour through the
    // engine's.
    poolHeader().parentArmed.store(0, std::memory_order_relaxed);
    const qint64 spinEnd = runtime::nowNs() + applySpinNs;
    const qint64 yieldEnd = m_wokenNs.load(std::memory_order_relaxed) + wakeNs;
    bool hasOthers = false;
    for (int round = 0; !isDone(); ++round) {
        const qint64 now = runtime::nowNs();
        if (now >= spinEnd)
            break;
        if (round >= hotRounds && now < yieldEnd)
            ::sched_yield();
        for (int i = 0; i < 20; ++i)
            runtime::spinPause();
        std::unique_lock lock(m_mutex, std::try_to_lock);
        if (!lock.owns_lock())
            continue;
        drainLocked();
        hasOthers = hasOthers || !m_reports.empty();
        lock.unlock();
        flushSinkReports();
    }
    arm();
    if (hasOthers)
        QMetaObject::invokeMethod(this, &WorkerPool::drain, Qt::QueuedConnection);
}

// ---- results, under the mutex

void WorkerPool::drain()
{
    {
        const std::lock_guard lock(m_mutex);
        drainLocked(reportsAtATime);
    }
    flushReports();
    endIfDone();
    if (m_state != State::Closed)
        arm(); // What is left is drained next.
}

void WorkerPool::drainLocked(std::size_t mostReports)
{
    const quint32 slots = m_usedSlots.load(std::memory_order_acquire);
    for (quint32 slot = 0; slot < slots; ++slot)
        drainSlotLocked(slot, mostReports / slots);
    while (!m_overflow.empty() && ring().push(m_overflow.back())) {
        m_overflow.pop_back();
        wake();
    }
}

/// Collects what the worker in @p slot has finished, up to the chunk that exceeds @p mostReports;
/// does nothing if that worker has not been announced yet.
void WorkerPool::drainSlotLocked(quint32 slot, std::size_t mostReports)
{
    if (workerIn(slot) < 0)
        return;
    auto &completed = *m_header->at<runtime::CompletionRing>(poolHeader().completionsOffset +
                                                             slot * poolHeader().completionBytes);
    const std::size_t before = m_reports.size();
    while (m_reports.size() - before <= mostReports) {
        const auto number = completed.pop();
        if (!number)
            return;
        collectLocked(*number);
    }
}

/// Asks to be woken by the next completion, and looks once more, since one may have come just
/// before.
void WorkerPool::arm()
{
    poolHeader().parentArmed.store(1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    const quint32 slots = m_usedSlots.load(std::memory_order_acquire);
    for (quint32 slot = 0; slot < slots; ++slot) {
        const auto &completed = *m_header->at<runtime::CompletionRing>(
            poolHeader().completionsOffset + slot * poolHeader().completionBytes);
        if (workerIn(slot) >= 0 && !completed.isEmpty()) {
            QMetaObject::invokeMethod(this, &WorkerPool::drain, Qt::QueuedConnection);
            return;
        }
    }
}

void WorkerPool::collectLocked(quint32 number)
{
    const quint64 word = task(number).word.load(std::memory_order_acquire);
    if (TaskWord::state(word) != TaskState::Done)
        return;
    if (!m_chunks[number].isWithdrawn)
        reportFinishedLocked(number, task(number).count, workerIn(TaskWord::owner(word)));
    freeLocked(number);
}

/// Reports the tasks of a chunk up to, without, @p finished.
void WorkerPool::reportFinishedLocked(quint32 number, quint32 finished, int worker)
{
    if ((task(number).flags & TaskDescriptor::packsResults) != 0) {
        reportPackedLocked(number, finished, worker);
        return;
    }
    while (m_chunks[number].reported < finished)
        reportOutcomeLocked(number, worker);
}

void WorkerPool::reportPackedLocked(quint32 number, quint32 finished, int worker)
{
    const TaskDescriptor &chunk = task(number);
    ChunkState &state = m_chunks[number];
    const auto *packed = m_header->at<std::byte>(
        poolHeader().packedOffset +
        number * runtime::PackedResults::bytes(poolHeader().tasksPerDescriptor));
    const bool isSingle = chunk.count == 1;
    const auto *failed =
        isSingle ? &chunk.hasFailed : reinterpret_cast<const std::uint8_t *>(packed);
    const std::byte *results = isSingle ? chunk.result.data() : packed + chunk.count;
    while (state.reported < finished) {
        const quint32 end = firstFailed(failed, state.reported, finished);
        if (const quint32 count = end - state.reported; count > 0) {
            const quint64 first = chunk.first + state.reported;
            state.sink->storePacked(first, count,
                                    results + std::size_t{state.reported} * chunk.resultBytes);
            m_sinkReports.push_back({.sink = state.sink, .first = first, .packed = count});
            state.reported = end;
            state.attempts = 1;
        } else {
            reportOutcomeLocked(number, worker);
        }
    }
}

/// Reports the next task of a chunk by the outcome that its worker has written.
void WorkerPool::reportOutcomeLocked(quint32 number, int worker)
{
    const TaskDescriptor &chunk = task(number);
    ChunkState &state = m_chunks[number];
    const quint64 place = quint64{number} * m_config.tasksPerChunk + state.reported;
    const runtime::TaskOutcome &outcome =
        m_header->at<runtime::TaskOutcome>(poolHeader().outcomesOffset)[place];
    TaskReport report;
    report.index = chunk.first + state.reported;
    report.worker = worker;
    report.attempts = state.attempts;
    report.startedNs = outcome.startedNs;
    report.finishedNs = outcome.finishedNs;
    report.spent = outcome.spent;
    takeValueLocked(outcome, TaskWord::owner(chunk.word.load(std::memory_order_relaxed)), report);
    if (outcome.error != runtime::OutcomeError::None) {
        report.status = TaskReport::Status::Failed;
        report.cause = TaskReport::Cause::Exception;
        const auto &text = m_header->at<runtime::OutcomeText>(poolHeader().textsOffset)[place];
        report.message.assign(text.data(), std::min<std::size_t>(outcome.textSize, text.size()));
    }
    ++state.reported;
    state.attempts = 1; // An attempt counts for the task at which the chunk went on.
    deliverLocked(number, std::move(report));
}

void WorkerPool::deliverLocked(quint32 number, TaskReport report)
{
    const ChunkState &state = m_chunks[number];
    report.submittedNs = state.submittedNs;
    if (state.sink)
        m_sinkReports.push_back(
            {.sink = state.sink, .report = std::make_unique<TaskReport>(std::move(report))});
    else
        m_reports.push_back(std::move(report));
}

/// A result as it is, or copied out of the worker's arena, in which it then makes room.
void WorkerPool::takeValueLocked(const runtime::TaskOutcome &outcome, quint32 slot,
                                 TaskReport &report)
{
    using Type = runtime::TaskValue::Type;
    if (outcome.value.type == Type::Bytes)
        report.bytes = EncodedBytes(
            std::span(outcome.value.bytes)
                .first(std::min<std::size_t>(outcome.value.size, runtime::TaskValue::inlineBytes)));
    else if (outcome.value.type == Type::Extent)
        report.bytes = takeExtent(outcome.value.extent, slot);
    else if (outcome.value.type == Type::Parcel)
        report.bytes = takeParcel(outcome.value.parcel);
    else
        report.value = outcome.value;
}

std::vector<std::byte> WorkerPool::takeExtent(const runtime::ResultExtent &extent, quint32 slot)
{
    auto &arena = m_header->at<runtime::ResultArena>(poolHeader().arenasOffset)[slot];
    const quint64 offset = arena.offsetOf(extent.position);
    if (extent.size > arena.capacity() - offset)
        return {}; // No extent of this arena: the worker's memory was damaged.
    const quint64 place = poolHeader().resultsOffset + slot * arena.capacity() + offset;
    const auto *begin = m_header->at<std::byte>(place);
    std::vector<std::byte> bytes(begin, begin + extent.size);
    if (extent.size >= runtime::discardedBytes)
        m_segment.discard(place, extent.size);
    arena.giveBack(extent.position, extent.size);
    return bytes;
}

/// As it is: the worker has handed its hold on the parcel over.
EncodedBytes WorkerPool::takeParcel(const runtime::ResultParcel &result)
{
    const auto parcel = runtime::ObjectSpace::instance().attach({result.index, result.generation},
                                                                runtime::ObjectKind::Parcel);
    if (!parcel)
        return {}; // The worker's memory was damaged.
    const std::byte *payload = parcel->body<runtime::ParcelBody>().payload();
    return {std::shared_ptr<const std::byte>(parcel, payload), result.size};
}

quint64 WorkerPool::resultBytes() const
{
    const auto *arenas = m_header->at<runtime::ResultArena>(poolHeader().arenasOffset);
    quint64 bytes = 0;
    for (quint32 slot = 0; slot < m_usedSlots; ++slot)
        bytes += arenas[slot].usedBytes();
    return bytes;
}

void WorkerPool::freeLocked(quint32 number)
{
    const quint64 word = task(number).word.load(std::memory_order_relaxed);
    task(number).word.store(TaskWord::make(TaskWord::generation(word) + 1, 0, TaskState::Free),
                            std::memory_order_release);
    if (auto &sink = m_chunks[number].sink) {
        if (!m_sinkReports.empty() && m_sinkReports.back().sink == sink)
            m_sinkReports.back().isOver = true;
        else
            m_sinkReports.push_back({.sink = std::move(sink), .isOver = true});
        sink.reset();
    }
    m_free.push_back(number);
    --m_underWay;
}

void WorkerPool::flushReports()
{
    std::vector<TaskReport> reports;
    {
        const std::lock_guard lock(m_mutex);
        reports.swap(m_reports);
    }
    if (!reports.empty() && m_handler)
        m_handler(reports);
    if (reports.capacity() <= 4 * reportsAtATime) { // The next ones use the same memory.
        reports.clear();
        const std::lock_guard lock(m_mutex);
        if (m_reports.empty())
            m_reports.swap(reports);
    }
    flushSinkReports();
}

void WorkerPool::flushSinkReports()
{
    std::vector<SinkReport> reports;
    {
        const std::lock_guard lock(m_mutex);
        reports.swap(m_sinkReports);
    }
    for (SinkReport &one : reports) {
        if (one.isOver)
            one.sink->releaseHandles();
        if (one.packed > 0)
            one.sink->reportPacked(one.first, one.packed);
        else if (one.report)
            one.sink->report(std::move(*one.report));
        if (one.isOver) // Last, because giving much memory back takes time.
            one.sink->releaseArguments();
        one.sink.reset();
    }
    if (reports.empty())
        return;
    reports.clear();
    bool hasRoom = false;
    {
        const std::lock_guard lock(m_mutex);
        if (m_sinkReports.capacity() < reports.capacity() && m_sinkReports.empty())
            m_sinkReports.swap(reports); // Memory for those that come next.
        // Only when there is much room: the chunks in the queue last until then.
        hasRoom = m_free.size() >= m_config.chunks / 4;
    }
    if (hasRoom && m_roomHandler)
        m_roomHandler();
}

} // namespace proclab
