// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/pool/calls.h"
#include "core/pool/extent_allocator.h"
#include "core/pool/pool_options.h"
#include "core/pool/task_report.h"
#include "core/runtime/memory/segment.h"
#include "core/runtime/task/fork_count.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

namespace proclab {

class WorkerPool;

/// Where Pool and Executor behave differently.
struct PoolPolicy
{
    OnCrash onCrash = OnCrash::Fail; ///< Unless the options say otherwise.
    bool onDemand = false;           ///< Workers are started when calls need them.
    bool finishes = false; ///< At the program's end it does its calls instead of cancelling them.
};

/// Some calls on their way, and the receiver of their results.
class CallSink : public ReportSink
{
public:
    explicit CallSink(CallChunk &&chunk) : m_chunk(std::move(chunk)) {}
    /// Called when call @p position of the chunk has ended. Any thread, one call at a time.
    virtual void end(quint32 position, Result<EncodedBytes> result) = 0;

    void report(TaskReport &&report) final;
    void storePacked(quint64 first, quint32 count, const std::byte *results) final
    {
        storeResults(static_cast<quint32>(first - m_firstNumber), count, results);
    }
    void reportPacked(quint64 first, quint32 count) final
    {
        reportStored(static_cast<quint32>(first - m_firstNumber), count);
    }
    void releaseHandles() final { m_chunk.objects.clear(); }
    void releaseArguments() final;

protected:
    /// Calls @p position and following have ended with packed results; two steps, see ReportSink.
    virtual void storeResults(quint32 position, quint32 count, const std::byte *results) = 0;
    virtual void reportStored(quint32 position, quint32 count) = 0;
    [[nodiscard]] const CallChunk &chunk() const { return m_chunk; }

private:
    friend class PoolCore;
    enum class Place { New, Waiting, Handed, Withdrawn, GivenUp };

    void endAll(const Error &error)
    {
        for (quint32 i = 0; i < m_chunk.count; ++i)
            end(i, error);
    }

    CallChunk m_chunk; ///< With the arguments until they are in the workers' memory.
    // Set when the chunk is handed to the workers, by the core that does so.
    PoolCore *m_core = nullptr;
    quint64 m_firstNumber = 0; ///< The first call's number among all of the core.
    std::optional<quint64> m_extent;
    ChunkTicket m_ticket;
    Place m_place = Place::New; ///< Guarded by the core's mutex.
};

/// The part of a Pool that knows no types: accepts chunks of calls without a limit, hands them to
/// workers, and reports results and errors to their sinks.
///
/// Threads: any. Its holder keeps it until the workers have ended; see stayUntilEnded().
class PoolCore : public std::enable_shared_from_this<PoolCore>
{
public:
    static constexpr quint32 maxCallsPerChunk = 1024;

    /// If @p initializer fails, calls fail later. InvalidArgument, OsError, InvalidState (no
    /// QCoreApplication, or nested too deep).
    static Result<std::shared_ptr<PoolCore>>
    open(const PoolOptions &options, const PoolPolicy &policy, const InitializerCall &initializer);
    ~PoolCore();

