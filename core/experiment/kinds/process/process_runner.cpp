// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/process/process_kind.h"
#include "core/experiment/kinds/process/process_scene.h"
#include "core/experiment/kinds/process/process_state.h"
#include "core/experiment/run/scene_runner.h"
#include "core/experiment/spec/kind.h"

#include <QJsonArray>

#include <algorithm>
#include <atomic>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace proclab {

namespace {

/// Starts of each method that are measured.
constexpr std::size_t startsMeasured = 3;
constexpr auto measureLimit = 5s;

/// Runs `process` experiments: children with a task each, whom the parent starts and joins in turn.
class ProcessRunner final : public SceneRunner
{
public:
    explicit ProcessRunner(RunnerContext context)
        : SceneRunner(context)
        , m_count(static_cast<std::size_t>(context.spec.integer(u"process.count"_s)))
        , m_name(context.spec.text(u"process.name"_s))
        , m_isDaemon(context.spec.value(u"process.daemon"_s).toBool())
    {
        const double seconds = context.spec.number(u"process.join_timeout_s"_s);
        if (seconds > 0)
            m_joinLimit = std::chrono::nanoseconds(qRound64(seconds * 1e9));
    }
    ~ProcessRunner() override { endDirecting(); }

    void observe(StageSnapshot &snapshot, GaugeSample &gauges) override;
    void countShown(const StageSnapshot &snapshot, GaugeSample &gauges) const override
    {
        gauges.values[ProcessGauges::Alive] = static_cast<double>(snapshot.aliveCount());
    }
    [[nodiscard]] GaugeSample gaugesAtGate() const override;
    void complete(RunResult &result) override;

protected:
    Result<std::vector<Member>> setUp() override;
    Result<Process> cast(const Member &member, const Cue &cue,
                         const ProcessOptions &options) override;
    void playParent(ActivityReport &report) override;
    void memberEnded(std::size_t, const ProcessEnd &) override {}
    void accumulate(std::size_t, const ActivityState &) override {}
    [[nodiscard]] QString processName(const Member &member, int number) const override;
    [[nodiscard]] quint64 itemNumber(const Member &member, quint64) const override
    {
        return member.ordinal;
    }

private:
    void measureStarts();
    [[nodiscard]] qint64 startCostOf(StartMethod method) const;
    void join(ActivityReport &report, std::size_t index, TimeLimit limit, bool isAtExit);
    void endDaemons();
    [[nodiscard]] std::shared_ptr<LivesState> lives() const;
    void countResults(StageSnapshot &snapshot) const;
    [[nodiscard]] QJsonArray exitCodes() const;
    [[nodiscard]] QJsonValue meanStartSeconds() const;

