// SPDX-License-Identifier: GPL-3.0-or-later

// How an ObjectSpace drops the holds of dead processes.

#include "core/runtime/kill_point.h"
#include "core/runtime/memory/object_space_layout.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace proclab::runtime {

namespace {

thread_local bool isRecoveringInside = false;

} // namespace

std::optional<ProcessState> processStateOf(std::int32_t pid)
{
    char path[32];
    std::snprintf(path, sizeof path, "/proc/%d/stat", pid);
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) // Without a free descriptor a process counts as alive for as long as its PID is.
        return errno != ENOENT && (::kill(pid, 0) == 0 || errno != ESRCH)
                   ? std::optional<ProcessState>(ProcessState())
                   : std::nullopt;
    char text[1024];
    const ssize_t size = ::read(fd, text, sizeof text - 1);
    ::close(fd);
    if (size <= 0)
        return std::nullopt;
    text[size] = 0;
    // The name may itself contain ") ", so the fields begin after the last one: state is field 3.
    const char *field = std::strrchr(text, ')');
    if (!field)
        return std::nullopt;
    ProcessState state;
    state.isZombie = field[2] == 'Z' || field[2] == 'X';
    for (int i = 2; field && i < 22; ++i)
        field = std::strchr(field + 1, ' ');
    state.startTicks = field ? std::strtoull(field + 1, nullptr, 10) : 0;
    return state;
}

bool ObjectSpace::isDead(std::uint32_t sharer) const
{
    const Sharer &entry = header().sharers[sharer];
    const std::uint64_t since = entry.startTicks.load(std::memory_order_acquire);
    const std::int32_t pid = entry.pid.load(std::memory_order_acquire);
    if (pid == 0)
        return false;
    const auto state = processStateOf(pid);
    return !state || state->isZombie ||
           (since != 0 && state->startTicks != 0 && state->startTicks != since);
}

bool ObjectSpace::recover(std::uint32_t sharer)
{
    if (sharer == 0 || sharer >= maxSharers || !open() || !isDead(sharer))
        return false;
    Header &header = this->header();
    // The end of an object may need a lock that another dead process holds, hence nested
    // recoveries.
    static thread_local bool isRecovering = false;
    if (isRecovering) {
        const bool wasInside = std::exchange(isRecoveringInside, true);
        dropHoldsOf(sharer);
        isRecoveringInside = wasInside;
        return true;
    }
    (void)header.recovering.lock(self(), [this, &header] {
        // The owner died while it recovered another; what it did not finish is done again.
        const int owner = header.recovering.owner();
        if (owner > 0 && isDead(static_cast<std::uint32_t>(owner)))
            header.recovering.recover(static_cast<std::uint32_t>(owner));
        return true;
    });
    const bool isStillThere = isDead(sharer);
    if (isStillThere) {
        isRecovering = true;
        dropHoldsOf(sharer);
        isRecovering = false;
    }
    header.recovering.unlock();
    return isStillThere;
}

/// Holds the object meanwhile, as number 0, which belongs to no process: only one recovery runs at
/// a time.
void ObjectSpace::tellOfDeath(ObjectEntry &entry, std::uint64_t word, std::uint32_t sharer,
                              std::int32_t pid)
{
    const auto died = actionsOf(ObjectEntry::kindOf(word)).sharerDied;
    if (!died)
        return;
    const bool wasHeld = (entry.holders[0].fetch_or(1) & 1) != 0;
    PROCLAB_KILL_POINT("space-recover.held");
    if (entry.word.load(std::memory_order_seq_cst) == word)
        died(*this, bodyOf(entry), sharer, pid);
    PROCLAB_KILL_POINT("space-recover.told");
    // A recovery around this one may still use the object. One that died in here does not any more.
    if (!wasHeld || !isRecoveringInside)
        entry.holders[0].fetch_and(~std::uint64_t{1});
}

/// Every step can be repeated, for whoever does this may die in it.
void ObjectSpace::dropHoldsOf(std::uint32_t sharer)
{
    Header &header = this->header();
    const std::int32_t pid = pidOf(sharer);
    PROCLAB_KILL_POINT("space-recover.begun");
    header.allocating.recover(sharer);
    PROCLAB_KILL_POINT("space-recover.allocating");
    const std::uint32_t count = header.entriesUsed.load(std::memory_order_acquire);
    const std::uint64_t bit = std::uint64_t{1} << sharer % 64;
    for (std::uint32_t index = 0; index < count; ++index) {
        ObjectEntry &entry = header.entries[index];
        std::uint64_t word = entry.word.load(std::memory_order_acquire);
        for (; ObjectEntry::stateOf(word) == ObjectEntry::Doubted; word = entry.word)
            settleDoubt(entry, word); // If it turns out Live, it must learn of the death.
        const auto state = ObjectEntry::stateOf(word);
        if (state == ObjectEntry::Live) {
            tellOfDeath(entry, word, sharer, pid);
        } else if (state != ObjectEntry::Free && ObjectEntry::ownerOf(word) == sharer) {
            if (state == ObjectEntry::Ending)
                end(entry, word);
            clear(entry, word);
        }
        if ((entry.holders[sharer / 64].fetch_and(~bit) & bit) != 0)
            PROCLAB_KILL_POINT("space-recover.let-go");
    }
    // Also objects whose hold it had dropped but which it had not ended yet.
    for (std::uint32_t index = 0; index < count; ++index)
        freeIfUnheld(index);
    PROCLAB_KILL_POINT("space-recover.all-let-go");
    header.sharers[sharer].startTicks.store(0, std::memory_order_relaxed);
    PROCLAB_KILL_POINT("space-recover.ticks-cleared");
    header.sharers[sharer].pid.store(0, std::memory_order_release);
}

void ObjectSpace::processEnded(std::int32_t pid)
{
    if (!m_isOpen.load(std::memory_order_acquire))
        return;
    const std::uint32_t used = header().sharersUsed.load(std::memory_order_acquire);
    for (std::uint32_t sharer = 1; sharer < used; ++sharer) {
        if (pidOf(sharer) == pid)
            recover(sharer);
    }
}

} // namespace proclab::runtime
