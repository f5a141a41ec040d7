// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/process/process_host.h"

#include "core/runtime/task/process_start.h"
#include "core/runtime/task/task_registry.h"

#include <QCoreApplication>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <sys/syscall.h>
#include <unistd.h>

namespace proclab {

using runtime::ObjectSpace;
using runtime::RunHeader;

ProcessRecord::~ProcessRecord()
{
    if (pidFd >= 0)
        ::close(pidFd);
}

Result<std::shared_ptr<ProcessHost>> ProcessHost::instance()
{
    static std::mutex mutex;
    static std::weak_ptr<ProcessHost> known;
    const std::lock_guard lock(mutex);
    if (auto host = known.lock())
        return host;
    Engine *engine = Engine::current();
    if (!engine)
        return Error{QCoreApplication::instance() ? ErrorCode::ShutDown : ErrorCode::InvalidState};
    const std::shared_ptr<ProcessHost> host(new ProcessHost(*engine));
    if (const auto opened = host->open(); !opened)
        return opened.error();
    // The engine's end is the host's: what it holds there keeps it until then.
    engine->beforeEnd(host, [host] { host->end(); });
    known = host;
    return host;
}

Result<void> ProcessHost::open()
{
    runtime::LayoutPlan plan;
    plan.take(sizeof(RunHeader));
    const std::uint64_t slots = plan.take(runtime::maxSlots * sizeof(runtime::ProcessSlot));
    m_segment = runtime::Segment::create("proclab-processes", plan.size());
    if (!m_segment.isValid())
        return osError({}, errno, QCoreApplication::translate("Error", "shared memory"));
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

Result<ProcessGroup *> ProcessHost::groupOf(StartMethod method)
{
    auto &group = m_groups[static_cast<std::size_t>(method)];
    if (group)
        return group.get();
    ProcessGroup::Config config;
    config.program = m_engine.workerProgram();
    config.startMethod = method;
    config.segmentFd = m_segment.fd();
    config.objectsFd = ObjectSpace::instance().descriptor();
    config.output = ProcessGroup::Output::Inherited;
    group = std::make_unique<ProcessGroup>(config, *m_header);
    ProcessGroup *made = group.get();
    QObject::connect(made, &ProcessGroup::started, made,
                     [this](quint32 slot, qint64 pid) { handleStarted(slot, pid); });
    QObject::connect(made, &ProcessGroup::exited, made,
                     [this](quint32 slot, const ChildExit &exit) { handleExit(slot, exit); });
    QObject::connect(made, &ProcessGroup::startFailed, made,
                     [this](quint32 slot, const Error &error) { finish(slot, -1, error); });
    if (const auto opened = made->open(); !opened) {
        group.reset();
        return opened.error();
    }
    return made;
}

Result<void> ProcessHost::start(const std::shared_ptr<ProcessRecord> &record)
{
    QMetaObject::invokeMethod(m_engine.context(),
                              [self = shared_from_this(), record] { self->startInEngine(record); });
    std::unique_lock lock(record->mutex);
    record->changed.wait(lock,
                         [&record] { return record->state > ProcessRecord::State::Starting; });
    if (record->pid == 0)
        return record->failure;
    return {};
}

void ProcessHost::startInEngine(const std::shared_ptr<ProcessRecord> &record)
{
    quint32 slot = 0;
    {
        const std::lock_guard lock(m_mutex);
        while (slot < m_records.size() && m_records[slot])
            ++slot;
        if (slot < m_records.size())
            m_records[slot] = record;
    }
    const auto refuse = [&record](const Error &error) {
        const std::lock_guard lock(record->mutex);
        record->state = ProcessRecord::State::Ended;
        record->failure = error;
        record->changed.notify_all();
    };
    if (slot == m_records.size()) {
        refuse(osError({}, EAGAIN, QCoreApplication::translate("Error", "start of a process")));
        return;
    }
    const auto group = groupOf(record->startMethod);
    if (!group) {
        const std::lock_guard lock(m_mutex);
        m_records[slot].reset();
        refuse(group.error());
        return;
    }
    const runtime::ObjectHandle handle = record->start->handle();
    (*group)->start(slot,
                    {runtime::Role::Process, 0, quint64{handle.index} << 32 | handle.generation});
}

void ProcessHost::handleStarted(quint32 slot, qint64 pid)
{
    std::shared_ptr<ProcessRecord> record;
    {
        const std::lock_guard lock(m_mutex);
        record = m_records[slot];
    }
    const std::lock_guard lock(record->mutex);
    record->pid = pid;
    record->pidFd = static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0));
    record->state = ProcessRecord::State::Running;
    record->changed.notify_all();
}

void ProcessHost::handleExit(quint32 slot, const ChildExit &exit)
{
    finish(slot, exit.signal != 0 ? -exit.signal : exit.exitCode, {});
}

void ProcessHost::finish(quint32 slot, int exitCode, const Error &failure)
{
    std::shared_ptr<ProcessRecord> record;
    {
        const std::lock_guard lock(m_mutex);
        record = std::move(m_records[slot]);
        m_records[slot].reset();
    }
    runtime::ObjectRef start;
    std::vector<runtime::ObjectRef> handles;
    {
        const std::lock_guard lock(record->mutex);
        start = std::move(record->start);
        handles = std::move(record->handles);
        record->exitCode = exitCode;
        record->failure = failure;
        record->state = ProcessRecord::State::Ended;
        record->changed.notify_all();
    }
    if (start->body<runtime::ProcessStart>().claimLanding()) {
        for (const auto &object : handles)
            ObjectSpace::instance().endFlight(object->handle());
    }
}

std::vector<std::shared_ptr<ProcessRecord>> ProcessHost::active() const
{
    std::vector<std::shared_ptr<ProcessRecord>> records;
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
        const auto hasEnded = [&record] { return record->state == ProcessRecord::State::Ended; };
        if (!record->isDaemon)
            record->changed.wait(lock, hasEnded);
        else
            record->changed.wait_for(lock, std::chrono::seconds(1), hasEnded);
    }
    QMetaObject::invokeMethod(
        m_engine.context(), [this] { m_groups = {}; }, Qt::BlockingQueuedConnection);
}

} // namespace proclab
