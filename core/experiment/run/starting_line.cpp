// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/starting_line.h"

#include "core/base/cores.h"
#include "core/runtime/clock.h"
#include "core/runtime/futex.h"

#include <algorithm>
#include <atomic>

#include <sched.h>

namespace proclab {

namespace {

constexpr std::size_t numbersPerLine = 8;
/// A process that runs writes the time more often than this, one that does not falls behind. It
/// looks at the times of all others in between, each a cache line that comes from another core.
constexpr qint64 runningNs(int processes)
{
    return 2'000 + 300 * qint64{processes};
}
constexpr qint64 longestWaitNs = 500'000'000;

/// Binds the calling thread to one of its cores, by turns for @p number, until the end of the
/// scope. Does nothing where that is refused.
class BoundToACore
{
public:
    explicit BoundToACore(int number)
    {
        CPU_ZERO(&m_before);
        if (::sched_getaffinity(0, sizeof m_before, &m_before) != 0)
            return;
        int skipped = number % std::max(CPU_COUNT(&m_before), 1);
        for (int core = 0; core < CPU_SETSIZE; ++core) {
            if (!CPU_ISSET(core, &m_before) || skipped-- > 0)
                continue;
            cpu_set_t one;
            CPU_ZERO(&one);
            CPU_SET(core, &one);
            m_isBound = ::sched_setaffinity(0, sizeof one, &one) == 0;
            return;
        }
    }
    ~BoundToACore()
    {
        if (m_isBound)
            ::sched_setaffinity(0, sizeof m_before, &m_before);
    }
    BoundToACore(const BoundToACore &) = delete;
    BoundToACore &operator=(const BoundToACore &) = delete;

private:
    cpu_set_t m_before;
    bool m_isBound = false;
};

} // namespace

Result<StartingLine> StartingLine::create(quint32 processes)
{
    const auto arrived = Value<qint32>::create(0, Locking::None);
    const auto started = Value<qint32>::create(0, Locking::None);
    const auto seen = Array<qint64>::create(processes * numbersPerLine, Locking::None);
    if (!arrived)
        return arrived.error();
    if (!started)
        return started.error();
    if (!seen)
        return seen.error();
    return StartingLine{*arrived, *started, *seen};
}

void StartingLine::leave() const
{
    const auto processes = static_cast<int>(seen.size() / numbersPerLine);
    const int number = arrived.fetchAdd(1);
    if (processes == 1)
        return;
    const std::atomic_ref<qint32> outcome(*started.storage());
    const auto decide = [&outcome](Start start) {
        auto waiting = static_cast<qint32>(Start::Waiting);
        outcome.compare_exchange_strong(waiting, static_cast<qint32>(start));
    };
    const int others = std::min(processes, usableCores()) - 1; // Bound to a core it has one only.
    const BoundToACore bound(number);
    while (arrived.get() < processes && outcome.load() == static_cast<qint32>(Start::Waiting)) {
        for (int i = 0; i < 100; ++i)
            runtime::spinPause();
        ::sched_yield();
    }
    if (others == 0)
        decide(Start::OneByOne);
    const auto timeOf = [this](int process) {
        return std::atomic_ref<qint64>(
            seen.storage()[static_cast<std::size_t>(process) * numbersPerLine]);
    };
    const qint64 end = runtime::nowNs() + longestWaitNs;
    while (outcome.load(std::memory_order_acquire) == static_cast<qint32>(Start::Waiting)) {
        const qint64 now = runtime::nowNs();
        timeOf(number).store(now, std::memory_order_relaxed);
        int running = 0;
        for (int other = 0; other < processes; ++other) {
            if (other != number &&
                timeOf(other).load(std::memory_order_relaxed) > now - runningNs(processes))
                ++running;
        }
        if (running >= others)
            decide(Start::SideBySide);
        else if (now > end)
            decide(Start::OneByOne);
    }
}

void StartingLine::giveUp() const
{
    std::atomic_ref<qint32> outcome(*started.storage());
    auto waiting = static_cast<qint32>(Start::Waiting);
    outcome.compare_exchange_strong(waiting, static_cast<qint32>(Start::OneByOne));
}

StartingLine::Start StartingLine::start() const
{
    return static_cast<Start>(started.get());
}

} // namespace proclab
