// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/process/process_host.h"

#include "core/process/fork.h"
#include "core/runtime/task/process_start.h"
#include "core/runtime/task/task_registry.h"

#include <QCoreApplication>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include <sys/syscall.h>
#include <unistd.h>

namespace proclab {

using runtime::ObjectSpace;
using runtime::RunHeader;

namespace {

std::mutex theHostMutex;
std::weak_ptr<ProcessHost> theHost; // Guarded by it.
thread_local ProcessHost::OfThread ofThread;

/// Of one that could not be started, or whose end nobody could wait for.
constexpr ProcessEnd unknownEnd = {.exitCode = -1};

} // namespace

StartedProcess::~StartedProcess()
{
    if (pidFd >= 0)
        ::close(pidFd);
}

Result<std::shared_ptr<ProcessHost>> ProcessHost::instance()
{
    if (ofThread.error)
        return *ofThread.error;
    if (ofThread.host)
        return ofThread.host;
    const std::lock_guard lock(theHostMutex);
    if (auto host = theHost.lock())
        return host;
    Engine *engine = Engine::current();
    if (!engine)
        return Error{QCoreApplication::instance() ? ErrorCode::ShutDown : ErrorCode::InvalidState};
    const auto host = make(*engine, ProcessGroup::Output::Inherited);
    if (!host)
        return host;
    // The engine's end is the host's: what it holds there keeps it until then.
    engine->beforeEnd(*host, [host = *host] { host->end(); });
    theHost = *host;
    return host;
}

Result<std::shared_ptr<ProcessHost>> ProcessHost::make(Engine &engine, ProcessGroup::Output output)
{
    std::shared_ptr<ProcessHost> host(new ProcessHost(engine, output));
    if (const auto opened = host->open(); !opened)
        return opened.error();
    return host;
}

ProcessHost::OfThread ProcessHost::setOfThread(OfThread next)
{
    return std::exchange(ofThread, std::move(next));
}

ProcessHost::~ProcessHost() = default;

void ProcessHost::forget()
{
    new (&theHostMutex) std::mutex;
    // What they are copies of is the parent's to end: they stay as they are.
    new std::shared_ptr<ProcessHost>(theHost.lock());
    theHost.reset();
    new OfThread(std::exchange(ofThread, {}));
}

Result<void> ProcessHost::open()
{
    runtime::LayoutPlan plan;
    plan.take(sizeof(RunHeader));
    const std::uint64_t slots = plan.take(runtime::maxSlots * sizeof(runtime::ProcessSlot));
    m_segment = runtime::Segment::create("proclab-processes", plan.size());
    if (!m_segment.isValid())
        return osError({}, errno, ErrorText::tr("shared memory"));
    m_header = m_segment.at<RunHeader>(0);
    m_header->magic = RunHeader::magicNumber;
    m_header->layoutHash = runtime::layoutHash();
    m_header->tasksHash = runtime::registeredTasksHash();
    m_header->parentPid = ::getpid();
    m_header->nesting = runtime::nestingDepth() + 1;
    m_header->programPid = runtime::programPid();
    m_header->slotCount = runtime::maxSlots;
    m_header->slotsOffset = slots;
    m_header->gate.store(1, std::memory_order_release);
    return {};
}

std::unique_ptr<ProcessGroup> ProcessHost::makeGroup(StartMethod method)
{
    ProcessGroup::Config config;
    config.program = m_engine.workerProgram();
    config.startMethod = method;
    config.segmentFd = m_segment.fd();
    config.objectsFd = ObjectSpace::instance().descriptor();
    config.output = m_output;
    auto group = std::make_unique<ProcessGroup>(config, *m_header);
    QObject::connect(group.get(), &ProcessGroup::started, group.get(),
                     [this](quint32 slot, qint64 pid) { handleStarted(slot, pid); });
    QObject::connect(group.get(), &ProcessGroup::exited, group.get(),
                     [this](quint32 slot, const ChildExit &exit) { handleExit(slot, exit); });
    QObject::connect(group.get(), &ProcessGroup::startFailed, group.get(),
                     [this](quint32 slot, const Error &error) { finish(slot, unknownEnd, error); });
    return group;
}

Result<ProcessGroup *> ProcessHost::groupOf(StartMethod method)
{
    auto &group = m_groups[method == StartMethod::Spawn ? 0 : 1];
    if (!group) {
        group = makeGroup(method);
        if (const auto opened = group->open(); !opened) {
            group.reset();
            return opened.error();
        }
    }
    return group.get();
}

std::optional<quint32> ProcessHost::takeSlot(const std::shared_ptr<StartedProcess> &record)
{
    const std::lock_guard lock(m_mutex);
    const auto free = std::ranges::find(m_records, nullptr);
    if (free == m_records.end()) {
        refuse(*record, osError({}, EAGAIN, ErrorText::tr("start of a process")));
        return std::nullopt;
    }
    *free = record;
    return static_cast<quint32>(free - m_records.begin());
}

void ProcessHost::refuse(StartedProcess &record, const Error &error)
{
    const std::lock_guard lock(record.mutex);
    record.state = StartedProcess::State::Ended;
    record.failure = error;
    record.changed.notify_all();
}

Result<void> ProcessHost::waitUntilStarted(const StartedProcess &record) const
{
    std::unique_lock lock(record.mutex);
    record.changed.wait(lock, [&record] { return record.state > StartedProcess::State::Starting; });
    if (record.pid == 0)
        return record.failure;
    return {};
}

Result<void> ProcessHost::start(const std::shared_ptr<StartedProcess> &record)
{
    QMetaObject::invokeMethod(m_engine.context(),
                              [self = shared_from_this(), record] { self->startInEngine(record); });
    return waitUntilStarted(*record);
}

void ProcessHost::startInEngine(const std::shared_ptr<StartedProcess> &record)
{
    const auto slot = takeSlot(record);
    if (!slot)
        return;
    const auto group = groupOf(record->startMethod);
    if (!group) {
        finish(*slot, unknownEnd, group.error());
        return;
    }
    const runtime::ObjectHandle handle = record->start->handle();
    (*group)->start(*slot,
                    {runtime::Role::Process, 0, quint64{handle.index} << 32 | handle.generation});
}

Result<pid_t> ProcessHost::fork(const std::shared_ptr<StartedProcess> &record)
{
    const auto slot = takeSlot(record);
    if (!slot)
        return record->failure;
    const runtime::ObjectHandle start = record->start->handle();
    const auto pid = process_detail::forkCaller();
    if (!pid) {
        finish(*slot, unknownEnd, pid.error());
        return pid;
    }
    if (*pid == 0) {
        ::setpgid(0, 0);
        // Only without its parent there is no start.
        if (!runtime::becomeForkedProcess(start))
            ::_exit(0);
        return pid;
    }
    ::setpgid(*pid, *pid); // Whoever of the two comes first.
    QMetaObject::invokeMethod(m_engine.context(),
                              [self = shared_from_this(), slot = *slot, pid = *pid] {
                                  if (!self->m_forked)
                                      self->m_forked = self->makeGroup(StartMethod::Fork);
                                  self->m_forked->watch(slot, pid);
                              });
    if (const auto started = waitUntilStarted(*record); !started)
        return started.error();
    return pid;
}

void ProcessHost::handleStarted(quint32 slot, qint64 pid)
{
    std::shared_ptr<StartedProcess> record;
    {
        const std::lock_guard lock(m_mutex);
        record = m_records[slot];
    }
    const std::lock_guard lock(record->mutex);
    record->pidFd = static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0));
    if (record->pidFd < 0) {
        // Without a descriptor nobody could end it, or wait for its end. It cannot be gone yet,
        // since nobody has taken its exit status. Once that is taken, its start has failed.
        record->failure =
            osError(m_engine.workerProgram(), errno, ErrorText::tr("handle of a process"));
        ::kill(static_cast<pid_t>(pid), SIGKILL);
        return;
    }
    record->pid = pid;
    record->state = StartedProcess::State::Running;
    record->changed.notify_all();
}

