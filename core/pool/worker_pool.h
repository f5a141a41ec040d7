// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"
#include "core/pool/pool_options.h"
#include "core/pool/task_report.h"
#include "core/process/process_group.h"
#include "core/process/start_deaths.h"
#include "core/runtime/memory/segment.h"

#include <QObject>
#include <QTimer>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

class QSocketNotifier;

namespace proclab {

struct WorkerPoolConfig
{
    QString workerProgram = {}; ///< Absolute path.
    int workers = 1;            ///< 1 to 256.
    int maxWorkers = 0; ///< For resize(), at the cost of address space; less counts as `workers`.
    StartMethod startMethod = StartMethod::ForkServer;
    quint32 tasksPerChunk = 1;     ///< The most tasks that one submit() may bring, 1 to 10,000,000.
    quint32 chunks = 16384;        ///< How many chunks may be under way; submit() refuses more.
    quint64 maxTasksPerWorker = 0; ///< After so many a worker is replaced; 0: never.
    /// Starts workers when chunks need them, instead of all in open().
    bool onDemand = false;
    std::chrono::milliseconds idleLimit{0}; ///< A worker that waits longer ends; 0: never.
    OnCrash onCrash = OnCrash::Fail;
    std::chrono::milliseconds taskTimeout{0}; ///< Counted from the start of the task; 0: none.
    quint64 seed = 0;                         ///< For the tasks' random numbers.
    /// Holds arguments, which workers only read. Outlives the pool.
    const runtime::Segment *input = nullptr;
    /// Room for results of registered tasks that a worker has written and that are not reported
    /// yet; memory is taken when it is used. A multiple of 64; 0 if there are no registered tasks.
    quint64 resultBytesPerWorker = 0;
    /// A registered task that each worker runs before all others, or noTask.
    quint32 initializer = runtime::noTask;
    runtime::ArgumentRange initializerArgs{};
    runtime::ArgumentRange environment{}; ///< See encodeEnvironment(); size 0: none.
};

/// Tasks that were cancelled before a worker took them, and the sink to report that to.
struct WithdrawnChunk
{
    std::shared_ptr<ReportSink> sink; ///< Null: it was submitted without.
    quint64 first = 0;
    quint32 count = 0;
};

/// Worker processes that take tasks from one queue in shared memory.
///
/// Tasks start in the order of submission and finish in any order. Every accepted task is reported
/// exactly once, also when its worker is killed. Such a death costs at most the current task, and
/// the worker is replaced.
///
/// Threads: lives in the engine's thread. submit(), apply() and reading header() from any thread;
/// everything else, and the report handler, in the engine's thread unless a comment says "any".
/// Blocking: apply() and the destructor (at most 2 s) only.
class WorkerPool final : public QObject
{
    Q_OBJECT

public:
    using ReportHandler = std::function<void(std::span<const TaskReport>)>;

    explicit WorkerPool(const WorkerPoolConfig &config);
    /// Kills the workers that still run. Prefer close() or terminate().
    ~WorkerPool() override;

    /// Gets the reports of tasks without a sink, in batches. Set it before open().
    void setReportHandler(ReportHandler handler) { m_handler = std::move(handler); }
    /// Called, without a lock, when submit() has room again for a good many chunks. Set it before
    /// open().
    void setRoomHandler(std::function<void()> handler) { m_roomHandler = std::move(handler); }
    /// Makes the segment and starts the workers, which wait at the gate; ready() follows. OsError
    /// if memory, descriptors or the worker program are missing.
    Result<void> open();
    /// Lets the workers begin, and returns the time, CLOCK_MONOTONIC in ns. On demand, open() does
    /// so.
    qint64 openGate();

