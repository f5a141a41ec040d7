// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/time_limit.h"
#include "core/process/engine.h"
#include "core/process/process_group.h"
#include "core/runtime/memory/object_space.h"
#include "core/runtime/memory/segment.h"
#include "core/runtime/task/fork_count.h"

#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <sys/types.h>

namespace proclab {

/// What all handles of one Process share.
struct StartedProcess
{
    enum class State { New, Starting, Running, Ended };

    StartedProcess() = default;
    ~StartedProcess();
    StartedProcess(const StartedProcess &) = delete;
    StartedProcess &operator=(const StartedProcess &) = delete;

    /// Whether it was started by a process from which this one was forked: nothing can be asked of
    /// it here.
    [[nodiscard]] bool isOfParent() const
    {
        return starterForkCount.value_or(runtime::forkCount()) != runtime::forkCount();
    }

    // Set before it is started.
    QString name;
    bool isDaemon = false;
    StartMethod startMethod = StartMethod::Spawn;
    std::optional<quint32> starterForkCount; ///< Of the process that starts it.

    mutable std::mutex mutex;
    mutable std::condition_variable changed;
    // Guarded by mutex.
    State state = State::New;
    bool isClosed = false;
    Error failure; ///< Why it is Ended without ever having been Running.
    qint64 pid = 0;
    int exitCode = 0; ///< Once Ended: below 0, the signal that ended it.
    int pidFd = -1;   ///< Readable once it has ended.
    std::shared_ptr<const BlackBox> blackBox; ///< Once Ended, unless it ended well.
    runtime::ObjectRef start;
    std::vector<runtime::ObjectRef> handles; ///< In its arguments, until it is started.
};

/// Starts the Processes of this program and tells their records what becomes of them. One for each
/// program that starts any; their zygote, for forkserver, is theirs alone.
///
/// Threads: any.
class ProcessHost : public std::enable_shared_from_this<ProcessHost>
{
public:
    /// This program's, made at first use. OsError, InvalidState.
    static Result<std::shared_ptr<ProcessHost>> instance();

    /// Blocks until the process runs, or could not be started.
    Result<void> start(const std::shared_ptr<StartedProcess> &record);
    /// Forks the calling process for it: 0 in the new process, its PID in this one.
    Result<pid_t> fork(const std::shared_ptr<StartedProcess> &record);
    /// Those that have been started and not ended.
    [[nodiscard]] std::vector<std::shared_ptr<StartedProcess>> active() const;
    /// In a process that was forked: instance() is the parent's, and another is made when needed.
    static void forget();

private:
    explicit ProcessHost(Engine &engine) : m_engine(engine) {}
    Result<void> open();
    /// A free one, which is @p record's now.
    std::optional<quint32> takeSlot(const std::shared_ptr<StartedProcess> &record);
    Result<void> waitUntilStarted(const StartedProcess &record) const;
    static void refuse(StartedProcess &record, const Error &error);
    std::unique_ptr<ProcessGroup> makeGroup(StartMethod method);
    Result<ProcessGroup *> groupOf(StartMethod method);
    void startInEngine(const std::shared_ptr<StartedProcess> &record);
    void handleStarted(quint32 slot, qint64 pid);
    void handleExit(quint32 slot, const ChildExit &exit);
    void finish(quint32 slot, int exitCode, const Error &failure);
    void end();

    Engine &m_engine;
    // The engine's thread's.
    runtime::Segment m_segment;
    runtime::RunHeader *m_header = nullptr;
    std::array<std::unique_ptr<ProcessGroup>, 2> m_groups; ///< By start method.
    std::unique_ptr<ProcessGroup> m_forked;                ///< Those that this process has forked.

    mutable std::mutex m_mutex;
    // Guarded by m_mutex.
    std::array<std::shared_ptr<StartedProcess>, runtime::maxSlots> m_records; ///< By slot.
};

} // namespace proclab
