// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/monitor/linux_process_source.h"

#include "core/runtime/clock.h"
#include "core/runtime/memory/segment.h"
#include "tests/support/forked_child.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <span>

#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>

using namespace Qt::StringLiterals;
using namespace proclab;
using proclab::runtime::Segment;
using proclab::test::forkChild;

namespace {

constexpr qint64 ms = 1'000'000;

/// What a child tells and is told.
struct Signs
{
    std::atomic<int> isBurnt;        ///< Threads that have used their CPU time.
    std::atomic<qint64> accountedNs; ///< What getrusage() said once they all had.
    std::atomic<int> mayEnd;
};

qint64 usedNs(const rusage &usage)
{
    const auto ns = [](const timeval &time) {
        return qint64{time.tv_sec} * 1'000'000'000 + time.tv_usec * 1'000;
    };
    return ns(usage.ru_utime) + ns(usage.ru_stime);
}

/// Uses @p cpuNs of CPU time of the calling thread.
void burn(Signs &signs, qint64 cpuNs)
{
    const qint64 end = runtime::threadCpuNs() + cpuNs;
    while (runtime::threadCpuNs() < end) {
    }
    ++signs.isBurnt;
}

/// Stays, hardly using the CPU, until the test lets it end.
void stay(const Signs &signs)
{
    while (signs.mayEnd.load() == 0)
        ::poll(nullptr, 0, 1);
}

/// A sanitizer's own memory for these pages would count as the process's.
[[gnu::no_sanitize("address", "thread")]] void touchEachPage(std::span<std::byte> memory)
{
    for (std::size_t i = 0; i < memory.size(); i += 4096)
        memory[i] = std::byte{1};
}

int openFiles()
{
    return static_cast<int>(QDir(u"/proc/self/fd"_s).entryList(QDir::Files | QDir::System).size());
}

std::optional<ProcessEntry> entryOf(const std::vector<ProcessEntry> &all, qint64 pid)
{
    for (const ProcessEntry &entry : all) {
        if (entry.key.pid == pid)
            return entry;
    }
    return std::nullopt;
}

std::optional<ProcessEntry> childOf(ProcessSource &source, qint64 parent)
{
    for (const ProcessEntry &entry : source.list()) {
        if (entry.parentPid == parent)
            return entry;
    }
    return std::nullopt;
}

} // namespace

class tst_LinuxProcessSource : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void cpuTimeIsThatOfGetrusage_data();
    void cpuTimeIsThatOfGetrusage();
    void idleChildUsesNoCpu();
    void memoryIsSeenToGrow();
    void goneProcessIsNotRead();
    void otherStartTimeIsAnotherProcess();
    void nameMayHoldBrackets_data();
    void nameMayHoldBrackets();
    void clockIsMonotonic();
    void descriptorsAreGivenBack();
    void listHasParentNameAndStateOfEachChild();
    void endedChildIsListedUntilItIsWaitedFor();
    void stateIsTheKernels();
    void listReadsACapturedTree();

private:
    [[nodiscard]] Signs &signs() const { return *m_segment.at<Signs>(0); }
    /// Forks m_child, which burns @p cpuNs in each of @p threads threads.
    void startBurner(int threads, qint64 cpuNs);
    /// Lets the child end and returns its CPU time as the kernel's account of the dead has it.
    qint64 endChild();

    Segment m_segment;
    pid_t m_child = -1;
};

void tst_LinuxProcessSource::init()
{
    m_segment = Segment::create("tst_linux_process_source", sizeof(Signs));
    QVERIFY(m_segment.isValid());
}

void tst_LinuxProcessSource::cleanup()
{
    if (m_child > 0) {
        ::kill(m_child, SIGKILL);
        test::waitForChild(m_child);
    }
    m_child = -1;
}

void tst_LinuxProcessSource::startBurner(int threads, qint64 cpuNs)
{
    struct Work
    {
        Signs &signs;
        qint64 cpuNs;
    };
    m_child = forkChild([this, threads, cpuNs] {
        Work work{signs(), cpuNs};
        for (int i = 1; i < threads; ++i) {
            pthread_t thread = {};
            const auto body = [](void *data) -> void * {
                auto &given = *static_cast<Work *>(data);
                burn(given.signs, given.cpuNs);
                stay(given.signs);
                return nullptr;
            };
            if (::pthread_create(&thread, nullptr, body, &work) != 0)
                return 1;
        }
        burn(work.signs, work.cpuNs);
        while (work.signs.isBurnt.load() < threads)
            ::poll(nullptr, 0, 1);
        rusage usage = {};
        ::getrusage(RUSAGE_SELF, &usage);
        work.signs.accountedNs = usedNs(usage);
        stay(work.signs);
        return 0;
    });
}

