// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/fork/fork_stage.h"

#include "core/base/number_text.h"
#include "core/experiment/kinds/fork/fork_kind.h"
#include "core/experiment/spec/kind.h"
#include "ui/shared/theme.h"

#include <algorithm>
#include <cmath>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

const ProcessRole &roleOf(ForkRoles::Role role)
{
    return findKind(u"fork"_s)->roles[role];
}

/// Lines beside a card, with a lock and without.
constexpr int factCount = 3;
constexpr int factCountWithLock = 4;

} // namespace

ForkStage::ForkStage(QWidget *parent) : ProcessStage(parent)
{
    setAccessibleName(tr("Fork stage"));
    setCardForm({.waits = {ProcessState::WaitingForLock}});
}

QList<ProcessRecord> ForkStage::idleProcesses() const
{
    ProcessRecord forker = idleProcess(roleOf(ForkRoles::Parent), 1, 0);
    forker.name = roleOf(ForkRoles::Parent).name;
    QList<ProcessRecord> all{idleParent(), forker};
    for (int child = 0; child < childCount(); ++child)
        all.append(idleProcess(roleOf(ForkRoles::Child), child + 1, child + 1));
    return all;
}

QString ForkStage::writesText() const
{
    const qint64 percent = spec().bigInteger(u"fork.touch_percent"_s);
    return percent == 0     ? tr("reads all of it")
           : percent == 100 ? tr("writes to all of it")
                            : tr("writes to %1\u00A0% of it").arg(percent);
}

QString ForkStage::idleText() const
{
    const QString memory = bytesText(
        static_cast<quint64>(std::max<qint64>(0, spec().bigInteger(u"fork.memory_mib"_s))) << 20);
    if (isBesideThread())
        return tr("A process with %1 will fork while its other thread holds a lock").arg(memory);
    return childCount() == 1
               ? tr("A process with %1 will fork; the child %2").arg(memory, writesText())
               : tr("A process with %1 will fork %2 times; each child %3")
                     .arg(memory)
                     .arg(childCount())
                     .arg(writesText());
}

QString ForkStage::idleTaskText(const ProcessRecord &process) const
{
    if (process.role != &roleOf(ForkRoles::Child))
        return tr("forks, then waits");
    return isBesideThread() ? tr("takes the lock") : writesText();
}

ForkState ForkStage::state() const
{
    return snapshot() ? snapshot()->state<ForkState>() : ForkState();
}

int ForkStage::childCount() const
{
    return std::clamp(spec().integer(u"fork.children"_s), 1, 64);
}

bool ForkStage::isBesideThread() const
{
    return spec().flag(u"fork.beside_thread"_s);
}

int ForkStage::placeOf(int child) const
{
    constexpr int before = 2; // The lab's own process, and the parent.
    return child + before < processes().size() ? child + before : -1;
}

void ForkStage::arrange(const QRectF &area)
{
    m_layout = arrangeFork(area, childCount(), isBesideThread() ? factCountWithLock : factCount);
    if (processes().size() > 1)
        addPlace(1, m_layout.parent.card, m_layout.parent.style);
    for (int child = 0; child < m_layout.children.size() && placeOf(child) >= 0; ++child)
        addPlace(placeOf(child), m_layout.children[child].card, m_layout.children[child].style);
}

