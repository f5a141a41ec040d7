// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/counter/counter_kind.h"
#include "core/experiment/kinds/counter/counter_state.h"
#include "core/experiment/run/group_runner.h"
#include "core/experiment/run/rate_meter.h"
#include "core/experiment/spec/kind.h"

#include <limits>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

runtime::CounterMode modeOf(const QString &name)
{
    if (name == u"none"_s)
        return runtime::CounterMode::None;
    if (name == u"atomic"_s)
        return runtime::CounterMode::Atomic;
    return name == u"local"_s ? runtime::CounterMode::Local : runtime::CounterMode::Lock;
}

/// Runs `counter` experiments: processes that increment one shared number, or one short array.
class CounterRunner final : public GroupRunner
{
public:
    explicit CounterRunner(RunnerContext context)
        : GroupRunner(context)
        , m_processes(static_cast<quint32>(context.spec.integer(u"counter.processes"_s)))
        , m_increments(static_cast<quint64>(context.spec.bigInteger(u"counter.increments"_s)))
        , m_mode(modeOf(context.spec.text(u"counter.mode"_s)))
    {}

    Result<void> start() override;
    void observe(StageSnapshot &snapshot, GaugeSample &gauges) override;
    void complete(RunResult &result) override;

protected:
    void accumulate(quint32 slot) override;
    void memberEnded(quint32 slot, const ChildExit &exit) override;

private:
    [[nodiscard]] runtime::CounterHeader &counter() const
    {
        return header().part<runtime::CounterHeader>();
    }
    [[nodiscard]] qint64 value() const;
    [[nodiscard]] qint64 expected() const
    {
        return static_cast<qint64>(m_processes * m_increments);
    }

    const quint32 m_processes;
    const quint64 m_increments;
    const runtime::CounterMode m_mode;
    // Guarded by m_mutex: of processes that have ended.
    quint64 m_performed = 0;
    qint64 m_waitedNs = 0;
    qint64 m_firstNs = std::numeric_limits<qint64>::max();
    qint64 m_lastNs = 0;
    int m_died = 0;
    RateMeter m_rate;
    RateMeter m_waitRate;
};

Result<void> CounterRunner::start()
{
    using namespace runtime;
    if (const auto made = makeSegment("proclab-counter", m_processes, sizeof(CounterHeader)); !made)
        return made.error();
    CounterHeader &part = counter();
    part.increments = m_increments;
    part.mode = m_mode;
    part.cells =
        m_context.spec.text(u"counter.type"_s) == u"array"_s ? CounterHeader::arrayLength : 1;
    part.gapNs = m_context.spec.bigInteger(u"counter.gap_ns"_s);
    part.processes = m_processes;
    std::vector<Member> members;
    for (quint32 slot = 0; slot < m_processes; ++slot) {
        Member member;
        member.role = &kind().roles[CounterRoles::Process];
        member.assignment = {Role::CounterProcess, slot, 0};
        members.push_back(member);
    }
    return startAll(std::move(members), m_context.spec.text(u"counter.start_method"_s), -1);
}

void CounterRunner::accumulate(quint32 slot)
{
    const runtime::ProcessSlot &place = header().slot(slot);
    m_performed += place.done();
    m_waitedNs += place.waitedNs.load();
    if (const qint64 first = place.firstOperationNs.load(); first > 0)
        m_firstNs = std::min(m_firstNs, first);
    m_lastNs = std::max<qint64>(m_lastNs, place.lastOperationNs.load());
    if (place.phase.load(std::memory_order_acquire) != runtime::Phase::Leaving)
        ++m_died;
}

void CounterRunner::memberEnded(quint32 slot, const ChildExit &)
{
    if (header().slot(slot).phase.load(std::memory_order_acquire) == runtime::Phase::Leaving)
        return;
    // The others need not wait for it at their gate.
    counter().release.store(1, std::memory_order_release);
    if (counter().lock.recover(slot))
        addEvent(RunEvent::Severity::Warning, members()[slot].process,
                 {"counter.lock_handed_on"_ba});
}

qint64 CounterRunner::value() const
{
    qint64 sum = 0;
    for (std::uint32_t i = 0; i < counter().cells; ++i)
        sum += counter().values[i].load(std::memory_order_relaxed);
    return sum;
}

void CounterRunner::observe(StageSnapshot &snapshot, GaugeSample &gauges)
{
    const std::lock_guard lock(m_mutex);
    GroupRunner::observe(snapshot, gauges);
    const qint64 now = runtime::nowNs();
    quint64 performed = m_performed;
    qint64 waited = m_waitedNs;
    auto state = std::make_shared<CounterState>();
    for (quint32 slot = 0; slot < members().size(); ++slot) {
        const Member &member = members()[slot];
        if (!member.isAlive)
            continue;
        const runtime::ProcessSlot &place = header().slot(slot);
        performed += place.done();
        const qint64 waitedHere = waitedNs(place, runtime::WaitKind::Lock, now);
        waited += waitedHere;
        if (member.process >= snapshot.processes.size())
            continue;
        ProcessLive &live = snapshot.processes[member.process];
        live.currentIndex = live.currentIndex >= 0 ? static_cast<qint64>(live.done) : -1;
        if (snapshot.timeNs > 0)
            live.waitingShare =
                static_cast<double>(waitedHere) / static_cast<double>(snapshot.timeNs);
        state->lockWaiters += live.state == ProcessState::WaitingForLock ? 1 : 0;
    }
    snapshot.total = static_cast<quint64>(expected());
    snapshot.done = performed;
    state->value = value();
    state->expected = expected();
    const int owner = counter().lock.owner();
    state->lockOwner = owner >= 0 && owner < static_cast<int>(members().size())
                           ? members()[static_cast<std::size_t>(owner)].process
                           : -1;
    m_rate.add(gauges, CounterGauges::IncrementRate, static_cast<double>(performed));
    m_waitRate.add(gauges, CounterGauges::LockWait, static_cast<double>(waited) / 1e7 / m_processes,
                   100);
    gauges.values[CounterGauges::Value] = static_cast<double>(state->value);
    snapshot.kindState = std::move(state);
}

void CounterRunner::complete(RunResult &result)
{
    GroupRunner::complete(result);
    const qint64 final = value();
    const qint64 lost = expected() - final;
    const double spent = static_cast<double>(m_lastNs - m_firstNs) / 1e9;
    result.outcome = QJsonObject{
        {u"expected"_s, expected()},
        {u"final"_s, final},
        {u"lost_updates"_s, lost},
        {u"increments_per_s"_s, spent > 0 ? static_cast<double>(m_performed) / spent : 0},
        {u"lock_wait_s"_s, static_cast<double>(m_waitedNs) / 1e9}};
    result.noticeIsGood = lost == 0;
    result.notice.facts = {{"final"_L1, final}, {"expected"_L1, expected()}};
    if (m_died > 0 || isStopped())
        result.notice.code = "counter.not_all_made"_ba;
    else if (lost != 0)
        result.notice.code = "counter.updates_lost"_ba;
    else if (m_mode == runtime::CounterMode::None && m_processes > 1)
        result.notice.code = "counter.none_lost_by_luck"_ba;
    else
        result.notice.code = "counter.none_lost"_ba;
}

} // namespace

std::unique_ptr<ExperimentRunner> makeCounterRunner(RunnerContext context)
{
    return std::make_unique<CounterRunner>(context);
}

} // namespace proclab
