// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/scene_runner.h"

#include "core/experiment/run/run_means.h"
#include "core/experiment/run/task_input.h"
#include "core/experiment/spec/process_role.h"
#include "core/process/child_calls.h"
#include "core/process/engine.h"
#include "core/process/process_scope.h"

#include <QDeadlineTimer>
#include <QEventLoop>
#include <QTimer>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace proclab {

using Phase = ActivityState::Phase;
using runtime::WaitFor;

namespace {

/// How often the director looks after its processes while it waits for something else.
constexpr int lookAfterMs = 2;
constexpr int longestWaitMs = 1'000;
/// For processes that were killed.
constexpr auto endLimit = 2s;

Span::Activity spanKind(runtime::TraceKind kind)
{
    using runtime::TraceKind;
    switch (kind) {
    case TraceKind::Running:
        return Span::Activity::Running;
    case TraceKind::Ready:
        return Span::Activity::ReadyToRun;
    case TraceKind::Sleeping:
        return Span::Activity::Sleeping;
    case TraceKind::BlockedOnFull:
        return Span::Activity::BlockedOnFull;
    case TraceKind::WaitingOnEmpty:
        return Span::Activity::WaitingOnEmpty;
    case TraceKind::WaitingForLock:
        return Span::Activity::WaitingForLock;
    case TraceKind::Busy:
        return Span::Activity::Busy;
    case TraceKind::Failed:
        break;
    }
    return Span::Activity::Failed;
}

ProcessState waitingState(WaitFor subject)
{
    switch (subject) {
    case WaitFor::Room:
        return ProcessState::BlockedOnFull;
    case WaitFor::Item:
        return ProcessState::WaitingOnEmpty;
    case WaitFor::Lock:
        return ProcessState::WaitingForLock;
    case WaitFor::Signal:
        break;
    }
    return ProcessState::Waiting;
}

/// Fills state, item in hand, how far that is, count and share of waits of @p live from what a
/// process tells at @p timeNs, on an axis that begins at @p gateNs.
void observeActivity(const ActivityState &state, qint64 gateNs, qint64 timeNs, ProcessLive &live)
{
    live.done = state.done;
    live.currentIndex = state.item ? static_cast<qint64>(*state.item) : -1;
    live.currentSinceNs = (state.wait ? state.waitSinceNs : state.itemSinceNs) - gateNs;
    // A wait, such as for room for the item, is no part of its work.
    live.progressPercent = state.wait ? -1 : progressPercent(state.itemProgress);
    if (timeNs > 0)
        live.waitingShare =
            static_cast<double>(state.waitedInAllNs()) / static_cast<double>(timeNs);
    if (state.phase == Phase::New)
        live.state = ProcessState::Starting;
    else if (state.phase == Phase::Ready)
        live.state = ProcessState::AtGate;
    else if (state.wait)
        live.state = waitingState(*state.wait);
    else
        live.state = state.item ? ProcessState::Running : ProcessState::Waiting;
}

} // namespace

void SceneRunner::endDirecting()
{
    stop(StopReason::Stopped);
    // The director waits for what this thread has to do: to reap processes, and calls.
    QEventLoop loop;
    while (m_director.joinable() && !m_hasPlayed.load(std::memory_order_acquire)) {
        loop.processEvents();
        std::this_thread::yield();
    }
    if (m_director.joinable())
        m_director.join();
    if (m_stopFd >= 0)
        ::close(std::exchange(m_stopFd, -1));
}

// ---- engine's thread

Result<void> SceneRunner::start()
{
    // The sampler's thread, which is started next, needs some too, and cannot fail in a clean way.
    if (const int code = whyNoDescriptors(); code != 0)
        return osError(m_context.engine.workerProgram(), code, ErrorText::tr("start of a process"));
    m_stopFd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (m_stopFd < 0)
        return osError({}, errno, ErrorText::tr("event descriptor"));
    QMetaObject::invokeMethod(
        this,
        [this] {
            if (!isStopped() && beginDirecting())
                return;
            m_hasPlayed.store(true, std::memory_order_release);
            Q_EMIT finished();
        },
        Qt::QueuedConnection);
    return {};
}

void SceneRunner::stop(StopReason)
{
    if (m_isStopped.exchange(true) || m_stopFd < 0)
        return;
    const quint64 one = 1;
    [[maybe_unused]] const auto size = ::write(m_stopFd, &one, sizeof one);
    // Not left to the director: it may wait for a lock that one of the processes holds. What it is
    // just starting it kills itself, unless the start does not come to an end.
    const std::lock_guard lock(m_mutex);
    if (m_host)
        m_host->killAll();
    QTimer::singleShot(1s, this, [this] {
        const std::lock_guard lockLater(m_mutex);
        if (m_host)
            m_host->abandonStarts();
    });
}

