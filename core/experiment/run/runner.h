// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_result.h"
#include "core/experiment/run/stage_snapshot.h"
#include "core/process/process_group.h"

#include <QObject>

#include <atomic>
#include <optional>

#include <time.h>

namespace proclab {

class Engine;
struct Kind;

/// What a runner gets: all of it outlives the runner.
struct RunnerContext
{
    Engine &engine;
    const ExperimentSpec &spec; ///< Checked, the seed filled in.
    RunLog &log;                ///< Process 0, the parent, is already in it.
    bool canType = false;       ///< Somebody can type into programs: see ExperimentRun.
};

/// Why a run ends before its work is done.
enum class StopReason { Stopped, TimeIsUp };

/// Runs one kind of experiment: turns the spec into engine calls and the engine's reports into the
/// log.
///
/// Threads: lives in the engine's thread; observe() and drainTrace() are called from the sampler's
/// thread while the run goes on, and read shared memory only.
class ExperimentRunner : public QObject
{
    Q_OBJECT

public:
    explicit ExperimentRunner(RunnerContext context) : m_context(context) {}

    /// Begins to start the processes, gated. Fails with one clear error and leaves nothing started;
    /// an error that comes later stands in the result.
    virtual Result<void> start() = 0;
    /// Kills every child; finished() follows once they are gone.
    virtual void stop(StopReason reason) = 0;
    /// Sends @p signal to child @p process, a position in the log; without effect once it has
    /// ended.
    virtual void sendSignal(int process, int signal);
    /// Writes @p text to the standard input of child @p process; without effect unless that is an
    /// external program that takes input.
    virtual void type(int /*process*/, const QString & /*text*/) {}
    /// Closes that input: the program reads its end.
    virtual void endInput(int /*process*/) {}

    /// Fills what the stage shows and the kind's gauges, of this instant. RunSampler's thread.
    virtual void observe(StageSnapshot &snapshot, GaugeSample &gauges) = 0;
    /// Fills the gauges that count what a picture shows, once that is whole: a process may end while
    /// it is made. RunSampler's thread.
    virtual void countShown(const StageSnapshot &, GaugeSample &) const {}
    /// The kind's gauges as they stand when the gate opens, known without looking: nothing is done.
    /// Any thread.
    [[nodiscard]] virtual GaugeSample gaugesAtGate() const { return noGauges(); }
    /// The kind's gauges, all at 0. Any thread.
    [[nodiscard]] GaugeSample noGauges() const;
    /// Bytes that @p process, a position in the log, shares with its parent or its children since a
    /// fork: the kernel's short account has them for its own. RunSampler's thread.
    [[nodiscard]] virtual quint64 sharedSinceFork(int) { return 0; }
    /// Moves new trace records into the log's spans. Sampler's thread; once more from the engine's
    /// thread after the last process has ended.
    virtual void drainTrace() {}

    /// After finished(): totals, outcome, notice, start-up time; what the kind knows of the result.
    virtual void complete(RunResult &result) = 0;

    /// t = 0 on CLOCK_MONOTONIC; 0 until the gate opens. Any thread.
    [[nodiscard]] qint64 gateNs() const { return m_gateNs.load(std::memory_order_acquire); }

    /// CPU time of the thread that does the parent's part, in nanoseconds; nullopt: none does. Any
    /// thread.
    [[nodiscard]] std::optional<qint64> parentCpuNs() const;

Q_SIGNALS:
    /// All is ready, the gate opens next. From any thread; what is connected directly delays it.
    void aboutToOpen();
    /// The gate is open.
    void opened();
    /// Every process has ended and every result is in the log.
    void finished();

protected:
    /// The row of the spec's kind.
    [[nodiscard]] const Kind &kind() const;
    /// The calling thread does the parent's part: what the rest of this program uses, a window
    /// above all, is not the experiment's.
    void noteParentsThread();
    /// Enters a process of @p role into the log; its start counts from now.
    int addProcess(const ProcessRole &role, const QString &name, qint64 pid, int replaces);
    /// Opens the run's time axis at @p gateNs, CLOCK_MONOTONIC; what the log holds by then moves
    /// onto it. Emits opened().
    void noteGate(qint64 gateNs);
    /// Enters the end of @p process into the log, with an event if it was no normal one; @p byRun:
    /// the run ended it. @p waitedNs: it was blocked so long on queues, pipes and locks.
    void noteExit(int process, const ChildExit &exit, bool byRun, quint64 done,
                  qint64 waitedNs = 0);
    void addEvent(RunEvent::Severity severity, int process, const RunNote &note);
    /// An instant of CLOCK_MONOTONIC on the run's axis.
    [[nodiscard]] qint64 sinceGate(qint64 monotonicNs) const { return monotonicNs - gateNs(); }

    RunnerContext m_context;

private:
    std::atomic<qint64> m_gateNs{0};
    std::atomic<clockid_t> m_parentsClock{CLOCK_MONOTONIC}; ///< That: none yet.
    int m_childCount = 0;
};

} // namespace proclab
