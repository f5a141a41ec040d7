// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/task/worker_process.h"

#include "core/runtime/kill_point.h"
#include "core/runtime/memory/object_space.h"
#include "core/runtime/task/process_start.h"
#include "core/runtime/task/task_registry.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string_view>
#include <typeinfo>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace proclab::runtime {

namespace {

std::atomic<std::int32_t> *signalPlace = nullptr; // Read by the signal handler.
std::uint32_t nesting = 0;                        // Of this process; set before it is a worker.
std::int32_t outermost = 0;                       // The same.

/// Notes a fatal signal that the process caused itself, as against one that was sent to it.
void noteFatalSignal(int signal, siginfo_t *info, void * /*context*/)
{
    const bool isOwn = info->si_code > 0 || info->si_pid == ::getpid();
    if (isOwn && signalPlace)
        signalPlace->store(signal, std::memory_order_release);
    ::signal(signal, SIG_DFL);
    ::raise(signal); // Blocked in here, delivered on return.
}

void installSignalHandlers()
{
    static std::byte stack[16384];
    stack_t alternative = {};
    alternative.ss_sp = stack;
    alternative.ss_size = sizeof stack;
    ::sigaltstack(&alternative, nullptr);
    struct sigaction action = {};
    action.sa_sigaction = noteFatalSignal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT})
        ::sigaction(signal, &action, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
}

bool parseNumber(const char *text, auto &number)
{
    const std::string_view view(text);
    const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), number);
    return error == std::errc() && end == view.data() + view.size();
}