void SceneRunner::sendSignal(int process, int signal)
{
    const std::lock_guard lock(m_mutex);
    for (const Member &member : m_members) {
        if (member.log != process || process < 0 || !member.isAlive)
            continue;
        if (member.process)
            (void)member.process->sendSignal(signal);
        else if (member.descriptor)
            member.descriptor->sendSignal(signal);
    }
}

void SceneRunner::complete(RunResult &result)
{
    result.totals = m_totals;
    result.engineError = m_engineError;
    const qint64 endNs = lastFinishNs(m_context.log);
    const qint64 beginNs = m_context.log.workBeginNs.load(std::memory_order_relaxed);
    result.elapsedSeconds = static_cast<double>(endNs) / 1e9;
    m_workSeconds = static_cast<double>(endNs - beginNs) / 1e9;
}

/// False: there is no memory for a thread.
bool SceneRunner::beginDirecting()
{
    try {
        m_director = std::thread([this] { direct(); });
        return true;
    } catch (const std::system_error &error) {
        m_engineError = osError({}, error.code().value(), ErrorText::tr("thread of a run"));
        addEvent(RunEvent::Severity::Failure, -1, errorNote("engine_failed"_ba, *m_engineError));
        return false;
    }
}

// ---- the director's thread

void SceneRunner::direct()
{
    noteParentsThread();
    {
        const ProcessScope scope(&m_context.engine, ProcessScope::Output::Dropped);
        {
            const std::lock_guard lock(m_mutex);
            m_host = scope.host();
        }
        const auto played = scope.error() ? Result<void>(*scope.error()) : play();
        if (!played)
            fail(played.error());
        killAll();
        // Whatever the kernel does not let die is left to the end of the scope, which has a limit
        // too.
        const QDeadlineTimer limit(endLimit);
        while (isAnyAlive() && !limit.hasExpired()) {
            awaitEnds(100);
            (void)lookForEnds();
        }
        const std::lock_guard lock(m_mutex);
        m_host.reset();
    }
    m_hasPlayed.store(true, std::memory_order_release);
    QMetaObject::invokeMethod(
        this, [this] { Q_EMIT finished(); }, Qt::QueuedConnection);
}

/// From the first process to the last one's end, or until the run is stopped.
Result<void> SceneRunner::play()
{
    if (auto ready = startAll(); !ready)
        return ready;
    if (auto ready = awaitAll(); !ready)
        return ready;
    openGate();
    if (m_parentsPart) {
        ActivityReport report(*m_parentsPart);
        report.start();
        playParent(report);
    }
    while (!isStopped() && isAnyAlive()) {
        awaitEnds(goOn() ? lookAfterMs : longestWaitMs);
        if (auto looked = lookForEnds(); !looked)
            return looked;
    }
    return {};
}

Result<void> SceneRunner::startAll()
{
    const auto standing = Semaphore::create(0);
    if (!standing)
        return standing.error();
    m_standing = *standing;
    const auto gate = Event::create();
    if (!gate)
        return gate.error();
    m_gate = *gate;
    auto members = setUp();
    if (!members)
        return members.error();
    {
        const std::lock_guard lock(m_mutex);
        m_members = std::move(*members);
    }
    for (std::size_t index = 0; index < m_members.size() && !isStopped(); ++index) {
        if (m_members[index].isDescendant)
            continue;
        if (auto started = startMember(index); !started)
            return started;
    }
    return {};
}

Result<void> SceneRunner::startMember(std::size_t index)
{
    auto activity = Activity::create();
    if (!activity)
        return activity.error();
    {
        const std::lock_guard lock(m_mutex);
        Member &member = m_members[index];
        // Nothing that it tells belongs to the process that it replaces.
        if (member.log >= 0)
            member.replaces = std::exchange(member.log, -1);
        member.activity = *activity;
        member.spansSeen = 0;
    }
    const Member &member = m_members[index];
    const int number = ++m_lastNumbers[member.role];
    ProcessOptions options;
    options.name = processName(member, number);
    options.isDaemon = true;
    options.startMethod = startMethod();
    const auto process = cast(member, {*activity, *m_standing, *m_gate}, options);
    if (!process)
        return process.error();
    if (auto started = process->start(); !started)
        return started;
    const int log = addProcess(*member.role, options.name, *process->pid(), member.replaces);
    const std::lock_guard lock(m_mutex);
    m_members[index].process = *process;
    m_members[index].log = log;
    m_members[index].isAlive = true;
    return {};
}

