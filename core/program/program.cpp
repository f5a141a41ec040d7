// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/program/program.h"

#include "core/base/signal_name.h"
#include "core/process/engine.h"
#include "core/process/interrupt_guard.h"
#include "core/program/exchange.h"
#include "core/program/launch.h"
#include "core/program/reaper.h"

#include <QCoreApplication>
#include <QFile>
#include <QThread>

#include <cerrno>
#include <csignal>
#include <mutex>

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace proclab {

namespace {

/// How long to wait for a program that was killed, which may be stuck in the kernel.
constexpr auto killLimit = 2s;
constexpr auto interruptGrace = 250ms;

Error conflict(const char *options, const QString &found, const QString &allowed)
{
    return invalidArgument(QString::fromLatin1(options), found, allowed);
}

Result<void> checkOptions(const ProgramOptions &options)
{
    using enum Redirect::Target;
    if (options.arguments.isEmpty())
        return conflict("arguments", ErrorText::tr("none"), ErrorText::tr("at least the program"));
    for (const QByteArray &word : options.arguments) {
        if (word.contains('\0'))
            return conflict("arguments", ErrorText::tr("a zero byte"),
                            ErrorText::tr("bytes other than 0"));
    }
    if (options.environment) {
        for (auto each = options.environment->begin(); each != options.environment->end(); ++each) {
            if (each.key().isEmpty() || each.key().contains('=') || each.key().contains('\0') ||
                each.value().contains('\0'))
                return conflict("environment", QString::fromLocal8Bit(each.key()),
                                ErrorText::tr("names without \"=\", and no zero bytes"));
        }
    }
    if (options.input.target() == Output || options.output.target() == Output)
        return conflict("input, output", ErrorText::tr("led to the output"),
                        ErrorText::tr("only error may be"));
    if (options.inputBytes && options.input.target() != Inherit)
        return conflict("inputBytes, input", ErrorText::tr("both are given"),
                        ErrorText::tr("one of the two"));
    if (options.captureOutput &&
        (options.output.target() != Inherit || options.error.target() != Inherit))
        return conflict("captureOutput, output, error",
                        ErrorText::tr("a stream is captured and led elsewhere"),
                        ErrorText::tr("one of the two"));
    for (const Redirect &redirect : {options.input, options.output, options.error}) {
        if (redirect.target() == Descriptor && redirect.descriptor() < 0)
            return conflict("input, output, error",
                            ErrorText::tr("descriptor %1").arg(redirect.descriptor()),
                            ErrorText::tr("an open one"));
    }
    const std::pair<const char *, std::optional<int>> ids[] = {
        {"umask", options.umask}, {"user", options.user}, {"group", options.group}};
    for (const auto &[name, id] : ids) {
        if (id.value_or(0) < 0)
            return conflict(name, QString::number(*id), ErrorText::tr("0 or more"));
    }
    for (const int group : options.extraGroups.value_or(QList<int>())) {
        if (group < 0)
            return conflict("extraGroups", QString::number(group), ErrorText::tr("0 or more"));
    }
    if (options.pipeSize < 0)
        return conflict("pipeSize", QString::number(options.pipeSize), ErrorText::tr("0 or more"));
    return {};
}

/// When a wait for a pipe next checks whether the pipe has been closed.
std::int64_t soonest(std::int64_t deadlineNs)
{
    constexpr std::int64_t lookNs = 100'000'000;
    return std::min(deadlineNs, runtime::nowNs() + lookNs);
}

QString secondsOf(TimeLimit limit)
{
    return QString::number(std::chrono::duration<double>(limit.value_or(0ns)).count());
}

} // namespace

Result<void> ProgramReport::check() const
{
    if (exitCode == 0)
        return {};
    Error failed{ErrorCode::ProcessFailed, QString::fromLocal8Bit(arguments.join(' '))};
    if (exitCode > 0)
        failed.found = ErrorText::tr("exit status %1").arg(exitCode);
    else if (::sigabbrev_np(-exitCode))
        failed.found =
            ErrorText::tr("ended by %1 (signal %2)").arg(signalName(-exitCode)).arg(-exitCode);
    else
        failed.found = ErrorText::tr("ended by unknown signal %1").arg(-exitCode);
    failed.program = std::make_shared<ProgramReport>(*this);
    return failed;
}

struct Program::Record
{
    ~Record()
    {
        if (!exitCode && launched.pid > 0)
            reapLater(std::move(launched.pidFd), launched.pid);
    }

    QList<QByteArray> arguments;
    bool hasOwnGroup = false;
    qint64 maxCapturedBytes = 0;

    std::mutex mutex;
    // Guarded by mutex.
    LaunchedProgram launched; ///< Its pid and pidFd, which never change.
    ProgramPipes pipes;
    std::optional<int> exitCode;

    [[nodiscard]] std::shared_ptr<OwnedDescriptor> input()
    {
        const std::lock_guard lock(mutex);
        return pipes.input;
    }
    [[nodiscard]] std::shared_ptr<OwnedDescriptor> pipe(Stream stream)
    {
        const std::lock_guard lock(mutex);
        return stream == Stream::Output ? pipes.output : pipes.error;
    }

    std::mutex exchangeMutex; ///< One communicate() at a time.
    Exchange exchange;        ///< Guarded by it.
};

Result<Program> Program::open(const ProgramOptions &options)
{
    if (const auto checked = checkOptions(options); !checked)
        return checked.error();
    Engine *engine = Engine::current();
    if (!engine)
        return Error{QCoreApplication::instance() ? ErrorCode::ShutDown : ErrorCode::InvalidState};
    sigset_t signalMask;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &signalMask);
    // By the engine's thread, which lives as long as this process.
    Result<LaunchedProgram> launched = Error();
    const auto start = [&] {
        reapEnded();
        launched = launch(options, signalMask);
    };
    if (engine->context()->thread() == QThread::currentThread())
        start();
    else
        QMetaObject::invokeMethod(engine->context(), start, Qt::BlockingQueuedConnection);
    if (!launched)
        return launched.error();
    auto record = std::make_shared<Record>();
    record->arguments = options.arguments;
    record->hasOwnGroup = options.newSession || options.processGroup == 0;
    record->maxCapturedBytes = options.maxCapturedBytes;
    record->launched = std::move(*launched);
    const auto hold = [](OwnedDescriptor &end) {
        return end.isOpen() ? std::make_shared<OwnedDescriptor>(std::move(end)) : nullptr;
    };
    record->pipes = {hold(record->launched.input), hold(record->launched.output),
                     hold(record->launched.error)};
    return Program(std::move(record));
}

