// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/ipc/bounded_queue.h"
#include "core/runtime/task/worker_process.h"
#include "core/runtime/trace/trace_ring.h"

#include <cstring>
#include <string_view>
#include <vector>

namespace proclab::runtime {

namespace {

constexpr std::uint32_t noWorkload = ~std::uint32_t{0};

/// The first byte of the filled item @p index of producer @p producer; the k-th is k more, modulo
/// 256.
std::uint8_t firstByte(std::uint64_t producer, std::uint64_t index)
{
    return static_cast<std::uint8_t>(producer * 31 + index * 7);
}

/// What producers and consumers have in common: the queue, the trace, the work on an item.
class PipelineProcess
{
protected:
    explicit PipelineProcess(WorkerProcess &process)
        : m_process(process)
        , m_header(process.header())
        , m_pipeline(m_header.part<PipelineHeader>())
        , m_slot(process.slot())
        , m_queue(*m_header.at<BoundedQueue>(m_pipeline.queueOffset))
        , m_trace(m_slot.trace)
        , m_self(process.slotIndex())
    {}

    /// Runs the workload of @p work on an item; false if it threw.
    bool work(const StageWork &work, std::uint64_t index)
    {
        if (work.workload == noWorkload)
            return true;
        TaskValue value;
        const ThreadUsage before = threadUsage();
        const std::int64_t begin = nowNs();
        const bool good =
            m_process.run(work.workload, m_process.input(work.args, 0), index, value, m_text);
        m_slept = threadUsage().sleptSince(before, nowNs() - begin);
        if (!good)
            m_slot.failedItems.fetch_add(1, std::memory_order_relaxed);
        return good;
    }
    [[nodiscard]] TraceKind kind(bool good) const
    {
        return !good ? TraceKind::Failed : m_slept ? TraceKind::Sleeping : TraceKind::Running;
    }
    void noteOperation(std::int64_t now)
    {
        if (m_slot.firstOperationNs.load(std::memory_order_relaxed) == 0)
            m_slot.firstOperationNs.store(now, std::memory_order_relaxed);
        m_slot.lastOperationNs.store(now, std::memory_order_relaxed);
    }
    /// Reading the clock for each of millions of items would cost more than the item: while they
    /// come too fast for bars of their own, one reading stands for 32 of them.
    [[nodiscard]] bool needsClock() { return !m_trace.isCrowded() || ++m_sinceClock >= 32; }
    void trace(TraceKind kind, std::uint64_t index)
    {
        ++m_untimed;
        if (!needsClock())
            return;
        const std::int64_t now = nowNs();
        // Of a producer the first of them; those of a consumer follow no order.
        const std::uint64_t first = index + 1 > m_untimed ? index + 1 - m_untimed : 0;
        m_trace.add(kind, static_cast<std::uint32_t>(first), m_nowNs, now, m_untimed);
        m_untimed = 0;
        m_sinceClock = 0;
        m_nowNs = now;
        noteOperation(now);
    }
    /// Waits in @p set until @p ready; counts the time in @p waited. False: the run is over.
    template<typename Ready>
    bool waitFor(WaitSet &set, WaitKind waitKind, TraceKind traceKind, std::uint64_t index,
                 std::atomic<std::int64_t> &waited, Ready ready)
    {
        const std::int64_t before = nowNs();
        m_slot.beginWait(waitKind, before);
        const bool found =
            waitIn(set, m_self, m_header.parkOf(), ready, [this] { return m_process.goesOn(); });
        const std::int64_t after = nowNs();
        m_slot.endWait();
        waited.store(waited.load(std::memory_order_relaxed) + (after - before),
                     std::memory_order_relaxed);
        if (after - before > 2'000)
            m_trace.add(traceKind, static_cast<std::uint32_t>(index), before, after);
        m_nowNs = after;
        return found;
    }

    WorkerProcess &m_process;
    RunHeader &m_header;
    PipelineHeader &m_pipeline;
    ProcessSlot &m_slot;
    BoundedQueue &m_queue;
    TraceWriter m_trace;
    std::uint32_t m_self;
    std::int64_t m_nowNs = nowNs(); ///< The last reading of the clock.
    std::uint32_t m_untimed = 0;
    std::uint32_t m_sinceClock = 0;
    bool m_slept = false;
    std::string m_text;
};

class Producer : PipelineProcess
{
public:
    explicit Producer(WorkerProcess &process) : PipelineProcess(process) {}