void SceneRunner::noteDescendant(std::size_t index, qint64 pid, qint64 startedNs)
{
    const ProcessRole &role = *m_members[index].role;
    const int log =
        addProcess(role, processName(m_members[index], ++m_lastNumbers[&role]), pid, -1);
    m_context.log.updateProcess(
        log, [&](ProcessRecord &record) { record.startNs = sinceGate(startedNs); });
    auto descriptor = ProcessDescriptor::open(pid);
    const std::lock_guard lock(m_mutex);
    if (descriptor)
        m_members[index].descriptor =
            std::make_shared<const ProcessDescriptor>(std::move(*descriptor));
    m_members[index].log = log;
    m_members[index].isAlive = true;
}

Result<void> SceneRunner::makeParentsPart()
{
    auto activity = Activity::create();
    if (!activity)
        return activity.error();
    const std::lock_guard lock(m_mutex);
    m_parentsPart = *activity;
    return {};
}

void SceneRunner::replace(std::size_t index, quint64 next)
{
    {
        const std::lock_guard lock(m_mutex);
        m_members[index].next = next;
    }
    if (const auto started = startMember(index); !started)
        fail(started.error());
}

/// The run cannot go on.
void SceneRunner::fail(const Error &error)
{
    if (m_isStopped.exchange(true))
        return;
    m_engineError = error;
    addEvent(RunEvent::Severity::Failure, -1, errorNote("engine_failed"_ba, error));
}

bool SceneRunner::joinMember(std::size_t index, TimeLimit limit)
{
    const QDeadlineTimer deadline =
        limit ? QDeadlineTimer(*limit, Qt::PreciseTimer) : QDeadlineTimer(QDeadlineTimer::Forever);
    while (!isStopped() && m_members[index].isAlive && !deadline.hasExpired()) {
        const qint64 left = deadline.isForever() ? longestWaitMs : deadline.remainingTime() + 1;
        awaitEnds(static_cast<int>(std::min<qint64>(left, longestWaitMs)));
        if (auto looked = lookForEnds(); !looked)
            fail(looked.error());
    }
    return !m_members[index].isAlive;
}

void SceneRunner::endMember(std::size_t index, TaskError reason)
{
    m_members[index].endedFor = reason;
    (void)m_members[index].process->terminate();
}

/// Until all stand ready at the gate.
Result<void> SceneRunner::awaitAll()
{
    const auto isReady = [](const Member &member) {
        return member.isDescendant ||
               (member.isAlive && member.activity->state().phase == Phase::Ready);
    };
    while (!isStopped() && !std::ranges::all_of(m_members, isReady)) {
        (void)m_standing->acquire(std::chrono::milliseconds(lookAfterMs));
        if (auto looked = lookForEnds(); !looked)
            return looked;
    }
    return {};
}

void SceneRunner::openGate()
{
    if (isStopped())
        return;
    m_isOpen = true;
    Q_EMIT aboutToOpen();
    const qint64 now = runtime::nowNs();
    noteGate(now);
    m_gate->set();
}

/// Waits for an end, a stop, or the time.
void SceneRunner::awaitEnds(int timeoutMs)
{
    std::vector<pollfd> polled;
    std::vector<const Process *> processes;
    for (const Member &member : m_members) {
        if (!member.isAlive || !member.process)
            continue;
        const auto sentinel = member.process->sentinel();
        polled.push_back({sentinel ? *sentinel : -1, POLLIN, 0});
        processes.push_back(&*member.process);
    }
    if (!isStopped())
        polled.push_back({m_stopFd, POLLIN, 0});
    if (::poll(polled.data(), polled.size(), timeoutMs) <= 0)
        return;
    for (std::size_t i = 0; i < processes.size(); ++i) {
        if (polled[i].revents != 0) // The engine reaps it in a moment.
            (void)processes[i]->join(1s);
    }
}

Result<void> SceneRunner::lookForEnds()
{
    // Descendants end before the member that has waited for them.
    for (const bool isDescendant : {true, false}) {
        for (std::size_t index = 0; index < m_members.size(); ++index) {
            if (!m_members[index].isAlive || m_members[index].isDescendant != isDescendant)
                continue;
            const auto end = endOf(index);
            if (!end)
                continue;
            if (auto handled = handleEnd(index, *end); !handled)
                return handled;
        }
    }
    return {};
}

