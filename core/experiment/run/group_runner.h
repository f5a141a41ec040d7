// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/runner.h"
#include "core/process/process_group.h"
#include "core/runtime/memory/segment.h"

#include <map>
#include <memory>
#include <mutex>
#include <vector>

class QSocketNotifier;

namespace proclab {

/// Base of the runners whose processes have fixed roles instead of pulling tasks: one segment, one
/// slot a process, one gate, traces that become spans.
class GroupRunner : public ExperimentRunner
{
    Q_OBJECT

public:
    explicit GroupRunner(RunnerContext context);
    ~GroupRunner() override;

    void stop(StopReason reason) override;
    void drainTrace() override;
    void observe(StageSnapshot &snapshot, GaugeSample &gauges) override;
    void complete(RunResult &result) override;

protected:
    /// Where a process stands in the run.
    struct Member
    {
        const ProcessRole *role = nullptr; ///< Never null.
        ProcessGroup::Assignment assignment;
        int process = -1; ///< In the log, while it is there and after it has ended.
        int replaces = -1;
        bool isAlive = false;
        std::uint64_t traceCursor = 0;
    };
    /// What a member that ended came to.
    enum class Ending { Normal, Failed };

    /// Makes the run's segment: the header, @p slots slots and @p partBytes bytes of the kind's
    /// own, for which
    /// @p partOffset is where they begin.
    Result<void> makeSegment(const char *name, quint32 slots, std::size_t partBytes);
    /// Opens the group and starts a process for each of @p members, in slots 0, 1, ….
    Result<void> startAll(std::vector<Member> members, QString startMethod, int inputFd);
    /// Starts a process in the place of the one that ended in @p slot.
    void replace(quint32 slot, quint64 firstItem);

    /// A member has ended: adds what its slot counted to the kind's sums. Under the mutex that
    /// observe() holds too.
    virtual void accumulate(quint32 slot) = 0;
    /// A member has ended; not called once the run is being stopped. The slot's fields still stand.
    virtual void memberEnded(quint32 slot, const ChildExit &exit) = 0;
    /// All members are gone and none is to come: the last chance to set the record straight.
    virtual void allEnded() {}
    /// The gate is open.
    virtual void begin() {}

    [[nodiscard]] runtime::RunHeader &header() const { return *m_header; }
    [[nodiscard]] const std::vector<Member> &members() const { return m_members; }
    [[nodiscard]] bool isStopped() const { return m_isStopped; }
    /// Ends the run because the engine itself failed.
    void fail(const Error &error);
    /// Nanoseconds that the process of @p slot has waited by now, the present wait included.
    [[nodiscard]] static qint64 waitedNs(const runtime::ProcessSlot &slot, runtime::WaitKind kind,
                                         qint64 nowNs);

    mutable std::mutex m_mutex;

private:
    void handleStarted(quint32 slot, qint64 pid);
    void handleExit(quint32 slot, const ChildExit &exit);
    void handleStartFailure(quint32 slot, const Error &error);
    void checkReady();
    void drainSlot(quint32 slot);
    void recordResult(quint32 slot, const ChildExit &exit);
    void endIfDone();

    runtime::Segment m_segment;
    runtime::RunHeader *m_header = nullptr;
    int m_eventFd = -1;
    std::unique_ptr<QSocketNotifier> m_wakeUps;
    std::unique_ptr<ProcessGroup> m_group;
    std::optional<Error> m_engineError;
    bool m_isStopped = false;
    bool m_isReady = false;
    bool m_isFinished = false;
    int m_startDeaths = 0;
    std::map<const ProcessRole *, int> m_lastNumbers; ///< For names.
    RunTotals m_totals;
    std::vector<runtime::TraceSpan> m_drained; ///< Guarded by m_mutex.

    // Guarded by m_mutex: written in the engine's thread, read by the sampler's.
    std::vector<Member> m_members;
};

} // namespace proclab
