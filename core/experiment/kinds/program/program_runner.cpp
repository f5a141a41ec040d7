// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/program/program_instance.h"
#include "core/experiment/kinds/program/program_kind.h"
#include "core/experiment/kinds/program/program_state.h"
#include "core/experiment/kinds/program/program_tree.h"
#include "core/experiment/run/run_means.h"
#include "core/experiment/run/runner.h"
#include "core/experiment/spec/kind.h"
#include "core/process/child_calls.h"
#include "core/process/engine.h"
#include "core/program/exchange.h"
#include "core/program/program.h"

#include <QDeadlineTimer>
#include <QEventLoop>
#include <QJsonArray>
#include <QJsonObject>

#include <algorithm>
#include <limits>
#include <mutex>
#include <system_error>
#include <thread>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace proclab {

namespace {

constexpr qint64 mostKeptBytes = 1 << 20;       ///< Of a stream.
constexpr qint64 mostKeptBytesInAll = 16 << 20; ///< Of a run's.
constexpr qint64 mostTypedBytes = 1 << 20;      ///< That wait to be read by a program.
/// A child of an ended program that keeps its output open is not waited for any longer.
constexpr qint64 drainNs = 250'000'000;
constexpr int longestWaitMs = 1'000;
constexpr auto leaveLimit = 2s;
constexpr qint64 treeIntervalNs = 150'000'000;
constexpr qint64 never = ProgramInstance::never;

/// Runs `program` experiments: external programs, what they read and write, and what they start.
///
/// Threads: a thread of its own, the director, starts them, moves their bytes and sees them end.
class ProgramRunner final : public ExperimentRunner
{
public:
    explicit ProgramRunner(RunnerContext context)
        : ExperimentRunner(context)
        , m_options(programOptionsOf(context.spec))
        , m_format(programFormatOf(context.spec))
        , m_input(QStringEncoder(m_format.encoding)(context.spec.text(u"program.stdin"_s)))
        , m_count(static_cast<std::size_t>(context.spec.integer(u"program.instances"_s)))
        , m_checksCode(context.spec.value(u"program.check"_s).toBool())
        , m_timeoutNs(qRound64(context.spec.number(u"program.timeout_s"_s) * 1e9))
        , m_keepsInput(context.canType && m_count == 1 && m_input.isEmpty())
        , m_writer(context.log)
    {}
    ~ProgramRunner() override;

    Result<void> start() override;
    void stop(StopReason reason) override;
    void sendSignal(int process, int signal) override;
    void type(int process, const QString &text) override;
    void endInput(int process) override;
    void observe(StageSnapshot &snapshot, GaugeSample &gauges) override;
    void countShown(const StageSnapshot &snapshot, GaugeSample &gauges) const override
    {
        gauges.values[ProgramGauges::Alive] = static_cast<double>(snapshot.aliveCount());
    }
    void complete(RunResult &result) override;

private:
    using Instance = ProgramInstance;
    using Stream = OutputPiece::Stream;

    void direct();
    Result<void> startAll();
    Result<void> startOne(std::size_t number);
    void play();
    void waitForNews();
    void feed(Instance &instance);
    bool read(Instance &instance, Stream stream);
    void tell(const Instance &instance, Stream stream, const QString &text);
    void readRest(Instance &instance);
    void lookAfter(std::size_t number);
    void noteEnd(Instance &instance);
    void reap(std::size_t number);
    void recordResult(const Instance &instance, std::size_t number);
    void killAll();
    void wake() const;
    [[nodiscard]] qint64 nextTimeNs() const;
    [[nodiscard]] Instance *instanceAt(int process);

    const ProgramOptions m_options;
    const TextFormat m_format;
    const QByteArray m_input;
    const std::size_t m_count;
    const bool m_checksCode;
    const qint64 m_timeoutNs;
    const bool m_keepsInput;
    const ProgramTree m_tree;

    std::thread m_director;
    int m_wakeFd = -1; ///< An eventfd: there is something to do for the director.
    std::atomic<bool> m_isStopped{false};
    std::atomic<bool> m_hasPlayed{false}; ///< The director needs the engine no more.
    OutputWriter m_writer;                ///< The director's.
    std::optional<Error> m_engineError;   ///< The director's until finished().

