// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/counter/counter_kind.h"
#include "core/experiment/kinds/counter/counter_scene.h"
#include "core/experiment/kinds/counter/counter_state.h"
#include "core/experiment/run/rate_meter.h"
#include "core/experiment/run/scene_runner.h"
#include "core/experiment/spec/kind.h"

#include <atomic>
#include <variant>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

using counter::Incrementer;
using counter::Mode;

/// Elements of an array that is counted in.
constexpr std::size_t arrayLength = 8;

Mode modeOf(const QString &name)
{
    if (name == u"none"_s)
        return Mode::None;
    if (name == u"atomic"_s)
        return Mode::Atomic;
    return name == u"local"_s ? Mode::Local : Mode::Lock;
}

/// Runs `counter` experiments: processes that increment one shared number, or one short array.
class CounterRunner final : public SceneRunner
{
public:
    explicit CounterRunner(RunnerContext context)
        : SceneRunner(context)
        , m_counting{modeOf(context.spec.text(u"counter.mode"_s)),
                     static_cast<quint32>(context.spec.integer(u"counter.processes"_s)),
                     static_cast<quint64>(context.spec.bigInteger(u"counter.increments"_s)),
                     context.spec.bigInteger(u"counter.gap_ns"_s)}
        , m_isArray(context.spec.text(u"counter.type"_s) == u"array"_s)
    {}

    ~CounterRunner() override { endDirecting(); }

    void observe(StageSnapshot &snapshot, GaugeSample &gauges) override;
    void complete(RunResult &result) override;

protected:
    Result<std::vector<Member>> setUp() override;
    Result<Process> cast(const Member &member, const Cue &cue,
                         const ProcessOptions &options) override;
    void memberEnded(std::size_t index, const ProcessEnd &end) override;
    void accumulate(std::size_t index, const ActivityState &state) override;

private:
    using AnyCounter = std::variant<Value<qint64>, Array<qint64>>;

    [[nodiscard]] const GuardedMemory &memory() const
    {
        return std::visit([](const auto &counter) -> const GuardedMemory & { return counter; },
                          *m_counter);
    }
    [[nodiscard]] qint64 value() const;
    [[nodiscard]] qint64 expected() const
    {
        return static_cast<qint64>(m_counting.processes * m_counting.increments);
    }

    const counter::Counting m_counting;
    const bool m_isArray;
    std::optional<AnyCounter> m_counter; ///< Guarded by m_mutex until it is there.
    std::optional<StartingLine> m_line;
    // Guarded by m_mutex: of processes that have ended.
    quint64 m_performed = 0;
    quint64 m_written = 0; ///< Of these: added to the shared number.
    qint64 m_waitedNs = 0;
    int m_died = 0;
    RateMeter m_rate;
    RateMeter m_waitRate;
};

Result<std::vector<SceneRunner::Member>> CounterRunner::setUp()
{
    const Locking locking = m_counting.mode == Mode::Lock ? Locking::Own : Locking::None;
    const auto toAny = [](auto made) -> Result<AnyCounter> {
        return made ? Result<AnyCounter>(*made) : made.error();
    };
    const auto made = m_isArray ? toAny(Array<qint64>::create(arrayLength, locking))
                                : toAny(Value<qint64>::create(0, locking));
    if (!made)
        return made.error();
    const auto line = StartingLine::create(m_counting.processes);
    if (!line)
        return line.error();
    m_line = *line;
    const std::lock_guard lock(m_mutex);
    m_counter = *made;
    std::vector<Member> all(m_counting.processes);
    for (quint32 i = 0; i < m_counting.processes; ++i) {
        all[i].role = &kind().roles[CounterRoles::Process];
        all[i].ordinal = i;
    }
    return all;
}

Result<Process> CounterRunner::cast(const Member &, const Cue &cue, const ProcessOptions &options)
{
    return std::visit(
        [&]<typename Counter>(const Counter &counter) {
            return Process::create(options,
                                   Incrementer<Counter>{cue, counter, *m_line, m_counting});
        },
        *m_counter);
}

void CounterRunner::accumulate(std::size_t, const ActivityState &state)
{
    m_performed += state.done;
    // Who counts alone writes at its end only.
    if (m_counting.mode != Mode::Local || state.phase == ActivityState::Phase::Done)
        m_written += state.done;
    m_waitedNs += state.waitedFor(runtime::WaitFor::Lock);
    if (state.phase != ActivityState::Phase::Done)
        ++m_died;
}