qint64 Program::pid() const
{
    return m_record->launched.pid;
}

const QList<QByteArray> &Program::arguments() const
{
    return m_record->arguments;
}

Result<std::optional<int>> Program::poll() const
{
    const std::lock_guard lock(m_record->mutex);
    if (m_record->exitCode)
        return m_record->exitCode;
    siginfo_t info = {};
    const int pidFd = m_record->launched.pidFd.get();
    if (::waitid(P_PIDFD, static_cast<id_t>(pidFd), &info, WEXITED | WNOHANG) != 0)
        return osError(QString::number(pid()), errno, ErrorText::tr("end of a program"));
    if (info.si_pid == 0)
        return std::optional<int>();
    m_record->exitCode = info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
    noteGroup(m_record->launched.pid);
    return m_record->exitCode;
}

Result<int> Program::wait(TimeLimit limit) const
{
    if (!waitReadable(m_record->launched.pidFd.get(), deadlineOf(limit)))
        return Error{ErrorCode::Timeout, QString::fromLocal8Bit(m_record->arguments.first()),
                     ErrorText::tr("wait for its end, %1 s").arg(secondsOf(limit))};
    const auto code = poll();
    if (!code)
        return code.error();
    return code->value_or(0);
}

std::optional<int> Program::inputDescriptor() const
{
    const auto pipe = m_record->input();
    return pipe ? std::optional<int>(pipe->get()) : std::nullopt;
}

std::optional<int> Program::descriptor(Stream stream) const
{
    const auto pipe = m_record->pipe(stream);
    return pipe ? std::optional<int>(pipe->get()) : std::nullopt;
}

Result<void> Program::write(QByteArrayView bytes, TimeLimit limit) const
{
    const std::int64_t deadline = deadlineOf(limit);
    while (!bytes.isEmpty()) {
        const auto pipe = m_record->input();
        if (!pipe)
            return Error{ErrorCode::Closed};
        const ssize_t written = writeQuietly(pipe->get(), bytes);
        if (written >= 0)
            bytes = bytes.sliced(written);
        else if (errno == EPIPE)
            return Error{ErrorCode::EndOfStream};
        else if (errno != EAGAIN && errno != EINTR)
            return osError({}, errno, ErrorText::tr("input of a program"));
        else if (!waitFor(pipe->get(), POLLOUT, soonest(deadline)) && runtime::nowNs() >= deadline)
            return Error{ErrorCode::Timeout};
    }
    return {};
}

void Program::closeInput() const
{
    const std::lock_guard lock(m_record->mutex);
    m_record->pipes.input.reset();
}

Result<QByteArray> Program::read(Stream stream, qsizetype most, TimeLimit limit) const
{
    const std::int64_t deadline = deadlineOf(limit);
    QByteArray bytes(std::max<qsizetype>(most, 1), Qt::Uninitialized);
    for (;;) {
        const auto pipe = m_record->pipe(stream);
        if (!pipe)
            return Error{ErrorCode::Closed};
        const ssize_t size =
            ::read(pipe->get(), bytes.data(), static_cast<std::size_t>(bytes.size()));
        if (size > 0) {
            bytes.truncate(size);
            return bytes;
        }
        if (size == 0)
            return Error{ErrorCode::EndOfStream};
        if (errno != EAGAIN && errno != EINTR)
            return osError({}, errno, ErrorText::tr("output of a program"));
        if (!waitReadable(pipe->get(), soonest(deadline)) && runtime::nowNs() >= deadline)
            return Error{ErrorCode::Timeout};
    }
}

