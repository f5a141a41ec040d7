// SPDX-License-Identifier: GPL-3.0-or-later

// What becomes of tasks whose worker is gone; worker_pool_tasks.cpp has those that go well.

#include "core/pool/worker_pool.h"

#include "core/runtime/memory/result_arena.h"

#include <csignal>

namespace proclab {

using runtime::TaskDescriptor;
using runtime::TaskState;
using runtime::TaskWord;

namespace {

constexpr int maxAttempts = 2;

TaskReport::Cause causeOf(const ChildExit &exit, int ownSignal)
{
    if (exit.signal == 0)
        return TaskReport::Cause::Exit;
    return ownSignal == exit.signal ? TaskReport::Cause::Signal : TaskReport::Cause::Lost;
}

} // namespace

/// The process of @p slot is gone. What it finished counts, its current task gets a verdict, and
/// the rest goes back into the queue.
void WorkerPool::recoverLocked(quint32 slot, int worker, const ChildExit &exit)
{
    drainSlotLocked(slot);
    for (quint32 number = 0; number < m_config.chunks; ++number) {
        const quint64 word = task(number).word.load(std::memory_order_acquire);
        if (TaskWord::owner(word) != slot)
            continue;
        if (TaskWord::state(word) == TaskState::Done)
            collectLocked(number); // It died before it could say so.
        else if (TaskWord::state(word) == TaskState::Running)
            recoverChunkLocked(number, slot, worker, exit);
    }
    m_header->at<runtime::ResultArena>(poolHeader().arenasOffset)[slot].reset();
}

void WorkerPool::recoverChunkLocked(quint32 number, quint32 slot, int worker, const ChildExit &exit)
{
    TaskDescriptor &chunk = task(number);
    const runtime::ProcessSlot &place = m_header->slot(slot);
    quint32 finished = chunk.progress.load(std::memory_order_acquire);
    reportFinishedLocked(number, finished, worker);
    const quint64 index = chunk.first + finished;
    if (finished < chunk.count && place.hasItem() &&
        place.current.load(std::memory_order_relaxed) == index) {
        discardResult(number, finished);
        TaskReport report;
        report.index = index;
        report.worker = worker;
        report.attempts = m_chunks[number].attempts;
        report.startedNs = place.currentSinceNs.load(std::memory_order_relaxed);
        report.finishedNs = runtime::nowNs();
        report.cause = causeOf(exit, place.ownSignal.load(std::memory_order_acquire));
        report.status = TaskReport::Status::Failed;
        report.code = exit.signal != 0 ? exit.signal : exit.exitCode;
        if (exit.blackBox)
            report.message = lastWords(*exit.blackBox).toStdString();
        const bool wasTimedOut = m_timedOut[slot] >= 0 && exit.signal == SIGKILL;
        bool isJudged = true;
        if (m_state == State::Terminating) {
            report.status = m_restStatus;
            report.cause = restCause();
            report.code = 0;
        } else if (wasTimedOut && m_timedOut[slot] == static_cast<qint64>(index)) {
            report.cause = TaskReport::Cause::Timeout;
        } else if (wasTimedOut) {
            isJudged = false; // The kill was meant for the task before: this one is not to blame.
        } else if (m_config.onCrash == OnCrash::Retry && report.attempts < maxAttempts) {
            ++m_chunks[number].attempts;
            m_retried.fetch_add(1, std::memory_order_relaxed);
            m_taskToRetry = index;
            isJudged = false;
        } else if (report.cause == TaskReport::Cause::Lost) {
            report.status = TaskReport::Status::Lost;
        }
        if (isJudged) {
            deliverLocked(number, std::move(report));
            m_chunks[number].attempts = 1;
            m_chunks[number].reported = ++finished;
            chunk.progress.store(finished, std::memory_order_relaxed);
        }
    }
    const bool isRetry = m_chunks[number].attempts > 1;
    chunk.flags = static_cast<quint8>((chunk.flags & ~TaskDescriptor::isRetry) |
                                      (isRetry ? TaskDescriptor::isRetry : 0));
    if (finished == chunk.count)
        freeLocked(number);
    else
        requeueLocked(number);
}

/// Frees the result that a worker wrote just before it died, of a task that does not count as done.
void WorkerPool::discardResult(quint32 number, quint32 position) const
{
    const quint64 place = quint64{number} * m_config.tasksPerChunk + position;
    const runtime::TaskValue &value =
        m_header->at<runtime::TaskOutcome>(poolHeader().outcomesOffset)[place].value;
    if (value.type == runtime::TaskValue::Type::Parcel)
        (void)takeParcel(value.parcel);
}

/// No worker is left: whatever is not finished never will be.
void WorkerPool::reportRest()
{
    {
        const std::lock_guard lock(m_mutex);
        drainLocked();
        for (quint32 number = 0; number < m_config.chunks; ++number) {
            const quint64 word = task(number).word.load(std::memory_order_acquire);
            if (TaskWord::state(word) == TaskState::Ready ||
                TaskWord::state(word) == TaskState::Running)
                giveUpLocked(number);
            else if (TaskWord::state(word) == TaskState::Withdrawn)
                freeLocked(number);
        }
    }
    flushReports();
}

void WorkerPool::giveUpLocked(quint32 number)
{
    const TaskDescriptor &chunk = task(number);
    reportFinishedLocked(number, chunk.progress.load(std::memory_order_acquire), -1);
    ChunkState &state = m_chunks[number];
    for (; state.reported < chunk.count; ++state.reported) {
        TaskReport report;
        report.index = chunk.first + state.reported;
        report.status = m_restStatus;
        report.cause = restCause();
        report.finishedNs = runtime::nowNs();
        deliverLocked(number, std::move(report));
    }
    freeLocked(number);
}

TaskReport::Cause WorkerPool::restCause() const
{
    return m_restStatus == TaskReport::Status::Lost ? TaskReport::Cause::Lost
                                                    : TaskReport::Cause::Cancelled;
}

} // namespace proclab
