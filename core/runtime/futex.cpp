// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/futex.h"

#include <algorithm>
#include <array>
#include <ctime>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace proclab::runtime {

namespace {

/// For the calls that take a time, not a length.
timespec timeAfter(std::int64_t lengthNs)
{
    timespec time = {};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    const std::int64_t ns = time.tv_nsec + lengthNs;
    time.tv_sec += static_cast<std::time_t>(ns / 1'000'000'000);
    time.tv_nsec = static_cast<long>(ns % 1'000'000'000);
    return time;
}

} // namespace

void futexWait(const FutexWord &word, std::uint32_t expected, std::int64_t timeoutNs)
{
    timespec timeout = {};
    if (timeoutNs >= 0) {
        timeout.tv_sec = static_cast<std::time_t>(timeoutNs / 1'000'000'000);
        timeout.tv_nsec = static_cast<long>(timeoutNs % 1'000'000'000);
    }
    ::syscall(SYS_futex, &word, FUTEX_WAIT, expected, timeoutNs >= 0 ? &timeout : nullptr, nullptr,
              0);
}

void futexWaitIn(std::uint32_t groups, const FutexWord &word, std::uint32_t expected,
                 std::int64_t timeoutNs)
{
    const timespec end = timeAfter(timeoutNs);
    ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, expected, timeoutNs >= 0 ? &end : nullptr,
              nullptr, groups);
}

void futexWaitAny(std::span<const ExpectedWord> words, std::int64_t timeoutNs)
{
    std::array<futex_waitv, maxFutexes> waiters = {};
    const std::size_t count = std::min(words.size(), maxFutexes);
    for (std::size_t i = 0; i < count; ++i) {
        waiters[i].uaddr = reinterpret_cast<std::uintptr_t>(words[i].word);
        waiters[i].val = words[i].expected;
        waiters[i].flags = FUTEX_32;
    }
    const timespec end = timeAfter(timeoutNs);
    ::syscall(SYS_futex_waitv, waiters.data(), count, 0, &end, CLOCK_MONOTONIC);
}

int futexWake(const FutexWord &word, int count, std::uint32_t groups)
{
    return static_cast<int>(
        ::syscall(SYS_futex, &word, FUTEX_WAKE_BITSET, count, nullptr, nullptr, groups));
}

} // namespace proclab::runtime
