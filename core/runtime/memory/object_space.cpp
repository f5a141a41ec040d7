// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/memory/object_space.h"

#include "core/runtime/kill_point.h"
#include "core/runtime/memory/object_space_layout.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

namespace proclab::runtime {

namespace {

constexpr std::size_t spaceBytes = std::size_t{64} << 30;
constexpr std::size_t zeroedByHand = 65'536;
constexpr std::int64_t longestForkNs = 1'000'000'000;

constexpr std::size_t toPages(std::size_t bytes)
{
    return (bytes + pageBytes - 1) / pageBytes * pageBytes;
}

/// Whether the kernel itself takes its time from the processor's counter, so that it runs evenly
/// and is the same on all cores.
bool isCounterTrusted()
{
#if defined(__x86_64__)
    const int fd = ::open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
                          O_RDONLY | O_CLOEXEC);
    char name[4] = {};
    const ssize_t size = fd >= 0 ? ::read(fd, name, sizeof name) : -1;
    if (fd >= 0)
        ::close(fd);
    return size == sizeof name && std::memcmp(name, "tsc\n", sizeof name) == 0;
#else
    return false;
#endif
}

/// Called before number @p index is taken, since a recovery looks no further than @p used and a
/// process may die as soon as it has a number.
void raiseAbove(std::atomic<std::uint32_t> &used, std::uint32_t index)
{
    std::uint32_t seen = used.load(std::memory_order_relaxed);
    while (seen <= index && !used.compare_exchange_weak(seen, index + 1)) {
    }
}

ObjectSpace *theSpace = nullptr; // For the fork handlers, once it is open.

} // namespace

ObjectSpace &ObjectSpace::instance()
{
    // Never destroyed: handles in static objects may outlive everything else.
    static auto *space = new ObjectSpace;
    return *space;
}

void ObjectSpace::inherit(int fd)
{
    instance().m_inheritedFd = fd;
}

int ObjectSpace::descriptor()
{
    return open() ? m_segment.fd() : -1;
}

bool ObjectSpace::open()
{
    if (m_isOpen.load(std::memory_order_acquire))
        return true;
    const std::lock_guard lock(m_mutex);
    if (m_isOpen.load(std::memory_order_relaxed))
        return true;
    m_segment = m_inheritedFd >= 0 ? Segment::attach(m_inheritedFd, Segment::Access::ReadWrite)
                                   : Segment::create("proclab-objects", spaceBytes);
    if (!m_segment.isValid())
        return false;
    theSpace = this;
    ::pthread_atfork(beforeFork, afterForkInParent, afterForkInChild);
    m_isOpen.store(true, std::memory_order_release);
    return true;
}

ObjectSpace::Header &ObjectSpace::header() const
{
    return *m_segment.at<Header>(0);
}

ObjectEntry &ObjectSpace::entry(std::uint32_t index) const
{
    return header().entries[index];
}

std::uint32_t ObjectSpace::takeSelf()
{
    if (const std::uint32_t self = tryTakeSelf(); self != 0)
        return self;
    std::fputs("proclab: more than 1,023 processes share objects\n", stderr);
    ::_exit(1);
}

std::uint32_t ObjectSpace::tryTakeSelf()
{
    const std::lock_guard lock(m_mutex);
    if (const std::uint32_t self = m_self.load(std::memory_order_relaxed); self != 0)
        return self;
    Header &header = this->header();
    const std::uint32_t last = header.lastSharer.load(std::memory_order_relaxed);
    for (std::uint32_t i = 0; i < maxSharers - 1; ++i) {
        const std::uint32_t number = 1 + (last + i) % (maxSharers - 1);
        Sharer &sharer = header.sharers[number];
        std::int32_t nobody = 0;
        raiseAbove(header.sharersUsed, number);
        if (!sharer.pid.compare_exchange_strong(nobody, ::getpid(), std::memory_order_acq_rel))
            continue;
        PROCLAB_KILL_POINT("space-sharer.numbered");
        const auto state = processStateOf(::getpid());
        sharer.startTicks.store(state ? state->startTicks : 0, std::memory_order_release);
        header.lastSharer.store(number, std::memory_order_relaxed);
        if (header.clock.load(std::memory_order_relaxed) == Header::Unknown)
            header.clock.store(isCounterTrusted() ? Header::Counter : Header::System);
        header.notes[number].restart(::getpid(), header.clock.load() == Header::Counter);
        m_self.store(number, std::memory_order_relaxed);
        return number;
    }
    return 0;
}

