// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/fork/fork_kind.h"
#include "core/experiment/kinds/fork/fork_scene.h"
#include "core/experiment/kinds/fork/fork_state.h"
#include "core/experiment/run/scene_runner.h"
#include "core/experiment/spec/kind.h"
#include "core/monitor/page_count.h"

#include <QJsonArray>

#include <algorithm>
#include <csignal>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

using forking::told;

forking::Plan planOf(const ExperimentSpec &spec)
{
    const ForkMemory memory = forkMemory(spec);
    return {
        .pages = static_cast<quint64>(memory.pages),
        .writtenPages = static_cast<quint64>(qRound64(static_cast<double>(memory.pages) *
                                                      spec.number(u"fork.touch_percent"_s) / 100)),
        .children = static_cast<quint32>(spec.integer(u"fork.children"_s)),
        .cells = static_cast<quint32>(memory.cells),
        .besideThread = spec.flag(u"fork.beside_thread"_s) ? 1U : 0U,
    };
}

QJsonValue orNull(qint64 number)
{
    return number >= 0 ? QJsonValue(number) : QJsonValue();
}

/// Runs `fork` experiments: a process that fills its memory and forks children, which write to a
/// part of it.
class ForkRunner final : public SceneRunner
{
public:
    explicit ForkRunner(RunnerContext context) : SceneRunner(context), m_plan(planOf(context.spec))
    {}
    ~ForkRunner() override { endDirecting(); }

    void observe(StageSnapshot &snapshot, GaugeSample &gauges) override;
    [[nodiscard]] quint64 sharedSinceFork(int process) override;
    void complete(RunResult &result) override;

protected:
    Result<std::vector<Member>> setUp() override;
    Result<Process> cast(const Member &member, const Cue &cue,
                         const ProcessOptions &options) override;
    bool goOn() override;
    std::optional<ProcessEnd> descendantEnd(std::size_t index) override;
    void memberEnded(std::size_t index, const ProcessEnd &end) override;
    void accumulate(std::size_t index, const ActivityState &state) override;
    [[nodiscard]] QString processName(const Member &member, int number) const override;

private:
    [[nodiscard]] forking::Child &toldBy(std::size_t index) const
    {
        return m_children->storage()[index - 1];
    }
    /// As all is now.
    [[nodiscard]] std::shared_ptr<ForkState> state() const;
    [[nodiscard]] ForkState::Child childState(forking::Child &child) const;
    [[nodiscard]] QJsonArray outcomeOfChildren(const ForkState &all) const;
    void giveNotice(RunResult &result, const ForkState &all) const;

    const forking::Plan m_plan;
    // Guarded by m_mutex until they are there.
    std::optional<Value<forking::Parent>> m_parent;
    std::optional<Array<forking::Child>> m_children;
    std::optional<Array<qint64>> m_ownPages;
    std::optional<Event> m_leave;
    quint64 m_done = 0;   ///< Guarded by m_mutex: blocks, of children that have ended.
    qint64 m_through = 0; ///< The same: children that came to their end.
};

Result<std::vector<SceneRunner::Member>> ForkRunner::setUp()
{
    const auto parent = Value<forking::Parent>::create({}, Locking::None);
    if (!parent)
        return parent.error();
    const std::vector<forking::Child> none(m_plan.children);
    const auto children = Array<forking::Child>::create(none, Locking::None);
    if (!children)
        return children.error();
    const auto ownPages =
        Array<qint64>::create(std::size_t{m_plan.children + 1} * m_plan.cells, Locking::None);
    if (!ownPages)
        return ownPages.error();
    const auto leave = Event::create();
    if (!leave)
        return leave.error();
    std::vector<Member> all(m_plan.children + 1);
    all[0].role = &kind().roles[ForkRoles::Parent];
    for (quint32 i = 0; i < m_plan.children; ++i) {
        const auto activity = Activity::create();
        if (!activity)
            return activity.error();
        Member &child = all[i + 1];
        child.role = &kind().roles[ForkRoles::Child];
        child.ordinal = i;
        child.activity = *activity;
        child.isDescendant = true;
    }
    const std::lock_guard lock(m_mutex);
    m_parent = *parent;
    m_children = *children;
    m_ownPages = *ownPages;
    m_leave = *leave;
    return all;
}

