// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"
#include "core/process/orphan_reaper.h"
#include "core/process/start_method.h"
#include "core/runtime/task/run_header.h"
#include "core/trace/black_box.h"

#include <QObject>

#include <csignal>
#include <deque>
#include <map>
#include <memory>
#include <optional>

class QProcess;
class QSocketNotifier;

namespace proclab {

/// How a child process ended.
struct ChildExit
{
    qint64 pid = 0;
    int exitCode = 0; ///< Set if it ended normally.
    int signal = 0;   ///< The signal that ended it; 0: none.
    std::optional<qint64>
        cpuNs; ///< From the kernel's accounts; not known for a spawned child that was killed.
    std::optional<quint64> peakResidentBytes;
    std::shared_ptr<const BlackBox> blackBox; ///< Null if it ended well or noted nothing.
};

/// The worker processes of one run, in the slots of its segment. Starts them by spawn or from a
/// zygote, reports when they have ended, and leaves none behind.
///
/// Threads: lives in the engine's thread.
/// Blocking: the destructor waits at most 2 s for children that are still there; nothing else
/// blocks. Errors: startFailed() reports what fails later; exited() reports each child that ended,
/// once.
class ProcessGroup final : public QObject
{
    Q_OBJECT

public:
    /// Where standard output goes; errors go where this program's go.
    enum class Output { Dropped, Inherited };
    struct Config
    {
        QString program; ///< Absolute path of the worker program.
        StartMethod startMethod = StartMethod::ForkServer;
        int segmentFd = -1;
        int inputFd = -1;   ///< Read-only; -1: none.
        int eventFd = -1;   ///< -1: none.
        int objectsFd = -1; ///< Of the tree's ObjectSpace; -1: none.
        Output output = Output::Dropped;
    };
    /// What a slot's next process is.
    struct Assignment
    {
        runtime::Role role = runtime::Role::PoolWorker;
        quint32 ordinal = 0;
        quint64 start = 0; ///< See ProcessSlot.
    };

    /// @p header is that of the mapped segment, and outlives the group.
    ProcessGroup(const Config &config, runtime::RunHeader &header);
    /// Kills what is left and waits for it.
    ~ProcessGroup() override;

    /// OsError if the worker program is missing or may not be run.
    Result<void> open();
    /// Puts a new process into @p slot, which must be free; started() or startFailed() follows.
    void start(quint32 slot, const Assignment &assignment);
    /// The same for a child of this program that runs already, in a process group of its own.
    void watch(quint32 slot, qint64 pid);
    void kill(quint32 slot) { send(slot, SIGKILL); }
    void killAll();
    /// Sends @p signal to all children; those that are being started get SIGKILL.
    void signalAll(int signal);
    [[nodiscard]] bool isAlive(quint32 slot) const { return m_children.contains(slot); }
    /// Children not yet reported as ended, those being started among them.
    [[nodiscard]] int childCount() const { return static_cast<int>(m_children.size()); }

Q_SIGNALS:
    void started(quint32 slot, qint64 pid);
    /// The process of @p slot is gone and reaped; the slot is free.
    void exited(quint32 slot, const proclab::ChildExit &exit);
    void startFailed(quint32 slot, const proclab::Error &error);

private:
    struct Child;

    void send(quint32 slot, int signal);
    void spawn(quint32 slot, Child &child);
    QProcess *makeProcess();
    [[nodiscard]] OrphanReaper::Pids childrensPids() const;
    [[nodiscard]] Result<void> checkStart(const QString &what) const;
    Result<void> startZygote();
    void handleZygoteEnd();
    void replaceEndedZygote();
    void noteEnd(qint64 pid);
    void closeSocket();
    void sendRequests();
    void readAnswers();
    void adopt(quint32 slot, qint64 pid);
    void tellStarted(quint32 slot, qint64 pid);
    void reap(quint32 slot);
    void finish(quint32 slot, ChildExit exit);
    void fail(quint32 slot, const Error &error);

    const Config m_config;
    runtime::RunHeader &m_header;
    std::map<quint32, std::unique_ptr<Child>> m_children;
    std::unique_ptr<QProcess> m_zygote;
    std::unique_ptr<QSocketNotifier> m_answers;
    qint64 m_zygoteGroup = 0;    ///< Also its PID.
    bool m_isZygoteGone = false; ///< It has ended, and is replaced once its group is empty.
    int m_socket = -1;
    std::deque<quint32> m_requests; ///< Slots for which the zygote has not been asked yet.
    int m_asked = 0;                ///< Requests without an answer.
    int m_zygoteDeaths = 0;         ///< Since the last answer.
    OrphanReaper m_reaper;
};

} // namespace proclab
