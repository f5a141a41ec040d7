// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/process/process_group.h"

#include "core/process/child_calls.h"
#include "core/runtime/memory/object_space.h"
#include "core/runtime/task/worker_process.h"

#include <QDeadlineTimer>
#include <QFileInfo>
#include <QProcess>
#include <QSocketNotifier>

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int maxAsked = 32;
constexpr int maxZygoteDeaths = 3;
constexpr int reapDeadlineMs = 2'000;

Error startError(const QString &program, const QString &reason)
{
    return {ErrorCode::OsError,
            program,
            ErrorText::tr("the worker program did not start (%1)").arg(reason),
            {},
            0};
}

/// Runs in the child between fork and exec, in the parent's memory, so it makes system calls only.
void prepareChild(const ProcessGroup::Config &config, int socket)
{
    for (const int fd :
         {config.segmentFd, config.inputFd, config.eventFd, config.objectsFd, socket}) {
        if (fd >= 0)
            ::fcntl(fd, F_SETFD, 0);
    }
    // Whoever it starts goes with it, and a terminal's Ctrl+C is for the parent. A worker's own
    // children leave its group once they can be known by their name: see attach().
    if (runtime::nestingDepth() == 0)
        ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/// For this program's own black box.
void noteEvent(runtime::EventKind kind, qint64 pid, int status)
{
    if (runtime::ProcessNotes *notes = runtime::ownNotes())
        notes->events.record(kind, static_cast<std::uint64_t>(pid),
                             static_cast<std::uint64_t>(std::int64_t{status}));
}

} // namespace

struct ProcessGroup::Child
{
    enum class State { Requested, Alive };

    State state = State::Requested;
    quint32 generation = 0;
    qint64 pid = 0;
    bool isToDie = false;              ///< Killed before it was known.
    std::unique_ptr<QProcess> process; ///< Of a spawned child.
    int pidFd = -1;                    ///< Of a forked child.
    std::unique_ptr<QSocketNotifier> ended;

    ~Child()
    {
        ended.reset();
        if (pidFd >= 0)
            ::close(pidFd);
    }
};

ProcessGroup::ProcessGroup(const Config &config, runtime::RunHeader &header)
    : m_config(config)
    , m_header(header)
    , m_reaper([this] { return childrensPids(); })
{
    connect(&m_reaper, &OrphanReaper::looked, this, &ProcessGroup::replaceEndedZygote);
}