qint64 tst_LinuxProcessSource::endChild()
{
    signs().mayEnd = 1;
    rusage usage = {};
    int status = -1;
    ::wait4(m_child, &status, 0, &usage);
    m_child = -1;
    return status == 0 ? usedNs(usage) : -1;
}

void tst_LinuxProcessSource::cpuTimeIsThatOfGetrusage_data()
{
    QTest::addColumn<int>("threads");
    QTest::newRow("one thread") << 1;
    QTest::newRow("three threads") << 3;
}

void tst_LinuxProcessSource::cpuTimeIsThatOfGetrusage()
{
#if defined(__SANITIZE_THREAD__)
    if (qstrcmp(QTest::currentDataTag(), "three threads") == 0)
        QSKIP("The thread sanitizer allows no threads in a forked child of a program with threads");
#endif
    QFETCH(const int, threads);
    LinuxProcessSource source;
    const qint64 start = source.nowNs();
    startBurner(threads, 200 * ms);
    const auto key = source.identify(m_child);
    QVERIFY(key);
    QCOMPARE(key->pid, qint64{m_child});
    QVERIFY(key->startTicks > 0);
    qint64 last = 0;
    bool onlyGrows = true;
    while (signs().accountedNs.load() == 0) {
        const auto counters = source.read(*key);
        QVERIFY(counters);
        onlyGrows = onlyGrows && counters->cpuNs >= last;
        last = counters->cpuNs;
    }
    QVERIFY(onlyGrows);
    const auto counters = source.read(*key);
    QVERIFY(counters);
    const qint64 life = source.nowNs() - start;
    QVERIFY(counters->cpuNs >= threads * 200 * ms);
    QVERIFY(counters->readyNs.value_or(0) >= 0);
    const qint64 accounted = signs().accountedNs;
    const double difference =
        static_cast<double>(accounted - counters->cpuNs) * 100 / static_cast<double>(life);
    QVERIFY2(std::abs(difference) < 2,
             qPrintable(u"%1 points of %2 ms"_s.arg(difference).arg(life / ms)));
    QVERIFY(endChild() >= accounted); // Its end costs time too, with a sanitizer a lot.
}

