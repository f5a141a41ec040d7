// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/group_runner.h"

#include "core/experiment/spec/process_role.h"
#include "core/process/engine.h"

#include <QSocketNotifier>

#include <cerrno>
#include <climits>

#include <sys/eventfd.h>
#include <unistd.h>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

Span::Kind spanKind(runtime::TraceKind kind)
{
    using runtime::TraceKind;
    switch (kind) {
    case TraceKind::Running:
        return Span::Kind::Running;
    case TraceKind::Sleeping:
        return Span::Kind::Sleeping;
    case TraceKind::BlockedOnFull:
        return Span::Kind::BlockedOnFull;
    case TraceKind::WaitingOnEmpty:
        return Span::Kind::WaitingOnEmpty;
    case TraceKind::WaitingForLock:
        return Span::Kind::WaitingForLock;
    case TraceKind::Busy:
        return Span::Kind::Busy;
    case TraceKind::Failed:
        break;
    }
    return Span::Kind::Failed;
}

} // namespace

GroupRunner::GroupRunner(RunnerContext context) : ExperimentRunner(context) {}

GroupRunner::~GroupRunner()
{
    m_wakeUps.reset();
    m_group.reset();
    if (m_eventFd >= 0)
        ::close(m_eventFd);
}

Result<void> GroupRunner::makeSegment(const char *name, quint32 slots, std::size_t partBytes)
{
    using namespace runtime;
    LayoutPlan plan;
    plan.take(sizeof(RunHeader));
    const quint64 slotsOffset = plan.take(slots * sizeof(ProcessSlot));
    const quint64 partOffset = plan.take(partBytes);
    m_segment = Segment::create(name, plan.size());
    if (!m_segment.isValid())
        return osError({}, errno, ErrorText::tr("shared memory of %1 MiB").arg(plan.size() >> 20));
    m_header = m_segment.at<RunHeader>(0);
    m_header->magic = RunHeader::magicNumber;
    m_header->layoutHash = layoutHash();
    m_header->parentPid = ::getpid();
    m_header->slotCount = slots;
    m_header->seed = static_cast<quint64>(m_context.spec.bigInteger(u"seed"_s));
    m_header->slotsOffset = slotsOffset;
    m_header->partOffset = partOffset;
    return {};
}

Result<void> GroupRunner::startAll(std::vector<Member> members, QString startMethod, int inputFd)
{
    m_eventFd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (m_eventFd < 0)
        return osError({}, errno, ErrorText::tr("event descriptor"));
    m_wakeUps = std::make_unique<QSocketNotifier>(m_eventFd, QSocketNotifier::Read);
    connect(m_wakeUps.get(), &QSocketNotifier::activated, this, [this] {
        quint64 count = 0;
        [[maybe_unused]] const auto size = ::read(m_eventFd, &count, sizeof count);
        checkReady();
    });
    m_group = std::make_unique<ProcessGroup>(
        ProcessGroup::Config{m_context.engine.workerProgram(), *startMethodOf(startMethod),
                             m_segment.fd(), inputFd, m_eventFd},
        *m_header);
    connect(m_group.get(), &ProcessGroup::started, this, &GroupRunner::handleStarted);
    connect(m_group.get(), &ProcessGroup::exited, this, &GroupRunner::handleExit);
    connect(m_group.get(), &ProcessGroup::startFailed, this, &GroupRunner::handleStartFailure);
    if (const auto opened = m_group->open(); !opened)
        return opened;
    m_members = std::move(members);
    for (quint32 slot = 0; slot < m_members.size(); ++slot)
        m_group->start(slot, m_members[slot].assignment);
    return {};
}

void GroupRunner::replace(quint32 slot, quint64 firstItem)
{
    {
        const std::lock_guard lock(m_mutex);
        Member &member = m_members[slot];
        member.replaces = member.process;
        member.assignment.firstItem = firstItem;
    }
    m_group->start(slot, m_members[slot].assignment);
}

void GroupRunner::stop(StopReason)
{
    m_isStopped = true;
    if (m_group)
        m_group->killAll();
    endIfDone();
}

void GroupRunner::fail(const Error &error)
{
    if (!m_engineError) {
        m_engineError = error;
        addEvent(RunEvent::Severity::Failure, -1, errorNote("engine_failed"_ba, error));
    }
    stop(StopReason::Stopped);
}

void GroupRunner::handleStarted(quint32 slot, qint64 pid)
{
    const Member member = m_members[slot];
    const int process =
        addProcess(*member.role, ++m_lastNumbers[member.role], pid, member.replaces);
    {
        const std::lock_guard lock(m_mutex);
        m_members[slot].process = process;
        m_members[slot].isAlive = true;
    }
    checkReady();
}

void GroupRunner::checkReady()
{
    if (m_isReady || m_isStopped)
        return;
    for (quint32 slot = 0; slot < m_members.size(); ++slot) {
        if (!m_members[slot].isAlive ||
            m_header->slot(slot).phase.load(std::memory_order_acquire) != runtime::Phase::Ready)
            return;
    }
    m_isReady = true;
    const qint64 now = runtime::nowNs();
    m_header->gateNs.store(now, std::memory_order_relaxed);
    noteGate(now);
    m_header->gate.store(1, std::memory_order_release);
    runtime::futexWake(m_header->gate, INT_MAX);
    begin();
}