/// No value while it runs.
std::optional<ProcessEnd> SceneRunner::endOf(std::size_t index)
{
    const Member &member = m_members[index];
    if (member.isDescendant)
        return descendantEnd(index);
    const auto isAlive = member.process->isAlive();
    return isAlive && *isAlive ? std::nullopt : *member.process->end();
}

Result<void> SceneRunner::handleEnd(std::size_t index, const ProcessEnd &end)
{
    const Member &member = m_members[index];
    const ActivityState state = member.activity->state();
    const bool wasReady = member.isDescendant || state.phase != Phase::New;
    ChildExit exit;
    exit.exitCode = end.exitCode;
    exit.signal = end.signal;
    if (end.cpuTime)
        exit.cpuNs = end.cpuTime->count();
    exit.peakResidentBytes = end.peakResidentBytes;
    noteExit(member.log, exit,
             isStopped() || member.endedFor != TaskError::None || member.isEndShown, state.done,
             state.waitedInAllNs());
    {
        const std::lock_guard lock(m_mutex);
        drainMember(m_members[index]);
        noteUnfinished(member, state);
        m_members[index].isAlive = false;
        accumulate(index, state);
    }
    const QString &program = m_context.engine.workerProgram();
    if (!wasReady && end.signal == 0 && end.exitCode == runtime::refusedExitCode)
        return Error{ErrorCode::ProcessFailed,
                     program,
                     ErrorText::tr("it, or proclab-scenes beside it, is of another build than this "
                                   "program or cannot be started"),
                     {},
                     0};
    if (m_startDeaths.noteEnd(exit, wasReady, static_cast<int>(m_members.size()), runtime::nowNs()))
        return Error{ErrorCode::ProcessFailed,
                     program,
                     ErrorText::tr("processes end before they are ready"),
                     {},
                     0};
    recordResult(member, end, state);
    if (isStopped())
        return {};
    if (m_isOpen) {
        memberEnded(index, end);
        return {};
    }
    return startMember(index);
}

/// What it was at when it ended, as far as no bar of it is there yet: an item in hand, or the lock
/// that it was to be seen waiting for.
void SceneRunner::noteUnfinished(const Member &member, const ActivityState &state)
{
    if (m_isOpen && member.isEndShown && state.wait == WaitFor::Lock)
        m_context.log.lane(member.log)
            .spans.append({sinceGate(state.waitSinceNs),
                           m_context.log.processes().at(member.log).endNs, 0, 1,
                           Span::Activity::WaitingForLock, 0.0F});
    if (!m_isOpen || !state.item)
        return;
    RunLog::Lane &lane = m_context.log.lane(member.log);
    const std::size_t told = lane.spans.size();
    const qint64 fromNs =
        std::max(told > 0 ? lane.spans[told - 1].endNs : 0, sinceGate(state.itemSinceNs));
    const qint64 toNs = m_context.log.processes().at(member.log).endNs;
    if (toNs > fromNs)
        lane.spans.append({fromNs, toNs, static_cast<quint32>(itemNumber(member, *state.item)), 1,
                           Span::Activity::Failed, workShare(lane.samples, fromNs, toNs)});
}

/// One result a process: what it did, or how it failed.
void SceneRunner::recordResult(const Member &member, const ProcessEnd &end,
                               const ActivityState &state)
{
    TaskRecord record;
    ++m_totals.tasks;
    record.index = static_cast<quint32>(member.log - 1); // The parent is number 0 of the log.
    record.process = member.log;
    record.submittedNs = 0;
    if (state.firstOperationNs > 0)
        record.startedNs = sinceGate(state.firstOperationNs);
    else if (state.item)
        record.startedNs = sinceGate(state.itemSinceNs);
    // What it did ended before it did; what broke off was still at it.
    const bool isWhole = end.signal == 0 && end.exitCode == 0 && state.lastOperationNs > 0;
    if (gateNs() != 0)
        record.finishedNs = isWhole ? sinceGate(state.lastOperationNs)
                                    : m_context.log.processes().at(member.log).endNs;
    record.valueType = TaskRecord::ValueType::Unsigned;
    record.unsignedInteger = state.done;
    if ((end.signal == 0 && end.exitCode == 0) || member.isEndShown) {
        ++m_totals.done;
    } else if (isStopped()) {
        ++m_totals.cancelled;
        record.status = TaskStatus::Cancelled;
        record.error = TaskError::Cancelled;
    } else if (member.endedFor != TaskError::None) {
        ++m_totals.failed;
        record.status = TaskStatus::Failed;
        record.error = member.endedFor;
        record.code = static_cast<qint16>(end.signal);
    } else if (!isOwnDoing(end)) {
        ++m_totals.lost;
        record.status = TaskStatus::Lost;
        record.error = TaskError::Lost;
        record.code = static_cast<qint16>(end.signal);
    } else {
        ++m_totals.failed;
        record.status = TaskStatus::Failed;
        record.error = end.signal != 0 ? TaskError::Signal : TaskError::Exit;
        record.code = static_cast<qint16>(end.signal != 0 ? end.signal : end.exitCode);
    }
    m_context.log.tasks.append(record);
    m_context.log.workBeginNs.store(firstStartNs(m_context.log), std::memory_order_relaxed);
}