void CounterRunner::memberEnded(std::size_t index, const ProcessEnd &)
{
    const Member &member = members()[index];
    if (member.activity->state().phase == ActivityState::Phase::Done)
        return;
    m_line->giveUp();
    const auto death = memory().lastDeath();
    if (death && death->deadPid == *member.process->pid())
        addEvent(RunEvent::Severity::Warning, member.log, {"counter.lock_handed_on"_ba});
}

qint64 CounterRunner::value() const
{
    if (const auto *array = std::get_if<Array<qint64>>(&*m_counter)) {
        qint64 sum = 0;
        for (qint64 &element : array->storage())
            sum += std::atomic_ref(element).load(std::memory_order_relaxed);
        return sum;
    }
    return std::atomic_ref(*std::get<Value<qint64>>(*m_counter).storage())
        .load(std::memory_order_relaxed);
}

void CounterRunner::observe(StageSnapshot &snapshot, GaugeSample &gauges)
{
    const std::lock_guard lock(m_mutex);
    SceneRunner::observe(snapshot, gauges);
    quint64 performed = m_performed;
    qint64 waited = m_waitedNs;
    auto shown = std::make_shared<CounterState>();
    const qint64 ownerPid = m_counter ? memory().ownerPid() : 0;
    for (const Member &member : members()) {
        if (!member.isAlive)
            continue;
        const ActivityState state = member.activity->state();
        performed += state.done;
        waited += state.waitedFor(runtime::WaitFor::Lock);
        if (member.log >= snapshot.processes.size())
            continue;
        ProcessLive &live = snapshot.processes[member.log];
        live.currentIndex = live.currentIndex >= 0 ? static_cast<qint64>(live.done) : -1;
        shown->lockWaiters += live.state == ProcessState::WaitingForLock ? 1 : 0;
        if (ownerPid != 0 && *member.process->pid() == ownerPid)
            shown->lockOwner = member.log;
    }
    snapshot.total = static_cast<quint64>(expected());
    snapshot.done = performed;
    shown->value = m_counter ? value() : 0;
    shown->expected = expected();
    m_rate.add(gauges, CounterGauges::IncrementRate, static_cast<double>(performed));
    m_waitRate.addShare(gauges, CounterGauges::LockWait,
                        static_cast<double>(waited) / 1e7 / m_counting.processes);
    gauges.values[CounterGauges::Value] = static_cast<double>(shown->value);
    snapshot.kindState = std::move(shown);
}

void CounterRunner::complete(RunResult &result)
{
    SceneRunner::complete(result);
    const qint64 final = m_counter ? value() : 0;
    // What was not made is not lost. Of a dead process the last ones may be written and not
    // counted.
    const qint64 lost = std::max<qint64>(0, static_cast<qint64>(m_written) - final);
    const bool ranInTurn = m_line && m_line->start() == StartingLine::Start::OneByOne;
    result.outcome =
        QJsonObject{{u"expected"_s, expected()},
                    {u"final"_s, final},
                    {u"lost_updates"_s, lost},
                    {u"increments_per_s"_s, perSecond(static_cast<double>(m_performed))},
                    {u"lock_wait_s"_s, static_cast<double>(m_waitedNs) / 1e9}};
    const bool isRace = m_counting.mode == Mode::None && m_counting.processes > 1;
    result.noticeIsGood = final == expected() && !isRace;
    result.notice.facts = {{"final"_L1, final}, {"expected"_L1, expected()}};
    if (m_died > 0 || isStopped())
        result.notice.code = "counter.not_all_made"_ba;
    else if (lost != 0)
        result.notice.code = "counter.updates_lost"_ba;
    else if (isRace)
        result.notice.code =
            ranInTurn ? "counter.none_lost_in_turn"_ba : "counter.none_lost_by_luck"_ba;
    else
        result.notice.code = "counter.none_lost"_ba;
}

} // namespace

std::unique_ptr<ExperimentRunner> makeCounterRunner(RunnerContext context)
{
    return std::make_unique<CounterRunner>(context);
}

} // namespace proclab
