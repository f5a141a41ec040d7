// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/fork/fork_scene.h"

#include "core/monitor/page_count.h"
#include "core/process/fork.h"
#include "core/runtime/trace/wait_observer.h"

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <new>
#include <semaphore>
#include <thread>

#include <sys/mman.h>

using namespace std::chrono_literals;

namespace proclab::forking {

namespace {

bool isRunning(const Process &process)
{
    const auto isAlive = process.isAlive();
    return isAlive && *isAlive;
}

/// How often the parent looks after its children, and counts.
constexpr auto lookAfter = 40ms;
/// Cells after which a child counts all of its memory.
constexpr quint32 cellsPerCount = 8;

/// Pages of the parent's own, all of them written. Never released: its children have them too.
std::span<std::byte> filledMemory(quint64 pages)
{
    const std::size_t bytes = pages * pageSize();
    void *const begin = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (begin == MAP_FAILED)
        throw std::bad_alloc();
    // Page by page, not 2 MiB at once: a write copies what is told to be a page.
    (void)::madvise(begin, bytes, MADV_NOHUGEPAGE);
    const std::span memory(static_cast<std::byte *>(begin), bytes);
    for (std::size_t i = 0; i < bytes; i += pageSize())
        memory[i] = std::byte{1};
    return memory;
}

/// How long fork() itself takes: between the hooks right around it.
struct ForkTime
{
    qint64 beganNs = 0;
    qint64 endedNs = 0;
};

ForkTime &forkTime()
{
    static ForkTime time;
    static const bool isHooked = addForkHooks({.before = [] { time.beganNs = runtime::nowNs(); },
                                               .inParent = [] { time.endedNs = runtime::nowNs(); }})
                                     .has_value();
    Q_UNUSED(isHooked);
    return time;
}

} // namespace

/// A thread that holds a lock until it is told to release it.
class LockHolder
{
public:
    LockHolder()
        : m_thread([this] {
            const std::lock_guard lock(m_mutex);
            m_isHeld.release();
            m_isOver.acquire();
        })
    {
        m_isHeld.acquire();
    }
    ~LockHolder() { releaseLock(); }
    LockHolder(const LockHolder &) = delete;
    LockHolder &operator=(const LockHolder &) = delete;

