// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/trace/process_notes.h"

#include <algorithm>

#include <unistd.h>

namespace proclab::runtime {

namespace {

thread_local bool isNoted = false; // This thread's wait.
std::atomic<std::int32_t> engineThreadHere = 0;

/// Workers wait for tasks so often that their events would leave room for nothing else.
bool isTraced(WaitSubject subject)
{
    return subject.type != WaitSubject::Type::Task;
}

} // namespace

void ProcessNotes::restart(std::int32_t pid, bool usesCounter)
{
    m_pid.store(0, std::memory_order_release); // Nobody takes the old notes for the new ones.
    m_placesInUse.store(0, std::memory_order_relaxed);
    for (Wait &wait : m_waits) {
        const std::uint64_t sequence = wait.sequence.load(std::memory_order_relaxed);
        if (sequence % 2 != 0)
            wait.sequence.store(sequence + 1, std::memory_order_release);
    }
    m_engineThread.store(engineThreadHere.load());
    m_callbacks.store(0);
    m_name[0].store(0, std::memory_order_relaxed);
    events.restart(usesCounter);
    m_pid.store(pid, std::memory_order_release);
}

void forgetThreads()
{
    isNoted = false;
    engineThreadHere.store(0);
}

void noteEngineThread(std::int32_t thread)
{
    engineThreadHere.store(thread);
    if (ProcessNotes *notes = ownNotes())
        notes->setEngineThread(thread);
}

void ProcessNotes::setName(std::string_view name)
{
    std::size_t size = std::min(name.size(), m_name.size());
    while (size < name.size() && size > 0 &&
           (static_cast<unsigned char>(name[size]) & 0xc0) == 0x80)
        --size; // No half of a UTF-8 character.
    for (std::size_t i = 0; i < m_name.size(); ++i)
        m_name[i].store(i < size ? name[i] : '\0', std::memory_order_relaxed);
}

std::string ProcessNotes::name() const
{
    std::string name;
    for (const auto &letter : m_name) {
        if (const char read = letter.load(std::memory_order_relaxed); read != 0)
            name += read;
        else
            break;
    }
    return name;
}

std::optional<std::uint32_t> ProcessNotes::beginWait(const NotedWait &wait)
{
    for (std::uint32_t place = 0; place < maxWaits; ++place) {
        const std::uint32_t bit = 1U << place;
        if ((m_placesInUse.load(std::memory_order_relaxed) & bit) != 0 ||
            (m_placesInUse.fetch_or(bit, std::memory_order_acq_rel) & bit) != 0)
            continue;
        Wait &mine = m_waits[place];
        mine.subject.store(wait.subject.word(), std::memory_order_relaxed);
        mine.sinceNs.store(wait.sinceNs, std::memory_order_relaxed);
        mine.deadlineNs.store(wait.deadlineNs, std::memory_order_relaxed);
        mine.thread.store(wait.thread, std::memory_order_relaxed);
        mine.seen.store(wait.seen, std::memory_order_relaxed);
        mine.sequence.store(mine.sequence.load(std::memory_order_relaxed) + 1,
                            std::memory_order_release);
        return place;
    }
    return std::nullopt;
}

void ProcessNotes::endWait(std::uint32_t place)
{
    Wait &mine = m_waits[place];
    mine.sequence.store(mine.sequence.load(std::memory_order_relaxed) + 1,
                        std::memory_order_relaxed);
    // A reader that sees what the next wait here writes sees that this one has ended.
    std::atomic_thread_fence(std::memory_order_release);
    m_placesInUse.fetch_and(~(1U << place), std::memory_order_release);
}

std::optional<NotedWait> ProcessNotes::wait(std::uint32_t place) const
{
    const Wait &its = m_waits[place];
    NotedWait wait;
    wait.sequence = its.sequence.load(std::memory_order_acquire);
    if (wait.sequence % 2 == 0)
        return std::nullopt;
    wait.subject = WaitSubject::of(its.subject.load(std::memory_order_relaxed));
    wait.sinceNs = its.sinceNs.load(std::memory_order_relaxed);
    wait.deadlineNs = its.deadlineNs.load(std::memory_order_relaxed);
    wait.thread = its.thread.load(std::memory_order_relaxed);
    wait.seen = its.seen.load(std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (its.sequence.load(std::memory_order_relaxed) != wait.sequence)
        return std::nullopt;
    return wait;
}

void WaitScope::beginOn(const FutexWord &word, std::uint32_t seen, std::int64_t deadlineNs)
{
    m_isTried = true;
    if (const auto offset = offsetInTree(&word))
        begin({WaitSubject::Type::Word, *offset}, seen, deadlineNs);
}

void WaitScope::begin(WaitSubject subject, std::uint32_t seen, std::int64_t deadlineNs)
{
    m_isTried = true;
    ProcessNotes *notes = isNoted ? nullptr : ownNotes();
    if (!notes)
        return;
    NotedWait wait;
    wait.thread = ::gettid();
    wait.subject = subject;
    wait.seen = seen;
    wait.sinceNs = nowNs();
    wait.deadlineNs = deadlineNs;
    const auto place = notes->beginWait(wait);
    if (!place)
        return;
    isNoted = true;
    m_notes = notes;
    m_place = *place;
    m_subject = subject;
    if (isTraced(subject))
        notes->events.record(EventKind::WaitBegan, subject.word(),
                             static_cast<std::uint64_t>(wait.thread));
}

void WaitScope::end()
{
    m_notes->endWait(m_place);
    isNoted = false;
    if (isTraced(m_subject))
        m_notes->events.record(EventKind::WaitEnded, m_subject.word(),
                               static_cast<std::uint64_t>(::gettid()));
}

} // namespace proclab::runtime