Result<Process> ForkRunner::cast(const Member &, const Cue &cue, const ProcessOptions &options)
{
    std::vector<Activity> activities;
    for (const Member &member : members()) {
        if (member.isDescendant)
            activities.push_back(*member.activity);
    }
    ProcessOptions own = options;
    own.isDaemon = false; // A daemon has no children.
    return Process::create(own, forking::Forker{cue, m_plan, *m_parent, *m_children, activities,
                                                *m_ownPages, *m_leave});
}

QString ForkRunner::processName(const Member &member, int number) const
{
    return member.isDescendant ? SceneRunner::processName(member, number) : member.role->name;
}

/// The children become known as the parent tells of them.
bool ForkRunner::goOn()
{
    for (std::size_t i = 1; i < members().size(); ++i) {
        forking::Child &child = toldBy(i);
        const qint64 pid = told(child.pid);
        if (members()[i].log >= 0 || pid == 0)
            continue;
        noteDescendant(i, pid, told(child.forkedNs));
        addEvent(RunEvent::Severity::Info, members()[i].log, {"fork.forked"_ba, {{"pid"_L1, pid}}});
    }
    return true;
}

std::optional<ProcessEnd> ForkRunner::descendantEnd(std::size_t index)
{
    forking::Child &child = toldBy(index);
    if (told(child.hasEnded) != 0) {
        if (told(child.endedByDeadline) != 0)
            noteShownEnd(index);
        ProcessEnd end{.exitCode = static_cast<int>(told(child.exitCode)),
                       .signal = static_cast<int>(told(child.signal)),
                       .isOwnSignal = told(child.isOwnSignal) != 0};
        if (const qint64 cpuNs = told(child.cpuNs); cpuNs >= 0)
            end.cpuTime = std::chrono::nanoseconds(cpuNs);
        if (const qint64 bytes = told(child.peakResidentBytes); bytes >= 0)
            end.peakResidentBytes = static_cast<quint64>(bytes);
        return end;
    }
    const Member &member = members()[index];
    const bool isLeftAlone = !members()[0].isAlive;
    if (isLeftAlone && (!member.descriptor || member.descriptor->hasEnded()))
        return ProcessEnd{.signal = SIGKILL}; // As all are that lose their parent.
    return std::nullopt;
}

void ForkRunner::accumulate(std::size_t index, const ActivityState &state)
{
    if (index == 0)
        return;
    m_done += state.done;
    m_through += state.phase == ActivityState::Phase::Done ? 1 : 0;
}

void ForkRunner::memberEnded(std::size_t index, const ProcessEnd &)
{
    if (index == 0)
        goOn(); // It may have told of one more child.
    if (members()[index].isEndShown)
        addEvent(RunEvent::Severity::Warning, members()[index].log, {"fork.ended_by_deadline"_ba});
}

ForkState::Child ForkRunner::childState(forking::Child &child) const
{
    ForkState::Child now;
    now.pid = told(child.pid);
    now.returned = told(child.returned);
    now.value = told(child.value);
    now.writtenPages = told(child.writtenPages);
    now.copiedBytes = told(child.copiedBytes);
    now.sharedBytes = told(child.sharedBytes);
    now.forkNs = told(child.forkNs);
    now.endedByDeadline = told(child.endedByDeadline);
    now.waitsForLock = m_plan.besideThread != 0 && now.returned == 0 ? 1 : 0;
    return now;
}

std::shared_ptr<ForkState> ForkRunner::state() const
{
    auto all = std::make_shared<ForkState>();
    all->pages = static_cast<qint64>(m_plan.pages);
    all->cells = m_plan.cells;
    if (!m_leave)
        return all;
    forking::Parent &parent = *m_parent->storage();
    all->valueBefore = told(parent.valueBefore);
    all->valueAfter = told(parent.valueAfter);
    all->countsPages = told(parent.countsPages);
    all->lockIsFree = told(parent.lockIsFree);
    for (forking::Child &child : m_children->storage())
        all->children.push_back(childState(child));
    for (qint64 &pages : m_ownPages->storage())
        all->ownPages.push_back(told(pages));
    return all;
}

void ForkRunner::observe(StageSnapshot &snapshot, GaugeSample &gauges)
{
    const std::lock_guard lock(m_mutex);
    SceneRunner::observe(snapshot, gauges);
    snapshot.total = std::uint64_t{m_plan.children} * m_plan.cells;
    snapshot.done = m_done;
    for (const Member &member : members()) {
        if (member.isDescendant && member.isAlive)
            snapshot.done += member.activity->state().done;
    }
    auto shown = state();
    const auto toMib = [](qint64 bytes) {
        return static_cast<double>(std::max<qint64>(bytes, 0)) / (1 << 20);
    };
    gauges.values[ForkGauges::Copied] = toMib(shown->copiedBytes());
    gauges.values[ForkGauges::Shared] = toMib(shown->sharedBytes());
    snapshot.kindState = std::move(shown);
}

