// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/append_log.h"
#include "core/base/signal_name.h"
#include "core/experiment/run/run_note.h"
#include "core/experiment/run/snapshot_history.h"

#include <QJsonValue>
#include <QList>
#include <QString>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace proclab {

struct ProcessRole;

/// Times in the log are nanoseconds since the gate opened (t = 0); before it they are negative.

/// One process of the run, for good: a replaced worker is a new entry.
struct ProcessRecord
{
    QString name;                      ///< "main", "worker-1", "producer-2".
    const ProcessRole *role = nullptr; ///< A row of the kind's table; null: the parent.
    qint64 pid = 0;
    int colorIndex = 0; ///< Order of start among the children, from 0; the parent has none (-1).
    qint64 startNs = 0;
    qint64 endNs = -1; ///< -1: still there.
    int exitCode = 0;  ///< Of a normal end.
    int signal = 0;    ///< That ended it; 0: none.
    bool endedByRun =
        false; ///< The lab itself ended it (stop, recycling, a timeout): no failure of the process.
    int replaces = -1;         ///< Position of the process that it took over from; -1: none.
    quint64 done = 0;          ///< Tasks, items or increments; final once the process has ended.
    double cpuSeconds = 0;     ///< Final once the process has ended.
    double readySeconds = 0;   ///< Time spent waiting for a core; final once it has ended.
    double waitingSeconds = 0; ///< Blocked on a queue, pipe or lock; final once it has ended.
    quint64 peakResidentBytes = 0;

    [[nodiscard]] bool isParent() const { return role == nullptr; }
    /// The rest of the time from its start to its end: neither on a core nor waiting for one, such
    /// as asleep in a task, in a queue or at a lock. With cpuSeconds and readySeconds it makes up
    /// the whole. waitingSeconds are another account, the process's own: they go on until it has a
    /// core again. 0 while it is there.
    [[nodiscard]] double blockedSeconds() const;
    bool operator==(const ProcessRecord &) const = default;
};

/// The name of a process, shortened for a badge: "W18" for "worker-18", "A" for "Adelaide"; the
/// parent's stays "main".
[[nodiscard]] QString shortName(const ProcessRecord &process);
/// It ended by a signal or with a code, and not because the lab ended it.
[[nodiscard]] bool hasCrashed(const ProcessRecord &process);
/// There are children, and all of them have ended.
[[nodiscard]] bool haveEnded(const QList<ProcessRecord> &processes);

enum class TaskStatus : quint8 { Done, Failed, Cancelled, Lost };
enum class TaskError : quint8 { None, Exception, Exit, Signal, Timeout, Lost, Cancelled };

/// One finished task, packed: a run may have millions.
struct TaskRecord
{
    enum class ValueType : quint8 { None, Integer, Unsigned, Number, Text, Digest };

    quint32 index = 0;   ///< The task's number, from 0, in submission order.
    qint32 process = -1; ///< Position in RunLog::processes(); -1: never started.
    TaskStatus status = TaskStatus::Done;
    TaskError error = TaskError::None;
    ValueType valueType = ValueType::None;
    quint8 attempts = 1;
    qint16 code = 0; ///< Exit code or signal of a failed task.
    qint64 submittedNs = 0;
    qint64 startedNs = -1; ///< -1: never started.
    qint64 finishedNs = 0;
    union {
        qint64 integer = 0;
        quint64 unsignedInteger;
        double number;
        quint64 text; ///< Position in RunLog::texts(); Digest: 32 raw bytes there.
    };
    qint64 message = -1; ///< Position of the error's message in RunLog::texts(); -1: none.
};

/// A bar of the timeline: what a process did from start to end.
struct Span
{
    enum class Activity : quint8 {
        Running,        ///< In a task or item, on a core.
        ReadyToRun,     ///< In a task or item, waiting for a core most of the time.
        Sleeping,       ///< In a task or item, waiting for something else most of the time.
        BlockedOnFull,  ///< put() found the queue full.
        WaitingOnEmpty, ///< get() found the queue empty.
        WaitingForLock,
        Busy,    ///< A summary: `count` short tasks or items, `busy` of the time at work.
        Failed,  ///< A task that did not end well, `busy` of the time at work; ends in a cross if
                 ///< the process died with it.
        Dropped, ///< Nobody knows: `count` bars of this time were not kept.
    };

    qint64 startNs = 0;
    qint64 endNs = 0;
    quint32 index = 0; ///< Task or item number; of a summary the first.
    quint32 count = 1; ///< How many it stands for.
    Activity activity = Activity::Running;
    float busy = 1; ///< 0 … 1.
};

/// What the monitor read of one process at one instant. Percent of one core, since the sample
/// before; the first since the reading before the gate opened, or else since the process started.
struct ProcessSample
{
    qint64 timeNs = 0;
    float cpuPercent = 0;
    float readyPercent = 0;
    quint64 residentBytes = 0;
    quint64 sharedBytes = 0; ///< Part of them, which other processes may have too.

    [[nodiscard]] quint64 privateBytes() const
    {
        return residentBytes - std::min(sharedBytes, residentBytes);
    }
};

