// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/waits/wait_graph.h"

#include "core/base/error.h"
#include "core/waits/stuck_processes.h"

#include <QFile>
#include <QStringList>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

using runtime::NotedWait;
using runtime::ProcessNotes;
using runtime::TreeReader;
using runtime::WaitSubject;

namespace {

/// Waits of idle workers and the like start no search.
bool canBeOfADeadlock(const NotedWait &noted)
{
    return noted.deadlineNs == runtime::noDeadline &&
           (noted.subject.type == WaitSubject::Type::Word ||
            noted.subject.type == WaitSubject::Type::Process);
}

QString nameOf(const TreeReader::Sharer &sharer)
{
    if (const std::string name = sharer.notes->name(); !name.empty())
        return QString::fromStdString(name);
    QFile file(u"/proc/%1/comm"_s.arg(sharer.pid));
    return file.open(QIODevice::ReadOnly) ? QString::fromLocal8Bit(file.readAll().trimmed())
                                          : QString();
}

} // namespace

WaitGraph WaitGraph::snapshot()
{
    WaitGraph graph;
    graph.m_takenNs = runtime::nowNs();
    const TreeReader reader;
    for (const TreeReader::Sharer &sharer : reader.sharers()) {
        Process process{sharer, {}, false};
        if (sharer.notes->hasWaits() && reader.isAlive(sharer.number))
            graph.addWaitsOf(process, reader);
        graph.m_processes.push_back(process);
    }
    return graph;
}

void WaitGraph::addWaitsOf(Process &process, const TreeReader &reader)
{
    const QString name = nameOf(process.sharer);
    process.mayBeStuck = true;
    for (std::uint32_t place = 0; place < ProcessNotes::maxWaits; ++place) {
        const auto noted = process.sharer.notes->wait(place);
        if (!noted)
            continue;
        Wait wait = waits_detail::waitOf(reader, *noted);
        wait.pid = process.sharer.pid;
        wait.process = name;
        process.waits.append(static_cast<int>(m_waits.size()));
        const bool isAwake = noted->subject.type == WaitSubject::Type::Word &&
                             reader.word(noted->subject.number).load() != noted->seen;
        if (isAwake || wait.deadlineNs || wait.reason == Wait::Reason::Several)
            process.mayBeStuck = false;
        m_waits.append(wait);
        m_noted.append(*noted);
    }
    process.mayBeStuck = process.mayBeStuck && !process.waits.isEmpty();
}

bool WaitGraph::hasWaitOfAge(std::chrono::nanoseconds age)
{
    const qint64 youngest = runtime::nowNs() - age.count();
    for (const TreeReader::Sharer &sharer : TreeReader().sharers()) {
        for (std::uint32_t place = 0; sharer.notes->hasWaits() && place < ProcessNotes::maxWaits;
             ++place) {
            const auto noted = sharer.notes->wait(place);
            if (noted && noted->sinceNs <= youngest && canBeOfADeadlock(*noted))
                return true;
        }
    }
    return false;
}

QList<Deadlock> WaitGraph::deadlocks() const
{
    return StuckProcesses(*this).deadlocks();
}

bool Deadlock::isSameAs(const Deadlock &other) const
{
    const auto isMember = [](const QList<Wait> &waits, const Wait &wait) {
        return std::ranges::any_of(waits, [&wait](const Wait &one) { return one.isSameAs(wait); });
    };
    return members.size() == other.members.size() &&
           std::ranges::all_of(members,
                               [&](const Wait &wait) { return isMember(other.members, wait); });
}

QString deadlockText(const Deadlock &deadlock, qint64 nowNs)
{
    QStringList lines;
    for (const Wait &wait : deadlock.members)
        lines += waitText(wait, nowNs);
    const Wait &victim = deadlock.members.at(deadlock.victim);
    lines += ErrorText::tr("The end of %1 (PID %2) would cost the least: it "
                           "has waited for the shortest time.")
                 .arg(victim.process)
                 .arg(victim.pid);
    return lines.join(u'\n');
}

} // namespace proclab
