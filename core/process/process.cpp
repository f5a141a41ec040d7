// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/process/process.h"

#include "core/process/finalizer.h"
#include "core/process/fork.h"
#include "core/runtime/task/process_start.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <limits>

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace proclab {

using runtime::currentProcess;
using runtime::ObjectSpace;
using runtime::ProcessStart;
using State = StartedProcess::State;

namespace {

/// What joining process @p pid waits for.
runtime::WaitSubject endOf(qint64 pid)
{
    return {runtime::WaitSubject::Type::Process, static_cast<std::uint64_t>(pid)};
}

/// Waits for the end of process @p pid by its descriptor; false: not within @p limit.
bool waitForEnd(int pidFd, qint64 pid, TimeLimit limit)
{
    const std::int64_t deadline = deadlineOf(limit);
    pollfd polled = {pidFd, POLLIN, 0};
    runtime::WaitScope noted;
    for (;;) {
        const std::int64_t leftMs = (deadline - runtime::nowNs() + 999'999) / 1'000'000;
        if (leftMs > 0)
            noted.sleepsFor(endOf(pid), deadline);
        const int found = ::poll(&polled, 1, int(std::clamp<std::int64_t>(leftMs, 0, 100'000)));
        if (found > 0)
            return true;
        if (found == 0 && leftMs <= 100'000)
            return false;
    }
}

} // namespace

void process_detail::releaseParcel()
{
    if (const auto &start = currentProcess().start)
        start->body<ProcessStart>().releaseParcel(ObjectSpace::instance());
}

Result<Process> Process::makeEncoded(const ProcessOptions &options, std::uint32_t task,
                                     std::span<const std::byte> arguments,
                                     const std::vector<runtime::ObjectRef> &handles)
{
    static std::atomic<int> made = 0;
    auto record = std::make_shared<StartedProcess>();
    record->name = options.name.isEmpty() ? QStringLiteral("Process-%1").arg(++made) : options.name;
    record->isDaemon = options.isDaemon.value_or(currentProcess().isDaemon);
    record->startMethod = options.startMethod.value_or(defaultStartMethod());
    record->handles = handles;
    const auto environment = encodeEnvironment(options.environment);
    if (!environment)
        return environment.error();
    const std::string name = record->name.toStdString();
    const std::string &parentName = currentProcess().name;
    ObjectSpace &space = ObjectSpace::instance();
    record->start = space.create(runtime::ObjectKind::Start,
                                 sizeof(ProcessStart) + name.size() + parentName.size() +
                                     environment->size() + arguments.size());
    if (!record->start)
        return osError({}, ENOMEM, ErrorText::tr("start of a process"));
    auto &start = record->start->body<ProcessStart>();
    start.task = task;
    start.isDaemon = record->isDaemon ? 1 : 0;
    start.startMethod = static_cast<std::uint32_t>(record->startMethod);
    start.nameBytes = static_cast<std::uint32_t>(name.size());
    start.parentNameBytes = static_cast<std::uint32_t>(parentName.size());
    start.environmentBytes = static_cast<std::uint32_t>(environment->size());
    start.argumentBytes = arguments.size();
    auto *behind = reinterpret_cast<std::byte *>(&start + 1);
    const auto append = [&behind](const void *bytes, std::size_t size) {
        if (size != 0)
            std::memcpy(behind, bytes, size);
        behind += size;
    };
    append(name.data(), name.size());
    append(parentName.data(), parentName.size());
    append(environment->data(), environment->size());
    append(arguments.data(), arguments.size());
    return Process(std::move(record));
}

Result<void> Process::usable(bool isStarted) const
{
    if (m_record->isClosed)
        return Error{ErrorCode::Closed};
    if ((m_record->state != State::New) != isStarted)
        return Error{ErrorCode::InvalidState};
    return {};
}

Result<std::shared_ptr<ProcessHost>> Process::begin() const
{
    if (currentProcess().isDaemon)
        return Error{ErrorCode::InvalidState, QString::fromStdString(currentProcess().name),
                     ErrorText::tr("start of a process by a daemon"),
                     ErrorText::tr("daemons start none")};
    auto host = ProcessHost::instance();
    if (!host)
        return host;
    const std::lock_guard lock(m_record->mutex);
    if (const auto fresh = usable(false); !fresh)
        return fresh.error();
    auto &start = m_record->start->body<ProcessStart>();
    if (!m_record->handles.empty()) {
        const auto parcel = ObjectSpace::instance().pack(m_record->handles, 0);
        if (!parcel)
            return osError({}, ENOMEM, ErrorText::tr("start of a process"));
        start.parcel = parcel->handle();
        ObjectSpace::instance().beginFlight(*parcel);
    }
    m_record->handles.clear();
    start.parentPid = ::getpid();
    m_record->state = State::Starting;
    m_record->starterForkCount = runtime::forkCount();
    return host;
}

Result<void> Process::start() const
{
    const auto host = begin();
    if (!host)
        return host.error();
    if (m_record->startMethod != StartMethod::Fork || !isForkAllowed())
        return (*host)->start(m_record);
    const auto pid = (*host)->fork(m_record);
    if (!pid)
        return pid.error();
    if (*pid == 0) {
        setDefaultStartMethod(StartMethod::Fork);
        std::exit(runtime::runTarget());
    }
    return {};
}

Result<std::optional<Process>> Process::fork(const ProcessOptions &options)
{
    if (!isForkAllowed())
        return Error{ErrorCode::InvalidState,
                     {},
                     ErrorText::tr("fork of this process"),
                     ErrorText::tr("allowForkHere() comes first")};
    auto forked = makeEncoded(options, runtime::noTask, {}, {});
    if (!forked)
        return forked.error();
    const auto host = forked->begin();
    if (!host)
        return host.error();
    const auto pid = (*host)->fork(forked->m_record);
    if (!pid)
        return pid.error();
    return *pid == 0 ? std::nullopt : std::optional<Process>(std::move(*forked));
}

Result<void> Process::join(TimeLimit limit) const
{
    if (m_record->isOfParent())
        return Error{ErrorCode::InvalidState};
    std::unique_lock lock(m_record->mutex);
    if (const auto started = usable(); !started)
        return started;
    const auto hasEnded = [this] { return m_record->state == State::Ended; };
    const std::int64_t deadline = deadlineOf(limit);
    runtime::WaitScope noted;
    while (!hasEnded()) {
        const std::int64_t leftNs = deadline - runtime::nowNs();
        if (leftNs <= 0)
            return Error{ErrorCode::Timeout};
        noted.sleepsFor(endOf(m_record->pid), deadline);
        m_record->changed.wait_for(
            lock, std::chrono::nanoseconds(std::min<std::int64_t>(leftNs, 1'000'000'000)));
    }
    return {};
}

Result<bool> Process::isAlive() const
{
    if (m_record->isOfParent())
        return Error{ErrorCode::InvalidState};
    const std::lock_guard lock(m_record->mutex);
    if (m_record->isClosed)
        return Error{ErrorCode::Closed};
    return m_record->state == State::Starting || m_record->state == State::Running;
}

Result<qint64> Process::pid() const
{
    if (m_record->isOfParent())
        return Error{ErrorCode::InvalidState};
    const std::lock_guard lock(m_record->mutex);
    if (const auto started = usable(); !started)
        return started.error();
    return m_record->pid;
}

Result<std::optional<int>> Process::exitCode() const
{
    if (m_record->isOfParent())
        return Error{ErrorCode::InvalidState};
    const std::lock_guard lock(m_record->mutex);
    if (m_record->isClosed)
        return Error{ErrorCode::Closed};
    if (m_record->state != State::Ended)
        return std::optional<int>();
    const ProcessEnd &end = m_record->end;
    return std::optional<int>(end.signal != 0 ? -end.signal : end.exitCode);
}

Result<std::optional<ProcessEnd>> Process::end() const
{
    if (m_record->isOfParent())
        return Error{ErrorCode::InvalidState};
    const std::lock_guard lock(m_record->mutex);
    if (m_record->isClosed)
        return Error{ErrorCode::Closed};
    return m_record->state == State::Ended ? std::optional(m_record->end) : std::nullopt;
}

std::optional<BlackBox> Process::blackBox() const
{
    const std::lock_guard lock(m_record->mutex);
    return m_record->blackBox ? std::optional<BlackBox>(*m_record->blackBox) : std::nullopt;
}

Result<int> Process::sentinel() const
{
    if (m_record->isOfParent())
        return Error{ErrorCode::InvalidState};
    const std::lock_guard lock(m_record->mutex);
    if (const auto started = usable(); !started)
        return started.error();
    return m_record->pidFd;
}

Result<void> Process::sendSignal(int number) const
{
    if (number < 1 || number > SIGRTMAX)
        return Error{ErrorCode::InvalidArgument, ErrorText::tr("signal"), QString::number(number),
                     ErrorText::tr("allowed: 1 to %1").arg(SIGRTMAX), 0};
    if (m_record->isOfParent())
        return Error{ErrorCode::InvalidState};
    const std::lock_guard lock(m_record->mutex);
    if (const auto started = usable(); !started)
        return started;
    if (m_record->state == State::Running &&
        ::syscall(SYS_pidfd_send_signal, m_record->pidFd, number, nullptr, 0) != 0 &&
        errno != ESRCH) // It has just ended.
        return osError(m_record->name, errno, ErrorText::tr("signal to a process"));
    return {};
}

Result<void> Process::interrupt() const
{
    return sendSignal(SIGINT);
}

Result<void> Process::terminate() const
{
    return sendSignal(SIGTERM);
}

Result<void> Process::kill() const
{
    return sendSignal(SIGKILL);
}

Result<void> Process::close() const
{
    if (m_record->isOfParent())
        return Error{ErrorCode::InvalidState};
    const std::lock_guard lock(m_record->mutex);
    if (m_record->state == State::Starting || m_record->state == State::Running)
        return Error{ErrorCode::InvalidState};
    m_record->isClosed = true;
    return {};
}

std::vector<Process> Process::activeChildren()
{
    std::vector<Process> children;
    if (const auto host = ProcessHost::instance()) {
        for (auto &record : (*host)->active())
            children.push_back(Process(std::move(record)));
    }
    return children;
}

QString ThisProcess::name()
{
    return QString::fromStdString(currentProcess().name);
}

qint64 ThisProcess::pid()
{
    return ::getpid();
}

bool ThisProcess::isDaemon()
{
    return currentProcess().isDaemon;
}

std::optional<StartMethod> ThisProcess::startMethod()
{
    const auto &current = currentProcess();
    if (current.parentPid == 0)
        return std::nullopt;
    return static_cast<StartMethod>(current.startMethod);
}

void ThisProcess::attach(std::thread thread)
{
    const auto attached = std::make_shared<std::thread>(std::move(thread));
    Finalizer::add([attached] { attached->join(); }, std::numeric_limits<int>::max());
}

std::optional<ThisProcess::Parent> ThisProcess::parent()
{
    const auto &current = currentProcess();
    if (current.parentPid == 0)
        return std::nullopt;
    return Parent{current.parentPid, QString::fromStdString(current.parentName)};
}

bool ThisProcess::Parent::join(TimeLimit limit) const
{
    return currentProcess().parentFd < 0 || waitForEnd(currentProcess().parentFd, pid, limit);
}

} // namespace proclab