    /// Queues a chunk. No value if as many chunks are under way as there may be; each chunk that
    /// ends makes room. Reports go to @p sink if there is one; the pool drops it with the chunk.
    std::optional<ChunkTicket> submit(const TaskChunk &chunk,
                                      std::shared_ptr<ReportSink> sink = nullptr);
    /// The same, but wakes no worker; wake() must follow.
    std::optional<ChunkTicket> submitQuietly(const TaskChunk &chunk,
                                             std::shared_ptr<ReportSink> sink);
    /// Wakes as many workers as the waiting chunks need.
    void wake();
    /// Takes back a chunk, if no worker has taken it yet; the caller reports that to its sink. Any
    /// thread.
    std::optional<WithdrawnChunk> withdraw(const ChunkTicket &ticket);
    /// All such chunks. Any thread.
    std::vector<WithdrawnChunk> withdrawAll();
    /// Whether a worker has taken the chunk. Any thread.
    [[nodiscard]] bool hasStarted(const ChunkTicket &ticket) const;
    /// Submits one task and waits for it. Any thread but the engine's.
    TaskReport apply(const TaskChunk &chunk);
    /// Fetches results until @p isDone, but only for some microseconds: a thread that has just
    /// submitted a task gets the result soonest if it looks itself. Any thread.
    void collectUntil(const std::function<bool()> &isDone);
    /// Sets the number of workers, 1 to slotCount(). Starts those that are missing, or dismisses
    /// surplus ones: idle ones first, others once they have ended their chunk.
    void resize(int workers);
    /// Says that no more tasks come. Once all are reported the workers end, and closed() follows.
    void close();
    /// Kills the workers; tasks not yet finished are reported as Cancelled. closed() follows.
    void terminate() { terminateBy(SIGKILL); }
    /// The same with SIGTERM, and after a second SIGKILL for workers that are still there.
    void terminateGently() { terminateBy(SIGTERM); }

    [[nodiscard]] bool isOpen() const { return m_header != nullptr; }
    /// The run's segment, for observers; valid from open() on.
    [[nodiscard]] runtime::RunHeader &header() const { return *m_header; }
    /// The number of the worker process in @p slot, or -1 if there is none. Any thread.
    [[nodiscard]] int workerIn(quint32 slot) const
    {
        return m_workerOf[slot].load(std::memory_order_acquire);
    }
    [[nodiscard]] int slotCount() const { return m_slotCount; }
    /// How many chunks wait for a worker. Any thread.
    [[nodiscard]] quint64 queuedChunks() const;
    /// The first task numbers of up to @p most waiting chunks, the next first. Any thread; a
    /// glance.
    [[nodiscard]] QList<quint32> nextTasks(int most) const;
    /// The size of all results that workers have written and nobody has taken yet. Any thread; a
    /// glance.
    [[nodiscard]] quint64 resultBytes() const;
    [[nodiscard]] quint64 retriedCount() const { return m_retried; }

Q_SIGNALS:
    /// All first workers stand at the gate.
    void ready();
    void workerStarted(int worker, qint64 pid, int replaces);
    /// @p byPool is true if the pool itself ended it (close, recycling, timeout, terminate).
    void workerEnded(int worker, const proclab::ChildExit &exit, bool byPool, quint64 done);
    /// @p worker died in task @p task, which it had begun at @p startedNs, CLOCK_MONOTONIC, and
    /// which now waits for another worker. Follows workerEnded().
    void taskRetried(quint64 task, int worker, qint64 startedNs);
    /// A worker could not be started. The others go on, and the pool tries again half a second
    /// later.
    void workerMissing(const proclab::Error &error);
    /// No worker can be started any more; unfinished tasks have been reported as Lost. closed()
    /// follows.
    void broken(const proclab::Error &error);
    /// The last signal.
    void closed();

private:
    struct ChunkState
    {
        qint64 submittedNs = 0;
        quint32 reported = 0;
        qint16 attempts = 1;
        bool isWithdrawn = false;
        std::shared_ptr<ReportSink> sink;
    };
    struct SinkReport
    {
        std::shared_ptr<ReportSink> sink;
        std::unique_ptr<TaskReport> report = nullptr;
        quint64 first = 0;
        quint32 packed = 0; ///< Packed results, from `first` on.
        bool isOver = false;
    };
    /// Since when a worker seems to stand still: it is in no task, waits for nothing, and its
    /// progress does not change.
    struct Standstill
    {
        quint64 progress = 0;
        qint64 sinceNs = 0; ///< 0: it was not.
    };
    enum class State { New, Open, Closing, Terminating, Closed };

    Result<void> makeSegment();
    void startWorker(quint32 slot, int replaces);
    void handleStarted(quint32 slot, qint64 pid);
    void handleExit(quint32 slot, const ChildExit &exit);
    void handleStartFailure(quint32 slot, const Error &error);
    void breakDown(const Error &error);
    void terminateBy(int signal);
    void addWorkers();
    void replaceWorkers();
    void dismissSurplusWorkers();
    [[nodiscard]] bool lacksWorkers() const { return m_present < quint64(m_wanted.load()); }
    void setUpSlot(quint32 slot);
    void wantWorkerLocked();
    [[nodiscard]] Error initializerError(quint32 slot);
    void checkReady();

