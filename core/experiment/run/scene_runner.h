// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/runner.h"
#include "core/experiment/run/scene.h"
#include "core/process/process.h"
#include "core/process/process_descriptor.h"
#include "core/process/start_deaths.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace proclab {

/// Base of the runners whose processes have fixed roles instead of pulling tasks: their scene is a
/// program written against the library. The parent's part is played by a thread of its own, the
/// director: it makes the shared objects, starts the Processes, opens the gate and waits for their
/// ends.
///
/// Threads: functions marked "Director" are called in the director's thread, all others as
/// ExperimentRunner says.
class SceneRunner : public ExperimentRunner
{
    Q_OBJECT

public:
    explicit SceneRunner(RunnerContext context) : ExperimentRunner(context) {}
    ~SceneRunner() override { endDirecting(); }

    Result<void> start() override;
    void stop(StopReason reason) override;
    void sendSignal(int process, int signal) override;
    void drainTrace() override;
    void observe(StageSnapshot &snapshot, GaugeSample &gauges) override;
    void complete(RunResult &result) override;

protected:
    /// Kills what is left and waits for the director. For the destructors of final classes: the
    /// director calls their functions and uses their members.
    void endDirecting();

    /// A part of the scene, and the process that plays it now or did last.
    struct Member
    {
        const ProcessRole *role = nullptr; ///< Never null.
        quint32 ordinal = 0;               ///< Among those of its role.
        quint64 next = 0;                  ///< The item to begin with.
        std::optional<Activity> activity = std::nullopt;
        std::optional<Process> process = std::nullopt;
        int log = -1; ///< The process's position in the log.
        int replaces = -1;
        bool isAlive = false;
        std::uint64_t spansSeen = 0;
        TaskError endedFor = TaskError::None; ///< Why the run itself ends it; see endMember().
        /// Another member starts it, not the run, and has its Activity, which setUp() made.
        bool isDescendant = false;
        std::shared_ptr<const ProcessDescriptor> descriptor = nullptr; ///< Of a descendant.
        bool isEndShown = false; ///< That it is ended is what the run is to show, and no failure.
    };

    /// Director: makes what the processes share, and returns the parts of the scene.
    virtual Result<std::vector<Member>> setUp() = 0;
    /// Director: returns a process that plays @p member once it is started.
    virtual Result<Process> cast(const Member &member, const Cue &cue,
                                 const ProcessOptions &options) = 0;
    /// Director: the process of member @p index, which had passed the gate, has ended. Not called
    /// once the run is being stopped.
    virtual void memberEnded(std::size_t index, const ProcessEnd &end) = 0;
    /// Director: called after each end, and every few milliseconds as long as it returns true.
    virtual bool goOn() { return false; }
    /// Director: plays the parent's own part, if makeParentsPart() made one, once the gate is open.
    /// Returns when that is done, or soon after isStopped().
    virtual void playParent(ActivityReport &) {}
    /// Director: how the descendant that is member @p index has ended; no value: it has not, as far
    /// as is known.
    virtual std::optional<ProcessEnd> descendantEnd(std::size_t) { return std::nullopt; }
    /// The name of number @p number of the processes with the role of @p member.
    [[nodiscard]] virtual QString processName(const Member &member, int number) const;
    /// Under the mutex: adds what the ended process of member @p index has done to the kind's sums.
    virtual void accumulate(std::size_t index, const ActivityState &state) = 0;
    /// Any thread: the number in the run of the item that the Activity of @p member told as number
    /// @p told.
    [[nodiscard]] virtual quint64 itemNumber(const Member &, quint64 told) const { return told; }

    /// Director, in setUp(): the parent has a part of its own, beside the director's.
    Result<void> makeParentsPart();
    /// From the first operation to the last, of all processes that have ended; known once
    /// complete() was called.
    [[nodiscard]] double workSeconds() const { return m_workSeconds; }
    /// What comes to so much in that time.
    [[nodiscard]] double perSecond(double number) const
    {
        return m_workSeconds > 0 ? number / m_workSeconds : 0;
    }
    /// Null: it has none.
    [[nodiscard]] const Activity *parentsPart() const
    {
        return m_parentsPart ? &*m_parentsPart : nullptr;
    }
    /// Director: starts another process for member @p index, from item @p next on.
    void replace(std::size_t index, quint64 next);
    /// Director, in playParent(): Process::join() of member @p index, while the ends of others are
    /// noted as they come. False: it is still there after @p limit, or the run is being stopped.
    bool joinMember(std::size_t index, TimeLimit limit);
    /// Director, in playParent(): Process::terminate() of member @p index, whose result then says
    /// @p reason.
    void endMember(std::size_t index, TaskError reason);
    /// Director: member @p index, a descendant, runs as process @p pid since @p startedNs,
    /// CLOCK_MONOTONIC.
    void noteDescendant(std::size_t index, qint64 pid, qint64 startedNs);
    /// Director: the end of member @p index is what the run is to show.
    void noteShownEnd(std::size_t index) { m_members[index].isEndShown = true; }
    /// `BLOCK.task` of the spec, with the arguments of item @p index.
    [[nodiscard]] Work workAt(const QString &block, qsizetype index = 0) const;
    [[nodiscard]] const std::vector<Member> &members() const { return m_members; }
    [[nodiscard]] bool isStopped() const { return m_isStopped.load(std::memory_order_acquire); }
    /// Whether @p end, of an ended process, was its own doing: an exit, a crash.
    [[nodiscard]] static bool isOwnDoing(const ProcessEnd &end)
    {
        return end.signal == 0 || end.isOwnSignal;
    }

    mutable std::mutex m_mutex;

private:
    [[nodiscard]] bool beginDirecting();
    void direct();
    void fail(const Error &error);
    Result<void> play();
    Result<void> startAll();
    Result<void> startMember(std::size_t index);
    Result<void> awaitAll();
    void openGate();
    void awaitEnds(int timeoutMs);
    Result<void> lookForEnds();
    [[nodiscard]] std::optional<ProcessEnd> endOf(std::size_t index);
    Result<void> handleEnd(std::size_t index, const ProcessEnd &end);
    void noteUnfinished(const Member &member, const ActivityState &state);
    void recordResult(const Member &member, const ProcessEnd &end, const ActivityState &state);
    void drain(const Activity &activity, std::uint64_t &spansSeen, const Member *member);
    void drainMember(Member &member);
    void killAll();
    [[nodiscard]] bool isAnyAlive() const;
    /// That of the spec, if the kind lets one choose.
    [[nodiscard]] StartMethod startMethod() const;

    std::thread m_director;
    int m_stopFd = -1; ///< An eventfd: wakes the director.
    std::atomic<bool> m_isStopped{false};
    std::atomic<bool> m_hasPlayed{false}; ///< The director needs the engine no more.
    std::shared_ptr<ProcessHost> m_host;  ///< Guarded by m_mutex.

    // The director's.
    std::optional<Semaphore> m_standing; ///< See Cue.
    std::optional<Event> m_gate;
    bool m_isOpen = false;
    StartDeaths m_startDeaths;
    std::map<const ProcessRole *, int> m_lastNumbers; ///< For names.

    double m_workSeconds = 0;
    RunTotals m_totals;                        ///< The director's until finished().
    std::optional<Error> m_engineError;        ///< The same.
    std::vector<runtime::TraceSpan> m_drained; ///< Guarded by m_mutex.

    // Guarded by m_mutex: written by the director, who reads them without it.
    std::vector<Member> m_members;
    std::optional<Activity> m_parentsPart;
    std::uint64_t m_parentsSpansSeen = 0;
};

} // namespace proclab