quint64 ForkRunner::sharedSinceFork(int process)
{
    const std::lock_guard lock(m_mutex);
    for (std::size_t i = 0; i < members().size(); ++i) {
        if (members()[i].log == process)
            return static_cast<quint64>(std::max<qint64>(
                0, i == 0 ? state()->parentsSharedPages() * static_cast<qint64>(pageSize())
                          : told(toldBy(i).sharedBytes)));
    }
    return 0;
}

QJsonArray ForkRunner::outcomeOfChildren(const ForkState &all) const
{
    const QList<ProcessRecord> records = m_context.log.processes();
    QJsonArray list;
    for (std::size_t i = 0; i < all.children.size(); ++i) {
        const ForkState::Child &child = all.children[i];
        const int log = i + 1 < members().size() ? members()[i + 1].log : -1;
        const bool hasEnded = log >= 0 && records[log].endNs >= 0;
        QJsonValue code;
        if (hasEnded)
            code = records[log].signal != 0 ? -records[log].signal : records[log].exitCode;
        list.append(
            QJsonObject{{u"value"_s, orNull(child.value)},
                        {u"written_bytes"_s, child.writtenPages * static_cast<qint64>(pageSize())},
                        {u"copied_bytes"_s, orNull(child.copiedBytes)},
                        {u"shared_bytes"_s, orNull(child.sharedBytes)},
                        {u"exit_code"_s, code},
                        {u"ended_by_deadline"_s, child.endedByDeadline != 0}});
    }
    return list;
}

void ForkRunner::giveNotice(RunResult &result, const ForkState &all) const
{
    const qint64 error = m_parent ? told(m_parent->storage()->forkError) : 0;
    const auto children = static_cast<qint64>(m_plan.children);
    const bool isByDeadline = std::ranges::any_of(
        all.children, [](const ForkState::Child &child) { return child.endedByDeadline != 0; });
    result.noticeIsGood = false;
    if (error != 0) {
        result.notice = errorNote("fork.failed"_ba, osError({}, static_cast<int>(error)));
    } else if (isByDeadline && !isStopped()) {
        result.notice = {"fork.lock_was_copied"_ba};
    } else if (m_through < children) {
        result.notice = {"fork.cut_short"_ba,
                         {{"through"_L1, m_through}, {"children"_L1, children}}};
    } else if (all.copiedBytes() < 0) {
        result.notice = {"fork.not_counted"_ba};
    } else {
        const qint64 bytes = m_context.spec.bigInteger(u"fork.memory_mib"_s) << 20;
        result.noticeIsGood = true;
        result.notice = {"fork.copied"_ba,
                         {{"copied"_L1, all.copiedBytes()},
                          {"shared"_L1, all.sharedBytes()},
                          {"memory"_L1, bytes},
                          {"children"_L1, children}}};
    }
}

void ForkRunner::complete(RunResult &result)
{
    SceneRunner::complete(result);
    const auto all = state();
    qint64 forkNs = 0;
    int forks = 0;
    for (const ForkState::Child &child : all->children) {
        forkNs += child.forkNs;
        forks += child.pid != 0 ? 1 : 0;
    }
    result.outcome = QJsonObject{
        {u"parent_value_before"_s, orNull(all->valueBefore)},
        {u"parent_value_after"_s, orNull(all->valueAfter)},
        {u"child_value"_s, all->children.empty() ? QJsonValue() : orNull(all->children[0].value)},
        {u"shared_bytes"_s, orNull(all->sharedBytes())},
        {u"copied_bytes"_s, orNull(all->copiedBytes())},
        {u"fork_s"_s,
         forks > 0 ? QJsonValue(static_cast<double>(forkNs) / 1e9 / forks) : QJsonValue()},
        {u"children"_s, outcomeOfChildren(*all)}};
    giveNotice(result, *all);
}

} // namespace

std::unique_ptr<ExperimentRunner> makeForkRunner(RunnerContext context)
{
    return std::make_unique<ForkRunner>(context);
}

} // namespace proclab
