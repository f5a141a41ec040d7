// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/memory/object_space.h"
#include "core/runtime/objects/sync_bodies.h"
#include "tests/support/forked_child.h"

#include <QDeadlineTimer>
#include <QTest>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <random>
#include <thread>
#include <vector>

using namespace proclab::runtime;
using proclab::test::forkChild;
using proclab::test::waitForChild;

namespace {

/// What a child tells its parent, and the other way round.
struct Notes
{
    FutexWord step;
    std::atomic<std::uint32_t> sharer;
    ObjectHandle handle;

    void reach(std::uint32_t next)
    {
        step.store(next);
        futexWake(step, 1);
    }
    void waitFor(std::uint32_t wanted) const
    {
        for (std::uint32_t seen = step; seen < wanted; seen = step)
            futexWait(step, seen, parkNs);
    }
};

ObjectSpace &space()
{
    return ObjectSpace::instance();
}

ObjectRef make(std::size_t size = 8)
{
    return space().create(ObjectKind::Memory, size);
}

/// The entry of an object that is small enough to lie within.
ObjectEntry &entryOf(const ObjectRef &object)
{
    return *reinterpret_cast<ObjectEntry *>(&object->body<std::byte>() -
                                            offsetof(ObjectEntry, small));
}

enum class Noticed { ByNumber, ByPid };

} // namespace

/// The shared objects of a tree of processes, when its processes end.
class tst_ObjectSpace : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void lastHandleEndsTheObject();
    void staleHandleIsRefused();
    void usedAgainIsZero_data();
    void usedAgainIsZero();
    void flightKeepsAnObject();
    void parcelKeepsItsObjects();
    void holdsOfAKilledProcessGo_data();
    void holdsOfAKilledProcessGo();
    void livingProcessIsNotRecovered();
    void halfMadeObjectIsFreeAgain_data();
    void halfMadeObjectIsFreeAgain();
    void killedAnywhereNothingStays();
    void waiterLetsADeadOwnersLockGo();
    void forkedChildHoldsWhatItsParentHeld();
    void forkedChildsHoldIsItsOwn();
    void staleHandleOfAnotherKeepsNothing();
    void threadsHandObjectsOn();

private:
    /// Kills @p child and lets go what it held.
    static void killAndNotice(pid_t child, std::uint32_t sharer, Noticed how);
    [[nodiscard]] Notes &notes() const { return m_notes->body<Notes>(); }

    ObjectRef m_notes;
};

void tst_ObjectSpace::init()
{
    m_notes = make(sizeof(Notes));
    QVERIFY(m_notes);
    QCOMPARE(space().usage().objects, 1U);
}

void tst_ObjectSpace::cleanup()
{
    m_notes.reset();
    QCOMPARE(space().usage().objects, 0U);
    QCOMPARE(space().usage().bytes, 0U);
}

void tst_ObjectSpace::killAndNotice(pid_t child, std::uint32_t sharer, Noticed how)
{
    ::kill(child, SIGKILL);
    const int status = waitForChild(child);
    QVERIFY(WIFSIGNALED(status));
    QCOMPARE(space().pidOf(sharer), child);
    if (how == Noticed::ByNumber)
        QVERIFY(space().recover(sharer));
    else
        space().processEnded(child);
    QCOMPARE(space().pidOf(sharer), 0);
    QVERIFY(!space().recover(sharer)); // Once.
}

void tst_ObjectSpace::lastHandleEndsTheObject()
{
    ObjectRef first = make();
    const ObjectHandle handle = first->handle();
    ObjectRef second = space().attach(handle, ObjectKind::Memory);
    QCOMPARE(second, first);
    QVERIFY(space().isHeld(handle));
    first.reset();
    QVERIFY(space().isHeld(handle));
    QVERIFY(space().attach(handle, ObjectKind::Memory));
    second.reset();
    QVERIFY(!space().isHeld(handle));
}

void tst_ObjectSpace::staleHandleIsRefused()
{
    ObjectRef object = make();
    const ObjectHandle handle = object->handle();
    QVERIFY(!space().attach(handle, ObjectKind::Lock));
    QVERIFY(!space().attach({maxObjects, handle.generation}, ObjectKind::Memory));
    QVERIFY(!space().attach({handle.index, handle.generation + 1}, ObjectKind::Memory));
    object.reset();
    QVERIFY(!space().attach(handle, ObjectKind::Memory));
    const ObjectRef next = make();
    QCOMPARE(next->handle().index, handle.index);
    QVERIFY(next->handle().generation != handle.generation);
    QVERIFY(!space().attach(handle, ObjectKind::Memory));
    QVERIFY(!space().isHeld(handle));
    QVERIFY(space().isHeld(next->handle()));
}

