// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/task/worker_process.h"
#include "core/runtime/trace/trace_ring.h"

namespace proclab::runtime {

namespace {

/// Increments that get a bar of their own, so that one can look at single reads and writes; the
/// rest is summed up.
constexpr std::uint64_t tracedIncrements = 1'000;
constexpr std::uint64_t batch = 256;

class CounterProcess
{
public:
    explicit CounterProcess(WorkerProcess &process)
        : m_process(process)
        , m_header(process.header())
        , m_counter(m_header.part<CounterHeader>())
        , m_slot(process.slot())
        , m_trace(m_slot.trace)
    {}

    void run()
    {
        leaveTogether();
        m_nowNs = nowNs();
        m_slot.firstOperationNs.store(m_nowNs, std::memory_order_relaxed);
        m_slot.begin(0, m_nowNs);
        std::uint64_t i = 0;
        while (i < m_counter.increments) {
            const bool single = i < tracedIncrements;
            const std::uint64_t end = single                             ? i + 1
                                      : i + batch < m_counter.increments ? i + batch
                                                                         : m_counter.increments;
            const std::uint64_t first = i;
            const std::int64_t waited = m_slot.waitedNs.load(std::memory_order_relaxed);
            for (; i < end; ++i) {
                if (!increment(i))
                    return;
            }
            const std::int64_t now = nowNs();
            const auto count = static_cast<std::uint32_t>(i - first);
            if (single)
                m_slot.trace.push(
                    {m_nowNs, now, static_cast<std::uint32_t>(first), 1, TraceKind::Running, 100});
            else
                m_trace.add(TraceKind::Running, static_cast<std::uint32_t>(first), m_nowNs, now,
                            count, m_slot.waitedNs.load(std::memory_order_relaxed) - waited);
            m_nowNs = now;
            m_slot.lastOperationNs.store(now, std::memory_order_relaxed);
            m_slot.progress.store(i * 2 + 1, std::memory_order_release);
        }
        mergeLocal();
        m_slot.lastOperationNs.store(nowNs(), std::memory_order_relaxed);
        m_slot.drop();
    }

private:
    /// The spinning gate: nobody begins before all are there, so that they really run side by side.
    void leaveTogether()
    {
        m_counter.arrivals.fetch_add(1, std::memory_order_acq_rel);
        while (m_counter.arrivals.load(std::memory_order_acquire) < m_counter.processes &&
               m_counter.release.load(std::memory_order_acquire) == 0 && m_process.goesOn()) {
            for (int i = 0; i < 100; ++i)
                spinPause();
            ::sched_yield();
        }
    }

    void gap() const
    {
        if (m_counter.gapNs <= 0)
            return;
        const std::int64_t until = nowNs() + m_counter.gapNs;
        while (nowNs() < until)
            spinPause();
    }

    /// False: the run is over.
    bool increment(std::uint64_t i)
    {
        std::atomic<std::int64_t> &value =
            m_counter.values[m_counter.cells == 1 ? 0 : i % m_counter.cells];
        switch (m_counter.mode) {
        case CounterMode::None:
            readAddWrite(value);
            return true;
        case CounterMode::Lock:
            if (!takeLock())
                return false;
            if (i < tracedIncrements)
                m_nowNs = nowNs(); // The bar is of the time with the lock in hand.
            readAddWrite(value);
            m_counter.lock.unlock();
            return true;
        case CounterMode::Atomic:
            gap();
            value.fetch_add(1, std::memory_order_relaxed);
            return true;
        case CounterMode::Local:
            gap();
            m_local[m_counter.cells == 1 ? 0 : i % m_counter.cells] += 1;
            // The compiler must not turn the loop into one multiplication.
            asm volatile("" ::: "memory");
            return true;
        }
        return false;
    }
    void readAddWrite(std::atomic<std::int64_t> &value) const
    {
        const std::int64_t read = value.load(std::memory_order_relaxed);
        gap();
        value.store(read + 1, std::memory_order_relaxed);
    }

    bool takeLock()
    {
        if (m_counter.lock.tryLock(m_process.slotIndex()))
            return true;
        const std::int64_t before = nowNs();
        m_slot.beginWait(WaitKind::Lock, before);
        const auto outcome =
            m_counter.lock.lock(m_process.slotIndex(), [this] { return m_process.goesOn(); });
        const std::int64_t after = nowNs();
        m_slot.endWait();
        m_slot.waitedNs.store(m_slot.waitedNs.load(std::memory_order_relaxed) + (after - before),
                              std::memory_order_relaxed);
        if (m_slot.done() < tracedIncrements) {
            m_slot.trace.push({before, after, 0, 1, TraceKind::WaitingForLock, 0});
            m_nowNs = after;
        }
        return outcome != SharedLock::Outcome::GivenUp;
    }

    void mergeLocal()
    {
        if (m_counter.mode != CounterMode::Local)
            return;
        for (std::uint32_t i = 0; i < m_counter.cells; ++i)
            m_counter.values[i].fetch_add(m_local[i], std::memory_order_relaxed);
    }

    WorkerProcess &m_process;
    RunHeader &m_header;
    CounterHeader &m_counter;
    ProcessSlot &m_slot;
    TraceWriter m_trace;
    std::int64_t m_nowNs = 0;
    std::int64_t m_local[CounterHeader::arrayLength] = {};
};

} // namespace

void runCounter(WorkerProcess &process)
{
    CounterProcess(process).run();
}

} // namespace proclab::runtime