void tst_LinuxProcessSource::idleChildUsesNoCpu()
{
    LinuxProcessSource source;
    m_child = forkChild([this]() -> int {
        signs().isBurnt = 1;
        for (;;)
            ::pause();
    });
    QTRY_COMPARE_WITH_TIMEOUT(signs().isBurnt.load(), 1, 30'000);
    const auto key = source.identify(m_child);
    QVERIFY(key);
    // Once it sleeps, its clock stands still.
    std::optional<ProcessCounters> before = source.read(*key);
    QVERIFY(before);
    QTRY_VERIFY_WITH_TIMEOUT(
        [&] {
            const auto now = source.read(*key);
            const bool stands = now && now->cpuNs == before->cpuNs;
            before = now;
            return stands;
        }(),
        30'000);
    QVERIFY(before->cpuNs > 0);
}

void tst_LinuxProcessSource::memoryIsSeenToGrow()
{
    constexpr std::size_t bytes = 32 << 20;
    LinuxProcessSource source;
    const Segment memory = Segment::create("tst_linux_process_source", bytes);
    m_child = forkChild([this, &memory] {
        while (signs().mayEnd.load() == 0)
            ::poll(nullptr, 0, 1);
        touchEachPage({memory.data(), bytes});
        signs().isBurnt = 1;
        for (;;)
            ::pause();
        return 0;
    });
    const auto key = source.identify(m_child);
    QVERIFY(key);
    const ProcessCounters before = source.read(*key).value();
    signs().mayEnd = 1;
    QTRY_COMPARE_WITH_TIMEOUT(signs().isBurnt.load(), 1, 30'000);
    const ProcessCounters after = source.read(*key).value();
    QVERIFY(before.residentBytes.value() > before.sharedBytes.value());
    // The kernel counts pages of a running thread in batches of 64.
    constexpr qint64 batch = 1 << 20;
    const auto grown = [](std::optional<quint64> from, std::optional<quint64> to) {
        return static_cast<qint64>(to.value()) - static_cast<qint64>(from.value());
    };
    const qint64 resident = grown(before.residentBytes, after.residentBytes);
    const qint64 shared = grown(before.sharedBytes, after.sharedBytes);
    QVERIFY2(resident >= qint64{bytes} - batch, qPrintable(QString::number(resident)));
    QVERIFY2(shared >= qint64{bytes} - batch, qPrintable(QString::number(shared)));
    QVERIFY2(resident - shared <= batch, qPrintable(u"%1, %2"_s.arg(resident).arg(shared)));
}

void tst_LinuxProcessSource::goneProcessIsNotRead()
{
    LinuxProcessSource source;
    startBurner(1, 0);
    const auto key = source.identify(m_child);
    QVERIFY(key);
    QVERIFY(source.read(*key));
    const pid_t gone = m_child;
    QVERIFY(endChild() >= 0);
    QVERIFY(!source.read(*key)); // Through the descriptors that are still open.
    source.forget(*key);
    QVERIFY(!source.read(*key)); // Anew.
    QVERIFY(!source.identify(gone));
    QVERIFY(!source.identify(0));
    QVERIFY(!source.identify(-1));
}

void tst_LinuxProcessSource::otherStartTimeIsAnotherProcess()
{
    LinuxProcessSource source;
    startBurner(1, 0);
    const auto key = source.identify(m_child);
    QVERIFY(key);
    QVERIFY(!source.read({key->pid, key->startTicks - 1}));
    QVERIFY(source.read(*key));
    QVERIFY(!source.read({key->pid, key->startTicks + 1}));
    QVERIFY(source.read(*key));
    QCOMPARE(source.identify(m_child).value(), *key);
}

void tst_LinuxProcessSource::nameMayHoldBrackets_data()
{
    QTest::addColumn<QByteArray>("name");
    QTest::newRow("bracket and space") << QByteArray(") ");
    QTest::newRow("a whole line") << QByteArray("a) S 1 2 3");
    QTest::newRow("opening") << QByteArray("((");
    QTest::newRow("line end") << QByteArray("x\ny) R");
    QTest::newRow("spaces") << QByteArray("    )");
}

void tst_LinuxProcessSource::nameMayHoldBrackets()
{
    QFETCH(const QByteArray, name);
    LinuxProcessSource source;
    m_child = forkChild([this, &name] {
        while (signs().mayEnd.load() == 0)
            ::poll(nullptr, 0, 1);
        ::prctl(PR_SET_NAME, name.constData());
        signs().isBurnt = 1;
        for (;;)
            ::pause();
        return 0;
    });
    const auto key = source.identify(m_child);
    QVERIFY(key);
    signs().mayEnd = 1;
    QTRY_COMPARE_WITH_TIMEOUT(signs().isBurnt.load(), 1, 30'000);
    QCOMPARE(source.identify(m_child).value(), *key);
    QVERIFY(source.read(*key));
}

void tst_LinuxProcessSource::clockIsMonotonic()
{
    const LinuxProcessSource source;
    const qint64 before = runtime::nowNs();
    const qint64 now = source.nowNs();
    QVERIFY(before <= now);
    QVERIFY(now <= runtime::nowNs());
}

void tst_LinuxProcessSource::descriptorsAreGivenBack()
{
    const int before = openFiles();
    startBurner(1, 0);
    {
        LinuxProcessSource source;
        const auto key = source.identify(m_child);
        QVERIFY(key);
        QCOMPARE(openFiles(), before);
        for (int i = 0; i < 50; ++i)
            QVERIFY(source.read(*key));
        QVERIFY(openFiles() > before);
        source.forget(*key);
        QCOMPARE(openFiles(), before);
        QVERIFY(!source.read({key->pid, key->startTicks + 1}));
        QCOMPARE(openFiles(), before);
        QVERIFY(source.read(*key));
    }
    QCOMPARE(openFiles(), before);
}

void tst_LinuxProcessSource::listHasParentNameAndStateOfEachChild()
{
    LinuxProcessSource source;
    m_child = forkChild([this]() -> int {
        ::prctl(PR_SET_NAME, "a parent) S 1");
        const pid_t grandchild = forkChild([this]() -> int {
            ::prctl(PR_SET_NAME, "the child");
            signs().isBurnt = 1;
            for (;;)
                ::pause();
        });
        stay(signs());
        ::kill(grandchild, SIGKILL);
        return test::waitForChild(grandchild) == SIGKILL ? 0 : 1;
    });
    QTRY_COMPARE_WITH_TIMEOUT(signs().isBurnt.load(), 1, 30'000);
    // Once it waits in pause().
    QTRY_VERIFY_WITH_TIMEOUT(
        [&] {
            const auto child = childOf(source, m_child);
            return child && child->state == 'S';
        }(),
        30'000);
    const std::vector<ProcessEntry> all = source.list();
    const auto own = entryOf(all, ::getpid());
    const auto parent = entryOf(all, m_child);
    const auto child = childOf(source, m_child);
    QVERIFY(own && parent && child);
    QCOMPARE(own->state, 'R');
    QCOMPARE(parent->parentPid, qint64{::getpid()});
    QCOMPARE(parent->name, "a parent) S 1"_ba);
    QCOMPARE(child->name, "the child"_ba);
    QCOMPARE(parent->key, source.identify(m_child).value());
    QVERIFY(child->key.startTicks >= parent->key.startTicks);
    QVERIFY(
        std::is_sorted(all.begin(), all.end(), [](const ProcessEntry &a, const ProcessEntry &b) {
            return a.key.pid < b.key.pid;
        }));
    QVERIFY(endChild() >= 0);
    QVERIFY(!entryOf(source.list(), child->key.pid));
}

void tst_LinuxProcessSource::endedChildIsListedUntilItIsWaitedFor()
{
    LinuxProcessSource source;
    m_child = forkChild([] { return 0; });
    const auto state = [&source, this] {
        const auto child = entryOf(source.list(), m_child);
        return child ? child->state : '-';
    };
    QTRY_COMPARE_WITH_TIMEOUT(state(), 'Z', 30'000);
    test::waitForChild(m_child);
    QCOMPARE(state(), '-');
    m_child = -1;
}

void tst_LinuxProcessSource::stateIsTheKernels()
{
    LinuxProcessSource source;
    startBurner(1, 0);
    const auto key = source.identify(m_child);
    QVERIFY(key);
    ::kill(m_child, SIGSTOP);
    QTRY_COMPARE_WITH_TIMEOUT(source.stateOf(*key), std::optional('T'), 30'000);
    ::kill(m_child, SIGCONT);
    QTRY_VERIFY_WITH_TIMEOUT(source.stateOf(*key) != 'T', 30'000);
    QVERIFY(!source.stateOf({key->pid, key->startTicks + 1}));
    QVERIFY(endChild() >= 0);
    QVERIFY(!source.stateOf(*key));
}

void tst_LinuxProcessSource::listReadsACapturedTree()
{
    const QTemporaryDir folder;
    const auto capture = [&folder](const QString &name, const QByteArray &stat) {
        QVERIFY(QDir(folder.path()).mkpath(name));
        QFile file(folder.filePath(name % u"/stat"_s));
        QVERIFY(file.open(QIODevice::WriteOnly));
        QCOMPARE(file.write(stat), stat.size());
    };
    const QByteArray rest = " 1 1 0 -1 4194560 9 8 7 6 5 4 3 2 20 0 1 0 4242 1000 200 1844674407\n";
    capture(u"30"_s, "30 (kworker/0:1-ev) I 2" + rest);
    capture(u"1"_s, "1 (systemd) S 0" + rest);
    capture(u"7"_s, "7 (\xff) R 9 9 (b) D 1" + rest);
    capture(u"8"_s, "8 (cut off) S 1 1");
    capture(u"9"_s, {});
    capture(u"self"_s, "1 (systemd) S 0" + rest);
    capture(u"12x"_s, "12 (no process) S 0" + rest);
    LinuxProcessSource source(folder.path().toStdString());
    const std::vector<ProcessEntry> expected = {{{1, 4242}, 0, "systemd", 'S'},
                                                {{7, 4242}, 1, "\xff) R 9 9 (b", 'D'},
                                                {{30, 4242}, 2, "kworker/0:1-ev", 'I'}};
    QCOMPARE(source.list(), expected);
    QCOMPARE(source.identify(7).value(), (ProcessKey{7, 4242}));
    QVERIFY(!source.identify(8));
    QVERIFY(LinuxProcessSource("/no/such/folder").list().empty());
}

QTEST_GUILESS_MAIN(tst_LinuxProcessSource)
#include "tst_linux_process_source.moc"