    // The sampler's.
    std::vector<ProgramState::Descendant> m_descendants;
    qint64 m_treeSeenNs = 0;

    std::mutex m_mutex;
    // Guarded by m_mutex: written by the director, who reads them without it.
    std::vector<Instance> m_instances;
    RunTotals m_totals;
};

ProgramRunner::~ProgramRunner()
{
    stop(StopReason::Stopped);
    // A program is started by this thread, for the director.
    QEventLoop loop;
    while (m_director.joinable() && !m_hasPlayed.load(std::memory_order_acquire)) {
        loop.processEvents();
        std::this_thread::yield();
    }
    if (m_director.joinable())
        m_director.join();
    if (m_wakeFd >= 0)
        ::close(m_wakeFd);
}

// ---- engine's thread

Result<void> ProgramRunner::start()
{
    const QString subject = QString::fromUtf8(m_options.arguments.first());
    if (const int code = whyNoDescriptors(); code != 0)
        return osError(subject, code, ErrorText::tr("start of a process"));
    m_wakeFd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (m_wakeFd < 0)
        return osError(subject, errno, ErrorText::tr("event descriptor"));
    try {
        m_director = std::thread([this] { direct(); });
    } catch (const std::system_error &error) {
        return osError(subject, error.code().value(), ErrorText::tr("thread of a run"));
    }
    return {};
}

void ProgramRunner::wake() const
{
    const quint64 one = 1;
    [[maybe_unused]] const auto size = ::write(m_wakeFd, &one, sizeof one);
}

void ProgramRunner::stop(StopReason)
{
    if (!m_isStopped.exchange(true) && m_wakeFd >= 0)
        wake();
}

ProgramRunner::Instance *ProgramRunner::instanceAt(int process)
{
    const auto found = std::ranges::find(m_instances, process, &Instance::log);
    return found == m_instances.end() || found->hasEnded() ? nullptr : &*found;
}

void ProgramRunner::sendSignal(int process, int signal)
{
    const std::lock_guard lock(m_mutex);
    if (const Instance *instance = instanceAt(process))
        (void)instance->program.signal(signal);
}

void ProgramRunner::type(int process, const QString &text)
{
    const QByteArray bytes = QStringEncoder(m_format.encoding)(text);
    const std::lock_guard lock(m_mutex);
    Instance *instance = instanceAt(process);
    if (!instance || !instance->keepsInput ||
        instance->unsent.size() + bytes.size() > mostTypedBytes)
        return;
    instance->unsent += bytes;
    wake();
}

void ProgramRunner::endInput(int process)
{
    const std::lock_guard lock(m_mutex);
    if (Instance *instance = instanceAt(process)) {
        instance->keepsInput = false;
        wake();
    }
}

// ---- the director's thread

void ProgramRunner::direct()
{
    noteParentsThread();
    if (const auto started = startAll(); !started) {
        m_engineError = started.error();
        addEvent(RunEvent::Severity::Failure, -1, errorNote("engine_failed"_ba, started.error()));
    } else {
        play();
    }
    killAll();
    m_writer.flush(never);
    m_hasPlayed.store(true, std::memory_order_release);
    QMetaObject::invokeMethod(
        this, [this] { Q_EMIT finished(); }, Qt::QueuedConnection);
}

/// The gate opens when the first of them is started: no program waits at one.
Result<void> ProgramRunner::startAll()
{
    {
        const std::lock_guard lock(m_mutex);
        m_instances.reserve(m_count);
    }
    Q_EMIT aboutToOpen();
    for (std::size_t number = 0; number < m_count && !m_isStopped; ++number) {
        if (auto started = startOne(number); !started)
            return started;
    }
    // Before the gate opens, the log has times of the clock.
    noteGate(m_instances.empty() ? runtime::nowNs() : m_context.log.processes().at(1).startNs);
    return {};
}

Result<void> ProgramRunner::startOne(std::size_t number)
{
    ProgramOptions options = m_options;
    options.environment->insert(ProgramTree::markName(), m_tree.markOf(number));
    const qint64 startNs = runtime::nowNs();
    const auto program = Program::open(options);
    if (!program)
        return program.error();
    Instance instance(
        *program, m_format,
        std::min(mostKeptBytes, mostKeptBytesInAll / (2 * static_cast<qint64>(m_count))));
    instance.pidFd = OwnedDescriptor(openPidFd(program->pid()));
    if (!instance.pidFd.isOpen()) {
        const int code = errno;
        (void)program->kill();
        (void)program->leave(leaveLimit);
        return osError(QString::number(program->pid()), code, ErrorText::tr("watch of a process"));
    }
    instance.deadlineNs = m_timeoutNs > 0 ? startNs + m_timeoutNs : never;
    instance.unsent = m_input;
    instance.keepsInput = m_keepsInput;
    const ProcessRole &role = kind().roles[ProgramRoles::Program];
    instance.log =
        addProcess(role, role.processName(static_cast<int>(number) + 1), program->pid(), -1);
    // Its CPU time counts from then on.
    m_context.log.updateProcess(instance.log,
                                [startNs](ProcessRecord &record) { record.startNs = startNs; });
    const std::lock_guard lock(m_mutex);
    m_instances.push_back(std::move(instance));
    return {};
}

/// Until all have ended, or the run is stopped.
void ProgramRunner::play()
{
    while (!m_isStopped) {
        for (std::size_t number = 0; number < m_instances.size(); ++number) {
            if (!m_instances[number].isReaped)
                lookAfter(number);
        }
        m_writer.flush(sinceGate(runtime::nowNs()) - OutputWriter::joinNs);
        if (std::ranges::all_of(m_instances, &Instance::isReaped))
            return;
        waitForNews();
    }
}

/// When something is to be done though nothing has happened.
qint64 ProgramRunner::nextTimeNs() const
{
    qint64 next = m_writer.isEmpty() ? never : runtime::nowNs() + OutputWriter::joinNs;
    for (const Instance &instance : m_instances) {
        if (!instance.isReaped)
            next = std::min(next, instance.hasEnded()   ? instance.drainUntilNs
                                  : instance.isTimedOut ? never
                                                        : instance.deadlineNs);
    }
    return next;
}

void ProgramRunner::waitForNews()
{
    std::vector<pollfd> polled{{m_wakeFd, POLLIN, 0}};
    {
        const std::lock_guard lock(m_mutex);
        for (const Instance &instance : m_instances) {
            if (!instance.isReaped)
                instance.addPolled(polled);
        }
    }
    const qint64 next = nextTimeNs();
    const qint64 leftMs =
        next == never ? longestWaitMs : (next - runtime::nowNs() + 999'999) / 1'000'000;
    (void)::poll(polled.data(), polled.size(),
                 static_cast<int>(std::clamp<qint64>(leftMs, 0, longestWaitMs)));
    quint64 count = 0;
    [[maybe_unused]] const auto size = ::read(m_wakeFd, &count, sizeof count);
}

void ProgramRunner::lookAfter(std::size_t number)
{
    Instance &instance = m_instances[number];
    if (!instance.hasEnded())
        feed(instance);
    const bool hasOutput = read(instance, Stream::Output);
    const bool hasError = read(instance, Stream::Error);
    const qint64 now = runtime::nowNs();
    if (!instance.hasEnded()) {
        noteEnd(instance);
        if (!instance.hasEnded() && !instance.isTimedOut && now >= instance.deadlineNs) {
            addEvent(RunEvent::Severity::Warning, instance.log, {"program.timed_out"_ba});
            {
                const std::lock_guard lock(m_mutex);
                instance.isTimedOut = true;
            }
            (void)instance.program.kill();
        }
        return;
    }
    if ((!hasOutput && !hasError) || now >= instance.drainUntilNs)
        reap(number);
}

/// Writes as much of its input as it takes now, and closes that if no more will come.
void ProgramRunner::feed(Instance &instance)
{
    const std::lock_guard lock(m_mutex);
    tell(instance, Stream::Input, QStringDecoder(m_format.encoding)(instance.send()));
}

/// Reads what has come, once; false: the stream is closed.
bool ProgramRunner::read(Instance &instance, Stream stream)
{
    const std::lock_guard lock(m_mutex);
    const bool wasWhole = instance.droppedBytes() == 0;
    const std::optional<QString> text = instance.read(stream);
    if (!text)
        return false;
    tell(instance, stream, *text);
    if (wasWhole && instance.droppedBytes() > 0)
        addEvent(RunEvent::Severity::Warning, instance.log, {"program.output_dropped"_ba});
    return true;
}

void ProgramRunner::tell(const Instance &instance, Stream stream, const QString &text)
{
    m_writer.add({sinceGate(runtime::nowNs()), instance.log, stream, text});
}

void ProgramRunner::noteEnd(Instance &instance)
{
    siginfo_t info = {};
    rusage usage = {};
    if (!waitPidFd(instance.pidFd.get(), WEXITED | WNOWAIT | WNOHANG, info, usage))
        return;
    const ChildExit exit = exitOf(info, usage);
    const bool endedByRun = m_isStopped || instance.isTimedOut;
    const bool isGood = exit.signal == 0 && exit.exitCode == 0;
    const bool isDone = !endedByRun && (isGood || !m_checksCode);
    noteExit(instance.log, exit, endedByRun, isDone ? 1 : 0);
    const std::lock_guard lock(m_mutex);
    instance.exit = exit;
    instance.keepsInput = false;
    instance.program.closeInput();
    instance.drainUntilNs = runtime::nowNs() + drainNs;
}

/// What lies in its pipes now, and no more: others may go on writing for ever.
void ProgramRunner::readRest(Instance &instance)
{
    constexpr int mostReads = 32; // As much as the largest pipe holds.
    for (const Stream stream : {Stream::Output, Stream::Error}) {
        for (int reads = 0; reads < mostReads; ++reads) {
            const qint64 before = instance.kept(stream).bytes();
            if (!read(instance, stream) || instance.kept(stream).bytes() == before)
                break;
        }
        const std::lock_guard lock(m_mutex);
        tell(instance, stream, instance.kept(stream).finish());
    }
}

/// Ends what an ended program has left behind, and closes its books.
void ProgramRunner::reap(std::size_t number)
{
    Instance &instance = m_instances[number];
    const auto pid = static_cast<pid_t>(instance.program.pid());
    const int left = m_tree.endLeftovers(number, pid);
    (void)instance.program.kill(); // The rest of its group.
    if (left > 0)
        addEvent(RunEvent::Severity::Warning, instance.log,
                 {"program.left_behind"_ba, {{"processes"_L1, left}}});
    readRest(instance);
    (void)instance.program.leave(leaveLimit);
    recordResult(instance, number);
    const std::lock_guard lock(m_mutex);
    instance.isReaped = true;
}

void ProgramRunner::recordResult(const Instance &instance, std::size_t number)
{
    RunLog &log = m_context.log;
    const ProcessRecord process = log.processes().at(instance.log);
    const TaskRecord record = instance.record(process, number, m_checksCode);
    const bool isWork =
        !instance.exit.cpuNs || 2 * *instance.exit.cpuNs >= process.endNs - process.startNs;
    RunLog::Lane &lane = log.lane(instance.log);
    lane.spans.append({process.startNs, process.endNs, record.index, 1,
                       record.status != TaskStatus::Done ? Span::Activity::Failed
                       : isWork                          ? Span::Activity::Running
                                                         : Span::Activity::Sleeping,
                       workShare(lane.samples, process.startNs, process.endNs)});
    log.tasks.append(record);
    log.workBeginNs.store(firstStartNs(log), std::memory_order_relaxed);
    const std::lock_guard lock(m_mutex);
    ++m_totals.tasks;
    switch (record.status) {
    case TaskStatus::Done:
        ++m_totals.done;
        break;
    case TaskStatus::Failed:
        ++m_totals.failed;
        break;
    case TaskStatus::Cancelled:
    case TaskStatus::Lost:
        ++m_totals.cancelled;
        break;
    }
}

/// Whatever is left, and what that has started. Waits for the ends, for a while.
void ProgramRunner::killAll()
{
    for (const Instance &instance : m_instances) {
        if (!instance.isReaped)
            (void)instance.program.kill();
    }
    const QDeadlineTimer limit(leaveLimit);
    for (std::size_t number = 0; number < m_instances.size(); ++number) {
        Instance &instance = m_instances[number];
        while (!instance.hasEnded() && !limit.hasExpired()) {
            (void)waitReadable(instance.pidFd.get(), runtime::nowNs() + 100'000'000);
            noteEnd(instance);
        }
        if (!instance.isReaped && instance.hasEnded())
            reap(number);
    }
}

// ---- the sampler's thread, and the engine's

void ProgramRunner::observe(StageSnapshot &snapshot, GaugeSample &gauges)
{
    auto shown = std::make_shared<ProgramState>();
    std::vector<pid_t> pids;
    double output = 0;
    double error = 0;
    {
        const std::lock_guard lock(m_mutex);
        for (std::size_t number = 0; number < m_instances.size(); ++number) {
            const Instance &one = m_instances[number];
            shown->instances.push_back({one.output.bytes(), one.error.bytes(), one.droppedBytes(),
                                        one.keepsInput ? 1 : 0, one.isTimedOut ? 1 : 0});
            output += static_cast<double>(one.output.bytes());
            error += static_cast<double>(one.error.bytes());
            pids.push_back(one.hasEnded() ? 0 : static_cast<pid_t>(one.program.pid()));
            if (one.hasEnded() || one.log >= snapshot.processes.size())
                continue;
            ProcessLive &live = snapshot.processes[one.log];
            live.state = ProcessState::Running;
            live.currentIndex = static_cast<qint64>(number);
        }
        snapshot.done = m_totals.done;
        snapshot.failed = m_totals.failed;
        snapshot.cancelled = m_totals.cancelled;
    }
    snapshot.total = m_count;
    const auto alive = std::ranges::count_if(pids, [](pid_t pid) { return pid != 0; });
    const qint64 now = runtime::nowNs();
    if (alive == 0) {
        m_descendants.clear();
    } else if (now - m_treeSeenNs >= treeIntervalNs) {
        m_descendants = m_tree.descendants(pids);
        m_treeSeenNs = now;
    }
    shown->descendants = m_descendants;
    gauges.values[ProgramGauges::Tree] =
        static_cast<double>(alive) + static_cast<double>(m_descendants.size());
    gauges.values[ProgramGauges::OutputBytes] = output;
    gauges.values[ProgramGauges::ErrorBytes] = error;
    snapshot.kindState = std::move(shown);
}

void ProgramRunner::complete(RunResult &result)
{
    result.totals = m_totals;
    result.engineError = m_engineError;
    result.elapsedSeconds = static_cast<double>(lastFinishNs(m_context.log)) / 1e9;
    QJsonArray outcomes;
    qint64 good = 0;
    qint64 dropped = 0;
    for (const Instance &instance : m_instances) {
        outcomes.append(instance.outcome());
        good += instance.endedWell() ? 1 : 0;
        dropped += instance.droppedBytes();
    }
    if (outcomes.isEmpty())
        return;
    result.outcome = m_count == 1 ? outcomes.first() : QJsonValue(outcomes);
    const auto count = static_cast<qint64>(m_count);
    const Instance &first = m_instances.front();
    result.noticeIsGood = good == count && dropped == 0;
    result.notice = {"program.ended"_ba,
                     {{"good"_L1, good},
                      {"programs"_L1, count},
                      {"dropped"_L1, dropped},
                      {"exit_code"_L1, first.exit.exitCode},
                      {"signal"_L1, first.exit.signal},
                      {"timed_out"_L1, first.isTimedOut ? 1 : 0}}};
}

} // namespace

std::unique_ptr<ExperimentRunner> makeProgramRunner(RunnerContext context)
{
    return std::make_unique<ProgramRunner>(context);
}

} // namespace proclab
