// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/program/launch.h"

#include <QFile>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <memory>
#include <vector>

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int standardStreams = 3;
constexpr std::size_t stackBytes = 65'536;

/// The words of an argument list or an environment, as the system takes them.
class WordList
{
public:
    void add(const QByteArray &word) { m_words.push_back(word); }
    [[nodiscard]] char *const *pointers()
    {
        m_pointers.clear();
        for (QByteArray &word : m_words)
            m_pointers.push_back(word.data());
        m_pointers.push_back(nullptr);
        return m_pointers.data();
    }

private:
    std::vector<QByteArray> m_words;
    std::vector<char *> m_pointers;
};

/// All that the child needs, prepared before it begins, since it shares this process's memory and
/// may make system calls only.
struct ChildPlan
{
    std::array<int, standardStreams> streams = {-1, -1, -1}; ///< -1: as in the parent.
    std::vector<const char *> paths;                         ///< To try, one after the other.
    char *const *arguments = nullptr;
    char *const *environment = nullptr;
    const char *workingDirectory = nullptr;
    std::vector<int> passed; ///< In order.
    bool closeDescriptors = true;
    bool restoreSignals = true;
    bool newSession = false;
    int processGroup = -1;
    bool endWithParent = true;
    pid_t parent = 0;
    int umask = -1;
    int user = -1;
    int group = -1;
    bool setsExtraGroups = false;
    std::vector<gid_t> extraGroups;
    const sigset_t *signalMask = nullptr;

    // What went wrong.
    enum class Step { None, WorkingDirectory, Rights, Session, Streams, Program };
    Step failedStep = Step::None;
    int error = 0;
};

// Runs in the child: system calls only, and no library function that keeps state.

// Sanitizers keep such state, which belongs to the parent here.
#define PROCLAB_IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined")))

PROCLAB_IN_CHILD long call(long number, long first = 0, long second = 0, long third = 0,
                           long fourth = 0)
{
    return ::syscall(number, first, second, third, fourth);
}

[[noreturn]] PROCLAB_IN_CHILD void fail(ChildPlan &plan, ChildPlan::Step step, int code)
{
    plan.failedStep = step;
    plan.error = code;
    for (;;)
        call(SYS_exit_group, 127);
}

/// The kernel's own layout.
struct SignalAction
{
    std::uintptr_t handler = 0;
    unsigned long flags = 0;
    std::uintptr_t restorer = 0;
    std::uint64_t mask = 0;
};

PROCLAB_IN_CHILD void resetSignals(const ChildPlan &plan)
{
    // Handlers belong to the parent's program. The child has its own table of them, and clears it.
    for (int signal = 1; signal < NSIG; ++signal) {
        SignalAction action;
        if (call(SYS_rt_sigaction, signal, 0, reinterpret_cast<long>(&action), NSIG / 8) != 0)
            continue;
        const bool isHandled = action.handler > 1; // 0 and 1 are SIG_DFL and SIG_IGN.
        if (!isHandled && !(plan.restoreSignals && (signal == SIGPIPE || signal == SIGXFSZ)))
            continue;
        action = {};
        call(SYS_rt_sigaction, signal, reinterpret_cast<long>(&action), 0, NSIG / 8);
    }
}

PROCLAB_IN_CHILD void arrangeStreams(ChildPlan &plan)
{
    using enum ChildPlan::Step;
    // Moved out of the way of the descriptors that take their numbers.
    for (int &from : plan.streams) {
        if (from < 0 || from >= standardStreams)
            continue;
        from = static_cast<int>(call(SYS_fcntl, from, F_DUPFD_CLOEXEC, standardStreams));
        if (from < 0)
            fail(plan, Streams, errno);
    }
    for (int stream = 0; stream < standardStreams; ++stream) {
        const int from = plan.streams[static_cast<std::size_t>(stream)];
        if (from >= 0 && call(SYS_dup3, from, stream, 0) < 0)
            fail(plan, Streams, errno);
    }
    for (const int passed : plan.passed) {
        if (call(SYS_fcntl, passed, F_SETFD, 0) < 0)
            fail(plan, Streams, errno);
    }
    if (!plan.closeDescriptors)
        return;
    // Only marked, for some are still needed here until the program begins.
    long first = standardStreams;
    for (const int passed : plan.passed) {
        if (passed > first)
            call(SYS_close_range, first, passed - 1, CLOSE_RANGE_CLOEXEC);
        first = std::max<long>(first, long{passed} + 1);
    }
    call(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC);
}

