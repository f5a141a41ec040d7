// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/trace/wait.h"

#include "core/base/error.h"
#include "core/runtime/ipc/queue_body.h"
#include "core/runtime/objects/sync_bodies.h"

#include <QStringList>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

using runtime::ObjectKind;
using runtime::TreeReader;
using runtime::WaitSubject;
using Reason = Wait::Reason;

namespace {

template<typename Body>
const Body &as(const TreeReader::Place &place)
{
    return *reinterpret_cast<const Body *>(place.body);
}

/// Where a thread sleeps: in an object, at one of its words.
struct Sleep
{
    Reason reason = Reason::Internal;
    /// The side of a pipe whose holders can wake it. No value: the holders of the object can.
    std::optional<std::uint32_t> side = std::nullopt;
};

Sleep sleepAtQueue(const runtime::QueueBody &queue, const runtime::FutexWord *word)
{
    if (word == &queue.ring.items.changes())
        return {Reason::QueueEmpty};
    if (word == &queue.ring.room.changes())
        return {Reason::QueueFull};
    return {word == &queue.joining.changes() ? Reason::QueueDone : Reason::Internal};
}

Sleep sleepAtPipe(const runtime::PipeBody &pipe, const runtime::FutexWord *word)
{
    for (std::uint32_t writer = 0; writer < pipe.directions.size(); ++writer) {
        if (word == &pipe.directions[writer].ring.items.changes())
            return {Reason::PipeEmpty, writer};
        if (word == &pipe.directions[writer].ring.room.changes())
            return {Reason::PipeFull, 1 - writer};
    }
    return {};
}

Sleep sleepAt(const TreeReader::Place &place, const runtime::FutexWord *word)
{
    switch (place.kind) {
    case ObjectKind::Lock:
    case ObjectKind::RLock:
        return {Reason::Lock};
    case ObjectKind::Semaphore:
        return {Reason::Semaphore};
    case ObjectKind::Event:
        return {Reason::Event};
    case ObjectKind::Condition:
        return {Reason::Condition};
    case ObjectKind::Barrier:
        if (word == &as<runtime::BarrierBody>(place).waiting.changes())
            return {Reason::Barrier};
        break;
    case ObjectKind::Queue:
        return sleepAtQueue(as<runtime::QueueBody>(place), word);
    case ObjectKind::Pipe:
        return sleepAtPipe(as<runtime::PipeBody>(place), word);
    default:
        break;
    }
    return {};
}

/// The waiter has seen the lock's word, which names the owner.
void setOwner(Wait &wait, std::uint32_t seen)
{
    const int owner = runtime::SharedLock::ownerIn(seen);
    const qint64 pid =
        owner > 0 ? runtime::ObjectSpace::instance().pidOf(static_cast<std::uint32_t>(owner)) : 0;
    if (pid != 0)
        wait.wakers = {pid};
    else
        wait.hasUnknownWaker = true;
}

void setHolders(Wait &wait, const TreeReader::Holders &holders)
{
    wait.hasUnknownWaker = holders.isInFlight;
    for (const std::uint32_t sharer : holders.sharers) {
        if (const qint64 pid = runtime::ObjectSpace::instance().pidOf(sharer))
            wait.wakers.append(pid);
    }
}

void setPlace(const TreeReader &reader, const runtime::NotedWait &noted, Wait &wait)
{
    const auto place = reader.find(noted.subject.number);
    if (!place) { // The locks of the tree's memory itself belong to no object.
        wait.reason = Reason::Internal;
        setOwner(wait, noted.seen);
        return;
    }
    if (place->bornNs > noted.sinceNs) {
        wait.hasUnknownWaker = true; // It has ended, and with it the wait.
        return;
    }
    const Sleep sleep = sleepAt(*place, &reader.word(noted.subject.number));
    wait.reason = sleep.reason;
    wait.object = place->object.index;
    if (sleep.reason == Reason::Lock || sleep.reason == Reason::Internal)
        setOwner(wait, noted.seen);
    else if (sleep.side)
        setHolders(wait, reader.holdersOfSide(place->object, *sleep.side));
    else
        setHolders(wait, reader.holdersOf(place->object));
}

QString reasonText(Reason reason)
{
    switch (reason) {
    case Reason::Lock:
        return ErrorText::tr("lock %1");
    case Reason::Semaphore:
        return ErrorText::tr("a unit of semaphore %1");
    case Reason::Event:
        return ErrorText::tr("event %1");
    case Reason::Condition:
        return ErrorText::tr("condition %1");
    case Reason::Barrier:
        return ErrorText::tr("barrier %1");
    case Reason::QueueEmpty:
        return ErrorText::tr("an item of queue %1");
    case Reason::QueueFull:
        return ErrorText::tr("room in queue %1");
    case Reason::QueueDone:
        return ErrorText::tr("all items of queue %1 to be done");
    case Reason::PipeEmpty:
        return ErrorText::tr("a message of pipe %1");
    case Reason::PipeFull:
        return ErrorText::tr("room in pipe %1");
    case Reason::Internal:
        return ErrorText::tr("an inner lock");
    case Reason::ProcessEnd:
        return ErrorText::tr("the end of %1");
    case Reason::Calls:
        return ErrorText::tr("the results of its calls");
    case Reason::Task:
        return ErrorText::tr("a task");
    case Reason::Several:
        return ErrorText::tr("one of several pipes");
    case Reason::Gone:
        break;
    }
    return ErrorText::tr("an object that is gone");
}

} // namespace

Wait waits_detail::waitOf(const TreeReader &reader, const runtime::NotedWait &noted)
{
    Wait wait;
    wait.thread = noted.thread;
    wait.sinceNs = noted.sinceNs;
    wait.sequence = noted.sequence;
    if (noted.deadlineNs != runtime::noDeadline)
        wait.deadlineNs = noted.deadlineNs;
    switch (noted.subject.type) {
    case WaitSubject::Type::Word:
        setPlace(reader, noted, wait);
        break;
    case WaitSubject::Type::Process:
        wait.reason = Reason::ProcessEnd;
        wait.wakers = {static_cast<qint64>(noted.subject.number)};
        break;
    case WaitSubject::Type::Calls:
        wait.reason = Reason::Calls;
        break;
    case WaitSubject::Type::Task:
        wait.reason = Reason::Task;
        break;
    case WaitSubject::Type::Several:
    case WaitSubject::Type::None:
        wait.reason = Reason::Several;
        wait.hasUnknownWaker = true;
        break;
    }
    return wait;
}

QString subjectText(const Wait &wait)
{
    QString text = reasonText(wait.reason);
    if (wait.object)
        text = text.arg(*wait.object);
    if (wait.reason == Reason::ProcessEnd && !wait.wakers.isEmpty())
        text = text.arg(ErrorText::tr("PID %1").arg(wait.wakers.front()));
    if (wait.reason == Reason::Lock && !wait.wakers.isEmpty())
        text += ErrorText::tr(", held by PID %1").arg(wait.wakers.front());
    return text;
}

QString waitText(const Wait &wait, qint64 nowNs)
{
    return ErrorText::tr("%1 (PID %2, thread %3) has waited for %4 for %5 ms")
        .arg(wait.process)
        .arg(wait.pid)
        .arg(wait.thread)
        .arg(subjectText(wait))
        .arg((nowNs - wait.sinceNs) / 1'000'000);
}

QString notedName(qint64 pid)
{
    const auto *notes = TreeReader().notesOf(static_cast<std::int32_t>(pid));
    return notes ? QString::fromStdString(notes->name()) : QString();
}

} // namespace proclab