/// The first sample of a run is of the gate: nothing is done yet, and no rate is known. The last is
/// of the instant at which the work was done. All samples of a run hold as many numbers.
struct GaugeSample
{
    GaugeSample() = default;
    /// All of @p gauges at 0.
    explicit GaugeSample(qsizetype gauges)
        : values(static_cast<std::size_t>(gauges))
        , totals(static_cast<std::size_t>(gauges))
    {}

    qint64 timeNs = 0;
    std::vector<double> values; ///< In the order of Kind::gauges.
    /// Of each rate the sum since the gate: items, or for a share percent times seconds. The mean
    /// over any stretch is the difference divided by the time.
    std::vector<double> totals;
};

/// Text that a program read or wrote, as it came.
struct OutputPiece
{
    enum class Stream : quint8 { Input, Output, Error };

    qint64 timeNs = 0;
    int process = -1; ///< Position in RunLog::processes().
    Stream stream = Stream::Output;
    QString text;
};

struct RunEvent
{
    enum class Severity : quint8 { Info, Warning, Failure };
    qint64 timeNs = 0;
    Severity severity = Severity::Info;
    int process = -1; ///< The process that it is about; -1: the run.
    RunNote note;
};

/// Everything that one run has told so far: what the live views, the result and the exports read.
///
/// Threads: any thread reads at any time. Writers: one thread at a time appends tasks, texts and
/// output, and spans of one process; the sampler's thread appends samples, gauges and
/// snapshots; processes and events from any thread.
class RunLog
{
public:
    /// What one process has of its own. Stays where it is for the life of the log.
    struct Lane
    {
        AppendLog<Span> spans; ///< In order of end.
        AppendLog<ProcessSample> samples;
    };

    int addProcess(ProcessRecord record);
    /// Replaces the record of @p process through @p change, under the lock.
    template<typename Change>
    void updateProcess(int process, Change change)
    {
        const std::lock_guard lock(m_mutex);
        change(m_processes[process]);
    }
    [[nodiscard]] QList<ProcessRecord> processes() const;
    [[nodiscard]] int processCount() const;
    [[nodiscard]] Lane &lane(int process);
    [[nodiscard]] const Lane &lane(int process) const;

    void addEvent(RunEvent event);
    [[nodiscard]] const AppendLog<RunEvent> &events() const { return m_events; }

    AppendLog<TaskRecord> tasks;   ///< In order of completion.
    AppendLog<QByteArray> texts;   ///< UTF-8, or the raw bytes of a digest.
    AppendLog<OutputPiece> output; ///< What external programs read and wrote, by time.
    AppendLog<GaugeSample> gauges;
    SnapshotHistory snapshots;
    /// Where rates count from once the run has ended: 0, the gate, or the first operation.
    std::atomic<qint64> workBeginNs{0};
    std::atomic<quint64> droppedSpans{0};    ///< Bars that were not kept, since they came too fast.
    std::atomic<quint64> aggregatedSpans{0}; ///< Tasks or items that stand in summaries only.
    std::atomic<quint64> samplerCpuNs{0};    ///< CPU time that the sampler's thread itself took.

private:
    mutable std::mutex m_mutex;
    // Guarded by m_mutex.
    QList<ProcessRecord> m_processes;
    std::vector<std::unique_ptr<Lane>> m_lanes;
    AppendLog<RunEvent> m_events; // Appending is guarded, reading is free.
};

/// The processes as they were at the instant of @p snapshot, a picture of the run of @p log: also
/// what they had used of cores until then.
[[nodiscard]] QList<ProcessRecord> processesAt(const RunLog &log, const StageSnapshot &snapshot);

/// What happened, one translated line: "worker-3 was ended by SIGKILL".
[[nodiscard]] QString eventText(const RunLog &log, const RunEvent &event);

/// How many of @p samples, of processes or gauges, are no later than @p timeNs.
template<typename Sample>
[[nodiscard]] std::size_t sampleCountUntil(const AppendLog<Sample> &samples, qint64 timeNs)
{
    std::size_t low = 0;
    std::size_t high = samples.size();
    while (low < high) {
        const std::size_t middle = (low + high) / 2;
        if (samples[middle].timeNs <= timeNs)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/// The last value of number @p gauge up to @p timeNs; nullopt before the first.
[[nodiscard]] std::optional<double> gaugeAt(const AppendLog<GaugeSample> &samples, int gauge,
                                            qint64 timeNs);

/// When the first task of @p log that was started was; 0: none was.
[[nodiscard]] qint64 firstStartNs(const RunLog &log);
/// When the last task of @p log was finished; 0: none was.
[[nodiscard]] qint64 lastFinishNs(const RunLog &log);

/// A task's value as JSON: a number, a text, null. Integers beyond ±2^53 become decimal texts.
[[nodiscard]] QJsonValue taskValue(const RunLog &log, const TaskRecord &task);
/// The same for people, at full precision.
[[nodiscard]] QString taskValueText(const RunLog &log, const TaskRecord &task);

/// Why a task failed, one translated line: "task 12 crashed worker-3 (SIGSEGV)"; empty if it did
/// not.
[[nodiscard]] QString taskErrorText(const RunLog &log, const TaskRecord &task);

} // namespace proclab
