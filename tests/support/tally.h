// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/memory/array.h"
#include "core/sync/event.h"
#include "tests/support/kernel_state.h"
#include "tests/support/results.h"

#include <QTest>

#include <algorithm>
#include <ranges>
#include <thread>
#include <vector>

#include <unistd.h>

namespace proclab::test {

/// Numbers that the processes and threads of a test count in; and who has come to where it sleeps.
///
/// Threads: any.
class Tally
{
public:
    static constexpr std::size_t mostSleepers = 16;
    static constexpr std::size_t counts = 4;

    Tally() : m_numbers(made(Array<int>::create(counts + mostSleepers, Locking::None))) {}
    explicit Tally(Array<int> numbers) : m_numbers(std::move(numbers)) {}

    int add(std::size_t count) const { return at(count).fetch_add(1); }
    [[nodiscard]] int of(std::size_t count) const { return at(count).load(); }
    /// The calling thread is about to sleep, with nothing before it that could make it.
    void noteSleeper(std::size_t number) const { at(counts + number).store(::gettid()); }
    [[nodiscard]] pid_t sleeper(std::size_t number) const { return at(counts + number).load(); }
    /// Waits until sleepers 0 to @p count - 1 have come, and sleep.
    [[nodiscard]] bool waitUntilAsleep(std::size_t count) const
    {
        return QTest::qWaitFor(
            [&] {
                const auto sleeps = [&](std::size_t i) { return isAsleep(sleeper(i)); };
                return std::ranges::all_of(std::views::iota(std::size_t{0}, count), sleeps);
            },
            30'000);
    }

private:
    friend struct Codec<Tally>;

    [[nodiscard]] std::atomic_ref<int> at(std::size_t place) const
    {
        return std::atomic_ref(m_numbers.storage()[place]);
    }

    Array<int> m_numbers;
};

/// Whether @p holds() is true now and for the next 100 ms: what must not happen has its chance.
template<typename Condition>
bool staysTrue(Condition holds)
{
    const Event never = made(Event::create());
    for (int i = 0; i < 5; ++i) {
        if (!holds() || never.wait(std::chrono::milliseconds(20)))
            return false;
    }
    return holds();
}

/// Threads that are joined at the end of their scope.
class Threads
{
public:
    Threads() = default;
    ~Threads() { join(); }
    Threads(const Threads &) = delete;
    Threads &operator=(const Threads &) = delete;

    template<typename Body>
    void start(Body body)
    {
        m_threads.emplace_back(std::move(body));
    }
    void join()
    {
        for (std::thread &thread : m_threads)
            thread.join();
        m_threads.clear();
    }

private:
    std::vector<std::thread> m_threads;
};

} // namespace proclab::test

namespace proclab {

template<>
struct Codec<test::Tally>
{
    static void encode(PayloadWriter &writer, const test::Tally &value)
    {
        Codec<Array<int>>::encode(writer, value.m_numbers);
    }
    static test::Tally decode(PayloadReader &reader)
    {
        return test::Tally(Codec<Array<int>>::decode(reader));
    }
};

} // namespace proclab