    void run()
    {
        for (std::uint64_t index = m_slot.firstItem; index < m_pipeline.itemsPerProducer; ++index) {
            if (m_pipeline.textCount != 0 && number(index) >= m_pipeline.textCount)
                return;
            m_slot.begin(index, m_nowNs);
            if (!work(m_pipeline.produce, number(index))) {
                m_slot.drop();
                trace(TraceKind::Failed, index);
                continue;
            }
            if (!put(index))
                return;
            m_slot.finish();
            m_slot.putPosition.store(0, std::memory_order_relaxed);
            trace(kind(true), index);
        }
    }

private:
    /// The item's number among those of all producers.
    [[nodiscard]] std::uint64_t number(std::uint64_t index) const
    {
        return index * m_pipeline.producers + m_slot.ordinal;
    }

    bool put(std::uint64_t index)
    {
        BoundedQueue::Slot place = m_queue.claim(m_self);
        while (!place) {
            if (!waitFor(m_queue.producersWaiting, WaitKind::QueueFull, TraceKind::BlockedOnFull,
                         index, m_slot.waitedNs, [this] { return m_queue.hasRoom(); }))
                return false;
            place = m_queue.claim(m_self);
        }
        m_slot.putPosition.store(place.position + 1, std::memory_order_release);
        QueueItem item;
        item.producer = m_self;
        item.index = index;
        item.putNs = m_nowNs;
        item.bytes = fill(place.cell->payload(), index);
        m_queue.publish(place, item);
        m_queue.consumersWaiting.wake(1, m_header.parkOf());
        const std::uint64_t depth = m_queue.size();
        if (depth > m_slot.maxDepth.load(std::memory_order_relaxed))
            m_slot.maxDepth.store(depth, std::memory_order_relaxed);
        return true;
    }

    std::uint32_t fill(std::byte *payload, std::uint64_t index)
    {
        if (m_pipeline.textCount != 0)
            return copyText(payload, number(index));
        std::uint8_t value = firstByte(m_slot.ordinal, index);
        auto *bytes = reinterpret_cast<std::uint8_t *>(payload);
        for (std::uint32_t i = 0; i < m_pipeline.itemBytes; ++i)
            bytes[i] = static_cast<std::uint8_t>(value + i);
        return m_pipeline.itemBytes;
    }
    std::uint32_t copyText(std::byte *payload, std::uint64_t number)
    {
        const Segment &input = m_process.inputSegment();
        const auto *offsets = input.at<std::uint64_t>(m_pipeline.textsOffset);
        const auto size = static_cast<std::uint32_t>(offsets[number + 1] - offsets[number]);
        std::memcpy(payload, input.data() + offsets[number], size);
        return size;
    }
};

class Consumer : PipelineProcess
{
public:
    explicit Consumer(WorkerProcess &process)
        : PipelineProcess(process)
        , m_item(m_pipeline.itemBytes)
    {}

    void run()
    {
        for (;;) {
            QueueItem item;
            BoundedQueue::Slot place = m_queue.take(m_self, item);
            while (!place) {
                if (!waitFor(m_queue.consumersWaiting, WaitKind::QueueEmpty,
                             TraceKind::WaitingOnEmpty, 0, m_slot.waitedEmptyNs,
                             [this] { return m_queue.hasItem(); }))
                    return;
                place = m_queue.take(m_self, item);
            }
            if (item.isEnd) {
                m_slot.gotEnd.store(1, std::memory_order_release);
                release(place);
                return;
            }
            // Known to be in hand before the place is free: a death in between loses just this
            // item.
            m_slot.begin(std::uint64_t{item.producer} << 40 | item.index, m_nowNs);
            std::memcpy(m_item.data(), place.cell->payload(), item.bytes);
            release(place);
            const bool good = isIntact(item) && work(m_pipeline.consume, item.index);
            if (good)
                m_slot.finish();
            else
                m_slot.drop();
            trace(kind(good), item.index);
        }
    }

private:
    void release(const BoundedQueue::Slot &place)
    {
        m_queue.release(place);
        m_queue.producersWaiting.wake(1, m_header.parkOf());
    }

    bool isIntact(const QueueItem &item)
    {
        if (m_pipeline.textCount != 0)
            return true;
        const std::uint8_t value = firstByte(m_header.slot(item.producer).ordinal, item.index);
        const auto *bytes = reinterpret_cast<const std::uint8_t *>(m_item.data());
        std::uint8_t difference = 0;
        for (std::uint32_t i = 0; i < item.bytes; ++i)
            difference |=
                static_cast<std::uint8_t>(bytes[i] ^ static_cast<std::uint8_t>(value + i));
        if (difference != 0 || item.bytes != m_pipeline.itemBytes) {
            m_slot.failedItems.fetch_add(1, std::memory_order_relaxed);
            return false;
        }
        return true;
    }

    std::vector<std::byte> m_item;
};

} // namespace

void runProducer(WorkerProcess &process)
{
    Producer(process).run();
}

void runConsumer(WorkerProcess &process)
{
    Consumer(process).run();
}

} // namespace proclab::runtime