    /// Whether this is the copy of a core in a forked process. Its workers belong to the parent,
    /// and every function gives InvalidState or does nothing.
    [[nodiscard]] bool isOfParent() const { return m_forkCount != runtime::forkCount(); }
    [[nodiscard]] static Error ofParent();
    /// Accepts the calls of @p sink, each sink once. ShutDown after close(), BrokenPool,
    /// EncodeError (more bytes than there can ever be room for); the sink gets no report then.
    Result<void> submit(std::shared_ptr<CallSink> sink);
    /// Cancels the calls of @p sink, which reports that, if no worker has taken them. True if they
    /// are cancelled.
    bool withdraw(CallSink &sink);
    /// Whether a worker has taken the calls of @p sink.
    [[nodiscard]] bool hasStarted(const CallSink &sink) const;
    /// Accepts no more calls; the workers end when the accepted ones are done. With Cancel, also at
    /// a second close(), calls that have not started end as Cancelled.
    void close(PendingCalls pending = PendingCalls::Run);
    /// Ends the workers, by SIGTERM first if @p gently; calls that are not done fail with @p
    /// reason.
    void terminate(const Error &reason, bool gently = false);
    /// The same at once, with the reason Cancelled.
    void terminate();
    /// terminate() and join(), with a warning if nobody has called close() or terminate().
    void end();
    /// Waits for the last worker's end: Timeout. InvalidState before close() or terminate(), and in
    /// the engine's thread, which would wait for itself.
    Result<void> join(TimeLimit limit);
    /// Keeps a closed core alive until the last worker has ended, even if nobody holds it.
    void stayUntilEnded();
    /// See Pool::resize().
    Result<void> resize(int workers);
    [[nodiscard]] int workerCount() const { return m_workerCount; }
    [[nodiscard]] std::vector<qint64> workerPids() const;
    [[nodiscard]] PoolMemory memoryInUse() const;
    /// How many inputs a lazy map reads ahead of what is asked for.
    [[nodiscard]] std::size_t lookAhead() const { return 2 * std::size_t(m_workerCount); }
    /// How many of @p count calls go into a chunk: @p wanted, or for 0 a quarter of an even share
    /// of the workers, like Python's Pool.map().
    [[nodiscard]] std::size_t chunkSize(std::size_t count, std::size_t wanted) const;
    /// Fetches results for some microseconds, or until @p state is settled.
    void help(const FutureState &state) const;

private:
    friend class CallSink;
    using Waiting = std::deque<std::shared_ptr<CallSink>>;
    enum class State { Open, Closed, Broken, Ended };
    static constexpr quint64 firstExtent = 64; ///< Not 0: that offset means "none".

    PoolCore(const PoolOptions &options, const PoolPolicy &policy);
    Result<void> start(const InitializerCall &initializer);
    void watch();
    void noteClosed();
    void shutDown();
    void endWorkers();
    void closeWorkersLocked();
    /// Puts calls in the workers' queue; false if there is no room now.
    bool handLocked(const std::shared_ptr<CallSink> &sink);
    [[nodiscard]] std::optional<quint64> placeArguments(const CallChunk &chunk, TaskChunk &task);
    void feed();
    void giveUp(const Error &error);
    Waiting takeWaitingLocked(CallSink::Place place);
    static void tellAll(const Waiting &waiting, const Error &error);
    [[nodiscard]] bool canEverHold(const CallChunk &chunk) const;
    [[nodiscard]] quint64 maxArgumentBytes() const;
    static Error tooLarge();
    void giveBack(quint64 extent);
    [[nodiscard]] ErrorCode deathCode() const;
    [[nodiscard]] Error errorOf(const TaskReport &report, std::string_view task) const;
    /// Copies @p bytes into the arguments' memory for good. EncodeError if there is no room.
    Result<runtime::ArgumentRange> place(std::span<const std::byte> bytes);
    void runInEngine(const std::function<void()> &function) const;

    const PoolOptions m_options;
    const PoolPolicy m_policy;
    const quint32 m_forkCount = runtime::forkCount();
    std::atomic<int> m_workerCount;                       ///< Changed under m_mutex.
    std::vector<runtime::ObjectRef> m_initializerObjects; ///< Later workers need them too.
    Engine &m_engine;
    runtime::Segment m_arguments;
    std::unique_ptr<WorkerPool> m_workers; ///< Of the engine's thread; gone once that has ended.

    mutable std::mutex m_mutex;
    // Guarded by m_mutex.
    State m_state = State::Open;
    std::optional<Error> m_givenUpBy; ///< The error of calls that will not be done.
    bool m_hasEnded = false;          ///< No worker is left.
    quint64 m_nextCall = 0;
    Waiting m_waiting;
    std::map<int, qint64> m_pids; ///< By number, of all workers ever.
    std::map<int, qint64> m_living;
    std::condition_variable m_ended;
    std::shared_ptr<PoolCore> m_self; ///< See stayUntilEnded().

    mutable std::mutex m_extentsMutex;
    ExtentAllocator m_extents; // Guarded by m_extentsMutex.
};

} // namespace proclab