    void lock() { m_mutex.lock(); }
    void releaseLock()
    {
        if (!m_thread.joinable())
            return;
        m_isOver.release();
        m_thread.join();
    }

private:
    std::mutex m_mutex;
    std::binary_semaphore m_isHeld{0};
    std::binary_semaphore m_isOver{0};
    std::thread m_thread;
};

void Forker::run() const
{
    ActivityReport report(cue.activity);
    allowForkHere();
    const Memory memory = filledMemory(plan.pages);
    // What fork() copies beside the memory: each process has its own from then on.
    const qint64 value = firstValue;
    tell(parent.storage()->valueBefore, value);
    cue.await(report);
    std::optional<LockHolder> holder;
    if (plan.besideThread != 0)
        holder.emplace();
    std::vector<Process> forked;
    bool isForked = true;
    for (quint32 number = 0; isForked && number < plan.children; ++number) {
        report.begin(number);
        isForked = forkChild(number, memory, holder ? &*holder : nullptr, forked);
        if (isForked)
            report.finish();
        else
            report.fail();
    }
    if (holder) {
        holder->releaseLock();
        tell(parent.storage()->lockIsFree, 1);
    }
    lookAfter(forked, memory);
    tell(parent.storage()->valueAfter, value);
    report.end();
    if (!isForked)
        std::exit(1);
}

bool Forker::forkChild(quint32 number, const Memory &memory, LockHolder *holder,
                       std::vector<Process> &forked) const
{
    const ForkTime &time = forkTime();
    const auto made = Process::fork();
    if (made && !*made)
        live(number, memory, holder);
    if (!made) {
        tell(parent.storage()->forkError, std::max(1, made.error().systemCode));
        return false;
    }
    Child &child = children.storage()[number];
    tell(child.forkNs, time.endedNs - time.beganNs);
    tell(child.forkedNs, time.endedNs);
    forked.push_back(**made);
    tell(child.pid, *forked.back().pid());
    return true;
}

void Forker::live(quint32 number, const Memory &memory, LockHolder *holder) const
{
    ActivityReport report(activities[number]);
    report.ready();
    report.start();
    Child &child = children.storage()[number];
    tell(child.returned, 0);
    countAll(child, memory);
    if (holder) {
        // The lock was copied as it was, held by a thread that was not: nobody will release it.
        const runtime::ObservedWait wait(runtime::WaitFor::Lock);
        holder->lock();
    }
    qint64 value = firstValue;
    value += number + 1;
    tell(child.value, value);
    goThrough(number, memory, report);
    countAll(child, memory);
    report.end();
    tell(child.isThrough, 1);
    (void)leave.wait();
    std::exit(0);
}

/// Writes to its part of the pages and reads the others, at a pace that one can look at.
void Forker::goThrough(quint32 number, const Memory &memory, ActivityReport &report) const
{
    Child &child = children.storage()[number];
    const qint64 beganNs = runtime::nowNs();
    unsigned sum = 0;
    for (quint32 cell = 0; cell < plan.cells; ++cell) {
        const quint64 begin = plan.firstPage(cell);
        const quint64 end = plan.firstPage(cell + 1);
        report.begin(cell);
        for (quint64 page = begin; page < end; ++page) {
            std::byte &first = memory[page * pageSize()];
            if (page < plan.writtenPages)
                first = std::byte{2};
            else
                sum += std::to_integer<unsigned>(first);
        }
        asm volatile("" : : "r"(sum) : "memory"); // What is read is used.
        tell(child.writtenPages, static_cast<qint64>(std::min(end, plan.writtenPages)));
        countCell(number + 1, cell, memory);
        if (cell % cellsPerCount == 0)
            countAll(child, memory);
        const auto dueNs =
            beganNs + std::chrono::nanoseconds(passTime).count() * (cell + 1) / plan.cells;
        std::this_thread::sleep_for(std::chrono::nanoseconds(dueNs - runtime::nowNs()));
        report.finish(ActivityReport::Spent::Asleep);
    }
}

/// By single pages, or else what the whole process has.
void Forker::countAll(Child &child, const Memory &memory) const
{
    const auto pages = countPages(memory);
    const auto all = pages ? std::nullopt : countMemory();
    if (pages) {
        tell(child.copiedBytes, static_cast<qint64>(pages->own * pageSize()));
        tell(child.sharedBytes, static_cast<qint64>(pages->shared * pageSize()));
    } else if (all) {
        tell(child.copiedBytes, static_cast<qint64>(all->privateDirty));
        tell(child.sharedBytes, static_cast<qint64>(all->shared));
    }
}

bool Forker::countCell(quint32 process, quint32 cell, const Memory &memory) const
{
    const quint64 first = plan.firstPage(cell);
    const auto count = countPages(
        memory.subspan(first * pageSize(), (plan.firstPage(cell + 1) - first) * pageSize()));
    if (count)
        tell(ownPages.storage()[std::size_t{process} * plan.cells + cell],
             static_cast<qint64>(count->own));
    return count.has_value();
}

void Forker::lookAfter(const std::vector<Process> &forked, const Memory &memory) const
{
    const qint64 killNs = runtime::nowNs() + std::chrono::nanoseconds(deadline).count();
    while (!noteEnds(forked)) {
        const auto running = std::ranges::find_if(forked, isRunning);
        if (running != forked.end())
            (void)running->join(forking::lookAfter);
        countUntilAllAreThrough(forked, memory);
        if (plan.besideThread == 0 || runtime::nowNs() < killNs)
            continue;
        leave.set(); // All is counted.
        for (std::size_t i = 0; i < forked.size(); ++i) {
            if (!isRunning(forked[i]))
                continue;
            tell(children.storage()[i].endedByDeadline, 1);
            (void)forked[i].kill();
        }
    }
}

bool Forker::noteEnds(const std::vector<Process> &forked) const
{
    bool haveAll = true;
    for (std::size_t i = 0; i < forked.size(); ++i) {
        Child &child = children.storage()[i];
        if (told(child.hasEnded) != 0)
            continue;
        const auto end = forked[i].end();
        if (!end || !*end) {
            haveAll = false;
            continue;
        }
        tell(child.exitCode, (*end)->exitCode);
        tell(child.signal, (*end)->signal);
        tell(child.isOwnSignal, (*end)->isOwnSignal ? 1 : 0);
        if ((*end)->cpuTime)
            tell(child.cpuNs, (*end)->cpuTime->count());
        if ((*end)->peakResidentBytes)
            tell(child.peakResidentBytes, static_cast<qint64>(*(*end)->peakResidentBytes));
        tell(child.hasEnded, 1);
    }
    return haveAll;
}

void Forker::countUntilAllAreThrough(const std::vector<Process> &forked, const Memory &memory) const
{
    // Who goes gives its share back.
    if (leave.isSet() || std::ranges::none_of(forked, isRunning))
        return;
    bool areAllThrough = true;
    for (std::size_t i = 0; i < forked.size(); ++i)
        areAllThrough = areAllThrough && (told(children.storage()[i].isThrough) != 0 ||
                                          told(children.storage()[i].hasEnded) != 0);
    bool isCounted = true;
    for (quint32 cell = 0; isCounted && cell < plan.cells; ++cell)
        isCounted = countCell(0, cell, memory);
    tell(parent.storage()->countsPages, isCounted ? 1 : 0);
    if (areAllThrough)
        leave.set();
}

} // namespace proclab::forking
