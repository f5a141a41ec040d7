// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/time_limit.h"
#include "core/process/engine.h"
#include "core/process/process_group.h"
#include "core/runtime/memory/object_space.h"
#include "core/runtime/memory/segment.h"
#include "core/runtime/task/fork_count.h"

#include <array>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <sys/types.h>

namespace proclab {

/// How a Process ended.
struct ProcessEnd
{
    int exitCode = 0; ///< Of a normal end.
    int signal = 0;   ///< That ended it; 0: none.
    /// The signal was of its own doing, a crash or an abort, as against one that was sent to it.
    bool isOwnSignal = false;
    /// None: the kernel's account is not known.
    std::optional<std::chrono::nanoseconds> cpuTime = std::nullopt;
    std::optional<quint64> peakResidentBytes = std::nullopt; ///< The same.
};

/// The state that all handles of one Process share.
struct StartedProcess
{
    enum class State { New, Starting, Running, Ended };

    StartedProcess() = default;
    ~StartedProcess();
    StartedProcess(const StartedProcess &) = delete;
    StartedProcess &operator=(const StartedProcess &) = delete;

    /// Whether it was started by a process from which this one was forked, and so cannot be used
    /// here.
    [[nodiscard]] bool isOfParent() const
    {
        return starterForkCount.value_or(runtime::forkCount()) != runtime::forkCount();
    }

    // Set before it is started.
    QString name;
    bool isDaemon = false;
    StartMethod startMethod = StartMethod::Spawn;
    std::optional<quint32> starterForkCount; ///< The fork count of the process that starts it.

    mutable std::mutex mutex;
    mutable std::condition_variable changed;
    // Guarded by mutex.
    State state = State::New;
    bool isClosed = false;
    Error failure; ///< Why it is Ended without having been Running.
    qint64 pid = 0;
    ProcessEnd end;                           ///< Once Ended.
    int pidFd = -1;                           ///< Readable once it has ended.
    std::shared_ptr<const BlackBox> blackBox; ///< Once Ended, unless it ended well.
    runtime::ObjectRef start;
    std::vector<runtime::ObjectRef> handles; ///< Those in its arguments, until it is started.
};

/// Starts the Processes of this program, and updates their records. Their zygote, for forkserver,
/// serves nothing else.
///
/// Threads: any.
class ProcessHost : public std::enable_shared_from_this<ProcessHost>
{
public:
    /// That of the calling thread's ProcessScope; else this program's, made at first use. OsError,
    /// InvalidState.
    static Result<std::shared_ptr<ProcessHost>> instance();
    /// One of its own, on @p engine.
    static Result<std::shared_ptr<ProcessHost>> make(Engine &engine, ProcessGroup::Output output);
    /// What instance() gives in one thread: a host or an error; the program's host if neither is
    /// set.
    struct OfThread
    {
        std::shared_ptr<ProcessHost> host = nullptr;
        std::optional<Error> error = std::nullopt;
    };
    /// For the calling thread, from now on. Returns what was set before.
    static OfThread setOfThread(OfThread next);
    ~ProcessHost();

    /// Blocks until the process runs, or could not be started.
    Result<void> start(const std::shared_ptr<StartedProcess> &record);
    /// Forks the calling process for it: 0 in the new process, its PID in this one.
    Result<pid_t> fork(const std::shared_ptr<StartedProcess> &record);
    /// The processes that have started and not ended.
    [[nodiscard]] std::vector<std::shared_ptr<StartedProcess>> active() const;
    /// Kills all of them.
    void killAll() const;
    /// In the engine's thread: if one's start does not come to an end, such as by a stopped server,
    /// gives up that and all else that runs.
    void abandonStarts();
    /// Kills all of them, waits for their end, and ends the server that has forked them.
    void close();
    /// Called in a forked process: drops the parent's instance, so that another one is made if
    /// needed.
    static void forget();

private:
    ProcessHost(Engine &engine, ProcessGroup::Output output) : m_engine(engine), m_output(output) {}
    Result<void> open();
    /// Gives a free slot to @p record.
    std::optional<quint32> takeSlot(const std::shared_ptr<StartedProcess> &record);
    Result<void> waitUntilStarted(const StartedProcess &record) const;
    static void refuse(StartedProcess &record, const Error &error);
    std::unique_ptr<ProcessGroup> makeGroup(StartMethod method);
    Result<ProcessGroup *> groupOf(StartMethod method);
    void startInEngine(const std::shared_ptr<StartedProcess> &record);
    void handleStarted(quint32 slot, qint64 pid);
    void handleExit(quint32 slot, const ChildExit &exit);
    void finish(quint32 slot, const ProcessEnd &end, const Error &failure);
    void end();
    void dropGroups();

    Engine &m_engine;
    const ProcessGroup::Output m_output;
    // Used by the engine's thread only.
    runtime::Segment m_segment;
    runtime::RunHeader *m_header = nullptr;
    std::array<std::unique_ptr<ProcessGroup>, 2> m_groups; ///< By start method.
    std::unique_ptr<ProcessGroup> m_forked;                ///< Those that this process has forked.

    mutable std::mutex m_mutex;
    // Guarded by m_mutex.
    std::array<std::shared_ptr<StartedProcess>, runtime::maxSlots> m_records; ///< By slot.
};

} // namespace proclab
