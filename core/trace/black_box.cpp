// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/trace/black_box.h"

#include "core/base/error.h"
#include "core/runtime/task/task_registry.h"

#include <QStringList>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

using runtime::EventKind;
using runtime::TraceEvent;
using runtime::WaitSubject;

namespace {

QString taskName(std::uint64_t number)
{
    const auto tasks = runtime::registeredTasks();
    const std::uint64_t position = number - runtime::firstRegisteredTask;
    if (number < runtime::firstRegisteredTask || position >= tasks.size())
        return ErrorText::tr("number %1").arg(number);
    const std::string_view name = tasks[position].name;
    return QString::fromUtf8(name.data(), static_cast<qsizetype>(name.size()));
}

std::optional<TraceEntry> entryOf(const runtime::TreeReader &reader, const TraceEvent &event)
{
    TraceEntry entry;
    entry.timeNs = event.timeNs;
    switch (event.kind) {
    case EventKind::TaskBegan:
    case EventKind::TaskEnded:
        entry.event = event.kind == EventKind::TaskBegan ? TraceEntry::Event::TaskBegan
                                                         : TraceEntry::Event::TaskEnded;
        entry.task = taskName(event.subject);
        entry.call = event.value;
        return entry;
    case EventKind::WaitBegan:
    case EventKind::WaitEnded: {
        entry.event = event.kind == EventKind::WaitBegan ? TraceEntry::Event::WaitBegan
                                                         : TraceEntry::Event::WaitEnded;
        runtime::NotedWait noted;
        noted.subject = WaitSubject::of(event.subject);
        noted.sinceNs = event.timeNs;
        entry.wait = waits_detail::waitOf(reader, noted);
        // Which processes could have ended it then is not known now.
        if (entry.wait.reason != Wait::Reason::ProcessEnd)
            entry.wait.wakers.clear();
        return entry;
    }
    case EventKind::ProcessStarted:
    case EventKind::ProcessEnded:
        entry.event = event.kind == EventKind::ProcessStarted ? TraceEntry::Event::ProcessStarted
                                                              : TraceEntry::Event::ProcessEnded;
        entry.pid = static_cast<qint64>(event.subject);
        entry.status = static_cast<int>(static_cast<std::int64_t>(event.value));
        return entry;
    case EventKind::None:
        break;
    }
    return std::nullopt;
}

bool isOfTask(const TraceEntry &entry)
{
    return entry.event == TraceEntry::Event::TaskBegan ||
           entry.event == TraceEntry::Event::TaskEnded;
}

} // namespace

std::optional<BlackBox> BlackBox::of(qint64 pid)
{
    const runtime::TreeReader reader;
    const auto *notes = reader.notesOf(static_cast<std::int32_t>(pid));
    if (!notes)
        return std::nullopt;
    BlackBox box;
    box.pid = pid;
    box.process = QString::fromStdString(notes->name());
    box.readNs = runtime::nowNs();
    for (std::uint32_t place = 0; place < runtime::ProcessNotes::maxWaits; ++place) {
        if (const auto noted = notes->wait(place)) {
            box.waits.append(waits_detail::waitOf(reader, *noted));
            box.waits.back().pid = pid;
            box.waits.back().process = box.process;
        }
    }
    for (const TraceEvent &event : notes->events.last(maxEntries)) {
        if (const auto entry = entryOf(reader, event))
            box.entries.append(*entry);
    }
    if (notes->pid() != pid) // Another process has taken its place meanwhile.
        return std::nullopt;
    return box;
}

QString entryText(const TraceEntry &entry)
{
    switch (entry.event) {
    case TraceEntry::Event::TaskBegan:
        return ErrorText::tr("took task %1").arg(entry.task);
    case TraceEntry::Event::TaskEnded:
        return ErrorText::tr("ended task %1").arg(entry.task);
    case TraceEntry::Event::WaitBegan:
        return ErrorText::tr("waited for %1").arg(subjectText(entry.wait));
    case TraceEntry::Event::WaitEnded:
        return ErrorText::tr("waited no more for %1").arg(subjectText(entry.wait));
    case TraceEntry::Event::ProcessStarted:
        return ErrorText::tr("started PID %1").arg(entry.pid);
    case TraceEntry::Event::ProcessEnded:
        return ErrorText::tr("PID %1 ended with %2").arg(entry.pid).arg(entry.status);
    }
    return {};
}

QString lastWords(const BlackBox &box)
{
    const auto told = [&box](qint64 timeNs, const QString &what) {
        return ErrorText::tr("%1 ms before: %2").arg((box.readNs - timeNs) / 1'000'000).arg(what);
    };
    QStringList words;
    const auto task = std::find_if(box.entries.rbegin(), box.entries.rend(), isOfTask);
    if (task != box.entries.rend())
        words += told(task->timeNs, entryText(*task));
    if (!box.waits.isEmpty()) {
        const Wait &wait = box.waits.back();
        words += told(wait.sinceNs, ErrorText::tr("waited for %1").arg(subjectText(wait)));
    } else if (!box.entries.isEmpty() && !isOfTask(box.entries.back())) {
        words += told(box.entries.back().timeNs, entryText(box.entries.back()));
    }
    return words.join(u"; "_s);
}

} // namespace proclab