void GroupRunner::handleExit(quint32 slot, const ChildExit &exit)
{
    const bool wasReady =
        m_header->slot(slot).phase.load(std::memory_order_acquire) >= runtime::Phase::Ready;
    const bool isRefused = !wasReady && exit.exitCode == runtime::refusedExitCode;
    m_startDeaths = wasReady ? 0 : m_startDeaths + 1;
    if (m_members[slot].process >= 0)
        noteExit(m_members[slot].process, exit, m_isStopped, m_header->slot(slot).done());
    {
        const std::lock_guard lock(m_mutex);
        drainSlot(slot);
        m_members[slot].isAlive = false;
        accumulate(slot);
    }
    if (isRefused) {
        fail({ErrorCode::ProcessFailed,
              m_context.engine.workerProgram(),
              ErrorText::tr("it is of another build than this program"),
              {},
              0});
    } else if (m_startDeaths > 3 + static_cast<int>(m_members.size())) {
        fail({ErrorCode::ProcessFailed,
              m_context.engine.workerProgram(),
              ErrorText::tr("processes end before they are ready"),
              {},
              0});
    } else {
        recordResult(slot, exit);
        if (!m_isStopped) {
            if (!wasReady && !m_isReady)
                m_group->start(slot, m_members[slot].assignment);
            else
                memberEnded(slot, exit);
        }
    }
    endIfDone();
}

void GroupRunner::handleStartFailure(quint32, const Error &error)
{
    if (!m_isStopped)
        fail(error);
    endIfDone();
}

/// One result a process: what it did, or how it failed.
void GroupRunner::recordResult(quint32 slot, const ChildExit &exit)
{
    if (m_members[slot].process < 0)
        return;
    const runtime::ProcessSlot &place = m_header->slot(slot);
    const auto relative = [this](qint64 ns) { return ns > 0 ? sinceGate(ns) : -1; };
    TaskRecord record;
    record.index = static_cast<quint32>(m_totals.tasks++);
    record.process = m_members[slot].process;
    record.submittedNs = 0;
    record.startedNs = relative(place.firstOperationNs.load(std::memory_order_relaxed));
    record.finishedNs = gateNs() != 0 ? sinceGate(runtime::nowNs()) : 0;
    record.valueType = TaskRecord::ValueType::Unsigned;
    record.unsignedInteger = place.done();
    const int ownSignal = place.ownSignal.load(std::memory_order_acquire);
    if (exit.signal == 0 && exit.exitCode == 0) {
        ++m_totals.done;
    } else if (m_isStopped) {
        ++m_totals.cancelled;
        record.status = TaskStatus::Cancelled;
        record.error = TaskError::Cancelled;
    } else if (exit.signal != 0 && ownSignal != exit.signal) {
        ++m_totals.lost;
        record.status = TaskStatus::Lost;
        record.error = TaskError::Lost;
        record.code = static_cast<qint16>(exit.signal);
    } else {
        ++m_totals.failed;
        record.status = TaskStatus::Failed;
        record.error = exit.signal != 0 ? TaskError::Signal : TaskError::Exit;
        record.code = static_cast<qint16>(exit.signal != 0 ? exit.signal : exit.exitCode);
    }
    m_context.log.tasks.append(record);
}

void GroupRunner::endIfDone()
{
    if (m_isFinished || !m_group || m_group->childCount() > 0)
        return;
    m_isFinished = true;
    m_wakeUps->setEnabled(false);
    allEnded();
    Q_EMIT finished();
}

void GroupRunner::drainTrace()
{
    if (gateNs() == 0)
        return;
    const std::lock_guard lock(m_mutex);
    for (quint32 slot = 0; slot < m_members.size(); ++slot)
        drainSlot(slot);
}

void GroupRunner::drainSlot(quint32 slot)
{
    Member &member = m_members[slot];
    if (member.process < 0)
        return;
    RunLog &log = m_context.log;
    auto &spans = log.lane(member.process).spans;
    m_drained.clear();
    const quint64 missed = m_header->slot(slot).trace.drain(
        member.traceCursor, [this](const runtime::TraceSpan &span) { m_drained.push_back(span); });
    if (missed > 0) {
        log.droppedSpans.fetch_add(missed, std::memory_order_relaxed);
        // The oldest are overwritten first: the gap lies before those that are still there.
        const qint64 from = spans.isEmpty() ? 0 : spans[spans.size() - 1].endNs;
        const qint64 to = m_drained.empty() ? from : sinceGate(m_drained.front().startNs);
        if (to > from)
            spans.append({from, to, 0, static_cast<quint32>(missed), Span::Kind::Dropped, 0.0F});
    }
    for (const runtime::TraceSpan &span : m_drained) {
        spans.append({sinceGate(span.startNs), sinceGate(span.endNs), span.index, span.count,
                      spanKind(span.kind), static_cast<float>(span.busyPercent) / 100.0F});
        if (span.count > 1)
            log.aggregatedSpans.fetch_add(span.count, std::memory_order_relaxed);
    }
}

qint64 GroupRunner::waitedNs(const runtime::ProcessSlot &slot, runtime::WaitKind kind, qint64 nowNs)
{
    const auto &waited = kind == runtime::WaitKind::QueueEmpty ? slot.waitedEmptyNs : slot.waitedNs;
    qint64 sum = waited.load(std::memory_order_relaxed);
    if (slot.wait.load(std::memory_order_relaxed) == kind)
        sum += std::max<qint64>(0, nowNs - slot.waitSinceNs.load(std::memory_order_relaxed));
    return sum;
}

/// Called under the mutex.
void GroupRunner::observe(StageSnapshot &snapshot, GaugeSample &)
{
    for (quint32 slot = 0; slot < m_members.size(); ++slot) {
        const Member &member = m_members[slot];
        if (!member.isAlive || member.process >= snapshot.processes.size())
            continue;
        observeSlot(m_header->slot(slot), gateNs(), snapshot.processes[member.process]);
    }
}

void GroupRunner::complete(RunResult &result)
{
    result.totals = m_totals;
    result.engineError = m_engineError;
    result.elapsedSeconds = static_cast<double>(lastFinishNs(m_context.log)) / 1e9;
}

} // namespace proclab