PROCLAB_IN_CHILD int becomeProgram(void *argument)
{
    auto &plan = *static_cast<ChildPlan *>(argument);
    using enum ChildPlan::Step;
    resetSignals(plan);
    if (plan.endWithParent) {
        call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
        if (call(SYS_getppid) != plan.parent)
            call(SYS_exit_group, 127);
    }
    if (plan.newSession && call(SYS_setsid) < 0)
        fail(plan, Session, errno);
    if (plan.processGroup >= 0 && !plan.newSession && call(SYS_setpgid, 0, plan.processGroup) < 0)
        fail(plan, Session, errno);
    arrangeStreams(plan);
    if (plan.workingDirectory && call(SYS_chdir, reinterpret_cast<long>(plan.workingDirectory)) < 0)
        fail(plan, WorkingDirectory, errno);
    if (plan.umask >= 0)
        call(SYS_umask, plan.umask);
    // The C library's functions would have all threads of the parent do the same.
    if (plan.setsExtraGroups && call(SYS_setgroups, static_cast<long>(plan.extraGroups.size()),
                                     reinterpret_cast<long>(plan.extraGroups.data())) < 0)
        fail(plan, Rights, errno);
    if (plan.group >= 0 && call(SYS_setregid, plan.group, plan.group) < 0)
        fail(plan, Rights, errno);
    if (plan.user >= 0 && call(SYS_setreuid, plan.user, plan.user) < 0)
        fail(plan, Rights, errno);
    // A change of rights takes it away.
    if (plan.endWithParent && (plan.user >= 0 || plan.group >= 0))
        call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
    call(SYS_rt_sigprocmask, SIG_SETMASK, reinterpret_cast<long>(plan.signalMask), 0, NSIG / 8);
    int code = ENOENT;
    for (const char *path : plan.paths) {
        call(SYS_execve, reinterpret_cast<long>(path), reinterpret_cast<long>(plan.arguments),
             reinterpret_cast<long>(plan.environment));
        // Like shells: report a program that exists but cannot be run rather than a missing one.
        if (errno != ENOENT && errno != ENOTDIR && code == ENOENT)
            code = errno;
    }
    fail(plan, Program, code);
}

/// The paths at which the program may be.
std::vector<QByteArray> candidates(const QByteArray &program,
                                   const std::optional<QMap<QByteArray, QByteArray>> &environment)
{
    if (program.contains('/'))
        return {program};
    QByteArray path = environment ? environment->value("PATH") : qgetenv("PATH");
    if (path.isNull())
        path = "/usr/local/bin:/usr/bin:/bin";
    std::vector<QByteArray> found;
    for (const QByteArray &folder : path.split(':'))
        found.push_back(folder.isEmpty() ? program : folder + '/' + program);
    return found;
}

/// Both ends of a new pipe, and where a stream leads in the child.
struct StreamEnds
{
    OwnedDescriptor here;
    OwnedDescriptor there; ///< Only if it is to be closed here.
    int source = -1;       ///< -1: as in the parent.
};

Result<StreamEnds> openStream(const Redirect &redirect, bool isInput, int pipeSize)
{
    StreamEnds ends;
    switch (redirect.target()) {
    case Redirect::Target::Inherit:
    case Redirect::Target::Output:
        break;
    case Redirect::Target::Descriptor:
        ends.source = redirect.descriptor();
        break;
    case Redirect::Target::Null:
        ends.there = OwnedDescriptor(::open("/dev/null", O_RDWR | O_CLOEXEC));
        if (!ends.there.isOpen())
            return osError(u"/dev/null"_s, errno);
        ends.source = ends.there.get();
        break;
    case Redirect::Target::Pipe:
        int pipe[2];
        if (::pipe2(pipe, O_CLOEXEC) != 0)
            return osError({}, errno, ErrorText::tr("pipe to a program"));
        ends.here = OwnedDescriptor(pipe[isInput ? 1 : 0]);
        ends.there = OwnedDescriptor(pipe[isInput ? 0 : 1]);
        ends.source = ends.there.get();
        ::fcntl(ends.here.get(), F_SETFL, O_NONBLOCK);
        if (pipeSize > 0 && ::fcntl(ends.here.get(), F_SETPIPE_SZ, pipeSize) < 0)
            return osError({}, errno, ErrorText::tr("size of a pipe"));
        break;
    }
    return ends;
}