void ProcessHost::handleExit(quint32 slot, const ChildExit &exit)
{
    Error failure;
    {
        const std::lock_guard lock(m_mutex);
        const std::lock_guard recordLock(m_records[slot]->mutex);
        m_records[slot]->blackBox = exit.blackBox;
        failure = m_records[slot]->failure;
    }
    const int ownSignal = m_header->slot(slot).ownSignal.load(std::memory_order_acquire);
    ProcessEnd end{exit.exitCode, exit.signal, exit.signal != 0 && exit.signal == ownSignal,
                   std::nullopt, exit.peakResidentBytes};
    if (exit.cpuNs)
        end.cpuTime = std::chrono::nanoseconds(*exit.cpuNs);
    finish(slot, end, failure);
}

void ProcessHost::finish(quint32 slot, const ProcessEnd &end, const Error &failure)
{
    std::shared_ptr<StartedProcess> record;
    {
        const std::lock_guard lock(m_mutex);
        record = std::move(m_records[slot]);
        m_records[slot].reset();
    }
    runtime::ObjectRef start;
    {
        const std::lock_guard lock(record->mutex);
        start = std::move(record->start);
        record->end = end;
        record->failure = failure;
        record->state = StartedProcess::State::Ended;
        record->changed.notify_all();
    }
    start->body<runtime::ProcessStart>().releaseParcel(ObjectSpace::instance());
}

