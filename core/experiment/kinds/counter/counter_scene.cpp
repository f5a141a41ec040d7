// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/counter/counter_scene.h"

#include "core/runtime/futex.h"

#include <algorithm>
#include <atomic>
#include <type_traits>

namespace proclab::counter {

namespace {

/// Increments with a span of their own, so that one can look at single reads and writes; the rest
/// is summed up.
constexpr quint64 singleIncrements = 1'000;
constexpr quint64 batch = 256;

} // namespace

template<typename Counter>
void Incrementer<Counter>::run() const
{
    ActivityReport report(cue.activity);
    cue.await(report);
    line.leave();
    report.start();
    report.setDetail(ActivityReport::Detail::EveryItem);
    std::vector<qint64> sums(size());
    for (quint64 i = 0; i < counting.increments;) {
        if (i == singleIncrements)
            report.setDetail(ActivityReport::Detail::Summaries);
        const quint64 end = i < singleIncrements ? i + 1 : std::min(i + batch, counting.increments);
        report.begin(i);
        if (counting.mode == Mode::Local) {
            countAlone(i, end, sums);
        } else {
            for (quint64 k = i; k < end; ++k)
                increment(k);
        }
        if (end == counting.increments)
            merge(sums);
        report.finish(ActivityReport::Spent::OnCore, static_cast<quint32>(end - i));
        i = end;
    }
    report.end();
}

template<typename Counter>
void Incrementer<Counter>::increment(quint64 i) const
{
    switch (counting.mode) {
    case Mode::Lock:
        (void)counter.acquire();
        readAddWrite(i);
        (void)counter.release();
        break;
    case Mode::Atomic:
        gap();
        std::atomic_ref(number(i)).fetch_add(1, std::memory_order_relaxed);
        break;
    case Mode::None:
    case Mode::Local:
        readAddWrite(i);
        break;
    }
}

template<typename Counter>
void Incrementer<Counter>::readAddWrite(quint64 i) const
{
    const std::atomic_ref shared(number(i));
    const qint64 read = shared.load(std::memory_order_relaxed);
    gap();
    shared.store(read + 1, std::memory_order_relaxed);
}

template<typename Counter>
void Incrementer<Counter>::gap() const
{
    if (counting.gapNs <= 0)
        return;
    const qint64 until = runtime::nowNs() + counting.gapNs;
    while (runtime::nowNs() < until)
        runtime::spinPause();
}

template<typename Counter>
void Incrementer<Counter>::countAlone(quint64 begin, quint64 end, std::vector<qint64> &sums) const
{
    for (quint64 i = begin; i < end; ++i) {
        gap();
        sums[i % sums.size()] += 1;
        // The compiler must not turn the loop into one multiplication.
        asm volatile("" ::: "memory");
    }
}

template<typename Counter>
void Incrementer<Counter>::merge(const std::vector<qint64> &sums) const
{
    for (std::size_t i = 0; i < sums.size(); ++i)
        std::atomic_ref(number(i)).fetch_add(sums[i], std::memory_order_relaxed);
}

template<typename Counter>
std::size_t Incrementer<Counter>::size() const
{
    if constexpr (std::is_same_v<Counter, Array<qint64>>)
        return counter.size();
    else
        return 1;
}

template<typename Counter>
qint64 &Incrementer<Counter>::number(quint64 i) const
{
    if constexpr (std::is_same_v<Counter, Array<qint64>>)
        return counter.storage()[i % counter.size()];
    else
        return *counter.storage();
}

template struct Incrementer<Value<qint64>>;
template struct Incrementer<Array<qint64>>;

} // namespace proclab::counter