/// What went wrong in the child, and with what.
Error errorOf(const ChildPlan &plan, const ProgramOptions &options, const QByteArray &program)
{
    switch (plan.failedStep) {
    case ChildPlan::Step::None:
    case ChildPlan::Step::Program:
        break;
    case ChildPlan::Step::WorkingDirectory:
        return osError(QFile::decodeName(options.workingDirectory), plan.error,
                       ErrorText::tr("working directory"));
    case ChildPlan::Step::Rights:
        return osError(QFile::decodeName(program), plan.error, ErrorText::tr("user and groups"));
    case ChildPlan::Step::Session:
        return osError(QFile::decodeName(program), plan.error,
                       ErrorText::tr("session or process group"));
    case ChildPlan::Step::Streams:
        return osError(QFile::decodeName(program), plan.error, ErrorText::tr("descriptors"));
    }
    return osError(QFile::decodeName(program), plan.error, ErrorText::tr("start of a program"));
}

/// Starts the child, which shares this memory until it is the program or has failed.
pid_t startChild(ChildPlan &plan, int &pidFd)
{
    const auto stack = std::make_unique<std::byte[]>(stackBytes);
    auto *top = reinterpret_cast<void *>(
        reinterpret_cast<std::uintptr_t>(stack.get() + stackBytes) & ~std::uintptr_t{15});
    // A handler of this program must not run in the child, in this memory.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    const int pid =
        ::clone(becomeProgram, top, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &plan, &pidFd);
    const int code = errno;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    errno = code;
    return pid;
}

} // namespace

void OwnedDescriptor::reset()
{
    if (m_descriptor >= 0)
        ::close(std::exchange(m_descriptor, -1));
}

Result<LaunchedProgram> launch(const ProgramOptions &options, const sigset_t &signalMask)
{
    const QByteArray shell = options.program.isEmpty() ? QByteArray("/bin/sh") : options.program;
    const QByteArray program = options.shell               ? shell
                               : options.program.isEmpty() ? options.arguments.first()
                                                           : options.program;
    WordList arguments;
    if (options.shell) {
        arguments.add(shell);
        arguments.add("-c");
    }
    for (const QByteArray &argument : options.arguments)
        arguments.add(argument);
    WordList environment;
    if (options.environment) {
        for (auto each = options.environment->begin(); each != options.environment->end(); ++each)
            environment.add(each.key() + '=' + each.value());
    }

    auto input = openStream(options.input, true, options.pipeSize);
    if (!input)
        return input.error();
    auto output = openStream(options.output, false, options.pipeSize);
    if (!output)
        return output.error();
    auto error = openStream(options.error, false, options.pipeSize);
    if (!error)
        return error.error();
    if (options.error.target() == Redirect::Target::Output)
        error->source = output->source >= 0 ? output->source : STDOUT_FILENO;

    ChildPlan plan;
    plan.streams = {input->source, output->source, error->source};
    const std::vector<QByteArray> paths = candidates(program, options.environment);
    for (const QByteArray &path : paths)
        plan.paths.push_back(path.constData());
    plan.arguments = arguments.pointers();
    plan.environment = options.environment ? environment.pointers() : ::environ;
    if (!options.workingDirectory.isEmpty())
        plan.workingDirectory = options.workingDirectory.constData();
    plan.passed = {options.passDescriptors.begin(), options.passDescriptors.end()};
    std::erase_if(plan.passed, [](int passed) { return passed < standardStreams; });
    std::sort(plan.passed.begin(), plan.passed.end());
    plan.closeDescriptors = options.closeDescriptors;
    plan.restoreSignals = options.restoreSignals;
    plan.newSession = options.newSession;
    plan.processGroup = options.processGroup.value_or(-1);
    plan.endWithParent = options.endWithParent;
    plan.parent = ::getpid();
    plan.umask = options.umask.value_or(-1);
    plan.user = options.user.value_or(-1);
    plan.group = options.group.value_or(-1);
    plan.setsExtraGroups = options.extraGroups.has_value();
    for (const int group : options.extraGroups.value_or(QList<int>()))
        plan.extraGroups.push_back(static_cast<gid_t>(group));
    plan.signalMask = &signalMask;

    int pidFd = -1;
    const pid_t pid = startChild(plan, pidFd);
    if (pid < 0)
        return osError(QFile::decodeName(program), errno, ErrorText::tr("start of a program"));
    LaunchedProgram launched;
    launched.pid = pid;
    launched.pidFd = OwnedDescriptor(pidFd);
    if (plan.failedStep != ChildPlan::Step::None) {
        siginfo_t info;
        ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED);
        return errorOf(plan, options, program);
    }
    launched.input = std::move(input->here);
    launched.output = std::move(output->here);
    launched.error = std::move(error->here);
    return launched;
}

} // namespace proclab