std::vector<std::shared_ptr<StartedProcess>> ProcessHost::active() const
{
    std::vector<std::shared_ptr<StartedProcess>> records;
    const std::lock_guard lock(m_mutex);
    for (const auto &record : m_records) {
        if (record)
            records.push_back(record);
    }
    return records;
}

/// As at the end of a Python program: daemons are ended, all others waited for.
void ProcessHost::end()
{
    for (const auto &record : active()) {
        std::unique_lock lock(record->mutex);
        if (record->isDaemon && record->pidFd >= 0)
            ::syscall(SYS_pidfd_send_signal, record->pidFd, SIGTERM, nullptr, 0);
    }
    for (const auto &record : active()) {
        std::unique_lock lock(record->mutex);
        const auto hasEnded = [&record] { return record->state == StartedProcess::State::Ended; };
        if (!record->isDaemon)
            record->changed.wait(lock, hasEnded);
        else
            record->changed.wait_for(lock, std::chrono::seconds(1), hasEnded);
    }
    dropGroups();
}

void ProcessHost::dropGroups()
{
    QMetaObject::invokeMethod(
        m_engine.context(),
        [this] {
            m_groups = {};
            m_forked.reset();
        },
        Qt::BlockingQueuedConnection);
}

void ProcessHost::killAll() const
{
    for (const auto &record : active()) {
        const std::lock_guard lock(record->mutex);
        if (record->pidFd >= 0)
            ::syscall(SYS_pidfd_send_signal, record->pidFd, SIGKILL, nullptr, 0);
    }
}

void ProcessHost::abandonStarts()
{
    const auto isStarting = [](const auto &record) {
        const std::lock_guard lock(record->mutex);
        return record->state == StartedProcess::State::Starting;
    };
    if (std::ranges::none_of(active(), isStarting))
        return;
    m_groups = {};
    m_forked.reset();
    for (quint32 slot = 0; slot < m_records.size(); ++slot) {
        if (m_records[slot])
            finish(slot, {.signal = SIGKILL}, Error{ErrorCode::ShutDown});
    }
}

void ProcessHost::close()
{
    killAll();
    for (const auto &record : active()) {
        std::unique_lock lock(record->mutex);
        record->changed.wait_for(lock, std::chrono::seconds(2), [&record] {
            return record->state == StartedProcess::State::Ended;
        });
    }
    dropGroups();
    // Whatever did not end in time, stuck in the kernel, is no concern of its handles any more.
    for (quint32 slot = 0; slot < m_records.size(); ++slot) {
        if (m_records[slot])
            finish(slot, unknownEnd, {});
    }
}

} // namespace proclab