/// The zygote's child is first the child of a process that ends at once (@p between; 0: there was
/// none): it waits until it is the parent's. False: it is somebody else's, the parent is gone.
bool waitForParent(std::int32_t parent, std::int32_t between)
{
    for (int i = 0; i < 2'000 && ::getppid() == between; ++i)
        ::usleep(i < 100 ? 20 : 1'000);
    return ::getppid() == parent;
}

void noteUsage(ProcessSlot &slot)
{
    rusage usage = {};
    ::getrusage(RUSAGE_SELF, &usage);
    slot.maxResidentKiB.store(usage.ru_maxrss, std::memory_order_relaxed);
    slot.cpuNs.store(processCpuNs(), std::memory_order_release);
}

} // namespace

bool WorkerArguments::parse(std::span<char *const> arguments, WorkerArguments &parsed)
{
    if (arguments.size() < 8)
        return false;
    const std::string_view mode(arguments[1]);
    parsed.isZygote = mode == "zygote";
    if (!parsed.isZygote && mode != "worker")
        return false;
    if (!parseNumber(arguments[2], parsed.segmentFd) ||
        !parseNumber(arguments[3], parsed.inputFd) || !parseNumber(arguments[4], parsed.eventFd) ||
        !parseNumber(arguments[5], parsed.objectsFd) ||
        !parseNumber(arguments[6], parsed.parentPid))
        return false;
    if (parsed.isZygote)
        return arguments.size() == 8 && parseNumber(arguments[7], parsed.socketFd);
    return arguments.size() == 9 && parseNumber(arguments[7], parsed.slot) &&
           parseNumber(arguments[8], parsed.generation);
}

std::string WorkerArguments::text() const
{
    std::string text = isZygote ? "zygote" : "worker";
    for (const std::int64_t number : {segmentFd, inputFd, eventFd, objectsFd, parentPid})
        text += ' ' + std::to_string(number);
    if (isZygote)
        return text + ' ' + std::to_string(socketFd);
    return text + ' ' + std::to_string(slot) + ' ' + std::to_string(generation);
}

WorkerProcess::WorkerProcess(Segment segment, Segment input, int eventFd, std::uint32_t slot)
    : m_segment(std::move(segment))
    , m_input(std::move(input))
    , m_header(m_segment.at<RunHeader>(0))
    , m_eventFd(eventFd)
    , m_slot(slot)
{}

std::span<const std::byte> WorkerProcess::input(const ArgumentRange &range,
                                                std::uint64_t position) const
{
    const std::span<const std::byte> none;
    const bool eachOwn = range.stride == ArgumentRange::eachOwn;
    const std::uint64_t begin = range.offset + (eachOwn ? 0 : position * range.stride);
    if (!m_input.isValid() || begin > m_input.size() || range.size > m_input.size() - begin)
        return none;
    const std::span<const std::byte> bytes(m_input.data() + begin, range.size);
    if (!eachOwn)
        return bytes;
    std::uint64_t ends[2] = {};
    if (position >= bytes.size() / sizeof(std::uint64_t) - 1)
        return none;
    std::memcpy(ends, bytes.data() + position * sizeof(std::uint64_t), sizeof ends);
    return ends[0] <= ends[1] && ends[1] <= bytes.size() ? bytes.subspan(ends[0], ends[1] - ends[0])
                                                         : none;
}

bool WorkerProcess::goesOn() const
{
    return ::getppid() == m_header->parentPid &&
           m_header->closing.load(std::memory_order_acquire) == 0;
}

void WorkerProcess::wakeParent() const
{
    const std::uint64_t one = 1;
    // A full counter refuses the write, but then the parent is awake already.
    [[maybe_unused]] const ssize_t written = ::write(m_eventFd, &one, sizeof one);
}

bool WorkerProcess::run(std::uint32_t workload, std::span<const std::byte> arguments,
                        std::uint64_t index, int attempt, TaskValue &value, std::string &text)
{
    try {
        const WorkloadInfo &info = workloads()[workload];
        const Arguments args(arguments, info.arguments);
        value = info.run(
            {args, index, m_header->seed, &slot().ownSignal, &slot().taskProgress, attempt});
        return true;
    } catch (const std::exception &exception) {
        text = readableTypeName(typeid(exception).name()) + ": " + exception.what();
    } catch (...) {
        text = "unknown exception";
    }
    return false;
}

namespace {

int runProcess(std::uint64_t startHandle)
{
    // What it is to do is gone with the parent; else nobody may take this for its end.
    return becomeProcess({static_cast<std::uint32_t>(startHandle >> 32),
                          static_cast<std::uint32_t>(startHandle)})
               ? runTarget()
               : refusedExitCode;
}

int workUntilTheEnd(WorkerProcess &process)
{
    ProcessSlot &slot = process.slot();
    RunHeader &header = process.header();
    signalPlace = &slot.ownSignal;
    TaskProgress::setCurrent(&slot.taskProgress);
    PROCLAB_KILL_POINT("start.before-ready");
    slot.phase.store(Phase::Ready, std::memory_order_release);
    PROCLAB_KILL_POINT("start.ready");
    process.wakeParent();
    while (header.gate.load(std::memory_order_acquire) == 0) {
        futexWait(header.gate, 0, parkNs);
        if (!process.goesOn())
            return 0;
    }
    PROCLAB_KILL_POINT("start.past-gate");
    slot.phase.store(Phase::Working, std::memory_order_release);
    PROCLAB_KILL_POINT("start.working");
    switch (slot.role) {
    case Role::PoolWorker:
        if (const int code = runPoolWorker(process); code != 0)
            return code;
        break;
    case Role::Process:
        if (const int code = runProcess(slot.start); code != 0)
            return code;
        break;
    }
    PROCLAB_KILL_POINT("leave.before");
    noteUsage(slot);
    slot.phase.store(Phase::Leaving, std::memory_order_release);
    PROCLAB_KILL_POINT("leave.noted");
    return 0;
}

/// Makes the calling process the worker of its slot.
int becomeWorkerOf(const WorkerArguments &arguments, Segment segment, Segment input)
{
    auto *header = segment.at<RunHeader>(0);
    ProcessSlot &slot = header->slot(arguments.slot);
    if (slot.generation.load(std::memory_order_acquire) != arguments.generation)
        return 0; // Another process has been put in this slot since.
    // In this order: if its zygote dies, who is still in the zygote's group is ended by that, who
    // has left it by the number in the slot.
    PROCLAB_KILL_POINT("start.before-pid");
    slot.pid.store(::getpid(), std::memory_order_release);
    PROCLAB_KILL_POINT("start.pid-noted");
    ::setpgid(0, 0);
    PROCLAB_KILL_POINT("start.own-group");
    // Only then: set before, it would fire at the end of the process in between that forked this
    // one.
    if (!waitForParent(arguments.parentPid, arguments.betweenPid))
        return 0;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != arguments.parentPid)
        return 0;
    nesting = header->nesting;
    outermost = header->programPid;
    rlimit noCore = {0, 0};
    ::setrlimit(RLIMIT_CORE, &noCore);
    installSignalHandlers();
    WorkerProcess process(std::move(segment), std::move(input), arguments.eventFd, arguments.slot);
    return workUntilTheEnd(process);
}

bool fits(const Segment &segment, const WorkerArguments &arguments)
{
    if (!segment.isValid() || segment.size() < sizeof(RunHeader))
        return false;
    const auto *header = segment.at<RunHeader>(0);
    return header->magic == RunHeader::magicNumber && header->layoutHash == layoutHash() &&
           (header->tasksHash == 0 || header->tasksHash == registeredTasksHash()) &&
           (arguments.isZygote || arguments.slot < header->slotCount);
}

/// Attaches to what the parent passed; false after one line that says why it can't work.
bool attach(const WorkerArguments &arguments, Segment &segment, Segment &input)
{
    segment = Segment::attach(arguments.segmentFd, Segment::Access::ReadWrite);
    if (!fits(segment, arguments)) {
        std::fputs(
            "proclab-worker: this worker is of another build than the program that started it\n",
            stderr);
        return false;
    }
    const auto *header = segment.at<RunHeader>(0);
    if (header->nesting > 1) {
        ::prctl(PR_SET_NAME, nestedProcessName(header->programPid).c_str());
        // Until here it was in its parent's, with which the program ends and reaps it.
        ::setpgid(0, 0);
    }
    if (arguments.inputFd >= 0)
        input = Segment::attach(arguments.inputFd, Segment::Access::ReadOnly);
    ObjectSpace::inherit(arguments.objectsFd);
    return true;
}

} // namespace

