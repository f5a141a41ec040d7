// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/process/lifeline_stage.h"

#include "core/base/number_text.h"
#include "core/experiment/kinds/process/process_kind.h"
#include "core/experiment/spec/kind.h"
#include "ui/shared/theme.h"

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

const ProcessRole &lifelineRole()
{
    return findKind(u"process"_s)->roles[ProcessRoles::Child];
}

} // namespace

LifelineStage::LifelineStage(QWidget *parent) : ProcessStage(parent)
{
    setAccessibleName(tr("Process stage"));
}

QList<ProcessRecord> LifelineStage::idleProcesses() const
{
    QList<ProcessRecord> all{idleParent()};
    const auto count =
        static_cast<int>(std::clamp<qint64>(spec().bigInteger(u"tasks.count"_s), 1, 256));
    const QString name = spec().text(u"process.name"_s);
    for (int number = 1; number <= count; ++number) {
        ProcessRecord child = idleProcess(lifelineRole(), number, number - 1);
        if (!name.isEmpty())
            child.name = count == 1 ? name : QString(name % u'-' % QString::number(number));
        all.append(child);
    }
    return all;
}

QString LifelineStage::idleText() const
{
    const qint64 count = spec().bigInteger(u"tasks.count"_s);
    const double limit = spec().number(u"process.join_timeout_s"_s);
    const QString start = count == 1 ? tr("The parent will start 1 process")
                                     : tr("The parent will start %1 processes").arg(count);
    return limit > 0 ? tr("%1, and wait %2 for each in join()").arg(start, durationText(limit))
                     : tr("%1, and join them one after the other").arg(start);
}

QString LifelineStage::idleTaskText(const ProcessRecord &process) const
{
    if (process.isParent())
        return tr("starts, joins");
    const QString task = spec().text(u"tasks.task"_s);
    return spec().value(u"process.daemon"_s).toBool() ? tr("daemon, %1").arg(task) : task;
}

LivesState LifelineStage::state() const
{
    return snapshot() ? snapshot()->state<LivesState>() : LivesState();
}

int LifelineStage::childCount() const
{
    return static_cast<int>(processes().size()) - 1;
}

QString LifelineStage::childName(int child) const
{
    return child + 1 < processes().size() ? processes()[child + 1].name : QString();
}

void LifelineStage::arrange(const QRectF &area)
{
    m_layout = arrangeLifelines(area, childCount());
    addPlace(0, m_layout.parent.card, m_layout.style);
    for (int child = 0; child < m_layout.children.size(); ++child)
        addPlace(child + 1, m_layout.children[child].card, m_layout.style);
}

TimeRange LifelineStage::range(const LivesState &now) const
{
    TimeRange times{0, snapshot() ? std::max<qint64>(snapshot()->timeNs, 1'000) : 1'000};
    for (const LivesState::Life &life : now.lives)
        times.fromNs = std::min(times.fromNs, life.createdNs);
    return times;
}

QString LifelineStage::parentText() const
{
    const LivesState now = state();
    if (const LivesState::Join *join = now.currentJoin()) {
        const QString name = shortName(processes().value(static_cast<int>(join->child) + 1));
        return join->isAtExit != 0 ? tr("exits, waits for %1").arg(name)
                                   : tr("in join(%1)").arg(name);
    }
    return now.joins.empty() ? tr("starts them") : tr("through");
}

QString LifelineStage::childText(const ProcessRecord &process, const LivesState::Life &life) const
{
    if (process.endNs < 0)
        return idleTaskText(process);
    const QString end =
        process.signal != 0 ? signalName(process.signal) : tr("exit code %1").arg(process.exitCode);
    return life.joinedNs == LivesState::notYet ? end : tr("%1, joined").arg(end);
}

void LifelineStage::describe(const ProcessLive &live, CardContent &content) const
{
    content.task.clear();
    content.taskTime.clear();
    const LivesState now = state();
    if (content.process.isParent()) {
        content.taskText = parentText();
        const auto joined = std::ranges::count_if(now.lives, [](const LivesState::Life &life) {
            return life.joinedNs != LivesState::notYet;
        });
        content.count = tr("%1 of %2 joined").arg(joined).arg(childCount());
        return;
    }
    const auto child = static_cast<std::size_t>(live.process - 1);
    const LivesState::Life life = child < now.lives.size() ? now.lives[child] : LivesState::Life();
    content.taskText = childText(content.process, life);
    if (life.parentPid != 0)
        content.count = tr("parent %1").arg(life.parentPid);
}

QString LifelineStage::summaryText() const
{
    if (!snapshot())
        return idleText();
    const auto ended = std::count_if(processes().begin() + 1, processes().end(),
                                     [](const ProcessRecord &child) { return child.endNs >= 0; });
    return tr("%1 of %2 children have ended, the parent is %3")
        .arg(ended)
        .arg(childCount())
        .arg(parentText());
}

} // namespace proclab
