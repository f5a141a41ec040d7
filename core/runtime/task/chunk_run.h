// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/runtime/clock.h"
#include "core/runtime/kill_point.h"
#include "core/runtime/task/run_header.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace proclab::runtime {

/// A chunk of calls that a worker has taken, for the loop of a registered task that runs them all,
/// at the cost of one indirect call. It notes the progress of each call, so that a death costs one
/// call only.
///
///     while (chunk.begin())
///         try { …chunk.arguments()… chunk.result()… chunk.succeed(); } catch (...) { chunk.fail();
///         }
///
/// Threads: the worker's only one.
class ChunkRun
{
public:
    /// For the calls of @p task from its progress up to, without, @p end. Its PackedResults are at
    /// @p packed, which is not used for a single call.
    ChunkRun(TaskDescriptor &task, ProcessSlot &slot, std::uint32_t end, std::byte *packed,
             bool timesTasks)
        : m_task(task)
        , m_slot(slot)
        , m_position(task.progress.load(std::memory_order_relaxed))
        , m_end(end)
        , m_failed(task.count == 1 ? &task.hasFailed : reinterpret_cast<std::uint8_t *>(packed))
        , m_results(task.count == 1 ? task.result.data() : packed + task.count)
        , m_timesTasks(timesTasks)
        , m_sinceNs(nowNs())
    {}
    virtual ~ChunkRun() = default;
    ChunkRun(const ChunkRun &) = delete;
    ChunkRun &operator=(const ChunkRun &) = delete;

    /// Begins the next call; false if there is none.
    bool begin()
    {
        if (m_position >= m_end)
            return false;
        if (m_timesTasks)
            m_sinceNs = nowNs();
        m_slot.begin(m_task.first + m_position, m_sinceNs);
        PROCLAB_KILL_POINT("loop.before");
        return true;
    }
    [[nodiscard]] std::span<const std::byte> arguments() const
    {
        return m_stride == 0
                   ? argumentsOf(m_position)
                   : std::span(m_arguments + std::size_t{m_position} * m_stride, m_stride);
    }
    /// Where resultBytes() bytes go.
    [[nodiscard]] std::byte *result() const
    {
        return m_results + std::size_t{m_position} * m_task.resultBytes;
    }
    [[nodiscard]] std::size_t resultBytes() const { return m_task.resultBytes; }
    /// To be called when the result is written.
    void succeed() { finish(false); }
    /// To be called in a catch block.
    void fail()
    {
        tellFailure(m_position);
        finish(true);
    }

protected:
    [[nodiscard]] virtual std::span<const std::byte> argumentsOf(std::uint32_t position) const = 0;
    /// Writes the outcome of a call that threw the current exception.
    virtual void tellFailure(std::uint32_t position) = 0;

    /// The arguments of each call are @p stride bytes, in a row from @p begin on.
    void setArguments(const std::byte *begin, std::size_t stride)
    {
        m_arguments = begin;
        m_stride = stride;
    }

private:
    void finish(bool hasFailed)
    {
        PROCLAB_KILL_POINT("loop.returned");
        m_failed[m_position] = hasFailed ? 1 : 0;
        PROCLAB_KILL_POINT("loop.marked");
        m_task.progress.store(++m_position, std::memory_order_release);
        PROCLAB_KILL_POINT("loop.progress-noted");
        m_slot.finish();
    }

    TaskDescriptor &m_task;
    ProcessSlot &m_slot;
    std::uint32_t m_position;
    const std::uint32_t m_end;
    std::uint8_t *const m_failed;
    std::byte *const m_results;
    const std::byte *m_arguments = nullptr;
    std::size_t m_stride = 0; ///< 0: by argumentsOf().
    const bool m_timesTasks;
    std::int64_t m_sinceNs;
};

} // namespace proclab::runtime