Result<ProgramReport> Program::communicate(const QByteArray &input, TimeLimit limit) const
{
    return exchange(input, limit, false);
}

Result<ProgramReport> Program::exchange(const QByteArray &input, TimeLimit limit,
                                        bool endsAtInterrupt) const
{
    const std::lock_guard exchanging(m_record->exchangeMutex);
    ProgramPipes pipes; // Nobody else has them meanwhile.
    const auto swapPipes = [this, &pipes] {
        const std::lock_guard lock(m_record->mutex);
        std::swap(m_record->pipes, pipes);
    };
    swapPipes();
    Exchange &exchange = m_record->exchange;
    exchange.begin(pipes, input, m_record->maxCapturedBytes);
    const auto ended =
        exchange.go(pipes, m_record->launched.pidFd.get(), deadlineOf(limit), endsAtInterrupt);
    ProgramReport report{m_record->arguments, pid(), 0, exchange.output(), exchange.error()};
    if (!ended) {
        swapPipes();
        Error error = ended.error();
        error.subject = QString::fromLocal8Bit(m_record->arguments.first());
        if (error.code == ErrorCode::Timeout)
            error.found = ErrorText::tr("exchange, %1 s").arg(secondsOf(limit));
        error.program = std::make_shared<ProgramReport>(std::move(report));
        return error;
    }
    const auto code = wait(0ns);
    if (!code)
        return code.error();
    report.exitCode = *code;
    return report;
}

Result<void> Program::signal(int number) const
{
    const std::lock_guard lock(m_record->mutex);
    if (!m_record->exitCode &&
        ::syscall(SYS_pidfd_send_signal, m_record->launched.pidFd.get(), number, nullptr, 0) != 0 &&
        errno != ESRCH)
        return osError(QString::number(pid()), errno, ErrorText::tr("signal to a program"));
    return {};
}

Result<void> Program::terminate() const
{
    return signal(SIGTERM);
}

Result<void> Program::kill() const
{
    {
        const std::lock_guard lock(m_record->mutex);
        // Not reaped yet, so the number is still its own.
        if (m_record->hasOwnGroup && !m_record->exitCode)
            ::kill(-m_record->launched.pid, SIGKILL);
    }
    return signal(SIGKILL);
}

Result<int> Program::leave(TimeLimit limit) const
{
    {
        const std::lock_guard lock(m_record->mutex);
        m_record->pipes = {};
    }
    return wait(limit);
}

Result<ProgramReport> Program::run(const ProgramOptions &options)
{
    if (const auto checked = checkOptions(options); !checked)
        return checked.error();
    ProgramOptions started = options;
    if (started.inputBytes.has_value())
        started.input = Redirect::pipe();
    if (std::exchange(started.captureOutput, false))
        started.output = started.error = Redirect::pipe();
    const QByteArray input = std::exchange(started.inputBytes, std::nullopt).value_or(QByteArray());
    std::optional<InterruptGuard> guard; // Before the program, whose answer may be a signal.
    if (options.passInterrupt)
        guard.emplace();
    const auto program = open(started);
    if (!program)
        return program.error();
    Result<ProgramReport> report = program->exchange(input, options.timeout, options.passInterrupt);
    if (!report) {
        Error error = report.error();
        if (error.code == ErrorCode::Cancelled) {
            static_cast<void>(program->signal(SIGINT));
            static_cast<void>(program->wait(interruptGrace));
        }
        static_cast<void>(program->kill());
        if (const auto code = program->wait(killLimit); code && error.program) {
            ProgramReport known = *error.program;
            known.exitCode = *code;
            error.program = std::make_shared<ProgramReport>(std::move(known));
        }
        if (error.code == ErrorCode::Timeout)
            error.found = ErrorText::tr("run, %1 s").arg(secondsOf(options.timeout));
        return error;
    }
    if (options.check) {
        if (const auto succeeded = report->check(); !succeeded)
            return succeeded.error();
    }
    return report;
}

Result<std::pair<int, QByteArray>> Program::statusAndOutput(const QByteArray &command)
{
    const auto report = run({.arguments = {command},
                             .shell = true,
                             .output = Redirect::pipe(),
                             .error = Redirect::toOutput()});
    if (!report)
        return report.error();
    QByteArray text = report->output.value_or(QByteArray());
    if (text.endsWith('\n'))
        text.chop(1);
    return std::pair(report->exitCode, text);
}

} // namespace proclab