    std::optional<ChunkTicket> submitLocked(const TaskChunk &chunk,
                                            std::shared_ptr<ReportSink> sink);
    std::optional<WithdrawnChunk> withdrawLocked(quint32 number, quint64 generation);
    void requeueLocked(quint32 number);
    void drain();
    void drainLocked(std::size_t mostReports = SIZE_MAX);
    void drainSlotLocked(quint32 slot, std::size_t mostReports = SIZE_MAX);
    void collectLocked(quint32 number);
    void reportFinishedLocked(quint32 number, quint32 finished, int worker);
    void reportPackedLocked(quint32 number, quint32 finished, int worker);
    void reportOutcomeLocked(quint32 number, int worker);
    void discardResult(quint32 number, quint32 position) const;
    void recoverLocked(quint32 slot, int worker, const ChildExit &exit);
    void recoverChunkLocked(quint32 number, quint32 slot, int worker, const ChildExit &exit);
    void giveUpLocked(quint32 number);
    void reportRest();
    [[nodiscard]] TaskReport::Cause restCause() const;
    void deliverLocked(quint32 number, TaskReport report);
    void freeLocked(quint32 number);
    void flushReports();
    void flushSinkReports();
    void takeValueLocked(const runtime::TaskOutcome &outcome, quint32 slot, TaskReport &report);
    [[nodiscard]] static EncodedBytes takeParcel(const runtime::ResultParcel &result);
    [[nodiscard]] std::vector<std::byte> takeExtent(const runtime::ResultExtent &extent,
                                                    quint32 slot);
    void arm();
    void endIfDone();
    void watchTasks();
    bool standsBetweenTasks(quint32 slot, qint64 now, qint64 limit);

    [[nodiscard]] runtime::TaskDescriptor &task(quint32 number) const { return m_tasks[number]; }
    [[nodiscard]] runtime::PoolHeader &poolHeader() const { return *m_poolHeader; }
    [[nodiscard]] runtime::TaskRing &ring() const { return *m_ring; }

    const WorkerPoolConfig m_config;
    const int m_slotCount;
    std::atomic<int> m_wanted;           ///< Workers; changed in the engine's thread only.
    std::atomic<quint32> m_usedSlots{0}; ///< Slots from here on have had no worker yet.
    ReportHandler m_handler;
    std::function<void()> m_roomHandler;
    std::atomic<State> m_state{State::New}; ///< Changed in the engine's thread only.
    TaskReport::Status m_restStatus =
        TaskReport::Status::Cancelled; ///< The status of tasks that terminate() leaves undone.
    runtime::Segment m_segment;
    // In the segment; set by open().
    runtime::RunHeader *m_header = nullptr;
    runtime::PoolHeader *m_poolHeader = nullptr;
    runtime::TaskDescriptor *m_tasks = nullptr;
    runtime::TaskRing *m_ring = nullptr;
    int m_eventFd = -1;
    std::unique_ptr<QSocketNotifier> m_wakeUps;
    std::unique_ptr<ProcessGroup> m_group;
    QTimer m_watch; ///< Deadlines of tasks, and what long chunks have finished so far.
    std::unique_ptr<std::atomic<int>[]> m_workerOf; ///< By slot.
    /// By slot: the task for which its worker is being killed; -1: none.
    std::vector<qint64> m_timedOut;
    std::vector<Standstill> m_standstill; ///< By slot.
    int m_lastWorker = -1;
    StartDeaths m_startDeaths;
    bool m_isReady = false;
    qint64 m_leaveByNs = 0; ///< Closing: when workers that are still there are killed; 0: not yet.
    bool m_isOverdue = false;  ///< They were.
    quint64 m_takenChunks = 0; ///< When the watch last looked.
    std::atomic<quint64> m_retried{0};
    std::atomic<quint64> m_present{0};      ///< Workers, those being started among them.
    std::atomic<bool> m_isAddWanted{false}; ///< addWorkers() is under way.
    std::atomic<qint64> m_wokenNs{0};       ///< When a task last woke a worker.

    mutable std::mutex m_mutex;
    // Guarded by m_mutex.
    std::vector<quint32> m_free;
    std::vector<ChunkState> m_chunks;
    std::vector<quint32> m_overflow;       ///< Ready chunks for which the ring had no cell.
    std::vector<TaskReport> m_reports;     ///< Not yet handed out.
    std::vector<SinkReport> m_sinkReports; ///< Not yet handed out.
    std::optional<quint64> m_taskToRetry;  ///< Of the worker that is being recovered.
    quint64 m_underWay = 0;                ///< Chunks not yet free.
};

} // namespace proclab
