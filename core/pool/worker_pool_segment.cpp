// SPDX-License-Identifier: GPL-3.0-or-later

// The memory that a pool shares with its workers.

#include "core/pool/worker_pool.h"

#include "core/runtime/memory/result_arena.h"
#include "core/runtime/task/task_registry.h"
#include "core/runtime/task/worker_process.h"

#include <QThread>

#include <algorithm>
#include <bit>
#include <cerrno>

#include <unistd.h>

namespace proclab {

Result<void> WorkerPool::makeSegment()
{
    using namespace runtime;
    const quint32 chunks = m_config.chunks;
    const quint32 cells = std::bit_ceil(chunks * 2 + static_cast<quint32>(m_slotCount));
    PoolHeader pool = {};
    pool.descriptorCount = chunks;
    pool.tasksPerDescriptor = m_config.tasksPerChunk;
    pool.maxTasksPerWorker = m_config.maxTasksPerWorker;
    pool.completionCapacity = std::bit_ceil(chunks);
    pool.completionBytes = (CompletionRing::bytes(pool.completionCapacity) + 63) / 64 * 64;
    const auto slots = static_cast<std::size_t>(m_slotCount);
    const std::size_t tasks = std::size_t{chunks} * m_config.tasksPerChunk;
    LayoutPlan plan;
    plan.take(sizeof(RunHeader));
    const quint64 slotsOffset = plan.take(slots * sizeof(ProcessSlot));
    const quint64 partOffset = plan.take(sizeof(PoolHeader));
    pool.ringOffset = plan.take(TaskRing::bytes(cells));
    pool.descriptorsOffset = plan.take(chunks * sizeof(TaskDescriptor));
    pool.completionsOffset = plan.take(slots * pool.completionBytes);
    pool.outcomesOffset = plan.take(tasks * sizeof(TaskOutcome));
    pool.textsOffset = plan.take(tasks * sizeof(OutcomeText));
    const bool packs = m_config.resultBytesPerWorker != 0 && m_config.tasksPerChunk > 1;
    pool.packedOffset =
        plan.take(packs ? chunks * PackedResults::bytes(m_config.tasksPerChunk) : 0);
    pool.arenasOffset = plan.take(slots * sizeof(ResultArena));
    pool.resultsOffset = plan.take(slots * m_config.resultBytesPerWorker, pageBytes);

    m_segment = Segment::create("proclab-pool", plan.size());
    if (!m_segment.isValid())
        return osError({}, errno, ErrorText::tr("shared memory of %1 MiB").arg(plan.size() >> 20));
    m_header = m_segment.at<RunHeader>(0);
    m_header->magic = RunHeader::magicNumber;
    m_header->layoutHash = layoutHash();
    m_header->tasksHash = m_config.resultBytesPerWorker != 0 ? registeredTasksHash() : 0;
    m_header->parentPid = ::getpid();
    m_header->nesting = runtime::nestingDepth() + 1;
    m_header->programPid = runtime::programPid();
    m_header->slotCount = static_cast<quint32>(m_slotCount);
    m_header->seed = m_config.seed;
    m_header->slotsOffset = slotsOffset;
    m_header->partOffset = partOffset;
    m_poolHeader = &m_header->part<PoolHeader>();
    m_tasks = m_header->at<TaskDescriptor>(pool.descriptorsOffset);
    m_ring = m_header->at<TaskRing>(pool.ringOffset);
    // The header's atomics are zero already; only plain numbers are written.
    PoolHeader &shared = poolHeader();
    shared.descriptorCount = pool.descriptorCount;
    shared.tasksPerDescriptor = pool.tasksPerDescriptor;
    shared.completionCapacity = pool.completionCapacity;
    shared.maxTasksPerWorker = pool.maxTasksPerWorker;
    shared.timesTasks = m_config.taskTimeout.count() > 0 ? 1 : 0;
    shared.idleLimitNs = std::chrono::nanoseconds(m_config.idleLimit).count();
    shared.ringOffset = pool.ringOffset;
    shared.descriptorsOffset = pool.descriptorsOffset;
    shared.outcomesOffset = pool.outcomesOffset;
    shared.textsOffset = pool.textsOffset;
    shared.packedOffset = pool.packedOffset;
    shared.completionsOffset = pool.completionsOffset;
    shared.completionBytes = pool.completionBytes;
    shared.arenasOffset = pool.arenasOffset;
    shared.resultsOffset = pool.resultsOffset;
    shared.initializer = m_config.initializer;
    shared.initializerArgs = m_config.initializerArgs;
    shared.environment = m_config.environment;
    // The thread that submits has need of a core too.
    shared.idle.setUp(static_cast<quint32>(std::max(QThread::idealThreadCount() - 1, 1)));
    ring().setUp(cells);
    return {};
}

/// Before the first process of @p slot and those below it: one that is never used costs no memory.
void WorkerPool::setUpSlot(quint32 slot)
{
    const runtime::PoolHeader &pool = poolHeader();
    for (quint32 next = m_usedSlots; next <= slot; ++next) {
        m_header->at<runtime::ResultArena>(pool.arenasOffset)[next].setUp(
            m_config.resultBytesPerWorker);
        m_header->at<runtime::CompletionRing>(pool.completionsOffset + next * pool.completionBytes)
            ->setUp(pool.completionCapacity);
        m_usedSlots.store(next + 1, std::memory_order_release);
    }
}

} // namespace proclab