    const std::size_t m_count;
    const QString m_name;
    const bool m_isDaemon;
    TimeLimit m_joinLimit;
    double m_measuringSeconds = 0; ///< The director's until finished().
    // Guarded by m_mutex: written by the director. Times on CLOCK_MONOTONIC.
    std::optional<Array<process::Life>> m_told; ///< By the children.
    LivesState m_lives;
};

Result<std::vector<SceneRunner::Member>> ProcessRunner::setUp()
{
    const auto told = Array<process::Life>::create(m_count, Locking::None);
    if (!told)
        return told.error();
    if (auto part = makeParentsPart(); !part)
        return part.error();
    measureStarts();
    const std::lock_guard lock(m_mutex);
    m_told = *told;
    m_lives.lives.resize(m_count);
    std::vector<Member> all(m_count);
    for (std::size_t i = 0; i < m_count; ++i) {
        all[i].role = &kind().roles[ProcessRoles::Child];
        all[i].ordinal = static_cast<quint32>(i);
    }
    return all;
}

/// What a start costs by each method, to compare: that is no part of the experiment.
void ProcessRunner::measureStarts()
{
    const qint64 beganNs = runtime::nowNs();
    for (const auto method : {StartMethod::Spawn, StartMethod::ForkServer, StartMethod::Fork}) {
        const qint64 cost = startCostOf(method);
        const std::lock_guard lock(m_mutex);
        m_lives.startCostNs[static_cast<std::size_t>(method)] = cost;
    }
    m_measuringSeconds = static_cast<double>(runtime::nowNs() - beganNs) / 1e9;
}

/// The median of some starts; 0: they failed.
qint64 ProcessRunner::startCostOf(StartMethod method) const
{
    std::array<qint64, startsMeasured> costs = {};
    for (qint64 &cost : costs) {
        const auto began = Value<qint64>::create(0, Locking::None);
        if (isStopped() || !began)
            return 0;
        const auto child =
            Process::create({.isDaemon = true, .startMethod = method}, process::Arrival{*began});
        const qint64 calledNs = runtime::nowNs();
        if (!child || !child->start() || !child->join(measureLimit))
            return 0;
        cost = std::atomic_ref(*began->storage()).load(std::memory_order_relaxed) - calledNs;
    }
    std::ranges::nth_element(costs, costs.begin() + startsMeasured / 2);
    return std::max<qint64>(0, costs[startsMeasured / 2]);
}

QString ProcessRunner::processName(const Member &member, int number) const
{
    if (m_name.isEmpty())
        return SceneRunner::processName(member, number);
    return m_count == 1 ? m_name : QString(m_name % u'-' % QString::number(number));
}

Result<Process> ProcessRunner::cast(const Member &member, const Cue &cue,
                                    const ProcessOptions &options)
{
    ProcessOptions own = options;
    own.isDaemon = m_isDaemon;
    const auto child = Process::create(
        own, process::Child{cue, workAt(u"tasks"_s, member.ordinal), *m_told, member.ordinal});
    const std::lock_guard lock(m_mutex);
    m_lives.lives[member.ordinal].createdNs = runtime::nowNs();
    return child;
}

void ProcessRunner::playParent(ActivityReport &report)
{
    for (std::size_t i = 0; i < m_count && !isStopped(); ++i)
        join(report, i, m_joinLimit, false);
    // The parent is through: what Python does at the end of its main program.
    if (m_isDaemon)
        endDaemons();
    for (std::size_t i = 0; i < m_count && !isStopped(); ++i) {
        if (m_lives.lives[i].joinedNs == LivesState::notYet)
            join(report, i, std::nullopt, true);
    }
    report.end();
}

void ProcessRunner::join(ActivityReport &report, std::size_t index, TimeLimit limit, bool isAtExit)
{
    report.begin(index);
    {
        const std::lock_guard lock(m_mutex);
        m_lives.joins.push_back({.child = static_cast<qint64>(index),
                                 .beganNs = runtime::nowNs(),
                                 .isAtExit = isAtExit ? 1 : 0});
    }
    const bool isInTime = joinMember(index, limit);
    report.finish(ActivityReport::Spent::Asleep);
    const qint64 now = runtime::nowNs();
    {
        const std::lock_guard lock(m_mutex);
        LivesState::Join &join = m_lives.joins.back();
        join.endedNs = now;
        join.end = isInTime      ? LivesState::InTime
                   : isStopped() ? LivesState::BrokenOff
                                 : LivesState::TimedOut;
        if (isInTime)
            m_lives.lives[index].joinedNs = now;
    }
    if (!isInTime && !isStopped())
        addEvent(RunEvent::Severity::Warning, members()[index].log, {"process.join_timed_out"_ba});
}

void ProcessRunner::endDaemons()
{
    for (std::size_t i = 0; i < m_count && !isStopped(); ++i) {
        if (!members()[i].isAlive)
            continue;
        addEvent(RunEvent::Severity::Warning, members()[i].log, {"process.daemon_ended"_ba});
        endMember(i, TaskError::Timeout);
    }
}

/// As they are now. Called under the mutex.
std::shared_ptr<LivesState> ProcessRunner::lives() const
{
    auto all = std::make_shared<LivesState>(m_lives);
    const qint64 zeroNs = gateNs() != 0 ? gateNs() : runtime::nowNs();
    const auto onAxis = [zeroNs](qint64 &timeNs) {
        if (timeNs != LivesState::notYet)
            timeNs = std::max<qint64>(timeNs - zeroNs, 0);
    };
    for (std::size_t i = 0; i < all->lives.size(); ++i) {
        LivesState::Life &life = all->lives[i];
        process::Life &told = m_told->storage()[i];
        const qint64 began = std::atomic_ref(told.beganNs).load(std::memory_order_acquire);
        life.parentPid = std::atomic_ref(told.parentPid).load(std::memory_order_relaxed);
        life.startNs = life.createdNs != 0 && began > life.createdNs ? began - life.createdNs : 0;
        life.createdNs = life.createdNs != 0 ? life.createdNs - zeroNs : 0;
        onAxis(life.joinedNs);
    }
    for (LivesState::Join &join : all->joins) {
        onAxis(join.beganNs);
        onAxis(join.endedNs);
    }
    return all;
}

void ProcessRunner::observe(StageSnapshot &snapshot, GaugeSample &gauges)
{
    const std::lock_guard lock(m_mutex);
    SceneRunner::observe(snapshot, gauges);
    if (!m_told)
        return;
    auto shown = lives();
    snapshot.total = m_count;
    countResults(snapshot);
    if (shown->currentJoin() && !snapshot.processes.isEmpty())
        snapshot.processes[0].state = ProcessState::Waiting;
    snapshot.kindState = std::move(shown);
}

/// What became of the processes that have ended.
void ProcessRunner::countResults(StageSnapshot &snapshot) const
{
    const AppendLog<TaskRecord> &results = m_context.log.tasks;
    for (std::size_t i = 0; i < results.size(); ++i) {
        switch (results[i].status) {
        case TaskStatus::Done:
            ++snapshot.done;
            break;
        case TaskStatus::Failed:
            ++snapshot.failed;
            break;
        case TaskStatus::Cancelled:
            ++snapshot.cancelled;
            break;
        case TaskStatus::Lost:
            ++snapshot.lost;
            break;
        }
    }
}

GaugeSample ProcessRunner::gaugesAtGate() const
{
    GaugeSample gauges = noGauges();
    gauges.values[ProcessGauges::Alive] = static_cast<double>(m_count);
    return gauges;
}

/// By child; below 0 the signal that ended it, null where it did not run to an end.
QJsonArray ProcessRunner::exitCodes() const
{
    const QList<ProcessRecord> records = m_context.log.processes();
    QJsonArray codes;
    for (const Member &member : members()) {
        if (member.log < 0 || records[member.log].endNs < 0)
            codes.append(QJsonValue());
        else if (const ProcessRecord &record = records[member.log]; record.signal != 0)
            codes.append(-record.signal);
        else
            codes.append(record.exitCode);
    }
    return codes;
}

QJsonValue ProcessRunner::meanStartSeconds() const
{
    if (!m_told)
        return {};
    const auto all = lives();
    qint64 sumNs = 0;
    int started = 0;
    for (const LivesState::Life &life : all->lives) {
        sumNs += life.startNs;
        started += life.startNs > 0 ? 1 : 0;
    }
    return started > 0 ? QJsonValue(static_cast<double>(sumNs) / 1e9 / started) : QJsonValue();
}

void ProcessRunner::complete(RunResult &result)
{
    SceneRunner::complete(result);
    result.startupSeconds -= m_measuringSeconds;
    QJsonObject costs;
    for (const QString &name : startMethodNames()) {
        const qint64 cost = m_lives.startCostOf(*startMethodOf(name));
        costs[name] = cost > 0 ? QJsonValue(static_cast<double>(cost) / 1e9) : QJsonValue();
    }
    const QJsonArray codes = exitCodes();
    const auto timedOut =
        std::ranges::count(m_lives.joins, LivesState::TimedOut, &LivesState::Join::end);
    result.outcome = QJsonObject{{u"exit_codes"_s, codes},
                                 {u"joins_timed_out"_s, static_cast<qint64>(timedOut)},
                                 {u"start_s"_s, meanStartSeconds()},
                                 {u"start_method_s"_s, costs}};
    const auto good = std::ranges::count(codes, QJsonValue(0));
    const auto count = static_cast<qint64>(m_count);
    result.noticeIsGood = good == count;
    result.notice = {good == count ? "process.all_ended_well"_ba : "process.exit_codes_only"_ba,
                     {{"good"_L1, static_cast<qint64>(good)}, {"processes"_L1, count}}};
}

} // namespace

std::unique_ptr<ExperimentRunner> makeProcessRunner(RunnerContext context)
{
    return std::make_unique<ProcessRunner>(context);
}

} // namespace proclab