void tst_ObjectSpace::usedAgainIsZero_data()
{
    QTest::addColumn<int>("bytes");
    for (const int bytes : {192, 193, 4'096, 65'536, 65'537, 1'000'000})
        QTest::addRow("%d bytes", bytes) << bytes;
}

void tst_ObjectSpace::usedAgainIsZero()
{
    QFETCH(const int, bytes);
    for (int i = 0; i < 3; ++i) {
        const ObjectRef object = make(static_cast<std::size_t>(bytes));
        const std::span<std::byte> all(&object->body<std::byte>(), static_cast<std::size_t>(bytes));
        QVERIFY(
            std::all_of(all.begin(), all.end(), [](auto byte) { return byte == std::byte{0}; }));
        std::fill(all.begin(), all.end(), std::byte{0xff});
    }
}

void tst_ObjectSpace::flightKeepsAnObject()
{
    ObjectRef object = make();
    const ObjectHandle handle = object->handle();
    space().beginFlight(*object);
    object.reset();
    QVERIFY(space().isHeld(handle));
    object = space().attach(handle, ObjectKind::Memory);
    QVERIFY(object);
    space().endFlight(handle);
    QVERIFY(space().isHeld(handle));
    space().endFlight(handle); // One too many.
    QVERIFY(space().isHeld(handle));
    object.reset();
    QVERIFY(!space().isHeld(handle));
    space().endFlight(handle);
    QVERIFY(!space().attach(handle, ObjectKind::Memory));
}

void tst_ObjectSpace::parcelKeepsItsObjects()
{
    const auto before = space().usage();
    ObjectRef object = make();
    const ObjectHandle handle = object->handle();
    ObjectRef parcel = space().pack(std::array{object, object}, 10);
    QVERIFY(parcel);
    ObjectRef another = space().pack(std::array{object}, 1'000);
    object.reset();
    QVERIFY(space().isHeld(handle));
    parcel.reset();
    QVERIFY(space().isHeld(handle));
    object = space().attach(handle, ObjectKind::Memory);
    QVERIFY(object);
    another.reset();
    QVERIFY(space().isHeld(handle));
    object.reset();
    QVERIFY(!space().attach(handle, ObjectKind::Memory));
    QCOMPARE(space().usage().objects, before.objects);
}

void tst_ObjectSpace::holdsOfAKilledProcessGo_data()
{
    QTest::addColumn<Noticed>("how");
    QTest::newRow("recover()") << Noticed::ByNumber;
    QTest::newRow("processEnded()") << Noticed::ByPid;
}

void tst_ObjectSpace::holdsOfAKilledProcessGo()
{
    QFETCH(const Noticed, how);
    ObjectRef shared = make();
    const pid_t child = forkChild([this] {
        const ObjectRef own = make(10'000);
        notes().handle = own->handle();
        notes().sharer = space().self();
        notes().reach(1);
        notes().waitFor(2);
        return 1;
    });
    notes().waitFor(1);
    const ObjectHandle own = notes().handle;
    const ObjectHandle theShared = shared->handle();
    QVERIFY(space().isHeld(own));
    QCOMPARE(space().usage().objects, 3U);
    shared.reset();
    QVERIFY(space().isHeld(theShared)); // By the child.
    QVERIFY(space().attach(own, ObjectKind::Memory));
    killAndNotice(child, notes().sharer, how);
    QVERIFY(!space().isHeld(own));
    QVERIFY(!space().isHeld(theShared));
    QVERIFY(!space().attach(own, ObjectKind::Memory));
    QCOMPARE(space().usage().objects, 1U);
    QCOMPARE(space().usage().bytes, 0U);
}

void tst_ObjectSpace::livingProcessIsNotRecovered()
{
    QVERIFY(!space().recover(space().self()));
    space().processEnded(::getpid());
    QVERIFY(space().isHeld(m_notes->handle()));
    QVERIFY(!space().recover(0));
    QVERIFY(!space().recover(maxSharers));
    const pid_t child = forkChild([this] {
        notes().sharer = space().self();
        notes().reach(1);
        notes().waitFor(2);
        return space().isHeld(m_notes->handle()) ? 0 : 1;
    });
    notes().waitFor(1);
    QVERIFY(notes().sharer != space().self());
    QCOMPARE(::kill(child, SIGSTOP), 0); // Which is not death.
    QVERIFY(!space().recover(notes().sharer));
    QCOMPARE(space().pidOf(notes().sharer), child);
    QCOMPARE(::kill(child, SIGCONT), 0);
    notes().reach(2);
    QCOMPARE(waitForChild(child), 0);
    QVERIFY(space().recover(notes().sharer));
}

void tst_ObjectSpace::halfMadeObjectIsFreeAgain_data()
{
    QTest::addColumn<int>("state");
    QTest::newRow("claimed") << int(ObjectEntry::Claimed);
    QTest::newRow("let go, and not yet ending") << int(ObjectEntry::Live);
    QTest::newRow("ending") << int(ObjectEntry::Ending);
}

void tst_ObjectSpace::halfMadeObjectIsFreeAgain()
{
    QFETCH(const int, state);
    const pid_t child = forkChild([this, state] {
        const ObjectRef own = make();
        notes().handle = own->handle();
        notes().sharer = space().self();
        entryOf(own).word = ObjectEntry::make(own->handle().generation, space().self(),
                                              ObjectKind::Memory, ObjectEntry::State(state));
        if (state == ObjectEntry::Live)
            entryOf(own).holders[space().self() / 64] = 0;
        notes().reach(1);
        notes().waitFor(2);
        return 1;
    });
    notes().waitFor(1);
    QCOMPARE(space().usage().objects, 2U);
    const ObjectRef other = make(); // It has a place of its own.
    QVERIFY(other->handle().index != notes().handle.index);
    killAndNotice(child, notes().sharer, Noticed::ByPid);
    QCOMPARE(space().usage().objects, 2U);
    const ObjectRef next = make();
    QCOMPARE(next->handle().index, notes().handle.index);
    QVERIFY(next->handle().generation != notes().handle.generation);
    QVERIFY(!space().attach(notes().handle, ObjectKind::Memory));
}

/// Children that make and end objects without a pause, killed at any instant of that.
void tst_ObjectSpace::killedAnywhereNothingStays()
{
    const auto seed = std::random_device()();
    qInfo("seed %u", seed);
    std::mt19937 random(seed);
    for (std::uint32_t round = 1; round <= 100; ++round) {
        const pid_t child = forkChild([this, round] {
            notes().sharer = space().self();
            notes().reach(round);
            for (std::size_t size = 8;; size = size * 3 % 100'003) {
                const ObjectRef first = make(size);
                const ObjectRef second = make(100);
            }
            return 1;
        });
        notes().waitFor(round);
        for (auto spins = random() % 20'000; spins > 0; --spins)
            spinPause();
        killAndNotice(child, notes().sharer, Noticed::ByPid);
        QCOMPARE(space().usage().objects, 1U);
        QCOMPARE(space().usage().bytes, 0U);
        QVERIFY(make(5'000)); // The lock of the layout is free.
    }
}

/// Without anybody who reaps the owner.
void tst_ObjectSpace::waiterLetsADeadOwnersLockGo()
{
    const ObjectRef object = space().create(ObjectKind::Lock, sizeof(LockBody));
    auto &lock = object->body<LockBody>();
    const pid_t child = forkChild([&] {
        (void)lock.acquire(space(), noDeadline);
        notes().sharer = space().self();
        notes().reach(1);
        notes().waitFor(2);
        return 1;
    });
    notes().waitFor(1);
    QCOMPARE(lock.lock.owner(), static_cast<int>(notes().sharer));
    QCOMPARE(lock.acquire(space(), nowNs() + 300'000'000), SharedLock::Outcome::GivenUp);
    QCOMPARE(::kill(child, SIGKILL), 0);
    QCOMPARE(lock.acquire(space(), nowNs() + 10'000'000'000), SharedLock::Outcome::Recovered);
    QCOMPARE(lock.deadPid.load(), child);
    QCOMPARE(space().pidOf(notes().sharer), 0);
    lock.lock.unlock();
    waitForChild(child);
}

/// Also if the parent lets go at once, and something else takes the place.
void tst_ObjectSpace::forkedChildHoldsWhatItsParentHeld()
{
    for (std::uint32_t round = 1; round <= 100; ++round) {
        ObjectRef object = make(5'000);
        object->body<std::uint32_t>() = round;
        const ObjectHandle handle = object->handle();
        const pid_t child = forkChild([&, round] {
            notes().waitFor(round);
            const bool isSame = space().isHeld(handle) && object->body<std::uint32_t>() == round &&
                                space().attach(handle, ObjectKind::Memory) == object;
            object.reset();
            return isSame && !space().isHeld(handle) ? 0 : 1;
        });
        object.reset();
        const ObjectRef next = make(5'000);
        next->body<std::uint32_t>() = round + 1'000;
        notes().reach(round);
        QCOMPARE(waitForChild(child), 0);
        space().processEnded(child);
        QCOMPARE(space().usage().objects, 2U);
        QCOMPARE(next->body<std::uint32_t>(), round + 1'000);
    }
}

void tst_ObjectSpace::forkedChildsHoldIsItsOwn()
{
    const ObjectRef object = make();
    const pid_t child = forkChild([&] {
        const_cast<ObjectRef &>(object).reset();
        return space().isHeld(notes().handle) ? 1 : 0;
    });
    QCOMPARE(waitForChild(child), 0);
    space().processEnded(child);
    QVERIFY(space().isHeld(object->handle()));
    QVERIFY(space().isHeld(m_notes->handle()));
}

void tst_ObjectSpace::staleHandleOfAnotherKeepsNothing()
{
    ObjectRef object = make();
    const ObjectHandle stale = object->handle();
    object.reset();
    const pid_t child = forkChild([&] {
        notes().reach(1);
        bool isRefused = true;
        while (notes().step < 2)
            isRefused = !space().attach(stale, ObjectKind::Memory) && isRefused;
        return isRefused ? 0 : 1;
    });
    notes().waitFor(1);
    for (int i = 0; i < 20'000; ++i)
        object = make();
    object.reset();
    notes().reach(2);
    QCOMPARE(waitForChild(child), 0);
    QCOMPARE(space().usage().objects, 1U);
    space().processEnded(child);
}

/// In a circle, each the next one's: whoever has an object sees all that was written to it before,
/// and is the last who holds it.
void tst_ObjectSpace::threadsHandObjectsOn()
{
    constexpr std::size_t crew = 4;
    constexpr std::uint64_t rounds = 500;
    constexpr std::uint64_t none = ~std::uint64_t{0};
    std::array<std::atomic<std::uint64_t>, crew> boxes;
    for (auto &box : boxes)
        box.store(none);
    const QDeadlineTimer deadline(60'000);
    std::atomic<std::uint64_t> right{0};
    const auto work = [&](std::size_t mine) {
        std::mt19937 random(static_cast<unsigned>(mine));
        auto &next = boxes[(mine + 1) % crew];
        std::uint64_t given = 0;
        std::uint64_t taken = 0;
        while ((given < rounds || taken < rounds) && !deadline.hasExpired()) {
            if (given < rounds && next.load(std::memory_order_acquire) == none) {
                // Within its entry, and in memory of its own.
                const ObjectRef object = make(random() % 2 == 0 ? 8 : 5'000);
                object->body<std::uint64_t>() = mine * rounds + given++;
                space().beginFlight(*object);
                const ObjectHandle handle = object->handle();
                next.store(std::uint64_t{handle.generation} << 32 | handle.index,
                           std::memory_order_release);
            }
            const std::uint64_t word = boxes[mine].load(std::memory_order_acquire);
            if (word == none) {
                std::this_thread::yield();
                continue;
            }
            ObjectHandle handle;
            handle.index = static_cast<std::uint32_t>(word);
            handle.generation = static_cast<std::uint32_t>(word >> 32);
            const ObjectRef object = space().attach(handle, ObjectKind::Memory);
            space().endFlight(handle);
            const std::uint64_t expected = (mine + crew - 1) % crew * rounds + taken++;
            if (object && object->body<std::uint64_t>() == expected)
                right.fetch_add(1);
            boxes[mine].store(none, std::memory_order_release);
        }
    };
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < crew; ++i)
        threads.emplace_back(work, i);
    for (std::thread &thread : threads)
        thread.join();
    QCOMPARE(right.load(), crew * rounds);
}

QTEST_GUILESS_MAIN(tst_ObjectSpace)
#include "tst_object_space.moc"