void SceneRunner::killAll()
{
    for (const Member &member : m_members) {
        if (member.isAlive && member.process)
            (void)member.process->kill();
        else if (member.isAlive && member.descriptor)
            member.descriptor->sendSignal(SIGKILL);
    }
}

bool SceneRunner::isAnyAlive() const
{
    return std::ranges::any_of(m_members, &Member::isAlive);
}

QString SceneRunner::processName(const Member &member, int number) const
{
    return member.role->processName(number);
}

Work SceneRunner::workAt(const QString &block, qsizetype index) const
{
    const ExperimentSpec &spec = m_context.spec;
    const quint32 workload = workloadNumber(spec, block);
    if (workload == Work::none)
        return {};
    return {workload, static_cast<quint64>(spec.bigInteger(u"seed"_s)),
            encodedArguments(spec, block, index)};
}

StartMethod SceneRunner::startMethod() const
{
    const auto chosen =
        startMethodOf(m_context.spec.text(m_context.spec.kind() % u".start_method"_s));
    return chosen ? *chosen : StartMethod::Spawn;
}

// ---- any thread

void SceneRunner::drainTrace()
{
    if (gateNs() == 0)
        return;
    const std::lock_guard lock(m_mutex);
    for (Member &member : m_members)
        drainMember(member);
    if (m_parentsPart)
        drain(*m_parentsPart, m_parentsSpansSeen, nullptr);
}

void SceneRunner::drainMember(Member &member)
{
    if (member.log >= 0 && member.activity)
        drain(*member.activity, member.spansSeen, &member);
}

/// Moves new spans to the lane of the process of @p member; null: the parent.
void SceneRunner::drain(const Activity &activity, std::uint64_t &spansSeen, const Member *member)
{
    RunLog &log = m_context.log;
    auto &spans = log.lane(member ? member->log : 0).spans;
    m_drained.clear();
    const quint64 missed = activity.drain(
        spansSeen, [this](const runtime::TraceSpan &span) { m_drained.push_back(span); });
    if (missed > 0) {
        log.droppedSpans.fetch_add(missed, std::memory_order_relaxed);
        // The oldest are overwritten first: the gap lies before those that are still there.
        const qint64 from = spans.isEmpty() ? 0 : spans[spans.size() - 1].endNs;
        const qint64 to = m_drained.empty() ? from : sinceGate(m_drained.front().startNs);
        if (to > from)
            spans.append(
                {from, to, 0, static_cast<quint32>(missed), Span::Activity::Dropped, 0.0F});
    }
    for (const runtime::TraceSpan &span : m_drained) {
        const quint64 index = member ? itemNumber(*member, span.index) : span.index;
        spans.append({sinceGate(span.startNs), sinceGate(span.endNs), static_cast<quint32>(index),
                      span.count, spanKind(span.kind),
                      static_cast<float>(span.busyPercent) / 100.0F});
        if (span.count > 1)
            log.aggregatedSpans.fetch_add(span.count, std::memory_order_relaxed);
    }
}

/// Called under the mutex.
void SceneRunner::observe(StageSnapshot &snapshot, GaugeSample &)
{
    for (const Member &member : m_members) {
        if (!member.isAlive || member.log >= snapshot.processes.size())
            continue;
        ProcessLive &live = snapshot.processes[member.log];
        observeActivity(member.activity->state(), gateNs(), snapshot.timeNs, live);
        if (live.currentIndex >= 0)
            live.currentIndex =
                static_cast<qint64>(itemNumber(member, static_cast<quint64>(live.currentIndex)));
    }
    if (m_parentsPart && gateNs() != 0 && !snapshot.processes.isEmpty())
        observeActivity(m_parentsPart->state(), gateNs(), snapshot.timeNs, snapshot.processes[0]);
}

} // namespace proclab
