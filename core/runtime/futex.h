// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace proclab::runtime {

/// A futex word in shared memory. std::atomic::wait() does not work between processes, for
/// libstdc++ 12 waits on a private futex.
using FutexWord = std::atomic<std::uint32_t>;
static_assert(FutexWord::is_always_lock_free && sizeof(FutexWord) == 4);

/// Sleeps while @p word holds @p expected, at most @p timeoutNs (below 0: no limit). Returns early
/// on signals and spuriously: the caller checks its condition again. Between processes.
void futexWait(const FutexWord &word, std::uint32_t expected, std::int64_t timeoutNs);
/// The same, but futexWake() finds it only with a group in common.
void futexWaitIn(std::uint32_t groups, const FutexWord &word, std::uint32_t expected,
                 std::int64_t timeoutNs);
constexpr std::uint32_t allGroups = 0xffff'ffff;
/// Wakes up to @p count sleepers of @p word that are in one of @p groups, the first to sleep first,
/// and returns how many.
int futexWake(const FutexWord &word, int count, std::uint32_t groups = allGroups);

/// Sleeps while each of @p words, at most maxFutexes, holds its expected value, and at most
/// @p timeoutNs. Returns early like futexWait().
constexpr std::size_t maxFutexes = 128;
struct ExpectedWord
{
    const FutexWord *word;
    std::uint32_t expected;
};
void futexWaitAny(std::span<const ExpectedWord> words, std::int64_t timeoutNs);

/// Tells the processor that this is a spin loop.
inline void spinPause()
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

} // namespace proclab::runtime