/// Processes that use objects take precedence over those that only write notes.
bool ObjectSpace::hasNumbersToSpare() const
{
    const auto &sharers = header().sharers;
    return std::count_if(sharers.begin(), sharers.end(), [](const Sharer &sharer) {
               return sharer.pid.load(std::memory_order_relaxed) != 0;
           }) < maxSharers * 3 / 4;
}

ProcessNotes *ObjectSpace::ownNotes()
{
    std::uint32_t self = m_self.load(std::memory_order_relaxed);
    // Notes alone are no reason to make the memory.
    if (self == 0 && (m_isOpen.load(std::memory_order_acquire) || m_inheritedFd >= 0) && open() &&
        hasNumbersToSpare())
        self = tryTakeSelf();
    return self != 0 ? &header().notes[self] : nullptr;
}

ProcessNotes *ownNotes()
{
    return ObjectSpace::instance().ownNotes();
}

std::optional<std::uint64_t> offsetInTree(const void *address)
{
    return ObjectSpace::instance().offsetOf(address);
}

std::optional<std::uint64_t> ObjectSpace::offsetOf(const void *address) const
{
    const auto *byte = static_cast<const std::byte *>(address);
    if (!m_isOpen.load(std::memory_order_acquire) || byte < m_segment.data() ||
        byte >= m_segment.data() + m_segment.size())
        return std::nullopt;
    return static_cast<std::uint64_t>(byte - m_segment.data());
}

SharedLock::Outcome ObjectSpace::acquire(SharedLock &lock, std::int64_t deadlineNs)
{
    const auto lookUp = [this, &lock] {
        if (const int owner = lock.owner(); owner > 0)
            recover(static_cast<std::uint32_t>(owner));
        return true;
    };
    return lock.lock(self(), lookUp, deadlineNs);
}

std::int32_t ObjectSpace::pidOf(std::uint32_t sharer) const
{
    return sharer < maxSharers ? header().sharers[sharer].pid.load(std::memory_order_acquire) : 0;
}

ObjectRef ObjectSpace::create(ObjectKind kind, std::size_t size)
{
    if (!open())
        return nullptr;
    errno = ENOMEM;
    if (size > m_segment.size())
        return nullptr;
    const std::uint32_t self = this->self();
    const std::uint32_t hint = header().freeHint.load(std::memory_order_relaxed);
    for (std::uint32_t i = 0; i < maxObjects; ++i) {
        const std::uint32_t index = (hint + i) % maxObjects;
        ObjectEntry &entry = this->entry(index);
        std::uint64_t word = entry.word.load(std::memory_order_relaxed);
        if (ObjectEntry::stateOf(word) != ObjectEntry::Free)
            continue;
        const std::uint32_t generation = ObjectEntry::generationOf(word) + 1;
        const std::uint64_t mine = ObjectEntry::make(generation, self, kind, ObjectEntry::Claimed);
        raiseAbove(header().entriesUsed, index);
        if (!entry.word.compare_exchange_strong(word, mine, std::memory_order_acq_rel))
            continue;
        PROCLAB_KILL_POINT("space-create.claimed");
        header().freeHint.store(index + 1, std::memory_order_relaxed);
        if (!reserve(entry, size)) {
            entry.word.store(ObjectEntry::make(generation, 0, kind, ObjectEntry::Free),
                             std::memory_order_release);
            break;
        }
        PROCLAB_KILL_POINT("space-create.reserved");
        entry.bornNs.store(nowNs(), std::memory_order_relaxed);
        // Otherwise another thread that attaches to an earlier object here would drop this hold.
        const std::lock_guard lock(m_mutex);
        entry.holders[self / 64].fetch_or(std::uint64_t{1} << self % 64);
        PROCLAB_KILL_POINT("space-create.held");
        entry.word.store(ObjectEntry::make(generation, 0, kind, ObjectEntry::Live),
                         std::memory_order_release);
        PROCLAB_KILL_POINT("space-create.live");
        return hold({index, generation});
    }
    errno = ENOMEM;
    return nullptr;
}