void takeEnvironment(std::span<const std::byte> bytes)
{
    std::string_view entries(reinterpret_cast<const char *>(bytes.data()), bytes.size());
    while (!entries.empty()) {
        const std::string entry(entries.substr(0, entries.find('\0')));
        entries.remove_prefix(std::min(entries.size(), entry.size() + 1));
        const std::size_t sign = entry.find('=');
        if (sign != std::string::npos)
            ::setenv(entry.substr(0, sign).c_str(), entry.c_str() + sign + 1, 1);
    }
}

std::atomic<std::int32_t> *ownSignalPlace()
{
    return signalPlace;
}

std::uint32_t nestingDepth()
{
    return nesting;
}

std::int32_t programPid()
{
    return nesting > 0 ? outermost : ::getpid();
}

std::string nestedProcessName(std::int32_t program)
{
    return "nested-" + std::to_string(program); // At most 15 bytes count.
}

void standBelow(std::int32_t parentPid)
{
    if (nesting++ == 0)
        outermost = parentPid;
    signalPlace = nullptr;
    TaskProgress::setCurrent(nullptr);
    if (nesting > 1)
        ::prctl(PR_SET_NAME, nestedProcessName(outermost).c_str());
}

bool runsRegisteredTasks(const WorkerArguments &arguments)
{
    std::uint64_t hash = 0;
    // Read, not attached: a Segment would take the descriptor with it.
    return ::pread(arguments.segmentFd, &hash, sizeof hash, offsetof(RunHeader, tasksHash)) ==
               ssize_t{sizeof hash} &&
           hash != 0;
}

int runWorker(const WorkerArguments &arguments)
{
    Segment segment;
    Segment input;
    if (!attach(arguments, segment, input))
        return refusedExitCode;
    return becomeWorkerOf(arguments, std::move(segment), std::move(input));
}

int runZygote(const WorkerArguments &arguments)
{
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    Segment segment;
    Segment input;
    if (::getppid() != arguments.parentPid)
        return 0;
    if (!attach(arguments, segment, input))
        return refusedExitCode;
    WorkerArguments worker = arguments;
    if (!serveForks(arguments.socketFd, *segment.at<RunHeader>(0), worker))
        return 0;
    return becomeWorkerOf(worker, std::move(segment), std::move(input));
}

bool becomeWorker(int argc, char **argv, int &exitCode)
{
    WorkerArguments arguments;
    if (!WorkerArguments::parse({argv, static_cast<std::size_t>(argc)}, arguments))
        return false;
    exitCode = arguments.isZygote ? runZygote(arguments) : runWorker(arguments);
    return true;
}

} // namespace proclab::runtime