QList<ForkStage::Fact> ForkStage::parentFacts(const ForkState &now) const
{
    QStringList pids;
    for (const ForkState::Child &child : now.children) {
        if (child.pid != 0)
            pids.append(QString::number(child.pid));
    }
    const QString dash = u"\u2013"_s;
    QList<Fact> facts;
    if (isBesideThread())
        facts.append({.label = tr("lock"),
                      .value = isIdle() || now.valueBefore < 0 ? dash
                               : now.lockIsFree != 0           ? tr("released by its thread")
                                                               : tr("held by its thread"),
                      .shortValue = now.lockIsFree != 0 ? tr("free") : tr("held"),
                      .isLock = true});
    facts.append(
        {.label = tr("fork()"),
         .value = pids.isEmpty() ? dash : tr("returned %1").arg(pids.join(u", "_s)),
         .shortValue = pids.size() > 1 ? tr("%1 PIDs").arg(pids.size()) : pids.value(0, dash)});
    // What it was before and is afterwards: the children change copies of it.
    const qint64 value = now.valueAfter >= 0 ? now.valueAfter : now.valueBefore;
    const QString number = value < 0 ? dash : QString::number(value);
    facts.append({.label = tr("value"),
                  .value = now.valueAfter >= 0 ? tr("%1, as before").arg(number) : number,
                  .shortValue = number});
    const QString memory = bytesText(
        static_cast<quint64>(std::max<qint64>(0, spec().bigInteger(u"fork.memory_mib"_s))) << 20);
    facts.append({.label = tr("memory"), .value = memory, .shortValue = memory});
    return facts;
}

QList<ForkStage::Fact> ForkStage::childFacts(const ForkState::Child &child) const
{
    const QString dash = u"\u2013"_s;
    QList<Fact> facts;
    const bool isStuck = child.waitsForLock != 0;
    if (isBesideThread())
        facts.append({.label = tr("lock"),
                      .value = isStuck ? tr("held, by a thread that is not here") : dash,
                      .shortValue = isStuck ? tr("held") : dash,
                      .isWarning = isStuck,
                      .isLock = true});
    facts.append({.label = tr("fork()"),
                  .value = child.returned < 0 ? dash : tr("returned %1").arg(child.returned),
                  .shortValue = child.returned < 0 ? dash : QString::number(child.returned)});
    const QString number = child.value < 0 ? dash : QString::number(child.value);
    facts.append({.label = tr("value"),
                  .value = child.value < 0 ? dash : tr("%1, its own copy").arg(number),
                  .shortValue = number});
    if (child.copiedBytes < 0)
        facts.append({.label = tr("memory"), .value = dash, .shortValue = dash});
    else
        facts.append({.label = tr("memory"),
                      .value = tr("%1 copied, %2 shared")
                                   .arg(bytesText(static_cast<quint64>(child.copiedBytes)),
                                        bytesText(static_cast<quint64>(child.sharedBytes))),
                      .shortValue =
                          tr("%1 copied").arg(bytesText(static_cast<quint64>(child.copiedBytes)))});
    return facts;
}

void ForkStage::describe(const ProcessLive &live, CardContent &content) const
{
    content.task.clear();
    content.taskTime.clear();
    const ForkState now = state();
    if (content.process.role != &roleOf(ForkRoles::Child)) {
        const auto forked = std::ranges::count_if(
            now.children, [](const ForkState::Child &child) { return child.pid != 0; });
        content.taskText = forked == childCount() ? tr("waits for its children") : tr("forks");
        content.count = tr("%1 forked").arg(forked);
    } else {
        const auto child = static_cast<std::size_t>(live.process - 2);
        const ForkState::Child told =
            child < now.children.size() ? now.children[child] : ForkState::Child();
        content.taskText = told.waitsForLock != 0 ? tr("waits for the lock") : writesText();
        content.count = tr("%1 blocks").arg(live.done);
        if (told.endedByDeadline != 0) {
            content.note = tr("deadline");
            content.noteIsWarning = true;
        }
    }
    if (isOver(live.state))
        content.taskText.clear();
}

QString ForkStage::summaryText() const
{
    if (!snapshot())
        return idleText();
    const ForkState now = state();
    const auto text = [](qint64 bytes) {
        return bytes < 0 ? tr("not known") : bytesText(static_cast<quint64>(bytes));
    };
    return tr("%1 of %2 blocks gone through, copied: %3, shared: %4")
        .arg(groupedNumber(static_cast<qint64>(snapshot()->done)),
             groupedNumber(static_cast<qint64>(snapshot()->total)), text(now.copiedBytes()),
             text(now.sharedBytes()));
}

} // namespace proclab
