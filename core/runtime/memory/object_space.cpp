// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/memory/object_space.h"

#include "core/runtime/kill_point.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include <csignal>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

namespace proclab::runtime {

/// A process that uses shared objects. Its number is given again once all it held is let go.
struct ObjectSpace::Sharer
{
    std::atomic<std::int32_t> pid; ///< 0: nobody.
    /// When it started, in clock ticks since the boot, which tells it from a later process of its
    /// PID; 0: not noted yet.
    std::atomic<std::uint64_t> startTicks;
    FutexWord forks; ///< Its forked children that hold what it held.
};

struct ObjectSpace::Header
{
    SharedLock allocating; ///< Held by whoever looks for room: one at a time.
    alignas(64)
        SharedLock recovering; ///< One at a time, so that no number is given again too soon.
    alignas(64) std::atomic<std::uint32_t> entriesUsed; ///< All above were never used.
    std::array<Sharer, maxSharers> sharers;
    std::array<ObjectEntry, maxObjects> entries;
};

namespace {

constexpr std::size_t spaceBytes = std::size_t{64} << 30;
constexpr std::size_t pageBytes = 4096;
constexpr std::size_t zeroedByHand = 65'536;
constexpr std::int64_t longestForkNs = 1'000'000'000;

constexpr std::size_t toPages(std::size_t bytes)
{
    return (bytes + pageBytes - 1) / pageBytes * pageBytes;
}

struct ProcessState
{
    std::uint64_t startTicks = 0; ///< 0: not known.
    bool isZombie = false;
};

/// What /proc says of a process; nothing: there is none.
std::optional<ProcessState> stateOf(std::int32_t pid)
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

std::uint64_t packedHandle(ObjectHandle handle)
{
    return std::uint64_t{handle.index} << 32 | handle.generation;
}

thread_local bool isRecoveringInside = false;

ObjectSpace *theSpace = nullptr; // For the fork handlers, once it is open.

} // namespace

bool ObjectEntry::isHeld() const
{
    return inFlight.load(std::memory_order_seq_cst) != 0 ||
           std::any_of(holders.begin(), holders.end(),
                       [](const auto &bits) { return bits.load(std::memory_order_seq_cst) != 0; });
}

SharedObject::~SharedObject()
{
    const std::lock_guard lock(m_space.m_mutex);
    const auto found = m_space.m_held.find(m_handle.index);
    if (found == m_space.m_held.end() || found->second.object != this)
        return; // Somebody in this process has taken hold of it again.
    m_space.m_held.erase(found);
    m_space.let(m_handle);
}

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
    const std::lock_guard lock(m_mutex);
    if (const std::uint32_t self = m_self.load(std::memory_order_relaxed); self != 0)
        return self;
    for (std::uint32_t number = 1; number < maxSharers; ++number) {
        Sharer &sharer = header().sharers[number];
        std::int32_t nobody = 0;
        if (!sharer.pid.compare_exchange_strong(nobody, ::getpid(), std::memory_order_acq_rel))
            continue;
        PROCLAB_KILL_POINT("space-sharer.numbered");
        const auto state = stateOf(::getpid());
        sharer.startTicks.store(state ? state->startTicks : 0, std::memory_order_release);
        m_self.store(number, std::memory_order_relaxed);
        return number;
    }
    std::fputs("proclab: more than 1,023 processes share objects\n", stderr);
    ::_exit(1);
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
    for (std::uint32_t index = 0; index < maxObjects; ++index) {
        ObjectEntry &entry = this->entry(index);
        std::uint64_t word = entry.word.load(std::memory_order_relaxed);
        if (ObjectEntry::stateOf(word) != ObjectEntry::Free)
            continue;
        const std::uint32_t generation = ObjectEntry::generationOf(word) + 1;
        const std::uint64_t mine = ObjectEntry::make(generation, self, kind, ObjectEntry::Claimed);
        if (!entry.word.compare_exchange_strong(word, mine, std::memory_order_acq_rel))
            continue;
        PROCLAB_KILL_POINT("space-create.claimed");
        std::uint32_t used = header().entriesUsed.load(std::memory_order_relaxed);
        while (used <= index && !header().entriesUsed.compare_exchange_weak(used, index + 1)) {
        }
        PROCLAB_KILL_POINT("space-create.used");
        if (!reserve(entry, size)) {
            entry.word.store(ObjectEntry::make(generation, 0, kind, ObjectEntry::Free),
                             std::memory_order_release);
            break;
        }
        PROCLAB_KILL_POINT("space-create.reserved");
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

ObjectRef ObjectSpace::hold(ObjectHandle handle)
{
    const std::lock_guard lock(m_mutex);
    ObjectEntry &entry = this->entry(handle.index);
    auto object = std::make_shared<SharedObject>(*this, handle, bodyOf(entry));
    m_held[handle.index] = {object.get(), object};
    return object;
}

ObjectRef ObjectSpace::attach(ObjectHandle handle, ObjectKind kind)
{
    if (handle.index >= maxObjects || !open())
        return nullptr;
    const std::lock_guard lock(m_mutex);
    ObjectEntry &entry = this->entry(handle.index);
    const auto found = m_held.find(handle.index);
    const ObjectRef known = found != m_held.end() ? found->second.shared.lock() : nullptr;
    const bool isKnown = known && known->handle() == handle;
    const std::uint32_t self = this->self();
    const std::uint64_t bit = std::uint64_t{1} << self % 64;
    PROCLAB_KILL_POINT("space-attach.before");
    const bool wasHeld = (entry.holders[self / 64].fetch_or(bit) & bit) != 0;
    PROCLAB_KILL_POINT("space-attach.held");
    for (;;) {
        const std::uint64_t word = entry.word.load(std::memory_order_seq_cst);
        const bool isSame = ObjectEntry::generationOf(word) == handle.generation &&
                            ObjectEntry::kindOf(word) == kind;
        if (isSame && ObjectEntry::stateOf(word) == ObjectEntry::Live)
            return isKnown ? known : hold(handle);
        if (isSame && ObjectEntry::stateOf(word) == ObjectEntry::Ending) {
            spinPause(); // Whoever found it unheld looks once more, or is dead.
            recover(ObjectEntry::ownerOf(word));
            continue;
        }
        if (!wasHeld) {
            entry.holders[self / 64].fetch_and(~bit);
            freeIfUnheld(handle.index); // What is there now may have ended meanwhile.
        }
        return nullptr;
    }
}

void ObjectSpace::beginFlight(const SharedObject &object)
{
    PROCLAB_KILL_POINT("space-flight.before-begin");
    entry(object.handle().index).inFlight.store(1, std::memory_order_seq_cst);
    PROCLAB_KILL_POINT("space-flight.begun");
}

void ObjectSpace::endFlight(ObjectHandle handle)
{
    if (handle.index >= maxObjects || !open())
        return;
    PROCLAB_KILL_POINT("space-flight.before-end");
    ObjectEntry &entry = this->entry(handle.index);
    if (ObjectEntry::generationOf(entry.word.load(std::memory_order_acquire)) != handle.generation)
        return;
    if (entry.inFlight.exchange(0, std::memory_order_seq_cst) == 0)
        return;
    PROCLAB_KILL_POINT("space-flight.ended");
    freeIfUnheld(handle.index);
}

bool ObjectSpace::isHeld(ObjectHandle handle) const
{
    ObjectEntry &entry = this->entry(handle.index);
    const std::uint64_t word = entry.word.load(std::memory_order_acquire);
    return ObjectEntry::generationOf(word) == handle.generation &&
           (ObjectEntry::stateOf(word) == ObjectEntry::Live ||
            ObjectEntry::stateOf(word) == ObjectEntry::Ending) &&
           isHeld(entry, word);
}

/// Its holders are asked before the parcels: who takes its handle from one is among them by then,
/// or waits for the answer.
bool ObjectSpace::isHeld(ObjectEntry &entry, std::uint64_t word) const
{
    if (entry.isHeld())
        return true;
    const auto isNeeded = actionsOf(ObjectEntry::kindOf(word)).isNeeded;
    const auto index = static_cast<std::uint32_t>(&entry - header().entries.data());
    return (isNeeded && isNeeded(bodyOf(entry))) ||
           (entry.wasPacked.load(std::memory_order_seq_cst) != 0 &&
            isPacked({index, ObjectEntry::generationOf(word)}));
}

/// The parcels themselves say what they keep, so that no death can leave a wrong count of them.
bool ObjectSpace::isPacked(ObjectHandle handle) const
{
    const std::uint64_t packed = packedHandle(handle);
    const auto isThere = [](std::uint64_t word) {
        const auto state = ObjectEntry::stateOf(word);
        return ObjectEntry::kindOf(word) == ObjectKind::Parcel &&
               (state == ObjectEntry::Live || state == ObjectEntry::Ending);
    };
    const std::uint32_t used = header().entriesUsed.load(std::memory_order_acquire);
    for (std::uint32_t index = 0; index < used; ++index) {
        ObjectEntry &entry = this->entry(index);
        const std::uint64_t word = entry.word.load(std::memory_order_seq_cst);
        if (!isThere(word))
            continue;
        auto &parcel = *reinterpret_cast<ParcelBody *>(bodyOf(entry));
        const std::uint64_t room =
            std::min<std::uint64_t>(entry.size / sizeof(std::uint64_t), maxObjects);
        const std::uint64_t count = std::min(parcel.count.load(std::memory_order_seq_cst), room);
        const auto *handles = parcel.handles();
        const bool isIn = std::any_of(handles, handles + count, [packed](const auto &one) {
            return one.load(std::memory_order_relaxed) == packed;
        });
        // Else it has ended meanwhile, and this was something else.
        const std::uint64_t after = entry.word.load(std::memory_order_seq_cst);
        if (isIn && isThere(after) &&
            ObjectEntry::generationOf(after) == ObjectEntry::generationOf(word))
            return true;
    }
    return false;
}

/// What a parcel that has ended kept may be free now.
void ObjectSpace::unpack(ParcelBody &parcel)
{
    const std::uint64_t count = parcel.count.load(std::memory_order_acquire);
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t packed = parcel.handles()[i].load(std::memory_order_relaxed);
        freeIfUnheld(ObjectHandle{static_cast<std::uint32_t>(packed >> 32),
                                  static_cast<std::uint32_t>(packed)});
        PROCLAB_KILL_POINT("space-unpack.one");
    }
}

ObjectRef ObjectSpace::pack(std::span<const ObjectRef> objects, std::size_t size)
{
    auto parcel = create(ObjectKind::Parcel, ParcelBody::bytesBefore(objects.size()) + size);
    if (!parcel)
        return nullptr;
    auto &body = parcel->body<ParcelBody>();
    std::size_t position = 0;
    for (const ObjectRef &object : objects) {
        entry(object->handle().index).wasPacked.store(1, std::memory_order_seq_cst);
        body.handles()[position++].store(packedHandle(object->handle()), std::memory_order_relaxed);
    }
    PROCLAB_KILL_POINT("space-pack.filled");
    body.count.store(objects.size(), std::memory_order_seq_cst);
    PROCLAB_KILL_POINT("space-pack.done");
    return parcel;
}

void ObjectSpace::freeIfUnheld(ObjectHandle handle)
{
    if (ObjectEntry::generationOf(entry(handle.index).word.load(std::memory_order_acquire)) ==
        handle.generation)
        freeIfUnheld(handle.index);
}

void ObjectSpace::let(ObjectHandle handle)
{
    const std::uint32_t self = this->self();
    entry(handle.index)
        .holders[self / 64]
        .fetch_and(~(std::uint64_t{1} << self % 64), std::memory_order_seq_cst);
    PROCLAB_KILL_POINT("space-let.done");
    freeIfUnheld(handle.index);
}

void ObjectSpace::freeIfUnheld(std::uint32_t index)
{
    ObjectEntry &entry = this->entry(index);
    std::uint64_t word = entry.word.load(std::memory_order_seq_cst);
    const std::uint32_t generation = ObjectEntry::generationOf(word);
    const ObjectKind kind = ObjectEntry::kindOf(word);
    if (ObjectEntry::stateOf(word) != ObjectEntry::Live || isHeld(entry, word))
        return;
    const std::uint64_t ending = ObjectEntry::make(generation, self(), kind, ObjectEntry::Ending);
    if (!entry.word.compare_exchange_strong(word, ending))
        return; // Another process was faster.
    PROCLAB_KILL_POINT("space-free.ending");
    if (isHeld(entry, ending)) { // Taken again in between, by somebody who waits for this answer.
        entry.word.store(ObjectEntry::make(generation, 0, kind, ObjectEntry::Live));
        freeIfUnheld(index);
        return;
    }
    end(entry, ending);
    clear(entry, ending);
}

/// An Ending one, by its owner or for that: what the kind does comes before the memory goes.
void ObjectSpace::end(ObjectEntry &entry, std::uint64_t word)
{
    const ObjectKind kind = ObjectEntry::kindOf(word);
    if (const auto ended = actionsOf(kind).ended)
        ended(*this, bodyOf(entry));
    PROCLAB_KILL_POINT("space-free.ended");
    entry.word.store(ObjectEntry::make(ObjectEntry::generationOf(word), ObjectEntry::ownerOf(word),
                                       kind, ObjectEntry::Clearing),
                     std::memory_order_release);
    PROCLAB_KILL_POINT("space-free.clearing");
    if (kind == ObjectKind::Parcel)
        unpack(*reinterpret_cast<ParcelBody *>(bodyOf(entry)));
}

/// One that nobody uses, by its owner or for that.
void ObjectSpace::clear(ObjectEntry &entry, std::uint64_t word)
{
    release(entry);
    PROCLAB_KILL_POINT("space-free.released");
    entry.word.store(ObjectEntry::make(ObjectEntry::generationOf(word), 0,
                                       ObjectEntry::kindOf(word), ObjectEntry::Free),
                     std::memory_order_release);
    PROCLAB_KILL_POINT("space-free.done");
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

bool ObjectSpace::isDead(std::uint32_t sharer) const
{
    const Sharer &entry = header().sharers[sharer];
    const std::uint64_t since = entry.startTicks.load(std::memory_order_acquire);
    const std::int32_t pid = entry.pid.load(std::memory_order_acquire);
    if (pid == 0)
        return false;
    const auto state = stateOf(pid);
    return !state || state->isZombie ||
           (since != 0 && state->startTicks != 0 && state->startTicks != since);
}

bool ObjectSpace::recover(std::uint32_t sharer)
{
    if (sharer == 0 || sharer >= maxSharers || !open() || !isDead(sharer))
        return false;
    Header &header = this->header();
    // What is let go may need a lock that another dead process holds: one recovery in another.
    static thread_local bool isRecovering = false;
    if (isRecovering) {
        const bool wasInside = std::exchange(isRecoveringInside, true);
        letAllOf(sharer);
        isRecoveringInside = wasInside;
        return true;
    }
    (void)header.recovering.lock(self(), [this, &header] {
        // A death in the middle of this: what was not done is done again by the next.
        const int owner = header.recovering.owner();
        if (owner > 0 && isDead(static_cast<std::uint32_t>(owner)))
            header.recovering.recover(static_cast<std::uint32_t>(owner));
        return true;
    });
    const bool isStillThere = isDead(sharer);
    if (isStillThere) {
        isRecovering = true;
        letAllOf(sharer);
        isRecovering = false;
    }
    header.recovering.unlock();
    return isStillThere;
}

/// Holds the object meanwhile: as number 0, which is nobody's, for who recovers has a lock.
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
    // Of a recovery inside another's, that still uses it; one that died in here does no more.
    if (!wasHeld || !isRecoveringInside)
        entry.holders[0].fetch_and(~std::uint64_t{1});
}

/// All steps can be done twice: whoever does this may die in it.
void ObjectSpace::letAllOf(std::uint32_t sharer)
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
        const std::uint64_t word = entry.word.load(std::memory_order_acquire);
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
    // Also those that it had let go, but not yet ended.
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
    for (std::uint32_t sharer = 1; sharer < maxSharers; ++sharer) {
        if (pidOf(sharer) == pid)
            recover(sharer);
    }
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

/// The child holds what this process holds before this process can let it go.
void ObjectSpace::afterForkInParent()
{
    if (!theSpace->m_held.empty()) {
        const FutexWord &forks = theSpace->header().sharers[theSpace->self()].forks;
        // There is no child if the fork failed or it died at once, which is not known here.
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