/// Finds room for @p size bytes, zero-filled.
bool ObjectSpace::reserve(ObjectEntry &entry, std::size_t size)
{
    entry.offset = 0;
    entry.size = size;
    entry.wasPacked = 0;
    if (size <= entry.small.size()) {
        entry.small.fill(std::byte{0});
        return true;
    }
    const std::size_t wanted = toPages(size);
    Header &header = this->header();
    (void)acquire(header.allocating);
    // The entries are the whole truth of what is in use, so a death in here damages nothing. Those
    // that end meanwhile may be read half: that is room which is not used yet, at worst.
    std::vector<std::pair<std::uint64_t, std::uint64_t>> used;
    const std::uint32_t count = header.entriesUsed.load(std::memory_order_acquire);
    for (std::uint32_t index = 0; index < count; ++index) {
        const ObjectEntry &other = header.entries[index];
        if (const std::uint64_t offset = other.offset.load(std::memory_order_acquire); offset != 0)
            used.emplace_back(offset, offset + toPages(other.size));
    }
    std::sort(used.begin(), used.end());
    std::uint64_t place = toPages(sizeof(Header));
    for (const auto &[begin, end] : used) {
        if (begin >= place + wanted)
            break;
        place = std::max(place, end);
    }
    const bool fits = place + wanted <= m_segment.size();
    PROCLAB_KILL_POINT("space-reserve.found");
    if (fits)
        entry.offset = place;
    PROCLAB_KILL_POINT("space-reserve.placed");
    header.allocating.unlock();
    return fits;
}

std::byte *ObjectSpace::bodyOf(ObjectEntry &entry) const
{
    return entry.offset != 0 ? at(entry.offset) : entry.small.data();
}

/// Gives the storage back: it reads as zero when it is used next.
void ObjectSpace::release(ObjectEntry &entry)
{
    if (entry.offset == 0)
        return;
    const std::size_t bytes = toPages(entry.size);
    if (bytes <= zeroedByHand)
        std::memset(at(entry.offset), 0, bytes);
    else
        m_segment.discard(entry.offset, bytes);
    PROCLAB_KILL_POINT("space-release.cleared");
    entry.offset = 0;
}

ObjectSpace::Usage ObjectSpace::usage() const
{
    Usage usage;
    if (!m_isOpen.load(std::memory_order_acquire))
        return usage;
    const std::uint32_t count = header().entriesUsed.load(std::memory_order_acquire);
    for (std::uint32_t index = 0; index < count; ++index) {
        const ObjectEntry &entry = this->entry(index);
        if (ObjectEntry::stateOf(entry.word.load(std::memory_order_acquire)) == ObjectEntry::Free)
            continue;
        ++usage.objects;
        usage.bytes += entry.offset != 0 ? toPages(entry.size) : 0;
    }
    return usage;
}

// A fork's child is a sharer of its own that holds what its parent holds.

void ObjectSpace::beforeFork()
{
    theSpace->m_mutex.lock();
    if (!theSpace->m_held.empty())
        theSpace->m_forks = theSpace->header().sharers[theSpace->self()].forks;
}

/// Makes the child hold what this process holds before this process can drop it.
void ObjectSpace::afterForkInParent()
{
    if (!theSpace->m_held.empty()) {
        const FutexWord &forks = theSpace->header().sharers[theSpace->self()].forks;
        // If the fork failed or the child died at once there is no child; that is not known here.
        const std::int64_t deadline = nowNs() + longestForkNs;
        while (forks == theSpace->m_forks && nowNs() < deadline)
            futexWait(forks, theSpace->m_forks, parkNs);
    }
    theSpace->m_mutex.unlock();
}

void ObjectSpace::afterForkInChild()
{
    // The thread that forked holds the mutex here too; a recursive one knows its owner by a number
    // that has changed, so it is made anew.
    new (&theSpace->m_mutex) std::recursive_mutex;
    const std::uint32_t parent = theSpace->m_self.exchange(0, std::memory_order_relaxed);
    forgetThreads();
    if (theSpace->m_held.empty())
        return;
    const std::uint32_t self = theSpace->self();
    for (const auto &[index, hold] : theSpace->m_held)
        theSpace->entry(index).holders[self / 64].fetch_or(std::uint64_t{1} << self % 64);
    FutexWord &forks = theSpace->header().sharers[parent].forks;
    forks.fetch_add(1);
    futexWake(forks, 1);
}

} // namespace proclab::runtime