ProcessGroup::~ProcessGroup()
{
    const QSignalBlocker silent(this);
    m_reaper.giveNoGrace();
    m_requests.clear();
    killAll();
    for (auto &[slot, child] : m_children) {
        if (child->process) {
            child->process->disconnect(this);
            child->process->waitForFinished(reapDeadlineMs);
            noteEnd(child->pid);
        } else if (child->pidFd >= 0) {
            pollfd ended = {child->pidFd, POLLIN, 0};
            siginfo_t info;
            rusage usage;
            if (::poll(&ended, 1, reapDeadlineMs) > 0)
                waitPidFd(child->pidFd, WEXITED, info, usage);
            noteEnd(child->pid);
        }
    }
    if (m_zygote) {
        m_zygote->disconnect(this);
        m_zygote->kill();
        m_zygote->waitForFinished(reapDeadlineMs);
        m_zygote.reset();
        m_isZygoteGone = false;
        m_reaper.endGroupOf(m_zygoteGroup);
    }
    closeSocket();
    const QDeadlineTimer deadline(reapDeadlineMs);
    for (m_reaper.look(); !m_reaper.hasNothingToDo() && !deadline.hasExpired(); m_reaper.look())
        ::usleep(1'000);
    for (const auto &[slot, child] : m_children) {
        const std::int32_t untold = m_header.slot(slot).pid.load(std::memory_order_acquire);
        if (child->state == Child::State::Requested && isChild(untold)) {
            ::kill(untold, SIGKILL);
            ::waitpid(untold, nullptr, 0);
        }
    }
}

Result<void> ProcessGroup::open()
{
    if (m_config.startMethod != StartMethod::Spawn)
        return startZygote();
    // Each start looks again. Here it also keeps some for the threads that watch the run.
    return checkStart(ErrorText::tr("start of a worker"));
}

/// Whether a program can be started. QProcess would not say why not, and loses a descriptor if
/// there is no program.
Result<void> ProcessGroup::checkStart(const QString &what) const
{
    const QFileInfo program(m_config.program);
    if (!program.isFile())
        return osError(m_config.program, ENOENT, ErrorText::tr("worker program"));
    if (!program.isExecutable())
        return osError(m_config.program, EACCES, ErrorText::tr("worker program"));
    if (const int code = whyNoDescriptors(); code != 0)
        return osError(m_config.program, code, what);
    return {};
}

void ProcessGroup::start(quint32 slotIndex, const Assignment &assignment)
{
    Q_ASSERT(!m_children.contains(slotIndex));
    runtime::ProcessSlot &slot = m_header.slot(slotIndex);
    runtime::clearForNextProcess(slot);
    slot.role = assignment.role;
    slot.ordinal = assignment.ordinal;
    slot.start = assignment.start;
    auto child = std::make_unique<Child>();
    child->generation = slot.generation.fetch_add(1, std::memory_order_acq_rel) + 1;
    Child &added = *m_children.emplace(slotIndex, std::move(child)).first->second;
    if (m_config.startMethod == StartMethod::Spawn) {
        spawn(slotIndex, added);
        return;
    }
    m_requests.push_back(slotIndex);
    if (m_zygote) {
        sendRequests();
    } else if (const auto started = startZygote(); !started) {
        // None is left, after too many died in a row.
        QMetaObject::invokeMethod(
            this, [this, slotIndex, error = started.error()] { fail(slotIndex, error); },
            Qt::QueuedConnection);
    } else {
        m_zygoteDeaths = 0;
        sendRequests();
    }
}

void ProcessGroup::watch(quint32 slot, qint64 pid)
{
    m_children.emplace(slot, std::make_unique<Child>());
    adopt(slot, pid);
}

void ProcessGroup::send(quint32 slot, int signal)
{
    const auto found = m_children.find(slot);
    if (found == m_children.end())
        return;
    Child &child = *found->second;
    child.isToDie = child.isToDie || child.state == Child::State::Requested || signal == SIGKILL;
    if (child.process && child.process->processId() > 0)
        ::kill(static_cast<pid_t>(child.process->processId()), signal);
    else if (child.pidFd >= 0)
        ::syscall(SYS_pidfd_send_signal, child.pidFd, signal, nullptr, 0);
}

void ProcessGroup::killAll()
{
    signalAll(SIGKILL);
}

void ProcessGroup::signalAll(int signal)
{
    for (const auto &[slot, child] : m_children)
        send(slot, signal);
}

QProcess *ProcessGroup::makeProcess()
{
    auto *process = new QProcess;
    process->setProgram(m_config.program);
    process->setStandardInputFile(QProcess::nullDevice());
    if (m_config.output == Output::Dropped)
        process->setStandardOutputFile(QProcess::nullDevice());
    process->setProcessChannelMode(m_config.output == Output::Dropped
                                       ? QProcess::ForwardedErrorChannel
                                       : QProcess::ForwardedChannels);
    return process;
}

void ProcessGroup::spawn(quint32 slot, Child &child)
{
    const auto possible = checkStart(ErrorText::tr("start of a worker"));
    if (!possible) {
        const auto refuse = [this, slot, error = possible.error()] { fail(slot, error); };
        QMetaObject::invokeMethod(this, refuse, Qt::QueuedConnection);
        return;
    }
    child.process.reset(makeProcess());
    QProcess *process = child.process.get();
    const runtime::WorkerArguments arguments{.segmentFd = m_config.segmentFd,
                                             .inputFd = m_config.inputFd,
                                             .eventFd = m_config.eventFd,
                                             .objectsFd = m_config.objectsFd,
                                             .parentPid = ::getpid(),
                                             .slot = slot,
                                             .generation = child.generation};
    process->setArguments(QString::fromStdString(arguments.text()).split(u' '));
    process->setChildProcessModifier([config = &m_config] { prepareChild(*config, -1); });
    connect(process, &QProcess::started, this,
            [this, slot, process] { tellStarted(slot, process->processId()); });
    connect(process, &QProcess::finished, this,
            [this, slot, process](int code, QProcess::ExitStatus status) {
                ChildExit exit;
                exit.pid = m_children.at(slot)->pid;
                if (status == QProcess::CrashExit)
                    exit.signal = code;
                else
                    exit.exitCode = code;
                const runtime::ProcessSlot &used = m_header.slot(slot);
                if (const qint64 cpu = used.cpuNs.load(std::memory_order_acquire); cpu > 0) {
                    exit.cpuNs = cpu;
                    exit.peakResidentBytes =
                        static_cast<quint64>(used.maxResidentKiB.load()) * 1024;
                }
                process->disconnect(this);
                m_children.at(slot)->process.release()->deleteLater();
                finish(slot, exit);
            });
    connect(process, &QProcess::errorOccurred, this,
            [this, slot, process](QProcess::ProcessError error) {
                if (error != QProcess::FailedToStart)
                    return;
                const Error reason = startError(m_config.program, process->errorString());
                process->disconnect(this);
                m_children.at(slot)->process.release()->deleteLater();
                fail(slot, reason);
            });
    process->start();
}

Result<void> ProcessGroup::startZygote()
{
    const auto possible = checkStart(ErrorText::tr("start of the zygote"));
    if (!possible)
        return possible;
    int sockets[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
        return osError(m_config.program, errno, ErrorText::tr("socket to the zygote"));
    ::fcntl(sockets[0], F_SETFL, O_NONBLOCK);
    m_socket = sockets[0];
    m_answers = std::make_unique<QSocketNotifier>(m_socket, QSocketNotifier::Read);
    connect(m_answers.get(), &QSocketNotifier::activated, this, &ProcessGroup::readAnswers);

    m_zygote.reset(makeProcess());
    const runtime::WorkerArguments arguments{.isZygote = true,
                                             .segmentFd = m_config.segmentFd,
                                             .inputFd = m_config.inputFd,
                                             .eventFd = m_config.eventFd,
                                             .objectsFd = m_config.objectsFd,
                                             .parentPid = ::getpid(),
                                             .socketFd = sockets[1]};
    m_zygote->setArguments(QString::fromStdString(arguments.text()).split(u' '));
    m_zygote->setChildProcessModifier(
        [config = &m_config, socket = sockets[1]] { prepareChild(*config, socket); });
    connect(m_zygote.get(), &QProcess::finished, this, &ProcessGroup::handleZygoteEnd);
    const auto endUnstarted = [this](QProcess::ProcessError error) {
        if (error == QProcess::FailedToStart)
            handleZygoteEnd();
    };
    // Queued: start() itself may fail, and the zygote is still needed below.
    connect(m_zygote.get(), &QProcess::errorOccurred, this, endUnstarted, Qt::QueuedConnection);
    m_zygote->start();
    m_zygoteGroup = m_zygote->processId();
    ::close(sockets[1]);
    return {};
}

/// The zygote is gone. Its workers go on, as they are this program's own children. Once the
/// processes that it was about to make are gone too, replaceEndedZygote() follows.
void ProcessGroup::handleZygoteEnd()
{
    if (m_isZygoteGone)
        return;
    m_isZygoteGone = true;
    readAnswers();
    closeSocket();
    m_zygote->disconnect(this);
    m_reaper.endGroupOf(m_zygoteGroup);
    m_reaper.look();
}

/// Starts a new zygote, and asks it for what the last one has not answered.
void ProcessGroup::replaceEndedZygote()
{
    if (!m_isZygoteGone || m_reaper.isEndingGroupOf(m_zygoteGroup))
        return;
    const bool isRefused = m_zygote->exitCode() == runtime::refusedExitCode;
    const QString reason = isRefused ? ErrorText::tr("it is of another build than this program")
                                     : m_zygote->errorString();
    const bool isHopeless = ++m_zygoteDeaths >= maxZygoteDeaths || isRefused ||
                            m_zygote->error() == QProcess::FailedToStart;
    m_zygote.release()->deleteLater();
    m_isZygoteGone = false;
    m_requests.clear();
    m_asked = 0;
    QList<quint32> waiting;
    for (const auto &[slot, child] : m_children) {
        if (child->state == Child::State::Requested)
            waiting.append(slot);
    }
    Result<void> restarted;
    if (!isHopeless)
        restarted = startZygote();
    for (const quint32 slot : waiting) {
        // A worker that it made without telling has left its group, and before that noted its PID.
        const qint64 untold = m_header.slot(slot).pid.load(std::memory_order_acquire);
        if (isChild(untold))
            adopt(slot, untold);
        else if (isHopeless || !restarted)
            fail(slot, isHopeless ? startError(m_config.program, reason) : restarted.error());
        else
            m_requests.push_back(slot);
    }
    sendRequests();
}

OrphanReaper::Pids ProcessGroup::childrensPids() const
{
    OrphanReaper::Pids pids;
    for (const auto &[slot, child] : m_children)
        pids.insert(child->pid);
    return pids;
}

void ProcessGroup::closeSocket()
{
    m_answers.reset();
    if (m_socket >= 0)
        ::close(m_socket);
    m_socket = -1;
}

void ProcessGroup::sendRequests()
{
    while (m_socket >= 0 && m_asked < maxAsked && !m_requests.empty()) {
        const quint32 slot = m_requests.front();
        const runtime::ForkRequest request{slot, m_children.at(slot)->generation};
        if (::send(m_socket, &request, sizeof request, MSG_NOSIGNAL) < 0)
            // A dead zygote is replaced when its end is reported; a full socket empties with the
            // next answer.
            return;
        m_requests.pop_front();
        ++m_asked;
    }
}

void ProcessGroup::readAnswers()
{
    runtime::ForkAnswer answer = {};
    while (m_socket >= 0 && ::recv(m_socket, &answer, sizeof answer, 0) == ssize_t{sizeof answer}) {
        --m_asked;
        m_zygoteDeaths = 0;
        const auto found = m_children.find(answer.slot);
        if (found == m_children.end() || found->second->generation != answer.generation)
            continue;
        if (answer.pid > 0)
            adopt(answer.slot, answer.pid);
        else
            fail(answer.slot,
                 osError(m_config.program, answer.error, ErrorText::tr("fork in the zygote")));
    }
    // At the end of file the notifier would fire forever. The end of the zygote is reported by its
    // process.
    if (m_socket >= 0 && ::recv(m_socket, &answer, sizeof answer, MSG_PEEK) == 0)
        m_answers->setEnabled(false);
    sendRequests();
}

void ProcessGroup::adopt(quint32 slot, qint64 pid)
{
    Child &child = *m_children.at(slot);
    child.pidFd = openPidFd(pid);
    if (child.pidFd < 0) {
        const int code = errno;
        ::kill(static_cast<pid_t>(pid), SIGKILL);
        ::waitpid(static_cast<pid_t>(pid), nullptr, 0);
        fail(slot, osError(m_config.program, code, ErrorText::tr("handle of a worker")));
        return;
    }
    child.ended = std::make_unique<QSocketNotifier>(child.pidFd, QSocketNotifier::Read);
    connect(child.ended.get(), &QSocketNotifier::activated, this, [this, slot] { reap(slot); });
    tellStarted(slot, pid);
}

void ProcessGroup::tellStarted(quint32 slot, qint64 pid)
{
    Child &child = *m_children.at(slot);
    child.pid = pid;
    child.state = Child::State::Alive;
    const bool isToDie = child.isToDie;
    noteEvent(runtime::EventKind::ProcessStarted, pid, 0);
    Q_EMIT started(slot, pid);
    if (isToDie)
        kill(slot);
}

void ProcessGroup::reap(quint32 slot)
{
    const auto found = m_children.find(slot);
    if (found == m_children.end())
        return;
    siginfo_t info;
    rusage usage;
    if (!waitPidFd(found->second->pidFd, WEXITED | WNOHANG, info, usage))
        return;
    found->second->ended->setEnabled(false);       // Before its descriptor is closed.
    found->second->ended.release()->deleteLater(); // It is what calls us.
    finish(slot, exitOf(info, usage));
}

/// A child is gone.
void ProcessGroup::noteEnd(qint64 pid)
{
    runtime::ObjectSpace::instance().processEnded(static_cast<std::int32_t>(pid));
    m_reaper.lookForOrphans();
}

void ProcessGroup::finish(quint32 slot, ChildExit exit)
{
    m_children.erase(slot);
    m_reaper.endGroupOf(exit.pid);
    const int status = exit.signal != 0 ? -exit.signal : exit.exitCode;
    if (status != 0) { // Before its holds are dropped.
        if (auto box = BlackBox::of(exit.pid))
            exit.blackBox = std::make_shared<const BlackBox>(std::move(*box));
    }
    noteEnd(exit.pid);
    noteEvent(runtime::EventKind::ProcessEnded, exit.pid, status);
    Q_EMIT exited(slot, exit);
}

void ProcessGroup::fail(quint32 slot, const Error &error)
{
    m_children.erase(slot);
    Q_EMIT startFailed(slot, error);
}

} // namespace proclab
